// Files that were opened for later calls: read once, whole and within a limit, hashed once, and from then on these very
// bytes are what is shown, signed or uploaded, whatever happens to the file on disk. The window knows them by id only.
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { basename } from 'node:path'
import { assert, Failure, failed } from '../base/failure.ts'
import { HEX_TEXT_MAX, isHexName, readHex } from '../image/hex.ts'
import type { OpenedPackage } from '../cms/package.ts'
import type { UpdateFile, UpdateZip } from '../image/update-zip.ts'

export type FilePurpose = 'firmware' | 'image' | 'key' | 'text' | 'table' | 'value'

/** `bytes` is what is shown, signed or uploaded: of a firmware package, the image in it, proven before; `package` is then the package. */
export type OpenedFile = Readonly<{
  id: string
  name: string
  path: string
  bytes: Uint8Array
  sha256: string
  /** Where an Intel HEX file puts the first of `bytes`, which are what it holds. */
  hexAddress?: number
  package?: OpenedPackage
  /** The package's own bytes and their SHA-256, for boards that take it as it is. */
  packed?: Readonly<{ bytes: Uint8Array; sha256: string }>
  /** Of an archive with several images, all of them; `bytes` is then the first, the application's. */
  files?: readonly UpdateFile[]
}>

const mib = 1024 * 1024
const limits: Readonly<Record<FilePurpose, Readonly<{ bytesMax: number; called: string }>>> = {
  firmware: { bytesMax: 64 * mib, called: 'firmware file' },
  image: { bytesMax: 64 * mib, called: 'image' },
  key: { bytesMax: 64 * 1024, called: 'key file' },
  text: { bytesMax: 64 * 1024, called: 'signature file' },
  table: { bytesMax: 8 * mib, called: 'table' },
  value: { bytesMax: 64 * 1024, called: 'file for a TLV' },
}
/** Files held open at once; the one opened longest ago goes first. */
const filesMax = 64
/** All of them together, so that no series of openings fills the memory. */
const heldBytesMax = 512 * mib

export class OpenFiles {
  readonly #files = new Map<string, OpenedFile>()
  #count = 0
  #heldBytes = 0

  /** Reads a file; firmware and images also from Intel HEX. Kinds: `no-such-file`, `is-folder`, `not-a-file`, `empty-file`, `file-too-large`, `file-unreadable`, `bad-hex`. */
  async open(path: string, purpose: FilePurpose): Promise<OpenedFile | Failure> {
    const isHex = isHexName(path) && (purpose === 'firmware' || purpose === 'image')
    const bytes = await readWhole(path, isHex ? { bytesMax: HEX_TEXT_MAX, called: 'HEX file' } : limits[purpose])
    if (failed(bytes) || !isHex) return failed(bytes) ? bytes : this.adopt(path, bytes)
    const read = readHex(bytes)
    return failed(read) ? new Failure(read.kind, `${path}: ${read.says}`, read.facts) : this.adopt(path, read.bytes, read.baseAddress)
  }

