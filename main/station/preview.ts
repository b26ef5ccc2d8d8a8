// What a recipe would do to the boards attached now: each is asked as a run would ask it, and the same plan is made from its
// answers (line/plan.ts); then nothing is done. What surprised us: a plan is good for this moment only, since whoever
// restarts a board changes it, so a preview says when it was made and is never kept for the run.
import { assert, Failure, failed } from '../base/failure.ts'
import { said, type Said } from '../base/said.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { PreviewBayView, PreviewView } from '../contract/engineer.ts'
import type { ProofName } from '../contract/views.ts'
import { wayBackNote } from '../line/modes.ts'
import { plan } from '../line/plan.ts'
import { activeSlot, listedVersion } from '../line/slots.ts'
import { testName, type SelfTest } from '../line/selftest.ts'
import type { BoardSays, Job, ResetPurpose, Step } from '../line/state.ts'
import { itemName, unitDataFor } from '../line/unit-data.ts'
import { Conversation } from './conversation.ts'
import type { Fleet, Occupied } from './fleet.ts'
import { portHow } from './ports.ts'
import { readied } from './readying.ts'
import type { Readied } from './readying.ts'
import { identify } from './steps.ts'
import { failureView } from './views.ts'
import type { World } from './world.ts'

/** Boards asked at once: each takes a port, and none takes longer than a few seconds. */
const askedAtOnceMax = 16
/** What a silent board may take of everybody's time. */
const askTimeoutMs = 15_000

type Recipe = CheckedArgsOf<'previewRecipe'>['recipe']

/** Kinds: `batch-running`, `previewing`, `no-boards`; what would keep a batch from starting is the answer's own `failure`. */
export async function previewRecipe(world: World, fleet: Fleet, busyPorts: Set<string>, args: CheckedArgsOf<'previewRecipe'>): Promise<PreviewView | Failure> {
  if (world.batch !== null && !world.batch.isOver) return new Failure('batch-running', 'A batch is running, and its boards are not asked meanwhile. Preview the recipe when it has ended.')
  const beganMs = world.clock.monotonicMs()
  const seconds = () => (world.clock.monotonicMs() - beganMs) / 1000
  const ready = await readied(world, args)
  if (failed(ready)) return { failure: failureView(ready), version: null, bays: [], seconds: seconds() }
  const version = listedVersion(ready.sent.facts.version)
  const boards = fleet.occupied().filter(({ port }) => !busyPorts.has(port.path))
  if (boards.length === 0) return { failure: failureView(new Failure('no-boards', 'No board is attached that could be asked. Plug boards in, or start the practice line.')), version, bays: [], seconds: seconds() }
  const bays: PreviewBayView[] = []
  const waiting = [...boards]
  const one = async () => {
    for (let board = waiting.shift(); board !== undefined; board = waiting.shift()) {
      busyPorts.add(board.port.path)
      try {
        bays.push(await previewBoard(world, ready, args.recipe, board))
      } finally {
        busyPorts.delete(board.port.path)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(askedAtOnceMax, boards.length) }, one))
  return { failure: null, version, bays: bays.sort((a, b) => a.bay - b.bay), seconds: seconds() }
}

async function previewBoard(world: World, ready: Readied, recipe: Recipe, board: Occupied): Promise<PreviewBayView> {
  const { bay, unit, port } = board
  const row = { bay, board: unit, port: port.path, steps: [], because: null, note: null, failure: null, runs: null }
  const unwelcome = ready.admit?.(board) ?? null
  if (unwelcome !== null) return { ...row, will: 'refused', failure: failureView(unwelcome) }
  const answer = await asked(world, ready, board)
  if (failed(answer)) return { ...row, will: 'silent', failure: failureView(answer) }
  const active = activeSlot(answer.slots)
  const runs = active === null ? null : active.version
  const job = jobFor(ready, recipe, board)
  const planned = plan(answer, job)
  if (failed(planned)) return { ...row, runs, will: 'refused', failure: failureView(planned) }
  if (planned.is === 'unchanged') return { ...row, runs, will: 'unchanged' }
  assert(planned.is !== 'arrived', 'a preview has ordered nothing')
  const note = recipe.mode === 'upload-only' ? null : wayBackNote(answer)
  return { ...row, runs, will: planned.is, steps: sentences(planned.steps), because: planned.is === 'clear' ? planned.why : null, note }
}

