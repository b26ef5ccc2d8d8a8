// The one place where the rooms meet: opens log, keys, ports and practice line, and answers the contract's calls with
// them. What is opened goes on one list and is closed from its end; runs are stopped, and awaited, before anything else.
// Arguments are checked here, whoever calls: the window's bridge, the command line and the tests are equal clients.
import { randomBytes, randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { z } from 'zod'
import { realClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { StationApi } from '../contract/api.ts'
import { languageNames } from '../contract/views.ts'
import type { AboutView, SettingsView, StationEvent } from '../contract/views.ts'
import { Keyring } from '../keys/keyring.ts'
import { openAuditStore } from '../store/audit.ts'
import type { AuditStore } from '../store/audit.ts'
import { readSetting } from '../store/settings.ts'
import { watchPorts } from './attached.ts'
import { BayMap } from './bay-map.ts'
import { handlersOf } from './calls.ts'
import type { World } from './calls.ts'
import { keepCheckpoints, readCheckpointSettings } from './checkpoints.ts'
import { Consoles } from './console.ts'
import type { DeskWorld } from './desk.ts'
import { Door, factoryName } from './door.ts'
import { OpenFiles } from './files.ts'
import { OpenFirmwareKeys } from './firmware-keys.ts'
import { Fleet } from './fleet.ts'
import { readable, text } from './history.ts'
import { keysFolderOf, knownKeysFolderOf, makeHome } from './home.ts'
import { Hooks } from './hooks.ts'
import { Logbook } from './logbook.ts'
import type { Turn } from './logbook.ts'
import { People } from './people.ts'
import type { Cost } from './pin-hash.ts'
import type { Ports } from './ports.ts'
import { Questions } from './questions.ts'
import { Practice, ownProcessHost } from './practice.ts'
import type { PracticeHost } from './practice.ts'
import type { Paper } from './reports.ts'
import { Searches } from './searches.ts'
import { openSessions } from './sessions.ts'
import type { Session, SessionOptions } from './session.ts'
import { openTokens } from './tokens.ts'
import type { Installed } from './installation.ts'
import { Updates } from './updates.ts'
import { usbOnly } from './usb-only.ts'

export type StationOptions = Readonly<{
  home: string
  /** Version of the program, as package.json has it. */
  version: string
  runtime?: AboutView['runtime']
  /** `system` (default), `usb` for those of the system that may become bays by themselves, names as on the command line, or another implementation of the seam. */
  ports?: 'system' | 'usb' | readonly string[] | Ports
  baudRate?: number
  clock?: Clock
  practiceHost?: PracticeHost
  /** Makes PDF and prints; without it reports are HTML. */
  paper?: Paper
  /** The built main/keys/pkcs11-process.ts; without it there are no keys in hardware. */
  tokenEntry?: string
  /** Who acts, for this session; the stored setting otherwise. */
  person?: string
  /** What hashing a PIN costs; badges are found only at the cost they were made with. */
  pinCost?: Cost
  /** Ids of sessions, batches and runs; random unless a simulation counts them. */
  newId?: (kind: 'session' | 'batch' | 'run') => string
  /** How this station was installed (installation.ts); null, or left out, when it runs from its sources. */
  installed?: Installed | null
  /** The build's NOTICES.txt. */
  noticesFile?: string
  /** Looks for a newer version now, where the owner has set that; for programs that stay open. */
  looksForUpdates?: boolean
  /** Opens the HTTP interface, where the owner has turned that on; for programs that stay open. */
  opensDoor?: boolean
  /** Texts for echo proofs. */
  nonce?: () => string
  /** How log entries wait for one another; until the event loop turns, unless a simulation turns it. */
  turn?: Turn
}>

/** The contract's calls on a station are those of its own first session, as the command line has it. */
export type Station = StationApi & Readonly<{
  /** Another client, with nobody signed in; closed with the station or before. */
  seat(options?: SessionOptions): Session
  /** Every event, whoever is signed in: for what stands below the clients. */
  watch(listener: (event: StationEvent) => void): () => void
  home: string
  audit: AuditStore
  /** Runs without an outcome that an earlier station start left behind and this one closed. */
  closedRuns: number
  /** Resolves when the present batch has ended; at once when there is none. */
  batchEnded(): Promise<void>
  /** Stops runs, then gives everything back, last opened first. Safe to call twice. */
  close(): Promise<void>
}>

const settingsSchema = z.object({ theme: z.enum(['system', 'light', 'dark', 'contrast']), language: z.enum(['system', ...languageNames]).default('system'), person: z.string().min(1).max(80), baudRate: z.number().int().min(1200).max(20_000_000).default(115_200) })
const logEventEveryMs = 100

/**
 * Opens the station of a home. Failures are sentences for the person: a home that cannot be written, a database that is
 * newer, damaged, locked or not ours, a port that does not exist.
 */
export async function openStation(options: StationOptions): Promise<Station | Failure> {
  const opened: (() => void | Promise<void>)[] = []
  const closeAll = async () => {
    for (let close = opened.pop(); close !== undefined; close = opened.pop()) await close()
  }
  const station = await assemble(options, opened, closeAll)
  if (failed(station)) await closeAll()
  return station
}

async function assemble(options: StationOptions, opened: (() => void | Promise<void>)[], closeAll: () => Promise<void>): Promise<Station | Failure> {
  const { home } = options
  const clock = options.clock ?? realClock
  const newId = options.newId ?? ((kind) => `${kind.charAt(0)}-${randomUUID()}`)
  const made = await makeHome(home)
  if (failed(made)) return made

  const audit = openAuditStore(home, { station: hostname().slice(0, 200) || 'station', session: newId('session'), clock })
  if (failed(audit)) return audit
  opened.push(() => audit.close())
  const settings = readSetting<SettingsView>(audit.database, 'station', settingsSchema, { theme: 'system', language: 'system', person: personHere(), baudRate: 115_200 })
  if (failed(settings)) return settings
  const log = new Logbook(audit, options.person ?? settings.person, options.turn, clock)
  const closedRuns = noteStart(log, options)
  if (failed(closedRuns)) return closedRuns
  const station = hostname().slice(0, 200) || 'station'
  const hooks = Hooks.open({ home, log, clock, station })
  if (failed(hooks)) return hooks
  // Closed behind the last checkpoint, which is told too.
  opened.push(() => hooks.close())
  const checkpointSettings = readCheckpointSettings(audit)
  if (failed(checkpointSettings)) return checkpointSettings
  const keeper = keepCheckpoints(audit, clock, checkpointSettings, ({ kind, says }) => {
    log.record([{ kind: 'refusal', data: { what: 'keep a checkpoint', failure: kind.slice(0, 64), says: says.slice(0, 1000) } }])
  }, (signed) => hooks.checkpointSigned(signed))
  opened.push(async () => {
    // If the log cannot take it, the next start shows that this one has no end.
    await keeper.close()
    log.close()
    if (log.record([{ kind: 'station-stopped', data: {} }]) === null) await keeper.sign()
  })

  const people = People.open(log, clock, options.pinCost)
  if (failed(people)) return people

  const listeners = new Set<(event: StationEvent) => void>()
  const emit = (event: StationEvent) => {
    for (const listener of [...listeners]) tell(listeners, listener, event)
  }
  opened.push(() => listeners.clear(), tellLogSize(audit, clock, emit))

  const ports = await portsFor(options, clock)
  if (failed(ports)) return ports
  opened.push(() => ports.close())

  const tokens = openTokens(options.tokenEntry ?? null, audit.database, log, () => emit({ is: 'tokens' }))
  audit.reachTokens((uri, publicKey) => tokens?.signer(uri, publicKey) ?? new Failure('no-pkcs11', 'The log\'s key lies in a token, and this station was started without the process that talks to tokens.'))
  // Closing ends the tokens' processes, and with them all that is left of a PIN.
  opened.push(async () => tokens?.close())
  const firmwareKeys = new OpenFirmwareKeys()
  opened.push(() => firmwareKeys.lock())
  const desk: DeskWorld = { keyring: new Keyring(keysFolderOf(home), clock), known: new Keyring(knownKeysFolderOf(home), clock), tokens, files: new OpenFiles(), firmwareKeys, log, clock }
  const questions = new Questions(clock, (open) => emit({ is: 'questions', questions: open }))
  const updates = Updates.open({
    home, version: options.version, installed: options.installed ?? null, database: audit.database, log, clock,
    batchRuns: () => world.batch !== null && world.batch.view().status !== 'ended', onChange: (update) => emit({ is: 'update', update }),
  })
  if (failed(updates)) return updates
  const door = Door.read({ home, log, clock, seat: () => (failed(sessions) ? own : sessions.open({ acts: { name: factoryName, roles: ['operator'] } })) })
  if (failed(door)) return door
  // What it finds is told as an event; what goes wrong is in the log, and nobody waits for it.
  if (options.looksForUpdates === true && updates.view().atStart) void updates.check()
  const world: World = {
    updates, hooks, door, noticesFile: options.noticesFile ?? null,
    questions, baudRate: options.baudRate ?? null,
    home, about: about(options), nonce: options.nonce ?? (() => toHex(randomBytes(8))), clock, newId, audit, log, desk, ports, emit, people, peopleChanged: () => (failed(sessions) ? undefined : sessions.changed()), settings, batch: null, again: null, busyPorts: new Set(), consoles: new Consoles(),
    checkpoint: Promise.resolve(), keeper, searches: new Searches(audit), paper: options.paper ?? null,
  }
  const bayMap = BayMap.open(audit.database)
  if (failed(bayMap)) return bayMap
  const fleet = new Fleet(ports, clock, {
    row: (bay) => emit({ is: 'bay', bay }),
    rows: (bays) => emit({ is: 'bays', bays }),
    attached: (board) => world.batch?.join(board),
    // Together with whatever else comes in now; a log that does not take it says so at the next act.
    seen: (what, { unit, port, bay }) => {
      if (what === 'detached') world.batch?.left(unit)
      void log.recordTogether([{ kind: what === 'attached' ? 'board-attached' : 'board-detached', data: { unit, port: port.path.slice(0, 500), bay } }])
    },
  }, bayMap)
  opened.push(() => fleet.close())
  const practice = new Practice({ host: options.practiceHost ?? ownProcessHost, home, ports, desk, onChange: (view) => emit({ is: 'practice', practice: view }) })
  opened.push(async () => {
    await practice.stop()
  })
  opened.push(async () => {
    await world.consoles.hush()
    await world.batch?.stop()
    await world.checkpoint
  })

  const sessions = openSessions(world, handlersOf(world, fleet, practice, bayMap))
  if (failed(sessions)) return sessions
  listeners.add((event) => sessions.tell(event))
  opened.push(() => sessions.close())
  const own = sessions.open({})
  opened.push(() => door.close())
  if (options.opensDoor === true) await door.serveAsSet()

  let closing: Promise<void> | null = null
  return {
    ...own.api,
    seat: (wanted = {}) => sessions.open(wanted),
    watch(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    home,
    audit,
    closedRuns,
    batchEnded: () => world.batch?.ended ?? Promise.resolve(),
    close: () => (closing ??= closeAll()),
  }
}

/** A client that throws is gone (a window that was closed); no run suffers for it. */
function tell(listeners: Set<(event: StationEvent) => void>, listener: (event: StationEvent) => void, event: StationEvent): void {
  try {
    listener(event)
  } catch {
    listeners.delete(listener)
  }
}

function noteStart(log: Logbook, { version, runtime }: StationOptions): number | Failure {
  const { kind, electron, node } = runtime ?? hereRuntime()
  const before = log.audit.list({ kind: 'station-started', limit: 1 })
  if (failed(before)) return before
  const [last] = readable(before)
  const from = last === undefined ? null : text(last, 'appVersion')
  const refused = log.record([{ kind: 'station-started', data: {
    appVersion: version, runtimeKind: kind, runtimeVersion: kind === 'node' ? node : electron, platform: `${process.platform} ${process.arch}`,
    ...(from === null || from === version ? {} : { upgradedFrom: from }),
  } }])
  return refused ?? log.closeAbandoned()
}

async function portsFor({ ports = 'system', baudRate }: StationOptions, clock: Clock): Promise<Ports | Failure> {
  if (typeof ports !== 'string' && 'open' in ports) return ports
  const watched = await watchPorts({ from: ports === 'usb' ? 'system' : ports, clock, baudRate })
  return failed(watched) || ports !== 'usb' ? watched : usbOnly(watched)
}

/** Tells listeners how long the log is, at most ten times a second. */
function tellLogSize(audit: AuditStore, clock: Clock, emit: (event: StationEvent) => void): () => void {
  let cancel: (() => void) | null = null
  const stop = audit.onAppended(() => {
    cancel ??= clock.after(logEventEveryMs, () => {
      cancel = null
      const head = audit.head()
      if (!failed(head)) emit({ is: 'log', size: head.size })
    })
  })
  return () => {
    stop()
    cancel?.()
  }
}

function personHere(): string {
  try {
    return userInfo().username.slice(0, 80) || 'operator'
  } catch {
    // A user id without a name, as in many containers.
    return 'operator'
  }
}

function about({ home, version, runtime }: StationOptions): AboutView {
  return { name: 'Slotwright', version, runtime: runtime ?? hereRuntime(), platform: `${process.platform} ${process.arch}`, home, licence: 'Apache-2.0' }
}

function hereRuntime(): AboutView['runtime'] {
  const { electron = '', chrome = '', node } = process.versions as Record<string, string> & { node: string }
  return { kind: electron === '' ? 'node' : 'electron', electron, chrome, node }
}
