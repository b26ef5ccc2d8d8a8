// The stand-alone verifier as an auditor has it: one file, plain Node, no package beside it. It is built here and copied
// away from the project before it runs.
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { zipSync } from 'fflate'
import { unpack } from '../../main/bundle/unpack.ts'
import { cosign, noteKey, noteKeyText } from '../../main/log/checkpoint.ts'
import { derivedTables } from '../../main/log/derived.ts'
import { tlogProofText } from '../../main/log/tlogproof.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { openLogKey } from '../../main/store/logkey.ts'
import { schemaVersion } from '../../main/store/schema.ts'
import { checkDatabase, knownVersions } from '../../main/verifier/database.ts'
import { strangeIn } from '../../main/verifier/schema.ts'
import { openSqlite } from '../../main/log/sqlite-file.ts'
import { buildVerifier } from '../../scripts/setup/verifier.mjs'
import { newHome, outcomeDraft, release, storeIn, value } from '../store/fixture.ts'
import { bundleOf, madeHome } from '../bundle/made.ts'
import type { Made } from '../bundle/made.ts'
import { version } from '../../package.json'

let folder = ''
let program = ''
let made: Made
let bundle = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-verifier-'))
  await buildVerifier(join(folder, 'built'))
  mkdirSync(join(folder, 'auditor'))
  program = join(folder, 'auditor', 'slotwright-verify.js')
  copyFileSync(join(folder, 'built', 'slotwright-verify.js'), program)
  made = await madeHome()
  await bundleOf(made, {}, { version })
  bundle = join(made.home, 'bundle.zip')
}, 60_000)
afterAll(() => {
  release()
  rmSync(folder, { recursive: true, force: true })
})

type Ran = Readonly<{ code: number; out: string; err: string }>

function run(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: join(folder, 'auditor'), env: { PATH: process.env['PATH'], ELECTRON_RUN_AS_NODE: '1' } }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err })
    })
  })
}

const logKey = () => join(made.home, 'log-key.pub')
const json = (ran: Ran) => JSON.parse(ran.out) as { holds: boolean; firstWrong: number | null; findings: { is: string; says: string }[] }

describe('a bundle', () => {
  test('holds with the key from outside, exit 0, and every line says so', async () => {
    const ran = await run(bundle, '--key', logKey())
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out.trim().split('\n').at(-1)).toBe('The bundle holds.')
    expect(ran.out).not.toMatch(/BROKEN|note/)
    expect(json(await run(bundle, '--json', '--key', readFileSync(logKey(), 'utf8').trim()))).toMatchObject({ holds: true, firstWrong: null })
  })

  test('with one byte changed does not: exit 1, and what is wrong is said', async () => {
    const changed = join(folder, 'changed.zip')
    const zip = readFileSync(bundle)
    zip[zip.length >> 1] = (zip[zip.length >> 1] ?? 0) ^ 1
    writeFileSync(changed, zip)
    const ran = await run(changed, '--key', logKey())
    expect(ran.code).toBe(1)
    expect(ran.out + ran.err).toMatch(/BROKEN|damaged/)
  })

  test('a file that is no bundle, and a bundle that was unpacked, are called that and not damaged', async () => {
    const mistakes = join(folder, 'mistakes')
    mkdirSync(mistakes)
    writeFileSync(join(mistakes, 'report.pdf'), '%PDF-1.4')
    writeFileSync(join(mistakes, 'none.zip'), '')
    for (const [name, bytes] of value(unpack(readFileSync(bundle)))) if (!name.includes('/')) writeFileSync(join(mistakes, name), bytes)
    expect((await run(join(mistakes, 'report.pdf'))).err).toContain('report.pdf is no audit bundle. Give the .zip')
    expect((await run(join(mistakes, 'none.zip'))).err).toContain('none.zip is no audit bundle')
    expect((await run(join(mistakes, 'entries.jsonl'))).err).toContain('It is a part of one.')
    expect(await run(mistakes)).toMatchObject({ code: 1, err: expect.stringContaining('an audit bundle that was unpacked') as string })
    expect((await run(folder)).err).toContain('is no station\'s home')
  })

  test('under another log’s key does not', async () => {
    const other = await madeHome()
    expect(await run(bundle, '--key', join(other.home, 'log-key.pub'))).toMatchObject({ code: 1 })
  })
})