async function asked({ ports, clock }: World, ready: Readied, board: Occupied): Promise<BoardSays | Failure> {
  const profile = ready.profileFor(board)
  // Lines that a run may pull when it opens the port can restart a board; a preview leaves them alone.
  const talk = new Conversation(board.unit, ports, clock, profile.framing ?? 'console', portHow({ ...profile, openSteps: [] }))
  const stop = new AbortController()
  const cancel = clock.after(askTimeoutMs, () => stop.abort())
  try {
    const answer = await identify(talk, stop.signal, profile)
    return failed(answer) ? answer : answer.board
  } finally {
    cancel()
    await talk.hangUp()
  }
}

/** The job that a batch would make for this board now; a serial number that is scanned later is not known yet. */
function jobFor(ready: Readied, recipe: Recipe, board: Occupied): Job {
  const { facts, others, variants } = ready.sent
  return {
    run: 'preview', batch: 'preview', unit: board.unit, bay: board.bay, port: board.port.path, practice: board.port.practice,
    profile: ready.profileFor(board), image: facts, recipe,
    ...(others === undefined ? {} : { others }), ...(variants === undefined ? {} : { variants }),
    ...(recipe.unitData === undefined || recipe.serials !== undefined ? {} : { unitData: unitDataFor(board.port.serial ?? board.unit, recipe.unitData, ready.unitTable) }),
  }
}

/** The steps as a person would list them: looking at what was just done belongs to doing it. */
function sentences(steps: readonly Step[]): Said[] {
  return steps.flatMap((step) => sentence(step) ?? [])
}

function sentence(step: Step): Said | null {
  switch (step.do) {
    case 'enter-recovery': return said('step-enter-recovery', 'Bring it into serial recovery, as its profile says.')
    case 'erase': return said('step-erase', `Erase slot ${step.slot} of image ${step.image}.`, { slot: step.slot, image: step.image })
    case 'upload': return said('step-upload', `Write ${step.bytes.toLocaleString('en-GB')} bytes into slot ${step.slot} of image ${step.image}, and check the hash there.`, { bytes: step.bytes, slot: step.slot, image: step.image })
    case 'mark': return step.image === 0 ? said('step-mark', 'Mark the new image for one trial.') : said('step-mark-image', `Mark image ${step.image} for one trial.`, { image: step.image })
    case 'reset': return restart(step.purpose)
    // A secret's name is no secret; its value is never said.
    case 'write-data': return step.item.what === 'file' ? said('step-write-file', `Write the ${itemName(step.item)}, and read it back.`, { name: step.item.name }) : said('step-write-setting', `Write the ${itemName(step.item)}, and read it back.`, { name: step.item.name })
    case 'self-test': return selfTest(step.test)
    case 'prove': return proof(step.proof)
    case 'confirm': return step.hash === null ? said('step-confirm', 'Confirm the image that runs.') : said('step-confirm-image', `Confirm the image ${step.hash.slice(0, 12)}….`, { imageHash: step.hash })
    case 'check-confirmed': return said('step-check-confirmed', 'Check that the board lists it as confirmed.')
    case 'identify': case 'check-erased': case 'check-slot': case 'await-return': return null
  }
}

function restart(purpose: ResetPurpose): Said {
  switch (purpose) {
    case 'try': return said('step-restart-try', 'Restart it to try the new image, and wait for it.')
    case 'revert': return said('step-restart-revert', 'Restart it to go back.')
    case 'clear': return said('step-restart-clear', 'Restart it past the earlier update, and wait for it.')
    case 'recover': return said('step-restart-recover', 'Restart it into serial recovery, and wait for it.')
  }
}

function proof(name: ProofName): Said {
  switch (name) {
    case 'echo': return said('step-prove-echo', 'Prove that it answers an echo.')
    case 'active-hash': return said('step-prove-hash', 'Prove that it runs this very image, by its hash.')
    case 'version': return said('step-prove-version', 'Prove that it reports the version.')
  }
}

function selfTest(test: SelfTest): Said {
  const says = `Self-test: ${testName(test)}.`
  switch (test.test) {
    case 'os-info': return said('step-test-os-info', says, { format: test.format })
    case 'statistic': return said('step-test-statistic', says, { name: `${test.group}/${test.name}` })
    case 'shell': return said('step-test-shell', says, { command: test.command.join(' ') })
    case 'console': return said('step-test-console', says, { matches: test.matches })
    case 'file': return said('step-test-file', says, { path: test.path })
    case 'question': return said('step-test-question', `Ask the person at the fixture: ${test.asks}`, { asks: test.asks })
  }
}
