// Run by set-up in the runtime that was chosen: does better-sqlite3 load, and does it live through garbage
// collections while it holds references? That is what an addon built for the wrong Node-API does not.
'use strict'
const assert = require('node:assert')
const Database = require('better-sqlite3')

const rows = 5_000
const database = new Database(':memory:')
database.exec('CREATE TABLE smoke (id INTEGER PRIMARY KEY, name TEXT NOT NULL, bytes BLOB)')
const insert = database.prepare('INSERT INTO smoke (id, name, bytes) VALUES (@id, @name, @bytes)')
database.aggregate('longest', { start: '', step: (kept, next) => (next.length > kept.length ? next : kept) })

for (let id = 1; id <= rows; id += 1) {
  insert.run({ id, name: `unit ${id}`, bytes: Buffer.from([id & 0xff]) })
  if (id % 500 === 0) globalThis.gc()
}
globalThis.gc()
const { count, longest } = database.prepare('SELECT count(*) AS count, longest(name) AS longest FROM smoke').get()
assert.strictEqual(count, rows)
assert.strictEqual(longest, 'unit 1000')
assert.throws(() => insert.run({ id: 1, name: 'again', bytes: null }), { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' })
database.close()
globalThis.gc()
