// One life of a station in a simulated world: its clock and its ports (the real watcher, with its real rules of identity,
// over simulated cables), and the moment at which it is killed. A kill is what SIGKILL is: the files stay as they are,
// ports fall free, boards notice nothing, and no code of that life has any effect afterwards.
import { Failure } from '../../../main/base/failure.ts'
import { PortWatcher } from '../../../main/link/ports.ts'
import type { PortSource } from '../../../main/link/sources.ts'
import type { Link } from '../../../main/smp/link.ts'
import { openFor, seenPort } from '../../../main/station/attached.ts'
import type { Port, PortHow, Ports } from '../../../main/station/ports.ts'
import type { LinkEnd } from '../link-end.ts'
import type { Cable } from './cable.ts'
import { LifeClock } from './clock.ts'
import type { WorldClock } from './clock.ts'

const never = new Promise<never>(() => {})

export class Life implements Ports {
  readonly clock: LifeClock
  readonly #cables: readonly Cable[]
  readonly #listeners = new Set<() => void>()
  readonly #links = new Set<LinkEnd>()
  #watcher: PortWatcher
  #beats = 0
  #killAt: number | null = null
  #dead = false
  #onKill: () => void = () => {}
  readonly killed: Promise<void>
  #tellKilled: () => void = () => {}

  constructor(world: WorldClock, cables: readonly Cable[]) {
    this.#cables = cables
    this.clock = new LifeClock(world, () => this.beat())
    this.killed = new Promise((resolve) => (this.#tellKilled = resolve))
    const source: PortSource = { name: 'cables', folder: null, list: () => Promise.resolve(cables.flatMap((cable) => cable.attached ?? [])) }
    this.#watcher = new PortWatcher([source], this.clock)
    this.#watcher.onChange(() => {
      for (const listener of [...this.#listeners]) listener()
    })
  }

  /** Kills this life at its nth beat from now; `atOnce` is called that very moment. */
  killAfter(beats: number, atOnce: () => void): void {
    this.#killAt = this.#beats + beats
    this.#onKill = atOnce
  }

  spare(): void {
    this.#killAt = null
  }

  /** Something this life just did or heard: each is a place where it may be killed. */
  beat(): void {
    this.#beats++
    if (this.#killAt !== null && this.#beats >= this.#killAt) this.kill()
  }

  kill(): void {
    if (this.#dead) return
    this.#dead = true
    this.clock.cut()
    for (const cable of this.#cables) cable.abandon()
    this.#listeners.clear()
    this.#onKill()
    this.#tellKilled()
  }

  get isDead(): boolean {
    return this.#dead
  }

  /** Listeners on ports and links that nobody took away. */
  get listeners(): number {
    return this.#listeners.size + [...this.#links].reduce((sum, link) => sum + link.listeners, 0)
  }

  start(): Promise<void> {
    return this.#watcher.start()
  }

  list(): readonly Port[] {
    return this.#watcher.ports.map(seenPort)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async open(path: string, _how?: PortHow, unit?: string): Promise<Link | Failure> {
    if (unit === undefined) return await this.#openCable(path)
    return await openFor(unit, path, () => this.#isAt(path, unit), () => this.#openCable(path))
  }

  async #isAt(path: string, unit: string): Promise<boolean> {
    await this.#watcher.look()
    return this.#dead ? never : this.list().some((port) => port.path === path && port.unit === unit)
  }

  async #openCable(path: string): Promise<Link | Failure> {
    if (this.#dead) return never
    const link = this.#cables.find((cable) => cable.attached?.path === path)?.open() ?? new Failure('no-such-port', `There is no port ${path}.`)
    if (link instanceof Failure) return link
    this.#links.add(link)
    const write = link.write.bind(link)
    link.write = (bytes) => {
      this.beat()
      return this.#dead ? never : write(bytes)
    }
    this.beat()
    return link
  }

  async addFolder(): Promise<Failure> {
    return new Failure('no-folder', 'A simulated world has no practice folders.')
  }

  async close(): Promise<void> {
    this.#listeners.clear()
    await this.#watcher.stop()
  }
}
