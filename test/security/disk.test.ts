// What lies on the station's disk, as others who use the same machine can reach it: a home that somebody made with open
// doors still shows nobody the log, the PIN hashes or a key, a link laid where a file is going to be written leads nothing
// astray, and a database that was changed to hold the station up is not read.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import type { FactoryEvent } from '../../main/factory/event.ts'
import { fileNameOf, openFolder } from '../../main/factory/folder.ts'
import { saveAndNote } from '../../main/station/saving.ts'
import { hasAccounts } from '../../main/store/accounts.ts'
import { databaseName, openDatabase, openDatabaseForReading } from '../../main/store/database.ts'
import { openSnapshot } from '../../main/store/snapshot.ts'
import { Line } from '../scenarios/simulation.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-disk-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'opened')

test('a home that was made with open doors shows others no log, no PIN hash and no key', async () => {
  const before = process.umask(0o022)
  try {
    // Line opens it in a folder that is there already, as whoever typed mkdir leaves it.
    chmodSync(folder, 0o755)
    const line = await Line.open({ seed: 1, boards: 1, home: folder })
    await line.station.generateKey({ name: 'release', algorithm: 'ed25519', class: 'production', passphrase: 'a passphrase' })
    await line.station.addPerson({ name: 'Ada', roles: ['administrator'], pin: '93581' })
    const open = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
      .filter((path) => (statSync(path).mode & 0o077) !== 0 && !closedAbove(path)).map((path) => relative(folder, path))
    expect(open.filter((name) => !/^(practice\/|log-key\.pub$)/.test(name))).toEqual([])
    expect(existsSync(join(folder, databaseName))).toBe(true)
    await line.close()
  } finally {
    process.umask(before)
  }

  /** In a folder that nobody else may enter. */
  function closedAbove(path: string): boolean {
    const parts = relative(folder, path).split('/').slice(0, -1)
    return parts.some((_, i) => (statSync(join(folder, ...parts.slice(0, i + 1))).mode & 0o077) === 0)
  }
})

describe('a file that is saved', () => {
  test('does not go through a link that was laid under its name, nor under that of its beginning', async () => {
    const victim = join(folder, 'victim')
    const target = join(folder, 'report.html')
    writeFileSync(victim, 'mine')
    symlinkSync(victim, target)
    for (const guess of [`${target}.${process.pid}.part`, `${target}.part`, `${target}.new`]) symlinkSync(victim, guess)
    expect(kindOf(await saveAndNote(null, 'a report', target, utf8('new')))).toBe('opened')
    expect(readFileSync(victim, 'utf8')).toBe('mine')
    expect(readFileSync(target, 'utf8')).toBe('new')
  })
})

test('an event for a shared folder does not go through a link that was laid under its name', async () => {
  const victim = join(folder, 'victim')
  const shared = join(folder, 'shared')
  mkdirSync(shared)
  writeFileSync(victim, 'mine')
  const event: FactoryEvent = { id: 'ab'.repeat(32), type: 'run.ended', timestamp: '2026-01-01T00:00:00.000Z', station: 'Line 3', entry: 1, person: '', kind: 'outcome', data: { unit: 'A' } }
  for (const name of [fileNameOf(event), `.${fileNameOf(event)}.new`]) symlinkSync(victim, join(shared, name))
  expect(await openFolder(shared).deliver(event, new AbortController().signal)).toBeNull()
  expect(readFileSync(victim, 'utf8')).toBe('mine')
  expect(JSON.parse(readFileSync(join(shared, fileNameOf(event)), 'utf8'))).toEqual(event)
})

describe('a database that somebody changed', () => {
  const changes: [string, string][] = [
    ['a view without end in the place of a table', 'ALTER TABLE entries RENAME TO kept; CREATE VIEW entries AS WITH RECURSIVE n(seq) AS (SELECT 0 UNION ALL SELECT seq + 1 FROM n) SELECT n.seq, kept.bytes, kept.leaf, kept.kind FROM n, kept'],
    ['a trigger', "CREATE TRIGGER evil AFTER INSERT ON entries BEGIN DELETE FROM accounts; END"],
    ['a computed column', 'CREATE TABLE evil (a, b GENERATED ALWAYS AS (hex(zeroblob(1e8))))'],
    ['an accounts table made by a query', 'DROP TABLE accounts; CREATE VIEW accounts AS SELECT 1 AS id, 2 AS body'],
  ]

  test.each(changes)('with %s is refused by the station, the command line and the auditor, at once', async (_what, change) => {
    const made = openDatabase(folder)
    if (made instanceof Failure) throw new Error(made.says)
    made.close()
    const sql = new Database(join(folder, databaseName))
    sql.exec(change)
    sql.close()
    const before = performance.now()
    expect(kindOf(openDatabase(folder))).toBe('not-our-database')
    expect(kindOf(openDatabaseForReading(folder))).toBe('not-our-database')
    expect(kindOf(await openSnapshot(folder))).toBe('not-our-database')
    expect(kindOf(hasAccounts(folder))).toBe('not-our-database')
    expect(performance.now() - before).toBeLessThan(10_000)
  })
})
