// Opens the home's one SQLite file, `slotwright.db`, so that what is acknowledged is on disk: WAL with synchronous=FULL
// (SQLite's pragma docs: in WAL, NORMAL may lose the last commits at a power cut). One station writes; that is held by an
// exclusive lock on a second, empty SQLite file, since the operating system frees such a lock when a process dies, and a
// pid file would not. Surprise: a WAL database in a folder that cannot be written cannot be opened even for reading, so
// reading falls back to a copy.
import Database from 'better-sqlite3'
import { accessSync, closeSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Failure } from '../base/failure.ts'
import { applicationId, migrations, ownTriggers, schemaVersion } from './schema.ts'

export const databaseName = 'slotwright.db'
export const lockName = 'slotwright.lock'

/** How long a statement waits for another connection (a backup, a checkpoint by a reader) before it gives up. */
export const busyTimeoutMs = 5_000
/** The same for the writer once it is open: SQLite waits by blocking, and a window and a line of boards must not stand still. */
export const writerBusyTimeoutMs = 5
/** The write-ahead log is moved into the database at this length at the latest (4 KiB a page). */
export const walPagesMax = 16_384
/** Files up to this size are checked whole when opened (some 0.1 s); larger ones by `verify`. */
export const openCheckBytesMax = 32 * 1024 * 1024

export type Sql = Database.Database

/** An open database; `close` gives file and lock back and is safe to call twice. */
export type OpenDatabase = Readonly<{ sql: Sql; folder: string; path: string; readOnly: boolean; close: () => void }>

/**
 * Opens (and makes, on first use) the database of a home for writing.
 * Failures: `home-not-writable`, `database-locked`, `database-newer`, `database-damaged`, `not-our-database`, `disk-full`, `disk-error`.
 */
export function openDatabase(folder: string): OpenDatabase | Failure {
  const made = makeFolder(folder)
  if (made instanceof Failure) return made
  const lock = takeLock(folder)
  if (lock instanceof Failure) return lock
  const path = join(folder, databaseName)
  let sql: Sql | undefined
  try {
    makePrivate(path)
    sql = new Database(path, { timeout: busyTimeoutMs })
    const wrong = whatIsIt(sql, path, openCheckBytesMax)
    if (wrong !== null) {
      sql.close()
      lock.close()
      return wrong
    }
    sql.pragma('journal_mode = WAL')
    sql.pragma('synchronous = FULL')
    // macOS: fsync alone leaves the bytes in the drive's cache.
    sql.pragma('fullfsync = ON')
    sql.pragma('checkpoint_fullfsync = ON')
    // Moving the write-ahead log into the database takes some ten milliseconds, and the commit that triggers it pays. Every
    // 1,000 pages (the default) that is each hundredth entry; the station does it itself, when a batch has ended.
    sql.pragma(`wal_autocheckpoint = ${walPagesMax}`)
    sql.pragma('foreign_keys = ON')
    sql.pragma('trusted_schema = OFF')
    migrate(sql)
    // SQLite quietly opens a file it may not write for reading (and even lets BEGIN IMMEDIATE pass); better to hear of it
    // now than at the first entry.
    sql.exec('UPDATE settings SET value = value WHERE 0')
    sql.pragma(`busy_timeout = ${writerBusyTimeoutMs}`)
  } catch (error) {
    closeQuietly(sql)
    closeQuietly(lock)
    return diskFailure(error, path)
  }
  const opened = sql
  return {
    sql: opened,
    folder,
    path,
    readOnly: false,
    close() {
      closeQuietly(opened)
      closeQuietly(lock)
    },
  }
}

/**
 * Opens a home's database for reading only, beside a running station or not, and changes no byte of it.
 * Files up to `checkBytesMax` are checked whole first; 0 leaves that to a caller who verifies anyway. Failures: `no-database` and those of `openDatabase` that can happen to a reader.
 */
