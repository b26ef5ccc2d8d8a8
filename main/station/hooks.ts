// Telling the factory: each hook walks the log from its place to the end, one event at a time, and moves on when the
// receiver has it. So order is the log's own (and with it each unit's), a restart goes on where it stood, an event may come
// twice but never silently not at all, and the line never waits: an append only rings a bell here.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { HookMadeView, HookView } from '../contract/factory.ts'
import { checkpointEvent } from '../factory/event.ts'
import type { FactoryEvent, Sink } from '../factory/event.ts'
import { openFolder } from '../factory/folder.ts'
import { checkAddress, openWebhook, secretText } from '../factory/webhook.ts'
import type { AuditStore } from '../store/audit.ts'
import { keptCheckpoints, readLogPublicKey } from '../store/checkpoints.ts'
import type { SignedCheckpoint } from '../store/checkpoints.ts'
import { diskFailure } from '../store/database.ts'
import { addHook, hooksMax, readHooks, readLetters, removeHook } from '../store/hooks.ts'
import type { HookBody, HookPlace } from '../store/hooks.ts'
import { writeDurably } from '../store/logkey.ts'
import { HookLine } from './hook-line.ts'
import type { Logbook } from './logbook.ts'

const secretBytes = 32
const lettersShown = 10
/** How long a station that closes goes on telling what waits. */
export const closeGraceMs = 2_000
/** Entries that come close together ring once. */
const bellMs = 50

export type HookWorld = Readonly<{
  home: string
  log: Logbook
  clock: Clock
  /** The station's name, for events that are no entries. */
  station: string
}>

const folderOfSecrets = (home: string): string => join(home, 'hooks')
const secretFile = (home: string, id: string): string => join(folderOfSecrets(home), `${id}.secret`)

export class Hooks {
  readonly #world: HookWorld
  readonly #lines = new Map<string, HookLine>()
  readonly #stopping = new AbortController()
  #unlisten: () => void = () => {}
  #cancelBell: (() => void) | null = null
  #checkpoint: FactoryEvent | null = null
  #closing: Promise<void> | null = null

  private constructor(world: HookWorld) {
    this.#world = world
  }

  /** Goes on where each hook stood. Fails as the disk does, and with `bad-hook`. */
  static open(world: HookWorld): Hooks | Failure {
    const stored = readHooks(world.log.audit.database)
    if (failed(stored)) return stored
    const hooks = new Hooks(world)
    if (stored.length > 0) hooks.#checkpoint = hooks.#keptCheckpoint()
    for (const { id, body, place } of stored) hooks.#open(id, body, place)
    hooks.#unlisten = world.log.audit.onAppended(() => hooks.#ring())
    hooks.#ring()
    return hooks
  }

  list(): HookView[] | Failure {
    const views: HookView[] = []
    for (const line of this.#lines.values()) {
      const view = this.#view(line)
      if (failed(view)) return view
      views.push(view)
    }
    return views
  }

  /** Kinds: `too-many-hooks`, `not-encrypted`, `address-inside`, the disk's and the log's. */
  addWebhook({ url, inside }: Readonly<{ url: string; inside: boolean }>): HookMadeView | Failure {
    const wrong = checkAddress(url, inside)
    if (wrong !== null) return wrong
    return this.#add({ to: 'webhook', target: url, inside })
  }

  /** Kinds: `not-absolute`, `no-such-folder`, and those of `addWebhook`. */
  addFolder(folder: string): HookMadeView | Failure {
    if (!isAbsolute(folder)) return new Failure('not-absolute', 'Name the folder by its full path.')
    if (!isFolder(folder)) return new Failure('no-such-folder', `There is no folder ${folder.slice(0, 500)}. Make it first; the station makes none, so that a share that is not mounted is not written beside.`)
    return this.#add({ to: 'folder', target: folder, inside: true })
  }

