// What is attached, live. A board is known by its serial number, never by its port's name: names are given out again
// when several boards restart at once. Where a serial number is missing, or two boards claim the same one, the place in the
// USB tree decides. Folders of practice boards are watched by the system and looked at again every second all the same,
// since file watching may miss a change; real ports are looked at every second.
import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import { folderSource, pathSource, portsIn, practicePatternSource } from './named.ts'
import { practiceFile, practicePortSource, practiceSource } from './sources.ts'
import type { AttachedPort, PortSource } from './sources.ts'

/** How often ports are looked for when nothing announces a change. */
export const lookEveryMs = 1000

export type WatchedPort = AttachedPort &
  Readonly<{
    /** Who it is, for as long as the watcher lives: the same board has the same identity on whatever port. */
    identity: string
    /** Rises with each appearance of any port: a board that went away and came back has a higher one than before. */
    appearance: number
  }>

export type PortChange = Readonly<
  | { is: 'appeared'; port: WatchedPort }
  | { is: 'vanished'; port: WatchedPort }
  /** The same board on another device between two looks: it was away, too briefly to be seen missing. */
  | { is: 'moved'; port: WatchedPort; from: WatchedPort }
>

/** Which board to wait for; every field given must be equal. */
export type PortWanted = Readonly<{
  serial?: string
  identity?: string
  path?: string
  hubPath?: string
  /** Only an appearance later than this one: waits for a board to come back rather than finding it not yet gone. */
  afterAppearance?: number
}>

export class PortWatcher {
  readonly #sources: readonly PortSource[]
  readonly #clock: Clock
  readonly #listeners = new Set<(change: PortChange) => void>()
  readonly #troubleListeners = new Set<(failure: Failure, source: string) => void>()
  readonly #folders: FSWatcher[] = []
  readonly #troubles = new Map<string, string>()
  readonly #twins: Twins = new Map()
  #present = new Map<string, WatchedPort>()
  #appearances = 0
  #running = false
  #looking: Promise<void> | null = null
  /** The look after the one under way. */
  #next: Promise<void> | null = null
  #stopTimer = () => {}

  constructor(sources: readonly PortSource[], clock: Clock) {
    this.#sources = sources
    this.#clock = clock
  }

