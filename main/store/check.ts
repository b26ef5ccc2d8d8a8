// Walks a stored log for main/log/verify.ts: reads entries and derived rows side by side in small pieces and gives the
// event loop its turn between them, so that a window stays alive over a million entries. Appends may go on meanwhile: the
// walk ends where the log ended when it began.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '../base/failure.ts'
import { derivedTables } from '../log/derived.ts'
import type { DerivedRow } from '../log/derived.ts'
import { parseEntry } from '../log/entry.ts'
import type { Entry } from '../log/entry.ts'
import { redactionKind, redactionsIn } from '../log/redact.ts'
import type { Redaction } from '../log/redact.ts'
import { checkLog } from '../log/verify.ts'
import type { KnownHead, LogVerdict, LogWrong, StoredRow } from '../log/verify.ts'
import { checkIndexes } from './check-indexes.ts'
import { readHead, sha256 } from './rows.ts'
import { levelsKeptIn } from './schema.ts'
import { diskFailure, openCheckBytesMax } from './database.ts'
import type { OpenDatabase, Sql } from './database.ts'

/** Entries read in one go: some milliseconds of work. */
const chunkEntries = 500

export type VerifyProgress = (done: number, total: number) => void

/** seq, bytes, leaf, then the subjects in the order they are read. */
type EntryCells = [number, Uint8Array, Uint8Array, string, string, string, string | null, string | null, string | null]

/**
 * Recomputes everything and compares it with what is stored and with `known` checkpoints; `found` are wrongs the caller
 * has already. Damage that SQLite meets on the way is part of the verdict. A file of more than `wholeBytesMax` is not given
 * to SQLite's own check; its indexes are looked through on the way. Fails with `stopped` when the signal aborts.
 */
export async function verifyDatabase(
  database: OpenDatabase,
  checkpoints: { known: readonly KnownHead[]; wrongs: readonly LogWrong[] },
  onProgress: VerifyProgress = () => {},
  signal?: AbortSignal,
  wholeBytesMax = openCheckBytesMax,
): Promise<LogVerdict | Failure> {
  const { sql } = database
  const redactions = readRedactions(database)
  if (redactions instanceof Failure) return redactions
  const keptLevels = levelsKeptIn(sql)
  const node = sql.prepare('SELECT hash FROM nodes WHERE level = ? AND idx = ?').pluck()
  const checker = checkLog({
    sha256,
    redactions,
    known: checkpoints.known,
    storedNode: (level, index) => (keptLevels.includes(level) ? ((node.get(level, index) as Uint8Array | undefined) ?? null) : undefined),
  })
  for (const wrong of checkpoints.wrongs) checker.wrong(wrong)
  let after = Number.MIN_SAFE_INTEGER
  let head: ReturnType<typeof readHead> = null
  try {
    const start = sql.transaction(() => ({ head: readHead(sql), last: sql.prepare('SELECT max(seq) FROM entries').pluck().get() as number | null }))()
    head = start.head
    const last = start.last ?? -1
    const read = chunkReader(sql)
    // A whole-file check of a large database would hold everything up for seconds.
    const whole = Number(sql.pragma('page_count', { simple: true })) * Number(sql.pragma('page_size', { simple: true })) <= wholeBytesMax
    const indexes = whole ? null : checkIndexes(sql)
    for (;;) {
      if (signal?.aborted) return new Failure('stopped', 'The verification was stopped before it was through.')
      const chunk = read(after, last)
      for (const row of chunk.rows) checker.row(row)
      for (const wrong of chunk.strays) checker.wrong(wrong)
      const end = chunk.rows.at(-1)
      if (end === undefined) break
      for (const wrong of indexes?.rows(after, end.seq) ?? []) checker.wrong(wrong)
      after = end.seq
      onProgress(Math.min(after + 1, last + 1), last + 1)
      await nextTurn()
    }
    for (const wrong of [...indexes?.end(last) ?? [], ...atTheEnd(database, last, whole)]) checker.wrong(wrong)
  } catch (error) {
    const failure = diskFailure(error, database.path)
    if (failure.kind !== 'database-damaged') return failure
    checker.wrong({ seq: Math.max(0, after + 1), kind: 'database', says: failure.says })
  }
  return checker.end(head)
}

