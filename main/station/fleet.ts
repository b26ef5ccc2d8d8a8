// Bays and what stands in them. A board keeps its bay by its serial number, however its port is called after a reset; a bay
// keeps showing how its last run ended until the next board comes. Rows go out whole, at most ten a second for each bay.
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import type { FailureView, BayView, OutcomeName, RunPhase, SaidView } from '../contract/views.ts'
import { todoOf } from '../line/failures.ts'
import { failureView } from './views.ts'
import { homeOf } from './bay-map.ts'
import type { TaughtBays } from './bay-map.ts'
import type { Port, Ports } from './ports.ts'

/** Least time between two rows of one bay. */
const rowIntervalMs = 100
export const baysMax = 1024

/** What a run shows of itself in its bay; replaced as a whole. */
export type RunShow = Readonly<{
  run: string
  unit: string
  phase: RunPhase
  says: string
  note: SaidView | null
  bytesDone: number
  bytesTotal: number
  bytesPerSecond: number
  runningVersion: string | null
  targetVersion: string | null
  outcome: OutcomeName | null
  failure: FailureView | null
  activeHash: string | null
  startedMs: number
  endedMs: number | null
  /** Until when a restarting board is waited for, on the clock's monotonic time. */
  waitsUntilMs: number | null
}>

type Bay = { readonly number: number; unit: string | null; port: Port | null; lastPort: Port | null; show: RunShow | null; sentMs: number; cancelRow: (() => void) | null }

export type Occupied = Readonly<{ bay: number; unit: string; port: Port }>

export class Fleet {
  readonly #ports: Ports
  readonly #clock: Clock
  readonly #onRow: (row: BayView) => void
  readonly #onRows: (rows: BayView[]) => void
  readonly #onAttached: (board: Occupied) => void
  readonly #map: TaughtBays
  readonly #onSeen: (what: 'attached' | 'detached', board: Occupied) => void
  readonly #bays = new Map<number, Bay>()
  /** Bay of a place on the fixture, or of a unit where the port knows no place. */
  readonly #homeBay = new Map<string, number>()
  readonly #stopListening: () => void
  #closed = false

  /**
   * `attached` is told of a board at each port it appears on, also when it comes back in the middle of its run; `seen` only
   * of boards that take or leave a bay.
   */
  constructor(ports: Ports, clock: Clock, on: { row(row: BayView): void; rows(rows: BayView[]): void; attached(board: Occupied): void; seen?(what: 'attached' | 'detached', board: Occupied): void }, map: TaughtBays = noMap) {
    this.#ports = ports
    this.#clock = clock
    this.#onRow = on.row
    this.#onRows = on.rows
    this.#onAttached = on.attached
    this.#onSeen = on.seen ?? (() => {})
    this.#map = map
    this.#standEmpty()
    this.#stopListening = ports.onChange(() => this.#look())
    this.#look()
  }

