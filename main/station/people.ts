// People and what they may do: accounts are made, changed and retired, and people prove who they are. While nobody has an
// account the station is open; the first account is an administrator's. Wrong tries are counted on disk before a secret is
// looked at, one sign-in after the other, so that neither many calls at once nor a killed process buys a free guess.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { PersonView } from '../contract/people.ts'
import type { PersonRole } from '../contract/roles.ts'
import { accountsMax, readAccounts, writeAccount } from '../store/accounts.ts'
import type { Account } from '../store/accounts.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { Logbook } from './logbook.ts'
import { costNow, hashBadge, hashSecret, newBadgeSalt, sameSecret } from './pin-hash.ts'
import type { Cost } from './pin-hash.ts'

/** Wrong tries after which an account is shut. The last administrator's is only slowed down: somebody must be left to unlock. */
export const wrongTriesMax = 8
const delayMsMax = 60_000
const lastOneDelayMsMax = 300_000
/** For names and badges that are nobody's: guessing who is there is slowed, without shutting others out for long. */
const strangerDelayMsMax = 10_000
/** Sign-ins that may wait for one another. */
const waitingMax = 8

const saltSetting = 'badge-salt'
const saltSchema = z.string().regex(/^[0-9a-f]{32}$/)

export type SignedIn = Readonly<{ account: string; byBadgeOnly: boolean }>

/** The name that the log has of somebody. */
export const logNameOf = (account: Account): string => account.pseudonym ?? account.name

/** How long after the n-th wrong try the next one is looked at, ms. */
export function delayAfter(wrongTries: number, mostMs: number): number {
  return wrongTries <= 0 ? 0 : Math.min(mostMs, 1_000 * 2 ** Math.min(wrongTries - 1, 20))
}

export class People {
  readonly #log: Logbook
  readonly #clock: Clock
  readonly #badgeSalt: string
  readonly #cost: Cost
  readonly #accounts: Map<string, Account>
  /** Counts what makes somebody's session invalid: a new PIN, a lock, the end of the account. */
  readonly #epochs = new Map<string, number>()
  #strangers = { tries: 0, lastMs: -Infinity }
  #turn: Promise<unknown> = Promise.resolve()
  #waiting = 0

  private constructor(log: Logbook, clock: Clock, accounts: readonly Account[], badgeSalt: string, cost: Cost) {
    this.#log = log
    this.#clock = clock
    this.#badgeSalt = badgeSalt
    this.#cost = cost
    this.#accounts = new Map(accounts.map((account) => [account.id, account]))
    log.takesAccounts = this.#accounts.size > 0
  }

  /** Fails with `people-missing` where the log knows of accounts and the database has none: such a station stays shut. */
  static open(log: Logbook, clock: Clock, cost: Cost = costNow): People | Failure {
    const { database } = log.audit
    const accounts = readAccounts(database)
    if (failed(accounts)) return accounts
    const known = accounts.length > 0 ? 0 : log.audit.count({ kind: 'person-added' })
    if (failed(known)) return known
    if (known > 0) return new Failure('people-missing', `The log says that ${known === 1 ? 'an account was' : `${known} accounts were`} made at this station, and the database has none: somebody took them out. Restore the database from a backup.`)
    const salt = readSetting<string>(database, saltSetting, saltSchema, '')
    if (failed(salt)) return salt
    if (salt !== '') return new People(log, clock, accounts, salt, cost)
    const made = newBadgeSalt()
    const written = writeSetting(database, saltSetting, made)
    return failed(written) ? written : new People(log, clock, accounts, made, cost)
  }

  /** While nobody has an account, whoever is at the machine acts. */
  get isOpen(): boolean {
    return this.#accounts.size === 0
  }

  find(id: string): Account | null {
    return this.#accounts.get(id) ?? null
  }

  epochOf(id: string): number {
    return this.#epochs.get(id) ?? 0
  }

  /** Names that can sign in, for the list at the sign-in. */
  names(): string[] {
    return this.#active().map(({ name }) => name).sort((a, b) => a.localeCompare(b))
  }

