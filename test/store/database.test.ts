// What can be wrong with a home before anything is logged in it: each is one sentence, and nothing is lost or changed.
import Database from 'better-sqlite3'
import { createHash } from 'node:crypto'
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { derivedTables } from '../../main/log/derived.ts'
import { openAuditStore, openAuditStoreForReading } from '../../main/store/audit.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { databaseName, openDatabase, openDatabaseForReading } from '../../main/store/database.ts'
import { schemaVersion } from '../../main/store/schema.ts'
import { handClock, newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

afterEach(release)

const tables = ['entries', 'nodes', 'head', ...derivedTables.map(({ table }) => table)]
const identity = () => ({ station: 'line 1', session: 's2', clock: handClock() })
const openIn = (home: string) => openAuditStore(home, identity())

/** A home with a log of some 400 entries, closed. */
function filledHome(): string {
  const home = newHome()
  const store = storeIn(home)
  value(store.appendAll(Array.from({ length: 400 }, (_, i) => outcomeDraft(`unit-${i}`))))
  store.close()
  return home
}

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Runs as nobody when the tests run as root, whom no permission stops. */
function asUser<T>(home: string, work: () => T): T {
  if (process.getuid?.() !== 0) return work()
  for (const name of readdirSync(home)) chownSync(join(home, name), 65534, 65534)
  chownSync(home, 65534, 65534)
  process.seteuid?.(65534)
  try {
    return work()
  } finally {
    process.seteuid?.(0)
  }
}

describe('a home that cannot be written', () => {
  test('a file stands in its place', () => {
    const path = join(newHome(), 'file')
    writeFileSync(path, 'not a folder')
    expect(openIn(path)).toMatchObject({ kind: 'home-not-writable', says: expect.stringContaining(path) as string })
    expect(openIn(join(path, 'below'))).toMatchObject({ kind: 'home-not-writable' })
    expect(readFileSync(path, 'utf8')).toBe('not a folder')
  })

  test('the folder is read-only', () => {
    const home = newHome()
    chmodSync(home, 0o555)
    const answer = asUser(home, () => openIn(home))
    expect(answer).toMatchObject({ kind: 'home-not-writable', says: expect.stringContaining('permission') as string })
    expect(readdirSync(home)).toEqual([])
    chmodSync(home, 0o755)
  })

  test('the database file is read-only', () => {
    const home = filledHome()
    const before = digest(join(home, databaseName))
    chmodSync(join(home, databaseName), 0o444)
    expect(asUser(home, () => openIn(home))).toMatchObject({ kind: 'home-not-writable' })
    expect(digest(join(home, databaseName))).toBe(before)
  })
})

describe('a database that is not what it should be', () => {
  test('from a newer version: both versions are told and nothing is changed', () => {
    const home = filledHome()
    const path = join(home, databaseName)
    const sql = new Database(path)
    sql.pragma('user_version = 9')
    sql.close()
    const before = digest(path)
    for (const answer of [openIn(home), openAuditStoreForReading(home)]) {
      expect(answer).toMatchObject({ kind: 'database-newer', facts: { found: 9, known: schemaVersion } })
      expect((answer as Failure).says).toMatch(new RegExp(`version 9.*up to ${schemaVersion}`))
    }
    expect(digest(path)).toBe(before)
    // The refusal gives the writer's lock back.
    expect(openIn(home)).toMatchObject({ kind: 'database-newer' })
  })

  test('not SQLite at all', () => {
    const home = newHome()
    writeFileSync(join(home, databaseName), Buffer.alloc(10_000, 0x5a))
    expect(openIn(home)).toMatchObject({ kind: 'database-damaged' })
    expect(openAuditStoreForReading(home)).toMatchObject({ kind: 'database-damaged', says: expect.stringContaining(join(home, databaseName)) as string })
    expect(readFileSync(join(home, databaseName))).toEqual(Buffer.alloc(10_000, 0x5a))
  })

  test('cut in the middle', () => {
    const home = filledHome()
    const path = join(home, databaseName)
    truncateSync(path, Math.floor(statSync(path).size / 2))
    expect(openIn(home)).toMatchObject({ kind: 'database-damaged' })
    expect(openAuditStoreForReading(home)).toMatchObject({ kind: 'database-damaged' })
  })

  test.each([
    ['and checked when opened', undefined],
    ['and left to verification', 0],
  ])('pages overwritten one by one, %s: found, or only free space', async (_name, checkBytesMax) => {
    const home = filledHome()
    const whole = readFileSync(join(home, databaseName))
    const honest = value(openAuditStoreForReading(home))
    const contentOf = ({ database }: AuditStore) => tables.map((table) => database.sql.prepare(`SELECT * FROM ${table}`).all())
    const content = contentOf(honest)
    honest.close()
    const damagedHome = newHome()
    const path = join(damagedHome, databaseName)
    let found = 0
    for (let at = 0; at < whole.length; at += 5 * 4096) {
      const damaged = Buffer.from(whole)
      damaged.fill(0xa5, at + 1024, at + 3072)
      writeFileSync(path, damaged)
      const store = openAuditStoreForReading(damagedHome, checkBytesMax)
      if (store instanceof Failure) {
        expect(store.kind).toBe('database-damaged')
        found += 1
        continue
      }
      const verdict = value(await store.verify())
      // Rubbish in a page's free space is no damage; then all that is stored must still be what it was.
      if (verdict.holds) expect(contentOf(store)).toEqual(content)
      else found += 1
      store.close()
    }
    expect(found).toBeGreaterThan(whole.length / 4096 / 10)
  })

  test('of another program', () => {
    const home = newHome()
    const sql = new Database(join(home, databaseName))
    sql.exec('CREATE TABLE recipes (cake TEXT)')
    sql.close()
    expect(openIn(home)).toMatchObject({ kind: 'not-our-database' })
  })

  test('empty, as a crash at first start may leave it: it is made anew', () => {
    const home = newHome()
    writeFileSync(join(home, databaseName), '')
    const store = value(openIn(home))
    expect(value(store.append(outcomeDraft('u'))).seq).toBe(0)
    store.close()
  })

  test('cut tail: nothing may be added to it', () => {
    const home = filledHome()
    const sql = new Database(join(home, databaseName))
    sql.exec('DROP TRIGGER entries_remain; DELETE FROM entries WHERE seq = 399')
    sql.close()
    expect(openIn(home)).toMatchObject({ kind: 'log-inconsistent', facts: { entries: 399, size: 400 } })
    value(openAuditStoreForReading(home)).close()
  })
})

describe('a full disk', () => {
  test('fails the append, keeps what was there, and goes on once there is room', async () => {
    const store = storeIn(newHome())
    value(store.append(outcomeDraft('before')))
    const { sql } = store.database
    sql.pragma(`max_page_count = ${Number(sql.pragma('page_count', { simple: true }))}`)
    let written = 1
    let answer: unknown
    for (let i = 0; i < 500; i++) {
      answer = store.append(outcomeDraft(`unit-${i}`, { says: 'x'.repeat(900) }))
      if (answer instanceof Failure) break
      written += 1
    }
    expect(answer).toMatchObject({ kind: 'disk-full', says: expect.stringContaining('Free some space') as string })
    expect(value(store.count())).toBe(written)
    expect(value(store.head()).size).toBe(written)
    expect(store.append(outcomeDraft('still', { says: 'x'.repeat(900) }))).toMatchObject({ kind: 'disk-full' })
    sql.pragma('max_page_count = 100000')
    expect(value(store.append(outcomeDraft('after'))).seq).toBe(written)
    expect(value(await store.verify()).holds).toBe(true)
  })
})

describe('locks', () => {
  test('another program that holds the database is named as the cause', () => {
    const home = filledHome()
    const other = new Database(join(home, databaseName))
    const store = value(openIn(home))
    store.database.sql.pragma('busy_timeout = 10')
    other.exec('BEGIN IMMEDIATE')
    expect(store.append(outcomeDraft('u'))).toMatchObject({ kind: 'database-locked' })
    other.exec('ROLLBACK')
    expect(value(store.append(outcomeDraft('u'))).seq).toBe(400)
    other.close()
    store.close()
  })

  test('opening for writing a second time in the same process does not break the first one’s lock', () => {
    const home = newHome()
    const first = value(openDatabase(home))
    expect(openDatabase(home)).toMatchObject({ kind: 'database-locked' })
    expect(openDatabase(home)).toMatchObject({ kind: 'database-locked' })
    first.close()
    first.close()
    value(openDatabase(home)).close()
  })
})

describe('reading only', () => {
  test('a home without a database is told from an empty log', () => {
    const home = newHome()
    expect(openDatabaseForReading(home)).toMatchObject({ kind: 'no-database' })
    expect(readdirSync(home)).toEqual([])
    expect(openDatabaseForReading(join(home, 'nowhere'))).toMatchObject({ kind: 'no-database' })
    expect(existsSync(join(home, 'nowhere'))).toBe(false)
  })

  test('a closed home is read and verified without a byte of it being touched', async () => {
    const home = filledHome()
    const before = readdirSync(home).map((name) => `${name} ${statSync(join(home, name)).mtimeMs} ${digest(join(home, name))}`)
    const store = value(openAuditStoreForReading(home))
    expect(value(await store.verify()).holds).toBe(true)
    store.close()
    expect(readdirSync(home).map((name) => `${name} ${statSync(join(home, name)).mtimeMs} ${digest(join(home, name))}`)).toEqual(before)
  })

  test('a home on a read-only disk is read', async () => {
    const home = filledHome()
    chmodSync(home, 0o555)
    const store = asUser(home, () => value(openAuditStoreForReading(home)))
    expect(value(await store.verify()).holds).toBe(true)
    store.close()
    chmodSync(home, 0o755)
  })

  test('a copy taken from a running station, with its -wal and without, is read as far as it goes', async () => {
    const home = filledHome()
    const running = storeIn(home, { session: 's2' })
    value(running.append(outcomeDraft('in the wal')))
    const [withWal, without] = [newHome(), newHome()]
    mkdirSync(join(withWal, 'x'))
    for (const copy of [withWal, without]) copyFileSync(join(home, databaseName), join(copy, databaseName))
    copyFileSync(join(home, `${databaseName}-wal`), join(withWal, `${databaseName}-wal`))
    for (const [copy, size] of [[withWal, 401], [without, 400]] as const) {
      const store = value(openAuditStoreForReading(copy))
      expect(value(await store.verify())).toMatchObject({ holds: true, size })
      store.close()
    }
  })
})
