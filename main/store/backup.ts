// Backup and restore of a home's log: the database by SQLite's online backup, which works beside a running station, with
// the checkpoints and the log's public key, in one folder. The log key itself stays in its home: who has a backup can read
// the log and cannot sign for it. A backup is verified before anyone is told that there is one.
import { createHash } from 'node:crypto'
import { copyFileSync, createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../base/failure.ts'
import { openAuditStoreForReading } from './audit.ts'
import type { AuditStore } from './audit.ts'
import { checkpointsName } from './checkpoints.ts'
import { databaseName, diskFailure } from './database.ts'
import { logKeyName, logPublicKeyName, writeDurably } from './logkey.ts'

export type BackedUp = Readonly<{ folder: string; size: number; root: Uint8Array; sha256: string }>

/** Writes a backup into a folder that must not exist yet. Failures: `folder-exists`, `backup-does-not-hold`, the disk's. */
export async function backUp(store: AuditStore, folder: string): Promise<BackedUp | Failure> {
  if (existsSync(folder)) return new Failure('folder-exists', `${folder} exists already and is left as it is. Name a new folder for the backup.`)
  const beside = `${folder}.part`
  try {
    rmSync(beside, { recursive: true, force: true })
    mkdirSync(join(beside, checkpointsName), { recursive: true, mode: 0o700 })
    // Checkpoints first: one signed meanwhile would speak of entries that the copy may not have.
    copyBeside(store.database.folder, beside)
    await store.database.sql.backup(join(beside, databaseName))
    const read = await verified(beside)
    if (read instanceof Failure) return read
    renameSync(beside, folder)
    return { folder, ...read }
  } catch (error) {
    return diskFailure(error, folder)
  } finally {
    rmSync(beside, { recursive: true, force: true })
  }
}

function copyBeside(from: string, to: string): void {
  // A home that has its own knows of every later handover.
  if (existsSync(join(from, logPublicKeyName)) && !existsSync(join(to, logPublicKeyName))) copyFileSync(join(from, logPublicKeyName), join(to, logPublicKeyName))
  const place = join(from, checkpointsName)
  for (const name of existsSync(place) ? readdirSync(place) : []) {
    if (name.endsWith('.checkpoint')) writeDurably(join(to, checkpointsName, name), readFileSync(join(place, name)), 0o644)
  }
}

async function verified(folder: string): Promise<{ size: number; root: Uint8Array; sha256: string } | Failure> {
  const copy = openAuditStoreForReading(folder)
  if (copy instanceof Failure) return copy
  try {
    const verdict = await copy.verify()
    if (verdict instanceof Failure) return verdict
    if (!verdict.holds) return new Failure('backup-does-not-hold', `The log in the backup does not hold: ${verdict.says} Nothing was kept of it.`)
    const hash = createHash('sha256')
    for await (const piece of createReadStream(join(folder, databaseName))) hash.update(piece as Uint8Array)
    return { size: verdict.size, root: verdict.root, sha256: hash.digest('hex') }
  } finally {
    copy.close()
  }
}

/**
 * Puts a backup's log into a home that has none. A home that still has its log key goes on signing with it; one that has
 * another log's key is refused. Failures: `home-has-log`, `no-database`, `backup-does-not-hold`, the disk's.
 */
export async function restore(backup: string, home: string): Promise<BackedUp | Failure> {
  if (existsSync(join(home, databaseName))) return new Failure('home-has-log', `${home} has a log already, and a log is never overwritten. Move that folder away, or restore into another with --home.`)
  const read = await verified(backup)
  if (read instanceof Failure) return read
  try {
    mkdirSync(join(home, checkpointsName), { recursive: true, mode: 0o700 })
    const hasKey = existsSync(join(home, logKeyName))
    const [kept, given] = [home, backup].map((folder) => (existsSync(join(folder, logPublicKeyName)) ? readFileSync(join(folder, logPublicKeyName), 'utf8').split('\n', 1)[0] ?? '' : null))
    if (hasKey && kept !== null && given !== null && kept !== given) return new Failure('home-has-log', `${home} has the key of another log. Restore into another folder with --home.`)
    // A checkpoint that the lost home signed over more entries would rightly accuse the restored log; the home's own stay.
    copyBeside(backup, home)
    const beside = join(home, `${databaseName}.part`)
    copyFileSync(join(backup, databaseName), beside)
    renameSync(beside, join(home, databaseName))
    return { folder: home, ...read }
  } catch (error) {
    return diskFailure(error, home)
  }
}
