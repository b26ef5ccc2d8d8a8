// One client of the station: a window, a terminal, a connection. Who is signed in is kept here, below the window, and every
// call is held against the contract's table of roles before its arguments are looked at. A refusal is logged with person
// and method, up to a stated rate, so that a client gone wild cannot fill the disk with them.
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { methods } from '../contract/api.ts'
import type { CheckedArgsOf, MethodName, StationApi } from '../contract/api.ts'
import { checkArguments } from '../contract/arguments.ts'
import type { SessionView } from '../contract/people.ts'
import { mayCall, personRoles } from '../contract/roles.ts'
import type { PersonRole } from '../contract/roles.ts'
import type { StationEvent } from '../contract/views.ts'
import { actAs } from './acting.ts'
import type { Actor } from './acting.ts'
import type { Handlers } from './calls.ts'
import type { Logbook } from './logbook.ts'
import { logNameOf } from './people.ts'
import type { People, SignedIn } from './people.ts'

/** What sessions stand on. */
export type SessionWorld = Readonly<{
  people: People
  log: Logbook
  clock: Clock
  handlers: Handlers
  idleMinutes(): number
  setIdleMinutes(minutes: number): Failure | null
  batch(): SessionView['batch']
  /** Called when somebody has left: what they had unlocked is locked. */
  left(): Promise<void>
  closed(session: Session): void
}>

export type SessionOptions = Readonly<{
  /** Locks when nobody has touched it for the set time. */
  locksIdle?: boolean
  /** No person but a program that the station itself lets in, with these roles and no others, whoever has accounts here. */
  acts?: Readonly<{ name: string; roles: readonly PersonRole[] }>
}>

/** Which call an event tells the answer of: who may not ask is not told either. */
const askedBy: Readonly<Record<Exclude<StationEvent['is'], 'session'>, MethodName>> = {
  bay: 'bays', bays: 'bays', batch: 'batch', practice: 'practice', log: 'listLog', tokens: 'listTokens', progress: 'verifyLog', recipes: 'listRecipes', questions: 'questions',
  diagnosis: 'diagnosePort', update: 'updates', console: 'boardConsole',
}

/** Refusals written in one minute for one session; the rest are counted. */
const refusalsAMinute = 20

type Seat = SignedIn & Readonly<{ epoch: number }>

/** Calls that concern the session itself. */
type Own = Pick<StationApi, 'session' | 'signIn' | 'signOut' | 'lockStation' | 'changeOwnPin' | 'setIdleLock'>

export class Session {
  /** The contract, held against the roles of whoever is signed in here. */
  readonly api: StationApi
  readonly #world: SessionWorld
  readonly #options: SessionOptions
  readonly #listeners = new Set<(event: StationEvent) => void>()
  #seat: Seat | null = null
  #touchedMs: number
  #cancelIdle: (() => void) | null = null
  #refusals = { sinceMs: -Infinity, written: 0, more: 0 }

