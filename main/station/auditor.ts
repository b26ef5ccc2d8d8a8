// The auditor's station: the same contract over a log that is only looked at. It is opened as a copy (a home's folder or a
// database, live or not) or out of an audit bundle; no byte of what was opened changes, and every call that would do
// something is refused with a sentence. Its one session is an auditor's.
import { readFile, stat } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { checkBundle } from '../bundle/check.ts'
import type { BundleVerdict } from '../bundle/check.ts'
import { bundleBytesMax } from '../bundle/layout.ts'
import { unpack } from '../bundle/unpack.ts'
import { methods } from '../contract/api.ts'
import type { CheckedArgsOf, MethodName, ResultOf, StationApi } from '../contract/api.ts'
import type { BundleView, AboutView, LogVerdictView, SettingsView, StationEvent } from '../contract/views.ts'
import type { EntryProofView } from '../contract/log-views.ts'
import type { SessionView } from '../contract/people.ts'
import type { AuditStore } from '../store/audit.ts'
import { openBundleLog } from '../store/bundle-log.ts'
import { keptCheckpoints, readLogPublicKey } from '../store/checkpoints.ts'
import { exportBundle } from '../store/export.ts'
import { sha256 } from '../store/rows.ts'
import { openSnapshot } from '../store/snapshot.ts'
import { entryProof, logBatches, logFigures, logKeys, recallUnits } from './auditing.ts'
import { readRun, readRuns } from './history.ts'
import { labelSettings, printLabel, printReport, saveHistory, saveLabel, saveRecall, saveReport, unitLabel } from './reports.ts'
import type { Desk, Paper } from './reports.ts'
import { Searches } from './searches.ts'
import { entryView } from './views.ts'

export type AuditorOptions = Readonly<{ path: string; version: string; runtime: AboutView['runtime']; clock: Clock; paper: Paper | null }>

export type Auditor = StationApi & Readonly<{ close(): void }>

type Handlers = { readonly [M in MethodName]?: (args: CheckedArgsOf<M>) => ResultOf<M> | Failure | Promise<ResultOf<M> | Failure> }

/** What is looked at now; opened anew by `readAgain`. */
type Looked = Readonly<{ audit: AuditStore; searches: Searches; files: ReadonlyMap<string, Uint8Array> | null; readAt: string }> & { judged: BundleVerdict | null }

