// Reading the log without being the station: the database is opened for reading only, so `log` and `history` work beside
// a running window and change nothing, not even that they looked.
import { toHex } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { EntryView } from '../contract/views.ts'
import { entryView } from '../station/views.ts'
import { listMax, openAuditStoreForReading } from '../store/audit.ts'
import type { AuditStore, ListFilter } from '../store/audit.ts'
import type { Call } from './call.ts'
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

/** Entries that fit, newest first, as many as were asked for. */
export function entriesOf(log: AuditStore, filter: ListFilter, limit: number): EntryView[] | Failure {
  const entries: EntryView[] = []
  let before: number | null = filter.before ?? null
  while (entries.length < limit) {
    const piece = log.list({ ...filter, before, limit: Math.min(listMax, limit - entries.length) })
    if (failed(piece)) return piece
    entries.push(...piece.map(entryView))
    const last = piece.at(-1)
    if (last === undefined) break
    before = last.seq
  }
  return entries
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
