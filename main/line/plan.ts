// The plan: from what the board says of its slots right now to the steps still needed, or to a refusal. It is one table
// over MCUboot's slot states (all that vectors/smp/update-*.jsonl show), never a memory of what was done before.
// What surprised us: nothing un-marks a pending image, and while one is pending (or runs unconfirmed) Zephyr refuses to
// erase or upload. The only way out is through: let the board restart, then ask it again.
import { Failure, type FailureFacts } from '../base/failure.ts'
import { said, type Said } from '../base/said.ts'
import { checkNewer, checkPlace, checkWayBack, rulesOf } from './modes.ts'
import { entersWithoutFirmware } from './profile.ts'
import { bytesOf, checkCompressed, checkDependencies, checkNumbers, fitted, partsOf, runsHashOf } from './parts.ts'
import { activeSlot, listedVersion, waitingSlot } from './slots.ts'
import { checkDowngrade, checkKeyForBoard, checkMode, checkSize } from './recipe.ts'
import type { BoardSays, Job, Part, ResetPurpose, SlotSays, Step } from './state.ts'

export type Plan =
  /** Nothing to do: it runs the image for good. */
  | Readonly<{ is: 'unchanged' }>
  /** What this run ordered came about without its seeing how: it is proven like any other. */
  | Readonly<{ is: 'arrived'; steps: readonly Step[] }>
  /** Steps to the recipe's goal; none left when the goal is already reached short of a confirm. */
  | Readonly<{ is: 'update'; steps: readonly Step[]; marked: boolean }>
  /** An earlier update hangs half-done; restart the board past it, then plan again. */
  | Readonly<{ is: 'clear'; steps: readonly Step[]; /** Half a sentence. */ why: Said }>

/** How the slots of one image number stand towards the wanted image. */
export type Situation =
  | 'nothing-runs' | 'runs-for-good' | 'runs-on-test' | 'runs-but-other-pending'
  | 'other-on-test' | 'waits-marked' | 'waits-unmarked' | 'other-pending' | 'to-be-written'

/** The table itself: which situation a list of slots is. `runsHash` is what the board lists once it runs the image. */
export function situationOf(slots: readonly SlotSays[], hash: string, image = 0, runsHash = hash): Situation {
  const active = activeSlot(slots, image)
  const waiting = waitingSlot(slots, image)
  if (active === null) return 'nothing-runs'
  if (active.hash === runsHash) {
    if (waiting?.pending === true && waiting.hash !== hash) return 'runs-but-other-pending'
    return active.confirmed ? 'runs-for-good' : 'runs-on-test'
  }
  if (!active.confirmed) return 'other-on-test'
  if (waiting?.hash === hash) return waiting.pending ? 'waits-marked' : 'waits-unmarked'
  return waiting?.pending === true ? 'other-pending' : 'to-be-written'
}

/** The same where the board lists the upgrade slot alone: what it runs is not known, so the image is sent whatever that is. */
function unlistedSituation(slots: readonly SlotSays[], { number, image }: Part): Situation {
  const waiting = waitingSlot(slots, number)
  if (waiting?.hash === image.hash) return waiting.pending ? 'waits-marked' : 'waits-unmarked'
  return waiting?.pending === true ? 'other-pending' : 'to-be-written'
}

/** One image of the job and how the board stands towards it. */
type Standing = Readonly<{ part: Part; situation: Situation }>

/** Situations that only a restart changes into one where the image runs. */
const needsBoot: ReadonlySet<Situation> = new Set(['waits-marked', 'waits-unmarked', 'to-be-written', 'other-pending'])

/**
 * The plan for this board, or why nothing is sent to it. Failure kinds: those of recipe.ts, modes.ts and parts.ts, and
 * `nothing-runs` when the board names no running image. `ordered`: this run has told the board to take or to boot it already,
 * so a board that runs the image now did not have it before.
 */
