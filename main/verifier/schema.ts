// The tables that the log is read from, as every Slotwright makes them (main/store/schema.ts). SQLite takes a table's columns
// from the words of its CREATE, and so does the verifier, by another reader: words that the two might read differently
// (INTEGER PRIMARY KEY DESC is no rowid to SQLite) would show the station other entries than were verified here. So exactly
// these are taken, and neither a view in a table's place nor a trigger that works while the station writes.
import type { SqliteFile } from '../log/sqlite-file.ts'

const ofRun = 'seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, run TEXT, unit TEXT, batch TEXT, bay INTEGER,'

const tables: Readonly<Record<string, string>> = {
  entries: '(seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL, leaf BLOB NOT NULL, kind TEXT NOT NULL, time TEXT NOT NULL, person TEXT NOT NULL, unit TEXT, batch TEXT, run TEXT) STRICT',
  nodes: '(level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)) STRICT, WITHOUT ROWID',
  head: '(one INTEGER PRIMARY KEY CHECK (one = 1), size INTEGER NOT NULL, edge BLOB NOT NULL, root BLOB NOT NULL) STRICT',
  images: '(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, image_hash TEXT, version TEXT, key_fingerprint TEXT, input_sha256 TEXT, output_sha256 TEXT, file TEXT, bytes INTEGER) STRICT',
  slot_writes: `(${ofRun} image INTEGER, slot INTEGER, image_hash TEXT, bytes INTEGER, slot_hash TEXT, failure TEXT) STRICT`,
  outcomes: `(${ofRun} outcome TEXT, failure TEXT, says TEXT, active_hash TEXT, version TEXT, took_ms INTEGER) STRICT`,
  key_events: '(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, key_fingerprint TEXT, algorithm TEXT, key_class TEXT, name TEXT, home TEXT) STRICT',
  batch_events: '(seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, batch TEXT, recipe TEXT, name TEXT, mode TEXT, image_hash TEXT, version TEXT, target INTEGER, reason TEXT) STRICT',
}

const triggers: Readonly<Record<string, string>> = {
  entries_stay: "BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
  entries_remain: "BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
}

const tidied = (sql: string) => sql.replace(/\s+/g, ' ').replaceAll('( ', '(').replaceAll(' )', ')')

/** What in the file's own description is not as a Slotwright makes it, as sentences; empty when nothing is. */
export function strangeIn({ objects }: SqliteFile): string[] {
  const found: string[] = []
  for (const [name, words] of Object.entries(tables)) {
    const object = objects.get(name)
    if (object?.type !== 'table' || tidied(object.sql) !== `CREATE TABLE ${name} ${words}`) found.push(`The table ${name} is not made as any Slotwright makes it: somebody changed the database's own description.`)
  }
  for (const [name, words] of Object.entries(triggers)) {
    if (objects.get(name)?.sql !== `CREATE TRIGGER ${name} ${words}`) found.push(`The guard ${name}, which keeps entries from being changed by mistake, is gone or another: somebody worked on the database by hand.`)
  }
  for (const [name, { type }] of objects) {
    if (type !== 'table' && type !== 'index' && !Object.hasOwn(triggers, name)) found.push(`The database holds "${name.slice(0, 60)}", a ${type} that no Slotwright writes.`)
  }
  return found
}
