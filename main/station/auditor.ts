// The auditor's station: the same contract over a log that is only looked at. It is opened as a copy (a home's folder or a
// database, live or not; looking.ts) or out of an audit bundle; no byte of what was opened changes, and every call that would do
// something is refused with a sentence. Its one session is an auditor's.
import { resolve } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '../base/clock.ts'
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { checkBundle } from '../bundle/check.ts'
import { wholeLogTitle } from '../bundle/layout.ts'
import { methods } from '../contract/api.ts'
import type { CheckedArgsOf, MethodName, ResultOf, StationApi } from '../contract/api.ts'
import type { BundleView, AboutView, LogVerdictView, SettingsView, StationEvent } from '../contract/views.ts'
import type { EntryProofView } from '../contract/log-views.ts'
import type { SessionView } from '../contract/people.ts'
import type { AuditStore } from '../store/audit.ts'
import { keptCheckpoints, readLogPublicKey } from '../store/checkpoints.ts'
import { exportBundle } from '../store/export.ts'
import { sha256 } from '../store/rows.ts'
import { entryProof, listLog, logBatches, logFigures, logKeys, recallChoices, recallUnits } from './auditing.ts'
import { readRun, readRuns } from './history.ts'
import { startLooking } from './looking.ts'
import type { Looked, Looking } from './looking.ts'
import { recallableIn } from './recall-file.ts'
import { labelSettings, printLabel, printReport, saveHistory, saveLabel, saveRecall, saveReport, unitLabel } from './reports.ts'
import type { Desk, Paper } from './reports.ts'
import { entryView } from './views.ts'

export type AuditorOptions = Readonly<{
  path: string
  version: string
  runtime: AboutView['runtime']
  clock: Clock
  paper: Paper | null
  /** Folder for what is put aside while the window is open; the system's by default. */
  tempFolder?: string
  /** As in `LookOptions`. */
  glanceFromBytes?: number
}>

export type Auditor = StationApi & Readonly<{ close(): void }>

type Handlers = { readonly [M in MethodName]?: (args: CheckedArgsOf<M>) => ResultOf<M> | Failure | Promise<ResultOf<M> | Failure> }

/** Opens what lies at `path`. Failures: `no-database`, `bad-archive`, `bad-bundle`, and those of `openSnapshot`. */
export async function openAuditor(options: AuditorOptions): Promise<Auditor | Failure> {
  const path = resolve(options.path)
  const listeners = new Set<(event: StationEvent) => void>()
  const emit = (event: StationEvent) => {
    for (const listener of [...listeners]) listener(event)
  }
  const looking = await startLooking({
    ...options, path,
    onCopied: (done, total) => emit({ is: 'progress', what: 'copy', done, total }),
    onReady: (size) => emit({ is: 'log', size }),
  })
  if (failed(looking)) return looking
  let settings: SettingsView | null = null
  const about = (): AboutView => ({
    name: 'Slotwright', version: options.version, runtime: options.runtime, platform: `${process.platform} ${process.arch}`, home: path, licence: 'Apache-2.0',
    auditing: { ...looking.about(), path },
  })
  const handlers: Handlers = {
    about,
    session: () => auditorSession,
    settings: () => settings ?? settingsAtFirst,
    // Kept while the window is open: there is nowhere to write it.
    changeSettings: ({ theme, language }) => (settings = { ...(settings ?? settingsAtFirst), ...(theme === undefined ? {} : { theme }), ...(language === undefined ? {} : { language }) }),
    ...firstRows(looking),
    ...readings(looking, options, emit),
    async readAgain() {
      const wrong = await looking.again()
      return wrong ?? about()
    },
  }
  return { ...answering(handlers), subscribe(listener: (event: StationEvent) => void) {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }, close: () => looking.close() } as unknown as Auditor
}

const auditorSession: SessionView = { open: true, person: { account: null, name: '', roles: ['auditor'], byBadgeOnly: false }, names: [], idleMinutes: 0, batch: null }
const settingsAtFirst: SettingsView = { theme: 'system', language: 'system', person: '', baudRate: 115_200 }

/** What can be told of a large log before its copy is there: how long it is, and any of its entries. */
function firstRows(looking: Looking): Handlers {
  return {
    findLog(filter) {
      const first = looking.first()
      if (first === null || Object.values(filter).some((value) => value !== null && value !== '')) return looking.call(({ searches }) => searches.find(filter))
      first.asked(filter)
      return { find: first.find, total: first.glance.size, size: first.glance.size }
    },
    foundEntries({ find, at, limit }) {
      const first = looking.first()
      const last = (first?.glance.size ?? 0) - 1 - at
      const rows = first?.find !== find ? null : first.glance.entries(Array.from({ length: Math.max(0, Math.min(limit, last + 1)) }, (_, i) => last - i))
      return rows?.map(entryView) ?? looking.call(({ searches }) => searches.entries(find, at, limit))
    },
    placeInLog({ find, seq }) {
      const first = looking.first()
      if (first?.find === find) return { at: seq < first.glance.size ? first.glance.size - 1 - seq : null }
      return looking.call(({ searches }) => searches.place(find, seq))
    },
  }
}

