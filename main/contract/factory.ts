// What the outside sees of the factory's hooks: where events go, how far each place has come, and the HTTP interface by
// which a factory's own system starts and stops batches. Secrets and tokens are shown once, when they are made.
import { z } from 'zod'
import type { FailureView } from './failure-view.ts'

export const hookId = z.string().regex(/^h[0-9a-f]{12}$/)

/** An http(s) address without a name or password in it, which would end up in the log. */
export const hookAddress = z.string().min(10).max(2000).refine((text) => /^https?:\/\/[^\s/?#@]+([/?][^\s#]*)?$/i.test(text) && URL.canParse(text), 'the address is like https://mes.example.com/slotwright, without a user name, password or #')

export const webhookArgs = z.strictObject({ url: hookAddress, inside: z.boolean().default(false) })

export const loopback = '127.0.0.1'

/** An IPv4 or IPv6 address of the station's computer; names could mean another one tomorrow. */
export const hostAddress = z.union([z.ipv4(), z.ipv6()])

const port = z.number().int().min(1024).max(65_535)

/** What the interface's owner sets. */
export const listeningPlace = z.strictObject({ on: z.boolean(), port, host: hostAddress })

/** What is left out stays as it is. */
export const apiSettings = z.strictObject({ on: z.boolean(), port: port.nullable().default(null), host: hostAddress.nullable().default(null) })

export type HookLetterView = Readonly<{ entry: number; type: string; at: string; says: string }>

export type HookView = Readonly<{
  id: string
  to: 'webhook' | 'folder'
  target: string
  /** Whether the address may lie in the house's own network. */
  inside: boolean
  since: string
  /** Events told since it was made, and those that had to be put aside. */
  told: number
  lost: number
  lastAt: string | null
  /** Log entries between its place and the end of the log; 0 when it has heard all. */
  behind: number
  /** Why the present event is not told yet, with when it is tried again; null while all goes well. */
  trouble: (FailureView & Readonly<{ tries: number; again: string | null }>) | null
  /** What was put aside, newest first, ten at most. */
  letters: readonly HookLetterView[]
}>

/** `secret` signs what is sent; it is shown here and never again. Null for folders, which are not signed. */
export type HookMadeView = Readonly<{ hook: HookView; secret: string | null }>

export type FactoryApiView = Readonly<{
  on: boolean
  port: number
  /** The address it listens on, this computer's own or another of its addresses. */
  host: string
  /** Whether a token is set; nobody gets in without one. */
  hasToken: boolean
  /** Where it listens now; null while it does not. */
  address: string | null
  /** Why it does not, where it should. */
  problem: FailureView | null
  /** Where images lie that it may start. */
  folder: string
  /** Calls without the right token since the start. */
  turnedAway: number
}>
