// Writes a zip file piece by piece, so that a bundle of a million entries needs no more memory than its largest piece. Each
// file's size and SHA-256 are taken as it goes by. The archive grows beside its final name and is renamed when it is whole.
import { Zip, ZipDeflate } from 'fflate/browser'
import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'

export type ArchiveFiles = Record<string, { bytes: number; sha256: string }>

export type Archive = Readonly<{
  /** What is in it so far, by name. */
  files: ArchiveFiles
  /** Opens the next file; the one before must be ended. Throws the file system's errors, as all of these do. */
  begin(name: string): Readonly<{ push(bytes: Uint8Array): void; end(): void }>
  /** A whole file at once. */
  add(name: string, bytes: Uint8Array): void
  /** Ends the archive: on disk, under its name. Gives its size and SHA-256. */
  finish(): { bytes: number; sha256: string }
  /** Takes away what was written so far. */
  abandon(): void
}>

/** Starts an archive at `path`; `at` (ms since 1970) is the time its files get. */
export function startArchive(path: string, at: number): Archive {
  const beside = `${path}.part`
  rmSync(beside, { force: true })
  const file = openSync(beside, 'wx', 0o644)
  const whole = createHash('sha256')
  let bytes = 0
  let open = true
  let wrong: Error | null = null
  const zip = new Zip((error, chunk) => {
    wrong ??= error
    if (error !== null) return
    for (let from = 0; from < chunk.length;) from += writeSync(file, chunk, from)
    whole.update(chunk)
    bytes += chunk.length
  })
  const files: ArchiveFiles = {}
  const begin: Archive['begin'] = (name) => {
    const one = new ZipDeflate(name, { level: 6 })
    // A zip knows no time before 1980 nor after 2099.
    one.mtime = Math.min(Math.max(at, Date.UTC(1980, 0, 2)), Date.UTC(2099, 0, 1))
    const hash = createHash('sha256')
    let size = 0
    zip.add(one)
    return {
      push(piece) {
        hash.update(piece)
        size += piece.length
        one.push(piece)
        if (wrong !== null) throw wrong
      },
      end() {
        one.push(new Uint8Array(0), true)
        files[name] = { bytes: size, sha256: hash.digest('hex') }
        if (wrong !== null) throw wrong
      },
    }
  }
  return {
    files,
    begin,
    add(name, content) {
      const one = begin(name)
      one.push(content)
      one.end()
    },
    finish() {
      zip.end()
      fsyncSync(file)
      closeSync(file)
      open = false
      renameSync(beside, path)
      return { bytes, sha256: whole.digest('hex') }
    },
    abandon() {
      if (open) closeSync(file)
      open = false
      rmSync(beside, { force: true })
    },
  }
}