export function plan(board: BoardSays, wanted: Job, ordered = false): Plan | Failure {
  if (wanted.unitData instanceof Failure) return wanted.unitData
  if (board.recovery === true) {
    return checkKeyForBoard(wanted) ?? checkSize(board, wanted) ?? checkWayBack(board, wanted) ?? (wanted.others === undefined ? recover(board, wanted) : onlyOneInRecovery())
  }
  const job = fitted(wanted, board)
  if (job instanceof Failure) return job
  const refused = checkMode(board) ?? checkKeyForBoard(job) ?? checkPlace(board, job) ?? checkNumbers(board, job)
  if (refused !== null) return refused
  const standings = partsOf(job).map((part): Standing => ({ part, situation: part.unlisted === true ? unlistedSituation(board.slots, part) : situationOf(board.slots, part.image.hash, part.number, runsHashOf(part.image)) }))
  const all = (...named: Situation[]) => standings.every(({ situation }) => named.includes(situation))
  // A single slot can only be written while the bootloader has it; one that has the image already is left alone.
  if (board.mode === 'single-slot' && activeSlot(board.slots) !== null && !all('runs-for-good')) {
    const steps: Step[] = entersWithoutFirmware(job.profile) ? [{ do: 'enter-recovery' }] : resetSteps('recover', board, bytesOf(job))
    return unfit(board, job) ?? { is: 'clear', steps, why: said('clear-into-recovery', 'its only slot can be written in serial recovery only') }
  }
  if (all('nothing-runs')) {
    return new Failure('nothing-runs', 'The board names no running image, so it cannot be updated and proven. It may be in serial recovery: restart it, or flash it with a programmer.')
  }
  const clearing = clearFirst(board, job, standings)
  if (clearing !== null) return clearing
  if (all('runs-for-good') && ordered) return { is: 'arrived', steps: afterBoot(board, job) }
  if (all('runs-for-good')) {
    return job.recipe.mode === 'test-and-confirm' && dataSteps(job).length > 0 ? { is: 'update', steps: [...dataSteps(job), { do: 'check-confirmed' }], marked: false } : { is: 'unchanged' }
  }
  if (!standings.some(({ situation }) => needsBoot.has(situation))) return { is: 'update', steps: afterBoot(board, job), marked: false }
  return unfit(board, job) ?? write(board, job, standings)
}

function unfit(board: BoardSays, job: Job): Failure | null {
  return checkSize(board, job) ?? checkCompressed(board, job) ?? checkNewer(board, job) ?? checkDowngrade(board, job) ?? checkDependencies(board, job) ?? checkWayBack(board, job)
}

function onlyOneInRecovery(): Failure {
  return new Failure('one-image-only', 'The board is in serial recovery, where one image is written over the one that runs, and the file brings several. Restart the board into its firmware, or flash it with a programmer.')
}

/** What stands in the way of any update, and how the board gets past it; null when nothing does. */
function clearFirst(board: BoardSays, job: Job, standings: readonly Standing[]): Plan | null {
  const bytes = bytesOf(job)
  const { marks } = rulesOf(board.mode)
  for (const { part: { number }, situation } of standings) {
    const active = activeSlot(board.slots, number)
    const waiting = waitingSlot(board.slots, number)
    if (situation === 'other-on-test') {
      return { is: 'clear', steps: resetSteps('clear', board, bytes), why: said('clear-unconfirmed', `${active?.version ?? 'another image'} runs on test and was never confirmed; a restart brings the image before it back`, versionIn(active)) }
    }
    if (situation === 'runs-but-other-pending' && !marks && waiting !== null) {
      return { is: 'clear', steps: [{ do: 'erase', image: number, slot: waiting.slot }, { do: 'check-erased', image: number, slot: waiting.slot }], why: said('clear-unasked', `its bootloader would run ${waiting.version} at the next restart, which nobody asked for`, versionIn(waiting)) }
    }
    // Where no mark is needed, none protects the slot either: it is written over.
    if (marks && (situation === 'runs-but-other-pending' || situation === 'other-pending')) return clearThrough(board, waiting, bytes)
    if (situation !== 'runs-on-test') continue
    // What an image writes on its console when it starts is heard after a restart only.
    if (job.recipe.tests?.some(({ test }) => test === 'console') === true && waiting !== null) {
      return { is: 'clear', steps: resetSteps('clear', board, bytes), why: said('clear-for-console', 'a self-test waits for a line on the console, which comes at the start only') }
    }
    // One that is never listed goes into a board that overwrites: nothing there is taken back, and nothing need be tried together.
    if (standings.some((other) => other.part.unlisted !== true && needsBoot.has(other.situation))) {
      return { is: 'clear', steps: resetSteps('clear', board, bytes), why: said('clear-not-together', `${active?.version ?? 'one image'} runs on test, and the images that go with it are not there yet; they are tried together or not at all`, versionIn(active)) }
    }
  }
  return null
}

