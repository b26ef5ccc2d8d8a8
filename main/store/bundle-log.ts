// An audit bundle's entries as a log to look through: a database of its own, in a folder that goes when it is closed, with
// the bundle's checkpoints and key beside it. Whether the entries are true is not said here: checkBundle judges the bundle.
import Database from 'better-sqlite3'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '../base/failure.ts'
import { linesOf } from '../bundle/check.ts'
import { names, parseManifest } from '../bundle/layout.ts'
import { subjectsOf } from '../log/derived.ts'
import { entryBytesMax, parseEntry } from '../log/entry.ts'
import { leafOf, redactionsIn } from '../log/redact.ts'
import { emptyEdge } from '../log/tree.ts'
import type { Entry } from '../log/entry.ts'
import { AuditStore } from './audit.ts'
import { databaseName, diskFailure } from './database.ts'
import { logPublicKeyName } from './logkey.ts'
import { rebuildRows, sha256 } from './rows.ts'
import { applicationId, migrations, schemaVersion } from './schema.ts'

const entriesATurn = 2_000

/** The bundle's log; `path` is what people know it by. Failures: `bad-bundle`, the disk's. */
export async function openBundleLog(files: ReadonlyMap<string, Uint8Array>, path: string, tempFolder = tmpdir()): Promise<AuditStore | Failure> {
  const manifest = parseManifest(files.get(names.manifest) ?? new Uint8Array(0))
  if (manifest instanceof Failure) return manifest
  const folder = mkdtempSync(join(tempFolder, 'slotwright-bundle-'))
  const clear = () => rmSync(folder, { recursive: true, force: true })
  try {
    writeFileSync(join(folder, logPublicKeyName), files.get(names.logKey) ?? new Uint8Array(0))
    for (const [name, bytes] of files) {
      if (!/^checkpoints\/[0-9]{12,15}\.checkpoint$/.test(name)) continue
      mkdirSync(dirname(join(folder, name)), { recursive: true })
      writeFileSync(join(folder, name), bytes)
    }
    const sql = new Database(join(folder, databaseName))
    for (const step of migrations) {
      if (typeof step === 'string') sql.exec(step)
      else step(sql)
    }
    sql.pragma(`application_id = ${applicationId}`)
    sql.pragma(`user_version = ${schemaVersion}`)
    await insertAll(sql, [...linesOf(files.get(names.entries) ?? new Uint8Array(0)), ...linesOf(files.get(names.related) ?? new Uint8Array(0))])
    sql.transaction(() => rebuildRows(sql))()
    sql.prepare('INSERT INTO head (one, size, edge, root) VALUES (1, ?, ?, ?)').run(manifest.to, Buffer.alloc(0), Buffer.alloc(32))
    sql.pragma('query_only = ON')
    const close = () => {
      if (sql.open) sql.close()
      clear()
    }
    return new AuditStore({ sql, folder, path, readOnly: true, close }, null, emptyEdge, null, null)
  } catch (error) {
    clear()
    return diskFailure(error, path)
  }
}

/** Lines that are no entries are passed over here; the check names them. */
async function insertAll(sql: Database.Database, lines: readonly Uint8Array[]): Promise<void> {
  const insert = sql.prepare('INSERT OR IGNORE INTO entries (seq, bytes, leaf, kind, time, person, unit, batch, run) VALUES (@seq, @bytes, @leaf, @kind, @time, @person, @unit, @batch, @run)')
  const read = (bytes: Uint8Array): Entry | null => {
    const entry = bytes.length > entryBytesMax ? null : parseEntry(bytes)
    return entry === null || entry instanceof Failure ? null : entry
  }
  const redactions = redactionsIn(lines.flatMap((bytes) => {
    const entry = new TextDecoder().decode(bytes.subarray(0, entryBytesMax)).includes('"entry-redacted"') ? read(bytes) : null
    return entry === null ? [] : [entry]
  }))
  for (let from = 0; from < lines.length; from += entriesATurn) {
    sql.transaction(() => {
      for (const bytes of lines.slice(from, from + entriesATurn)) {
        const entry = read(bytes)
        if (entry !== null) insert.run({ seq: entry.seq, bytes, leaf: leafOf(bytes, redactions.get(entry.seq), sha256).leaf, ...subjectsOf(entry) })
      }
    })()
    await nextTurn()
  }
}