/** Opens what lies at `path`. Failures: `no-database`, `bad-archive`, `bad-bundle`, and those of `openSnapshot`. */
export async function openAuditor(options: AuditorOptions): Promise<Auditor | Failure> {
  const path = resolve(options.path)
  const first = await look(path, options.clock)
  if (failed(first)) return first
  let looked: Looked = first
  let settings: SettingsView | null = null
  const listeners = new Set<(event: StationEvent) => void>()
  const emit = (event: StationEvent) => {
    for (const listener of [...listeners]) listener(event)
  }
  const about = (): AboutView => ({
    name: 'Slotwright', version: options.version, runtime: options.runtime, platform: `${process.platform} ${process.arch}`, home: path, licence: 'Apache-2.0',
    auditing: { of: looked.files === null ? 'database' : 'bundle', path, readAt: looked.readAt },
  })
  const desk = (): Desk => ({ audit: looked.audit, log: null, paper: options.paper, version: options.version, wallMs: () => options.clock.wallMs() })
  const handlers: Handlers = {
    about,
    session: () => auditorSession,
    settings: () => settings ?? settingsAtFirst,
    // Kept while the window is open: there is nowhere to write it.
    changeSettings: ({ theme, language }) => (settings = { ...(settings ?? settingsAtFirst), ...(theme === undefined ? {} : { theme }), ...(language === undefined ? {} : { language }) }),
    ...readings(() => looked, desk, options, emit),
    async readAgain() {
      const again = await look(path, options.clock)
      if (failed(again)) return again
      looked.audit.close()
      looked = again
      return about()
    },
  }
  return { ...answering(handlers), subscribe(listener: (event: StationEvent) => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, close: () => looked.audit.close() } as unknown as Auditor
}

const auditorSession: SessionView = { open: true, person: { account: null, name: '', roles: ['auditor'], byBadgeOnly: false }, names: [], idleMinutes: 0, batch: null }
const settingsAtFirst: SettingsView = { theme: 'system', language: 'system', person: '', baudRate: 115_200 }

async function look(path: string, clock: Clock): Promise<Looked | Failure> {
  const readAt = new Date(clock.wallMs()).toISOString()
  const files = await bundleAt(path)
  if (failed(files)) return files
  const audit = files === null ? await openSnapshot(path) : await openBundleLog(files, path)
  return failed(audit) ? audit : { audit, searches: new Searches(audit, files === null), files, readAt, judged: null }
}

/** The files of an audit bundle; null where there is none, which a zip's first bytes decide. */
async function bundleAt(path: string): Promise<ReadonlyMap<string, Uint8Array> | null | Failure> {
  const there = await stat(path).catch(() => null)
  if (there === null || !there.isFile()) return null
  if (there.size > bundleBytesMax) return path.endsWith('.zip') ? new Failure('archive-too-large', `${basename(path)} is larger than any audit bundle.`) : null
  if (!path.endsWith('.zip')) return null
  return unpack(new Uint8Array(await readFile(path)))
}

function readings(looked: () => Looked, desk: () => Desk, { version, clock }: AuditorOptions, emit: (event: StationEvent) => void): Handlers {
  return {
    listLog(filter) {
      const { audit } = looked()
      const [listed, total] = [audit.list(filter), audit.count(filter)]
      if (failed(listed)) return listed
      return failed(total) ? total : { entries: listed.map(entryView), total }
    },
    findLog: (filter) => looked().searches.find(filter),
    foundEntries: ({ find, at, limit }) => looked().searches.entries(find, at, limit),
    placeInLog: ({ find, seq }) => looked().searches.place(find, seq),
    entryProof: ({ seq }) => (looked().files === null ? entryProof(looked().audit, seq) : proofInBundle(looked(), version, seq)),
    logKeys: () => logKeys(looked().audit),
    logBatches: () => logBatches(looked().audit),
    logFigures: (args) => logFigures(looked().audit, args),
    recallUnits: (args) => recallUnits(looked().audit, args),
    run: ({ run }) => readRun(looked().audit, run),
    listRuns: ({ batch }) => readRuns(looked().audit, batch),
    saveRecall: (args) => saveRecall(desk(), args),
    saveHistory: (args) => saveHistory(desk(), args),
    saveReport: (args) => saveReport(desk(), args),
    printReport: ({ batch }) => printReport(desk(), batch),
    labelSettings: () => labelSettings(looked().audit),
    unitLabel: ({ unit }) => unitLabel(looked().audit, unit),
    saveLabel: (args) => saveLabel(desk(), args),
    printLabel: ({ unit }) => printLabel(desk(), unit),
    verifyLog: async () => {
      const startedMs = clock.monotonicMs()
      const onProgress = (done: number, total: number) => emit({ is: 'progress', what: 'verify', done, total })
      const verdict = looked().files === null ? await verifyStore(looked().audit, onProgress) : await verifyBundle(looked(), version, onProgress)
      return failed(verdict) ? verdict : { ...verdict, seconds: (clock.monotonicMs() - startedMs) / 1000 }
    },
    exportLog: ({ saveAs }) => exportCovered(looked(), version, clock.wallMs(), desk().paper, saveAs),
  }
}

type Verdict = Omit<LogVerdictView, 'seconds'>

async function verifyStore(audit: AuditStore, onProgress: (done: number, total: number) => void): Promise<Verdict | Failure> {
  const verdict = await audit.verify(onProgress)
  if (failed(verdict)) return verdict
  const { holds, size, says, firstWrong } = verdict
  return { holds, size, root: toHex(verdict.root), says, firstWrong }
}

async function verifyBundle(looked: Looked, version: string, onProgress: (done: number, total: number) => void): Promise<Verdict | Failure> {
  const verdict = await checkBundle(looked.files ?? new Map(), { version, sha256, async onProgress(done, total) {
    onProgress(done, total)
    await nextTurn()
  } })
  if (failed(verdict)) return verdict
  looked.judged = verdict
  const { holds, size, root, firstWrong } = verdict
  const broken = verdict.findings.filter(({ is }) => is === 'broken').slice(0, 5).map(({ says }) => says)
  return { holds, size, root, says: holds ? verdict.says : [verdict.says, ...broken].join(' '), firstWrong }
}

/** In a bundle all entries are proven together: this one is when the bundle's check comes past it. */
async function proofInBundle(looked: Looked, version: string, seq: number): Promise<EntryProofView | Failure> {
  const { audit, files } = looked
  const found = audit.get(seq)
  if (failed(found)) return found
  if (found === null) return new Failure('no-such-entry', `The bundle has no entry ${seq}.`)
  const raw = new TextDecoder().decode(audit.database.sql.prepare('SELECT bytes FROM entries WHERE seq = ?').pluck().get(seq) as Uint8Array)
  const checked = looked.judged === null ? await verifyBundle(looked, version, () => undefined) : null
  const verdict = looked.judged
  if (failed(checked) || verdict === null || verdict.size === 0) return { seq, raw, leaf: found.leaf, covered: null }
  const newest = [...files?.keys() ?? []].filter((name) => name.startsWith('checkpoints/')).sort().at(-1)
  return {
    seq, raw, leaf: found.leaf,
    covered: { size: verdict.size, root: verdict.root, hashes: [], note: new TextDecoder().decode(files?.get(newest ?? '') ?? new Uint8Array(0)), holds: verdict.holds || (verdict.firstWrong !== null && seq < verdict.firstWrong) },
  }
}

/** A bundle of what the newest checkpoint covers: nothing can be signed here. */
async function exportCovered({ audit, files }: Looked, version: string, wallMs: number, paper: Paper | null, saveAs: string | null): Promise<BundleView | Failure> {
  if (files !== null) return new Failure('read-only', 'This is an audit bundle already.')
  if (saveAs === null) return new Failure('no-place', 'Say where the bundle is to be saved.')
  const key = readLogPublicKey(audit.database.folder)
  if (failed(key)) return key
  const kept = key === null ? [] : keptCheckpoints(audit.database.folder, key, 1)
  if (failed(kept)) return kept
  const to = kept[0]?.checkpoint.size ?? 0
  if (to === 0) return new Failure('no-checkpoint', 'No signed checkpoint lies beside this log, so a bundle of it would prove nothing.')
  const made = await exportBundle(audit, { file: saveAs, from: 0, to, what: 'The whole log', batch: null }, { version, wallMs, ...(paper === null ? {} : { printPdf: (html) => paper.pdf(new TextDecoder().decode(html), null) }) })
  return failed(made) ? made : { savedAs: saveAs, bytes: made.bytes, sha256: made.sha256, entries: made.to - made.from, units: made.units, entry: null }
}

function answering(handlers: Handlers): Record<string, (args: unknown) => Promise<unknown>> {
  const api: Record<string, (args: unknown) => Promise<unknown>> = {}
  for (const name of Object.keys(methods) as MethodName[]) {
    const handler = handlers[name] as ((args: unknown) => unknown) | undefined
    api[name] = async (args) => {
      const parsed = methods[name].args.safeParse(args)
      if (!parsed.success) return new Failure('bad-arguments', `"${name}" cannot be done with these values.`)
      return handler === undefined ? new Failure('read-only', 'This window only reads a log; nothing can be done or changed from it. Open the station itself for that.') : await handler(parsed.data)
    }
  }
  return api
}