  constructor(world: SessionWorld, options: SessionOptions) {
    this.#world = world
    this.#options = options
    this.#touchedMs = world.clock.monotonicMs()
    const own: Own = {
      session: () => Promise.resolve(this.view()),
      signIn: (args) => this.#signIn(args as CheckedArgsOf<'signIn'>),
      signOut: () => this.#leave(null),
      lockStation: () => this.#leave('asked'),
      changeOwnPin: (args) => this.#changeOwnPin(args),
      setIdleLock: ({ minutes }) => Promise.resolve(world.setIdleMinutes(minutes) ?? this.view()),
    }
    const api: Record<string, unknown> = { subscribe: (listener: (event: StationEvent) => void) => this.#subscribe(listener) }
    for (const name of Object.keys(methods) as MethodName[]) {
      if (methods[name].windowOnly) continue
      const handler = ((own as Record<string, unknown>)[name] ?? world.handlers[name as keyof Handlers]) as (args: unknown) => unknown
      api[name] = (args: unknown) => this.#call(name, args, handler)
    }
    this.api = api as unknown as StationApi
  }

  /** Roles of whoever is here; null while nobody is. */
  get roles(): readonly PersonRole[] | null {
    return this.view().person?.roles ?? null
  }

  view(): SessionView {
    const { people, log, idleMinutes, batch } = this.#world
    const base = { names: people.names(), idleMinutes: idleMinutes(), batch: batch() }
    const { acts } = this.#options
    if (acts !== undefined) return { ...base, open: false, person: { account: null, name: acts.name, roles: acts.roles, byBadgeOnly: false } }
    if (people.isOpen) return { ...base, open: true, person: { account: null, name: log.person, roles: personRoles, byBadgeOnly: false } }
    const seat = this.#present()
    const account = seat === null ? null : people.find(seat.account)
    if (seat === null || account === null) return { ...base, open: false, person: null }
    const roles = seat.byBadgeOnly ? account.roles.filter((role) => role === 'operator') : account.roles
    return { ...base, open: false, person: { account: account.id, name: account.name, roles, byBadgeOnly: seat.byBadgeOnly } }
  }

  /** Somebody is there: a key, a click, a touch. To be told by what is below the window, which could pretend. */
  touch(): void {
    this.#touchedMs = this.#world.clock.monotonicMs()
  }

  /** Who may know is told. */
  tell(event: StationEvent): void {
    if (event.is !== 'session' && !mayCall(methods[askedBy[event.is]].may, this.roles)) return
    for (const listener of [...this.#listeners]) {
      try {
        listener(event)
      } catch {
        // A client that throws is gone (a window that was closed); no run suffers for it.
        this.#listeners.delete(listener)
      }
    }
  }

  /** Nobody is here any more; without a word in the log, for the station's own end. */
  close(): void {
    this.#cancelIdle?.()
    this.#listeners.clear()
    this.#seat = null
    this.#world.closed(this)
  }

  /** Tells this client who it is taken for; after every change of accounts. */
  tellSession(): void {
    this.#present()
    this.tell({ is: 'session', session: this.view() })
  }

  /** The seat, unless its account was retired, locked or given another PIN meanwhile. */
  #present(): Seat | null {
    const seat = this.#seat
    if (seat === null) return null
    const account = this.#world.people.find(seat.account)
    if (account !== null && account.retiredAt === null && account.lockedAt === null && this.#world.people.epochOf(seat.account) === seat.epoch) return seat
    this.#seat = null
    this.#cancelIdle?.()
    this.#world.log.record([{ kind: 'station-locked', person: account === null ? '' : logNameOf(account), role: 'station', data: { why: 'changed', account: seat.account } }])
    void this.#world.left()
    return null
  }

  async #call(name: MethodName, args: unknown, handler: (args: unknown) => unknown): Promise<unknown> {
    const { may } = methods[name]
    const view = this.view()
    const roles = view.person?.roles ?? null
    if (!mayCall(may, roles)) return this.#refuse(name, view)
    const checked = checkArguments(name, args)
    if (!checked.fits) return new Failure('bad-arguments', `"${name}" cannot be done with these values: ${checked.at === '' ? 'value' : checked.at}: ${checked.says}.`)
    return await actAs(this.#actor(name, view), () => handler(checked.args))
  }

  #actor(name: MethodName, { open, person }: SessionView): Actor {
    const { people, log } = this.#world
    if (open || person === null) return { account: null, person: open ? log.person : '', role: null }
    const account = people.find(person.account ?? '')
    const { may } = methods[name]
    const role = may === 'anyone' ? person.roles[0] : person.roles.find((one) => may.includes(one))
    return { account: person.account, person: account === null ? person.name : logNameOf(account), role: role ?? 'operator' }
  }

  #refuse(name: MethodName, { person }: SessionView): Failure {
    const { may } = methods[name]
    const needed = may === 'anyone' ? '' : may.join(' or ')
    const failure = person === null
      ? new Failure('not-signed-in', 'Nobody is signed in here. Sign in first.', { method: name })
      : new Failure('role-missing', `This is for the role ${needed}; ${person.name} is here as ${person.roles.join(', ')}${person.byBadgeOnly ? ', by badge alone: sign in with the PIN for more' : ''}.`, { method: name })
    const account = person === null ? null : this.#world.people.find(person.account ?? '')
    this.#noteRefusal(name, failure, account === null ? { person: '', role: 'station' } : { person: logNameOf(account), role: person?.roles[0] ?? 'operator' })
    return failure
  }

