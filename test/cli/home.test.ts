// Homes and databases that cannot be used. Whatever is wrong, nothing in the home is changed by finding out.
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { beforeAll, expect, test } from 'vitest'
import { document, expectRefusal, folder, run } from './command.ts'

const dir = folder()
const good = join(dir, 'good')
const at = (name: string) => join(dir, name)

beforeAll(async () => {
  writeFileSync(at('app.bin'), new Uint8Array(5000).fill(9))
  await run(['keygen', '--type', 'ed25519', '--out', at('test.pem'), '--no-passphrase'], { home: good })
  for (let i = 0; i < 5; i++) await run(signing(at(`${i}.img`)), { home: good })
  expect(document(await run(['log', 'verify', '--json'], { home: good }))).toMatchObject({ holds: true, size: 6 })
})

function signing(output: string): string[] {
  return ['sign', at('app.bin'), output, '-k', at('test.pem'), '-v', '1.0.0', '-H', '0x200', '--pad-header', '-S', '0x10000', '--json']
}

/** A home of its own with the good home's contents. */
function copied(name: string): { home: string; database: string } {
  const home = at(name)
  cpSync(good, home, { recursive: true })
  return { home, database: join(home, 'slotwright.db') }
}

const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

/** Commands that write to the log, and one that only reads it. */
const provisioning = ['provision', at('0.img'), '--ports', dir, '--wait', '0', '--json']
const verifying = ['log', 'verify', '--json']

test('a home that cannot be written: a file stands where a folder should be', async () => {
  writeFileSync(at('a-file'), 'mine')
  const home = join(at('a-file'), 'home')
  for (const args of [signing(at('out.img')), provisioning, ['practice', '--dir', at('line'), '--json'], ['keygen', '-t', 'ed25519', '-o', at('out.pem'), '--no-passphrase', '--json']]) {
    expectRefusal(await run(args, { home }), 'home-not-writable', /a-file.*--home/s)
  }
  expect(readFileSync(at('a-file'), 'utf8')).toBe('mine')
  expect([at('out.img'), at('out.pem')].filter(existsSync)).toEqual([])
})

test('a database of a newer version is left alone, and the sentence names both versions', async () => {
  const { home, database } = copied('newer')
  const sql = new Database(database)
  sql.pragma('user_version = 999')
  sql.close()
  const before = digest(database)
  for (const args of [signing(at('out.img')), provisioning, verifying]) expectRefusal(await run(args, { home }), 'database-newer', /999.*newer Slotwright/s)
  expect(digest(database)).toBe(before)
  expect(existsSync(at('out.img'))).toBe(false)
})

test.each<[string, (database: string) => void]>([
  ['overwritten in the middle', (database) => {
    const bytes = readFileSync(database)
    bytes.fill(0xa5, 4096, bytes.length - 512)
    writeFileSync(database, bytes)
  }],
  ['cut in half', (database) => truncateSync(database, Math.floor(readFileSync(database).length / 2))],
  ['some other file', (database) => writeFileSync(database, 'This is a shopping list.\n'.repeat(400))],
])('a damaged database (%s): a sentence, exit 1, and not a byte of it changed', async (name, damage) => {
  const { home, database } = copied(name.replaceAll(' ', '-'))
  damage(database)
  const before = digest(database)
  for (const args of [signing(at('out.img')), provisioning, verifying, ['log', 'list', '--json']]) {
    expectRefusal(await run(args, { home }), 'database-damaged', /damaged.*backup/s)
  }
  expect(digest(database)).toBe(before)
  expect(existsSync(at('out.img'))).toBe(false)
})

test('somebody else\'s database is not taken over', async () => {
  const home = at('foreign')
  mkdirSync(home)
  const sql = new Database(join(home, 'slotwright.db'))
  sql.exec('CREATE TABLE recipes_of_grandmother (name TEXT)')
  sql.close()
  expectRefusal(await run(signing(at('out.img')), { home }), 'not-our-database', /another program/)
})

test('one entry changed behind the station\'s back: verify names it, exit 1, with and without --json', async () => {
  const { home, database } = copied('tampered')
  const sql = new Database(database)
  // Whoever can write the file can also remove what guards it.
  for (const name of sql.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").pluck().all() as string[]) sql.exec(`DROP TRIGGER "${name}"`)
  sql.exec('UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), \'1.0.0\', \'9.9.9\') AS BLOB) WHERE seq = 3')
  sql.close()
  const result = await run(verifying, { home })
  expect(result.code).toBe(1)
  expect(document(result)).toMatchObject({ holds: false, firstWrong: 3 })
  const words = await run(['log', 'verify'], { home })
  expect(words).toMatchObject({ code: 1, stdout: expect.stringContaining('entry 3') as string })
})

test('a home that never had a log is named as such and is not made by looking', async () => {
  expectRefusal(await run(verifying, { home: at('never') }), 'no-database', /no log in .*never/)
  expect(existsSync(at('never'))).toBe(false)
})

test('a home held by another station: reading goes on, signing says who is in the way', async () => {
  const { home } = copied('held')
  const lock = new Database(join(home, 'slotwright.lock'))
  lock.exec('BEGIN EXCLUSIVE')
  const [list, sign] = await Promise.all([run(['log', 'list', '--json'], { home }), run(signing(at('out.img')), { home })])
  lock.close()
  expect(document(list)).toMatchObject({ total: 6 })
  expectRefusal(sign, 'database-locked', /Another Slotwright/)
  expect(existsSync(at('out.img'))).toBe(false)
  expect(readdirSync(dir).filter((name) => name.startsWith('.out'))).toEqual([])
}, 30_000)

test('log list filters and pages, log show prints one entry, and a number too high says how many there are', async () => {
  const page = document<{ entries: { seq: number }[]; total: number }>(await run(['log', 'list', '-n', '2', '--before', '4', '--json'], { home: good }))
  expect(page).toMatchObject({ entries: [{ seq: 3 }, { seq: 2 }] })
  expect(document(await run(['log', 'list', '--kind', 'key-created', '--json'], { home: good }))).toMatchObject({ total: 1 })
  expect(document(await run(['log', 'show', '0', '--json'], { home: good }))).toMatchObject({ seq: 0, kind: 'key-created' })
  expectRefusal(await run(['log', 'show', '600', '--json'], { home: good }), 'no-such-entry', /has 6 entries/)
})