  /** Holds bytes that are in memory already, known to lie at that path. */
  adopt(path: string, bytes: Uint8Array, hexAddress?: number): OpenedFile {
    const id = `f${++this.#count}`
    const file: OpenedFile = { id, name: basename(path).slice(0, 200), path, bytes, sha256: createHash('sha256').update(bytes).digest('hex'), ...(hexAddress === undefined ? {} : { hexAddress }) }
    this.#files.set(id, file)
    this.#heldBytes += bytes.length
    for (const [oldest, file] of this.#files) {
      if (oldest === id || (this.#files.size <= filesMax && this.#heldBytes <= heldBytesMax)) break
      this.#files.delete(oldest)
      this.#heldBytes -= file.files?.reduce((sum, { bytes: held }) => sum + held.length, 0) ?? file.bytes.length + (file.packed?.bytes.length ?? 0)
    }
    return file
  }

  /** The image of a package takes the package's place under the same id. */
  unwrap(file: OpenedFile, opened: OpenedPackage): OpenedFile {
    const { firmware } = opened
    const unwrapped: OpenedFile = { ...file, bytes: firmware, sha256: createHash('sha256').update(firmware).digest('hex'), package: opened, packed: { bytes: file.bytes, sha256: file.sha256 } }
    if (this.#files.has(file.id)) this.#files.set(file.id, unwrapped)
    this.#heldBytes += firmware.length
    return unwrapped
  }

  /** The images of an archive take its place under the same id, the application first. */
  unpacked(file: OpenedFile, { files }: UpdateZip): OpenedFile {
    const first = files[0]
    assert(first !== undefined, 'an archive that was read brings an image')
    const unpacked: OpenedFile = { ...file, bytes: first.bytes, sha256: first.sha256, ...(files.length > 1 ? { files } : {}) }
    if (this.#files.has(file.id)) this.#files.set(file.id, unpacked)
    this.#heldBytes += files.reduce((sum, { bytes }) => sum + bytes.length, 0) - file.bytes.length
    return unpacked
  }

  /** Gives a file back that held a secret: its bytes are overwritten, and it is open no more. */
  wipe(id: string): void {
    const file = this.#files.get(id)
    if (file === undefined) return
    file.bytes.fill(0)
    this.#files.delete(id)
    this.#heldBytes -= file.bytes.length
  }

  /** A file opened before. Kind `file-not-open`. */
  get(id: string): OpenedFile | Failure {
    return this.#files.get(id) ?? new Failure('file-not-open', 'That file is not open any more. Choose it again.')
  }
}

async function readWhole(path: string, { bytesMax, called }: Readonly<{ bytesMax: number; called: string }>): Promise<Uint8Array | Failure> {
  let handle: FileHandle | null = null
  try {
    // Non-blocking, for a named pipe would otherwise keep us here until somebody writes to it.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
    const stats = await handle.stat()
    if (stats.isDirectory()) return new Failure('is-folder', `${path} is a folder, not a file. Choose the ${called} inside it.`)
    if (!stats.isFile()) return new Failure('not-a-file', `${path} is a device or a pipe, not a file. Choose a ${called}.`)
    if (stats.size === 0) return new Failure('empty-file', `${path} is empty. Build or copy the ${called} again.`)
    if (stats.size > bytesMax) return tooLarge(path, stats.size, bytesMax, called)
    return await readExactly(handle, stats.size, path)
  } catch (error) {
    return unreadable(path, error)
  } finally {
    await handle?.close()
  }
}

async function readExactly(handle: FileHandle, length: number, path: string): Promise<Uint8Array | Failure> {
  const bytes = new Uint8Array(length)
  let at = 0
  while (at < length) {
    const { bytesRead } = await handle.read(bytes, at, length - at, at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  const { size } = await handle.stat()
  if (at < length || size !== length) return new Failure('file-unreadable', `${path} changed while it was read. Wait until it is written, then choose it again.`)
  return bytes
}

function tooLarge(path: string, bytes: number, bytesMax: number, called: string): Failure {
  const [has, most] = bytesMax >= mib ? [`${(bytes / mib).toFixed(1)} MiB`, `${bytesMax / mib} MiB`] : [`${bytes} bytes`, `${bytesMax} bytes`]
  return new Failure('file-too-large', `${path} has ${has}; a ${called} has at most ${most}. Choose the right file.`, { bytes, bytesMax })
}

function unreadable(path: string, error: unknown): Failure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === '') throw error
  if (code === 'ENOENT' || code === 'ENOTDIR') return new Failure('no-such-file', `There is no file ${path}. Check its name.`)
  if (code === 'EISDIR') return new Failure('is-folder', `${path} is a folder, not a file. Choose a file inside it.`)
  if (code === 'EACCES' || code === 'EPERM') return new Failure('file-unreadable', `${path} cannot be read: this user has no permission.`)
  return new Failure('file-unreadable', `${path} cannot be read (${code}). Check the disk or choose another file.`)
}
