// A clock whose timers ring to some hundredths of a millisecond: it sleeps in short naps, with a look at what came in
// between them, and turns for the last tenth. A board's UART and flash do not wait for an operating system's timers
// either; with coarse ones a client that has a single request in flight would be measured against the timers.
import { realClock } from '../../main/base/clock.ts'
import type { Clock } from '../../main/base/clock.ts'

/** Timers are left to the system until so long before their moment. */
const closeMs = 4
const napMsMax = 0.25
/** A nap ends up to that much too late (0.07 ms on an idle Linux). */
const napLateMs = 0.12

type Due = { readonly atMs: number; readonly work: () => void; cancelled: boolean }

export function fineClock(): Clock {
  const due: Due[] = []
  const pillow = new Int32Array(new SharedArrayBuffer(4))
  let turning = false
  const turn = () => {
    const nowMs = realClock.monotonicMs()
    while (due.length > 0 && (due[0]!.cancelled || due[0]!.atMs <= nowMs)) {
      const first = due.shift()!
      if (!first.cancelled) first.work()
    }
    turning = due.length > 0
    if (!turning) return
    const napMs = Math.min(napMsMax, due[0]!.atMs - realClock.monotonicMs() - napLateMs)
    if (napMs > 0) Atomics.wait(pillow, 0, 0, napMs)
    setImmediate(turn)
  }
  const add = (one: Due) => {
    const place = due.findIndex(({ atMs }) => atMs > one.atMs)
    due.splice(place < 0 ? due.length : place, 0, one)
    if (!turning) {
      turning = true
      setImmediate(turn)
    }
  }
  return {
    grainMs: 0.02,
    wallMs: () => realClock.wallMs(),
    monotonicMs: () => realClock.monotonicMs(),
    after(delayMs, work) {
      const one: Due = { atMs: realClock.monotonicMs() + delayMs, work, cancelled: false }
      const cancelSleep = delayMs > closeMs ? realClock.after(Math.floor(delayMs - closeMs), () => add(one)) : (add(one), () => {})
      return () => {
        one.cancelled = true
        cancelSleep()
      }
    },
  }
}
