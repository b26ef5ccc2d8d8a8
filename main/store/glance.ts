// The first rows of a large log while a copy of it is still being made (snapshot.ts): single entries are read where they lie,
// page by page and without SQLite (main/log/sqlite-file.ts), which would write beside the file even to read it. What is read
// holds together: pages that the write-ahead log has are taken from it as it was when it was read, all others are as old
// until a station moves pages into the file, which its time of change tells; then both are read anew. Whether entries are
// true is not said here, but by the verification of the copy.
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs'
import { toHex } from '../base/bytes.ts'
import { parseEntry } from '../log/entry.ts'
import { Damage, openSqlite } from '../log/sqlite-file.ts'
import type { Row, SqliteFile } from '../log/sqlite-file.ts'
import type { ListedEntry } from './audit.ts'
import { applicationId, schemaVersion } from './schema.ts'

/** A log is looked at as it lies from this size on; a smaller one is copied as quickly. */
export const glanceBytesMin = 32 * 1024 * 1024
/** A write-ahead log beyond this is not read into memory; stations keep theirs below a half of it. */
const walBytesMax = 256 * 1024 * 1024
/** How often it is read anew when a station moves pages meanwhile. */
const triesMax = 4
/** Pages kept; those near the tree's root serve every row. */
const pagesMax = 512

export type Glance = Readonly<{
  /** Entries when it was opened. */
  size: number
  /** Entries by their numbers, in that order; null where they cannot be read so (any longer), and the copy must tell. */
  entries(seqs: readonly number[]): ListedEntry[] | null
  close(): void
}>

type Opened = Readonly<{ state: string; sqlite: SqliteFile; size: number }>

/** Null where the file cannot be read so, for whatever reason: opening the copy says it properly. */
export function openGlance(path: string): Glance | null {
  let file: number | null
  try {
    file = openSync(path, 'r')
  } catch {
    return null
  }
  let opened: Opened | null = null
  /** What `work` reads while nobody moves pages; null where somebody does all the time, or the file is not ours to read. */
  const steadily = <T>(work: (now: Opened) => T | null): T | null => {
    for (let tried = 0; tried < triesMax && file !== null; tried++) {
      try {
        opened ??= openIt(file, path)
        const found = opened === null ? null : work(opened)
        if (opened?.state === stateOf(path)) return found
      } catch (error) {
        // Half of what a station was just moving reads as damage too; then the state tells.
        if (!(error instanceof Damage) && !isOfFiles(error)) throw error
        if (opened !== null && opened.state === stateOf(path)) return null
      }
      opened = null
    }
    return null
  }
  const close = () => {
    if (file !== null) closeSync(file)
    file = null
    opened = null
  }
  const size = steadily((now) => now.size)
  if (size === null) {
    close()
    return null
  }
  return {
    size,
    entries: (seqs) => steadily(({ sqlite }) => {
      const listed = seqs.map((seq) => listedOf(sqlite.row('entries', seq)))
      return listed.every((one) => one !== null) ? listed : null
    }),
    close,
  }
}

function openIt(file: number, path: string): Opened | null {
  const state = stateOf(path)
  const beside = statSync(`${path}-wal`, { throwIfNoEntry: false })
  if ((beside?.size ?? 0) > walBytesMax || (statSync(`${path}-journal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return null
  const sqlite = openSqlite(keepingPages(file), beside === undefined ? null : new Uint8Array(readFileSync(`${path}-wal`)))
  if (sqlite.applicationId !== applicationId || sqlite.userVersion < 1 || sqlite.userVersion > schemaVersion) return null
  const size = sqlite.row('head', 1)?.['size']
  return typeof size === 'number' && Number.isSafeInteger(size) && size > 0 ? { state, sqlite, size } : null
}

function keepingPages(file: number): (offset: number, length: number) => Uint8Array {
  const kept = new Map<number, Uint8Array>()
  return (offset, length) => {
    const there = kept.get(offset)
    if (there?.length === length) return there
    const bytes = new Uint8Array(length)
    const read = bytes.subarray(0, readSync(file, bytes, 0, length, offset))
    const oldest = kept.keys().next().value
    if (kept.size >= pagesMax && oldest !== undefined) kept.delete(oldest)
    kept.set(offset, read)
    return read
  }
}

function listedOf(row: Row | null): ListedEntry | null {
  const [seq, leaf, bytes] = [row?.['seq'], row?.['leaf'], row?.['bytes']]
  return typeof seq === 'number' && leaf instanceof Uint8Array && bytes instanceof Uint8Array ? { seq, leaf: toHex(leaf), entry: parseEntry(bytes) } : null
}

/** By the path: another file in its place is another log. */
function stateOf(path: string): string {
  const there = statSync(path, { bigint: true, throwIfNoEntry: false })
  return there === undefined ? '' : [there.dev, there.ino, there.size, there.mtimeNs].join(' ')
}

function isOfFiles(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
