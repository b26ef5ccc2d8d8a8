// The database's layout, as forward-only steps: step n takes user_version n to n + 1 and is never edited once released.
// `entries` is the log; `nodes`, `head` and the tables named in main/log/derived.ts are derived from it and can be rebuilt.

/** `SlWr`: lets us tell our file from any other program's (and `file` name it). */
export const applicationId = 0x536c5772

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
CREATE TRIGGER entries_stay BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER entries_remain BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- Hashes of complete subtrees of 2^8, 2^16 and 2^24 leaves, so that proofs need few reads.
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

export const migrations: readonly string[] = [first]
export const schemaVersion = migrations.length
