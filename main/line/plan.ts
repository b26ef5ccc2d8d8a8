// The plan: from what the board says of its slots right now to the steps still needed, or to a refusal. It is one table
// over MCUboot's slot states (all that vectors/smp/update-*.jsonl show), never a memory of what was done before.
// What surprised us: nothing un-marks a pending image, and while one is pending (or runs unconfirmed) Zephyr refuses to
// erase or upload. The only way out is through: let the board restart, then ask it again.
import { Failure } from '../base/failure.ts'
import { checkNewer, checkPlace, checkWayBack, rulesOf } from './modes.ts'
import { activeSlot, listedVersion, waitingSlot } from './slots.ts'
import { checkDowngrade, checkKeyForBoard, checkMode, checkSize } from './recipe.ts'
import type { BoardSays, Job, ResetPurpose, SlotSays, Step } from './state.ts'

export type Plan =
  /** Nothing to do: it runs the image for good. */
  | Readonly<{ is: 'unchanged' }>
  /** Steps to the recipe's goal; none left when the goal is already reached short of a confirm. */
  | Readonly<{ is: 'update'; steps: readonly Step[]; marked: boolean }>
  /** An earlier update hangs half-done; restart the board past it, then plan again. */
  | Readonly<{ is: 'clear'; steps: readonly Step[]; why: string }>

/** How the slots of image 0 stand towards the wanted image. */
export type Situation =
  | 'nothing-runs' | 'runs-for-good' | 'runs-on-test' | 'runs-but-other-pending'
  | 'other-on-test' | 'waits-marked' | 'waits-unmarked' | 'other-pending' | 'to-be-written'

/** The table itself: which situation a list of slots is. */
export function situationOf(slots: readonly SlotSays[], hash: string): Situation {
  const active = activeSlot(slots)
  const waiting = waitingSlot(slots)
  if (active === null) return 'nothing-runs'
  if (active.hash === hash) {
    if (waiting?.pending === true && waiting.hash !== hash) return 'runs-but-other-pending'
    return active.confirmed ? 'runs-for-good' : 'runs-on-test'
  }
  if (!active.confirmed) return 'other-on-test'
  if (waiting?.hash === hash) return waiting.pending ? 'waits-marked' : 'waits-unmarked'
  return waiting?.pending === true ? 'other-pending' : 'to-be-written'
}

/**
 * The plan for this board, or why nothing is sent to it. Failure kinds: those of recipe.ts, and `nothing-runs` when the
 * board names no running image.
 */
export function plan(board: BoardSays, job: Job): Plan | Failure {
  const situation = situationOf(board.slots, job.image.hash)
  const active = activeSlot(board.slots)
  const waiting = waitingSlot(board.slots)
  const bytes = job.image.imageBytes
  if (job.unitData instanceof Failure) return job.unitData
  if (board.recovery === true) return checkKeyForBoard(job) ?? checkSize(board, job) ?? checkWayBack(board, job) ?? recover(board, job)
  const refused = checkMode(board) ?? checkKeyForBoard(job) ?? checkPlace(board, job)
  if (refused !== null) return refused
  const { marks } = rulesOf(board.mode)
  const unfit = () => checkSize(board, job) ?? checkNewer(board, job) ?? checkDowngrade(board, job) ?? checkWayBack(board, job)
  // A single slot can only be written while the bootloader has it; one that has the image already is left alone.
  if (board.mode === 'single-slot' && active !== null && situation !== 'runs-for-good') {
    return unfit() ?? { is: 'clear', steps: resetSteps('recover', board, bytes), why: 'its only slot can be written in serial recovery only' }
  }
  switch (situation) {
    case 'nothing-runs':
      return new Failure('nothing-runs', 'The board names no running image, so it cannot be updated and proven. It may be in serial recovery: restart it, or flash it with a programmer.')
    case 'runs-for-good':
      return job.recipe.mode === 'test-and-confirm' && dataSteps(job).length > 0 ? { is: 'update', steps: [...dataSteps(job), { do: 'check-confirmed' }], marked: false } : { is: 'unchanged' }
    case 'runs-on-test':
      // What an image writes on its console when it starts is heard after a restart only.
      if (job.recipe.tests?.some(({ test }) => test === 'console') === true && waiting !== null) return { is: 'clear', steps: resetSteps('clear', board, bytes), why: 'a self-test waits for a line on the console, which comes at the start only' }
      return { is: 'update', steps: afterBoot(job), marked: false }
    case 'runs-but-other-pending':
      if (!marks) return new Failure('newer-waits', `The board runs the image, but its other slot holds ${waiting?.version ?? 'a newer one'}, which its bootloader will run at the next restart. Erase that slot, or take a newer image.`)
      return clearThrough(board, waiting, bytes)
    case 'other-pending':
      // Where no mark is needed, none protects the slot either.
      return marks ? clearThrough(board, waiting, bytes) : unfit() ?? write(board, job)
    case 'other-on-test':
      return { is: 'clear', steps: resetSteps('clear', board, bytes), why: `${active?.version ?? 'another image'} runs on test and was never confirmed; a restart brings the image before it back` }
    case 'waits-marked':
    case 'waits-unmarked':
      return unfit() ?? { is: 'update', steps: fromSlot(board, job, situation === 'waits-marked'), marked: situation === 'waits-marked' }
    case 'to-be-written':
      return unfit() ?? write(board, job)
  }
}

