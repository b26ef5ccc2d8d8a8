// What the tests of the line room share: a job, boards in each state that Zephyr's recordings show, and a model of a board
// that obeys MCUboot's rules, so that the machine can be walked to its end without any wire.
import { begin, next, saidFor } from '../../main/line/machine.ts'
import { commonProfile } from '../../main/line/profile.ts'
import { partOf } from '../../main/line/parts.ts'
import { listedVersion } from '../../main/line/slots.ts'
import type { BoardSays, ImageFacts, Job, Move, Recipe, RunEvent, RunState, Said, SlotSays, Step } from '../../main/line/state.ts'
import type { EntryDraft } from '../../main/log/entry.ts'

export const oldHash = 'a1'.repeat(32)
export const newHash = 'b2'.repeat(32)
export const otherHash = 'c3'.repeat(32)
const keyHash = 'd4'.repeat(32)

export const image: ImageFacts = {
  fileName: 'pump-1.1.0.bin',
  bytes: 83_000,
  imageBytes: 83_000,
  fileSha256: 'ee'.repeat(32),
  hash: newHash,
  hashHolds: true,
  version: { major: 1, minor: 1, revision: 0, build: 0 },
  bootable: true,
  hasTrailer: false,
  ramLoad: false,
  keyHash,
  signature: 'valid',
  key: { name: 'line 3', fingerprint: keyHash, class: 'production', retired: false },
}

export const recipe: Recipe = {
  name: 'Default', mode: 'test-and-confirm', allowedKeys: [], allowDowngrade: false, proofs: ['echo', 'active-hash', 'version'], quota: null,
}

export function jobWith(changes: { image?: Partial<ImageFacts>; recipe?: Partial<Recipe> } & Partial<Pick<Job, 'practice' | 'profile' | 'others' | 'variants'>> = {}): Job {
  return {
    run: 'r1', unit: 'PB-0001', batch: 'b1', bay: 1, port: '/dev/ttyACM0', practice: changes.practice ?? true,
    profile: changes.profile ?? { ...commonProfile, slotBytes: 0x69000 },
    image: { ...image, ...changes.image },
    recipe: { ...recipe, ...changes.recipe },
    ...(changes.others === undefined ? {} : { others: changes.others }), ...(changes.variants === undefined ? {} : { variants: changes.variants }),
  }
}

type Flag = 'pending' | 'confirmed' | 'active' | 'permanent'

export function slot(place: number, version: string, hash: string | null, ...flags: Flag[]): SlotSays {
  const has = (flag: Flag) => flags.includes(flag)
  return { image: 0, slot: place, version, hash, bootable: true, pending: has('pending'), confirmed: has('confirmed'), active: has('active'), permanent: has('permanent') }
}

export function boardWith(...slots: SlotSays[]): BoardSays {
  return { bufferBytes: 384, bufferCount: 4, bootloader: 'MCUboot', mode: 'swap-move', noDowngrade: false, slots, slotBytes: [], maxImageBytes: null }
}

export const freshBoard = boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'))

/** A board by MCUboot's rules: two slots, test swap, revert, confirm (facts section 5 and 15). */
export class ModelBoard {
  slots: SlotSays[]
  obeysConfirm = true
  constructor(slots: readonly SlotSays[]) {
    this.slots = [...slots]
  }

  does(step: Step, job: Job): void {
    const of = (image: number) => (each: SlotSays) => each.image === image
    if (step.do === 'upload') {
      const { hash, version } = partOf(job, step.image)
      this.slots = [...this.slots.filter((each) => each.image !== step.image || each.active), { ...slot(1, listedVersion(version), hash), image: step.image }]
    }
    if (step.do === 'erase') this.slots = this.slots.filter((each) => each.image !== step.image || each.slot !== step.slot)
    if (step.do === 'mark') this.slots = this.slots.map((each) => (each.active || !of(step.image)(each) ? each : { ...each, pending: true }))
    if (step.do === 'reset') this.restart()
    if (step.do === 'confirm' && this.obeysConfirm) {
      const image = this.slots.find((each) => (step.hash === null ? each.image === 0 : each.hash === step.hash) && each.active)?.image
      this.slots = this.slots.map((each) => (each.image === image ? { ...each, confirmed: each.active } : each))
    }
  }

  restart(): void {
    this.slots = [...new Set(this.slots.map((each) => each.image))].flatMap((image) => swapped(this.slots.filter((each) => each.image === image)).map((each) => ({ ...each, image })))
  }

  /** What it answers to a step once it has done it. */
  says(step: Step, board: BoardSays): Said {
    if (step.do === 'prove' && step.proof === 'echo') return { of: 'echo', sent: 'x', answered: 'x' }
    const kind = saidFor[step.do]
    if (kind === 'board') return { of: 'board', board: { ...board, slots: [...this.slots] } }
    return kind === 'slots' ? { of: 'slots', slots: [...this.slots] } : { of: 'nothing' }
  }
}

/** The slots of one image after a restart. */
function swapped(slots: readonly SlotSays[]): readonly SlotSays[] {
  const active = slots.find((each) => each.active)
  const waiting = slots.find((each) => !each.active)
  if (active === undefined || waiting === undefined || !(waiting.pending || !active.confirmed)) return slots
  const forGood = waiting.permanent || !waiting.pending
  return [
    slot(0, waiting.version, waiting.hash, 'active', ...(forGood ? (['confirmed'] as const) : [])),
    slot(1, active.version, active.hash, ...(forGood ? [] : (['confirmed'] as const))),
  ]
}

export type Walk = Readonly<{ state: Extract<RunState, { at: 'ended' }>; steps: Step[]; record: EntryDraft[]; moves: Move[] }>

/** Runs a job against a model board; `meddle` may replace what happens at a step. */
export function walk(job: Job, start: BoardSays, meddle: (step: Step, board: ModelBoard, count: number) => RunEvent | undefined = () => undefined): Walk {
  const board = new ModelBoard(start.slots)
  const steps: Step[] = []
  let move = begin(job)
  const moves = [move]
  for (let count = 0; move.state.at !== 'ended'; count++) {
    if (count > 500) throw new Error('this run does not end')
    const { step } = move.state
    steps.push(step)
    const meddled = meddle(step, board, count)
    if (meddled === undefined) board.does(step, job)
    move = next(move.state, meddled ?? { is: 'stepDone', said: board.says(step, start), tookMs: 5 })
    moves.push(move)
  }
  return { state: move.state, steps, record: moves.flatMap((each) => each.record), moves }
}
