// Time as something handed in, so that a run can be simulated under a hand-wound clock. Two readings: the wall
// (for people and logs) and a monotonic one (for deadlines and speeds), because the wall may step.

export interface Clock {
  /** How late its timers may ring, ms; 1 where it is not said. */
  readonly grainMs?: number
  /** Milliseconds since 1970-01-01T00:00:00Z; may step. */
  wallMs(): number
  /** Milliseconds since some fixed moment; never goes back. */
  monotonicMs(): number
  /** Calls `work` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, work: () => void): () => void
}

/** Resolves after `delayMs` by this clock, at once when the signal is or becomes aborted. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      cancel()
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const cancel = clock.after(delayMs, done)
    signal?.addEventListener('abort', done, { once: true })
  })
}

// Node makes its performance object when it is first asked for, which takes 3 ms; a page has nothing else.
const sinceSomewhen = typeof process === 'undefined' || typeof process.hrtime !== 'function'
  ? () => performance.now()
  : () => {
      const [seconds, nanoseconds] = process.hrtime()
      return seconds * 1000 + nanoseconds / 1e6
    }

/** The machine's own clock. */
export const realClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: sinceSomewhen,
  after(delayMs, work) {
    const timer = setTimeout(work, delayMs)
    return () => clearTimeout(timer)
  },
}