  list(): PersonView[] {
    return [...this.#accounts.values()].sort((a, b) => a.name.localeCompare(b.name)).map(personView)
  }

  /**
   * Proves who somebody is. Kinds: `no-accounts`, `needs-pin`, `wrong-pin`, `unknown-badge`, `sign-in-wait`,
   * `account-locked`, `sign-in-busy`, and those of the log and the disk.
   */
  async signIn(args: CheckedArgsOf<'signIn'>): Promise<SignedIn | Failure> {
    if (this.isOpen) return new Failure('no-accounts', 'Nobody has an account here yet, so there is nobody to sign in as. An administrator is made first.')
    if (args.badge === null && (args.name === null || args.pin === null)) return new Failure('needs-pin', 'Scan a badge, or choose a name and type its PIN.')
    if (this.#waiting >= waitingMax) return new Failure('sign-in-busy', 'Too many sign-ins at once. Wait a moment and try again.')
    this.#waiting++
    const mine = this.#turn.then(() => (args.badge === null ? this.#byName(args.name ?? '', args.pin ?? '') : this.#byBadge(args.badge, args.pin)))
    this.#turn = mine.catch(() => null)
    try {
      return await mine
    } finally {
      this.#waiting--
    }
  }

  async #byName(name: string, pin: string): Promise<SignedIn | Failure> {
    const account = this.#active().find((one) => sameName(one.name, name)) ?? null
    return this.#prove(account, pin, 'pin')
  }

  async #byBadge(code: string, pin: string | null): Promise<SignedIn | Failure> {
    const wait = this.#waitForStrangers()
    if (wait !== null) return wait
    const hash = Buffer.from(await hashBadge(code, this.#badgeSalt, this.#cost), 'hex')
    const account = this.#active().find(({ badge }) => badge !== null && timingSafeEqual(Buffer.from(badge, 'hex'), hash)) ?? null
    if (account === null) return this.#wrongStranger('badge', new Failure('unknown-badge', 'This badge is nobody\'s here. Scan it again, or sign in with name and PIN.'))
    if (pin !== null) return this.#prove(account, pin, 'badge and pin')
    if (account.lockedAt !== null) return lockedOut()
    if (!account.roles.includes('operator')) return new Failure('needs-pin', 'A badge alone is enough for an operator\'s work only. Type the PIN as well.')
    const noted = this.#note(account, { kind: 'sign-in', data: { method: 'badge', account: account.id } }, 'operator')
    return noted ?? { account: account.id, byBadgeOnly: account.roles.some((role) => role !== 'operator') }
  }

  /** Whether this is the PIN of that account; as long, and in the same words, for nobody's. */
  async #prove(account: Account | null, pin: string, method: string): Promise<SignedIn | Failure> {
    if (account === null) {
      const wait = this.#waitForStrangers()
      if (wait !== null) return wait
      await sameSecret(pin, null, this.#cost)
      return this.#wrongStranger(method, wrongPin(delayAfter(this.#strangers.tries + 1, strangerDelayMsMax)))
    }
    if (account.lockedAt !== null) return lockedOut()
    const wait = this.#waitFor(account)
    if (wait !== null) return wait
    const counted = this.#write({ ...account, wrongTries: account.wrongTries + 1, lastWrongMs: this.#clock.wallMs() })
    if (failed(counted)) return counted
    if (await sameSecret(pin, account.pin)) {
      const noted = this.#note(account, { kind: 'sign-in', data: { method, account: account.id } }, account.roles[0] ?? 'operator')
      if (noted !== null) return noted
      const forgiven = this.#write({ ...counted, wrongTries: 0, lastWrongMs: null })
      return failed(forgiven) ? forgiven : { account: account.id, byBadgeOnly: false }
    }
    return this.#wrong(counted, method)
  }

  #wrong(account: Account, method: string): Failure {
    const last = this.#isLastAdministrator(account)
    const shut = account.wrongTries >= wrongTriesMax && !last
    const failure = shut ? lockedOut() : wrongPin(delayAfter(account.wrongTries, last ? lastOneDelayMsMax : delayMsMax))
    const noted = this.#log.record([{ kind: 'sign-in-refused', person: logNameOf(account), role: account.roles[0] ?? 'operator', data: { method, says: failure.says, account: account.id, failure: failure.kind } }])
    if (!shut) return noted ?? failure
    const locked = this.#note(account, { kind: 'person-locked', data: { ...thePerson(account), tries: account.wrongTries } }, 'station')
    // Shut whether or not the log could take it: this is the side on which to err.
    const written = this.#write({ ...account, lockedAt: this.#now() })
    this.#end(account.id)
    return failed(written) ? written : noted ?? locked ?? failure
  }

  #wrongStranger(method: string, failure: Failure): Failure {
    this.#strangers = { tries: Math.min(this.#strangers.tries + 1, 32), lastMs: this.#clock.monotonicMs() }
    // Whose it was is not known, and what was typed as a name may have been a PIN.
    return this.#log.record([{ kind: 'sign-in-refused', person: '', role: 'station', data: { method, says: failure.says, failure: failure.kind } }]) ?? failure
  }

