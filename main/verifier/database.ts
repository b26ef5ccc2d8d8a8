// Checks a station's database from its file alone, by the same rules as the station's own `log verify`, but read by another
// reader: every entry, every leaf, every row beside them, the kept subtree hashes, the head, and the signed checkpoints.
import { toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import type { Finding } from '../bundle/finding.ts'
import { cosignedAt, openCheckpoint, parseCheckpointText, parseNote } from '../log/checkpoint.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { derivedTables } from '../log/derived.ts'
import type { DerivedRow, Subjects } from '../log/derived.ts'
import { parseEntry } from '../log/entry.ts'
import type { Entry } from '../log/entry.ts'
import { redactionKind, redactionsIn } from '../log/redact.ts'
import type { Sha256 } from '../log/tree.ts'
import { checkLog } from '../log/verify.ts'
import type { KnownHead, LogVerdict, StoredRow } from '../log/verify.ts'
import { strangeIn } from './schema.ts'
import { Damage, openSqlite } from '../log/sqlite-file.ts'
import type { ReadAt, Row, SqliteFile } from '../log/sqlite-file.ts'

/** `SlWr`, as main/store/schema.ts writes it. */
const applicationId = 0x536c_5772
export const knownVersions = 4
const rowsATurn = 2_000

export type DatabaseFiles = Readonly<{
  read: ReadAt
  wal: Uint8Array | null
  /** Checkpoint files of the home, by name. */
  checkpoints: ReadonlyMap<string, string>
}>

export type DatabaseCheckOptions = Readonly<{
  key: NoteKey | null
  /** The key is the auditor's own, so something signed with it must be there. */
  keyGiven?: boolean
  /** Checkpoints from elsewhere than the home, by what to call them. */
  kept?: ReadonlyMap<string, string>
  /** Witnesses of whom a cosignature is wanted. */
  witnesses?: readonly NoteKey[]
  sha256?: Sha256
  onProgress?: (done: number, total: number) => Promise<void> | void
}>

/** The verdict on the database, with what an auditor should know beside it. Kinds: `not-our-database`, `database-newer`, `database-damaged`. */
export async function checkDatabase(files: DatabaseFiles, options: DatabaseCheckOptions): Promise<{ verdict: LogVerdict; findings: Finding[] } | Failure> {
  try {
    const sqlite = openSqlite(files.read, files.wal)
    if (sqlite.applicationId !== applicationId) return new Failure('not-our-database', 'This is a database of another program.')
    if (sqlite.userVersion > knownVersions) return new Failure('database-newer', `The database is of version ${sqlite.userVersion}; this verifier knows versions up to ${knownVersions}. Take a newer verifier.`)
    return await check(sqlite, files, options)
  } catch (error) {
    if (!(error instanceof Damage)) throw error
    return new Failure('database-damaged', `The database file is damaged: ${error.message}`)
  }
}

async function check(sqlite: SqliteFile, files: DatabaseFiles, options: DatabaseCheckOptions): Promise<{ verdict: LogVerdict; findings: Finding[] }> {
  const { key, sha256, onProgress, kept = new Map<string, string>() } = options
  const findings: Finding[] = []
  const known = [...headsOf(files.checkpoints, 'the checkpoint', key, findings), ...headsOf(kept, 'your checkpoint', key, findings)]
  if (options.keyGiven === true && known.length === 0) findings.push({ is: 'broken', about: 'key', says: 'Nothing is here that the key you gave has signed, so it vouches for none of these entries. Give the home with its checkpoints, or a checkpoint of yours.' })
  for (const witness of options.witnesses ?? []) findings.push(cosigned([...files.checkpoints.values(), ...kept.values()], witness))
  for (const says of strangeIn(sqlite)) findings.push({ is: 'broken', about: 'database', says })
  const [head] = [...sqlite.rows('head')]
  const size = numberIn(head, 'size') ?? 0
  const levels = sqlite.userVersion < 2 ? [8, 16, 24] : [4, 8, 12, 16, 20, 24]
  const nodes = new Map<string, Uint8Array>()
  for (const row of sqlite.rows('nodes')) nodes.set(`${row['level'] as number} ${row['idx'] as number}`, bytesIn(row, 'hash'))
  const redactions = redactionsIn([...sqlite.rows('entries')].flatMap((row) => {
    const entry = row['kind'] === redactionKind ? parseEntry(bytesIn(row, 'bytes')) : null
    return entry === null || entry instanceof Failure ? [] : [entry satisfies Entry]
  }))
  const checker = checkLog({ ...(sha256 === undefined ? {} : { sha256 }), known, redactions, storedNode: (level, index) => (levels.includes(level) ? (nodes.get(`${level} ${index}`) ?? null) : undefined) })
  const beside = derivedTables.map(({ table }) => ({ table, rows: peeking(sqlite.rows(table)) }))
  let done = 0
  for (const row of sqlite.rows('entries')) {
    if (done++ % rowsATurn === 0) await onProgress?.(done - 1, size)
    const seq = numberIn(row, 'seq') ?? -1
    const derived: Record<string, DerivedRow> = {}
    for (const { table, rows } of beside) {
      for (let next = rows.peek(); next !== null && (numberIn(next, 'seq') ?? -1) <= seq; next = rows.peek()) {
        rows.take()
        if (numberIn(next, 'seq') === seq) derived[table] = next as DerivedRow
        else checker.wrong({ seq: numberIn(next, 'seq') ?? 0, kind: 'derived', says: `The table ${table} has a row of entry ${numberIn(next, 'seq') ?? '?'}, and there is no such entry.` })
      }
    }
    checker.row(storedRow(row, seq, derived))
  }
  await onProgress?.(done, size)
  for (const { table, rows } of beside) {
    const next = rows.peek()
    if (next !== null) checker.wrong({ seq: numberIn(next, 'seq') ?? 0, kind: 'derived', says: `The table ${table} has a row of entry ${numberIn(next, 'seq') ?? '?'}, and there is no such entry.` })
  }
  const verdict = checker.end(head === undefined ? null : { size, root: bytesIn(head, 'root'), edge: cut(bytesIn(head, 'edge')) })
  return { verdict, findings: [...findings, ...findingsOf(verdict, known)] }
}

function findingsOf(verdict: LogVerdict, known: readonly KnownHead[]): Finding[] {
  const signed = Math.max(0, ...known.map(({ size }) => size))
  const found: Finding[] = verdict.wrongs.slice(0, 20).map(({ says }) => ({ is: 'broken', about: 'entries', says }))
  if (verdict.holds) found.push({ is: 'holds', about: 'entries', says: `All ${verdict.size} entries hold, with all that stands beside them; root ${toHex(verdict.root)}.` })
  if (verdict.checkpointsHeld > 0) found.push({ is: 'holds', about: 'checkpoint', says: `${verdict.checkpointsHeld} signed checkpoint${verdict.checkpointsHeld === 1 ? ' agrees' : 's agree'} with the entries.` })
  if (known.length > 0 && signed < verdict.size) found.push({ is: 'note', about: 'checkpoint', says: `Entries ${signed} to ${verdict.size - 1} came after the newest checkpoint here: nothing signed vouches for them yet.` })
  if (known.length === 0) found.push({ is: 'note', about: 'checkpoint', says: 'No signed checkpoint was at hand, so a log that was cut short or rewritten whole would not show. Give the home folder, or a checkpoint.' })
  if (verdict.redactedCount > 0) found.push({ is: 'note', about: 'redacted', says: `Text was struck out of ${verdict.redactedCount} entr${verdict.redactedCount === 1 ? 'y' : 'ies'} (${verdict.redacted.slice(0, 10).join(', ')}), as later entries say.` })
  return found
}

function cosigned(notes: readonly string[], witness: NoteKey): Finding {
  const seen = notes.flatMap((note) => {
    const [seconds, text] = [cosignedAt(note, witness), parseNote(note)]
    const checkpoint = text instanceof Failure ? text : parseCheckpointText(text.text)
    return seconds === null || checkpoint instanceof Failure ? [] : [{ seconds, size: checkpoint.size }]
  }).sort((a, b) => b.size - a.size)[0]
  if (seen === undefined) return { is: 'broken', about: 'witness', says: `The witness ${witness.name} has cosigned none of the checkpoints here.` }
  return { is: 'holds', about: 'witness', says: `The witness ${witness.name} cosigned the log over ${seen.size} entries at ${new Date(seen.seconds * 1000).toISOString()}.` }
}

function headsOf(checkpoints: ReadonlyMap<string, string>, calledIn: string, key: NoteKey | null, findings: Finding[]): KnownHead[] {
  if (checkpoints.size === 0) return []
  if (key === null) {
    findings.push({ is: 'broken', about: 'key', says: 'There are signed checkpoints, but no key to verify them with.' })
    return []
  }
  const heads: KnownHead[] = []
  for (const [name, note] of checkpoints) {
    const opened = openCheckpoint(note, [key])
    if (opened instanceof Failure || opened.origin !== key.name) findings.push({ is: 'broken', about: 'checkpoint', says: `${calledIn.replace(/^[a-z]/, (letter) => letter.toUpperCase())} ${name} cannot be trusted. ${opened instanceof Failure ? opened.says : 'It is of another log.'}` })
    else heads.push({ size: opened.size, root: opened.root, calledIn: `${calledIn} ${name}` })
  }
  return heads
}

function storedRow(row: Row, seq: number, derived: Record<string, DerivedRow>): StoredRow {
  const { kind, time, person, unit, batch, run } = row
  return { seq, bytes: bytesIn(row, 'bytes'), leaf: bytesIn(row, 'leaf'), subjects: { kind, time, person, unit, batch, run } as Subjects, derived }
}

function peeking(rows: Generator<Row>): { peek(): Row | null; take(): void } {
  let next = rows.next()
  return { peek: () => (next.done === true ? null : next.value), take: () => void (next = rows.next()) }
}

function numberIn(row: Row | undefined, column: string): number | null {
  const value = row?.[column]
  return typeof value === 'number' ? value : null
}

function bytesIn(row: Row, column: string): Uint8Array {
  const value = row[column]
  return value instanceof Uint8Array ? value : new Uint8Array(0)
}

function cut(edge: Uint8Array): Uint8Array[] {
  return Array.from({ length: Math.ceil(edge.length / 32) }, (_, i) => edge.subarray(32 * i, 32 * i + 32))
}