  #add(what: Pick<HookBody, 'to' | 'target' | 'inside'>): HookMadeView | Failure {
    const { home, log, clock } = this.#world
    if (this.#lines.size >= hooksMax) return new Failure('too-many-hooks', `A station has at most ${hooksMax} hooks. Remove one first.`)
    const id = `h${randomBytes(6).toString('hex')}`
    const body: HookBody = { version: 1, ...what, since: new Date(clock.wallMs()).toISOString() }
    const secret = what.to === 'webhook' ? randomBytes(secretBytes) : null
    const kept = secret === null ? null : keepSecret(home, id, secretText(secret))
    if (kept !== null) return kept
    const noted = log.recordAct({ kind: 'settings', data: { name: 'hooks', after: `${id} added: ${what.to} ${forLog(what)}` } }, 'administrator')
    if (failed(noted)) return noted
    const head = log.audit.head()
    if (failed(head)) return head
    const place: HookPlace = { next: head.size, checkpoint: head.size, told: 0, lost: 0, lastAt: null, tries: 0, sinceMs: null, says: null, kind: null }
    const added = addHook(log.audit.database, { id, body, place })
    if (added !== null) return added
    const view = this.#view(this.#open(id, body, place))
    return failed(view) ? view : { hook: view, secret: secret === null ? null : secretText(secret) }
  }

  /** Kinds: `no-such-hook`, the disk's and the log's. */
  async remove(id: string): Promise<HookView[] | Failure> {
    const line = this.#lines.get(id)
    if (line === undefined) return noSuchHook()
    const { home, log } = this.#world
    const noted = log.recordAct({ kind: 'settings', data: { name: 'hooks', before: `${id}: ${line.body.to} ${forLog(line.body)}`, after: `${id} removed` } }, 'administrator')
    if (failed(noted)) return noted
    const gone = removeHook(log.audit.database, id)
    if (gone !== null) return gone
    this.#lines.delete(id)
    await line.stop()
    rmSync(secretFile(home, id), { force: true })
    return this.list()
  }

  /** Sends a made-up event, at once and once. Kinds: `no-such-hook`, those of the receiver. */
  async test(id: string): Promise<HookView | Failure> {
    const line = this.#lines.get(id)
    if (line === undefined) return noSuchHook()
    const { clock, station } = this.#world
    const timestamp = new Date(clock.wallMs()).toISOString()
    const event: FactoryEvent = { id: `test-${randomBytes(16).toString('hex')}`, type: 'test', timestamp, station, entry: 0, person: '', kind: 'test', data: { says: 'A test from Slotwright. Nothing happened on the line.' } }
    const wrong = await line.sink.deliver(event, this.#stopping.signal)
    return wrong ?? this.#view(line)
  }

  /** Tells again from that entry on. Kinds: `no-such-hook`, `no-such-entry`, `too-far-back`, the disk's. */
  async rewind(id: string, entry: number): Promise<HookView | Failure> {
    const line = this.#lines.get(id)
    const head = this.#world.log.audit.head()
    if (line === undefined) return noSuchHook()
    if (failed(head)) return head
    if (entry > head.size) return new Failure('no-such-entry', `The log has ${head.size} entries, so there is no entry ${entry}.`)
    const kept = await line.rewind(entry)
    return kept ?? this.#view(line)
  }

  /** The newest one only: it covers all before it. */
  checkpointSigned(signed: SignedCheckpoint): void {
    this.#checkpoint = this.#eventOf(signed)
    this.#ring()
  }

  #eventOf(signed: Readonly<{ size: number; root: Uint8Array; origin: string; note: string }>): FactoryEvent {
    const { clock, station } = this.#world
    return checkpointEvent(signed, { timestamp: new Date(clock.wallMs()).toISOString(), station })
  }

