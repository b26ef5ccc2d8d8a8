// Questions that only a person at the fixture can answer ("does the LED blink green?"): a proof of last resort. Each is
// open until somebody says yes or no, its time is over, or its run ends; whoever comes later is told so. The list of
// open questions is pushed whole.
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import type { QuestionView } from '../contract/views.ts'

/** One for each bay and no more than bays. */
const openMax = 1024

export type Asking = Readonly<{ run: string; unit: string; bay: number; asks: string; timeoutMs: number }>

/** Null: nobody answered in time. `by` is the person who did. */
export type Answered = Readonly<{ yes: boolean; by: string }> | null

type Open = Readonly<{ view: QuestionView; untilMs: number; settle: (answer: Answered | Failure) => void }>

export class Questions {
  readonly #clock: Clock
  readonly #onChange: (open: QuestionView[]) => void
  readonly #open = new Map<string, Open>()
  #asked = 0

  constructor(clock: Clock, onChange: (open: QuestionView[]) => void) {
    this.#clock = clock
    this.#onChange = onChange
  }

  /** Open questions, the oldest first, with the time each has left. */
  list(): QuestionView[] {
    return [...this.#open.values()].map(({ view, untilMs }) => ({ ...view, secondsLeft: Math.max(0, (untilMs - this.#clock.monotonicMs()) / 1000) }))
  }

  /** Asks and waits. Failure kinds: `stopped` when the signal is aborted, `too-many-questions`. */
  ask({ run, unit, bay, asks, timeoutMs }: Asking, signal: AbortSignal): Promise<Answered | Failure> {
    const stopped = new Failure('stopped', 'The question to the operator was taken back.')
    if (signal.aborted) return Promise.resolve(stopped)
    if (this.#open.size >= openMax) return Promise.resolve(new Failure('too-many-questions', `More than ${openMax} questions are open. Answer some first.`))
    const id = `a${++this.#asked}`
    return new Promise((resolve) => {
      const settle = (answer: Answered | Failure) => {
        if (!this.#open.delete(id)) return
        cancel()
        signal.removeEventListener('abort', giveUp)
        this.#onChange(this.list())
        resolve(answer)
      }
      const giveUp = () => settle(stopped)
      const cancel = this.#clock.after(timeoutMs, () => settle(null))
      signal.addEventListener('abort', giveUp, { once: true })
      const askedAt = new Date(this.#clock.wallMs()).toISOString()
      this.#open.set(id, { view: { question: id, run, board: unit, bay, asks, askedAt, secondsLeft: timeoutMs / 1000 }, untilMs: this.#clock.monotonicMs() + timeoutMs, settle })
      this.#onChange(this.list())
    })
  }

  /** Somebody's word on an open question; gives those still open. Kind `no-such-question`. */
  answer(id: string, yes: boolean, by: string): QuestionView[] | Failure {
    const open = this.#open.get(id)
    if (open === undefined) return new Failure('no-such-question', 'That question is no longer open: it was answered, its time was over, or its run has ended. Look at the bay to see what came of it.')
    open.settle({ yes, by })
    return this.list()
  }
}
