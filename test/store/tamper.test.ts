// Tampering: whoever edits the file directly is found, and the first entry that does not hold is named. The attacker here
// has SQLite and our source, so he also repairs what he can: leaf hashes, derived tables, subtree hashes, the head.
import Database from 'better-sqlite3'
import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { closeSync, cpSync, existsSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { canonicalBytes } from '../../main/log/canonical.ts'
import { deriveRows, derivedTables, subjectsOf } from '../../main/log/derived.ts'
import { parseEntry } from '../../main/log/entry.ts'
import type { Entry, EntryDraft } from '../../main/log/entry.ts'
import { appendLeaf, emptyEdge, leafHash, rootOf } from '../../main/log/tree.ts'
import type { LogVerdict } from '../../main/log/verify.ts'
import { openAuditStore, openAuditStoreForReading } from '../../main/store/audit.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { keptLevels } from '../../main/store/schema.ts'
import { often, within } from './soak.ts'
import { handClock, hashOf, newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

const entryCount = often(700, 10_000)
let honest = ''
let keep: string[] = []

function draftFor(i: number): EntryDraft {
  const of = { run: `r${i}`, unit: `u${i % 9}`, batch: 'b1', bay: i % 8 }
  if (i % 5 === 0) return { kind: 'slot-write-intended', data: { ...of, image: 0, slot: 1, imageHash: hashOf('i'), bytes: 1000 + i } }
  if (i % 5 === 1) return { kind: 'image-signed', data: { key: hashOf('k'), algorithm: 'ed25519', inputSha256: hashOf('a'), outputSha256: hashOf('b'), imageHash: hashOf('i'), version: '1.0.0', file: `f${i}.bin`, bytes: i } }
  if (i % 5 === 2) return { kind: 'proof-passed', data: { ...of, proof: 'echo' } }
  return outcomeDraft(`u${i % 9}`, { says: `Run ${i} ended.` })
}

beforeAll(async () => {
  honest = newHome()
  const store = storeIn(honest)
  for (let i = 0; i < entryCount; i += 50) {
    value(store.appendAll(Array.from({ length: 50 }, (_, k) => draftFor(i + k))))
    // One checkpoint in the middle, between two kept subtrees.
    if (i === 300) value(await store.checkpoint())
  }
  store.close()
})

/** A home that holds a copy of the honest log, with its checkpoints and keys. */
function copied(from = honest): string {
  const home = newHome()
  cpSync(from, home, { recursive: true })
  keep.push(home)
  return home
}

/** Edits the database behind the store's back. */
function edit(home: string, work: (sql: Database.Database) => void): void {
  const sql = new Database(join(home, databaseName))
  sql.exec('DROP TRIGGER IF EXISTS entries_stay; DROP TRIGGER IF EXISTS entries_remain')
  sql.transaction(() => work(sql))()
  sql.close()
}

async function verdictOn(home: string): Promise<LogVerdict> {
  const store = value(openAuditStoreForReading(home))
  try {
    return value(await store.verify())
  } finally {
    store.close()
  }
}

/** Makes everything beside the entries fit them again, as an attacker with our source would. */
function repair(sql: Database.Database): void {
  const rows = sql.prepare('SELECT seq, bytes FROM entries ORDER BY seq').all() as { seq: number; bytes: Uint8Array }[]
  for (const { table } of derivedTables) sql.exec(`DELETE FROM ${table}`)
  sql.exec('DELETE FROM nodes')
  let edge = emptyEdge
  for (const { seq, bytes } of rows) {
    const entry = value(parseEntry(bytes))
    sql.prepare('UPDATE entries SET leaf = @leaf, kind = @kind, time = @time, person = @person, unit = @unit, batch = @batch, run = @run WHERE seq = @seq').run({ seq, leaf: leafHash(bytes), ...subjectsOf(entry) })
    for (const { table, row } of deriveRows(entry)) {
      const columns = Object.keys(row)
      sql.prepare(`INSERT INTO ${table.table} (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`).run(row)
    }
    edge = appendLeaf(edge, leafHash(bytes), undefined, (level, index, hash) => {
      if (keptLevels.includes(level)) sql.prepare('INSERT INTO nodes (level, idx, hash) VALUES (?, ?, ?)').run(level, index, hash)
    })
  }
  sql.prepare('UPDATE head SET size = ?, edge = ?, root = ?').run(edge.size, Buffer.concat(edge.hashes), rootOf(edge))
}

function rewrite(sql: Database.Database, seq: number, change: (entry: Entry) => object): void {
  const entry = value(parseEntry(sql.prepare('SELECT bytes FROM entries WHERE seq = ?').pluck().get(seq) as Uint8Array))
  sql.prepare('UPDATE entries SET bytes = ? WHERE seq = ?').run(value(canonicalBytes({ ...entry, ...change(entry) })), seq)
}

afterEach(() => {
  for (const home of keep) rmSync(home, { recursive: true, force: true })
  keep = []
})
afterAll(release)

test('the honest log holds, with its checkpoint, and progress ends at its size', async () => {
  const store = value(openAuditStoreForReading(copied()))
  const told: number[] = []
  const verdict = value(await store.verify((done, total) => told.push(done, total)))
  expect(verdict).toMatchObject({ holds: true, size: entryCount, firstWrong: null, checkpointsHeld: 1, wrongs: [] })
  expect(told.slice(-4)).toEqual([told.at(-4), entryCount, entryCount, entryCount])
  store.close()
})

describe('one entry', () => {
  test('any byte of any entry flipped, in the file itself: that entry is named', { timeout: within(20_000) }, async () => {
    const home = copied()
    const path = join(home, databaseName)
    const whole = readFileSync(path)
    const reader = new Database(path, { readonly: true })
    const entries = reader.prepare('SELECT bytes FROM entries ORDER BY seq').pluck().all() as Buffer[]
    reader.close()
    const file = openSync(path, 'r+')
    const put = (at: number, byte: number) => writeSync(file, Uint8Array.of(byte), 0, 1, at)
    await fc.assert(
      fc.asyncProperty(fc.nat(entryCount - 1), fc.nat(), fc.integer({ min: 0, max: 7 }), async (seq, offset, bit) => {
        const bytes = entries[seq] ?? Buffer.alloc(0)
        // Free parts of pages may hold an entry's bytes a second time, from before the page was split: all are flipped.
        const places: number[] = []
        for (let at = whole.indexOf(bytes); at >= 0; at = whole.indexOf(bytes, at + 1)) places.push(at + (offset % bytes.length))
        expect(places.length).toBeGreaterThan(0)
        for (const at of places) put(at, (whole[at] ?? 0) ^ (1 << bit))
        expect(await verdictOn(home)).toMatchObject({ holds: false, firstWrong: seq })
        for (const at of places) put(at, whole[at] ?? 0)
      }),
      { numRuns: often(25, 5_000) },
    )
    closeSync(file)
    expect(await verdictOn(home)).toMatchObject({ holds: true })
  })

  test('any byte of the file flipped: it is found, or nothing that is stored reads otherwise', { timeout: within(20_000) }, async () => {
    const home = copied()
    const path = join(home, databaseName)
    const whole = readFileSync(path)
    const content = ({ database: { sql } }: AuditStore) => {
      const digest = createHash('sha256')
      for (const table of ['entries', 'nodes', 'head', ...derivedTables.map(({ table }) => table)]) for (const row of sql.prepare(`SELECT * FROM ${table}`).raw().iterate() as Iterable<(Uint8Array | string)[]>) digest.update(`${row.map((cell) => (cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : cell)).join('|')}\n`)
      return digest.digest('hex')
    }
    const honestStore = value(openAuditStoreForReading(home))
    const before = content(honestStore)
    honestStore.close()
    const file = openSync(path, 'r+')
    const put = (at: number, byte: number) => writeSync(file, Uint8Array.of(byte), 0, 1, at)
    let found = 0
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
        put(at, (whole[at] ?? 0) ^ (1 << bit))
        const store = openAuditStoreForReading(home)
        if (store instanceof Failure) {
          expect(['database-damaged', 'not-our-database', 'database-newer', 'no-database']).toContain(store.kind)
          found += 1
        } else {
          const verdict = value(await store.verify())
          // Free space, and indexes that only order what is there: whatever is read is what was written.
          if (verdict.holds) expect(content(store)).toBe(before)
          else found += 1
          store.close()
        }
        put(at, whole[at] ?? 0)
      }),
      { numRuns: often(25, 1_500) },
    )
    closeSync(file)
    expect(found).toBeGreaterThan(0)
    expect(await verdictOn(home)).toMatchObject({ holds: true })
  })

  test.each([
    ['its leaf hash changed', 123, 'leaf', (sql: Database.Database) => sql.exec("UPDATE entries SET leaf = zeroblob(32) WHERE seq = 123")],
    ['removed', 200, 'place', (sql: Database.Database) => sql.exec('DELETE FROM entries WHERE seq = 200')],
    ['removed, and those after it renumbered', 200, 'place', (sql: Database.Database) => {
      sql.exec('DELETE FROM entries WHERE seq = 200')
      for (let seq = 201; seq < entryCount; seq++) sql.prepare('UPDATE entries SET seq = ? WHERE seq = ?').run(seq - 1, seq)
    }],
    ['swapped with another', 40, 'place', (sql: Database.Database) => sql.exec('UPDATE entries SET seq = -1 WHERE seq = 40; UPDATE entries SET seq = 40 WHERE seq = 60; UPDATE entries SET seq = 60 WHERE seq = -1')],
    ['inserted at the end', entryCount, 'place', (sql: Database.Database) => sql.exec(`INSERT INTO entries SELECT ${entryCount}, bytes, leaf, kind, time, person, unit, batch, run FROM entries WHERE seq = 5`)],
    ['inserted before the first', -7, 'place', (sql: Database.Database) => sql.exec('INSERT INTO entries SELECT -7, bytes, leaf, kind, time, person, unit, batch, run FROM entries WHERE seq = 5')],
    ['the last removed', entryCount - 1, 'place', (sql: Database.Database) => sql.exec(`DELETE FROM entries WHERE seq = ${entryCount - 1}`)],
    ['listed under another unit', 13, 'index', (sql: Database.Database) => sql.exec("UPDATE entries SET unit = 'other' WHERE seq = 13")],
    ['dated back in the list', 14, 'index', (sql: Database.Database) => sql.exec("UPDATE entries SET time = '2020-01-01T00:00:00.000Z' WHERE seq = 14")],
    ['emptied', 77, 'leaf', (sql: Database.Database) => sql.exec("UPDATE entries SET bytes = x'' WHERE seq = 77")],
  ])('%s: entry %i is named', async (_name, seq, kind, work) => {
    const home = copied()
    edit(home, work)
    const verdict = await verdictOn(home)
    expect(verdict).toMatchObject({ holds: false, firstWrong: seq })
    expect(verdict.wrongs.map((wrong) => wrong.kind)).toContain(kind)
    expect(verdict.says).toContain(String(seq))
  })
})

