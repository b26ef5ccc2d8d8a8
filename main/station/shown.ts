// Turns the moves of one run into what its bay shows: a phase, one sentence, and how fast the bytes go.
import type { Clock } from '../base/clock.ts'
import { bytesOf, partOf, partsOf } from '../line/parts.ts'
import { goalOf } from '../line/plan.ts'
import { testName } from '../line/selftest.ts'
import { activeSlot, listedVersion } from '../line/slots.ts'
import type { BoardProfile } from '../line/profile.ts'
import { phaseOf } from '../line/state.ts'
import type { Ending, Job, RunState } from '../line/state.ts'
import { itemName } from '../line/unit-data.ts'
import { wayBackNote } from '../line/modes.ts'
import type { RunShow } from './fleet.ts'
import { failureView } from './views.ts'

/** Weight of what has been seen before in the shown speed. */
const speedMemoryMs = 1_000

export class Shown {
  readonly #clock: Clock
  readonly #show: (show: RunShow) => void
  #now: RunShow
  #speedFrom: { ms: number; bytes: number } | null = null
  /** Bytes of the images that went before the one that is being sent. */
  #sentBefore = 0

  constructor(job: Job, clock: Clock, show: (show: RunShow) => void) {
    this.#clock = clock
    this.#show = show
    this.#now = {
      run: job.run, unit: job.unit, phase: 'attached', says: `Goal: ${goalOf(job)}.`, note: null, bytesDone: 0, bytesTotal: bytesOf(job), bytesPerSecond: 0,
      runningVersion: null, targetVersion: listedVersion(job.image.version), outcome: null, failure: null, activeHash: null,
      startedMs: clock.monotonicMs(), endedMs: null, waitsUntilMs: null,
    }
    this.#show(this.#now)
  }

  onMove(state: RunState): void {
    if (state.at === 'ended') return
    const active = activeSlot(state.board?.slots ?? [])
    if (state.step.do === 'upload') {
      const { image } = state.step
      this.#speedFrom = null
      this.#sentBefore = partsOf(state.job).reduce((sum, part) => sum + (part.number < image ? part.image.bytes : 0), 0)
    }
    this.#replace({
      phase: phaseOf[state.step.do],
      says: sayingOf(state),
      ...(state.board === null || state.job.recipe.mode === 'upload-only' ? {} : { note: wayBackNote(state.board) }),
      waitsUntilMs: state.step.do === 'await-return' ? this.#clock.monotonicMs() + state.step.timeoutMs : null,
      ...(active === null ? {} : { runningVersion: active.version, activeHash: active.hash }),
    })
  }

  onProgress(ackedBytes: number): void {
    const ms = this.#clock.monotonicMs()
    const from = (this.#speedFrom ??= { ms, bytes: ackedBytes })
    const elapsed = ms - from.ms
    const bytesPerSecond = elapsed > 0 ? Math.max(0, ((ackedBytes - from.bytes) * 1000) / elapsed) : this.#now.bytesPerSecond
    this.#replace({ bytesDone: this.#sentBefore + ackedBytes, bytesPerSecond: Math.round(bytesPerSecond) })
    // A window that slides: half of the past is forgotten every second, so the shown speed follows the wire.
    if (elapsed > 2 * speedMemoryMs) this.#speedFrom = { ms: ms - speedMemoryMs, bytes: ackedBytes - (bytesPerSecond * speedMemoryMs) / 1000 }
  }

  onEnd(ending: Ending): void {
    this.#replace({
      phase: 'ended',
      says: ending.says,
      note: null,
      outcome: ending.outcome,
      failure: ending.failure === null ? null : failureView(ending.failure),
      activeHash: ending.activeHash,
      runningVersion: ending.version,
      endedMs: this.#clock.monotonicMs(),
      waitsUntilMs: null,
      ...(ending.outcome === 'unchanged' ? { bytesTotal: 0 } : {}),
    })
  }

  #replace(changes: Partial<RunShow>): void {
    this.#now = { ...this.#now, ...changes }
    this.#show(this.#now)
  }
}

/** Where neither lines nor firmware restart the board, somebody has to, and only this tells him. */
function recoverySaying({ recovery }: BoardProfile, answers: boolean): string {
  return recovery.steps.length === 0 && !answers ? 'Waiting for the bootloader: press the board\'s reset button, or take its power away and give it back.' : 'Bringing the board into serial recovery.'
}

function sayingOf(state: Exclude<RunState, { at: 'ended' }>): string {
  if (state.at === 'reverting') return `${state.because.says} Going back to the old image.`
  if (state.at === 'clearing' && state.step.do !== 'enter-recovery') return 'Getting past an earlier update.'
  const { step } = state
  const words: Record<typeof step.do, string> = {
    identify: 'Asking the board who it is.',
    'enter-recovery': recoverySaying(state.job.profile, state.board !== null),
    erase: 'Erasing the other slot.',
    'check-erased': 'Checking that the other slot is empty.',
    upload: `Sending ${listedVersion(partOf(state.job, step.do === 'upload' ? step.image : 0).version)}.`,
    'check-slot': 'Checking what the slot holds.',
    mark: 'Marking the new image for its test boot.',
    reset: 'Restarting into the new image.',
    'await-return': 'Waiting for the board to come back.',
    'write-data': `Writing this unit's data${step.do === 'write-data' ? `: ${itemName(step.item)}` : ''}.`,
    'self-test': `Testing the new image${step.do === 'self-test' ? `: ${testName(step.test)}` : ''}.`,
    prove: `Proving the new image${step.do === 'prove' ? `: ${step.proof}` : ''}.`,
    confirm: 'Confirming the new image.',
    'check-confirmed': 'Checking that the confirm took.',
  }
  return words[step.do]
}
