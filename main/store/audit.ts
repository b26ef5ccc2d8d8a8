// The audit log on disk. An append is one transaction: the entry's bytes, its leaf hash, the tree's edge and every derived
// row, read back before it is answered; once answered it survives a power cut (database.ts says how). Reading and
// verifying work on a database opened for reading too, beside the station that writes it.
import { createHash } from 'node:crypto'
import { sameBytes, toHex } from '../base/bytes.ts'
import { assert, Failure } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import { deriveRows, derivedTables, subjectsOf } from '../log/derived.ts'
import type { DerivedTable } from '../log/derived.ts'
import { makeEntry, parseEntry } from '../log/entry.ts'
import type { Entry, EntryDraft, Role } from '../log/entry.ts'
import { appendLeaf, edgeLength, emptyEdge, hashBytes, leafHash, rootOf } from '../log/tree.ts'
import type { TreeEdge, TreeHead } from '../log/tree.ts'
import { diskFailure, openDatabase, openDatabaseForReading } from './database.ts'
import type { OpenDatabase, Sql } from './database.ts'

/** OpenSSL's or BoringSSL's SHA-256: several times faster than a script's. */
export const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** At most this many entries in one append, and in one answer of `list`. */
export const appendMax = 10_000
export const listMax = 1_000
/** A difference between the clocks' steps beyond this is logged as `clock-stepped`. */
export const clockStepMs = 2_000
/** Tree levels whose subtree hashes are kept. */
export const keptLevels: readonly number[] = [8, 16, 24]

/** Who appends: the station's name, the identity of this start, and the clock. */
export type AuditIdentity = Readonly<{ station: string; session: string; clock: Clock }>

export type ListFilter = Readonly<{
  /** Only entries with a smaller seq: the last one shown, to go on. */
  before?: number | null
  /** At most this many, 100 unless told, `listMax` at most. */
  limit?: number
  kind?: string | null
  unit?: string | null
  batch?: string | null
  run?: string | null
  /** Case-insensitive (ASCII) text anywhere in the entry's JSON. */
  text?: string | null
}>

/** An entry as listed: unreadable bytes are shown as what is wrong with them instead of being hidden. */
export type ListedEntry = Readonly<{ seq: number; leaf: string; entry: Entry | Failure }>

type Stored = { seq: number; bytes: Uint8Array; leaf: Uint8Array }

/**
 * Opens the home's log for writing. Failures: those of `openDatabase`, and `log-inconsistent` when the stored head does
 * not fit the entries, so that nothing is ever appended to a log that was cut.
 */
export function openAuditStore(folder: string, identity: AuditIdentity): AuditStore | Failure {
  const database = openDatabase(folder)
  if (database instanceof Failure) return database
  return startStore(database, identity)
}

/** Opens the home's log for reading and verifying only; `append` then fails. */
export function openAuditStoreForReading(folder: string): AuditStore | Failure {
  const database = openDatabaseForReading(folder)
  if (database instanceof Failure) return database
  return startStore(database, null)
}

function startStore(database: OpenDatabase, identity: AuditIdentity | null): AuditStore | Failure {
  try {
    const edge = identity === null ? emptyEdge : readEdge(database)
    if (edge instanceof Failure) {
      database.close()
      return edge
    }
    return new AuditStore(database, identity, edge)
  } catch (error) {
    database.close()
    return diskFailure(error, database.path)
  }
}

export class AuditStore {
  readonly database: OpenDatabase
  readonly #identity: AuditIdentity | null
  readonly #insert: InsertEntry | null
  #edge: TreeEdge
  #startedMs: number
  /** Wall minus monotonic time at the last append; moves only when the wall clock is stepped. */
  #offsetMs: number
  #lastMono = 0
  readonly #listeners = new Set<(entries: readonly Entry[]) => void>()

  /** Use `openAuditStore`. */
  constructor(database: OpenDatabase, identity: AuditIdentity | null, edge: TreeEdge) {
    this.database = database
    this.#identity = identity
    this.#edge = edge
    this.#insert = identity === null ? null : prepareInsert(database.sql)
    this.#startedMs = identity?.clock.monotonicMs() ?? 0
    this.#offsetMs = identity === null ? 0 : identity.clock.wallMs() - this.#startedMs
  }

  /** Writes one entry; answers when it is on disk and was read back. Failures: `entry-refused`, `read-only` and the disk's. */
  append(draft: EntryDraft): Entry | Failure {
    const entries = this.appendAll([draft])
    if (entries instanceof Failure) return entries
    const entry = entries.at(-1)
    assert(entry !== undefined, 'one draft makes one entry')
    return entry
  }