describe('derived tables', () => {
  test.each([
    ['an outcome turned good', 8, "UPDATE outcomes SET outcome = 'reverted' WHERE seq = 8"],
    ['an outcome removed', 8, 'DELETE FROM outcomes WHERE seq = 8'],
    ['an outcome invented', 12, "INSERT INTO outcomes (seq, kind, unit) VALUES (12, 'outcome', 'ghost')"],
    ['an outcome of no entry invented', 5000, "INSERT INTO outcomes (seq, kind, unit) VALUES (5000, 'outcome', 'ghost')"],
    ['a slot write moved to another unit', 10, "UPDATE slot_writes SET unit = 'other' WHERE seq = 10"],
    ['an image with another key', 11, `UPDATE images SET key_fingerprint = '${'0'.repeat(64)}' WHERE seq = 11`],
  ])('%s: entry %i is named, and rebuilding mends it', async (_name, seq, statement) => {
    const home = copied()
    edit(home, (sql) => sql.exec(statement))
    const verdict = await verdictOn(home)
    expect(verdict).toMatchObject({ holds: false, firstWrong: seq })
    expect(verdict.wrongs.every(({ kind }) => kind === 'derived')).toBe(true)
    const store = value(openAuditStore(home, { station: 'line 1', session: 's9', clock: handClock() }))
    value(store.rebuildDerived())
    expect(value(await store.verify()).holds).toBe(true)
    store.close()
  })
})

