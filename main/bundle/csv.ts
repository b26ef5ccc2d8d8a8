// Entries for spreadsheets: RFC 4180 with CRLF and a byte order mark, without which Excel takes UTF-8 for something else.
// Surprise: a cell that begins with = + - @ is a formula to a spreadsheet, and boards choose their own serial numbers; such
// texts get an apostrophe in front, which spreadsheets do not show. And where the country's separator is a semicolon, or
// somebody opens the table by tabs, a cell begins in the middle of ours: there, too.
import { sayEntry } from '../log/sentence.ts'
import type { Entry } from '../log/entry.ts'
import { numberOf, textOf } from './story.ts'

const columns = ['seq', 'time', 'mono_ms', 'session', 'station', 'person', 'role', 'kind', 'batch', 'run', 'unit', 'bay', 'outcome', 'failure', 'version', 'image_hash', 'active_hash', 'key', 'says', 'leaf_sha256'] as const

/** The header line, with byte order mark and line end. */
export const csvHeader = `\ufeff${columns.join(',')}\r\n`

/** One entry as one line; `leaf` is its leaf hash in hex. */
export function csvLine(entry: Entry, leaf: string): string {
  const text = (field: string) => textOf(entry, field) ?? ''
  const cells: Record<(typeof columns)[number], string | number> = {
    seq: entry.seq, time: entry.time, mono_ms: entry.mono, session: entry.session, station: entry.station, person: entry.person, role: entry.role, kind: entry.kind,
    batch: text('batch'), run: text('run'), unit: text('unit'), bay: numberOf(entry, 'bay') ?? '', outcome: text('outcome'), failure: text('failure'),
    version: text('version'), image_hash: text('imageHash'), active_hash: text('activeHash'), key: text('key'), says: sayEntry(entry), leaf_sha256: leaf,
  }
  return `${columns.map((column) => csvCell(cells[column])).join(',')}\r\n`
}

/** A cell: quoted where it must be, and never a formula; the full-width signs are some to a spreadsheet in Japanese or Chinese. */
export function csvCell(value: string | number): string {
  if (typeof value === 'number') return String(value)
  const tame = value.replace(/[;\t\r\n](?=[\s"']*[=+\-@\uff0b\uff0d\uff1d\uff20])/g, "$&'").replace(/^(?=[\s"']*[=+\-@\uff0b\uff0d\uff1d\uff20]|[\t\r\n])/, "'")
  return /[",\r\n]/.test(tame) ? `"${tame.replaceAll('"', '""')}"` : tame
}
