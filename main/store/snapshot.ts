// Opens a log to look at without writing a byte: not into the database, and not into the files SQLite keeps beside it, which
// a reader of a live WAL database does write (its place in the -shm; https://sqlite.org/wal.html, "Read-Only Databases").
// So a copy is read. Copying database and write-ahead log while a station writes is safe as long as the log was not begun
// anew meanwhile: whatever a checkpoint had half moved into the database is still in the log, and SQLite reads it from
// there. A log begun anew shows in the salt of its header (https://sqlite.org/fileformat2.html, section 4.1); then it is
// copied again.
import { constants } from 'node:fs'
import { copyFile, mkdtemp, open, readdir, rm, stat } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { Failure } from '../base/failure.ts'
import { emptyEdge } from '../log/tree.ts'
import { AuditStore } from './audit.ts'
import { databaseName, diskFailure, openReader } from './database.ts'

const triesMax = 8
const walHeaderBytes = 32
const pieceBytes = 8 * 1024 * 1024

export type SnapshotOptions = Readonly<{
  /** Folder for the copy, which goes when the log is closed; the system's by default. */
  tempFolder?: string
  /** Hears how the copying goes on; not at all where the file system clones. */
  onCopied?: (doneBytes: number, totalBytes: number) => void
  signal?: AbortSignal
}>

/**
 * The log in a home's folder or in a database file, as it is now. Failures: `no-database`, `database-busy` (it changes too
 * fast to be copied), `stopped`, and those of a reader (`database-newer`, `database-damaged`, `not-our-database`, `disk-full` …).
 */
export async function openSnapshot(named: string, { tempFolder = tmpdir(), onCopied = () => {}, signal }: SnapshotOptions = {}): Promise<AuditStore | Failure> {
  const file = await databaseIn(resolve(named))
  if (file instanceof Failure) return file
  let aside: string | null = null
  try {
    aside = await mkdtemp(join(tempFolder, 'slotwright-read-'))
    const copied = await copyWhole(file, join(aside, databaseName), onCopied, signal)
    const gone = aside
    const clear = () => rmSync(gone, { recursive: true, force: true })
    const database = copied instanceof Failure ? copied : openReader(dirname(file), file, join(aside, databaseName), 0, clear)
    if (!(database instanceof Failure)) return new AuditStore(database, null, emptyEdge, null, null)
    clear()
    return database
  } catch (error) {
    if (aside !== null) await rm(aside, { recursive: true, force: true })
    // It is the copy's disk that is full; nothing is written to the other.
    return diskFailure(error, aside !== null && error instanceof Error && 'code' in error && error.code === 'ENOSPC' ? aside : file)
  }
}

/** The database that is meant by a home's folder or by itself. Fails with `no-database`. */
export async function databaseIn(path: string): Promise<string | Failure> {
  try {
    const there = await stat(path)
    if (there.isFile()) return await mayBeDatabase(path) ? path : new Failure('no-database', `${path} is neither a database nor an audit bundle. Name a home folder, its ${databaseName}, or a bundle's .zip.`)
    const inside = join(path, databaseName)
    const isThere = await stat(inside).then(() => true, () => false)
    if (isThere) return inside
    const names = await readdir(path)
    if (!['manifest.json', 'entries.jsonl'].every((name) => names.includes(name))) throw new Error('nothing of ours')
    return new Failure('no-database', `${path} is an audit bundle that was unpacked. Name its .zip, as it came.`)
  } catch {
    return new Failure('no-database', `There is no Slotwright log in ${path}. Name a home folder, a database file or an audit bundle.`)
  }
}

/** By its first bytes; an empty file is what SQLite begins with. */
async function mayBeDatabase(path: string): Promise<boolean> {
  const file = await open(path, 'r')
  try {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(sqliteBegins.length), 0, sqliteBegins.length, 0)
    return bytesRead === 0 || buffer.toString('latin1') === sqliteBegins
  } finally {
    await file.close()
  }
}

const sqliteBegins = 'SQLite format 3'

async function copyWhole(from: string, to: string, onCopied: (doneBytes: number, totalBytes: number) => void, signal: AbortSignal | undefined): Promise<null | Failure> {
  for (let tries = 0; tries < triesMax; tries++) {
    const before = await stateOf(from)
    const besideBytes = before.wal?.bytes ?? 0
    if (!await copyTelling(from, to, (doneBytes) => onCopied(doneBytes, Math.max(doneBytes, before.bytes) + besideBytes), signal)) return new Failure('stopped', 'The copying was stopped.')
    await rm(`${to}-wal`, { force: true })
    if (before.wal !== null) await copyFile(`${from}-wal`, `${to}-wal`, constants.COPYFILE_FICLONE).catch(gone)
    const after = await stateOf(from)
    const sameWal = before.wal !== null && after.wal !== null && before.wal.salt === after.wal.salt && after.wal.bytes >= before.wal.bytes
    const still = before.changedMs === after.changedMs && before.bytes === after.bytes
    // Without a log, or with an empty one, the database itself must not have moved.
    if (sameWal && besideBytes >= walHeaderBytes ? true : still && besideBytes === (after.wal?.bytes ?? 0)) return null
  }
  return new Failure('database-busy', `The database ${basename(from)} changes too fast to be copied. Try again in a moment, or open a backup.`)
}

/** A clone where the file system can, which takes no time and no room however large it is; else piece by piece. False when stopped. */
async function copyTelling(from: string, to: string, onCopied: (doneBytes: number) => void, signal: AbortSignal | undefined): Promise<boolean> {
  await rm(to, { force: true })
  if (await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE).then(() => true, () => false)) return true
  await rm(to, { force: true })
  const source = await open(from, 'r')
  let target: FileHandle | null = null
  try {
    target = await open(to, 'wx', 0o600)
    const piece = Buffer.allocUnsafe(pieceBytes)
    for (let at = 0; ;) {
      if (signal?.aborted === true) return false
      const { bytesRead } = await source.read(piece, 0, pieceBytes, at)
      if (bytesRead === 0) return true
      for (let written = 0; written < bytesRead;) written += (await target.write(piece, written, bytesRead - written, at + written)).bytesWritten
      at += bytesRead
      onCopied(at)
    }
  } finally {
    await source.close()
    await target?.close()
  }
}

type State = Readonly<{ bytes: number; changedMs: number; wal: Readonly<{ bytes: number; salt: string }> | null }>

async function stateOf(path: string): Promise<State> {
  const { size: bytes, mtimeMs: changedMs } = await stat(path)
  const wal = await open(`${path}-wal`, 'r').catch(gone)
  if (wal === null) return { bytes, changedMs, wal: null }
  try {
    const header = Buffer.alloc(walHeaderBytes)
    await wal.read(header, 0, walHeaderBytes, 0)
    return { bytes, changedMs, wal: { bytes: (await wal.stat()).size, salt: header.toString('hex') } }
  } finally {
    await wal.close()
  }
}

/** A file that is not there, or no longer, is an answer here. */
function gone(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
  throw error
}
