// A recipe applied to boards: starts a run in each chosen bay, lets every board go its own way, counts how they end, and
// ends when all have. Boards plugged in meanwhile join while the quota leaves room. When the log gives out, every
// run is stopped before its next act.
import { setMaxListeners } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { assert, Failure } from '../base/failure.ts'
import type { BatchView, ImageView, OutcomeCounts, OutcomeName, RecipeView } from '../contract/views.ts'
import { outcomeNames } from '../contract/views.ts'
import { failureView } from './views.ts'
import { endingFailed } from '../line/ending.ts'
import { outcome, preflightRefused, started } from '../line/record.ts'
import { activeSlot, listedVersion } from '../line/slots.ts'
import { wayBackNote } from '../line/modes.ts'
import { testName } from '../line/selftest.ts'
import { itemName, unitDataFor } from '../line/unit-data.ts'
import type { UnitTable } from '../line/unit-data.ts'
import { goalOf } from '../line/plan.ts'
import { phaseOf } from '../line/state.ts'
import type { Ending, FlashProfile, ImageFacts, Job, Recipe, RunState } from '../line/state.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { Framing } from '../smp/client.ts'
import { encodeUpload } from '../smp/frames.ts'
import type { UploadFrames } from '../smp/frames.ts'
import type { Fleet, Occupied, RunShow } from './fleet.ts'
import type { Ports } from './ports.ts'
import { runJob } from './runner.ts'
import type { RunEnd } from './runner.ts'

export type BatchOrder = Readonly<{
  id: string
  fileName: string
  bytes: Uint8Array
  image: ImageFacts
  view: ImageView
  recipe: Recipe
  /** Rows of unit data by serial number; null where the recipe needs none. */
  unitTable: UnitTable | null
  /** Null: every bay. */
  bays: readonly number[] | null
  person: string
  /** Why this board must not have the image, whatever the board itself says (a package's own word); null: it may. */
  admit?: (board: Occupied) => Failure | null
}>

export type BatchWorld = Readonly<{
  clock: Clock
  ports: Ports
  fleet: Fleet
  record(drafts: readonly EntryDraft[]): Failure | null
  /** The same for a run's entries, together with those of all other runs that come in now. */
  recordTogether(drafts: readonly EntryDraft[]): Promise<Failure | null>
  newId(kind: 'run'): string
  nonce(): string
  profileFor(port: Occupied): FlashProfile
  onChange(view: BatchView): void
}>

const good: ReadonlySet<OutcomeName> = new Set(['confirmed', 'unchanged', 'uploaded', 'tested'])
/** Runs of one unit in one batch: it may be unplugged twice. */
const runsAUnitMax = 3
/** Frames are kept for this many different buffer sizes and framings. */
const frameSetsMax = 8
/** Weight of what has been seen before in the shown speed. */
const speedMemoryMs = 1_000

export class Batch {
  readonly order: BatchOrder
  readonly #world: BatchWorld
  readonly #stopping = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  readonly #counts = Object.fromEntries(outcomeNames.map((name) => [name, 0])) as Record<OutcomeName, number>
  /** How often each unit was run in this batch, and whether its last run ended by being unplugged. */
  readonly #had = new Map<string, Readonly<{ runs: number; unplugged: boolean }>>()
  readonly #frames = new Map<string, UploadFrames | Failure>()
  readonly #spoken: { framing: Framing } = { framing: 'console' }
  readonly #startedMs: number
  readonly #startedAt: string
  #boards = 0
  #endedMs: number | null = null
  #endedAt: string | null = null
  #logFailure: Failure | null = null
  readonly #ended: Promise<void>
  #end: () => void = () => {}