export function openDatabaseForReading(folder: string, checkBytesMax = openCheckBytesMax): OpenDatabase | Failure {
  const path = join(folder, databaseName)
  if (!existsSync(path)) return new Failure('no-database', `There is no Slotwright database in ${folder}: nothing was signed or provisioned there yet, or it is another folder. Check its name.`)
  let direct: OpenDatabase | Failure
  // A database nobody has open has no -wal beside it; opening it would make one, even for reading. Then a copy is read.
  if (existsSync(`${path}-wal`) && existsSync(`${path}-shm`)) {
    direct = openReader(folder, path, path, checkBytesMax, () => {})
    if (!(direct instanceof Failure) || direct.kind !== 'home-not-writable') return direct
  }
  const copy = copyAside(path)
  if (copy instanceof Failure) return copy
  direct = openReader(folder, path, join(copy, databaseName), checkBytesMax, () => rmSync(copy, { recursive: true, force: true }))
  if (direct instanceof Failure) rmSync(copy, { recursive: true, force: true })
  return direct
}

/** Reads `file`, which is the database itself or a copy of it; people are told of `path`, the one they know. */
export function openReader(folder: string, path: string, file: string, checkBytesMax: number, afterClose: () => void): OpenDatabase | Failure {
  let sql: Sql | undefined
  try {
    sql = new Database(file, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs })
    const wrong = whatIsIt(sql, path, checkBytesMax)
    if (wrong !== null || sql.pragma('user_version', { simple: true }) === 0) {
      sql.close()
      return wrong ?? new Failure('no-database', `The database in ${folder} is empty: no station has written to it yet.`)
    }
  } catch (error) {
    closeQuietly(sql)
    return diskFailure(error, path)
  }
  const opened = sql
  return {
    sql: opened,
    folder,
    path: file,
    readOnly: true,
    close() {
      if (!opened.open) return
      closeQuietly(opened)
      afterClose()
    },
  }
}

function copyAside(path: string): string | Failure {
  const aside = mkdtempSync(join(tmpdir(), 'slotwright-read-'))
  try {
    copyFileSync(path, join(aside, databaseName))
    if (existsSync(`${path}-wal`)) copyFileSync(`${path}-wal`, join(aside, `${databaseName}-wal`))
    return aside
  } catch (error) {
    rmSync(aside, { recursive: true, force: true })
    return diskFailure(error, path)
  }
}

function makeFolder(folder: string): void | Failure {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!statSync(folder).isDirectory()) return notWritable(folder, 'it is not a folder')
    // Not by opening a file: closing any handle to the lock file would drop this very process's POSIX lock on it.
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOSPC' || code === 'EDQUOT') return diskFailure(error, folder)
    return notWritable(folder, reasonOf(code))
  }
}

/**
 * A new file is its owner's alone, also in a home that somebody made with open doors: hashes of PINs lie in it. SQLite
 * gives the files beside it the same permissions. One that is there keeps those it has.
 */
function makePrivate(path: string): void {
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
}

function notWritable(folder: string, why: string): Failure {
  return new Failure('home-not-writable', `The home folder ${folder} cannot be written: ${why}. Choose another with --home, or have its permissions changed.`)
}

function reasonOf(code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return 'this user has no permission'
  if (code === 'EROFS') return 'it lies on a read-only disk'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file stands where a folder should be'
  if (code === 'ENAMETOOLONG') return 'its name is too long'
  return code === '' ? 'the system refuses' : `the system says ${code}`
}

/** Holds the writer's lock until closed. The lock file stays empty: an exclusive transaction that never writes. */
function takeLock(folder: string): Sql | Failure {
  let lock: Sql | undefined
  try {
    // Whoever may read it could hold a lock on it, and keep the station from opening.
    makePrivate(join(folder, lockName))
    lock = new Database(join(folder, lockName), { timeout: 0 })
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    closeQuietly(lock)
    if (codeOf(error).startsWith('SQLITE_BUSY')) {
      return new Failure('database-locked', `Another Slotwright has the home folder ${folder} open for writing. Close it, or give this one its own folder with --home.`)
    }
    return diskFailure(error, join(folder, lockName))
  }
}

