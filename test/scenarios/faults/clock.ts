// The clock of a whole simulated world, hand-wound, with one life for each station in it: a life can be cut off, and then
// none of its timers ever rings again, as after a kill. Winding drains promises only and never turns the event loop, which
// is what makes ten thousand worlds affordable.
import type { Clock } from '../../../main/base/clock.ts'

type Timer = { atMs: number; order: number; work: (() => void) | null }

/** Promise turns given to whatever a timer set going. A longer chain of awaits goes on at the next timer: later, never lost. */
const promiseTurns = 24
/** Turns of the event loop allowed to what really waits for a file, before a world without timers is called stuck. */
const loopTurnsMax = 2_000

export class WorldClock implements Clock {
  #nowMs = 0
  #order = 0
  /** A binary heap by time, then by order of asking. */
  readonly #heap: Timer[] = []
  #pending = 0
  #rung = 0

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, work: () => void): () => void {
    const timer: Timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, work }
    this.#push(timer)
    this.#pending++
    return () => {
      if (timer.work === null) return
      timer.work = null
      this.#pending--
    }
  }

  /** Timers that nobody cancelled. */
  get pending(): number {
    return this.#pending
  }

  /** Timers that rang so far; the same number for the same seed. */
  get rung(): number {
    return this.#rung
  }

  async wind(forMs: number): Promise<void> {
    const untilMs = this.#nowMs + forMs
    await quiet()
    for (let next = this.#earliest(); next !== null && next.atMs <= untilMs; next = this.#earliest()) await this.#ring(next)
    this.#nowMs = untilMs
  }

  /** Winds until the promise is kept; throws when it is not within that time, or nothing is left to wait for. */
  async settle<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let end: { value: T } | { error: unknown } | null = null
    promise.then((value) => (end = { value }), (error: unknown) => (end = { error }))
    const untilMs = this.#nowMs + limitMs
    for (let turns = 0; ; ) {
      await quiet()
      const ended = end as { value: T } | { error: Error } | null
      if (ended !== null) {
        if ('error' in ended) throw ended.error
        return ended.value
      }
      const next = this.#earliest()
      if (next !== null && next.atMs > untilMs) throw new Error(`something was not over after ${limitMs / 1000} s`)
      if (next !== null) await this.#ring(next)
      else if (turns++ < loopTurnsMax) await new Promise((resolve) => setImmediate(resolve))
      else throw new Error('something waits, but no timer is left')
    }
  }

  async #ring(timer: Timer): Promise<void> {
    this.#pop()
    this.#nowMs = Math.max(this.#nowMs, timer.atMs)
    const { work } = timer
    timer.work = null
    this.#pending--
    this.#rung++
    work?.()
    await quiet()
  }

  /** The next timer that still means something; cancelled ones are swept away. */
  #earliest(): Timer | null {
    while (this.#heap.length > 0 && this.#heap[0]!.work === null) this.#pop()
    return this.#heap[0] ?? null
  }

  #push(timer: Timer): void {
    const heap = this.#heap
    let at = heap.push(timer) - 1
    while (at > 0) {
      const above = (at - 1) >> 1
      if (!isBefore(timer, heap[above]!)) break
      heap[at] = heap[above]!
      at = above
    }
    heap[at] = timer
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++
      if (!isBefore(heap[below]!, last)) break
      heap[at] = heap[below]!
      at = below
    }
    heap[at] = last
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

async function quiet(): Promise<void> {
  for (let turn = 0; turn < promiseTurns; turn++) await Promise.resolve()
}

/** A station's view of the clock; `cut` ends it for good. */
export class LifeClock implements Clock {
  readonly #world: WorldClock
  readonly #beat: () => void
  readonly #mine = new Set<() => void>()
  #cut = false

  /** `beat` is called before each timer's work. */
  constructor(world: WorldClock, beat: () => void) {
    this.#world = world
    this.#beat = beat
  }

  wallMs(): number {
    return this.#world.wallMs()
  }

  monotonicMs(): number {
    return this.#world.monotonicMs()
  }

  after(delayMs: number, work: () => void): () => void {
    if (this.#cut) return () => {}
    const cancel = this.#world.after(delayMs, () => {
      this.#mine.delete(forget)
      this.#beat()
      if (!this.#cut) work()
    })
    const forget = () => {
      this.#mine.delete(forget)
      cancel()
    }
    this.#mine.add(forget)
    return forget
  }

  cut(): void {
    this.#cut = true
    for (const forget of [...this.#mine]) forget()
  }

  /** Timers of this life that nobody cancelled. */
  get pending(): number {
    return this.#mine.size
  }
}
