// What a call from the window may do, without Electron, so that every refusal can be tested. The window is taken to be
// hostile: unknown methods, methods of the command line, arguments of another shape and paths that no dialog gave are
// refused with a sentence; nothing that the station throws reaches the window as more than a sentence.
import { Failure } from '../base/failure.ts'
import { methods, type CheckedArgsOf, type FilePurpose, type MethodName, type StationApi } from '../contract/api.ts'
import { checkArguments } from '../contract/arguments.ts'
import { mayCall } from '../contract/roles.ts'
import type { FailureView, FileView, Reply } from '../contract/views.ts'

/** Calls of one window that may be under way at once; more is a window gone wild. */
export const callsAtOnceMax = 64

/** Files that the window may have written, each with its own save dialog. */
export type SavedKind = 'receipts' | 'signed' | 'digest' | 'bundle' | 'recall' | 'history' | 'report-html' | 'report-pdf' | 'label-zpl' | 'label-pdf'

export type Answering = Readonly<{
  /** The open station, or why it could not be opened; tried again when asked again. */
  station(): Promise<StationApi | Failure>
  /** Asks the person for a file; null when they changed their mind. */
  chooseFile(purpose: FilePurpose | 'module'): Promise<string | null>
  /** Asks the person for a folder that events go to; null when they changed their mind. */
  chooseFolder(): Promise<string | null>
  /** Asks the person where the signed image, or what is to be signed elsewhere, goes; null when they changed their mind. */
  chooseTarget(source: FileView | null, what: SavedKind): Promise<string | null>
  /** Lets the window fill the screen, or not; tells what it does then. */
  fullScreen(on: boolean): boolean
  /** Hears of every call that was answered well; for what the shell itself must follow (the theme). */
  done?(method: MethodName, value: unknown): void
  /** Takes a bug's own words, which are for the terminal and never for the window. */
  report(method: string, error: unknown): void
}>

export function toView(failure: Failure): FailureView {
  return { kind: failure.kind, says: failure.says, facts: { ...failure.facts } }
}

const no = (kind: string, says: string): Reply<never> => ({ ok: false, failure: { kind, says, facts: {} } })

function isMethod(name: unknown): name is MethodName {
  return typeof name === 'string' && Object.hasOwn(methods, name)
}

