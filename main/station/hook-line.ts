// One hook's walk along the log: look for the next event, hand it over, move the place. What the receiver cannot take now
// is tried again, ever later; what it will never take is put aside with a sentence, and the log still has it.
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { eventOf, toldKinds } from '../factory/event.ts'
import type { FactoryEvent, Sink } from '../factory/event.ts'
import { parseEntry } from '../log/entry.ts'
import type { AuditStore } from '../store/audit.ts'
import { countBetween, entriesBetween, keepPlace } from '../store/hooks.ts'
import type { HookBody, HookPlace } from '../store/hooks.ts'

/** First wait after a failed attempt, doubled by each, and the longest. */
export const firstWaitMs = 1_000
export const waitMaxMs = 300_000
/** An event that the receiver says it will never take is tried so often. */
export const refusalsMax = 3
/** One that it answers with errors is put aside after so long, so that one event cannot stop all that come after it. */
export const errsMaxMs = 24 * 3_600_000
/**
 * A place further behind the end of the log than this gives up the oldest entries: some hundred thousand boards, which is weeks
 * of a receiver that is away. The log has them all the same.
 */
export const behindMaxEntries = 1_000_000
const windowEntries = 2_000
const eventsAtOnce = 16
/** A place is on disk after so many events, and so long after it moved: a disk flush of its own for each event would be felt by the line. */
const keepEvery = 64
export const keepEveryMs = 500

export type HookLineWorld = Readonly<{
  id: string
  body: HookBody
  place: HookPlace
  sink: Sink
  audit: AuditStore
  clock: Clock
  /** The newest checkpoint of this start. */
  checkpoint(): FactoryEvent | null
  /** Lets everything else go first. */
  turn(): Promise<void>
  signal: AbortSignal
  /** `behindMaxEntries`, unless a test is in a hurry. */
  behindMax?: number
}>

/** An event with the place behind it. */
type Next = Readonly<{ event: FactoryEvent; after: Partial<HookPlace> }>

export class HookLine {
  readonly id: string
  readonly body: HookBody
  readonly sink: Sink
  readonly #world: HookLineWorld
  readonly #behindMax: number
  readonly #stopping = new AbortController()
  /** Aborted with the station or with this line. */
  readonly #signal: AbortSignal
  #place: HookPlace
  #read: Next[] = []
  #walking: Promise<void> | null = null
  #cancelRetry: (() => void) | null = null
  #cancelKeep: (() => void) | null = null
  #again: number | null = null
  #stopped = false
  #unkept = 0
  #keptMs = -Infinity
  /** Counts rewinds, so that an event under way does not move the new place. */
  #turnings = 0

  constructor(world: HookLineWorld) {
    this.#world = world
    this.id = world.id
    this.body = world.body
    this.sink = world.sink
    this.#place = world.place
    this.#behindMax = world.behindMax ?? behindMaxEntries
    this.#signal = AbortSignal.any([world.signal, this.#stopping.signal])
  }

  get place(): HookPlace {
    return this.#place
  }

  /** When the present event is tried again (wall time, ms); null while nothing waits. */
  get again(): number | null {
    return this.#again
  }

