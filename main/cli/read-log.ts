// Reading the log without being the station: the database is opened for reading only, so `log` and `history` work beside
// a running window and change nothing, not even that they looked.
import { existsSync } from 'node:fs'
import { toHex } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { EntryView } from '../contract/views.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { parseLogKeys } from '../log/handover.ts'
import { entryView } from '../station/views.ts'
import { openAuditStoreForReading } from '../store/audit.ts'
import type { AuditStore, ListFilter } from '../store/audit.ts'
import { listFound } from '../store/find.ts'
import type { Call } from './call.ts'
import { readText } from './files.ts'
import { homeFolder } from './home.ts'
import { columns } from './terminal.ts'

/** Opens the home's log, does the work and closes it again. */
export async function withLog<T>(call: Call, work: (log: AuditStore) => Promise<T | Failure> | T | Failure): Promise<T | Failure> {
  const log = openAuditStoreForReading(homeFolder(call))
  if (failed(log)) return log
  try {
    return await work(log)
  } finally {
    log.close()
  }
}

/** Entries that fit, newest first, as many as were asked for, and how many fit in all; Ctrl+C ends it. */
export async function entriesOf(call: Call, log: AuditStore, filter: ListFilter, limit: number): Promise<{ entries: EntryView[]; total: number } | Failure> {
  const listed = await listFound(log, { ...filter, limit }, call.signal)
  return failed(listed) ? listed : { entries: listed.entries.map(entryView), total: listed.total }
}

/** Entries as lines: number, time, unit, sentence. */
export function entryLines(call: Call, entries: readonly EntryView[]): string {
  return columns(entries.map((entry) => [
    call.paint.dim(String(entry.seq).padStart(6)),
    call.paint.dim(entry.at.replace('T', ' ').replace(/\.\d+Z$/, 'Z')),
    entry.kind,
    entry.unit ?? '',
    entry.says,
  ]))
}

/** Size and root of the log now; null where there is none. */
export function headOf(log: AuditStore): { size: number; root: string } | null {
  const head = log.head()
  return failed(head) ? null : { size: head.size, root: toHex(head.root) }
}

/** A log's key as it was given: the file it lies in, or itself (name+id+base64). Kinds: of `readText`, `bad-note-key`. */
export async function readLogKey(given: string): Promise<NoteKey | Failure> {
  const text = existsSync(given) ? await readText(given, 'key') : given
  return failed(text) ? text : parseLogKeys(text)
}
