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
import { methods } from '../contract/api.ts'
import type { CheckedArgsOf, MethodName, ResultOf, StationApi, WindowOnly } from '../contract/api.ts'
import type { AboutView, BatchView, FileView, LogVerdictView, PortView, SettingsView, StationEvent } from '../contract/views.ts'
import { Keyring } from '../keys/keyring.ts'
import { checkImage, commonProfile } from '../line/recipe.ts'
import { practiceProfile } from '../practice/profiles.ts'
import { openAuditStore } from '../store/audit.ts'
import type { AuditStore } from '../store/audit.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import { askBoard } from './ask.ts'
import { watchPorts } from './attached.ts'
import { Batch } from './batch.ts'
import { generateKey, importKey, listKeys, retireKey, sign } from './desk.ts'
import type { DeskWorld } from './desk.ts'
import { OpenFiles } from './files.ts'
import type { FilePurpose, OpenedFile } from './files.ts'
import { Fleet } from './fleet.ts'
import type { Occupied } from './fleet.ts'
import { readRun, readRuns } from './history.ts'
import { keysFolderOf, knownKeysFolderOf, makeHome } from './home.ts'
import { readImage } from './images.ts'
import { Logbook } from './logbook.ts'
import type { Ports } from './ports.ts'
import { Practice, ownProcessHost, sampleImage } from './practice.ts'
import type { PracticeHost } from './practice.ts'
import { entryView, failureView } from './views.ts'

export type StationOptions = Readonly<{
  home: string
  /** Version of the program, as package.json has it. */
  version: string
  runtime?: AboutView['runtime']
  /** `system` (default), names as on the command line, or another implementation of the seam. */
  ports?: 'system' | readonly string[] | Ports
  baudRate?: number
  clock?: Clock
  practiceHost?: PracticeHost
  /** Who acts, for this session; the stored setting otherwise. */
  person?: string
  /** Ids of sessions, batches and runs; random unless a simulation counts them. */
  newId?: (kind: 'session' | 'batch' | 'run') => string
  /** Texts for echo proofs. */
  nonce?: () => string
}>

export type Station = StationApi & Readonly<{
  home: string
  audit: AuditStore
  /** Runs without an outcome that an earlier station start left behind and this one closed. */
  closedRuns: number
  /** Resolves when the present batch has ended; at once when there is none. */
  batchEnded(): Promise<void>
  /** Stops runs, then gives everything back, last opened first. Safe to call twice. */
  close(): Promise<void>
}>

type Handlers = { readonly [M in Exclude<MethodName, WindowOnly>]: (args: CheckedArgsOf<M>) => ResultOf<M> | Failure | Promise<ResultOf<M> | Failure> }

