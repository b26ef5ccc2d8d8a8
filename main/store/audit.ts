// The audit log on disk. An append is one transaction: the entry's bytes, its leaf hash, the tree's edge and every derived
// row, read back before it is answered; once answered it survives a power cut (database.ts says how). Reading and
// verifying work on a database opened for reading too, beside the station that writes it.
import { fromHex, toHex } from '../base/bytes.ts'
import { assert, Failure } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import type { Signer } from '../base/signer.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { makeEntry, parseEntry } from '../log/entry.ts'
import { redactEntry, redactionData, redactionKind } from '../log/redact.ts'
import type { Entry, EntryDraft, Role } from '../log/entry.ts'
import { emptyEdge, rootOf } from '../log/tree.ts'
import type { TreeEdge, TreeHead } from '../log/tree.ts'
import type { LogVerdict } from '../log/verify.ts'
import { verifyDatabase } from './check.ts'
import type { VerifyProgress } from './check.ts'
import { readCheckpoints, signCheckpoint } from './checkpoints.ts'
import type { SignedCheckpoint } from './checkpoints.ts'
import { diskFailure, openDatabase, openDatabaseForReading } from './database.ts'
import type { OpenDatabase, Sql } from './database.ts'
import { openLogKey } from './logkey.ts'
import type { TokenSigner } from './logkey.ts'
import { pseudonymizer } from './people.ts'
import { proveConsistency, proveInclusion, proveRange } from './proofs.ts'
import type { RangeProof } from '../log/range.ts'
import { forgetOverwritten, prepareInsert, readEdge, readHead, rebuildRows, replaceEntries, sha256 } from './rows.ts'
import type { InsertEntries, StoredEntry } from './rows.ts'

/** At most this many entries in one append, and in one answer of `list`. */
export const appendMax = 10_000
export const listMax = 1_000
/** A difference between the clocks' steps beyond this is logged as `clock-stepped`. */
export const clockStepMs = 2_000

/** Who appends: the station's name, the identity of this start, and the clock. */
export type AuditIdentity = Readonly<{ station: string; session: string; clock: Clock }>

export type ListFilter = Readonly<{
  /** Only entries with a smaller seq: the last one shown, to go on. */
  before?: number | null
  /** At most this many, 100 unless told, `listMax` at most. */
  limit?: number
  kind?: string | null
  unit?: string | null
  batch?: string | null
  run?: string | null
  person?: string | null
  /** Wall times as entries have them (`2026-01-31T12:00:00.000Z`), or their beginnings: from this on, and before that. */
  since?: string | null
  until?: string | null
  /** Fingerprint of a key that the entry names. */
  key?: string | null
  outcome?: string | null
  /** Case-insensitive (ASCII) text anywhere in the entry's JSON. */
  text?: string | null
}>

/** An entry as listed: unreadable bytes are shown as what is wrong with them instead of being hidden. */
export type ListedEntry = Readonly<{ seq: number; leaf: string; entry: Entry | Failure }>

/**
 * Opens the home's log for writing. Failures: those of `openDatabase`, and `log-inconsistent` when the stored head does
 * not fit the entries, so that nothing is ever appended to a log that was cut.
 */
export function openAuditStore(folder: string, identity: AuditIdentity): AuditStore | Failure {
  const database = openDatabase(folder)
  if (database instanceof Failure) return database
  return startStore(database, identity)
}

/** Opens the home's log for reading and verifying only; `append` then fails. `checkBytesMax` as in `openDatabaseForReading`. */
export function openAuditStoreForReading(folder: string, checkBytesMax?: number): AuditStore | Failure {
  const database = openDatabaseForReading(folder, checkBytesMax)
  if (database instanceof Failure) return database
  return startStore(database, null)
}

function startStore(database: OpenDatabase, identity: AuditIdentity | null): AuditStore | Failure {
  try {
    const edge = identity === null ? emptyEdge : readEdge(database)
    const names = identity === null ? null : pseudonymizer(database.folder)
    const wrong = edge instanceof Failure ? edge : names instanceof Failure ? names : null
    if (wrong !== null || edge instanceof Failure || names instanceof Failure) {
      database.close()
      return wrong as Failure
    }
    return new AuditStore(database, identity, edge, names, identity === null ? null : lastWallMs(database.sql))
  } catch (error) {
    database.close()
    return diskFailure(error, database.path)
  }
}

function lastWallMs(sql: Sql): number | null {
  const time = sql.prepare('SELECT time FROM entries ORDER BY seq DESC LIMIT 1').pluck().get()
  const wallMs = typeof time === 'string' ? Date.parse(time) : NaN
  return Number.isNaN(wallMs) ? null : wallMs
}