  /** The last one signed before this start, which a hook may still have to tell. */
  #keptCheckpoint(): FactoryEvent | null {
    const { home } = this.#world
    const key = readLogPublicKey(home)
    const kept = key === null || failed(key) ? [] : keptCheckpoints(home, key, 1)
    // What cannot be read is for the log's own verification to name.
    const newest = failed(kept) ? undefined : kept[0]
    return newest === undefined ? null : this.#eventOf({ ...newest.checkpoint, note: newest.note })
  }

  /** Tells what waits, for a stated time, then keeps each place. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    this.#unlisten()
    this.#cancelBell?.()
    const { clock } = this.#world
    const cancel = clock.after(closeGraceMs, () => this.#stopping.abort())
    await Promise.all([...this.#lines.values()].map((line) => line.drain()))
    cancel()
    this.#stopping.abort()
    await Promise.all([...this.#lines.values()].map((line) => line.stop()))
  }

  #open(id: string, body: HookBody, place: HookPlace): HookLine {
    const line = new HookLine({ id, body, place, sink: this.#sinkOf(id, body), audit: this.#world.log.audit, clock: this.#world.clock, checkpoint: () => this.#checkpoint, turn: () => nextTurn(), signal: this.#stopping.signal })
    this.#lines.set(id, line)
    return line
  }

  #sinkOf(id: string, { to, target, inside }: HookBody): Sink {
    if (to === 'folder') return openFolder(target)
    const secret = readSecret(this.#world.home, id)
    return failed(secret) ? { deliver: () => Promise.resolve(secret), close: () => undefined } : openWebhook({ url: target, secret, inside, clock: this.#world.clock })
  }

  #ring(): void {
    if (this.#lines.size === 0 || this.#closing !== null) return
    this.#cancelBell ??= this.#world.clock.after(bellMs, () => {
      this.#cancelBell = null
      for (const line of this.#lines.values()) line.wake()
    })
  }

  #view(line: HookLine): HookView | Failure {
    return viewOf(this.#world.log.audit, line)
  }
}

/** How the hooks of a home stand, for whoever only reads it; when they try again is known to their station alone. */
export function hooksOf(audit: AuditStore): HookView[] | Failure {
  const stored = readHooks(audit.database)
  if (failed(stored)) return stored
  const views: HookView[] = []
  for (const hook of stored) {
    const view = viewOf(audit, { ...hook, again: null })
    if (failed(view)) return view
    views.push(view)
  }
  return views
}

function viewOf(audit: AuditStore, { id, body, place, again }: Pick<HookLine, 'id' | 'body' | 'place' | 'again'>): HookView | Failure {
  const [letters, head] = [readLetters(audit.database, id, lettersShown), audit.head()]
  if (failed(letters)) return letters
  if (failed(head)) return head
  const { to, target, inside, since } = body
  const trouble = place.says === null ? null : { kind: place.kind ?? '', says: place.says, facts: {}, tries: place.tries, again: again === null ? null : new Date(again).toISOString() }
  return { id, to, target, inside, since, told: place.told, lost: place.lost, lastAt: place.lastAt, behind: Math.max(0, head.size - place.next), trouble, letters }
}

const noSuchHook = (): Failure => new Failure('no-such-hook', 'There is no such hook any more.')

/** An address may carry a token in its path or behind its question mark; the log has the host. */
function forLog({ to, target }: Pick<HookBody, 'to' | 'target'>): string {
  return (to === 'folder' ? target : target.replace(/^(https?:\/\/[^/?]+)[/?].+$/i, '$1/…')).slice(0, 800)
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** For the owner alone, as the log's own key lies: whoever reads it can forge events to this one receiver, and nothing else. */
function keepSecret(home: string, id: string, text: string): Failure | null {
  try {
    mkdirSync(folderOfSecrets(home), { recursive: true, mode: 0o700 })
    writeDurably(secretFile(home, id), `${text}\n`, 0o600)
    return null
  } catch (error) {
    return diskFailure(error, secretFile(home, id))
  }
}

function readSecret(home: string, id: string): Uint8Array | Failure {
  const lost = new Failure('hook-secret-lost', 'The secret that signs this hook\'s events is gone (it is no part of a backup of the log). Remove the hook and make it again.')
  try {
    const secret = Buffer.from(readFileSync(secretFile(home, id), 'utf8').trim().replace(/^whsec_/, ''), 'base64')
    return secret.length === secretBytes ? secret : lost
  } catch {
    return lost
  }
}