/** Makes the one function that answers the window's calls. It never rejects. */
export function makeAnswer(with_: Answering): (method: unknown, args: unknown) => Promise<Reply<unknown>> {
  // Files that a dialog opened, by id, for the name that the save dialog proposes.
  const opened = new Map<string, FileView>()
  const openedMax = 64
  let underWay = 0

  async function chooseFile(station: StationApi, purpose: FilePurpose): Promise<FileView | null | Failure> {
    const path = await with_.chooseFile(purpose)
    if (path === null) return null
    const file = await station.openFile({ path, purpose })
    if (file instanceof Failure) return file
    if (opened.size >= openedMax) opened.delete(opened.keys().next().value ?? '')
    opened.set(file.file, file)
    return file
  }

  /** To load a module is to run it: only the person's own choice of a file makes one known. */
  async function chooseTokenModule(station: StationApi): Promise<unknown> {
    const path = await with_.chooseFile('module')
    return path === null ? null : station.addTokenModule({ path })
  }

  /** An image or a package to look for in the log; only what it is called there crosses. */
  async function recallFile(station: StationApi): Promise<unknown> {
    const path = await with_.chooseFile('image')
    return path === null ? null : station.readRecallFile({ path })
  }

  async function chooseFolderHook(station: StationApi): Promise<unknown> {
    const folder = await with_.chooseFolder()
    return folder === null ? null : station.addFolderHook({ folder })
  }

  /** Calls that write a file: the window may not say where. */
  async function save<R>(args: { file?: string; saveAs: string | null }, what: SavedKind, then: (saveAs: string) => Promise<R | Failure>): Promise<R | null | Failure> {
    if (args.saveAs !== null) return new Failure('refused-call', 'The window may not name the place a file is saved to; the save dialog does.')
    const saveAs = await with_.chooseTarget(opened.get(args.file ?? '') ?? null, what)
    return saveAs === null ? null : then(saveAs)
  }

  const saving: { readonly [M in MethodName]?: (station: StationApi, args: never) => Promise<unknown> } = {
    sign: (station, args: CheckedArgsOf<'sign'>) => save(args, 'signed', (saveAs) => station.sign({ ...args, saveAs })),
    exportDigest: (station, args: CheckedArgsOf<'exportDigest'>) => save(args, 'digest', (saveAs) => station.exportDigest({ ...args, saveAs })),
    importSignature: (station, args: CheckedArgsOf<'importSignature'>) => save(args, 'signed', (saveAs) => station.importSignature({ ...args, saveAs })),
    exportLog: (station, args: CheckedArgsOf<'exportLog'>) => save(args, 'bundle', (saveAs) => station.exportLog({ saveAs })),
    saveRecall: (station, args: CheckedArgsOf<'saveRecall'>) => save(args, 'recall', (saveAs) => station.saveRecall({ ...args, saveAs })),
    saveHistory: (station, args: CheckedArgsOf<'saveHistory'>) => save(args, 'history', (saveAs) => station.saveHistory({ ...args, saveAs })),
    saveReceipts: (station, args: CheckedArgsOf<'saveReceipts'>) => save(args, 'receipts', (saveAs) => station.saveReceipts({ ...args, saveAs })),
    saveReport: (station, args: CheckedArgsOf<'saveReport'>) => save(args, `report-${args.form}`, (saveAs) => station.saveReport({ ...args, saveAs })),
    saveLabel: (station, args: CheckedArgsOf<'saveLabel'>) => save(args, `label-${args.form}`, (saveAs) => station.saveLabel({ ...args, saveAs })),
  }

  /** The station opens any path it is given, and the command line may name any; the window may name only what is listed. */
  async function unlistedPort(station: StationApi, method: MethodName, args: unknown): Promise<Failure | null> {
    const port: unknown = typeof args === 'object' && args !== null && 'port' in args ? args.port : null
    // The HTTP interface's port is a number; and who stops listening opens nothing, though the board be gone.
    if (typeof port !== 'string' || method === 'hushConsole') return null
    const ports = await station.listPorts({})
    if (ports instanceof Failure) return ports
    return ports.some((one) => one.port === port) ? null : new Failure('no-such-port', 'This port is not attached any more. Look again.')
  }

  function carryOut(station: StationApi, method: MethodName, args: unknown): Promise<unknown> {
    if (method === 'chooseFile') return chooseFile(station, (args as CheckedArgsOf<'chooseFile'>).purpose)
    if (method === 'chooseTokenModule') return chooseTokenModule(station)
    if (method === 'chooseFolderHook') return chooseFolderHook(station)
    if (method === 'recallFile') return recallFile(station)
    if (method === 'setFullScreen') return Promise.resolve({ on: with_.fullScreen((args as CheckedArgsOf<'setFullScreen'>).on) })
    const saves = saving[method]
    if (saves !== undefined) return saves(station, args as never)
    return (station[method] as (args: unknown) => Promise<unknown>)(args)
  }

  /** Before a dialog opens: the station says no, and notes it, to what the person here may not do. */
  async function refusal(station: StationApi, method: MethodName, args: unknown): Promise<unknown> {
    if (methods[method].may === 'anyone') return null
    const session = await station.session({})
    if (session instanceof Failure) return session
    if (mayCall(methods[method].may, session.person?.roles ?? null)) return null
    if (method === 'chooseFile') return await station.openFile({ path: '-', purpose: (args as CheckedArgsOf<'chooseFile'>).purpose })
    if (method === 'chooseTokenModule') return await station.addTokenModule({ path: '-' })
    if (method === 'chooseFolderHook') return await station.addFolderHook({ folder: '-' })
    if (method === 'recallFile') return await station.readRecallFile({ path: '-' })
    return await (station[method as keyof StationApi] as (args: unknown) => Promise<unknown>)(args)
  }

  async function answer(method: MethodName, given: unknown): Promise<Reply<unknown>> {
    const checked = checkArguments(method, given)
    // Only the place of the first fault is named: the arguments themselves may hold a passphrase.
    if (!checked.fits) return no('bad-arguments', `The call ${method} has arguments that do not fit at ${checked.at === '' ? 'the top' : checked.at}.`)
    const station = await with_.station()
    if (station instanceof Failure) return { ok: false, failure: toView(station) }
    const value = await refusal(station, method, checked.args) ?? await unlistedPort(station, method, checked.args) ?? await carryOut(station, method, checked.args)
    if (value instanceof Failure) return { ok: false, failure: toView(value) }
    with_.done?.(method, value)
    return { ok: true, value }
  }

  return async (method, args) => {
    if (!isMethod(method)) return no('refused-call', 'There is no such call.')
    if (methods[method].stationOnly) return no('refused-call', `The call ${method} is not for the window.`)
    if (underWay >= callsAtOnceMax) return no('too-many-calls', 'The window asks faster than the station answers. Wait a moment.')
    underWay++
    try {
      return await answer(method, args)
    } catch (error) {
      with_.report(method, error)
      return no('bug', 'This is a fault in Slotwright, not in your board or file. The terminal shows more; what the log says was done, was done.')
    } finally {
      underWay--
    }
  }
}
