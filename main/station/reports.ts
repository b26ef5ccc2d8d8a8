// What leaves the station on paper or as a table: a batch's report, a unit's label, recalls and histories. Pages are made
// from the log's entries; printing and PDF belong to whoever has a page to print on (`Paper`, the window's shell), and where
// nobody has, that is said. What is saved is noted in the log.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toHex, utf8 } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { csvHeader, csvLine } from '../bundle/csv.ts'
import { labelCode, labelHtml, labelLines, labelSizeAtFirst, labelSvg, labelZpl } from '../bundle/label.ts'
import type { LabelFacts } from '../bundle/label.ts'
import { recallTable } from '../bundle/recall-table.ts'
import { reportHtml } from '../bundle/report.ts'
import { tell } from '../bundle/story.ts'
import { reportProof } from '../bundle/views.ts'
import { methods } from '../contract/api.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { LabelSettingsView, LabelView, SavedView } from '../contract/log-views.ts'
import { parseEntry } from '../log/entry.ts'
import type { AuditStore } from '../store/audit.ts'
import { checkpointOver, readLogPublicKey } from '../store/checkpoints.ts'
import { diskFailure } from '../store/database.ts'
import { signaturesBehind } from '../store/recall.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import { recallAll } from './auditing.ts'
import { text } from './history.ts'
import type { Logbook } from './logbook.ts'
import { notePrinted, saveAndNote } from './saving.ts'

/** Millimetres; null is A4. */
export type PaperSize = Readonly<{ widthMm: number; heightMm: number }> | null

/** Makes paper of a page: the window's shell does, out of a page that runs no script and reaches no network. */
export type Paper = Readonly<{
  pdf(html: string, size: PaperSize): Promise<Uint8Array | Failure>
  /** Opens the system's print dialog; false when the person changed their mind. */
  print(html: string, size: PaperSize): Promise<boolean | Failure>
}>

/** What reports stand on; `log` is null where the log is only read. */
export type Desk = Readonly<{ audit: AuditStore; log: Logbook | null; paper: Paper | null; version: string; wallMs: () => number }>

const noPaper = new Failure('no-paper', 'Nothing here can make PDF or print. Save the page as HTML and print it from a browser.')

/** A batch's entries are read in one go up to this many. */
const batchEntriesMax = 1_000_000
const historyMax = 1_000_000
/** Entries read in one go: some milliseconds of work, since boards may be written meanwhile. */
const page = 200
const linesATurn = 200

/** The page of one batch, with the checkpoint that covers it. Kinds: `no-such-batch`, `no-checkpoint`, the disk's. */
export async function batchReport({ audit, version, wallMs }: Pick<Desk, 'audit' | 'version' | 'wallMs'>, batch: string): Promise<string | Failure> {
  const { sql, folder, path } = audit.database
  const key = readLogPublicKey(folder)
  if (failed(key)) return key
  try {
    const range = sql.prepare('SELECT min(seq) AS low, max(seq) AS high, count(*) AS many FROM entries WHERE batch = ?').get(batch) as { low: number | null; high: number | null; many: number }
    if (range.low === null || range.high === null) return new Failure('no-such-batch', `The log knows no batch "${batch.slice(0, 128)}". Say "last", or the id that "slotwright log show" tells of one of its entries.`)
    if (range.many > batchEntriesMax) return new Failure('range-too-large', 'The batch is too large for one report. Export a bundle of a part of it.')
    const covering = key === null ? null : checkpointOver(folder, key, range.high)
    if (failed(covering)) return covering
    if (key === null || covering === null) return new Failure('no-checkpoint', 'No signed checkpoint covers this batch yet; one is signed when it ends. Wait for its end, or sign one with "log checkpoint".')
    const read = sql.prepare(`SELECT seq, bytes FROM entries WHERE batch = ? AND seq > ? ORDER BY seq LIMIT ${page}`)
    const teller = tell()
    let redacted = 0
    for (let after = -1; ;) {
      const rows = read.all(batch, after) as { seq: number; bytes: Uint8Array }[]
      for (const { seq, bytes } of rows) {
        after = seq
        const entry = parseEntry(bytes)
        if (failed(entry)) redacted += 1
        else teller.add(entry)
      }
      if (rows.length < page) break
      await nextTurn()
    }
    const about = { what: `Batch ${batch}`, madeAt: new Date(wallMs()).toISOString(), madeBy: version }
    const proof = reportProof({ origin: covering.checkpoint.origin, from: range.low, to: range.high + 1 }, { note: covering.note, checkpoint: covering.checkpoint, key, redacted })
    return reportHtml({ about, proofs: [proof] }, teller.end())
  } catch (error) {
    return diskFailure(error, path)
  }
}

export async function saveReport(desk: Desk, { batch, form, saveAs }: CheckedArgsOf<'saveReport'>): Promise<SavedView | Failure> {
  const html = await batchReport(desk, batch)
  if (failed(html)) return html
  const bytes = form === 'html' ? utf8(html) : await (desk.paper?.pdf(html, null) ?? noPaper)
  return failed(bytes) ? bytes : await saveAndNote(desk.log, `report of batch ${batch}, ${form}`, saveAs, bytes)
}

export async function printReport(desk: Desk, batch: string): Promise<{ printed: boolean } | Failure> {
  const html = await batchReport(desk, batch)
  if (failed(html)) return html
  return await printAndNote(desk, `report of batch ${batch}`, html, null)
}