/** Null when this is ours, of a version we know and sound (or empty); otherwise what is wrong. */
function whatIsIt(sql: Sql, path: string, checkBytesMax: number): Failure | null {
  const id = sql.pragma('application_id', { simple: true })
  const version = Number(sql.pragma('user_version', { simple: true }))
  const tables = Number(sql.prepare('SELECT count(*) FROM sqlite_schema').pluck().get())
  if (tables > 0 && id !== applicationId) {
    return new Failure('not-our-database', `${path} is a database of another program. Choose another home folder with --home.`)
  }
  if (version > schemaVersion) {
    return new Failure(
      'database-newer',
      `The database ${path} is of version ${version}, written by a newer Slotwright; this one knows versions up to ${schemaVersion}. Install the newer Slotwright, or choose another home folder.`,
      { found: version, known: schemaVersion },
    )
  }
  const foreign = foreignIn(sql, path)
  if (foreign !== null) return foreign
  if (tables > 0 && statSync(path).size <= checkBytesMax) {
    const check = sql.pragma('quick_check(1)', { simple: true })
    if (check !== 'ok') return damaged(path, String(check))
  }
  return null
}

/**
 * What no Slotwright puts into a database, or null. One that was laid in our way could have a view in the place of a table,
 * and every look at it would run for ever, without a signal that ends it. Kind `not-our-database`.
 */
export function foreignIn(sql: Sql, path: string): Failure | null {
  const name = sql.prepare(`SELECT name FROM sqlite_schema WHERE (type NOT IN ('table', 'index') AND coalesce(sql, '') NOT IN (${ownTriggers.map(() => '?').join(', ')}))
    OR sql LIKE 'CREATE VIRTUAL%' OR sql LIKE '%GENERATED%' OR sql LIKE '% AS (%' LIMIT 1`).pluck().get(...ownTriggers)
  if (name === undefined) return null
  return new Failure('not-our-database', `The database ${path} holds "${String(name).slice(0, 60)}", a view, a trigger or a computed column that no Slotwright writes. Somebody changed it: do not use it, and restore the log from a backup.`)
}

function migrate(sql: Sql): void {
  const from = Number(sql.pragma('user_version', { simple: true }))
  if (from === schemaVersion) return
  sql
    .transaction(() => {
      sql.pragma(`application_id = ${applicationId}`)
      for (const step of migrations.slice(from)) {
        if (typeof step === 'string') sql.exec(step)
        else step(sql)
      }
      sql.pragma(`user_version = ${schemaVersion}`)
    })
    .exclusive()
}

function damaged(path: string, detail: string): Failure {
  return new Failure('database-damaged', `The database ${path} is damaged (${detail.slice(0, 200)}). Nothing was changed; restore it from a backup, or move it away to start a new log.`)
}

/** What SQLite or the file system threw, as a Failure. Anything that neither of them throws is a bug and is thrown on. */
export function diskFailure(error: unknown, path: string): Failure {
  const code = codeOf(error)
  const detail = error instanceof Error ? error.message : String(error)
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return damaged(path, detail)
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT') {
    return new Failure('disk-full', `The disk that holds ${path} is full, so nothing more can be logged or done. Free some space and try again.`)
  }
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new Failure('database-locked', `Another program keeps the database ${path} locked. Close it and try again.`)
  }
  if (code === 'EISDIR') return new Failure('is-folder', `${path} is a folder, not a file. Name a file in it.`)
  if (/^SQLITE_(READONLY|CANTOPEN|PERM|AUTH)/.test(code) || /^E(ACCES|PERM|ROFS|NOTDIR)$/.test(code)) {
    // What is saved beside the log, such as a bundle, is no database.
    return new Failure('home-not-writable', `${basename(path) === databaseName ? `The database ${path}` : path} cannot be opened or written (${detail.slice(0, 200)}). Check the permissions of the file and its folder.`)
  }
  if (code.startsWith('SQLITE_IOERR') || /^E(IO|FBIG|MFILE|NFILE|NOENT)$/.test(code)) {
    return new Failure('disk-error', `Reading or writing ${path} failed (${detail.slice(0, 200)}). Check the disk, then try again.`, { code })
  }
  if (code === 'SQLITE_SCHEMA' || (code === 'SQLITE_ERROR' && /no such (table|column)/.test(detail))) return damaged(path, detail)
  throw error
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

function closeQuietly(sql: Sql | undefined): void {
  try {
    sql?.close()
  } catch {
    // Closing is all we can do with a broken handle; what broke it has been reported already.
  }
}