/** In serial recovery the image goes straight over the one that runs, and is proven once the board has started it. */
function recover(board: BoardSays, job: Job): Plan {
  const look: Step = { do: 'check-slot', image: 0, slot: 0, uploadMs: 0 }
  return { is: 'update', marked: false, steps: [uploadStep({ number: 0, image: job.image }, 0), look, ...resetSteps('try', board, job.image.imageBytes), look, ...afterBoot(board, job)] }
}

function uploadStep({ number, image }: Part, slot: number): Step {
  return { do: 'upload', image: number, slot, bytes: image.bytes, fileSha256: image.fileSha256 }
}

function clearThrough(board: BoardSays, waiting: SlotSays | null, bytes: number): Plan {
  return { is: 'clear', steps: resetSteps('clear', board, bytes), why: said('clear-marked', `${waiting?.version ?? 'another image'} was marked for booting earlier; the board must pass through it before it takes anything else`, versionIn(waiting)) }
}

const versionIn = (slot: SlotSays | null): FailureFacts => (slot === null ? {} : { version: slot.version })

/**
 * The way from where each image stands: all are written before any is marked, and one restart tries them together. Boards
 * that run their newest image take it into whichever slot does not run.
 */
function write(board: BoardSays, job: Job, standings: readonly Standing[]): Plan {
  const { marks } = rulesOf(board.mode)
  const uploads = standings.flatMap(({ part, situation }): Step[] => {
    if (situation !== 'to-be-written' && situation !== 'other-pending') return []
    const slot = activeSlot(board.slots, part.number)?.slot === 1 ? 0 : 1
    return [uploadStep(part, slot), { do: 'check-slot', image: part.number, slot, uploadMs: 0 }]
  })
  const isMarked = ({ situation }: Standing) => situation === 'waits-marked'
  const waiting = standings.filter(({ situation }) => needsBoot.has(situation))
  const unmarked = waiting.filter((standing) => !isMarked(standing))
  if (job.recipe.mode === 'upload-only') return { is: 'update', marked: uploads.length === 0 && waiting.every(isMarked), steps: uploads }
  const marking = marks ? unmarked.map(({ part }): Step => ({ do: 'mark', image: part.number, hash: part.image.hash })) : []
  return { is: 'update', marked: uploads.length === 0 && waiting.every(isMarked), steps: [...uploads, ...marking, ...resetSteps('try', board, bytesOf(job)), ...afterBoot(board, job)] }
}

/** From the image running on test to the goal. */
function afterBoot(board: BoardSays, job: Job): Step[] {
  if (job.recipe.mode === 'upload-only') return []
  const wanted = (job.recipe.tests ?? []).map((test) => ({ do: 'self-test', test }) as const)
  // A person is asked last: nobody is called to a board that fails by itself. What it ran then is seen once more.
  const [tests, questions] = [wanted.filter(({ test }) => test.test !== 'question'), wanted.filter(({ test }) => test.test === 'question')]
  const proofs = job.recipe.proofs.map((proof): Step => ({ do: 'prove', proof }))
  // What was measured counts for the image that was sent only if the board still runs it afterwards.
  if (tests.length > 0 && !job.recipe.proofs.some((proof) => proof !== 'echo')) proofs.push({ do: 'prove', proof: 'active-hash' })
  const asked: Step[] = questions.length === 0 ? [] : [...questions, { do: 'prove', proof: 'active-hash' }]
  const all = [...dataSteps(job), ...tests, ...proofs, ...asked]
  return job.recipe.mode === 'test-only' ? all : [...all, ...confirmSteps(board, job), { do: 'check-confirmed' }]
}

/**
 * The application last: until it is confirmed a restart still goes back. Without its hash, on purpose: that confirms what
 * runs. Images of other numbers have to be named; where nothing can be taken back they are confirmed as they are.
 */
function confirmSteps(board: BoardSays, job: Job): Step[] {
  const named = rulesOf(board.mode).noWayBack === null ? job.others ?? [] : []
  return [...named.map(({ image }): Step => ({ do: 'confirm', hash: runsHashOf(image) })), { do: 'confirm', hash: null }]
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
