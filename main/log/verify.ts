// Checks a stored log from nothing but its rows: every entry canonical and in its place, every leaf hash recomputed, every
// row of the derived tables derived again, the tree grown anew and its head and old checkpoints compared. It is fed in
// order and keeps O(log n), so a million entries fit as well as ten; it touches no file and no clock.
import { sameBytes, toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import { deriveRows, derivedTables, subjectsOf } from './derived.ts'
import type { ColumnValue, DerivedRow, Subjects } from './derived.ts'
import { parseEntry } from './entry.ts'
import type { Entry } from './entry.ts'
import { isStruck, leafOf } from './redact.ts'
import type { Redaction } from './redact.ts'
import { emptyEdge, pushLeaf, rootOf } from './tree.ts'
import type { Sha256, TreeEdge, TreeHead } from './tree.ts'

/**
 * One thing that does not hold. `seq` is the first entry it touches, null when it is about the log as a whole. With
 * `before` the entry at fault is somewhere from `seq` up to but not including `before`.
 */
export type LogWrong = Readonly<{ seq: number | null; before?: number; kind: WrongKind; says: string }>

export type WrongKind =
  | 'entry' // its bytes are no canonical entry
  | 'place' // missing, renumbered, swapped or inserted
  | 'leaf' // stored leaf hash is not that of its bytes
  | 'index' // columns beside the entry do not say what it says
  | 'derived' // a row of a derived table is missing, extra or different
  | 'time' // the monotonic clock went back within one station start
  | 'tree' // a stored subtree hash or the head does not follow from the leaves
  | 'checkpoint' // a signed checkpoint says otherwise
  | 'database' // SQLite itself finds the file damaged

/**
 * An entry as stored, with all that stands beside it. `derived` holds the rows with its seq, by table name. Where entries
 * stand alone, as in an exported bundle, `leaf`, `subjects` and `derived` are left out.
 */
export type StoredRow = Readonly<{
  seq: number
  bytes: Uint8Array
  leaf?: Uint8Array
  subjects?: Subjects
  derived?: Readonly<Record<string, DerivedRow | undefined>>
}>

/** A tree head that someone vouches for, with words to name it. */
export type KnownHead = TreeHead & Readonly<{ calledIn: string }>

export type LogVerdict = Readonly<{
  holds: boolean
  size: number
  root: Uint8Array
  /** What does not hold, first entry first; at most `wrongsMax`. */
  wrongs: readonly LogWrong[]
  /** The first entry that does not hold; null when all do, or when only the log as a whole is wrong. */
  firstWrong: number | null
  /** Checkpoints whose root was recomputed and agreed. */
  checkpointsHeld: number
  /** Entries of which text was struck out, as a later entry tells; the first `wrongsMax`, and how many in all. */
  redacted: readonly number[]
  redactedCount: number
  says: string
}>

export const wrongsMax = 100

export type LogChecker = Readonly<{
  /** Next row in order of seq. Gives the entry when it could be read. */
  row(row: StoredRow): Entry | null
  /** Adds what the caller found (damaged pages, rows that belong to no entry). */
  wrong(wrong: LogWrong): void
  /** Compares with the stored head and gives the verdict; null head: the store has none. */
  end(head: (TreeHead & { edge: readonly Uint8Array[] }) | null): LogVerdict
  /** The same without a stored head, for a range that begins at `start`. */
  endOfRange(): LogVerdict & { edge: TreeEdge }
}>

export type CheckOptions = Readonly<{
  sha256?: Sha256
  /** Checkpoints whose signatures were verified, in any order. */
  known?: readonly KnownHead[]
  /** The stored hash of a complete subtree; undefined where none of that level is kept, null where one is missing. */
  storedNode?: (level: number, index: number) => Uint8Array | null | undefined
  /** Redactions by the entry they are of; the entries that tell them must be in the log too. */
  redactions?: ReadonlyMap<number, Redaction>
  /** The edge before the first row, when the rows do not begin at entry 0. */
  start?: TreeEdge
}>

/** A new check of a log, fed row by row. */
export function checkLog(options: CheckOptions = {}): LogChecker {
  const wrongs: LogWrong[] = []
  const known = [...(options.known ?? [])].sort((a, b) => a.size - b.size)
  const from = options.start ?? emptyEdge
  const edge: { size: number; readonly hashes: Uint8Array[] } = { size: from.size, hashes: [...from.hashes] }
  let nextSeq = edge.size
  let nextKnown = known.findIndex(({ size }) => size >= nextSeq)
  if (nextKnown < 0) nextKnown = known.length
  let held = 0
  let heldSize = nextSeq
  const redacted: number[] = []
  let redactedCount = 0
  let last = { session: '', mono: 0 }

  const wrong = (found: LogWrong) => {
    if (wrongs.length < wrongsMax) wrongs.push(found)
  }

  const onSubtree = (level: number, index: number, hash: Uint8Array) => {
    const stored = options.storedNode?.(level, index)
    if (stored === undefined || (stored !== null && sameBytes(stored, hash))) return
    const low = index * 2 ** level
    const high = low + 2 ** level
    const how = stored === null ? 'is missing' : 'does not follow from them'
    wrong({ seq: low, before: high, kind: 'tree', says: `The stored hash over entries ${low} to ${high - 1} ${how}: one of them, or the hash itself, was changed.` })
  }

  const meetCheckpoints = () => {
    for (let head = known[nextKnown]; head !== undefined && head.size <= edge.size; head = known[++nextKnown]) {
      if (sameBytes(rootOf(edge, options.sha256), head.root)) {
        held += 1
        heldSize = head.size
        continue
      }
      const range = `an entry from ${heldSize} to ${head.size - 1} was changed, removed or inserted since`
      wrong({ seq: heldSize, before: head.size, kind: 'checkpoint', says: `The first ${head.size} entries are not those that were signed in ${head.calledIn}: ${range}.` })
    }
  }
  meetCheckpoints()

  return {
    row(row) {
      if (row.seq !== nextSeq) wrong(misplaced(row.seq, nextSeq))
      nextSeq = Math.max(nextSeq, row.seq + 1)
      const redaction = options.redactions?.get(row.seq)
      const { leaf, redacted: struck } = leafOf(row.bytes, redaction, options.sha256)
      if (struck) {
        redactedCount += 1
        if (redacted.length < wrongsMax) redacted.push(row.seq)
      }
      if (row.leaf !== undefined && !sameBytes(leaf, row.leaf)) wrong({ seq: row.seq, kind: 'leaf', says: `Entry ${row.seq} was changed: its bytes do not give the hash that is stored with it.` })
      const entry = parseEntry(row.bytes)
      if (entry instanceof Failure) wrong({ seq: row.seq, kind: 'entry', says: `Entry ${row.seq} cannot be read: ${entry.says}` })
      else {
        checkEntry(row, entry, wrong)
        if (struck && redaction !== undefined && !isStruck(entry, redaction)) {
          wrong({ seq: row.seq, kind: 'entry', says: `Entry ${row.seq} was exchanged for another: entry ${redaction.by} tells that ${redaction.fields.join(', ') || 'nothing'} was struck out of it, and that is not so.` })
        }
        if (entry.session === last.session && entry.mono < last.mono) {
          wrong({ seq: row.seq, kind: 'time', says: `Entry ${row.seq} is dated before the one it follows, within one start of the station.` })
        }
        last = entry
      }
      pushLeaf(edge.hashes, edge.size, leaf, options.sha256, onSubtree)
      edge.size += 1
      meetCheckpoints()
      return entry instanceof Failure ? null : entry
    },
    wrong,
    end(head) {
      const root = rootOf(edge, options.sha256)
      for (const missed of known.slice(nextKnown)) {
        wrong({ seq: edge.size, kind: 'checkpoint', says: `The log ends after ${edge.size} entries, but ${missed.calledIn} was signed over ${missed.size}: entries were removed.` })
      }
      checkHead(head, edge, root, wrong)
      return { ...verdictOf(wrongs, { size: edge.size, root }, held, redactedCount), redacted, redactedCount }
    },
    endOfRange() {
      const head = { size: edge.size, root: rootOf(edge, options.sha256) }
      return { ...verdictOf(wrongs, head, held, redactedCount), redacted, redactedCount, edge: { size: edge.size, hashes: [...edge.hashes] } }
    },
  }
}

function misplaced(seq: number, expected: number): LogWrong {
  if (seq > expected) return { seq: expected, kind: 'place', says: `Entry ${expected} is missing; the next one there is ${seq}.` }
  return { seq, kind: 'place', says: `An entry numbered ${seq} stands where ${expected} should.` }
}

const subjectColumns: readonly (keyof Subjects)[] = ['kind', 'time', 'person', 'unit', 'batch', 'run']

function checkEntry(row: StoredRow, entry: Entry, wrong: (found: LogWrong) => void): void {
  if (entry.seq !== row.seq) {
    wrong({ seq: row.seq, kind: 'place', says: `Entry ${row.seq} says of itself that it is entry ${entry.seq}: entries were renumbered, swapped or inserted.` })
    return
  }
  if (row.subjects !== undefined) {
    const subjects = subjectsOf(entry)
    for (const column of subjectColumns) {
      if (subjects[column] !== row.subjects[column]) {
        wrong({ seq: row.seq, kind: 'index', says: `Entry ${row.seq} is listed under another ${column} than it has.` })
      }
    }
  }
  if (row.derived === undefined) return
  const expected = deriveRows(entry)
  for (const { table } of derivedTables) {
    const stored = row.derived[table]
    if (expected.length === 0 && stored === undefined) continue
    const says = differs(expected.find(({ table: of }) => of.table === table)?.row, stored)
    if (says !== null) wrong({ seq: row.seq, kind: 'derived', says: `The table ${table} ${says} entry ${row.seq}. The entry itself is what counts; the tables can be rebuilt.` })
  }
}

function differs(expected: DerivedRow | undefined, stored: DerivedRow | undefined): string | null {
  if (expected === undefined) return stored === undefined ? null : 'has a row that does not come from'
  if (stored === undefined) return 'lacks the row of'
  for (const [column, value] of Object.entries(expected)) {
    if (!sameValue(value, stored[column])) return `says another ${column} than`
  }
  return null
}

function sameValue(a: ColumnValue, b: ColumnValue | undefined): boolean {
  return a === b
}

function checkHead(head: (TreeHead & { edge: readonly Uint8Array[] }) | null, edge: TreeEdge, root: Uint8Array, wrong: (found: LogWrong) => void): void {
  if (head === null) {
    if (edge.size > 0) wrong({ seq: null, kind: 'tree', says: 'The stored head of the tree is gone.' })
    return
  }
  if (head.size > edge.size) {
    wrong({ seq: edge.size, kind: 'place', says: `The log ends after ${edge.size} entries, but once had ${head.size}: entries from ${edge.size} on were removed.` })
  } else if (head.size < edge.size) {
    wrong({ seq: head.size, kind: 'place', says: `The log has ${edge.size} entries, but only ${head.size} were ever appended: entries from ${head.size} on were inserted.` })
  } else if (!sameBytes(head.root, root) || !sameEdge(head.edge, edge.hashes)) {
    wrong({ seq: null, kind: 'tree', says: `The stored root of the tree, ${toHex(head.root).slice(0, 16)}…, does not follow from the entries.` })
  }
}

function sameEdge(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((hash, i) => sameBytes(hash, b[i] ?? new Uint8Array(0)))
}

function verdictOf(wrongs: readonly LogWrong[], head: TreeHead, checkpointsHeld: number, redactedCount: number): Omit<LogVerdict, 'redacted' | 'redactedCount'> {
  const sorted = narrowed(wrongs).sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || spanOf(a) - spanOf(b))
  const first = sorted[0]
  const struck = redactedCount === 0 ? '' : ` (text of ${redactedCount} redacted)`
  const signed = checkpointsHeld === 0 ? '' : `, and ${checkpointsHeld} signed checkpoint${checkpointsHeld === 1 ? '' : 's'} agree${checkpointsHeld === 1 ? 's' : ''}`
  return {
    holds: first === undefined,
    ...head,
    wrongs: sorted,
    firstWrong: first?.seq ?? null,
    checkpointsHeld,
    says: first === undefined ? `All ${head.size} entries hold${struck}${signed}.` : first.says,
  }
}

/** A range in which something is wrong begins at the most exact thing found wrong within it. */
function narrowed(wrongs: readonly LogWrong[]): LogWrong[] {
  return wrongs.map((range) => {
    const { seq, before } = range
    if (seq === null || before === undefined) return range
    let best = range
    for (const other of wrongs) {
      if (other.seq === null || other.seq < seq || other.seq >= before) continue
      if (spanOf(other) < spanOf(best) || (spanOf(other) === spanOf(best) && other.seq < (best.seq ?? 0))) best = other
    }
    return { ...range, seq: best.seq }
  })
}

function spanOf(wrong: LogWrong): number {
  return wrong.before === undefined || wrong.seq === null ? 1 : wrong.before - wrong.seq
}
