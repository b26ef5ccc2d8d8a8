// Files named on the command line. Reading is bounded, so that a wrong name (a disk image, a device that never ends) costs
// a sentence and not the memory; writing goes through a neighbour that is renamed, so that a full disk or a crash never
// leaves half an image under the name somebody will flash.
import { randomBytes } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Failure, failed } from '../base/failure.ts'
import { Room } from '../base/room.ts'
import { sizeWords } from './terminal.ts'

/** Largest key, certificate, signature or recipe file. */
export const smallFileBytesMax = 64 * 1024
const pieceBytes = 1024 * 1024
const backBytes = 256 * 1024

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file. Check the name and the folder',
  EACCES: 'you are not allowed to. Check its permissions',
  EPERM: 'the system does not allow it. Check its permissions',
  ENOTDIR: 'part of its path is a file, not a folder. Check the path',
  EISDIR: 'it is a folder. Name a file in it',
  ELOOP: 'its links lead round in a circle. Name the file itself',
  ENAMETOOLONG: 'its name is too long for this system',
  ENOSPC: 'the disk is full. Make room and try again',
  EDQUOT: 'your disk quota is used up. Make room and try again',
  EROFS: 'the disk is read-only. Choose another folder',
  EMFILE: 'too many files are open',
}

function withArticle(what: string): string {
  return `${/^[aeiou]/i.test(what) ? 'an' : 'a'} ${what}`
}

/** A file system error as a failure; anything else is a bug and thrown on. */
export function fileFailure(error: unknown, doing: string, path: string): Failure {
  const code = (error as NodeJS.ErrnoException).code
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code) || code.startsWith('ERR_')) throw error
  const kind = code === 'ENOENT' ? 'no-file' : code === 'EISDIR' ? 'is-directory' : `cannot-${doing}`
  return new Failure(kind, `${path} cannot be ${doing === 'read' ? 'read' : 'written'}: ${reasons[code] ?? `the system says ${code}`}.`, { path, code })
}

/**
 * The bytes of a file. `what` names it in sentences ("firmware file"). Kinds: `no-file`, `is-directory`, `cannot-read`,
 * `too-large` (beyond `bytesMax`, read no further), `empty-file`. With a `room` they lie there, until it is used again.
 */
export async function readInput(path: string, what: string, bytesMax: number, room: Room = new Room()): Promise<Uint8Array | Failure> {
  try {
    const file = await open(path, 'r')
    try {
      const about = await file.stat()
      if (about.isDirectory()) return new Failure('is-directory', `${path} is a folder, not ${withArticle(what)}. Name the file in it.`, { path })
      const tooLarge = (bytes: number) =>
        new Failure('too-large', `${path} is larger than ${withArticle(what)} can be (${sizeWords(bytes)}${about.isFile() ? '' : ' and more'}; at most ${sizeWords(bytesMax)}). Is it the right file?`, { path, bytes, bytesMax })
      if (about.size > bytesMax) return tooLarge(about.size)
      const bytes = await readBounded(file, about.isFile() ? about.size + 1 : pieceBytes, bytesMax, room)
      if (bytes === null) return tooLarge(bytesMax)
      if (bytes.length === 0) return new Failure('empty-file', `${path} is empty. Name the ${what} itself; perhaps the program that makes it failed.`, { path })
      return bytes
    } finally {
      await file.close()
    }
  } catch (error) {
    return fileFailure(error, 'read', path)
  }
}

type Handle = Awaited<ReturnType<typeof open>>

async function readBounded(file: Handle, firstBytes: number, bytesMax: number, room: Room): Promise<Uint8Array | null> {
  let buffer = room.take(Math.min(firstBytes, bytesMax + 1))
  let length = 0
  while (length <= bytesMax) {
    if (length === buffer.length) {
      const larger = new Uint8Array(Math.min(buffer.length + Math.max(buffer.length, pieceBytes), bytesMax + 1))
      larger.set(buffer)
      buffer = larger
    }
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null)
    if (bytesRead === 0) return buffer.subarray(0, length)
    length += bytesRead
  }
  return null
}

/** The text of a small UTF-8 file. Kinds as `readInput`. */
export async function readText(path: string, what: string): Promise<string | Failure> {
  const bytes = await readInput(path, what, smallFileBytesMax)
  return failed(bytes) ? bytes : new TextDecoder().decode(bytes)
}

/**
 * Writes a file whole or not at all, and reads it back. An existing file is replaced, as imgtool does, unless `keep`.
 * Kinds: `file-exists` (under `keep`), `no-file` (no such folder), `is-directory`, `cannot-write`, `not-written`.
 */
export async function writeOutput(path: string, bytes: Uint8Array, options: { mode?: number; keep?: boolean } = {}): Promise<null | Failure> {
  try {
    const there = await stat(path).catch(() => null)
    if (there?.isDirectory()) return new Failure('is-directory', `${path} is a folder. Name the file to write in it.`, { path })
    if (there !== null && options.keep === true) return new Failure('file-exists', `${path} exists already and is left as it is. Choose another name, or move it away.`, { path })
    // A pipe or a device cannot be renamed over.
    if (there !== null && !there.isFile()) return await writeInto(path, bytes)
    const beside = join(dirname(path), `.${basename(path).slice(0, 200)}.${randomBytes(4).toString('hex')}`)
    try {
      await writeBeside(beside, bytes, options.mode ?? (there === null ? 0o666 : there.mode & 0o777))
      await rename(beside, path)
    } catch (error) {
      await rm(beside, { force: true })
      throw error
    }
    return await readBack(path, bytes)
  } catch (error) {
    const failure = fileFailure(error, 'write', path)
    if (failure.kind !== 'no-file') return failure
    return new Failure('no-file', `${path} cannot be written: there is no folder ${dirname(path)}. Make it first, or choose another.`, { path })
  }
}

async function writeBeside(path: string, bytes: Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}

async function writeInto(path: string, bytes: Uint8Array): Promise<null> {
  const file = await open(path, 'w')
  try {
    await file.writeFile(bytes)
  } finally {
    await file.close()
  }
  return null
}

/** In pieces: memory for the whole file once more would cost more than reading it. */
async function readBack(path: string, bytes: Uint8Array): Promise<null | Failure> {
  const file = await open(path, 'r')
  try {
    const piece = new Uint8Array(Math.min(bytes.length + 1, backBytes))
    for (let at = 0; ;) {
      const { bytesRead } = await file.read(piece, 0, piece.length, null)
      if (bytesRead === 0 && at === bytes.length) return null
      if (bytesRead === 0 || Buffer.compare(piece.subarray(0, bytesRead), bytes.subarray(at, at + bytesRead)) !== 0) {
        return new Failure('not-written', `${path} was written, but reads back differently. Check the disk; do not use this file.`, { path })
      }
      at += bytesRead
    }
  } finally {
    await file.close()
  }
}

/** Makes a folder in one that is there; what keeps it from being made is told by whatever is to be written into it. */
export async function makeFolder(path: string): Promise<void> {
  await mkdir(path).catch(() => null)
}

/** Takes away a file that was just written and may not stay; a device or a pipe is left alone. */
export async function removeFile(path: string): Promise<void> {
  const there = await stat(path).catch(() => null)
  if (there?.isFile() === true) await rm(path, { force: true })
}