describe('what an auditor brings along', () => {
  /** Another log under the same key: what a station writes that wants an old one forgotten. */
  async function rewritten(units: number, unit = 'u'): Promise<{ home: string; store: AuditStore }> {
    const home = newHome()
    for (const name of ['log-key.pem', 'log-key.pub']) copyFileSync(join(made.home, name), join(home, name))
    const store = storeIn(home)
    value(store.appendAll(Array.from({ length: units }, (_, i) => outcomeDraft(`${unit}${i}`))))
    value(await store.checkpoint())
    return { home, store }
  }
  const said = (ran: Ran) => ran.out + ran.err

  test('a key, and a home that nothing signed vouches for', async () => {
    const { home, store } = await rewritten(30)
    store.close()
    expect(await run(home, '--key', logKey())).toMatchObject({ code: 0 })
    rmSync(join(home, 'checkpoints'), { recursive: true })
    const ran = await run(home, '--key', logKey())
    expect(ran.code).toBe(1)
    expect(said(ran)).toContain('vouches for none of these entries')
  })

  test('a checkpoint taken away earlier: a log that was rewritten, or replayed whole with its checkpoints, does not continue it', async () => {
    const { home, store } = await rewritten(30)
    const kept = join(folder, 'kept')
    mkdirSync(kept)
    const early = join(kept, 'early.checkpoint')
    writeFileSync(early, value(await store.checkpoint()).note)
    store.tidy()
    const old = newHome()
    cpSync(home, old, { recursive: true })
    value(store.appendAll([outcomeDraft('one more')]))
    writeFileSync(join(kept, 'late.checkpoint'), value(await store.checkpoint()).note)
    store.close()
    const honest = await run(home, '--key', logKey(), '--checkpoint', kept)
    expect(honest, said(honest)).toMatchObject({ code: 0 })
    expect(await run(old, '--key', logKey())).toMatchObject({ code: 0 })
    const replayed = await run(old, '--key', logKey(), '--checkpoint', kept)
    expect(replayed.code).toBe(1)
    expect(said(replayed)).toContain('was signed over 31: entries were removed')
    mkdirSync(join(kept, 'another'))
    const another = await madeHome()
    for (const name of readdirSync(join(another.home, 'checkpoints'))) copyFileSync(join(another.home, 'checkpoints', name), join(kept, 'another', name))
    expect(await run(home, '--key', logKey(), '--checkpoint', kept), 'a folder of several stations').toMatchObject({ code: 0 })
    const none = await run(bundle, '--checkpoint', join(kept, 'another'))
    expect(none.code).toBe(1)
    expect(said(none)).toContain('is of this log')
    const other = await rewritten(60, 'v')
    other.store.close()
    expect(await run(other.home, '--key', logKey(), '--checkpoint', early)).toMatchObject({ code: 1 })
    const stranger = await madeHome()
    expect(said(await run(stranger.home, '--checkpoint', early))).toContain('cannot be trusted')
  })

  test('a checkpoint, held against a bundle: over the same entries, older, within its range, younger, and of a rewritten log', async () => {
    const all = [...readdirSync(join(made.home, 'checkpoints'))].sort()
    const at = (name: string) => join(made.home, 'checkpoints', name)
    for (const name of all) {
      const ran = await run(bundle, '--key', logKey(), '--checkpoint', at(name))
      expect(ran, said(ran)).toMatchObject({ code: 0 })
      expect(said(ran)).toContain('The log continues your checkpoint')
    }
    const forged = await rewritten(200)
    value(await bundleOf({ ...made, ...forged }, { from: 0, to: 200, what: 'The whole log', batch: null }, { version }).then(() => null))
    const forgedBundle = join(forged.home, 'bundle.zip')
    expect(await run(forgedBundle, '--key', logKey())).toMatchObject({ code: 0 })
    const caught = await run(forgedBundle, '--key', logKey(), '--checkpoint', at(all[0] ?? ''))
    expect(caught.code).toBe(1)
    expect(said(caught)).toMatch(/BROKEN .*your checkpoint/)
    const young = join(forged.home, 'checkpoints', '000000000200.checkpoint')
    expect(said(await run(bundle, '--key', logKey(), '--checkpoint', young))).toContain('nothing in it leads from the one to the other')
    expect(await run(bundle, '--checkpoint', join(folder, 'nowhere'))).toMatchObject({ code: 2 })
  })

  test('a witness, of a home: its word is looked for, never passed over', async () => {
    const { home, store } = await rewritten(20)
    const signer = value(openLogKey(newHome()))
    const witness = value(noteKey('audit.example.com/ada', signer.publicKey, 'cosignature'))
    const { note, path } = value(await store.checkpoint())
    store.close()
    const missing = await run(home, '--witness', noteKeyText(witness))
    expect(missing.code).toBe(1)
    expect(said(missing)).toContain('has cosigned none of the checkpoints')
    writeFileSync(path, `${note}${value(await cosign(note.slice(0, note.indexOf('\n\n') + 1), witness.name, signer, 1_770_000_000))}`)
    const ran = await run(home, '--witness', noteKeyText(witness))
    expect(ran, said(ran)).toMatchObject({ code: 0 })
    expect(said(ran)).toContain('cosigned the log over 20 entries at 2026-02-02T')
  })

  test('entries after the newest checkpoint are told as vouched for by nothing yet', async () => {
    const { home, store } = await rewritten(10)
    value(store.appendAll([outcomeDraft('late')]))
    store.close()
    expect(said(await run(home, '--key', logKey()))).toContain('Entries 10 to 10 came after the newest checkpoint')
  })

  test('nothing but trust in the entries: the report is made anew, and an edited one shows', async () => {
    const files = value(unpack(readFileSync(bundle)))
    const honest = await run(bundle, '--key', logKey(), '--report')
    expect(honest.code).toBe(0)
    expect(honest.out).toBe(new TextDecoder().decode(files.get('report.html')))
    const edited = join(folder, 'edited.zip')
    writeFileSync(edited, zipSync({ ...Object.fromEntries(files), 'report.html': Buffer.from('<h1>all good</h1>') }))
    const ran = await run(edited, '--key', logKey(), '--report')
    expect(ran.code).toBe(1)
    expect(ran.out).toBe(honest.out)
    expect(await run(made.home, '--report')).toMatchObject({ code: 2, out: '' })
  })
})