  /** Writes all drafts in one transaction, in order, or none. The answer has one entry for each draft. */
  appendAll(drafts: readonly EntryDraft[]): Entry[] | Failure {
    assert(drafts.length > 0 && drafts.length <= appendMax, `an append has 1 to ${appendMax} drafts`)
    if (this.#identity === null || this.#insert === null) {
      return new Failure('read-only', 'The log was opened for reading only, so nothing can be written to it.')
    }
    const { clock, session, station } = this.#identity
    const wallMs = clock.wallMs()
    const monotonicMs = clock.monotonicMs()
    const time = new Date(wallMs).toISOString()
    const mono = Math.max(this.#lastMono, Math.floor(monotonicMs - this.#startedMs))
    const stepMs = Math.round(wallMs - monotonicMs - this.#offsetMs)
    const stepped: EntryDraft[] = Math.abs(stepMs) > clockStepMs ? [{ kind: 'clock-stepped', data: { byMs: stepMs } }] : []

    const made: { entry: Entry; bytes: Uint8Array }[] = []
    for (const draft of [...stepped, ...drafts]) {
      const person = draft.person ?? ''
      const role: Role = draft.role ?? 'station'
      const one = makeEntry({ seq: this.#edge.size + made.length, time, mono, session, station, person, role }, draft)
      if (one instanceof Failure) return one
      made.push(one)
    }
    let edge: TreeEdge
    try {
      edge = this.#insert(made, this.#edge)
    } catch (error) {
      return diskFailure(error, this.database.path)
    }
    this.#edge = edge
    this.#lastMono = mono
    this.#offsetMs = wallMs - monotonicMs
    const entries = made.map(({ entry }) => entry)
    for (const listener of this.#listeners) listener(entries)
    return entries.slice(stepped.length)
  }

  /** Calls back with the entries of each append once they are on disk. The returned function ends it. */
  onAppended(listener: (entries: readonly Entry[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Entries that fit the filter, newest first. */
  list(filter: ListFilter = {}): ListedEntry[] | Failure {
    const { where, values } = conditionOf(filter)
    const limit = Math.min(Math.max(1, filter.limit ?? 100), listMax)
    return this.#read((sql) => {
      const rows = sql.prepare(`SELECT seq, bytes, leaf FROM entries ${where} ORDER BY seq DESC LIMIT ?`).all(...values, limit) as Stored[]
      return rows.map(({ seq, bytes, leaf }) => ({ seq, leaf: toHex(leaf), entry: parseEntry(bytes) }))
    })
  }

  /** One entry by its number; null when there is none. */
  get(seq: number): ListedEntry | null | Failure {
    return this.#read((sql) => {
      const row = sql.prepare('SELECT seq, bytes, leaf FROM entries WHERE seq = ?').get(seq) as Stored | undefined
      return row === undefined ? null : { seq: row.seq, leaf: toHex(row.leaf), entry: parseEntry(row.bytes) }
    })
  }

  /** How many entries fit the filter (`before` and `limit` play no part). */
  count(filter: ListFilter = {}): number | Failure {
    const { where, values } = conditionOf({ ...filter, before: null })
    return this.#read((sql) => Number(sql.prepare(`SELECT count(*) FROM entries ${where}`).pluck().get(...values)))
  }

  /** Size and root of the tree as stored. */
  head(): TreeHead | Failure {
    if (this.#identity !== null) return { size: this.#edge.size, root: rootOf(this.#edge, sha256) }
    return this.#read((sql) => {
      const row = readHead(sql)
      return { size: row?.size ?? 0, root: row?.root ?? rootOf(emptyEdge, sha256) }
    })
  }

  /** Empties the derived tables and fills them from the entries, in one transaction. Gives the number of rows made. */
  rebuildDerived(): number | Failure {
    if (this.#identity === null) return new Failure('read-only', 'The log was opened for reading only, so nothing can be rebuilt in it.')
    return this.#read((sql) => sql.transaction(() => rebuild(sql)).immediate())
  }

  /** Closes the database and gives the writer's lock back; safe to call twice. */
  close(): void {
    this.#listeners.clear()
    this.database.close()
  }

  #read<T>(work: (sql: Sql) => T): T | Failure {
    try {
      return work(this.database.sql)
    } catch (error) {
      return diskFailure(error, this.database.path)
    }
  }
}

type InsertEntry = (made: readonly { entry: Entry; bytes: Uint8Array }[], edge: TreeEdge) => TreeEdge

function prepareInsert(sql: Sql): InsertEntry {
  const entryRow = sql.prepare(
    'INSERT INTO entries (seq, bytes, leaf, kind, time, person, unit, batch, run) VALUES (@seq, @bytes, @leaf, @kind, @time, @person, @unit, @batch, @run)',
  )
  const node = sql.prepare('INSERT INTO nodes (level, idx, hash) VALUES (?, ?, ?)')
  const headRow = sql.prepare('INSERT INTO head (one, size, edge, root) VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET size = excluded.size, edge = excluded.edge, root = excluded.root')
  const readBack = sql.prepare('SELECT seq, bytes, leaf FROM entries WHERE seq = ?')
  const derived = new Map(derivedTables.map((table) => [table.table, sql.prepare(insertSql(table))]))

  const insert = (made: readonly { entry: Entry; bytes: Uint8Array }[], before: TreeEdge): TreeEdge => {
    let edge = before
    for (const { entry, bytes } of made) {
      const leaf = leafHash(bytes, sha256)
      entryRow.run({ seq: entry.seq, bytes, leaf, ...subjectsOf(entry) })
      for (const { table, row } of deriveRows(entry)) derived.get(table.table)?.run(row)
      edge = appendLeaf(edge, leaf, sha256, (level, index, hash) => {
        if (keptLevels.includes(level)) node.run(level, index, hash)
      })
      const written = readBack.get(entry.seq) as Stored | undefined
      assert(written !== undefined && sameBytes(written.bytes, bytes) && sameBytes(written.leaf, leaf), 'the log reads back what was written')
    }
    headRow.run(edge.size, Buffer.concat(edge.hashes), rootOf(edge, sha256))
    return edge
  }
  return (made, edge) => sql.transaction(insert).immediate(made, edge)
}

function insertSql(table: DerivedTable): string {
  const columns = ['seq', 'kind', ...table.columns.map(({ column }) => column)]
  return `INSERT INTO ${table.table} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`
}

function rebuild(sql: Sql): number {
  const inserts = new Map<string, ReturnType<Sql['prepare']>>()
  for (const table of derivedTables) {
    sql.exec(`DELETE FROM ${table.table}`)
    inserts.set(table.table, sql.prepare(insertSql(table)))
  }
  const kinds = [...new Set(derivedTables.flatMap((table) => table.kinds))]
  const page = sql.prepare(`SELECT seq, bytes FROM entries WHERE seq > ? AND kind IN (${kinds.map(() => '?').join(', ')}) ORDER BY seq LIMIT 1000`)
  let made = 0
  for (let after = -1; ; ) {
    const rows = page.all(after, ...kinds) as Pick<Stored, 'seq' | 'bytes'>[]
    for (const { seq, bytes } of rows) {
      after = seq
      const entry = parseEntry(bytes)
      if (entry instanceof Failure) continue
      for (const { table, row } of deriveRows(entry)) {
        inserts.get(table.table)?.run(row)
        made += 1
      }
    }
    if (rows.length === 0) return made
  }
}

function conditionOf(filter: ListFilter): { where: string; values: (string | number)[] } {
  const parts: string[] = []
  const values: (string | number)[] = []
  const add = (part: string, value: string | number | null | undefined) => {
    if (value === null || value === undefined || value === '') return
    parts.push(part)
    values.push(value)
  }
  add('seq < ?', filter.before)
  add('kind = ?', filter.kind)
  add('unit = ?', filter.unit)
  add('batch = ?', filter.batch)
  add('run = ?', filter.run)
  add('instr(lower(CAST(bytes AS TEXT)), lower(?)) > 0', filter.text)
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values }
}

/** The stored head, its edge cut into hashes; null when there is none or it has no sensible shape. */
export function readHead(sql: Sql): { size: number; root: Uint8Array; edge: Uint8Array[] } | null {
  const row = sql.prepare('SELECT size, edge, root FROM head').get() as { size: number; edge: Uint8Array; root: Uint8Array } | undefined
  if (row === undefined) return null
  const edge: Uint8Array[] = []
  for (let at = 0; at < row.edge.length; at += hashBytes) edge.push(row.edge.subarray(at, at + hashBytes))
  return { size: row.size, root: row.root, edge }
}

function readEdge(database: OpenDatabase): TreeEdge | Failure {
  const head = readHead(database.sql)
  const last = database.sql.prepare('SELECT max(seq) FROM entries').pluck().get() as number | null
  const entries = last === null ? 0 : last + 1
  const size = head?.size ?? 0
  const edge = { size, hashes: head?.edge ?? [] }
  const fits = edge.hashes.length === edgeLength(size) && edge.hashes.every((hash) => hash.length === hashBytes)
  if (entries === size && (head === null || (fits && sameBytes(rootOf(edge, sha256), head.root)))) return edge
  return new Failure(
    'log-inconsistent',
    `The log in ${database.folder} does not fit its own head (${entries} entries stored, ${size} appended), so nothing may be added to it. Have it checked with "log verify", then restore a backup or use another home folder.`,
    { entries, size },
  )
}
