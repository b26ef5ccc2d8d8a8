// People at the station as the outside sees them: who is signed in, who has an account, and the arguments of the calls
// that change this. PINs and badge codes go in and never come out; what is kept of them is in no view.
import { z } from 'zod'
import { personRoles } from './roles.ts'
import type { PersonRole } from './roles.ts'

/** Account ids are made by the station and never used twice, whatever happens to names. */
export const accountId = z.string().regex(/^u[0-9a-f]{12}$/)
export const personName = z.string().min(1).max(80).refine((name) => name.trim() === name && !/[\p{Cc}\p{Cs}]/u.test(name), 'a name has no outer blanks and no control characters')
/** A PIN of digits or a passphrase; short ones are safe only because the station counts wrong tries. */
export const pin = z.string().min(4).max(1024)
/** What a scanner types. */
export const badgeCode = z.string().min(6).max(200)
export const rolesOfPerson = z.array(z.enum(personRoles as [PersonRole, ...PersonRole[]])).min(1).max(4).refine((roles) => new Set(roles).size === roles.length, 'a role is named once')

/** Name or badge, and the PIN; a badge alone is enough for an operator's work. Longer than any that is kept is simply wrong. */
export const signInArgs = z.strictObject({
  name: z.string().max(200).nullable().default(null), badge: z.string().max(200).nullable().default(null), pin: z.string().max(1024).nullable().default(null),
})

export const addPersonArgs = z.strictObject({
  name: personName, roles: rolesOfPerson,
  /** What the log calls the person; null: the name. */
  pseudonym: personName.nullable().default(null),
  pin: pin.nullable().default(null), badge: badgeCode.nullable().default(null),
})

export const changePersonArgs = z.strictObject({ account: accountId, name: personName.optional(), roles: rolesOfPerson.optional(), pseudonym: personName.nullable().optional() })

/** An account, for administrators. */
export type PersonView = Readonly<{
  account: string
  name: string
  pseudonym: string | null
  roles: readonly PersonRole[]
  hasPin: boolean
  hasBadge: boolean
  createdAt: string
  /** Retired accounts stay, since the log names them; nobody signs in with one. */
  retiredAt: string | null
  /** Since when too many wrong tries keep it shut. */
  lockedAt: string | null
  wrongTries: number
}>

/** Who is at this window, terminal or connection now. */
export type SessionView = Readonly<{
  /** True while nobody has an account: whoever is at the machine acts, with all roles. */
  open: boolean
  /** Null while nobody is signed in. In an open station: the machine's own user, without an account. */
  person: Readonly<{ account: string | null; name: string; roles: readonly PersonRole[]; /** Signed in by badge alone: a PIN opens the other roles. */ byBadgeOnly: boolean }> | null
  /** Names to choose from at the sign-in. */
  names: readonly string[]
  /** Minutes without input after which the station locks; 0: never. */
  idleMinutes: number
  /** A batch goes on while the station is locked; how far it is. */
  batch: Readonly<{ boards: number; done: number }> | null
}>
