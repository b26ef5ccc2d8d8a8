// The contract's calls about the fixture and a board met for the first time: lay out and teach the bays, blink, diagnose,
// and take the serial number that somebody scanned.
import { Failure, failed } from '../base/failure.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { ConsoleAnswerView, ConsoleHeardView } from '../contract/engineer.ts'
import type { BatchView, BayView } from '../contract/views.ts'
import type { BayMapView, DiagnosisView } from '../contract/line-views.ts'
import type { AuditStore } from '../store/audit.ts'
import type { Batch } from './batch.ts'
import type { BayMap } from './bay-map.ts'
import { changesBoard, runConsole } from './console.ts'
import type { DiagnosisWorld } from './first-board.ts'
import { blinkBoard, diagnosePort, ratesTried } from './first-board.ts'
import type { Fleet } from './fleet.ts'
import type { Logbook } from './logbook.ts'
import type { Port } from './ports.ts'
import { profileNamed } from './profile-calls.ts'
import type { World } from './world.ts'

export type FixtureWorld = Pick<DiagnosisWorld, 'ports' | 'clock'> & Readonly<{
  bayMap: BayMap
  fleet: Fleet
  audit: AuditStore
  log: Logbook
  batch(): Batch | null
  /** Ports that are being diagnosed or blinked now. */
  busyPorts: Set<string>
  /** The rate at which the station opens ports: tried first. */
  lineRate(): number
  onDiagnosis(view: DiagnosisView): void
}>

function freePort(world: FixtureWorld, path: string): Port | Failure {
  const port = world.ports.list().find((each) => each.path === path)
  if (port === undefined) return new Failure('no-such-port', 'This port is not attached any more. Look again.')
  if (world.batch()?.isWorkingOn(path) === true) return new Failure('port-held', `A run is working on ${path}. Wait until it has ended.`)
  return world.busyPorts.has(path) ? new Failure('port-held', `${path} is being asked already. Wait a moment.`) : port
}

async function alone<T>(world: FixtureWorld, path: string, work: (port: Port) => Promise<T | Failure>): Promise<T | Failure> {
  const port = freePort(world, path)
  if (failed(port)) return port
  world.busyPorts.add(path)
  try {
    return await work(port)
  } finally {
    world.busyPorts.delete(path)
  }
}

export function diagnose(world: FixtureWorld, path: string): Promise<DiagnosisView | Failure> {
  const rates = [...new Set([world.lineRate(), ...ratesTried])]
  return alone(world, path, (port) => diagnosePort(port, { rates, ports: world.ports, clock: world.clock, onChange: world.onDiagnosis }))
}

export function blink(world: FixtureWorld, path: string): Promise<{ answered: number } | Failure> {
  return alone(world, path, (port) => blinkBoard(port, world.ports, world.clock))
}

/** Bays change their numbers: not while a batch counts by them. */
function changed(world: FixtureWorld, what: string, change: () => void | Failure): BayMapView | Failure {
  const batch = world.batch()
  if (batch !== null && !batch.isOver) return new Failure('batch-running', 'A batch is running. Change the bay map when it has ended.')
  const refused = change()
  if (failed(refused)) return refused
  const noted = world.log.recordAct({ kind: 'settings', data: { name: 'bay map', after: what.slice(0, 1000) } }, 'engineer')
  if (failed(noted)) return noted
  world.fleet.relay()
  return world.bayMap.view()
}

export function layBays(world: FixtureWorld, rows: number, columns: number): BayMapView | Failure {
  return changed(world, `${rows} rows of ${columns} bays`, () => world.bayMap.lay(rows, columns))
}

export function teachBay(world: FixtureWorld, bay: number, path: string | null): BayMapView | Failure {
  const port = path === null ? null : world.ports.list().find((each) => each.path === path)
  if (port === undefined) return new Failure('no-such-port', 'This board is not attached any more. Plug it in again.')
  return changed(world, port === null ? `bay ${bay} forgot its socket` : `bay ${bay} is ${port.place ?? port.unit}`, () => world.bayMap.teach(bay, port))
}

/** Kinds: `no-batch`, those of `Batch.nameUnit`, and the log's. */
export function nameUnit(world: FixtureWorld, serial: string, bay: BayView['bay'] | null): BatchView | Failure {
  const batch = world.batch()
  if (batch === null || batch.isOver) return new Failure('no-batch', 'No batch is running. Start it first, then scan the unit.')
  const known = world.audit.list({ kind: 'unit-named', text: serial, limit: 500 })
  if (failed(known)) return known
  const data = known.flatMap(({ entry }) => (failed(entry) ? [] : [entry.data])).find((each) => each['serial'] === serial)
  return batch.nameUnit(serial, bay, typeof data?.['unit'] === 'string' ? data['unit'] : null)
}

/**
 * One more run for a board that failed: in the batch while it runs, else in a new batch by the same order, which is checked
 * anew. Kinds: `no-batch`, those of `Batch.retry`, of starting a batch, and the log's.
 */
export async function retryBay(world: FixtureWorld, bay: number, again: ((bay: number) => Promise<BatchView | Failure>) | null): Promise<BatchView | Failure> {
  const batch = world.batch()
  if (batch === null || again === null) return new Failure('no-batch', 'No batch was run since the station started. Start one.')
  const free = world.fleet.occupied().find((each) => each.bay === bay)
  const freed = free === undefined ? null : freePort(world, free.port.path)
  if (failed(freed)) return freed
  const retry = batch.retry(bay)
  if (failed(retry)) return retry
  const { board, begin } = retry
  const failure = world.fleet.rows().find((row) => row.bay === bay)?.failure?.kind
  const noted = world.log.recordAct({ kind: 'retry-asked', data: { unit: board.unit, batch: batch.order.id, bay, ...(failure === undefined ? {} : { failure: failure.slice(0, 64) }) } }, 'engineer')
  if (failed(noted)) return noted
  if (begin === null) return await again(bay)
  begin()
  return batch.view()
}

/** One command on one board's console. Kinds: `no-such-port`, `port-held`, `batch-running`, those of `findProfile` and of the log. */
export async function consoleCall(calls: World, world: FixtureWorld, { port, profile: name, command, listenSeconds }: CheckedArgsOf<'boardConsole'>): Promise<ConsoleAnswerView | Failure> {
  const isRunning = () => {
    const batch = world.batch()
    return batch !== null && !batch.isOver
  }
  const profile = await profileNamed(calls, name)
  if (failed(profile)) return profile
  if (changesBoard(command) && isRunning()) return new Failure('batch-running', 'A batch is running. A command that changes a board waits until it has ended, so that no run is mixed up with it.')
  const consoleWorld = { ports: world.ports, clock: world.clock, log: world.log, onHeard: (heard: ConsoleHeardView) => calls.emit({ is: 'console', heard }), mayFollow: () => !isRunning() }
  return await alone(world, port, (found) => calls.consoles.during(port, (stop) => runConsole(consoleWorld, found, profile, command, listenSeconds, stop)))
}
