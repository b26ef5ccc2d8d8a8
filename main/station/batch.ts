// A recipe applied to boards: starts a run in each chosen bay, lets every board go its own way, counts how they end, and
// ends when all have. Boards plugged in meanwhile join while the quota leaves room; a rolling batch waits for more of them
// until the quota is full or somebody stops it. After too many failures in a row no other board is begun. When the log
// gives out, every run is stopped before its next act.
import { setMaxListeners } from 'node:events'
import type { Clock } from '../base/clock.ts'
import { assert, Failure } from '../base/failure.ts'
import type { BatchView, RecipeView } from '../contract/views.ts'
import { failureView } from './views.ts'
import { endingFailed } from '../line/ending.ts'
import { outcome, preflightRefused, started } from '../line/record.ts'
import { checkSerial } from '../line/serial-rule.ts'
import { listedVersion } from '../line/slots.ts'
import { isGood, Tally } from '../line/tally.ts'
import { unitDataFor } from '../line/unit-data.ts'
import type { UnitTable } from '../line/unit-data.ts'
import type { BoardProfile } from '../line/profile.ts'
import type { Ending, Job, Recipe } from '../line/state.ts'
import type { EntryDraft, Role } from '../log/entry.ts'
import type { Framing } from '../smp/client.ts'
import { encodeUpload } from '../smp/frames.ts'
import type { UploadFrames } from '../smp/frames.ts'
import type { ReadFile } from './bundled.ts'
import type { Fleet, Occupied } from './fleet.ts'
import type { Ports } from './ports.ts'
import type { Questions } from './questions.ts'
import { runJob } from './runner.ts'
import type { RunEnd } from './runner.ts'
import { Shown } from './shown.ts'

export type BatchOrder = Readonly<{
  id: string
  fileName: string
  /** The images it brings. */
  file: ReadFile
  recipe: Recipe
  /** Rows of unit data by serial number; null where the recipe needs none. */
  unitTable: UnitTable | null
  /** Null: every bay. */
  bays: readonly number[] | null
  person: string
  role: Role
  /** The released revision it is by, for the log; null for an engineer's own recipe. */
  released: string | null
  /** Hardware type of the boards; null where nobody says it. */
  hardware: string | null
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
  questions: Pick<Questions, 'ask'>
  profileFor(port: Occupied): BoardProfile
  onChange(view: BatchView): void
}>

/** Runs of one unit in one batch: it may be unplugged twice. */
const runsAUnitMax = 3
/** The same, with those that somebody asked for. */
const askedRunsMax = 20
/** Frames are kept for this many different buffer sizes and framings. */
const frameSetsMax = 8