/** In serial recovery the image goes straight over the one that runs, and is proven once the board has started it. */
function recover(board: BoardSays, job: Job): Plan {
  const look: Step = { do: 'check-slot', slot: 0, uploadMs: 0 }
  return { is: 'update', marked: false, steps: [{ do: 'upload', image: 0, slot: 0, bytes: job.image.bytes }, look, ...resetSteps('try', board, job.image.imageBytes), look, ...afterBoot(job)] }
}

function clearThrough(board: BoardSays, waiting: SlotSays | null, bytes: number): Plan {
  return { is: 'clear', steps: resetSteps('clear', board, bytes), why: `${waiting?.version ?? 'another image'} was marked for booting earlier; the board must pass through it before it takes anything else` }
}

/** The whole way, from the upload on. Boards that run their newest image take it into whichever slot does not run. */
function write(board: BoardSays, job: Job): Plan {
  const slot = activeSlot(board.slots)?.slot === 1 ? 0 : 1
  const { marks } = rulesOf(board.mode)
  return {
    is: 'update',
    marked: false,
    steps: [{ do: 'upload', image: 0, slot, bytes: job.image.bytes }, { do: 'check-slot', slot, uploadMs: 0 }, ...fromSlot(board, job, !marks)],
  }
}

/** From the image lying in the slot that does not run to the goal; `marked` also where the board needs no mark. */
function fromSlot(board: BoardSays, job: Job, marked: boolean): Step[] {
  if (job.recipe.mode === 'upload-only') return []
  const mark: Step[] = marked ? [] : [{ do: 'mark', hash: job.image.hash }]
  return [...mark, ...resetSteps('try', board, job.image.imageBytes), ...afterBoot(job)]
}

/** From the image running on test to the goal. */
function afterBoot(job: Job): Step[] {
  if (job.recipe.mode === 'upload-only') return []
  const tests = (job.recipe.tests ?? []).map((test): Step => ({ do: 'self-test', test }))
  const proofs = job.recipe.proofs.map((proof): Step => ({ do: 'prove', proof }))
  // What was measured counts for the image that was sent only if the board still runs it afterwards.
  if (tests.length > 0 && !job.recipe.proofs.some((proof) => proof !== 'echo')) proofs.push({ do: 'prove', proof: 'active-hash' })
  const all = [...dataSteps(job), ...tests, ...proofs]
  return job.recipe.mode === 'test-only' ? all : [...all, { do: 'confirm' }, { do: 'check-confirmed' }]
}

function dataSteps(job: Job): Step[] {
  const items = job.unitData instanceof Failure ? [] : job.unitData ?? []
  return items.map((item): Step => ({ do: 'write-data', item }))
}

/** A reset and the wait for the board's next word; `before` is filled in when the wait begins. */
export function resetSteps(purpose: ResetPurpose, board: BoardSays, imageBytes: number): Step[] {
  return [
    { do: 'reset', purpose },
    { do: 'await-return', purpose, before: board.slots, heard: false, patienceMs: resetPatienceMs, timeoutMs: returnTimeoutMs(imageBytes) },
  ]
}

/** Zephyr resets 250 ms after its reply (MCUMGR_GRP_OS_RESET_MS) and answers as before until then. */
const resetPatienceMs = 5_000

/**
 * How long a board may stay away after a reset, in ms. Swapping 380 kB on an nRF52840 (85 ms a page) takes 24 s in
 * silence; the image it swaps out may be that large whatever the new one's size, hence the constant part.
 */
export function returnTimeoutMs(imageBytes: number): number {
  return 30_000 + Math.ceil(imageBytes / 4096) * 400
}

/** What kind of goal the recipe's last step reaches, in words. */
export function goalOf(job: Job): string {
  const version = listedVersion(job.image.version)
  return { 'upload-only': `${version} in its slot`, 'test-only': `${version} proven`, 'test-and-confirm': `${version} confirmed` }[job.recipe.mode]
}
