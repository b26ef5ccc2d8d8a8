// The log's rows in SQLite: how an entry, its place in the tree and its derived rows are written together, read back and
// made anew. Everything here throws what SQLite throws; audit.ts makes failures of it.
import { hash } from 'node:crypto'
import { sameBytes } from '../base/bytes.ts'
import { assert, Failure } from '../base/failure.ts'
import { deriveRows, derivedTables, subjectsOf } from '../log/derived.ts'
import type { DerivedTable } from '../log/derived.ts'
import { parseEntry } from '../log/entry.ts'
import type { Entry } from '../log/entry.ts'
import { appendLeaf, edgeLength, hashBytes, leafHash, rootOf } from '../log/tree.ts'
import type { TreeEdge } from '../log/tree.ts'
import { busyTimeoutMs } from './database.ts'
import type { OpenDatabase, Sql } from './database.ts'
import { keptLevels } from './schema.ts'

/** OpenSSL's or BoringSSL's SHA-256: several times faster than a script's. */
export const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer')

/** Entries read in one go when the tables are rebuilt. */
const rebuildPage = 1_000

export type StoredEntry = { seq: number; bytes: Uint8Array; leaf: Uint8Array }

/** Writes entries after the tree with this edge, in one transaction with `also`, and gives the edge after them. */
export type InsertEntries = (made: readonly { entry: Entry; bytes: Uint8Array }[], edge: TreeEdge, also?: () => void) => TreeEdge

export function prepareInsert(sql: Sql): InsertEntries {
  const entryRow = sql.prepare(
    'INSERT INTO entries (seq, bytes, leaf, kind, time, person, unit, batch, run) VALUES (@seq, @bytes, @leaf, @kind, @time, @person, @unit, @batch, @run)',
  )
  const node = sql.prepare('INSERT INTO nodes (level, idx, hash) VALUES (?, ?, ?)')
  const headRow = sql.prepare('INSERT INTO head (one, size, edge, root) VALUES (1, ?, ?, ?) ON CONFLICT (one) DO UPDATE SET size = excluded.size, edge = excluded.edge, root = excluded.root')
  const readBack = sql.prepare('SELECT seq, bytes, leaf FROM entries WHERE seq = ?')
  const derived = new Map(derivedTables.map((table) => [table.table, sql.prepare(insertSql(table))]))

  const insert = (made: readonly { entry: Entry; bytes: Uint8Array }[], before: TreeEdge, also?: () => void): TreeEdge => {
    let edge = before
    for (const { entry, bytes } of made) {
      const leaf = leafHash(bytes, sha256)
      entryRow.run({ seq: entry.seq, bytes, leaf, ...subjectsOf(entry) })
      for (const { table, row } of deriveRows(entry)) derived.get(table.table)?.run(row)
      edge = appendLeaf(edge, leaf, sha256, (level, index, hash) => {
        if (keptLevels.includes(level)) node.run(level, index, hash)
      })
      const written = readBack.get(entry.seq) as StoredEntry | undefined
      assert(written !== undefined && sameBytes(written.bytes, bytes) && sameBytes(written.leaf, leaf), 'the log reads back what was written')
    }
    headRow.run(edge.size, Buffer.concat(edge.hashes), rootOf(edge, sha256))
    also?.()
    return edge
  }
  const inTransaction = sql.transaction(insert)
  return (made, edge, also) => inTransaction.immediate(made, edge, also)
}

/** Puts redacted entries in place of the whole ones, with what is derived from them; the leaves stay. Inside a transaction. */
export function replaceEntries(sql: Sql, replaced: readonly { entry: Entry; bytes: Uint8Array }[]): void {
  const stays = sql.prepare("SELECT sql FROM sqlite_schema WHERE name = 'entries_stay'").pluck().get() as string
  sql.exec('DROP TRIGGER entries_stay')
  for (const { entry, bytes } of replaced) {
    sql.prepare('UPDATE entries SET bytes = @bytes, person = @person WHERE seq = @seq').run({ seq: entry.seq, bytes, person: entry.person })
    for (const { table, row } of deriveRows(entry)) {
      sql.prepare(`DELETE FROM ${table.table} WHERE seq = ?`).run(entry.seq)
      sql.prepare(insertSql(table)).run(row)
    }
    const written = sql.prepare('SELECT bytes FROM entries WHERE seq = ?').pluck().get(entry.seq) as Uint8Array
    assert(sameBytes(written, bytes), 'the log reads back what was written')
  }
  sql.exec(stays)
}

/**
 * Rewrites the file and empties the write-ahead log, so that nothing of what was replaced is left in either; false when a
 * reader keeps old pages alive. `secure_delete` alone does not do it: text also lingers where pages were once split.
 */
export function forgetOverwritten(sql: Sql): boolean {
  // Rare, and holds everything up anyway: better to wait for a reader than to leave old text in the file.
  const before = Number(sql.pragma('busy_timeout', { simple: true }))
  sql.pragma(`busy_timeout = ${busyTimeoutMs}`)
  try {
    sql.exec('VACUUM')
    const [result] = sql.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[]
    return result?.busy === 0
  } finally {
    sql.pragma(`busy_timeout = ${before}`)
  }
}

function insertSql(table: DerivedTable): string {
  const columns = ['seq', 'kind', ...table.columns.map(({ column }) => column)]
  return `INSERT INTO ${table.table} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`
}

/** Empties the derived tables and fills them from the entries; gives the number of rows made. */
export function rebuildRows(sql: Sql): number {
  const inserts = new Map<string, ReturnType<Sql['prepare']>>()
  for (const table of derivedTables) {
    sql.exec(`DELETE FROM ${table.table}`)
    inserts.set(table.table, sql.prepare(insertSql(table)))
  }
  const kinds = [...new Set(derivedTables.flatMap((table) => table.kinds))]
  const page = sql.prepare(`SELECT seq, bytes FROM entries WHERE seq > ? AND kind IN (${kinds.map(() => '?').join(', ')}) ORDER BY seq LIMIT ${rebuildPage}`)
  let made = 0
  for (let after = -1; ; ) {
    const rows = page.all(after, ...kinds) as Pick<StoredEntry, 'seq' | 'bytes'>[]
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

/** The stored head, its edge cut into hashes; null when there is none or it has no sensible shape. */
export function readHead(sql: Sql): { size: number; root: Uint8Array; edge: Uint8Array[] } | null {
  const row = sql.prepare('SELECT size, edge, root FROM head').get() as { size: number; edge: Uint8Array; root: Uint8Array } | undefined
  if (row === undefined) return null
  const edge: Uint8Array[] = []
  for (let at = 0; at < row.edge.length; at += hashBytes) edge.push(row.edge.subarray(at, at + hashBytes))
  return { size: row.size, root: row.root, edge }
}

/** What the next append starts from; fails with `log-inconsistent` when head and entries do not fit each other. */
export function readEdge(database: OpenDatabase): TreeEdge | Failure {
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