describe('a database whose own description was changed', () => {
  const strange = (change: string): string[] => {
    const home = newHome()
    const store = storeIn(home)
    value(store.append(outcomeDraft('u')))
    store.close()
    const path = join(home, databaseName)
    const sql = new Database(path)
    sql.unsafeMode(true)
    sql.pragma('writable_schema = ON')
    sql.exec(change)
    sql.close()
    const bytes = readFileSync(path)
    return strangeIn(openSqlite((offset, length) => bytes.subarray(offset, offset + length), null))
  }

  test('an honest one, new or of an older version, is as it should be', () => {
    expect(strange('SELECT 1')).toEqual([])
  })

  test.each([
    ['an order that SQLite reads otherwise', "UPDATE sqlite_schema SET sql = replace(sql, 'seq INTEGER PRIMARY KEY,', 'seq INTEGER PRIMARY KEY DESC,') WHERE name = 'entries'"],
    ['two columns that changed names', "UPDATE sqlite_schema SET sql = replace(replace(replace(sql, 'unit TEXT', 'x TEXT'), 'batch TEXT', 'unit TEXT'), 'x TEXT', 'batch TEXT') WHERE name = 'entries'"],
    ['a comment', "UPDATE sqlite_schema SET sql = replace(sql, 'unit TEXT', '/* , */ unit TEXT') WHERE name = 'outcomes'"],
    ['a trigger that works while the station writes', "CREATE TRIGGER t AFTER INSERT ON outcomes BEGIN UPDATE outcomes SET outcome = 'confirmed'; END"],
    ['a view', 'CREATE VIEW v AS SELECT 1'],
    ['a guard gone', 'DROP TRIGGER entries_stay'],
  ])('%s', (_name, change) => {
    expect(strange(change)).toHaveLength(1)
  })
})