  private constructor(order: BatchOrder, world: BatchWorld) {
    this.order = order
    this.#world = world
    // Every board's request under way listens to it; more than ten boards are no leak.
    setMaxListeners(0, this.#stopping.signal)
    this.#startedMs = world.clock.monotonicMs()
    this.#startedAt = new Date(world.clock.wallMs()).toISOString()
    this.#ended = new Promise((resolve) => {
      this.#end = resolve
    })
  }

  /** Notes the start in the log, then starts the boards. Fails with `no-boards`, or as the log does. */
  static start(order: BatchOrder, world: BatchWorld): Batch | Failure {
    const boards = world.fleet.occupied().filter((board) => order.bays === null || order.bays.includes(board.bay))
    if (boards.length === 0) return new Failure('no-boards', 'No board is attached in the chosen bays. Plug boards in, or start the practice line.')
    const { recipe, image } = order
    const refused = world.record([{
      kind: 'batch-started',
      person: order.person,
      role: 'operator',
      data: {
        batch: order.id, name: recipe.name, mode: recipe.mode, imageHash: image.hash, version: listedVersion(image.version), file: order.fileName,
        ...(image.keyHash === null ? {} : { key: image.keyHash }), ...(recipe.quota === null ? {} : { target: recipe.quota }),
      },
    }])
    if (refused !== null) return refused
    const batch = new Batch(order, world)
    for (const board of boards) batch.join(board)
    return batch
  }

  get isOver(): boolean {
    return this.#endedAt !== null
  }

  get ended(): Promise<void> {
    return this.#ended
  }

  /** Whether a run has that port now. */
  isWorkingOn(path: string): boolean {
    return this.#world.ports.list().some((port) => port.path === path && this.#running.has(port.unit))
  }

  /** A board was plugged in: it joins while the quota leaves room, unless it is being worked on already. */
  join(board: Occupied): void {
    const { recipe, bays } = this.order
    const done = outcomeNames.reduce((sum, name) => sum + (good.has(name) ? this.#counts[name] : 0), 0)
    if (this.isOver || this.#stopping.signal.aborted || this.#running.has(board.unit)) return
    if (bays !== null && !bays.includes(board.bay)) return
    // A board has its turn once; only one whose cable came off gets another when it is back, and not forever.
    const had = this.#had.get(board.unit) ?? { runs: 0, unplugged: false }
    if (had.runs > 0 && !(had.unplugged && had.runs < runsAUnitMax)) return
    this.#had.set(board.unit, { runs: had.runs + 1, unplugged: false })
    if (recipe.quota !== null && done + this.#running.size >= recipe.quota) return
    this.#boards += 1
    this.#running.set(board.unit, this.#run(board))
    this.#tell()
  }

  /** Stops every run and waits until the last one has ended and given its port back. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted && !this.isOver) {
      this.#stopping.abort()
      this.#tell()
    }
    await this.#ended
  }

  view(): BatchView {
    const { id, recipe, view } = this.order
    return {
      id,
      status: this.isOver ? 'ended' : this.#stopping.signal.aborted ? 'stopping' : 'running',
      recipe: recipe satisfies RecipeView,
      image: view,
      boards: this.#boards,
      counts: { ...this.#counts } satisfies OutcomeCounts,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      seconds: ((this.#endedMs ?? this.#world.clock.monotonicMs()) - this.#startedMs) / 1000,
    }
  }

  async #run(board: Occupied): Promise<void> {
    const { order } = this
    const job: Job = {
      run: this.#world.newId('run'), unit: board.unit, batch: order.id, bay: board.bay, port: board.port.path,
      practice: board.port.practice, profile: this.#world.profileFor(board), image: order.image, recipe: order.recipe,
      ...(order.recipe.unitData === undefined ? {} : { unitData: unitDataFor(board.port.serial ?? board.unit, order.recipe.unitData, order.unitTable) }),
    }
    const shown = new Shown(job, this.#world.clock, (show) => this.#world.fleet.show(job.bay, show))
    const refused = order.admit?.(board) ?? null
    const { ending, logFailure } = refused !== null ? await this.#turnAway(job, refused) : await runJob(job, {
      clock: this.#world.clock,
      ports: this.#world.ports,
      record: (drafts) => this.#recordRun(drafts),
      frames: (bufferBytes, framing) => this.#framesFor(bufferBytes, framing),
      nonce: () => this.#world.nonce(),
      spoken: this.#spoken,
    }, shown, this.#stopping.signal).catch((bug: unknown) => this.#fault(job, bug))
    shown.onEnd(ending)
    if (logFailure !== null) this.#stopping.abort()
    this.#counts[ending.outcome] += 1
    if (ending.failure?.kind === 'unplugged') this.#had.set(job.unit, { runs: this.#had.get(job.unit)?.runs ?? 1, unplugged: true })
    this.#running.delete(job.unit)
    if (this.#running.size === 0) this.#finish()
    this.#tell()
  }

  /** The image is not for this board: nothing is sent, and the log says why. */
  async #turnAway(job: Job, why: Failure): Promise<RunEnd> {
    const how = endingFailed(job, [], why)
    return { ending: how, logFailure: await this.#recordRun([started(job), preflightRefused(job, why), outcome(job, how)]) }
  }

  /** A bug in one run ends that run in a stated outcome; the others go on. */
  async #fault(job: Job, bug: unknown): Promise<RunEnd> {
    const what = bug instanceof Error ? bug.message : String(bug)
    const how = endingFailed(job, [], new Failure('fault', `This is a fault in Slotwright, not in the board: ${what.slice(0, 300)}. Please report it; run the board again to learn how it stands.`))
    return { ending: how, logFailure: await this.#recordRun([outcome(job, how)]) }
  }

  /** After one failed append no other is tried: what the disk has lost is not told in fragments. */
  async #recordRun(drafts: readonly EntryDraft[]): Promise<Failure | null> {
    if (this.#logFailure !== null) return this.#logFailure
    const failure = await this.#world.recordTogether(drafts)
    this.#logFailure ??= failure
    return failure
  }

  #framesFor(bufferBytes: number, framing: Framing): UploadFrames | Failure {
    const name = `${framing} ${bufferBytes}`
    const known = this.#frames.get(name)
    if (known !== undefined) return known
    const frames = encodeUpload(this.order.bytes, { bufferBytes, framing })
    if (this.#frames.size >= frameSetsMax) this.#frames.clear()
    this.#frames.set(name, frames)
    return frames
  }

  #finish(): void {
    assert(this.#endedAt === null, 'a batch ends once')
    this.#endedMs = this.#world.clock.monotonicMs()
    this.#endedAt = new Date(this.#world.clock.wallMs()).toISOString()
    const reason = this.#stopping.signal.aborted ? 'stopped' : 'done'
    // Without a log there is nothing more to be said here; the runs have shown the failure in their bays.
    this.#logFailure ??= this.#world.record([{ kind: 'batch-ended', data: { batch: this.order.id, reason, ...this.#counts } }])
    this.#end()
  }

  #tell(): void {
    this.#world.onChange(this.view())
  }
}

/** Turns the moves of one run into what its bay shows. */
class Shown {
  readonly #clock: Clock
  readonly #show: (show: RunShow) => void
  #now: RunShow
  #speedFrom: { ms: number; bytes: number } | null = null

  constructor(job: Job, clock: Clock, show: (show: RunShow) => void) {
    this.#clock = clock
    this.#show = show
    this.#now = {
      run: job.run, unit: job.unit, phase: 'attached', says: `Goal: ${goalOf(job)}.`, bytesDone: 0, bytesTotal: job.image.bytes, bytesPerSecond: 0,
      runningVersion: null, targetVersion: listedVersion(job.image.version), outcome: null, failure: null, activeHash: null,
      startedMs: clock.monotonicMs(), endedMs: null,
    }
    this.#show(this.#now)
  }

  onMove(state: RunState): void {
    if (state.at === 'ended') return
    const active = activeSlot(state.board?.slots ?? [])
    if (state.step.do === 'upload') this.#speedFrom = null
    this.#replace({
      phase: phaseOf[state.step.do],
      says: sayingOf(state),
      ...(active === null ? {} : { runningVersion: active.version, activeHash: active.hash }),
    })
  }

  onProgress(ackedBytes: number): void {
    const ms = this.#clock.monotonicMs()
    const from = (this.#speedFrom ??= { ms, bytes: ackedBytes })
    const elapsed = ms - from.ms
    const bytesPerSecond = elapsed > 0 ? Math.max(0, ((ackedBytes - from.bytes) * 1000) / elapsed) : this.#now.bytesPerSecond
    this.#replace({ bytesDone: ackedBytes, bytesPerSecond: Math.round(bytesPerSecond) })
    // A window that slides: half of the past is forgotten every second, so the shown speed follows the wire.
    if (elapsed > 2 * speedMemoryMs) this.#speedFrom = { ms: ms - speedMemoryMs, bytes: ackedBytes - (bytesPerSecond * speedMemoryMs) / 1000 }
  }

  onEnd(ending: Ending): void {
    this.#replace({
      phase: 'ended',
      says: ending.says,
      outcome: ending.outcome,
      failure: ending.failure === null ? null : failureView(ending.failure),
      activeHash: ending.activeHash,
      runningVersion: ending.version,
      endedMs: this.#clock.monotonicMs(),
      ...(ending.outcome === 'unchanged' ? { bytesTotal: 0 } : {}),
    })
  }

  #replace(changes: Partial<RunShow>): void {
    this.#now = { ...this.#now, ...changes }
    this.#show(this.#now)
  }
}

function sayingOf(state: Exclude<RunState, { at: 'ended' }>): string {
  if (state.at === 'reverting') return `${state.because.says} Going back to the old image.`
  if (state.at === 'clearing') return 'Getting past an earlier update.'
  const { step } = state
  const words: Record<typeof step.do, string> = {
    identify: 'Asking the board who it is.',
    upload: [`Sending ${listedVersion(state.job.image.version)}.`, (state.board === null ? null : wayBackNote(state.board)) ?? ''].join(' ').trim(),
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
