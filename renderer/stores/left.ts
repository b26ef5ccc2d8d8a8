// How long something goes on, from how fast it went so far. Nothing is said before there is something to judge by: a wrong
// time is worse than none.

/** Seconds left, or null while that cannot be told; `done` and `total` in any unit, `nowMs` from any steady clock. */
export type Left = (done: number, total: number, nowMs: number) => number | null

const leastMs = 700

/** A new judge; it begins anew where the work does. */
export function timeLeft(): Left {
  let from: { done: number; total: number; atMs: number } | null = null
  let last = 0
  return (done, total, nowMs) => {
    if (from === null || done < last || from.total !== total) from = { done, total, atMs: nowMs }
    last = done
    const [elapsedMs, went] = [nowMs - from.atMs, done - from.done]
    return elapsedMs < leastMs || went <= 0 ? null : (elapsedMs * (total - done)) / went / 1000
  }
}