  rows(): BayView[] {
    return [...this.#bays.values()].sort((a, b) => a.number - b.number).map((bay) => this.#rowOf(bay))
  }

  /** Boards attached now, by bay. */
  occupied(): Occupied[] {
    return [...this.#bays.values()]
      .sort((a, b) => a.number - b.number)
      .flatMap(({ number, unit, port }) => (unit === null || port === null ? [] : [{ bay: number, unit, port }]))
  }

  bayOf(port: Port): number | null {
    return this.#homeBay.get(homeOf(port)) ?? null
  }

  /** The bay map was changed: every board takes its bay anew. Only while no run is under way. */
  relay(): void {
    for (const bay of this.#bays.values()) bay.cancelRow?.()
    this.#bays.clear()
    this.#homeBay.clear()
    this.#standEmpty()
    this.#look()
    this.#onRows(this.rows())
  }

  /** Shows how a run stands in its bay. */
  show(bay: number, show: RunShow): void {
    const place = this.#bays.get(bay)
    if (place === undefined) return
    place.show = show
    this.#push(place)
    // An unplugged board keeps its name in the bay only while its run goes on.
    if (show.outcome !== null) this.#look()
  }

  /** No timer and no listener is left. */
  close(): void {
    this.#closed = true
    this.#stopListening()
    for (const bay of this.#bays.values()) bay.cancelRow?.()
  }

  #look(): void {
    if (this.#closed) return
    const ports = this.#ports.list().slice(0, baysMax)
    const attached = new Map<string, Port>()
    // Two boards with one serial number: the first one stands for it, and neither is mistaken for a moved one.
    for (const port of ports) if (!attached.has(port.unit)) attached.set(port.unit, port)
    for (const bay of this.#bays.values()) {
      if (bay.unit === null) continue
      const port = attached.get(bay.unit) ?? null
      const gone = port === null && !isRunning(bay)
      if (!gone && port?.path === bay.port?.path) continue
      if (gone && bay.lastPort !== null) this.#onSeen('detached', { bay: bay.number, unit: bay.unit, port: bay.lastPort })
      bay.port = port
      bay.lastPort = port ?? bay.lastPort
      if (gone) bay.unit = null
      this.#push(bay)
      if (port !== null && bay.unit !== null) this.#onAttached({ bay: bay.number, unit: bay.unit, port })
    }
    const bays = this.#bays.size
    for (const [unit, port] of attached) this.#settle(unit, port)
    // A bay that was not there before has no row to replace yet.
    if (this.#bays.size !== bays) this.#onRows(this.rows())
  }

  /** Gives an attached board its bay: the fixture's, else the one it had, else the first free one. */
  #settle(unit: string, port: Port): void {
    const known = this.#homeBay.get(homeOf(port))
    if (known !== undefined && this.#bays.get(known)?.unit === unit) return
    const taught = this.#map.bayAt(homeOf(port))
    const wanted = [taught, port.bay, known].find((number) => number !== null && number !== undefined && this.#isFree(number, taught)) ?? this.#firstFree()
    if (wanted === null) return
    const bay = this.#bays.get(wanted) ?? { number: wanted, unit: null, port: null, lastPort: port, show: null, sentMs: -Infinity, cancelRow: null }
    this.#bays.set(wanted, bay)
    this.#homeBay.set(homeOf(port), wanted)
    if (bay.show !== null && bay.show.unit !== unit) bay.show = null
    bay.unit = unit
    bay.port = port
    bay.lastPort = port
    this.#push(bay)
    this.#onSeen('attached', { bay: wanted, unit, port })
    this.#onAttached({ bay: wanted, unit, port })
  }

  /** A bay of another socket is nobody else's, occupied or not. */
  #isFree(number: number, taught: number | null): boolean {
    const bay = this.#bays.get(number)
    return number >= 1 && number <= baysMax && (bay === undefined || bay.unit === null) && (number === taught || !this.#map.isTaught(number))
  }

  /** The fixture's bays are there before any board is. */
  #standEmpty(): void {
    for (const number of this.#map.bays().slice(0, baysMax)) this.#bays.set(number, { number, unit: null, port: null, lastPort: null, show: null, sentMs: -Infinity, cancelRow: null })
  }

  #firstFree(): number | null {
    for (let number = 1; number <= baysMax; number++) if (this.#isFree(number, null)) return number
    return null
  }

  /** Why this board does not belong here: its socket is not on the map, or is another bay's. */
  #misplaced({ port, unit, number }: Bay): FailureView | null {
    if (port === null || unit === null) return null
    const other = this.#map.bayAt(homeOf(port)) ?? this.#homeBay.get(homeOf(port)) ?? number
    if (other !== number) return failureView(new Failure('other-bay', `${unit} began in bay ${number} and is plugged into bay ${other} now. Put it back into bay ${number}.`, { bay: other }))
    const left = [...this.#bays.values()].find((bay) => bay.number !== number && bay.unit === null && bay.show?.unit === unit && bay.show.failure?.kind === 'unplugged')
    if (left !== undefined) return failureView(new Failure('other-bay', `${unit} was unplugged from bay ${left.number} in the middle of its run and is in bay ${number} now. Put it back into bay ${left.number}.`, { bay: left.number }))
    if (port.practice || this.#map.bayAt(homeOf(port)) !== null || !this.#map.bays().some((bay) => this.#map.isTaught(bay))) return null
    return failureView(new Failure('unknown-place', `${unit} is plugged into a socket that is not on the bay map (${port.place ?? port.path}). Plug it into a bay of the fixture, or teach this socket.`))
  }

  #push(bay: Bay): void {
    if (this.#closed || bay.cancelRow !== null) return
    const wait = bay.sentMs + rowIntervalMs - this.#clock.monotonicMs()
    if (wait <= 0) return this.#send(bay)
    bay.cancelRow = this.#clock.after(wait, () => {
      bay.cancelRow = null
      this.#send(bay)
    })
  }

  #send(bay: Bay): void {
    bay.sentMs = this.#clock.monotonicMs()
    this.#onRow(this.#rowOf(bay))
  }

  #rowOf(bay: Bay): BayView {
    const { show } = bay
    const place = {
      bay: bay.number, board: bay.unit, port: bay.port?.path ?? null, practice: bay.port?.practice ?? false, place: bay.port?.place ?? null, misplaced: this.#misplaced(bay),
    }
    if (show === null) {
      return {
        ...place, run: null, phase: bay.unit === null ? null : 'attached', says: bay.unit === null ? 'Empty.' : 'Attached, waiting for a batch.', note: null,
        bytesDone: 0, bytesTotal: 0, bytesPerSecond: 0, secondsLeft: null, waitsUntil: null, runningVersion: null, targetVersion: null,
        outcome: null, failure: null, todo: null, activeHash: null, seconds: 0,
      }
    }
    const left = show.bytesTotal - show.bytesDone
    return {
      ...place, run: show.run, phase: show.phase, says: show.says, note: show.note, bytesDone: show.bytesDone, bytesTotal: show.bytesTotal,
      bytesPerSecond: show.bytesPerSecond, secondsLeft: show.phase === 'uploading' && show.bytesPerSecond > 0 ? left / show.bytesPerSecond : null,
      waitsUntil: show.waitsUntilMs === null ? null : new Date(this.#clock.wallMs() + show.waitsUntilMs - this.#clock.monotonicMs()).toISOString(),
      runningVersion: show.runningVersion, targetVersion: show.targetVersion, outcome: show.outcome, failure: show.failure,
      todo: show.outcome === null || show.failure === null ? null : todoOf(show.failure.kind),
      activeHash: show.activeHash, seconds: ((show.endedMs ?? this.#clock.monotonicMs()) - show.startedMs) / 1000,
    }
  }
}

const noMap: TaughtBays = { bays: () => [], bayAt: () => null, isTaught: () => false }

function isRunning(bay: Bay): boolean {
  return bay.show !== null && bay.show.outcome === null
}
