// Finding entries in a long log without holding anybody up: the numbers of all that fit are gathered a piece at a time, the
// event loop getting its turn between pieces, since boards may be at work in the same process. A found set is a list of
// numbers, so that any place in it is shown at once, however far down; entries appended later are added to its end.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '../base/failure.ts'
import { conditionOf } from './audit.ts'
import type { AuditStore, ListedEntry, ListFilter } from './audit.ts'
import { parseEntry } from '../log/entry.ts'
import { toHex } from '../base/bytes.ts'
import { diskFailure } from './database.ts'
import type { StoredEntry } from './rows.ts'

/** What to look for; paging plays no part. */
export type FindFilter = Omit<ListFilter, 'before' | 'limit'>

/** Entries looked at in one go: where each entry's text must be read, and where an index leads. */
const textPiece = 2_000
const indexedPiece = 200_000
/** Entries read and parsed in one go. */
const rowsATurn = 200
/** Numbers one found set holds at most; the newest count. */
export const foundMax = 5_000_000

/** Entries that fit, oldest first; `all` means every entry up to `size`, and then no number is kept. */
export type Found = { readonly filter: FindFilter; readonly all: boolean; size: number; seqs: number[] }

/** `dense`: the log has every entry from 0 on, as all but an audit bundle's have. */
export function emptyFound(filter: FindFilter, dense = true): Found {
  return { filter, all: dense && Object.values(filter).every((value) => value === null || value === undefined || value === ''), size: 0, seqs: [] }
}

/** How many fit. */
export function foundTotal({ all, size, seqs }: Found): number {
  return all ? size : seqs.length
}

/**
 * Goes on where the set ended, up to the log's present end. Failures: `stopped` when the signal aborts (what was found so
 * far stays true), `too-many-found` and the disk's.
 */
export async function extendFound(store: AuditStore, found: Found, signal: AbortSignal): Promise<null | Failure> {
  const head = store.head()
  if (head instanceof Failure) return head
  if (found.all) {
    found.size = head.size
    return null
  }
  const { where, values } = conditionOf(found.filter)
  const piece = found.filter.text || found.filter.key ? textPiece : indexedPiece
  try {
    const { sql } = store.database
    const read = sql.prepare(`SELECT seq FROM entries ${where === '' ? 'WHERE' : `${where} AND`} seq >= ? AND seq < ? ORDER BY seq`).pluck()
    const first = sql.prepare('SELECT min(seq) FROM entries WHERE seq >= ?').pluck()
    while (found.size < head.size) {
      if (signal.aborted) return new Failure('stopped', 'Another search took its place.')
      // In a log that was tampered with, numbers may lie far apart.
      const next = (first.get(found.size) as number | null) ?? head.size
      const to = Math.min(head.size, next + piece)
      for (const seq of read.all(...values, next, to) as number[]) found.seqs.push(seq)
      if (found.seqs.length > foundMax) return new Failure('too-many-found', `More than ${foundMax} entries fit. Narrow the search.`)
      found.size = to
      await nextTurn()
    }
    return null
  } catch (error) {
    return diskFailure(error, store.database.path)
  }
}

/** Entries that fit, newest first, and how many fit in all (`before` and `limit` play no part in that). */
export type Listed = Readonly<{ entries: readonly ListedEntry[]; total: number }>

/**
 * What `AuditStore.list` and `count` tell, with other work going on meanwhile; `limit` may be any number here. Failures:
 * `stopped` when the signal aborts, the disk's.
 */
export async function listFound(store: AuditStore, filter: ListFilter, signal?: AbortSignal): Promise<Listed | Failure> {
  const { before, limit = 100, ...rest } = filter
  const { where, values } = conditionOf(rest)
  const piece = filter.text || filter.key ? textPiece : indexedPiece
  const entries: ListedEntry[] = []
  let total = 0
  try {
    const { sql } = store.database
    const within = `FROM entries ${where === '' ? 'WHERE' : `${where} AND`} seq >= ? AND seq < ?`
    const count = sql.prepare(`SELECT count(*) ${within}`).pluck()
    const newest = sql.prepare(`SELECT seq, bytes, leaf ${within} ORDER BY seq DESC LIMIT ?`)
    const last = sql.prepare('SELECT max(seq) FROM entries WHERE seq < ?').pluck()
    // From one entry that is there to the next: numbers in a log that was tampered with may lie far apart.
    for (let to = Number.MAX_SAFE_INTEGER, from = to; ; to = from) {
      to = ((last.get(to) as number | null) ?? -1) + 1
      if (to <= 0) return { entries, total }
      from = Math.max(0, to - piece)
      const fit = count.get(...values, from, to) as number
      total += fit
      const upTo = Math.min(to, before ?? to)
      while (fit > 0 && entries.length < limit) {
        const below = Math.min(upTo, entries.at(-1)?.seq ?? upTo)
        const rows = newest.all(...values, from, below, Math.min(rowsATurn, limit - entries.length)) as StoredEntry[]
        entries.push(...rows.map(({ seq, bytes, leaf }) => ({ seq, leaf: toHex(leaf), entry: parseEntry(bytes) })))
        if (rows.length < rowsATurn) break
        await nextTurn()
      }
      await nextTurn()
      if (signal?.aborted === true) return new Failure('stopped', 'The listing was stopped.')
    }
  } catch (error) {
    return diskFailure(error, store.database.path)
  }
}

/** Entries of a set from place `at` on (0 is the newest), newest first. */
export function entriesAt(store: AuditStore, found: Found, at: number, limit: number): ListedEntry[] | Failure {
  const total = foundTotal(found)
  const places = Array.from({ length: Math.max(0, Math.min(limit, total - at)) }, (_, i) => total - 1 - at - i)
  try {
    const read = store.database.sql.prepare('SELECT seq, bytes, leaf FROM entries WHERE seq = ?')
    return places.flatMap((place) => {
      const row = read.get(found.all ? place : found.seqs[place]) as StoredEntry | undefined
      return row === undefined ? [] : [{ seq: row.seq, leaf: toHex(row.leaf), entry: parseEntry(row.bytes) }]
    })
  } catch (error) {
    return diskFailure(error, store.database.path)
  }
}

/** Where in the set an entry stands, 0 the newest; null when it is not in it. */
export function placeOf(found: Found, seq: number): number | null {
  const total = foundTotal(found)
  if (found.all) return seq < total ? total - 1 - seq : null
  let [low, high] = [0, total]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((found.seqs[middle] ?? 0) < seq) low = middle + 1
    else high = middle
  }
  return found.seqs[low] === seq ? total - 1 - low : null
}
