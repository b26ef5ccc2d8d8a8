// The real Ports: the link room's watchers and serial ports behind the station's seam. One watcher for what was named or
// the system shows, and one for each practice folder that joins later.
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { PortWatcher, portSources } from '../link/ports.ts'
import type { WatchedPort } from '../link/ports.ts'
import { openSerial } from '../link/serial.ts'
import { practiceSource, systemSource } from '../link/sources.ts'
import type { PortSource } from '../link/sources.ts'
import type { Link } from '../smp/link.ts'
import type { Port, PortHow, Ports } from './ports.ts'

export type PortsWanted = Readonly<{
  /** `system`: every serial port there is. Otherwise folders, ports and patterns as on the command line. */
  from: 'system' | readonly string[]
  clock: Clock
  /** Symbols a second on real ports. Default 115,200. */
  baudRate?: number
}>

/** Starts watching. Failures of a named port: `no-such-port`, `no-ports`. */
export async function watchPorts(wanted: PortsWanted): Promise<Ports | Failure> {
  const sources: PortSource[] = []
  for (const text of wanted.from === 'system' ? [] : wanted.from) {
    const some = await portSources(text)
    if (failed(some)) return some
    sources.push(...some)
  }
  if (wanted.from === 'system') sources.push(systemSource())
  const ports = new AttachedPorts(wanted.clock, wanted.baudRate ?? 115_200)
  await ports.add(sources)
  return ports
}

class AttachedPorts implements Ports {
  readonly #clock: Clock
  readonly #baudRate: number
  readonly #watchers = new Set<PortWatcher>()
  readonly #listeners = new Set<() => void>()

  constructor(clock: Clock, baudRate: number) {
    this.#clock = clock
    this.#baudRate = baudRate
  }

  async add(sources: readonly PortSource[]): Promise<() => Promise<void>> {
    const watcher = new PortWatcher(sources, this.#clock)
    watcher.onChange(() => this.#tell())
    await watcher.start()
    this.#watchers.add(watcher)
    this.#tell()
    return async () => {
      this.#watchers.delete(watcher)
      await watcher.stop()
      this.#tell()
    }
  }

  list(): readonly Port[] {
    return [...this.#watchers].flatMap((watcher) => watcher.ports.map(seenPort))
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async open(path: string, how: PortHow = {}, unit?: string): Promise<Link | Failure> {
    const open = () => openSerial({ path, ...how, baudRate: how.baudRate ?? this.#baudRate })
    return unit === undefined ? await open() : await openFor(unit, path, () => this.#isAt(path, unit), open)
  }

  async #isAt(path: string, unit: string): Promise<boolean> {
    await Promise.all([...this.#watchers].map((watcher) => watcher.look()))
    return this.list().some((port) => port.path === path && port.unit === unit)
  }

  async addFolder(folder: string): Promise<() => Promise<void>> {
    return await this.add([practiceSource(folder)])
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    await Promise.all([...this.#watchers].map((watcher) => watcher.stop()))
    this.#watchers.clear()
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

/**
 * Opens a port for one board; `isThere` takes a fresh look whether it is behind the name. Failures: those of `open`, and
 * `not-there`, when another board has the name by now.
 */
export async function openFor(unit: string, path: string, isThere: () => Promise<boolean>, open: () => Promise<Link | Failure>): Promise<Link | Failure> {
  const gone = () => new Failure('not-there', `The board ${unit} is not at ${path} any more. Plug it in again.`, { port: path })
  // Another board's port is not even opened: that would reset it, or keep its own run out.
  if (!(await isThere())) return gone()
  const link = await open()
  if (failed(link) || (await isThere())) return link
  // Behind an open port nobody else comes up, so this second look was final.
  await link.close()
  return gone()
}

/** A watched port as the station knows it: `unit` is the shortest true name of its board. */
export function seenPort(port: WatchedPort): Port {
  const usb = port.vendorId === null ? null : `${port.vendorId}:${port.productId ?? '????'}`
  return {
    path: port.path, unit: unitOf(port), serial: port.serial, bay: port.bay, place: port.hubPath,
    maker: port.manufacturer, usb, practice: port.practice,
  }
}

/** The watcher's identity holds vendor, product and serial number, or a place; people and logs want the shortest that is true. */
function unitOf(port: WatchedPort): string {
  const alone = port.serial !== null && port.identity === `${port.vendorId ?? ''}:${port.productId ?? ''}:${port.serial}`
  if (alone) return port.serial.slice(0, 128)
  // The same place as the watcher goes by: a practice board's port has another name after each restart.
  const place = port.hubPath ?? (port.bay === null ? port.path : `bay ${port.bay}`)
  return `${port.serial ?? 'unnamed'} at ${place}`.slice(0, 128)
}