test('the verifier reads every version of the database that a station writes', () => {
  expect(knownVersions).toBe(schemaVersion)
})

describe('a home', () => {
  test('holds, closed or with its station at work, and not a byte of it is written', async () => {
    const before = readdirSync(made.home, { recursive: true }).map((name) => [name, statSync(join(made.home, String(name))).mtimeMs])
    expect(existsSync(join(made.home, `${databaseName}-wal`))).toBe(true)
    const open = json(await run(made.home, '--json', '--key', logKey()))
    expect(open, JSON.stringify(open.findings)).toMatchObject({ holds: true })
    expect(readdirSync(made.home, { recursive: true }).map((name) => [name, statSync(join(made.home, String(name))).mtimeMs])).toEqual(before)
    const copy = newHome()
    const store = storeIn(copy)
    value(store.appendAll(Array.from({ length: 900 }, (_, i) => outcomeDraft(`u${i}`, { says: 'x'.repeat(i % 900) }))))
    value(await store.checkpoint())
    store.close()
    const closed = await run(join(copy, databaseName))
    expect(closed.code, closed.out + closed.err).toBe(0)
    expect(closed.out).toContain('All 900 entries hold')
  })

  test('tampered with: exit 1 and the first wrong entry', async () => {
    const copy = newHome()
    made.store.tidy()
    cpSync(made.home, copy, { recursive: true })
    const sql = new Database(join(copy, databaseName))
    sql.exec("DROP TRIGGER entries_stay; UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), 'Ada', 'Eve') AS BLOB) WHERE seq = 31")
    sql.close()
    expect(json(await run(copy, '--json'))).toMatchObject({ holds: false, firstWrong: 31 })
    const other = newHome()
    cpSync(made.home, other, { recursive: true })
    const second = new Database(join(other, databaseName))
    second.exec("UPDATE outcomes SET outcome = 'confirmed' WHERE outcome = 'reverted'")
    second.close()
    expect(json(await run(other, '--json')).holds).toBe(false)
  })
})

describe('one proof', () => {
  test('vouches for its entry, and for no other', async () => {
    const [entry, proof] = [join(folder, 'entry.json'), join(folder, 'one.tlog-proof')]
    const bytes = made.store.database.sql.prepare('SELECT bytes FROM entries WHERE seq = 20').pluck().get() as Uint8Array
    const note = value(await made.store.checkpoint()).note
    writeFileSync(proof, tlogProofText({ index: 20, hashes: value(made.store.proveInclusion(20, value(made.store.head()).size)), checkpoint: note }))
    writeFileSync(entry, Buffer.concat([bytes, Buffer.from('\n')]))
    expect(await run(proof, '--entry', entry, '--key', logKey())).toMatchObject({ code: 0 })
    writeFileSync(entry, Buffer.from(bytes).toString().replace('Ada', 'Eve'))
    expect(await run(proof, '--entry', entry, '--key', logKey())).toMatchObject({ code: 1 })
    expect(await run(proof, '--key', logKey())).toMatchObject({ code: 2 })
  })
})

test.each([[[]], [['no-such-file.zip']], [['--nonsense', 'x']], [['x', '--key']], [['x', '--key', 'rubbish']], [['a', 'b']]])('wrong usage %j is one sentence and no stack', async (args) => {
  const ran = await run(...args)
  expect(ran.code).toBeGreaterThan(0)
  expect(ran.err).toMatch(/^slotwright-verify: .+/)
  expect(ran.err).not.toContain('    at ')
})

test('the page is one file without network, and its program starts', () => {
  const page = readFileSync(join(folder, 'built', 'verify.html'), 'utf8')
  expect(page).toContain("default-src 'none'")
  expect(page).not.toMatch(/<(?:script|link|img)[^>]+(?:src|href)=/)
  const script = page.slice(page.indexOf('<script>') + 8, page.lastIndexOf('</script>'))
  expect(script).not.toContain('</script')
  const heard: string[] = []
  const element = () => ({ addEventListener: (name: string) => heard.push(name), classList: {}, textContent: '' })
  runInNewContext(script, { document: { getElementById: element }, TextEncoder, TextDecoder, Uint8Array, ArrayBuffer, URL, setTimeout, atob, btoa })
  expect(heard).toEqual(['dragover', 'dragleave', 'drop', 'change'])
})

