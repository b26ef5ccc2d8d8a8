// A whole line from one seed: the station (machine, runner, client, log on disk) against practice boards under a
// hand-wound clock. Nothing waits for real time and nothing is left to chance, so a failing seed fails again alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../main/base/failure.ts'
import type { BatchView, BayView, LogVerdictView, RunView, StationEvent } from '../../main/contract/views.ts'
import type { ArgsOf } from '../../main/contract/api.ts'
import { createBoard } from '../../main/practice/board.ts'
import { parseFaults, seededNumbers } from '../../main/practice/faults.ts'
import { practiceProfile } from '../../main/practice/profiles.ts'
import type { BoardProfile } from '../../main/practice/profiles.ts'
import type { BoardSecret } from '../../main/practice/secrets.ts'
import { factoryImage } from '../../main/station/practice.ts'
import { Keyring } from '../../main/keys/keyring.ts'
import { OpenFiles } from '../../main/station/files.ts'
import { Logbook } from '../../main/station/logbook.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station, StationOptions } from '../../main/station/station.ts'
import { WoundClock } from '../smp/wound-clock.ts'
import { Fixture, SimulatedPorts } from './wire.ts'

// A throw-away key, so that the same seed signs the same bytes.
const practicePem = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n-----END PRIVATE KEY-----\n'

/** Keeps the ids of a home's several station starts apart. */
let openings = 0

export type LineOptions = Readonly<{
  seed: number
  boards: number
  /** As practice boards read them: `3:fails-proof,5:unplug@40%`. */
  faults?: string
  dropLine?: number
  garbleLine?: number
  baud?: number
  profile?: BoardProfile
  /** The boards' private key for encrypted images. */
  secret?: BoardSecret
  /** Ports vanish at a restart and come back under another name. */
  usb?: boolean
  /** An existing home, to open it once more. */
  home?: string
  station?: Partial<StationOptions>
}>

/** A station with its simulated boards, ready to be told what to do. */
export class Line {
  readonly clock: WoundClock
  readonly station: Station
  readonly ports: SimulatedPorts
  readonly home: string
  readonly events: StationEvent[] = []
  readonly #ownHome: boolean

  private constructor(station: Station, ports: SimulatedPorts, clock: WoundClock, home: string, ownHome: boolean) {
    this.station = station
    this.ports = ports
    this.clock = clock
    this.home = home
    this.#ownHome = ownHome
    station.subscribe((event) => this.events.push(event))
  }

  static async open(options: LineOptions): Promise<Line> {
    const clock = new WoundClock()
    const home = options.home ?? mkdtempSync(join(tmpdir(), 'slotwright-line-'))
    const keyring = new Keyring(join(home, 'keys'), clock)
    if ((await value(keyring.list())).length === 0) await value(keyring.add('practice', practicePem, { class: 'test', newPassphrase: null }))
    const draw = seededNumbers(options.seed)
    const ports = new SimulatedPorts()
    let count = 0
    const opening = ++openings
    const station = await value(openStation({
      home, version: '0.0.0-test', clock, ports, person: 'tester',
      newId: (kind) => `${kind}-${options.seed}-${opening}-${++count}`, nonce: () => `nonce-${Math.floor(draw() * 1e9)}`,
      ...options.station,
    }))
    const { firmware, others, trust } = await value(factoryImage({ home, desk: { keyring, files: new OpenFiles(), log: new Logbook(station.audit, 'tester') } }, { loadAddress: options.profile?.ram?.address ?? 0, images: 1 + (options.profile?.others.length ?? 0), counters: (options.profile?.counters ?? null) !== null }))
    const faults = await value(parseFaults(options.faults ?? '', options.boards, options.seed))
    for (let bay = 1; bay <= options.boards; bay++) {
      const serial = `PB-${String(bay).padStart(4, '0')}`
      const board = createBoard({ clock, profile: options.profile ?? practiceProfile, serial, trust, firmware, others, secret: options.secret ?? null, fault: faults.get(bay) ?? null })
      board.powerOn()
      const port = { path: `/sim/tty${bay}`, unit: serial, serial, bay, place: null, maker: null, usb: null, practice: true }
      ports.add(new Fixture(board, port, clock, options.baud ?? 921_600, { drop: options.dropLine ?? 0, garble: options.garbleLine ?? 0 }, draw, options.usb))
    }
    await clock.wind(1_000)
    return new Line(station, ports, clock, home, options.home === undefined)
  }