async function printAndNote({ paper, log }: Desk, what: string, html: string, size: PaperSize): Promise<{ printed: boolean } | Failure> {
  const printed = await (paper?.print(html, size) ?? noPaper)
  if (failed(printed) || !printed) return failed(printed) ? printed : { printed }
  const noted = notePrinted(log, what, html)
  return failed(noted) ? noted : { printed }
}

const labelSettingsName = 'label'

export function labelSettings(audit: AuditStore): LabelSettingsView | Failure {
  return readSetting<LabelSettingsView>(audit.database, labelSettingsName, methods.changeLabelSettings.args, labelSizeAtFirst)
}

export function changeLabelSettings({ audit, log }: Desk, after: LabelSettingsView): LabelSettingsView | Failure {
  const before = labelSettings(audit)
  if (failed(before)) return before
  if (log === null) return new Failure('read-only', 'The log was opened for reading only, so nothing can be set.')
  const noted = log.recordAct({ kind: 'settings', data: { name: labelSettingsName, before: JSON.stringify(before), after: JSON.stringify(after) } }, 'engineer')
  if (failed(noted)) return noted
  const written = writeSetting(audit.database, labelSettingsName, after)
  return failed(written) ? written : after
}

/** What stands on a unit's label: the board's own last word. Kinds: `no-such-unit`, the disk's. */
export function labelFacts(audit: AuditStore, unit: string): LabelFacts | Failure {
  const listed = audit.list({ unit, kind: 'outcome', limit: 1 })
  if (failed(listed)) return listed
  const [last] = listed
  if (last === undefined || failed(last.entry)) return new Failure('no-such-unit', `The log has no outcome of a unit "${unit.slice(0, 128)}", so there is nothing to put on its label.`)
  const { entry } = last
  return { unit, version: text(entry, 'version'), imageHash: text(entry, 'activeHash'), outcome: text(entry, 'outcome'), at: entry.time, batch: text(entry, 'batch'), entry: entry.seq }
}

function labelOf(audit: AuditStore, unit: string): { facts: LabelFacts; size: LabelSettingsView } | Failure {
  const facts = labelFacts(audit, unit)
  if (failed(facts)) return facts
  const size = labelSettings(audit)
  return failed(size) ? size : { facts, size }
}

export function unitLabel(audit: AuditStore, unit: string): LabelView | Failure {
  const label = labelOf(audit, unit)
  if (failed(label)) return label
  const svg = labelSvg(label.facts, label.size)
  return failed(svg) ? svg : { svg, code: labelCode(label.facts), lines: labelLines(label.facts) }
}

export async function saveLabel(desk: Desk, { unit, form, saveAs }: CheckedArgsOf<'saveLabel'>): Promise<SavedView | Failure> {
  const label = labelOf(desk.audit, unit)
  if (failed(label)) return label
  const { facts, size } = label
  const made = form === 'zpl' ? labelZpl(facts, size) : labelHtml(facts, size)
  if (failed(made)) return made
  const bytes = form === 'zpl' ? utf8(made) : await (desk.paper?.pdf(made, size) ?? noPaper)
  return failed(bytes) ? bytes : await saveAndNote(desk.log, `label of ${unit}, ${form}`, saveAs, bytes)
}

export async function printLabel(desk: Desk, unit: string): Promise<{ printed: boolean } | Failure> {
  const label = labelOf(desk.audit, unit)
  if (failed(label)) return label
  const html = labelHtml(label.facts, label.size)
  if (failed(html)) return html
  return await printAndNote(desk, `label of ${unit}`, html, label.size)
}

export async function saveRecall(desk: Desk, { what, hash, still, saveAs }: CheckedArgsOf<'saveRecall'>): Promise<SavedView | Failure> {
  const found = await recallAll(desk.audit, { what, hash })
  if (failed(found)) return found
  const units = found.units.filter(({ stillRuns }) => !still || stillRuns !== 'no')
  return await saveAndNote(desk.log, `recall of ${what} ${hash}`, saveAs, utf8(recallTable(units)))
}

export async function saveHistory(desk: Desk, { unit, saveAs }: CheckedArgsOf<'saveHistory'>): Promise<SavedView | Failure> {
  const table = await historyTable(desk.audit, unit)
  return failed(table) ? table : await saveAndNote(desk.log, `history of ${unit}`, saveAs, utf8(table))
}

/** All of a unit and the signatures behind what it got, oldest first, as a table. Kinds: `no-such-unit`, the disk's. */
export async function historyTable(audit: AuditStore, unit: string): Promise<string | Failure> {
  const behind = signaturesBehind(audit.database, unit)
  if (failed(behind)) return behind
  try {
    const own = audit.database.sql.prepare(`SELECT seq FROM entries WHERE unit = ? ORDER BY seq LIMIT ${historyMax}`).pluck().all(unit) as number[]
    if (own.length === 0) return new Failure('no-such-unit', `The log knows no unit "${unit.slice(0, 128)}".`)
    const read = audit.database.sql.prepare('SELECT bytes, leaf FROM entries WHERE seq = ?')
    const seqs = [...new Set([...own, ...behind])].sort((a, b) => a - b)
    const lines: string[] = []
    for (const [i, seq] of seqs.entries()) {
      if (i % linesATurn === 0) await nextTurn()
      const { bytes, leaf } = read.get(seq) as { bytes: Uint8Array; leaf: Uint8Array }
      const entry = parseEntry(bytes)
      if (!failed(entry)) lines.push(csvLine(entry, toHex(leaf)))
    }
    return csvHeader + lines.join('')
  } catch (error) {
    return diskFailure(error, audit.database.path)
  }
}