/** Redactions as the log's own entries tell them; those entries are checked with all others. */
export function readRedactions(database: OpenDatabase): ReadonlyMap<number, Redaction> | Failure {
  try {
    const rows = database.sql.prepare('SELECT bytes FROM entries WHERE kind = ? ORDER BY seq').pluck().all(redactionKind) as Uint8Array[]
    return redactionsIn(rows.map(parseEntry).filter((entry): entry is Entry => !(entry instanceof Failure)))
  } catch (error) {
    const failure = diskFailure(error, database.path)
    // What is damaged there is found, and said, by the walk over all entries.
    return failure.kind === 'database-damaged' ? new Map() : failure
  }
}

/** Reads the next entries with all that stands beside them, and the derived rows among them that belong to none. */
function chunkReader(sql: Sql): (after: number, last: number) => { rows: StoredRow[]; strays: LogWrong[] } {
  const entries = sql.prepare('SELECT seq, bytes, leaf, kind, time, person, unit, batch, run FROM entries WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?').raw()
  const derived = derivedTables.map(({ table }) => ({ table, rows: sql.prepare(`SELECT * FROM ${table} WHERE seq > ? AND seq <= ?`) }))
  return (after, last) => {
    // Rows as arrays: over a million of them, objects with nine names each are a good part of the time.
    const chunk = entries.all(after, last, chunkEntries) as EntryCells[]
    const end = chunk.at(-1)?.[0] ?? last
    const beside = new Map<number, Record<string, DerivedRow>>()
    for (const [seq] of chunk) beside.set(seq, {})
    const strays: LogWrong[] = []
    for (const { table, rows } of derived) {
      for (const row of rows.all(after, end) as (DerivedRow & { seq: number })[]) {
        const place = beside.get(row.seq)
        if (place === undefined) strays.push(stray(table, row.seq))
        else place[table] = row
      }
    }
    const rows = chunk.map(([seq, bytes, leaf, kind, time, person, unit, batch, run]) => ({ seq, bytes, leaf, subjects: { kind, time, person, unit, batch, run }, derived: beside.get(seq) ?? {} }))
    return { rows, strays }
  }
}

function stray(table: string, seq: number): LogWrong {
  return { seq, kind: 'derived', says: `The table ${table} has a row of entry ${seq}, and there is no such entry.` }
}

/** What can only be seen when all entries were read: rows beyond the last, subtree hashes too many, pages that hang loose. */
function atTheEnd(database: OpenDatabase, last: number, whole: boolean): LogWrong[] {
  const { sql } = database
  const wrongs: LogWrong[] = []
  for (const { table } of derivedTables) {
    const seq = sql.prepare(`SELECT min(seq) FROM ${table} WHERE seq > ? AND seq NOT IN (SELECT seq FROM entries WHERE seq > ?)`).pluck().get(last, last) as number | null
    if (seq !== null) wrongs.push(stray(table, seq))
  }
  const now = readHead(sql)?.size ?? 0
  const expected = levelsKeptIn(sql).reduce((sum, level) => sum + Math.floor(now / 2 ** level), 0)
  const kept = Number(sql.prepare('SELECT count(*) FROM nodes').pluck().get())
  if (kept > expected) wrongs.push({ seq: null, kind: 'tree', says: `${kept} subtree hashes are stored where ${expected} belong.` })
  if (whole) {
    const check = String(sql.pragma('integrity_check(1)', { simple: true }))
    if (check !== 'ok') wrongs.push({ seq: null, kind: 'database', says: `SQLite finds the file damaged: ${check.slice(0, 200)}.` })
  }
  return wrongs
}