  /** Runs a batch with the sample image (or the given file) to its end. */
  async runBatch(recipe: ArgsOf<'startBatch'>['recipe'] = {}, file?: string): Promise<BatchView> {
    await this.begin(recipe, file)
    return await this.finish()
  }

  async begin(recipe: ArgsOf<'startBatch'>['recipe'] = {}, file?: string): Promise<BatchView> {
    const chosen = file ?? (await value(this.station.sampleFile({}))).file
    return await value(this.station.startBatch({ file: chosen, recipe }))
  }

  async finish(): Promise<BatchView> {
    await this.clock.settle(this.station.batchEnded())
    const view = await value(this.station.batch({}))
    if (view === null) throw new Error('there was no batch')
    return view
  }

  async runs(): Promise<RunView[]> {
    return (await value(this.station.listRuns({ batch: null }))).sort((a, b) => a.bay - b.bay)
  }

  async bays(): Promise<BayView[]> {
    return await value(this.station.bays({}))
  }

  async verdict(): Promise<LogVerdictView> {
    return await value(this.station.verifyLog({}))
  }

  /** What must hold after anything at all: the log verifies, every run has its outcome, and nothing is left open. */
  async check(): Promise<string[]> {
    const wrongs: string[] = []
    const verdict = await this.verdict()
    if (!verdict.holds) wrongs.push(`the log does not hold: ${verdict.says}`)
    for (const run of await this.runs()) {
      if (run.outcome === null) wrongs.push(`${run.board} has no outcome`)
      const fixture = this.ports.fixtures.find((each) => each.port.unit === run.board)
      const runs = fixture?.board.running
      if (run.outcome === 'confirmed' && runs?.version !== '1.1.0') wrongs.push(`${run.board} is called confirmed and runs ${runs?.version ?? 'nothing'}`)
      if (run.outcome === 'reverted' && runs?.version !== '1.0.0') wrongs.push(`${run.board} is called reverted and runs ${runs?.version ?? 'nothing'}`)
      const open = run.steps.filter((step) => step.step === 'Upload').reduce((sum, step) => sum + (step.result === 'begun' ? 1 : -1), 0)
      if (open !== 0) wrongs.push(`${run.board} has an upload without a result`)
    }
    for (const fixture of this.ports.fixtures) if (fixture.isOpen) wrongs.push(`${fixture.port.path} was left open`)
    return wrongs
  }

  async close(): Promise<void> {
    await this.station.close()
    for (const fixture of this.ports.fixtures) fixture.close()
    if (this.#ownHome) rmSync(this.home, { recursive: true, force: true })
  }

  /** Timers and port listeners that outlived the station. */
  get leftovers(): { timers: number; listeners: number } {
    return { timers: this.clock.pending, listeners: this.ports.listeners }
  }
}

export type LineReport = Readonly<{ batch: BatchView; runs: readonly RunView[]; wrongs: readonly string[]; seconds: number }>

/** One seed, one line, one batch, checked and cleared away. */
export async function runLine(options: LineOptions, recipe: ArgsOf<'startBatch'>['recipe'] = {}): Promise<LineReport> {
  const line = await Line.open(options)
  try {
    const batch = await line.runBatch(recipe)
    const runs = await line.runs()
    const wrongs = await line.check()
    const seconds = line.clock.monotonicMs() / 1000
    await line.close()
    const left = line.leftovers
    if (left.timers !== 0) wrongs.push(`${left.timers} timers are left`)
    if (left.listeners !== 0) wrongs.push(`${left.listeners} port listeners are left`)
    return { batch, runs, wrongs, seconds }
  } finally {
    await line.close()
  }
}

/** The value, or the test ends with the failure's sentence. */
export async function value<T>(answer: T | Failure | Promise<T | Failure>): Promise<T> {
  const settled = await answer
  if (settled instanceof Failure) throw new Error(`${settled.kind}: ${settled.says}`)
  return settled
}
