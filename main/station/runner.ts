// Carries out one run: writes what the machine wants recorded, does the step it orders, tells it what happened, until it
// ends. Nothing is done before its intent is on disk; when the log cannot be written the run ends without another act.
// All judgement is in line/machine.ts, all talk in steps.ts.
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { ending } from '../line/ending.ts'
import { begin, next } from '../line/machine.ts'
import type { ActiveState, BoardSays, Ending, Job, Move, RunEvent, RunState, StepName } from '../line/state.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { Framing } from '../smp/client.ts'
import type { UploadFrames } from '../smp/frames.ts'
import { Conversation } from './conversation.ts'
import type { Answered } from './questions.ts'
import { portHow } from './ports.ts'
import type { Ports } from './ports.ts'
import { carryOut } from './steps.ts'
import type { StepAid } from './steps.ts'

/** All that a run touches; nothing else is reachable from here. */
export type RunWorld = Readonly<{
  clock: Clock
  ports: Ports
  /** On disk when it answers; a failure means that nothing was written. */
  record(drafts: readonly EntryDraft[]): Promise<Failure | null>
  frames(bufferBytes: number, framing: Framing, file: Readonly<{ image: number; fileSha256: string }>): UploadFrames | Failure
  nonce(): string
  /** Asks the person at the fixture, by this run. */
  askOperator(job: Job, asks: string, timeoutMs: number, signal: AbortSignal): Promise<Answered | Failure>
  /** How the boards of this batch were last heard to speak: the next one is asked in that framing first. */
  readonly spoken: { framing: Framing }
}>

/** Looks on while a run goes; must not throw. */
export type RunWatcher = Readonly<{
  onMove(state: RunState): void
  onProgress(ackedBytes: number): void
}>

/** How a run ended, and whether the log gave out, in which case nothing more may be done to any board. */
export type RunEnd = Readonly<{ ending: Ending; logFailure: Failure | null }>

/** Steps that are short, and worse left half-done than finished, when the run is stopped. */
const finishedFirst: ReadonlySet<StepName> = new Set(['mark', 'reset', 'confirm', 'check-confirmed'])

/**
 * Runs a job to its end. Always resolves, with the port given back; `signal` stops it: the step under way is ended (or
 * finished, when it is short), and the run ends as stopped.
 */
export async function runJob(job: Job, world: RunWorld, watcher: RunWatcher, signal: AbortSignal): Promise<RunEnd> {
  const talk = new Conversation(job.unit, world.ports, world.clock, job.profile.framing ?? world.spoken.framing, portHow(job.profile))
  try {
    let move = begin(job)
    for (;;) {
      const logFailure = move.record.length === 0 ? null : await world.record(move.record)
      if (logFailure !== null) return { ending: unrecorded(job, move, logFailure), logFailure }
      watcher.onMove(move.state)
      if (move.state.at === 'ended') return { ending: move.state.ending, logFailure: null }
      move = next(move.state, await eventOf(move.state, talk, world, watcher, signal))
    }
  } finally {
    await talk.hangUp()
  }
}

async function eventOf(state: ActiveState, talk: Conversation, world: RunWorld, watcher: RunWatcher, signal: AbortSignal): Promise<RunEvent> {
  const { step } = state
  // A confirm that went out is looked at even so: whether it took is what the unit's owner will ask.
  if (signal.aborted && step.do !== 'check-confirmed') return { is: 'stopped' }
  const aid: StepAid = {
    frames: (bufferBytes, framing, file) => world.frames(bufferBytes, framing, file),
    nonce: () => world.nonce(),
    onProgress: (bytes) => watcher.onProgress(bytes),
    board: state.board,
    profile: state.job.profile,
    askOperator: (asks, timeoutMs, until) => world.askOperator(state.job, asks, timeoutMs, until),
  }
  const startedMs = world.clock.monotonicMs()
  const never = new AbortController().signal
  const said = await carryOut(step, talk, aid, finishedFirst.has(step.do) ? never : signal)
  if (!failed(said) && said.of === 'board') world.spoken.framing = talk.framing
  if (!failed(said)) return { is: 'stepDone', said, tookMs: world.clock.monotonicMs() - startedMs }
  return signal.aborted && said.kind === 'stopped' ? { is: 'stopped' } : { is: 'stepFailed', failure: said }
}

/** The log gave out: what the board said last still stands, but no act and no result can be recorded any more. */
function unrecorded(job: Job, move: Move, why: Failure): Ending {
  const board: BoardSays | null = move.state.at === 'ended' ? null : move.state.board
  const failure = new Failure('log-failed', `Nothing more is done to this board, because the log cannot be written. ${why.says}`, why.facts)
  return ending(job, 'failed', board?.slots ?? [], failure)
}
