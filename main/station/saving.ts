// Files the auditor takes along (tables, reports, labels): written whole beside their name and then renamed, and noted in the
// log with the hash of their bytes, where there is a log to write to.
import { open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createHash, randomBytes } from 'node:crypto'
import { Failure, failed } from '../base/failure.ts'
import type { SavedView } from '../contract/log-views.ts'
import type { Logbook } from './logbook.ts'

/** Writes and notes it. Kinds: `no-place`, `cannot-write`, and those of the log. `log` is null where it is only read. */
export async function saveAndNote(log: Logbook | null, what: string, saveAs: string | null, bytes: Uint8Array): Promise<SavedView | Failure> {
  if (saveAs === null) return new Failure('no-place', 'Say where the file is to be saved.')
  const written = await writeWhole(saveAs, bytes)
  if (written !== null) return written
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const entry = log === null ? null : log.recordAct({ kind: 'export', data: { what: what.slice(0, 200), file: basename(saveAs).slice(0, 200), fileSha256: sha256 } }, 'operator')
  return failed(entry) ? entry : { savedAs: saveAs, bytes: bytes.length, sha256, entry }
}

/** What left on paper is noted as what left in a file is, with the hash of the page. */
export function notePrinted(log: Logbook | null, what: string, page: string): number | null | Failure {
  const fileSha256 = createHash('sha256').update(page).digest('hex')
  return log === null ? null : log.recordAct({ kind: 'export', data: { what: `${what}, on paper`.slice(0, 200), file: 'printer', fileSha256 } }, 'operator')
}

/** All of the bytes or none, in the place of what lay there; kind `cannot-write`. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<Failure | null> {
  // A name that nobody can guess, and never over anything: in a folder that others may write to, a link laid there would
  // have led our bytes elsewhere.
  const beside = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(6).toString('hex')}.part`)
  try {
    const file = await open(beside, 'wx', 0o644)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, path)
    return null
  } catch (error) {
    await rm(beside, { force: true }).catch(() => undefined)
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'no'
    return new Failure('cannot-write', `${path} cannot be written (the system says ${code}). Choose another place.`, { code })
  }
}
