// Draws the run's machine by walking it: every state that answers, refusals, silence and pulled plugs can lead to, from each
// board the plan tells apart. What docs/run.md shows is what this finds, so the drawing cannot say more than the code does.
import { Failure } from '../../main/base/failure.ts'
import { begin, next, saidFor } from '../../main/line/machine.ts'
import { commonProfile } from '../../main/line/profile.ts'
import { plan, situationOf } from '../../main/line/plan.ts'
import type { ActiveState, BoardSays, Job, Move, RunEvent, RunState, Said, SlotSays, Step } from '../../main/line/state.ts'
import { boardWith, jobWith, newHash, oldHash, otherHash, slot } from '../line/making.ts'

const statesMax = 150_000

const old = (...flags: Parameters<typeof slot>[3][]) => slot(0, '1.0.0', oldHash, 'active', ...flags)
const oldRuns = old('confirmed')

/** Boards as the plan tells them apart, in the order of a run's life. */
export const boards: Readonly<Record<string, readonly SlotSays[]>> = {
  'runs another image, its second slot empty or old': [oldRuns],
  'the image lies in the second slot': [oldRuns, slot(1, '1.1.0', newHash)],
  'the image is marked for the next boot': [oldRuns, slot(1, '1.1.0', newHash, 'pending')],
  'runs the image on test': [slot(0, '1.1.0', newHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed')],
  'runs the image for good': [slot(0, '1.1.0', newHash, 'active', 'confirmed'), slot(1, '1.0.0', oldHash)],
  'runs the image, and another is marked': [slot(0, '1.1.0', newHash, 'active', 'confirmed'), slot(1, '1.0.5', otherHash, 'pending')],
  'another image is marked': [oldRuns, slot(1, '1.0.5', otherHash, 'pending')],
  'runs a third image on test': [slot(0, '1.0.5', otherHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed')],
  'names no running image': [],
}

/** Where the newest image runs, a newer one beside the wanted one is erased. */
const newerWaits = [slot(0, '1.1.0', newHash, 'active', 'confirmed'), slot(1, '2.0.0', otherHash, 'pending', 'permanent')]

const failing = (kind: string): RunEvent => ({ is: 'stepFailed', failure: new Failure(kind, `It is ${kind}.`, { proof: 'echo' }) })
const failures: Readonly<Record<string, RunEvent>> = { silent: failing('timeout'), refuses: failing('refused'), unplugged: failing('unplugged') }

function answersTo(step: Step, board: BoardSays): Said[] {
  const kind = saidFor[step.do]
  if (kind === 'nothing') return [{ of: 'nothing' }]
  if (kind === 'board') {
    const told = Object.values(boards).map((slots): Said => ({ of: 'board', board: { ...board, mode: 'swap-move', slots } }))
    return [...told, { of: 'board', board: { ...board, mode: 'direct-xip', slots: newerWaits } }]
  }
  const lists = Object.values(boards).map((slots): Said => ({ of: 'slots', slots }))
  return step.do === 'prove' && step.proof === 'echo' ? [{ of: 'echo', sent: 'a', answered: 'a' }, { of: 'echo', sent: 'a', answered: 'b' }] : lists
}

/** A state's name in the drawing; what it is doing, and why where that differs. */
function nameOf(state: RunState): string {
  if (state.at === 'ended') return state.ending.outcome
  const { step } = state
  const what = step.do === 'prove' ? 'prove' : step.do.replaceAll('-', '_')
  return state.at === 'clearing' || state.at === 'reverting' ? `${state.at}_${what}` : what
}

let walked: ReadonlyMap<string, ReadonlySet<string>> | null = null

/** Every edge of the machine as `from to`, with the events that lead along it. */
export function edges(): ReadonlyMap<string, ReadonlySet<string>> {
  return (walked ??= walk())
}

function walk(): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>()
  const seen = new Set<string>()
  const open: ActiveState[] = []
  const visit = (from: string, label: string, move: Move) => {
    const key = `${from} ${nameOf(move.state)}`
    found.set(key, (found.get(key) ?? new Set()).add(label))
    if (move.state.at === 'ended') return
    // Of the job only recipe and profile differ, and it is by far the longest part.
    const { job, tally, ...rest } = move.state
    // Of the orders the machine asks only whether there were any.
    const counted = { ...tally, orders: Math.min(1, tally.orders) }
    const state = `${job.recipe.mode} ${job.profile.recovery.by} ${JSON.stringify(counted)} ${JSON.stringify(rest)}`
    if (seen.has(state)) return
    seen.add(state)
    if (seen.size > statesMax) throw new Error(`the machine has more than ${statesMax} states`)
    open.push(move.state)
  }
  // The last one is for boards whose lines bring them into serial recovery.
  const byLines = { ...commonProfile, recovery: { by: 'lines', steps: [{ rts: true, holdMs: 1 }], withinMs: 1 } } as const
  const jobs = [...(['test-and-confirm', 'test-only', 'upload-only'] as const).map((mode) => jobWith({ recipe: { mode, proofs: ['echo', 'version'] } })), jobWith({ profile: byLines, recipe: { mode: 'upload-only' } })]
  for (const job of jobs) {
    visit('[*]', 'attached', begin(job))
    for (let state = open.pop(); state !== undefined; state = open.pop()) {
      const from = nameOf(state)
      for (const said of answersTo(state.step, state.board ?? boardWith())) visit(from, 'answers', next(state, { is: 'stepDone', said, tookMs: 1 }))
      for (const [label, event] of Object.entries(failures)) visit(from, label, next(state, event))
    }
  }
  return found
}

const outcomes = new Set(['confirmed', 'reverted', 'unchanged', 'uploaded', 'tested', 'failed', 'stopped'])

/** The machine as a mermaid state diagram. */
export function diagram(): string {
  const lines = [...edges()].map(([key, labels]) => {
    const [from = '', to = ''] = key.split(' ')
    return `  ${from} --> ${to} : ${[...labels].sort().join(', ')}`
  })
  const ends = [...outcomes].filter((outcome) => lines.some((line) => line.includes(`--> ${outcome} :`))).map((outcome) => `  ${outcome} --> [*]`)
  return ['```mermaid', 'stateDiagram-v2', ...lines.sort(), ...ends, '```'].join('\n')
}

/** The plan as a table: what a board says, what it is called in plan.ts, and the steps that follow. */
export function planTable(): string {
  const job: Job = jobWith()
  const rows = Object.entries(boards).map(([says, slots]) => {
    const planned = plan(boardWith(...slots), job)
    const steps = planned instanceof Failure ? `refused: ${planned.kind}` : planned.is === 'unchanged' ? 'none: unchanged' : planned.steps.map((step) => (step.do === 'prove' ? `prove ${step.proof}` : step.do)).join(' → ')
    return `| ${says} | \`${situationOf(slots, job.image.hash)}\` | ${steps}${!(planned instanceof Failure) && planned.is === 'clear' ? ' → asked again' : ''} |`
  })
  const erased = plan({ ...boardWith(...newerWaits), mode: 'direct-xip' }, job)
  const last = `| runs the image, and its bootloader (direct-xip, ram-load) would run a newer one next | \`${situationOf(newerWaits, job.image.hash)}\` | ${'steps' in erased ? erased.steps.map((step) => step.do).join(' → ') : 'refused'} → asked again |`
  return ['| The board says | `situationOf` | What follows (test-and-confirm) |', '|---|---|---|', ...rows, last].join('\n')
}