export class AuditStore {
  readonly database: OpenDatabase
  readonly #identity: AuditIdentity | null
  readonly #insert: InsertEntries | null
  readonly #names: { draft(draft: EntryDraft): EntryDraft | Failure } | null
  #edge: TreeEdge
  #startedMs: number
  /** Wall minus monotonic time at the last append; moves only when the wall clock is stepped. */
  #offsetMs: number
  #lastMono = 0
  /** Wall time of the last entry of the start before; null once this start has written one. */
  #earlierMs: number | null
  #inToken: TokenSigner | undefined
  readonly #waiting: { draft: EntryDraft; resolve: (answer: Entry | Failure) => void }[] = []
  readonly #listeners = new Set<(entries: readonly Entry[]) => void>()

  /** Use `openAuditStore`. */
  constructor(database: OpenDatabase, identity: AuditIdentity | null, edge: TreeEdge, names: { draft(draft: EntryDraft): EntryDraft | Failure } | null, lastWall: number | null) {
    this.database = database
    this.#earlierMs = lastWall
    this.#identity = identity
    this.#edge = edge
    this.#names = names
    this.#insert = identity === null ? null : prepareInsert(database.sql)
    this.#startedMs = identity?.clock.monotonicMs() ?? 0
    this.#offsetMs = identity === null ? 0 : identity.clock.wallMs() - this.#startedMs
  }

  /** Writes one entry; answers when it is on disk and was read back. Failures: `entry-refused`, `read-only` and the disk's. */
  append(draft: EntryDraft): Entry | Failure {
    const entries = this.appendAll([draft])
    if (entries instanceof Failure) return entries
    const entry = entries.at(-1)
    assert(entry !== undefined, 'one draft makes one entry')
    return entry
  }

  /** Writes all drafts in one transaction, in order, or none. The answer has one entry for each draft. */
  appendAll(drafts: readonly EntryDraft[]): Entry[] | Failure {
    return this.#appendWith(drafts)
  }