export class Batch {
  readonly order: BatchOrder
  readonly #world: BatchWorld
  readonly #stopping = new AbortController()
  readonly #running = new Map<string, Promise<void>>()
  readonly #tally = new Tally()
  /** Boards that stand in a bay until somebody scans their serial number, the longest waiting first. */
  readonly #waiting = new Map<string, Occupied>()
  /** Serial numbers given in this batch, by unit. */
  readonly #serials = new Map<string, string>()
  /** Scanned before its board was there. */
  #nextSerial: string | null = null
  /** How often each unit was run in this batch, and whether it may come again: its cable came off, or it failed and was taken out of a rolling line. */
  readonly #had = new Map<string, Readonly<{ runs: number; again: boolean }>>()
  /** Units whose last run did not end well. */
  readonly #failedUnits = new Set<string>()
  readonly #frames = new Map<string, UploadFrames | Failure>()
  readonly #spoken: { framing: Framing } = { framing: 'console' }
  readonly #startedMs: number
  readonly #startedAt: string
  #boards = 0
  #endedMs: number | null = null
  #endedAt: string | null = null
  #logFailure: Failure | null = null
  /** Why no further board is begun, once that is so. */
  #closed: Failure | null = null
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
    if (boards.length === 0 && order.recipe.rolling !== true) return new Failure('no-boards', 'No board is attached in the chosen bays. Plug boards in, or start the practice line.')
    const { recipe, file: { facts: image } } = order
    const refused = world.record([{
      kind: 'batch-started',
      person: order.person,
      role: order.role,
      data: {
        batch: order.id, ...(order.released === null ? {} : { recipe: order.released }), name: recipe.name, mode: recipe.mode, imageHash: image.hash, version: listedVersion(image.version), file: order.fileName,
        ...(image.keyHash === null ? {} : { key: image.keyHash }), ...(recipe.quota === null ? {} : { target: recipe.quota }),
        ...(order.hardware === null ? {} : { hardware: order.hardware }), ...(recipe.send === undefined || recipe.send === 'image' ? {} : { send: recipe.send }),
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
    if (this.isOver || this.#closed !== null || this.#stopping.signal.aborted || this.#running.has(board.unit)) return
    if (bays !== null && !bays.includes(board.bay)) return
    // A board has its turn once; only one whose cable came off gets another when it is back, and not forever.
    const had = this.#had.get(board.unit) ?? { runs: 0, again: false }
    if (had.runs > 0 && !(had.again && had.runs < runsAUnitMax)) return
    if (this.#isFull()) return
    if (recipe.serials !== undefined && !this.#serials.has(board.unit) && !this.#takeNextSerial(board)) {
      this.#waiting.set(board.unit, board)
      return this.#tell()
    }
    this.#begin(board, had.runs + 1)
  }

  /** A board was taken out of its bay while no run had it. */
  left(unit: string): void {
    const waited = this.#waiting.delete(unit)
    const had = this.#had.get(unit)
    // Taken out of a rolling line and put back, a board that failed is tried again.
    if (this.order.recipe.rolling === true && had !== undefined && this.#failedUnits.has(unit)) this.#had.set(unit, { ...had, again: true })
    if (!waited || this.isOver) return
    if (this.#isDone()) this.#finish()
    this.#tell()
  }

  /**
   * A serial number was scanned: for the board in that bay, else for the one that waits longest, else for the next to come.
   * `usedBy` is the unit that the log knows by it. Kinds: `no-serials`, `serial-format`, `serial-used`, `no-board`.
   */
  nameUnit(serial: string, bay: number | null, usedBy: string | null): BatchView | Failure {
    const rule = this.order.recipe.serials
    if (rule === undefined) return new Failure('no-serials', 'The recipe of this batch asks for no serial numbers. Nothing was noted.')
    const board = [...this.#waiting.values()].find((each) => bay === null || each.bay === bay) ?? null
    if (bay !== null && board === null) return new Failure('no-board', `No board waits for a serial number in bay ${bay}. Plug it in first, or scan without choosing a bay.`)
    const here = [...this.#serials].find(([, given]) => given === serial)?.[0] ?? (this.#nextSerial === serial ? 'the next unit' : null)
    const wrong = checkSerial(serial, rule.format, here ?? usedBy, board?.unit ?? null)
    if (wrong !== null) return wrong
    if (board === null) this.#nextSerial = serial
    else {
      const refused = this.#giveSerial(board, serial)
      if (refused !== null) return refused
      this.#waiting.delete(board.unit)
      this.#begin(board, (this.#had.get(board.unit)?.runs ?? 0) + 1)
    }
    this.#tell()
    return this.view()
  }

  /**
   * Another run for the board in that bay, whose last one did not end well; asked for by hand, so that it counts beside
   * the turns a board has by itself. After the batch's end there is nothing to `begin` here. Kinds: `batch-stopping`, `no-board`, `not-failed`, `quota-full`, `too-many-runs`.
   */
  retry(bay: number): Readonly<{ board: Occupied; begin: (() => void) | null }> | Failure {
    if (!this.isOver && (this.#stopping.signal.aborted || this.#closed !== null)) return new Failure('batch-stopping', 'The batch is stopping, and no board is begun any more. Try this one again when it has ended.')
    const board = this.#world.fleet.occupied().find((each) => each.bay === bay)
    if (board === undefined) return new Failure('no-board', `No board is in bay ${bay}. Plug it in again first.`)
    if (this.#running.has(board.unit) || !this.#failedUnits.has(board.unit)) return new Failure('not-failed', `The board in bay ${bay} has not failed in this batch, so there is nothing to try again.`)
    if (this.isOver) return { board, begin: null }
    const runs = this.#had.get(board.unit)?.runs ?? 0
    if (runs >= askedRunsMax) return new Failure('too-many-runs', `${board.unit} has failed ${runs} times in this batch. Set it aside, and look at what its runs have in common.`)
    if (this.#isFull()) return new Failure('quota-full', 'The batch has as many boards as it is to make, so no other is begun.')
    return { board, begin: () => this.#begin(board, runs + 1) }
  }

  /** Stops every run and waits until the last one has ended and given its port back. */
  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted && !this.isOver) {
      this.#stopping.abort()
      this.#waiting.clear()
      if (this.#running.size === 0) this.#finish()
      this.#tell()
    }
    await this.#ended
  }

  view(): BatchView {
    const { id, recipe, file: { view } } = this.order
    const seconds = ((this.#endedMs ?? this.#world.clock.monotonicMs()) - this.#startedMs) / 1000
    return {
      id,
      status: this.isOver ? 'ended' : this.#stopping.signal.aborted || this.#closed !== null ? 'stopping' : 'running',
      recipe: recipe satisfies RecipeView,
      image: view,
      boards: this.#boards,
      counts: this.#tally.counts,
      startedAt: this.#startedAt,
      endedAt: this.#endedAt,
      seconds,
      figures: this.#tally.figures(seconds),
      recent: this.#tally.recent.map(({ outcome: how, seconds: took, atSeconds }) => ({ outcome: how, seconds: took, atSeconds })),
      badInARow: this.#tally.badInARow,
      because: this.#closed === null ? null : failureView(this.#closed),
      waiting: [...this.#waiting.values()].map(({ bay, unit }) => ({ bay, board: unit })),
      nextSerial: this.#nextSerial,
    }
  }

  #begin(board: Occupied, runs: number): void {
    this.#had.set(board.unit, { runs, again: false })
    this.#boards += 1
    this.#running.set(board.unit, this.#run(board))
    this.#tell()
  }

  #isFull(): boolean {
    const { quota } = this.order.recipe
    return quota !== null && this.#tally.goodCount + this.#running.size >= quota
  }

  /** True when nothing is under way and nothing more is to come. */
  #isDone(): boolean {
    const { quota, rolling } = this.order.recipe
    if (this.isOver || this.#running.size > 0) return false
    if (this.#stopping.signal.aborted || this.#closed !== null) return true
    if (quota !== null && this.#tally.goodCount >= quota) return true
    return rolling !== true && this.#waiting.size === 0
  }

  #takeNextSerial(board: Occupied): boolean {
    const serial = this.#nextSerial
    if (serial === null || this.#giveSerial(board, serial) !== null) return false
    this.#nextSerial = null
    return true
  }

  /** On disk before the board's run begins. */
  #giveSerial({ unit, bay }: Occupied, serial: string): Failure | null {
    const refused = this.#world.record([{ kind: 'unit-named', data: { unit, batch: this.order.id, bay, serial } }])
    if (refused === null) this.#serials.set(unit, serial)
    return refused
  }

  async #run(board: Occupied): Promise<void> {
    const { order } = this
    const job: Job = {
      run: this.#world.newId('run'), unit: board.unit, batch: order.id, bay: board.bay, port: board.port.path,
      practice: board.port.practice, profile: this.#world.profileFor(board), image: order.file.facts, recipe: order.recipe,
      ...(order.file.others === undefined ? {} : { others: order.file.others }), ...(order.file.variants === undefined ? {} : { variants: order.file.variants }),
      ...(order.recipe.unitData === undefined ? {} : { unitData: unitDataFor(this.#serials.get(board.unit) ?? board.port.serial ?? board.unit, order.recipe.unitData, order.unitTable) }),
    }
    const beganMs = this.#world.clock.monotonicMs()
    const shown = new Shown(job, this.#world.clock, (show) => this.#world.fleet.show(job.bay, show))
    const refused = order.admit?.(board) ?? null
    const { ending, logFailure } = refused !== null ? await this.#turnAway(job, refused) : await runJob(job, {
      clock: this.#world.clock,
      ports: this.#world.ports,
      record: (drafts) => this.#recordRun(drafts),
      frames: (bufferBytes, framing, file) => this.#framesFor(bufferBytes, framing, file),
      nonce: () => this.#world.nonce(),
      askOperator: ({ run, unit, bay }, asks, timeoutMs, signal) => this.#world.questions.ask({ run, unit, bay, asks, timeoutMs }, signal),
      spoken: this.#spoken,
    }, shown, this.#stopping.signal).catch((bug: unknown) => this.#fault(job, bug))
    shown.onEnd(ending)
    if (logFailure !== null) this.#stopping.abort()
    this.#ran(job.unit, ending, (this.#world.clock.monotonicMs() - beganMs) / 1000)
  }

  /** Counts an ended run, and lets boards in that the quota had kept out. */
  #ran(unit: string, ending: Ending, seconds: number): void {
    const { outcome: how } = ending
    this.#tally.add({ unit, outcome: how, seconds, atSeconds: (this.#world.clock.monotonicMs() - this.#startedMs) / 1000 })
    if (isGood(how)) this.#failedUnits.delete(unit)
    else this.#failedUnits.add(unit)
    if (ending.failure?.kind === 'unplugged') this.#had.set(unit, { runs: this.#had.get(unit)?.runs ?? 1, again: true })
    this.#running.delete(unit)
    const most = this.order.recipe.stopAfterFailures ?? null
    if (most !== null && this.#closed === null && this.#tally.badInARow >= most) {
      this.#closed = new Failure('too-many-failures', `${most} boards in a row did not succeed, so no other board was begun. Look at the last failures before you start again: image, fixture and power are common to all of them.`, { inARow: most })
      this.#waiting.clear()
    }
    // Boards that had no turn yet take the free place. One that was unplugged may still be listed: it joins when it is seen to come.
    if (!isGood(how)) for (const board of this.#world.fleet.occupied()) if (!this.#had.has(board.unit)) this.join(board)
    if (this.#isDone()) this.#finish()
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

  #framesFor(bufferBytes: number, framing: Framing, { image, fileSha256 }: Readonly<{ image: number; fileSha256: string }>): UploadFrames | Failure {
    const name = `${framing} ${bufferBytes} ${image} ${fileSha256}`
    const known = this.#frames.get(name)
    if (known !== undefined) return known
    const bytes = this.order.file.contents.get(fileSha256)
    assert(bytes !== undefined, 'a run sends images of its batch only')
    const frames = encodeUpload(bytes, { bufferBytes, framing, image })
    if (this.#frames.size >= frameSetsMax) this.#frames.clear()
    this.#frames.set(name, frames)
    return frames
  }

  #finish(): void {
    assert(this.#endedAt === null, 'a batch ends once')
    this.#endedMs = this.#world.clock.monotonicMs()
    this.#endedAt = new Date(this.#world.clock.wallMs()).toISOString()
    this.#waiting.clear()
    const reason = this.#stopping.signal.aborted || this.#closed !== null ? 'stopped' : 'done'
    // Without a log there is nothing more to be said here; the runs have shown the failure in their bays.
    this.#logFailure ??= this.#world.record([{ kind: 'batch-ended', data: { batch: this.order.id, reason, ...(this.#closed === null ? {} : { says: this.#closed.says }), ...this.#tally.counts } }])
    this.#end()
  }

  #tell(): void {
    this.#world.onChange(this.view())
  }
}