describe('the reader of SQLite files', () => {
  const files = (path: string) => {
    const bytes = new Uint8Array(readFileSync(path))
    const wal = existsSync(`${path}-wal`) ? new Uint8Array(readFileSync(`${path}-wal`)) : null
    return { read: (offset: number, length: number) => bytes.subarray(offset, offset + length), wal }
  }
  const rowsBy = (sql: Database.Database, table: string) => (sql.prepare(`SELECT * FROM ${table}`).all() as Record<string, unknown>[]).map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, Buffer.isBuffer(cell) ? new Uint8Array(cell) : cell])))

  test('reads every row of every table as SQLite does, overflow pages and write-ahead log included', () => {
    const home = newHome()
    const store = storeIn(home)
    value(store.appendAll(Array.from({ length: 3_000 }, (_, i) => outcomeDraft(`u${i}`, { says: 'ü'.repeat(i % 500) }))))
    store.tidy()
    value(store.appendAll(Array.from({ length: 40 }, (_, i) => outcomeDraft(`late${i}`, { says: 'x'.repeat(1000) }))))
    const { read, wal } = files(join(home, databaseName))
    expect(wal?.length).toBeGreaterThan(1_000)
    const mine = openSqlite(read, wal)
    for (const table of ['entries', 'nodes', 'head', 'settings', ...derivedTables.map(({ table: name }) => name)]) {
      expect([...mine.rows(table)], table).toEqual(rowsBy(store.database.sql, table))
    }
    // Torn off anywhere, the write-ahead log gives a commit that was whole.
    for (const cut of [0, 31, 40, 5_000]) expect([...openSqlite(read, (wal ?? new Uint8Array(0)).subarray(0, cut)).rows('entries')]).toHaveLength(3_000)
  })

  test('any table any program writes: sizes of pages, integers of all widths, reals, blobs', () => {
    fc.assert(fc.property(fc.constantFrom(512, 1024, 4096, 65_536), fc.array(fc.tuple(fc.oneof(fc.integer(), fc.maxSafeInteger()), fc.string({ unit: 'grapheme', maxLength: 3_000 }), fc.uint8Array({ maxLength: 3_000 }), fc.option(fc.double({ noNaN: true }))), { maxLength: 40 }), (pageBytes, rows) => {
      const path = join(mkdtempSync(join(folder, 'sql-')), 'x.db')
      const sql = new Database(path)
      sql.pragma(`page_size = ${pageBytes}`)
      sql.exec('CREATE TABLE one (id INTEGER PRIMARY KEY, a INTEGER, b TEXT, c BLOB, d REAL)')
      const insert = sql.prepare('INSERT INTO one (a, b, c, d) VALUES (?, ?, ?, ?)')
      for (const [a, b, c, d] of rows) insert.run(a, b.replaceAll('\u0000', ''), Buffer.from(c), d)
      const expected = rowsBy(sql, 'one')
      sql.close()
      const { read, wal } = files(path)
      // A real that is a whole number is stored as an integer; -0 and 0 are one number to us.
      expect([...openSqlite(read, wal).rows('one')].map((row) => ({ ...row, d: row['d'] === 0 ? 0 : row['d'] }))).toEqual(expected.map((row) => ({ ...row, d: row['d'] === 0 ? 0 : row['d'] })))
    }), { numRuns: 25 })
  })

  test('a file with any bytes changed gives a verdict or a refusal, never an endless walk or a crash', async () => {
    const home = newHome()
    const store = storeIn(home)
    value(store.appendAll(Array.from({ length: 300 }, (_, i) => outcomeDraft(`u${i}`))))
    store.close()
    const honest = new Uint8Array(readFileSync(join(home, databaseName)))
    await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(honest.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }), async (changes) => {
      const bytes = honest.slice()
      for (const [at, to] of changes) bytes[at] = to
      await checkDatabase({ read: (offset, length) => bytes.subarray(offset, offset + length), wal: null, checkpoints: new Map() }, { key: null })
    }), { numRuns: 120, examples: [[[[129_742, 171], [1_065, 0]]]] })
  })
})