  /** There may be more to tell. While an event waits for its next attempt this changes nothing. */
  wake(): void {
    if (this.#stopped || this.#walking !== null || this.#cancelRetry !== null) return
    this.#walking = this.#walk().finally(() => {
      this.#walking = null
    })
  }

  /** Tells what there is, unless something stands in the way; then the place is kept. */
  async drain(): Promise<void> {
    this.wake()
    await this.#walking
    this.#keep(true)
  }

  /** No event begins after this, and one under way is broken off: it comes again. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#stopping.abort()
    this.#calm()
    this.#cancelKeep?.()
    await this.#walking
    this.sink.close()
  }

  /** Goes on from that entry. Kinds: `too-far-back`, the disk's. */
  async rewind(entry: number): Promise<Failure | null> {
    const head = this.#world.audit.head()
    if (failed(head)) return head
    if (head.size - entry > this.#behindMax) return new Failure('too-far-back', `Hooks tell the last ${this.#behindMax} entries of the log; this one is older. "slotwright log export" has them all.`)
    this.#turnings += 1
    this.#read = []
    this.#place = { ...this.#place, next: entry, tries: 0, sinceMs: null, says: null, kind: null }
    this.#calm()
    const kept = keepPlace(this.#world.audit.database, this.id, this.#place)
    await this.#world.turn()
    this.wake()
    return kept
  }

  async #walk(): Promise<void> {
    const signal = this.#signal
    while (!this.#stopped && !signal.aborted) {
      const turning = this.#turnings
      const next = await this.#next()
      if (failed(next)) return this.#later(next)
      if (next === null) return this.#keepSoon()
      const wrong = await this.sink.deliver(next.event, signal)
      if (this.#stopped && wrong !== null) return
      if (turning !== this.#turnings) continue
      if (wrong === null) this.#told(next)
      else if (signal.aborted || !this.#putAside(next, wrong)) return signal.aborted ? undefined : this.#later(wrong)
    }
  }

  #told({ after }: Next): void {
    this.#read.shift()
    this.#move({ ...after, told: this.#place.told + 1, lastAt: this.#nowText() })
    this.#unkept += 1
    this.#keep(false)
  }

  /** Moves the place with a clean slate: whatever waited has been dealt with. */
  #move(to: Partial<HookPlace>): void {
    this.#place = { ...this.#place, ...to, tries: 0, sinceMs: null, says: null, kind: null }
  }

  /** True when the event is given up and the next one may come. */
  #putAside({ event, after }: Next, wrong: Failure): boolean {
    const { tries, sinceMs } = this.#place
    const nowMs = this.#world.clock.wallMs()
    const refused = wrong.kind === 'receiver-refuses' && tries + 1 >= refusalsMax
    const stuck = wrong.kind === 'receiver-errs' && sinceMs !== null && nowMs - sinceMs >= errsMaxMs
    if (!refused && !stuck) return false
    this.#read.shift()
    this.#move({ ...after, lost: this.#place.lost + 1 })
    this.#keep(true, { entry: event.entry, type: event.type, at: this.#nowText(), says: `${wrong.says} Put aside after ${tries + 1} attempts; "hook rewind" tells it again.`.slice(0, 1000) })
    return true
  }

  #later(wrong: Failure): void {
    const { clock } = this.#world
    const { tries, sinceMs } = this.#place
    // Read anew then: the wait may be so long that the event is given up meanwhile.
    this.#read = []
    this.#place = { ...this.#place, tries: Math.min(tries + 1, 1_000_000), sinceMs: sinceMs ?? clock.wallMs(), says: wrong.says.slice(0, 1000), kind: wrong.kind.slice(0, 64) }
    this.#keep(true)
    if (this.#stopped) return
    const waitMs = Math.min(waitMaxMs, firstWaitMs * 2 ** Math.min(tries, 20))
    this.#again = clock.wallMs() + waitMs
    this.#cancelRetry = clock.after(waitMs, () => {
      this.#calm()
      // The walk that scheduled this has ended by now; a walk must not begin within another.
      this.wake()
    })
  }

  #calm(): void {
    this.#cancelRetry?.()
    this.#cancelRetry = null
    this.#again = null
  }

  /** Now, if the last time is long enough ago, else when it is. */
  #keepSoon(): void {
    const waitMs = this.#keptMs + keepEveryMs - this.#world.clock.monotonicMs()
    if (waitMs <= 0) return this.#keep(true)
    this.#cancelKeep ??= this.#world.clock.after(waitMs, () => {
      this.#cancelKeep = null
      this.#keep(true)
    })
  }

  /** A place that cannot be kept now is kept with the next: then some events come twice. */
  #keep(now: boolean, letter: Parameters<typeof keepPlace>[3] = null): void {
    const nowMs = this.#world.clock.monotonicMs()
    if (!now && this.#unkept < keepEvery && nowMs - this.#keptMs < keepEveryMs) return
    if (keepPlace(this.#world.audit.database, this.id, this.#place, letter) !== null) return
    this.#cancelKeep?.()
    this.#cancelKeep = null
    this.#unkept = 0
    this.#keptMs = nowMs
  }

  /** The next event; null when there is none. Passes over all that is not told. */
  async #next(): Promise<Next | null | Failure> {
    if (this.#read[0] !== undefined) return this.#read[0]
    const head = this.#world.audit.head()
    if (failed(head)) return head
    // A log that went back to a backup is shorter than what was told.
    if (this.#place.next > head.size) this.#place = { ...this.#place, next: head.size, checkpoint: Math.min(this.#place.checkpoint, head.size) }
    const given = this.#giveUpOld(head.size)
    if (given !== null) return given
    while (!this.#stopped) {
      const checkpoint = this.#world.checkpoint()
      const due = checkpoint !== null && checkpoint.entry > this.#place.checkpoint
      if (due && checkpoint.entry <= this.#place.next) {
        this.#read = [{ event: checkpoint, after: { checkpoint: checkpoint.entry } }]
        return this.#read[0] ?? null
      }
      const end = due ? Math.min(checkpoint.entry, head.size) : head.size
      if (this.#place.next >= end) return null
      const wrong = this.#readWindow(Math.min(this.#place.next + windowEntries, end))
      if (wrong !== null) return wrong
      if (this.#read[0] !== undefined) return this.#read[0]
      await this.#world.turn()
    }
    return null
  }

  /** Reads events before `to`; where there are none the place moves there. */
  #readWindow(to: number): Failure | null {
    const rows = entriesBetween(this.#world.audit.database, toldKinds, this.#place.next, to, eventsAtOnce)
    if (failed(rows)) return rows
    this.#read = rows.flatMap(({ seq, bytes, leaf }) => {
      const entry = parseEntry(bytes)
      // What cannot be read is for the log's own verification to name.
      return failed(entry) ? [] : [{ event: eventOf(entry, leaf), after: { next: seq + 1 } }]
    })
    if (this.#read.length === 0) this.#place = { ...this.#place, next: rows.at(-1) === undefined ? to : (rows.at(-1)?.seq ?? to) + 1 }
    return null
  }

  #giveUpOld(size: number): Failure | null {
    const from = this.#place.next
    if (size - from <= this.#behindMax) return null
    // Some more at once, so that this is not done again for each entry that comes.
    const to = size - this.#behindMax + Math.floor(this.#behindMax / 50)
    const lost = countBetween(this.#world.audit.database, toldKinds, from, to)
    if (failed(lost)) return lost
    this.#move({ next: to, lost: this.#place.lost + lost })
    this.#keep(true, lost === 0 ? null : { entry: from, type: 'many', at: this.#nowText(), says: `${lost} events of the entries ${from} to ${to - 1} were given up: nobody took them while the log grew by ${this.#behindMax} entries. They stand in the log: "slotwright log export" has them all.` })
    return null
  }

  #nowText(): string {
    return new Date(this.#world.clock.wallMs()).toISOString()
  }
}