  /** `also` runs in the same transaction, after the entries. */
  #appendWith(drafts: readonly EntryDraft[], also?: () => void): Entry[] | Failure {
    assert(drafts.length > 0 && drafts.length <= appendMax, `an append has 1 to ${appendMax} drafts`)
    if (this.#identity === null || this.#insert === null) {
      return new Failure('read-only', 'The log was opened for reading only, so nothing can be written to it.')
    }
    const { clock, session, station } = this.#identity
    const wallMs = clock.wallMs()
    const monotonicMs = clock.monotonicMs()
    const time = new Date(wallMs).toISOString()
    const mono = Math.max(this.#lastMono, Math.floor(monotonicMs - this.#startedMs))
    // Over a restart no monotonic clock leads, but time that goes back has been set back.
    const backMs = this.#earlierMs === null ? 0 : Math.min(0, Math.round(wallMs - this.#earlierMs))
    const withinMs = Math.round(wallMs - monotonicMs - this.#offsetMs)
    const stepMs = Math.abs(withinMs) > clockStepMs ? withinMs : backMs
    const stepped: EntryDraft[] = Math.abs(stepMs) > clockStepMs ? [{ kind: 'clock-stepped', data: { byMs: stepMs } }] : []

    const made: { entry: Entry; bytes: Uint8Array }[] = []
    for (const given of [...stepped, ...drafts]) {
      const draft = this.#names?.draft(given) ?? given
      if (draft instanceof Failure) return draft
      const person = draft.person ?? ''
      const role: Role = draft.role ?? 'station'
      const one = makeEntry({ seq: this.#edge.size + made.length, time, mono, session, station, person, role }, draft)
      if (one instanceof Failure) return one
      made.push(one)
    }
    let edge: TreeEdge
    try {
      edge = this.#insert(made, this.#edge, also)
    } catch (error) {
      return diskFailure(error, this.database.path)
    }
    this.#edge = edge
    this.#lastMono = mono
    this.#earlierMs = null
    this.#offsetMs = wallMs - monotonicMs
    const entries = made.map(({ entry }) => entry)
    for (const listener of this.#listeners) listener(entries)
    return entries.slice(stepped.length)
  }

  /**
   * Writes the draft together with all others that come before the event loop turns: one disk flush for a whole line of
   * boards. Answers, like `append`, when it is on disk. A draft that is refused takes none of the others with it.
   */
  appendTogether(draft: EntryDraft): Promise<Entry | Failure> {
    return new Promise((resolve) => {
      this.#waiting.push({ draft, resolve })
      if (this.#waiting.length >= appendMax) this.#flush()
      else if (this.#waiting.length === 1) setImmediate(() => this.#flush())
    })
  }

  #flush(): void {
    const waiting = this.#waiting.splice(0)
    if (waiting.length === 0) return
    const together = this.appendAll(waiting.map(({ draft }) => draft))
    for (const [i, { draft, resolve }] of waiting.entries()) {
      if (!(together instanceof Failure)) {
        const entry = together[i]
        assert(entry !== undefined, 'each draft has its entry')
        resolve(entry)
      } else resolve(together.kind === 'entry-refused' && waiting.length > 1 ? this.append(draft) : together)
    }
  }

  /** Calls back with the entries of each append once they are on disk. The returned function ends it. */
  onAppended(listener: (entries: readonly Entry[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Entries that fit the filter, newest first. */
  list(filter: ListFilter = {}): ListedEntry[] | Failure {
    const { where, values } = conditionOf(filter)
    const limit = Math.min(Math.max(1, filter.limit ?? 100), listMax)
    return this.#read((sql) => {
      const rows = sql.prepare(`SELECT seq, bytes, leaf FROM entries ${where} ORDER BY seq DESC LIMIT ?`).all(...values, limit) as StoredEntry[]
      return rows.map(({ seq, bytes, leaf }) => ({ seq, leaf: toHex(leaf), entry: parseEntry(bytes) }))
    })
  }

  /** One entry by its number; null when there is none. */
  get(seq: number): ListedEntry | null | Failure {
    return this.#read((sql) => {
      const row = sql.prepare('SELECT seq, bytes, leaf FROM entries WHERE seq = ?').get(seq) as StoredEntry | undefined
      return row === undefined ? null : { seq: row.seq, leaf: toHex(row.leaf), entry: parseEntry(row.bytes) }
    })
  }

  /** How many entries fit the filter (`before` and `limit` play no part). */
  count(filter: ListFilter = {}): number | Failure {
    const { where, values } = conditionOf({ ...filter, before: null })
    return this.#read((sql) => Number(sql.prepare(`SELECT count(*) FROM entries ${where}`).pluck().get(...values)))
  }

  /** Size and root of the tree as stored. */
  head(): TreeHead | Failure {
    if (this.#identity !== null) return { size: this.#edge.size, root: rootOf(this.#edge, sha256) }
    return this.#read((sql) => {
      const row = readHead(sql)
      return { size: row?.size ?? 0, root: row?.root ?? rootOf(emptyEdge, sha256) }
    })
  }

  /** Proof that entry `seq` is in the tree of `size` entries (RFC 6962 section 2.1.1). Fails with `no-such-entry`. */
  proveInclusion(seq: number, size: number): Uint8Array[] | Failure {
    return proveInclusion(this.database, seq, size)
  }

  /** Proof that the first `older` entries are the beginning of the first `newer` (RFC 6962 section 2.1.2). */
  proveConsistency(older: number, newer: number): Uint8Array[] | Failure {
    return proveConsistency(this.database, older, newer)
  }

  /** Proof that entries `from` to `to` − 1 are in the tree of `size` entries, for whoever has them. */
  proveRange(from: number, to: number, size: number): RangeProof | Failure {
    return proveRange(this.database, from, to, size)
  }

  /** The way to keys in tokens, for a log whose key lies in one. */
  reachTokens(inToken: TokenSigner): void {
    this.#inToken = inToken
  }

  /** The key that signs for this log now. Failures: those of `openLogKey`. */
  logSigner(): Signer | Failure {
    return openLogKey(this.database.folder, this.#inToken)
  }

  /** Signs the present head with the home's log key (made on first use) and keeps it beside the database. */
  async checkpoint(signal?: AbortSignal): Promise<SignedCheckpoint | Failure> {
    if (this.#identity === null) return new Failure('read-only', 'The log was opened for reading only, so no checkpoint can be signed.')
    const signer = this.logSigner()
    if (signer instanceof Failure) return signer
    const head = this.head()
    return head instanceof Failure ? head : await signCheckpoint(this.database, head, signer, signal)
  }

  /**
   * Recomputes everything from the entries and compares it with what is stored and with every signed checkpoint, giving
   * way to other work as it goes. What does not hold is a verdict, not a failure. `trusted` is the log's public key from
   * outside, `kept` checkpoints that left the house; without a key the copy in the home is believed. Failures: `stopped` and the disk's.
   */
  async verify(onProgress?: VerifyProgress, options: { signal?: AbortSignal; trusted?: NoteKey; kept?: ReadonlyMap<string, string> } = {}): Promise<LogVerdict | Failure> {
    const checkpoints = await readCheckpoints(this.database.folder, options.trusted, options.kept)
    if (checkpoints instanceof Failure) return checkpoints
    return await verifyDatabase(this.database, checkpoints, onProgress, options.signal)
  }

  /**
   * Strikes free text out of entries for good: the bytes are replaced, the leaf hashes stay, and an `entry-redacted` entry
   * for each says who did it and why, all in one transaction. Then the file is rewritten, since SQLite leaves old text in
   * the free parts of its pages (seconds, for a large log). Copies made before (backups, exports) still have it. Failures:
   * `no-such-entry`, `nothing-to-redact`, `read-only`, `old-text-lingers` (struck out, but a reader keeps the write-ahead
   * log alive) and the disk's.
   */
  redact(seqs: readonly number[], fields: readonly string[], says: string, by: { person?: string; role?: Role } = {}): Entry[] | Failure {
    const struck: { entry: Entry; bytes: Uint8Array }[] = []
    const drafts: EntryDraft[] = []
    for (const seq of seqs) {
      const found = this.get(seq)
      if (found === null) return new Failure('no-such-entry', `The log has no entry ${seq}.`)
      if (found instanceof Failure) return found
      if (found.entry instanceof Failure) return found.entry
      const one = redactEntry(found.entry, fields)
      if (one instanceof Failure) return one
      const leaf = fromHex(found.leaf)
      assert(leaf !== null, 'the store writes hex')
      struck.push(one)
      drafts.push({ kind: redactionKind, data: redactionData(seq, leaf, one.bytes, one.fields, says), ...by })
    }
    const written = this.#appendWith(drafts, () => replaceEntries(this.database.sql, struck))
    if (written instanceof Failure) return written
    const gone = this.#read((sql) => forgetOverwritten(sql))
    if (gone === true) return written
    if (gone instanceof Failure && gone.kind !== 'database-locked') return gone
    return new Failure('old-text-lingers', 'The text is struck out, but another program is reading the log, so its old pages are still there. Close it and strike out any other text, or have the log compacted with "log compact".')
  }

  /** Rewrites the file without its free parts. Fails with `database-locked` while another program reads it. */
  compact(): void | Failure {
    if (this.#identity === null) return new Failure('read-only', 'The log was opened for reading only, so it cannot be compacted.')
    const gone = this.#read((sql) => forgetOverwritten(sql))
    if (gone instanceof Failure) return gone
    if (!gone) return new Failure('database-locked', `Another program is reading the database ${this.database.path}. Close it and try again.`)
  }

  /** Moves the write-ahead log into the database while nothing waits; the next commits are the quicker for it. */
  tidy(): void {
    if (this.#identity !== null) this.#read((sql) => sql.pragma('wal_checkpoint(PASSIVE)'))
  }

  /** Empties the derived tables and fills them from the entries, in one transaction. Gives the number of rows made. */
  rebuildDerived(): number | Failure {
    if (this.#identity === null) return new Failure('read-only', 'The log was opened for reading only, so nothing can be rebuilt in it.')
    return this.#read((sql) => sql.transaction(() => rebuildRows(sql)).immediate())
  }

  /** Writes what is waiting, closes the database and gives the writer's lock back; safe to call twice. */
  close(): void {
    this.#flush()
    this.#listeners.clear()
    this.database.close()
  }

  #read<T>(work: (sql: Sql) => T): T | Failure {
    try {
      return work(this.database.sql)
    } catch (error) {
      return diskFailure(error, this.database.path)
    }
  }
}

export function conditionOf(filter: ListFilter): { where: string; values: (string | number)[] } {
  const parts: string[] = []
  const values: (string | number)[] = []
  const add = (part: string, value: string | number | null | undefined) => {
    if (value === null || value === undefined || value === '') return
    parts.push(part)
    values.push(value)
  }
  add('seq < ?', filter.before)
  add('kind = ?', filter.kind)
  add('unit = ?', filter.unit)
  add('batch = ?', filter.batch)
  add('run = ?', filter.run)
  add('person = ?', filter.person)
  add('time >= ?', filter.since)
  add('time < ?', filter.until)
  add("json_extract(CAST(bytes AS TEXT), '$.data.key') = ?", filter.key)
  add('seq IN (SELECT seq FROM outcomes WHERE outcome = ?)', filter.outcome)
  // Twice as quick as instr() over lower(), which writes every entry anew first; its case-folding is ASCII's alike.
  add("CAST(bytes AS TEXT) LIKE ? ESCAPE '!'", filter.text ? `%${filter.text.replace(/[!%_]/g, '!$&')}%` : null)
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values }
}