describe('the tree', () => {
  test.each([
    ['a stored subtree hash changed', 256, 'UPDATE nodes SET hash = zeroblob(32) WHERE level = 8 AND idx = 1'],
    ['a stored subtree hash removed', 0, 'DELETE FROM nodes WHERE level = 8 AND idx = 0'],
    ['a subtree hash too many', null, `INSERT INTO nodes VALUES (8, ${Math.floor(entryCount / 256)}, zeroblob(32))`],
    ['another root', null, 'UPDATE head SET root = zeroblob(32)'],
    ['another edge', null, 'UPDATE head SET edge = zeroblob(length(edge))'],
    ['the head removed', null, 'DELETE FROM head'],
    ['the head set back', entryCount - 10, `UPDATE head SET size = ${entryCount - 10}`],
  ])('%s', async (_name, seq, statement) => {
    const home = copied()
    edit(home, (sql) => sql.exec(statement))
    expect(await verdictOn(home)).toMatchObject({ holds: false, firstWrong: seq })
  })

  test('an entry and its leaf rewritten, subtree hashes not: the subtree is named', async () => {
    const home = copied()
    edit(home, (sql) => {
      rewrite(sql, 300, (entry) => ({ person: `${entry.person}x` }))
      sql.prepare('UPDATE entries SET leaf = ?, person = person || ? WHERE seq = 300').run(leafHash(sql.prepare('SELECT bytes FROM entries WHERE seq = 300').pluck().get() as Uint8Array), 'x')
    })
    expect(await verdictOn(home)).toMatchObject({ holds: false, firstWrong: 288 })
  })
})