const settingsSchema = z.object({ theme: z.enum(['system', 'light', 'dark']), person: z.string().min(1).max(80) })
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
  const settings = readSetting<SettingsView>(audit.database, 'station', settingsSchema, { theme: 'system', person: personHere() })
  if (failed(settings)) return settings
  const log = new Logbook(audit, options.person ?? settings.person)
  const closedRuns = noteStart(log, options)
  if (failed(closedRuns)) return closedRuns
  opened.push(() => {
    // If the log cannot take it, the next start shows that this one has no end.
    log.record([{ kind: 'station-stopped', data: {} }])
  })

  const listeners = new Set<(event: StationEvent) => void>()
  const emit = (event: StationEvent) => {
    for (const listener of [...listeners]) listener(event)
  }
  opened.push(() => listeners.clear(), tellLogSize(audit, clock, emit))

  const ports = await portsFor(options, clock)
  if (failed(ports)) return ports
  opened.push(() => ports.close())

  const desk: DeskWorld = { keyring: new Keyring(keysFolderOf(home), clock), known: new Keyring(knownKeysFolderOf(home), clock), files: new OpenFiles(), log }
  const world: World = { options, clock, newId, audit, log, desk, ports, emit, settings, batch: null, checkpoint: Promise.resolve() }
  const fleet = new Fleet(ports, clock, {
    row: (bay) => emit({ is: 'bay', bay }),
    attached: (board) => world.batch?.join(board),
  })
  opened.push(() => fleet.close())
  const practice = new Practice({ host: options.practiceHost ?? ownProcessHost, home, ports, desk, onChange: (view) => emit({ is: 'practice', practice: view }) })
  opened.push(async () => {
    await practice.stop()
  })
  opened.push(async () => {
    await world.batch?.stop()
    await world.checkpoint
  })

  let closing: Promise<void> | null = null
  return {
    ...checked(handlersOf(world, fleet, practice)),
    subscribe(listener) {
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

type World = {
  readonly options: StationOptions
  readonly clock: Clock
  readonly newId: (kind: 'session' | 'batch' | 'run') => string
  readonly audit: AuditStore
  readonly log: Logbook
  readonly desk: DeskWorld
  readonly ports: Ports
  readonly emit: (event: StationEvent) => void
  settings: SettingsView
  batch: Batch | null
  /** The signing of the latest checkpoint. */
  checkpoint: Promise<void>
}

function handlersOf(world: World, fleet: Fleet, practice: Practice): Handlers {
  const { audit, desk, options } = world
  return {
    about: () => about(options),
    openFile: ({ path, purpose }) => openFile(desk, path, purpose),
    inspectFile: async ({ file }) => {
      const opened = desk.files.get(file)
      const image = failed(opened) ? opened : await imageOf(desk, opened)
      return failed(image) ? image : image.view
    },
    sampleFile: async () => {
      const file = await sampleImage({ home: options.home, desk })
      return failed(file) ? file : await fileView(desk, file, 'image')
    },
    listKeys: () => listKeys(desk),
    generateKey: (args) => generateKey(desk, args),
    importKey: (args) => importKey(desk, args),
    retireKey: (args) => retireKey(desk, args),
    sign: (args) => sign(desk, args),
    listPorts: () => world.ports.list().map((port): PortView => ({ port: port.path, serial: port.serial, bay: fleet.bayOf(port), maker: port.maker, usb: port.usb, practice: port.practice })),
    askBoard: ({ port }) => (world.batch?.isWorkingOn(port) === true ? new Failure('port-held', `A run is working on ${port}. Wait until it has ended.`) : askBoard(port, world.ports, world.clock)),
    startPractice: (args) => practice.start(args),
    stopPractice: () => practice.stop(),
    practice: () => practice.view(),
    bays: () => fleet.rows(),
    batch: () => world.batch?.view() ?? null,
    startBatch: (args) => startBatch(world, fleet, args),
    stopBatch: async () => {
      await world.batch?.stop()
      return world.batch?.view() ?? null
    },
    run: ({ run }) => readRun(audit, run),
    listRuns: ({ batch }) => readRuns(audit, batch),
    listLog: ({ before, limit, kind, text }) => {
      const filter = { before, limit, kind, text }
      const [listed, total] = [audit.list(filter), audit.count(filter)]
      if (failed(listed)) return listed
      return failed(total) ? total : { entries: listed.map(entryView), total }
    },
    verifyLog: () => verifyLog(world),
    settings: () => world.settings,
    changeSettings: (changes) => changeSettings(world, changes),
  }
}

/** Each method with its arguments checked against the contract and its failures as values. */
function checked(handlers: Handlers): Omit<StationApi, 'subscribe'> {
  const api: Record<string, (args: unknown) => Promise<unknown>> = {}
  for (const name of Object.keys(handlers) as (keyof Handlers)[]) {
    const handler = handlers[name] as (args: unknown) => unknown
    api[name] = async (args) => {
      const parsed = methods[name].args.safeParse(args)
      if (parsed.success) return await handler(parsed.data)
      const issue = parsed.error.issues[0]
      return new Failure('bad-arguments', `"${name}" cannot be done with these values: ${issue === undefined ? 'they are not what is expected' : `${issue.path.join('.') || 'value'}: ${issue.message}`}.`)
    }
  }
  return api as unknown as Omit<StationApi, 'subscribe'>
}

function noteStart(log: Logbook, { version, runtime }: StationOptions): number | Failure {
  const { kind, electron, node } = runtime ?? hereRuntime()
  const refused = log.record([{ kind: 'station-started', data: { appVersion: version, runtimeKind: kind, runtimeVersion: kind === 'node' ? node : electron, platform: `${process.platform} ${process.arch}` } }])
  return refused ?? log.closeAbandoned()
}

async function portsFor({ ports = 'system', baudRate }: StationOptions, clock: Clock): Promise<Ports | Failure> {
  if (ports !== 'system' && 'open' in ports) return ports
  return await watchPorts({ from: ports, clock, baudRate })
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

async function startBatch(world: World, fleet: Fleet, args: CheckedArgsOf<'startBatch'>): Promise<BatchView | Failure> {
  const { desk, log, emit, clock, ports } = world
  const opened = desk.files.get(args.file)
  if (failed(opened)) return opened
  const image = await imageOf(desk, opened)
  if (failed(image)) return log.refuse('start a batch', image)
  const wrong = checkImage(image.facts, args.recipe)
  if (wrong !== null) return log.refuse('start a batch', wrong)
  if (world.batch !== null && !world.batch.isOver) return new Failure('batch-running', 'A batch is running. Stop it, or wait until it has ended.')
  const batch = Batch.start({
    id: world.newId('batch'), fileName: opened.name, bytes: opened.bytes, image: image.facts, view: image.view, recipe: args.recipe, bays: args.bays, person: log.person,
  }, {
    clock, ports, fleet,
    record: (drafts) => log.record(drafts),
    newId: world.newId,
    nonce: world.options.nonce ?? (() => toHex(randomBytes(8))),
    profileFor,
    onChange: (view) => emit({ is: 'batch', batch: view }),
  })
  if (failed(batch)) return batch
  world.batch = batch
  world.checkpoint = batch.ended.then(async () => {
    // A checkpoint that cannot be signed takes nothing from the log; the next one covers these entries too.
    await world.audit.checkpoint()
  })
  return batch.view()
}

function profileFor({ port }: Occupied): typeof commonProfile {
  return port.practice ? { ...commonProfile, slotBytes: practiceProfile.slot1.sizeBytes } : commonProfile
}

/** Judged with the ring's keys and with public ones whose private half rests elsewhere. */
async function imageOf(desk: DeskWorld, file: OpenedFile): Promise<ReturnType<typeof readImage>> {
  const [own, known] = await Promise.all([desk.keyring.list(), desk.known?.list() ?? []])
  if (failed(own)) return own
  return failed(known) ? known : readImage(file, [...own, ...known])
}

async function openFile(desk: DeskWorld, path: string, purpose: FilePurpose): Promise<FileView | Failure> {
  const file = await desk.files.open(path, purpose)
  return failed(file) ? file : await fileView(desk, file, purpose)
}

/** What an opened file is. Firmware that is no image yet is nothing wrong; an image that is none is told as a problem. */
async function fileView(desk: DeskWorld, file: OpenedFile, purpose: FilePurpose): Promise<FileView> {
  const { id, name, bytes, sha256 } = file
  const image = purpose === 'key' ? null : await imageOf(desk, file)
  return {
    file: id, name, bytes: bytes.length, sha256,
    image: image === null || failed(image) ? null : image.view,
    problem: purpose === 'image' && image !== null && failed(image) ? failureView(image) : null,
  }
}

async function verifyLog({ audit, clock, emit, log }: World): Promise<LogVerdictView | Failure> {
  const startedMs = clock.monotonicMs()
  const verdict = await audit.verify((done, total) => emit({ is: 'progress', what: 'verify', done, total }))
  if (failed(verdict)) return verdict
  const { holds, size, says, firstWrong } = verdict
  const root = toHex(verdict.root)
  // The verdict stands whether or not it can be noted.
  log.recordAct({ kind: 'log-verified', data: { size, root, holds, says: says.slice(0, 1000), ...(firstWrong === null ? {} : { firstWrong }) } }, 'operator')
  return { holds, size, root, says, firstWrong, seconds: (clock.monotonicMs() - startedMs) / 1000 }
}

function changeSettings(world: World, changes: CheckedArgsOf<'changeSettings'>): SettingsView | Failure {
  const before = world.settings
  const after: SettingsView = { theme: changes.theme ?? before.theme, person: changes.person ?? before.person }
  for (const name of ['theme', 'person'] as const) {
    if (after[name] === before[name]) continue
    const noted = world.log.recordAct({ kind: 'settings', data: { name, before: before[name], after: after[name] } }, 'operator')
    if (failed(noted)) return noted
  }
  const written = writeSetting(world.audit.database, 'station', after)
  if (failed(written)) return written
  world.settings = after
  world.log.person = after.person
  return after
}

function about({ home, version, runtime }: StationOptions): AboutView {
  return { name: 'Slotwright', version, runtime: runtime ?? hereRuntime(), platform: `${process.platform} ${process.arch}`, home, licence: 'Apache-2.0' }
}

function hereRuntime(): AboutView['runtime'] {
  const { electron = '', chrome = '', node } = process.versions as Record<string, string> & { node: string }
  return { kind: electron === '' ? 'node' : 'electron', electron, chrome, node }
}

function personHere(): string {
  try {
    return userInfo().username.slice(0, 80) || 'operator'
  } catch {
    // A user id without a name, as in many containers.
    return 'operator'
  }
}