  /** Takes the first look and begins to watch. Failures of a source are told to `onTrouble`, not returned. */
  async start(): Promise<void> {
    this.#running = true
    for (const { folder } of this.#sources) if (folder !== null) this.#watchFolder(folder)
    await this.look()
    this.#tick()
  }

  /** Ends the watching; no timer, file watch or listener stays. Waits for a look under way. */
  async stop(): Promise<void> {
    this.#running = false
    this.#stopTimer()
    for (const folder of this.#folders.splice(0)) folder.close()
    this.#listeners.clear()
    this.#troubleListeners.clear()
    await (this.#next ?? this.#looking)
  }

  /** What is attached, as of the last look. */
  get ports(): readonly WatchedPort[] {
    return [...this.#present.values()]
  }

  onChange(listener: (change: PortChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls back when a source cannot be read, once until it says something else. */
  onTrouble(listener: (failure: Failure, source: string) => void): () => void {
    this.#troubleListeners.add(listener)
    return () => this.#troubleListeners.delete(listener)
  }

  /** Looks now; calls during a look share the next one, and wait for no other: whoever opens a port does so after a look of its own. */
  look(): Promise<void> {
    if (this.#next !== null) return this.#next
    if (this.#looking === null) return this.#begin()
    const after = () => {
      this.#next = null
      return this.#begin()
    }
    this.#next = this.#looking.then(after, after)
    return this.#next
  }

  /**
   * The port of the wanted board, at once when it is there. Failure kinds: `no-return` after `timeoutMs`, `stopped`
   * when the signal is aborted.
   */
  waitFor(wanted: PortWanted, options: { timeoutMs: number; signal?: AbortSignal }): Promise<WatchedPort | Failure<'no-return' | 'stopped'>> {
    return new Promise((resolve) => {
      const { timeoutMs, signal } = options
      const who = wanted.serial ?? wanted.identity ?? wanted.path ?? wanted.hubPath ?? 'the board'
      const find = () => this.ports.find((port) => isWanted(port, wanted))
      const found = find()
      if (found) return resolve(found)
      const stopping = new Failure('stopped', `Waiting for ${who} was stopped.`)
      if (signal?.aborted) return resolve(stopping)
      const stopped = () => finish(stopping)
      const listening = this.onChange(() => {
        const port = find()
        if (port) finish(port)
      })
      const cancel = this.#clock.after(timeoutMs, () =>
        finish(new Failure('no-return', `${who} did not come back within ${timeoutMs / 1000} s. Check its power and cable; its firmware may hang.`, { timeoutMs })),
      )
      signal?.addEventListener('abort', stopped, { once: true })
      function finish(result: WatchedPort | Failure<'no-return' | 'stopped'>): void {
        listening()
        cancel()
        signal?.removeEventListener('abort', stopped)
        resolve(result)
      }
    })
  }

  #tick(): void {
    if (!this.#running) return
    this.#stopTimer = this.#clock.after(lookEveryMs, () => void this.look().then(() => this.#tick()))
  }

  #watchFolder(folder: string): void {
    try {
      const watching = watch(folder, { persistent: false }, (_, name) => {
        if (name === null || name === practiceFile) void this.look()
      })
      watching.on('error', () => watching.close())
      this.#folders.push(watching)
    } catch {
      // The folder is not there yet; the look every second will find it.
    }
  }

  #begin(): Promise<void> {
    this.#looking = this.#lookOnce().finally(() => (this.#looking = null))
    return this.#looking
  }

  async #lookOnce(): Promise<void> {
    if (!this.#running) return
    const lists = await Promise.all(this.#sources.map((source) => this.#listOf(source)))
    if (this.#running) this.#compare(identify(lists.flat(), this.#present, this.#twins))
  }

  async #listOf(source: PortSource): Promise<readonly AttachedPort[]> {
    const list = await source.list()
    if (!(list instanceof Failure)) {
      this.#troubles.delete(source.name)
      return list
    }
    if (this.#troubles.get(source.name) !== list.says) {
      this.#troubles.set(source.name, list.says)
      for (const listener of this.#troubleListeners) listener(list, source.name)
    }
    return []
  }

  #compare(now: ReadonlyMap<string, AttachedPort>): void {
    const before = this.#present
    const present = new Map<string, WatchedPort>()
    const changes: PortChange[] = []
    for (const [identity, port] of before) if (!now.has(identity)) changes.push({ is: 'vanished', port })
    for (const [identity, port] of now) {
      const known = before.get(identity)
      const stays = known !== undefined && known.path === port.path && known.device === port.device
      const watched = { ...port, identity, appearance: stays ? known.appearance : ++this.#appearances }
      present.set(identity, watched)
      if (!known) changes.push({ is: 'appeared', port: watched })
      else if (!stays) changes.push({ is: 'moved', port: watched, from: known })
    }
    this.#present = present
    for (const change of changes) for (const listener of [...this.#listeners]) listener(change)
  }
}

function isWanted(port: WatchedPort, wanted: PortWanted): boolean {
  return (
    (wanted.serial === undefined || port.serial === wanted.serial) &&
    (wanted.identity === undefined || port.identity === wanted.identity) &&
    (wanted.path === undefined || port.path === wanted.path) &&
    (wanted.hubPath === undefined || port.hubPath === wanted.hubPath) &&
    (wanted.afterAppearance === undefined || port.appearance > wanted.afterAppearance)
  )
}

/** Names that two boards claimed at once, and which identity each of those has at its place. */
type Twins = Map<string, Map<string, string>>
const twinPlacesMax = 1_000

/**
 * Serial number where it is alone, place where it is not; several ports of one USB device are told apart by name. Who is
 * known already keeps his identity, also when a second board with the same serial number is plugged in beside him, and a
 * board with such a twin has the identity of its place back when it returns there: a run waits for it by that name.
 */
function identify(ports: readonly AttachedPort[], known: ReadonlyMap<string, WatchedPort>, twins: Twins): Map<string, AttachedPort> {
  const identified = new Map<string, AttachedPort>()
  const places = new Map([...known.values()].map((port) => [`${nameOf(port)} ${placeOf(port)} ${port.device}`, port.identity]))
  const strangers: AttachedPort[] = []
  const claims = new Map<string, number>()
  for (const port of ports) {
    const name = nameOf(port)
    if (name !== null) claims.set(name, (claims.get(name) ?? 0) + 1)
    const identity = places.get(`${name} ${placeOf(port)} ${port.device}`)
    if (identity !== undefined && !identified.has(identity)) identified.set(identity, port)
    else strangers.push(port)
  }
  for (const [name, count] of claims) if (count > 1 && !twins.has(name)) twins.set(name, new Map())
  for (const [identity, port] of identified) remember(port, identity, twins)
  for (const port of strangers) {
    const name = nameOf(port)
    const place = placeOf(port)
    const twin = name === null ? undefined : twins.get(name)
    let identity = twin?.get(place) ?? (name === null ? place : twin === undefined ? name : `${name} at ${place}`)
    if (identified.has(identity)) identity = `${identity} ${basename(port.path)}`
    identified.set(identity, port)
    remember(port, identity, twins)
  }
  return identified
}

function remember(port: AttachedPort, identity: string, twins: Twins): void {
  const places = twins.get(nameOf(port) ?? '')
  const place = placeOf(port)
  if (places !== undefined && places.size < twinPlacesMax && !places.has(place)) places.set(place, identity)
}

function nameOf(port: AttachedPort): string | null {
  return port.serial === null ? null : `${port.vendorId ?? ''}:${port.productId ?? ''}:${port.serial}`
}

function placeOf(port: AttachedPort): string {
  return port.hubPath ?? (port.bay === null ? port.path : `bay ${port.bay}`)
}

/**
 * Sources for what somebody wrote after `--ports`: a practice folder, a folder of ports, a port, or a pattern with `*` and `?`
 * in its last part. Failure kinds: `no-such-port`, `no-ports`.
 */
export async function portSources(text: string): Promise<readonly PortSource[] | Failure<'no-such-port' | 'no-ports'>> {
  const path = resolve(text)
  const about = await stat(path).catch(() => null)
  if (about?.isDirectory()) {
    const names = await readdir(path)
    if (names.includes(practiceFile)) return [practiceSource(path)]
    const every = () => true
    if ((await portsIn(path, every)).length > 0) return [folderSource(text, path, every)]
    return new Failure('no-ports', `${text} holds no serial ports. Give a practice folder, a port, or a pattern such as "/dev/ttyACM*".`)
  }
  if (about) return [await portSource(path)]
  if (/[*?]/.test(basename(path))) {
    const pattern = wildcard(basename(path))
    const fits = (name: string) => pattern.test(name)
    const folder = dirname(path)
    if ((await portsIn(folder, fits)).length > 0) return [(await isPracticeFolder(folder)) ? practicePatternSource(text, folder, fits) : folderSource(text, folder, fits)]
    return new Failure('no-ports', `Nothing matches ${text}. "slotwright ports" lists what is attached.`)
  }
  return new Failure('no-such-port', `There is no port ${text}. Check that the board is plugged in; "slotwright ports" lists what is attached.`)
}

/** A port that was named; one of a practice folder is that board, wherever it goes. */
async function portSource(path: string): Promise<PortSource> {
  const folder = dirname(path)
  return (await isPracticeFolder(folder)) ? practicePortSource(folder, path) : pathSource(path)
}

function isPracticeFolder(folder: string): Promise<boolean> {
  return stat(join(folder, practiceFile)).then(() => true, () => false)
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`)
}

/** The ports behind such a text as they are now, in order. Failure kinds of `portSources` and of `PortSource.list`. */
export async function expandPorts(text: string): Promise<readonly AttachedPort[] | Failure> {
  const sources = await portSources(text)
  if (sources instanceof Failure) return sources
  const ports: AttachedPort[] = []
  for (const source of sources) {
    const list = await source.list()
    if (list instanceof Failure) return list
    ports.push(...list)
  }
  return ports
}