describe('an attacker who repairs everything he can is stopped by the signed checkpoint', () => {
  test('an entry before it rewritten', async () => {
    const home = copied()
    edit(home, (sql) => {
      rewrite(sql, 23, (entry) => ({ data: { ...entry.data, says: 'All was well.' } }))
      repair(sql)
    })
    const verdict = await verdictOn(home)
    expect(verdict).toMatchObject({ holds: false, firstWrong: 0 })
    expect(verdict.wrongs).toHaveLength(1)
    expect(verdict.says).toContain('350')
  })

  test('the log cut short before it', async () => {
    const home = copied()
    edit(home, (sql) => {
      sql.exec('DELETE FROM entries WHERE seq >= 340')
      repair(sql)
    })
    expect(await verdictOn(home)).toMatchObject({ holds: false, size: 340, firstWrong: 340 })
  })

  test('what comes after it is not protected until the next one: a rewritten tail holds against itself', async () => {
    const home = copied()
    edit(home, (sql) => {
      sql.exec('DELETE FROM entries WHERE seq >= 600')
      repair(sql)
    })
    expect(await verdictOn(home)).toMatchObject({ holds: true, size: 600, checkpointsHeld: 1 })
  })

  test('an older copy of the database put in place', async () => {
    const home = newHome()
    const store = storeIn(home)
    value(store.append(outcomeDraft('u1')))
    store.close()
    const old = copied(home)
    const again = storeIn(home, { session: 's2' })
    value(again.append(outcomeDraft('u2')))
    value(await again.checkpoint())
    again.close()
    cpSync(join(old, databaseName), join(home, databaseName))
    expect(await verdictOn(home)).toMatchObject({ holds: false, size: 1, firstWrong: 1 })
    // Nor may the station's own key vouch for the replayed log.
    const replayed = storeIn(home, { session: 's3' })
    expect(await replayed.checkpoint()).toMatchObject({ kind: 'log-forked' })
    value(replayed.appendAll([outcomeDraft('u3'), outcomeDraft('u4')]))
    expect(await replayed.checkpoint()).toMatchObject({ kind: 'log-forked' })
  })

  const checkpointFile = (home: string) => join(home, 'checkpoints', readdirSync(join(home, 'checkpoints'))[0] ?? '')

  test('the checkpoint edited', async () => {
    const home = copied()
    const note = readFileSync(checkpointFile(home), 'utf8')
    writeFileSync(checkpointFile(home), note.replace('\n350\n', '\n349\n'))
    const verdict = await verdictOn(home)
    expect(verdict).toMatchObject({ holds: false, checkpointsHeld: 0 })
    expect(verdict.says).toContain('cannot be trusted')
  })

  test('the checkpoint replaced by rubbish, or its key removed', async () => {
    const home = copied()
    writeFileSync(checkpointFile(home), Buffer.alloc(100, 0xff))
    expect(await verdictOn(home)).toMatchObject({ holds: false, checkpointsHeld: 0 })
    const other = copied()
    rmSync(join(other, 'log-key.pub'))
    expect((await verdictOn(other)).says).toContain('log-key.pub')
  })

  test('log key and checkpoints made anew: the key the auditor brought shows it', async () => {
    const home = copied()
    const stolen = copied()
    const trusted = await import('../../main/store/checkpoints.ts').then(({ readLogPublicKey }) => readLogPublicKey(home))
    if (trusted === null || trusted instanceof Failure) throw new Error('the honest home has a public key')
    rmSync(join(stolen, 'checkpoints'), { recursive: true })
    rmSync(join(stolen, 'log-key.pub'))
    const pair = generateKeyPairSync('ed25519')
    writeFileSync(join(stolen, 'log-key.pem'), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    expect(sign(null, Buffer.from('x'), createPrivateKey(readFileSync(join(stolen, 'log-key.pem')))).length).toBe(64)
    const store = storeIn(stolen, { session: 's2' })
    value(await store.checkpoint())
    expect(value(await store.verify()).holds).toBe(true)
    expect(value(await store.verify(undefined, { trusted }))).toMatchObject({ holds: false, checkpointsHeld: 0 })
  })
})

test('a lost log key is named, and no other is made in its place', async () => {
  const home = copied()
  rmSync(join(home, 'log-key.pem'))
  const store = storeIn(home, { session: 's2' })
  expect(await store.checkpoint()).toMatchObject({ kind: 'log-key-lost', says: expect.stringContaining('Put it back') as string })
  expect(existsSync(join(home, 'log-key.pem'))).toBe(false)
  expect(value(await store.verify()).holds).toBe(true)
  store.close()
})

test('honest logs of any size and content, with checkpoints anywhere, are never accused', { timeout: within(20_000) }, async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(fc.integer({ min: 1, max: 30 }), text, fc.boolean(), fc.integer({ min: -10_000, max: 10_000 })), { maxLength: 12 }), async (steps) => {
      const home = newHome()
      keep.push(home)
      const clock = handClock()
      let starts = 1
      let store = storeIn(home, { clock })
      for (const [count, says, sealed, wallMs] of steps) {
        clock.mono += count * 3.3
        clock.wall += wallMs
        value(store.appendAll(Array.from({ length: count }, (_, i) => outcomeDraft(`ü${i}`, { says }))))
        if (sealed) value(await store.checkpoint())
        if (count % 3 === 0) {
          store.close()
          store = storeIn(home, { clock, session: `start ${(starts += 1)}` })
        }
      }
      expect(value(await store.verify())).toMatchObject({ holds: true, wrongs: [] })
      store.close()
    }),
    { numRuns: often(20, 5_000) },
  )
})
