// The moves every step of the machine ends in: take up the next step, the same once more, or end; and the small questions it
// asks of its state. Kept apart from machine.ts, which has the judgement.
import { assert, Failure } from '../base/failure.ts'
import type { EntryDraft } from '../log/entry.ts'
import { ending, endingFailed } from './ending.ts'
import { partOf } from './parts.ts'
import * as record from './record.ts'
import type { ActiveState, BoardSays, Job, Move, RunState, Said, SlotSays, Step, Tally } from './state.ts'

/** A state that is about to take up a step. */
type Course = Omit<Extract<RunState, { at: 'updating' }>, 'step' | 'rest'> | Omit<Extract<RunState, { at: 'clearing' }>, 'step' | 'rest'> | Omit<Extract<RunState, { at: 'reverting' }>, 'step' | 'rest'>

/** Takes up the first of these steps, its intent recorded; with none left the goal is reached. */
export function enter(course: Course, steps: readonly Step[], results: readonly EntryDraft[] = [], why?: string): Move {
  const [step, ...rest] = steps
  if (step === undefined) {
    const outcome = course.job.recipe.mode === 'upload-only' ? 'uploaded' : 'tested'
    assert(course.at === 'updating' && course.job.recipe.mode !== 'test-and-confirm', 'only a recipe without confirm ends by running out of steps')
    return prepend(results, end(course.job, ending(course.job, outcome, course.board.slots)))
  }
  const orders = course.tally.orders + (step.do === 'upload' || step.do === 'mark' ? 1 : 0)
  return { state: { ...course, tally: { ...course.tally, orders }, step, rest }, record: [...results, ...record.intentOf(course.job, step, why)] }
}

export function onward(state: ActiveState, board: BoardSays): Move {
  assert(state.at !== 'asking', 'a question has no next step before its plan')
  return enter({ ...state, board }, state.rest)
}

/** The same step once more while its count allows, else null. */
export function again(state: ActiveState, count: keyof Tally, most: number): Move | null {
  if (state.tally[count] >= most) return null
  return { state: { ...state, tally: { ...state.tally, [count]: state.tally[count] + 1 } }, record: [] }
}

export function endFailed(state: ActiveState, failure: Failure): Move {
  return end(state.job, endingFailed(state.job, state.board?.slots ?? [], failure), openWrite(state, failure))
}

export function endStopped(state: ActiveState): Move {
  const failure = new Failure('stopped', 'The run was stopped.', { during: state.step.do })
  return end(state.job, ending(state.job, 'stopped', state.board?.slots ?? []), openWrite(state, failure))
}

/** A slot write that was begun and not proven does not stay open in the log. */
export function openWrite(state: ActiveState, why: Failure): EntryDraft[] {
  const { step, job } = state
  if (step.do === 'check-slot') return [record.slotWriteFailed(job, step.image, step.slot, why, partOf(job, step.image).bytes)]
  // What was written in recovery is proven after the restart only.
  const unproven = state.at === 'updating' && state.board.recovery === true && (step.do === 'reset' || step.do === 'await-return')
  if (unproven) return [record.slotWriteFailed(job, 0, 0, why, job.image.bytes)]
  if (step.do !== 'upload') return []
  const acked = why.facts['ackedBytes']
  return [record.slotWriteFailed(job, step.image, step.slot, why, typeof acked === 'number' ? acked : null)]
}

export function end(job: Job, how: ReturnType<typeof ending>, before: readonly EntryDraft[] = []): Move {
  return { state: { at: 'ended', job, ending: how }, record: [...before, record.outcome(job, how)] }
}

export function prepend(results: EntryDraft | readonly EntryDraft[], move: Move): Move {
  return { state: move.state, record: [...('kind' in results ? [results] : results), ...move.record] }
}

export function known(state: ActiveState, slots: readonly SlotSays[]): { board: BoardSays } {
  return { board: { ...boardOf(state), slots } }
}

export function boardOf(state: ActiveState): BoardSays {
  assert(state.board !== null, 'the board was asked before anything was done to it')
  return state.board
}

export function boardIn(said: Said): BoardSays {
  assert(said.of === 'board', 'an identification brings what the board says')
  return said.board
}

export function slotsIn(said: Said): readonly SlotSays[] {
  assert(said.of === 'slots', 'this step brings a list of slots')
  return said.slots
}

/** The board understood and said no; asking the same again would not help. */
export function isRefusal(failure: Failure): boolean {
  return failure.kind === 'refused'
}

export function named(kind: string, what: string, why: Failure): Failure {
  return new Failure(kind, `${what}: ${why.says}`, why.facts)
}