function readings(looking: Looking, { version, clock, paper }: AuditorOptions, emit: (event: StationEvent) => void): Handlers {
  const read = <A, R>(work: (audit: AuditStore, args: A) => R | Failure | Promise<R | Failure>) => (args: A) => looking.call(({ audit }) => work(audit, args))
  const onDesk = <A, R>(work: (desk: Desk, args: A) => Promise<R | Failure>) => (args: A) => looking.call(({ audit }) => work({ audit, log: null, paper, version, wallMs: () => clock.wallMs() }, args))
  return {
    listLog: read(listLog),
    entryProof: ({ seq }) => looking.call((looked) => (looked.files === null ? entryProof(looked.audit, seq) : proofInBundle(looked, version, seq))),
    logKeys: read(logKeys),
    logBatches: read(logBatches),
    logFigures: read(logFigures),
    recallChoices: read(recallChoices),
    readRecallFile: ({ path }) => recallableIn(path),
    recallUnits: read(recallUnits),
    run: read((audit, { run }) => readRun(audit, run)),
    listRuns: read((audit, { batch }) => readRuns(audit, batch)),
    saveRecall: onDesk(saveRecall),
    saveHistory: onDesk(saveHistory),
    saveReport: onDesk(saveReport),
    printReport: onDesk((desk, { batch }) => printReport(desk, batch)),
    labelSettings: read(labelSettings),
    unitLabel: read((audit, { unit }) => unitLabel(audit, unit)),
    saveLabel: onDesk(saveLabel),
    printLabel: onDesk((desk, { unit }) => printLabel(desk, unit)),
    verifyLog: () => looking.call(async (looked) => {
      const startedMs = clock.monotonicMs()
      const onProgress = (done: number, total: number) => {
        if (!looked.left.aborted) emit({ is: 'progress', what: 'verify', done, total })
      }
      const verdict = looked.files === null ? await verifyStore(looked, onProgress) : await verifyBundle(looked, version, onProgress)
      return failed(verdict) ? verdict : { ...verdict, seconds: (clock.monotonicMs() - startedMs) / 1000 }
    }),
    exportLog: ({ saveAs }) => looking.call((looked) => exportCovered(looked, version, clock.wallMs(), paper, saveAs)),
  }
}

type Verdict = Omit<LogVerdictView, 'seconds'>

async function verifyStore({ audit, left }: Looked, onProgress: (done: number, total: number) => void): Promise<Verdict | Failure> {
  const verdict = await audit.verify(onProgress, { signal: left })
  if (failed(verdict)) return verdict
  const { holds, size, says, firstWrong } = verdict
  return { holds, size, root: toHex(verdict.root), says, firstWrong, wrongs: verdict.wrongs.slice(0, 1).map(({ kind, seq }) => ({ kind, seq })) }
}

async function verifyBundle(looked: Looked, version: string, onProgress: (done: number, total: number) => void): Promise<Verdict | Failure> {
  const verdict = await checkBundle(looked.files ?? new Map(), { version, sha256, async onProgress(done, total) {
    onProgress(done, total)
    await nextTurn()
  } })
  if (failed(verdict)) return verdict
  looked.judged = verdict
  const { holds, size, root, firstWrong } = verdict
  const broken = verdict.findings.filter(({ is }) => is === 'broken').slice(0, 5)
  return { holds, size, root, says: holds ? verdict.says : [verdict.says, ...broken.map(({ says }) => says).filter((says) => !verdict.says.includes(says))].join(' '), firstWrong, wrongs: broken.map(({ about }) => ({ kind: `bundle-${about}`, seq: null })), unchecked: verdict.unchecked }
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
  const covering = verdict.read?.manifest.checkpoint ?? ''
  return {
    seq, raw, leaf: found.leaf,
    covered: { size: verdict.size, root: verdict.root, hashes: [], note: new TextDecoder().decode(files?.get(covering) ?? new Uint8Array(0)), holds: verdict.holds || (verdict.firstWrong !== null && seq < verdict.firstWrong) },
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
  const made = await exportBundle(audit, { file: saveAs, from: 0, to, what: wholeLogTitle, batch: null }, { version, wallMs, ...(paper === null ? {} : { printPdf: (html) => paper.pdf(new TextDecoder().decode(html), null) }) })
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
