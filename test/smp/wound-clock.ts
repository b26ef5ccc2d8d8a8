// A clock that stands still until the test winds it. `settle` winds it from timer to timer until a promise is kept, so a test
// of long deadlines takes no time and leaves nothing to chance.
import type { Clock } from '../../main/base/clock.ts'

type Timer = { atMs: number; order: number; work: () => void }

export class WoundClock implements Clock {
  #nowMs = 0
  #order = 0
  readonly #timers = new Set<Timer>()

  wallMs(): number {
    return Date.UTC(2026, 0, 1) + this.#nowMs
  }

  monotonicMs(): number {
    return this.#nowMs
  }

  after(delayMs: number, work: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, work }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that nobody cancelled. */
  get pending(): number {
    return this.#timers.size
  }

  /** Runs everything due within that time, promises included. */
  async wind(forMs: number): Promise<void> {
    const untilMs = this.#nowMs + forMs
    await quiet()
    for (let next = this.#earliest(); next && next.atMs <= untilMs; next = this.#earliest()) await this.#run(next)
    this.#nowMs = untilMs
  }

  /** Winds until the promise is kept; fails when there is nothing left to wait for. */
  async settle<T>(promise: Promise<T>, limitMs = 3_600_000): Promise<T> {
    let kept: { value: T } | null = null
    let broken: { error: unknown } | null = null
    promise.then((value) => (kept = { value }), (error: unknown) => (broken = { error }))
    const untilMs = this.#nowMs + limitMs
    for (;;) {
      await quiet()
      if (broken) throw (broken as { error: Error }).error
      if (kept) return (kept as { value: T }).value
      const next = this.#earliest()
      if (!next) throw new Error('the promise waits, but no timer is left')
      if (next.atMs > untilMs) throw new Error(`the promise was not kept within ${limitMs} ms`)
      await this.#run(next)
    }
  }

  #earliest(): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (!first || timer.atMs < first.atMs || (timer.atMs === first.atMs && timer.order < first.order)) first = timer
    }
    return first
  }

  async #run(timer: Timer): Promise<void> {
    this.#timers.delete(timer)
    this.#nowMs = Math.max(this.#nowMs, timer.atMs)
    timer.work()
    await quiet()
  }
}

/** All microtasks that are ready, and those they start; and once more for what was put off until the event loop turns. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Winds the clock while something waits that reads files, too, which takes no time of that clock. */
export async function played<T>(clock: WoundClock, promise: Promise<T>): Promise<T> {
  let isKept = false
  void promise.then(() => (isKept = true))
  for (let turn = 0; !isKept && turn < 100_000; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.wind(5)
  }
  return await promise
}