  #waitForStrangers(): Failure | null {
    const sinceMs = this.#clock.monotonicMs() - this.#strangers.lastMs
    // A quiet minute, and the count begins anew.
    if (sinceMs > 60_000) this.#strangers = { tries: 0, lastMs: -Infinity }
    return waiting(delayAfter(this.#strangers.tries, strangerDelayMsMax) - sinceMs)
  }

  /** By the wall clock, which outlives the process; one that was set back starts the wait anew instead of stretching it. */
  #waitFor(account: Account): Failure | null {
    if (account.lastWrongMs === null) return null
    const delayMs = delayAfter(account.wrongTries, this.#isLastAdministrator(account) ? lastOneDelayMsMax : delayMsMax)
    const sinceMs = this.#clock.wallMs() - account.lastWrongMs
    if (sinceMs >= 0) return waiting(delayMs - sinceMs)
    const written = this.#write({ ...account, lastWrongMs: this.#clock.wallMs() })
    return failed(written) ? written : waiting(delayMs)
  }

  /** Kinds: `first-administrator`, `name-taken`, `too-many-people`, `badge-taken`, `no-way-in`. */
  async add({ name, roles, pseudonym, pin, badge }: CheckedArgsOf<'addPerson'>): Promise<PersonView | Failure> {
    if (this.isOpen && (!roles.includes('administrator') || pin === null)) return new Failure('first-administrator', 'The first account must be an administrator\'s and have a PIN: from then on everybody signs in, and somebody has to be able to make the other accounts.')
    if (pin === null && badge === null) return new Failure('no-way-in', `${name} could not sign in: give a PIN or a badge.`)
    if (this.#accounts.size >= accountsMax) return new Failure('too-many-people', `A station keeps at most ${accountsMax} accounts.`)
    const [pinHash, badgeHash] = [pin === null ? null : await hashSecret(pin, this.#cost), badge === null ? null : await hashBadge(badge, this.#badgeSalt, this.#cost)]
    const taken = this.#nameTaken(name, null) ?? this.#badgeTaken(badgeHash, null)
    if (taken !== null) return taken
    const account: Account = {
      id: `u${randomBytes(6).toString('hex')}`, version: 1, name, pseudonym, roles: inOrder(roles), pin: pinHash, badge: badgeHash,
      createdAt: this.#now(), retiredAt: null, lockedAt: null, wrongTries: 0, lastWrongMs: null,
    }
    const noted = this.#log.recordAct({ kind: 'person-added', data: thePerson(account) }, 'administrator')
    if (failed(noted)) return noted
    const written = this.#write(account)
    return failed(written) ? written : personView(written)
  }

  /** Kinds: `no-such-person`, `name-taken`, `last-administrator`. */
  change({ account: id, ...changes }: CheckedArgsOf<'changePerson'>): PersonView | Failure {
    const before = this.#present(id)
    if (failed(before)) return before
    const taken = changes.name === undefined ? null : this.#nameTaken(changes.name, id)
    if (taken !== null) return taken
    const after: Account = { ...before, name: changes.name ?? before.name, pseudonym: changes.pseudonym === undefined ? before.pseudonym : changes.pseudonym, roles: inOrder(changes.roles ?? before.roles) }
    const kept = this.#keepsAdministrator(before, after)
    if (kept !== null) return kept
    const [was, is] = [before.roles.join(', '), after.roles.join(', ')]
    const what = [...(was === is ? [] : ['roles']), ...(before.name === after.name ? [] : ['name']), ...(before.pseudonym === after.pseudonym ? [] : ['pseudonym'])]
    if (what.length === 0) return personView(before)
    return this.#changed(after, what.join(', '), was === is ? {} : { before: was, after: is })
  }

  /** Kinds: `no-such-person`, `last-administrator`. */
  retire(id: string): PersonView | Failure {
    const before = this.#present(id)
    if (failed(before)) return before
    const after: Account = { ...before, retiredAt: this.#now(), pin: null, badge: null }
    const kept = this.#keepsAdministrator(before, after)
    if (kept !== null) return kept
    const noted = this.#log.recordAct({ kind: 'person-retired', data: thePerson(before) }, 'administrator')
    if (failed(noted)) return noted
    this.#end(id)
    const written = this.#write(after)
    return failed(written) ? written : personView(written)
  }

  unlock(id: string): PersonView | Failure {
    const before = this.#present(id)
    if (failed(before)) return before
    const noted = this.#log.recordAct({ kind: 'person-unlocked', data: thePerson(before) }, 'administrator')
    if (failed(noted)) return noted
    const written = this.#write({ ...before, lockedAt: null, wrongTries: 0, lastWrongMs: null })
    return failed(written) ? written : personView(written)
  }

  /** Kinds: `no-such-person`, `last-administrator`, `no-way-in`. */
  async setPin(id: string, pin: string | null): Promise<PersonView | Failure> {
    const hash = pin === null ? null : await hashSecret(pin, this.#cost)
    const before = this.#present(id)
    if (failed(before)) return before
    const after = { ...before, pin: hash }
    const refused = wayIn(after) ?? this.#keepsAdministrator(before, after)
    if (refused !== null) return refused
    const changed = this.#changed(after, pin === null ? 'no PIN any more' : 'PIN')
    if (!failed(changed)) this.#end(id)
    return changed
  }

  /** Kinds: `no-such-person`, `badge-taken`, `no-way-in`. */
  async setBadge(id: string, badge: string | null): Promise<PersonView | Failure> {
    const hash = badge === null ? null : await hashBadge(badge, this.#badgeSalt, this.#cost)
    const before = this.#present(id)
    if (failed(before)) return before
    const after = { ...before, badge: hash }
    const refused = wayIn(after) ?? this.#badgeTaken(hash, id)
    if (refused !== null) return refused
    const changed = this.#changed(after, badge === null ? 'no badge any more' : 'badge')
    if (!failed(changed)) this.#end(id)
    return changed
  }

  /** The old PIN is asked for again, and a wrong one counts like a wrong sign-in. Its session goes on. */
  async changeOwnPin(id: string, old: string, pin: string): Promise<PersonView | Failure> {
    const proven = await this.#proveAgain(id, old)
    if (failed(proven)) return proven
    const hash = await hashSecret(pin, this.#cost)
    const before = this.#present(id)
    return failed(before) ? before : this.#changed({ ...before, pin: hash }, 'own PIN')
  }

  #proveAgain(id: string, pin: string): Promise<SignedIn | Failure> {
    const mine = this.#turn.then(() => this.#prove(this.find(id), pin, 'pin'))
    this.#turn = mine.catch(() => null)
    return mine
  }

  #changed(after: Account, what: string, more: { before?: string; after?: string } = {}): PersonView | Failure {
    const noted = this.#log.recordAct({ kind: 'person-changed', data: { ...thePerson(after), what, ...more } }, 'administrator')
    if (failed(noted)) return noted
    const written = this.#write(after)
    return failed(written) ? written : personView(written)
  }

  #write(account: Account): Account | Failure {
    const written = writeAccount(this.#log.audit.database, account)
    if (failed(written)) return written
    this.#accounts.set(account.id, account)
    this.#log.takesAccounts = true
    return account
  }

  #note(account: Account, draft: Parameters<Logbook['recordAct']>[0], role: PersonRole | 'station'): Failure | null {
    return this.#log.record([{ ...draft, person: logNameOf(account), role }])
  }

  /** Ends the sessions of an account. */
  #end(id: string): void {
    this.#epochs.set(id, this.epochOf(id) + 1)
  }

  #present(id: string): Account | Failure {
    const account = this.find(id)
    return account === null || account.retiredAt !== null ? new Failure('no-such-person', 'There is no such account in use. Look at the list of people again.') : account
  }

  #active(): Account[] {
    return [...this.#accounts.values()].filter(({ retiredAt }) => retiredAt === null)
  }

  #nameTaken(name: string, except: string | null): Failure | null {
    const other = this.#active().find((one) => one.id !== except && sameName(one.name, name))
    return other === undefined ? null : new Failure('name-taken', `${other.name} has an account already. Choose a name that cannot be taken for it.`)
  }

  #badgeTaken(hash: string | null, except: string | null): Failure | null {
    const other = hash === null ? undefined : this.#active().find((one) => one.id !== except && one.badge === hash)
    return other === undefined ? null : new Failure('badge-taken', `This badge is ${other.name}'s. Take it away there first.`)
  }

  #isLastAdministrator(account: Account): boolean {
    return isAdministrator(account) && !this.#active().some((one) => one.id !== account.id && isAdministrator(one))
  }