  #noteRefusal(name: MethodName, failure: Failure, who: { person: string; role: PersonRole | 'station' }): void {
    const nowMs = this.#world.clock.monotonicMs()
    if (nowMs - this.#refusals.sinceMs > 60_000) this.#refusals = { sinceMs: nowMs, written: 0, more: this.#refusals.more }
    if (this.#refusals.written >= refusalsAMinute) {
      this.#refusals.more += 1
      return
    }
    const more = this.#refusals.more === 0 ? '' : ` ${this.#refusals.more} more refusals before this one were not written down.`
    this.#refusals = { ...this.#refusals, written: this.#refusals.written + 1, more: 0 }
    // What was refused is refused whether or not that can be noted.
    this.#world.log.record([{ kind: 'refusal', ...who, data: { what: name, failure: failure.kind, says: `${failure.says}${more}`.slice(0, 1000) } }])
  }

  async #signIn(args: CheckedArgsOf<'signIn'>): Promise<SessionView | Failure> {
    const { people, log } = this.#world
    const proven = await people.signIn(args)
    if (failed(proven)) return proven
    const before = this.#present()
    const account = before === null ? null : people.find(before.account)
    if (before !== null && account !== null && before.account !== proven.account) {
      log.record([{ kind: 'sign-out', person: logNameOf(account), role: account.roles[0] ?? 'operator', data: { account: account.id } }])
      await this.#world.left()
    }
    this.#seat = { ...proven, epoch: people.epochOf(proven.account) }
    this.touch()
    this.#watchIdle()
    this.tellSession()
    return this.view()
  }

  /** `why` null: signed out; otherwise the station was locked. */
  async #leave(why: 'idle' | 'asked' | null): Promise<SessionView | Failure> {
    const seat = this.#present()
    const account = seat === null ? null : this.#world.people.find(seat.account)
    if (seat === null || account === null) return this.view()
    this.#seat = null
    this.#cancelIdle?.()
    const who = { person: logNameOf(account), role: account.roles[0] ?? 'operator' } as const
    // Gone is gone, whether or not the log could take it.
    const noted = this.#world.log.record([why === null ? { kind: 'sign-out', ...who, data: { account: account.id } } : { kind: 'station-locked', ...who, data: { why, account: account.id } }])
    await this.#world.left()
    this.tellSession()
    return noted ?? this.view()
  }

  #watchIdle(): void {
    this.#cancelIdle?.()
    this.#cancelIdle = null
    if (this.#options.locksIdle !== true) return
    const { clock, idleMinutes } = this.#world
    const look = () => {
      this.#cancelIdle = null
      if (this.#seat === null) return
      const limitMs = idleMinutes() * 60_000
      const leftMs = limitMs - (clock.monotonicMs() - this.#touchedMs)
      if (limitMs > 0 && leftMs <= 0) void this.#leave('idle')
      // Off is looked at again too: it may be turned on meanwhile.
      else this.#cancelIdle = clock.after(limitMs > 0 ? Math.min(leftMs, lookAgainMs) : lookAgainMs, look)
    }
    look()
  }

  async #changeOwnPin({ old, pin }: { old: string; pin: string }): Promise<SessionView | Failure> {
    const seat = this.#present()
    if (seat === null) return new Failure('no-accounts', 'In an open station nobody has a PIN. An administrator is made first.')
    if (seat.byBadgeOnly) return new Failure('needs-pin', 'Sign in with the PIN to change it.')
    const changed = await this.#world.people.changeOwnPin(seat.account, old, pin)
    return failed(changed) ? changed : this.view()
  }

  #subscribe(listener: (event: StationEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

/** The idle time may be changed while it runs: looked at again this often. */
const lookAgainMs = 30_000
