// The database's layout, as forward-only steps: step n takes user_version n to n + 1 and is never edited once released.
// A step is SQL, or work for what SQL alone cannot do.
// `entries` is the log; `nodes`, `head` and the tables named in main/log/derived.ts are derived from it and can be rebuilt.
import { hash as digest } from 'node:crypto'
import type Database from 'better-sqlite3'
import { nodeHash } from '../log/tree.ts'

export type Migration = string | ((sql: Database.Database) => void)

/** Tree levels whose subtree hashes are kept: any other subtree's hash is at most 15 kept ones away. */
export const keptLevels: readonly number[] = [4, 8, 12, 16, 20, 24]

/** The levels kept in this database: a home opened for reading only may still be of version 1. */
export function levelsKeptIn(sql: Database.Database): readonly number[] {
  return Number(sql.pragma('user_version', { simple: true })) < 2 ? [8, 16, 24] : keptLevels
}

/** `SlWr`: lets us tell our file from any other program's (and `file` name it). */
export const applicationId = 0x536c5772

// Whoever opens a database takes these two triggers for its own, and no other (database.ts).
const entriesStay = "CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
const entriesRemain = "CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END"
export const ownTriggers = [entriesStay, entriesRemain] as const

const first = `
CREATE TABLE entries (
  seq INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL,
  leaf BLOB NOT NULL,
  kind TEXT NOT NULL,
  time TEXT NOT NULL,
  person TEXT NOT NULL,
  unit TEXT,
  batch TEXT,
  run TEXT
) STRICT;
CREATE INDEX entries_by_kind ON entries (kind, seq);
CREATE INDEX entries_by_unit ON entries (unit, seq) WHERE unit IS NOT NULL;
CREATE INDEX entries_by_run ON entries (run, seq) WHERE run IS NOT NULL;
CREATE INDEX entries_by_batch ON entries (batch, seq) WHERE batch IS NOT NULL;

-- Against our own mistakes, not against an attacker: verification is for him.
${entriesStay};
${entriesRemain};

-- Hashes of complete subtrees (keptLevels above), so that proofs need few reads.
CREATE TABLE nodes (level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID;
-- The tree's right edge: what the next append needs.
CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, edge BLOB NOT NULL, root BLOB NOT NULL) STRICT;

CREATE TABLE images (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, image_hash TEXT, version TEXT, key_fingerprint TEXT,
  input_sha256 TEXT, output_sha256 TEXT, file TEXT, bytes INTEGER
) STRICT;
CREATE INDEX images_by_hash ON images (image_hash);
CREATE INDEX images_by_key ON images (key_fingerprint);

CREATE TABLE slot_writes (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, run TEXT, unit TEXT, batch TEXT, bay INTEGER,
  image INTEGER, slot INTEGER, image_hash TEXT, bytes INTEGER, slot_hash TEXT, failure TEXT
) STRICT;
CREATE INDEX slot_writes_by_unit ON slot_writes (unit);
CREATE INDEX slot_writes_by_hash ON slot_writes (image_hash);

CREATE TABLE outcomes (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, run TEXT, unit TEXT, batch TEXT, bay INTEGER,
  outcome TEXT, failure TEXT, says TEXT, active_hash TEXT, version TEXT, took_ms INTEGER
) STRICT;
CREATE INDEX outcomes_by_unit ON outcomes (unit);
CREATE INDEX outcomes_by_batch ON outcomes (batch);
CREATE INDEX outcomes_by_hash ON outcomes (active_hash);

CREATE TABLE key_events (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key_fingerprint TEXT, algorithm TEXT, key_class TEXT, name TEXT, home TEXT
) STRICT;

CREATE TABLE batch_events (
  seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, batch TEXT, recipe TEXT, name TEXT, mode TEXT, image_hash TEXT,
  version TEXT, target INTEGER, reason TEXT
) STRICT;
CREATE INDEX batch_events_by_batch ON batch_events (batch);

-- Not derived: what people set.
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE recipes (id TEXT PRIMARY KEY, name TEXT NOT NULL, revision INTEGER NOT NULL, released INTEGER NOT NULL, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
-- A memory of boards seen, for the window; the log is what proves.
CREATE TABLE boards (
  unit TEXT PRIMARY KEY, first_seen TEXT NOT NULL, last_seen TEXT NOT NULL, port TEXT, version TEXT, active_hash TEXT,
  outcome TEXT, outcome_at TEXT
) STRICT, WITHOUT ROWID;
`

const second = `
CREATE INDEX entries_by_time ON entries (time, seq);
CREATE INDEX entries_by_person ON entries (person, seq);
`

// People and what opens the station to them (hashes only), each a JSON body that accounts.ts alone reads.
const third = `
CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

// Where the factory is told of what happens: each hook with its place in the log (hooks.ts), and what it had to put aside.
const fourth = `
CREATE TABLE IF NOT EXISTS hooks (id TEXT PRIMARY KEY, body TEXT NOT NULL, place TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hook_letters (
  number INTEGER PRIMARY KEY AUTOINCREMENT, hook TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE, entry INTEGER NOT NULL, type TEXT NOT NULL, at TEXT NOT NULL, says TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS hook_letters_by_hook ON hook_letters (hook, number);
`

export const migrations: readonly Migration[] = [first, (sql) => {
  sql.exec(second)
  keepMoreSubtrees(sql)
}, third, fourth]
export const schemaVersion = migrations.length

/** Version 1 kept levels 8, 16 and 24 only. Each level is made from the kept one below it, so all that is read are leaves. */
function keepMoreSubtrees(sql: Database.Database): void {
  const size = Number(sql.prepare('SELECT coalesce(max(seq) + 1, 0) FROM entries').pluck().get())
  const insert = sql.prepare('INSERT OR IGNORE INTO nodes (level, idx, hash) VALUES (?, ?, ?)')
  const leaves = sql.prepare('SELECT leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq').pluck()
  const below = sql.prepare('SELECT hash FROM nodes WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx').pluck()
  for (const level of keptLevels) {
    for (let index = 0; (index + 1) * 2 ** level <= size; index++) {
      const [from, to] = [index * 16, index * 16 + 16]
      let hashes = (level === 4 ? leaves.all(from, to) : below.all(level - 4, from, to)) as Uint8Array[]
      // A damaged log is left as it is found: verification names what is missing.
      if (hashes.length !== 16) return
      while (hashes.length > 1) hashes = pairs(hashes)
      insert.run(level, index, hashes[0])
    }
  }
}

/** One level up: the hash over each two neighbours. */
export function pairs(hashes: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let i = 0; i + 1 < hashes.length; i += 2) {
    const [left, right] = [hashes[i], hashes[i + 1]]
    if (left !== undefined && right !== undefined) above.push(nodeHash(left, right, (bytes) => digest('sha256', bytes, 'buffer')))
  }
  return above
}