  #keepsAdministrator(before: Account, after: Account): Failure | null {
    if (!this.#isLastAdministrator(before) || isAdministrator(after)) return null
    return new Failure('last-administrator', `${before.name} is the last administrator who can sign in. Make another one first.`)
  }

  #now(): string {
    return new Date(this.#clock.wallMs()).toISOString()
  }
}

/** One who can do an administrator's work today. */
function isAdministrator({ roles, pin, retiredAt, lockedAt }: Account): boolean {
  return retiredAt === null && lockedAt === null && pin !== null && roles.includes('administrator')
}

function wayIn({ name, pin, badge }: Account): Failure | null {
  return pin === null && badge === null ? new Failure('no-way-in', `${name} could not sign in any more: keep a PIN or a badge, or retire the account.`) : null
}

function thePerson(account: Account): { account: string; person: string; roles: string } {
  return { account: account.id, person: logNameOf(account), roles: account.roles.join(', ') }
}

function personView({ id, name, pseudonym, roles, pin, badge, createdAt, retiredAt, lockedAt, wrongTries }: Account): PersonView {
  return { account: id, name, pseudonym, roles, hasPin: pin !== null, hasBadge: badge !== null, createdAt, retiredAt, lockedAt, wrongTries }
}

const order: readonly PersonRole[] = ['operator', 'engineer', 'auditor', 'administrator']
const inOrder = (roles: readonly PersonRole[]): PersonRole[] => order.filter((role) => roles.includes(role))

/** Names are compared as people read them. */
function sameName(a: string, b: string): boolean {
  const read = (name: string) => name.normalize('NFKC').trim().toLowerCase()
  return read(a) === read(b)
}

function lockedOut(): Failure {
  return new Failure('account-locked', 'This account is locked after too many wrong tries. An administrator can unlock it.')
}

function wrongPin(delayMs: number): Failure {
  const waitSeconds = Math.ceil(delayMs / 1000)
  return new Failure('wrong-pin', `This name and PIN do not belong together. Try again in ${waitSeconds} ${waitSeconds === 1 ? 'second' : 'seconds'}.`, { waitSeconds })
}

function waiting(ms: number): Failure | null {
  const waitSeconds = Math.ceil(ms / 1000)
  return ms <= 0 ? null : new Failure('sign-in-wait', `After a wrong try the station waits: try again in ${waitSeconds} ${waitSeconds === 1 ? 'second' : 'seconds'}.`, { waitSeconds })
}
