// The auditor's commands, each as a process of its own on what was built: export and merge, prove, witness, recall, history,
// backup and restore, redaction and pseudonyms, and every way in which they refuse.
import Database from 'better-sqlite3'
import { copyFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { unpack } from '../../main/bundle/unpack.ts'
import { closedHome, imageHash, keyHash, madeHome, runDrafts } from '../bundle/made.ts'
import { databaseName } from '../../main/store/database.ts'
import { newHome, release, storeIn, value } from '../store/fixture.ts'
import { document, expectRefusal, folder, run } from './command.ts'

/** An image that this log never heard of. */
const stranger = join(import.meta.dirname, '..', 'vectors', 'imgtool', 'images', 'rsa-3072.bin')
let home = ''
let place = ''

beforeAll(async () => {
  home = await closedHome()
  place = folder()
})
afterAll(release)

const cli = (...args: string[]) => run(args, { home, cwd: place })
const copyOf = (from = home) => {
  const copy = newHome()
  cpSync(from, copy, { recursive: true })
  return copy
}

describe('export', () => {
  test('a batch as a bundle that verifies, is noted in the log, and prints what it is', async () => {
    const result = await cli('log', 'export', 'last.zip', '--batch', 'last', '--json')
    const made = document<{ from: number; to: number; units: number; noted: number; sha256: string; batch: string }>(result)
    expect(made).toMatchObject({ batch: 'b2', units: 3 })
    expect(made.noted).toBeGreaterThanOrEqual(made.to)
    const files = value(unpack(readFileSync(join(place, 'last.zip'))))
    expect([...files.keys()]).toEqual(expect.arrayContaining(['report.html', 'entries.csv', 'keys/log-key.pub', 'openhtf/SN-b2-0.json']))
    const noted = document<{ kind: string; data: object }>(await cli('log', 'show', String(made.noted), '--json'))
    expect(noted).toMatchObject({ kind: 'export', data: { from: made.from, to: made.to - 1, fileSha256: made.sha256 } })
  })

  test('refuses unknown batches and empty ranges, makes no home, and leaves no file', async () => {
    expectRefusal(await cli('log', 'export', 'none.zip', '--batch', 'b99', '--json'), 'no-such-batch', /knows no batch/)
    expectRefusal(await cli('log', 'export', 'none.zip', '--since', '2099-01-01', '--json'), 'no-such-entry', /no entry/)
    const nowhere = join(place, 'nowhere')
    expectRefusal(await run(['log', 'export', 'none.zip', '--json'], { home: nowhere, cwd: place }), 'no-database', /no .*database/)
    expect(existsSync(nowhere)).toBe(false)
    expect(existsSync(join(place, 'none.zip'))).toBe(false)
  })

  test('beside a station that holds the log it works, and says what it could not note', async () => {
    const copy = copyOf()
    const store = storeIn(copy, { session: 's2' })
    const result = await run(['log', 'export', 'beside.zip', '--batch', 'b1', '--json'], { home: copy, cwd: place })
    expect(document(result)).toMatchObject({ noted: null, batch: 'b1' })
    expect(result.stderr).toContain('not noted')
    store.close()
  })
})

test('several stations’ bundles become one report; the same log twice does not', async () => {
  const other = await madeHome()
  other.store.close()
  await run(['log', 'export', 'other.zip', '--batch', 'b1'], { home: other.home, cwd: place })
  await cli('log', 'export', 'own.zip', '--batch', 'b1')
  const merged = document(await cli('log', 'merge', 'both.zip', 'own.zip', 'other.zip', '--what', 'Halls 1 and 2', '--json'))
  expect(merged).toMatchObject({ stations: 2, runs: 12, signedBy: null })
  const signed = document<{ signedBy: string }>(await run(['log', 'merge', 'signed.zip', 'own.zip', 'other.zip', '--sign', '--json'], { home: other.home, cwd: place }))
  expect(signed.signedBy).toMatch(/^slotwright\/log\//)
  expect(new TextDecoder().decode(value(unpack(new Uint8Array(readFileSync(join(place, 'signed.zip'))))).get('merged.note'))).toContain(`— ${signed.signedBy} `)
  expect(document(await run(['log', 'list', '--kind', 'export', '-n', '1', '--json'], { home: other.home, cwd: place }))).toMatchObject({ entries: [{ says: expect.stringContaining('signed.zip') as string }] })
  expectRefusal(await cli('log', 'merge', 'twice.zip', 'own.zip', 'own.zip', '--json'), 'same-log-twice', /same log/)
  writeFileSync(join(place, 'rubbish.zip'), 'rubbish')
  expectRefusal(await cli('log', 'merge', 'bad.zip', 'rubbish.zip', '--json'), 'bad-archive', /zip/)
})

test('verify with what the auditor brings: the key, and checkpoints that left the house', { timeout: 60_000 }, async () => {
  const home = await closedHome()
  const away = join(home, 'away')
  const stranger = join(home, 'stranger')
  mkdirSync(stranger)
  const others = join(await closedHome(), 'checkpoints')
  for (const name of readdirSync(others)) copyFileSync(join(others, name), join(stranger, name))
  // Whoever signs: what is signed goes to the folder that the home is set to.
  const signed = async (...args: string[]) => {
    expect((await run(['log', 'checkpoint', ...args], { home, cwd: place })).code).toBe(0)
    return existsSync(away) ? readdirSync(away, { recursive: true }).filter((name) => String(name).endsWith('.checkpoint')).length : 0
  }
  expect(await signed('--copy-to', away)).toBe(0)
  expect(await signed()).toBe(1)
  expect((await run(['log', 'export', join(home, 'x.zip'), '--no-pdf'], { home, cwd: place })).code).toBe(0)
  expect(await signed()).toBe(2)
  const [other, key] = [join(await closedHome(), 'log-key.pub'), join(home, 'log-key.pub')]
  const verify = (...args: string[]) => run(['log', 'verify', ...args], { home, cwd: place })
  expect(await verify('--key', key, '--checkpoint', away)).toMatchObject({ code: 0 })
  expect((await verify('--key', other)).code).toBe(1)
  expectRefusal(await verify('--checkpoint', stranger, '--json'), 'no-checkpoint', /of this log/)
  rmSync(join(home, 'checkpoints'), { recursive: true })
  expect((await verify('--key', key)).stdout).toContain('vouches for none of these entries')
  expect(await verify('--key', key, '--checkpoint', away)).toMatchObject({ code: 0 })
  const sql = new Database(join(home, databaseName))
  sql.exec('DROP TRIGGER entries_remain; DELETE FROM entries WHERE seq > 20')
  sql.close()
  expect((await verify('--checkpoint', away)).stdout).toContain('your checkpoint')
  expect((await verify('--checkpoint', join(home, 'nowhere'))).code).toBe(1)
})

test('prove writes a proof and its entry; an entry no checkpoint covers is refused', async () => {
  const proven = document<{ seq: number; proof: string; entry: string }>(await cli('log', 'prove', '5', '--json'))
  expect(readFileSync(proven.proof, 'utf8')).toMatch(/^c2sp\.org\/tlog-proof@v1\nindex 5\n/)
  expect((await cli('log', 'show', '5', '--raw')).stdout).toBe(readFileSync(proven.entry, 'utf8'))
  expectRefusal(await cli('log', 'prove', '99999', '--json'), 'no-such-entry', /no entry/)
  const fresh = newHome()
  const store = storeIn(fresh)
  value(store.append({ kind: 'station-stopped', data: {} }))
  store.close()
  expectRefusal(await run(['log', 'prove', '0', '--json'], { home: fresh, cwd: place }), 'no-checkpoint', /checkpoint/)
  expect(document(await run(['log', 'checkpoint', '--json'], { home: fresh, cwd: place }))).toMatchObject({ size: 1 })
  expect(document(await run(['log', 'prove', '0', '--json'], { home: fresh, cwd: place }))).toMatchObject({ seq: 0 })
})

test('a witness cosigns a log that grew, again and again, and never one that was cut or rewritten', async () => {
  const station = copyOf()
  const key = readFileSync(join(station, 'log-key.pub'), 'utf8').trim()
  const at = (...args: string[]) => run(args, { home: station, cwd: place })
  const state = join(place, 'witness')
  const witness = (bundle: string, logKey = key) => run(['witness', bundle, '--log', logKey, '--name', 'audit.test/ada', '--state', state, '--out', 'cosigned.checkpoint', '--json'], { home: place, cwd: place })
  const old = copyOf(station)
  await at('log', 'export', 'w1.zip', '--batch', 'b1')
  const first = document<{ witness: string; size: number }>(await witness('w1.zip'))
  expect(first).toMatchObject({ before: null })
  expect(document(await at('log', 'checkpoint', '--add', 'cosigned.checkpoint', '--json'))).toEqual({ added: ['audit.test/ada'] })
  expect(document(await at('log', 'checkpoint', '--add', 'cosigned.checkpoint', '--json'))).toEqual({ added: [] })
  await at('log', 'export', 'w2.zip', '--batch', 'b1')
  expect(document(await witness('w2.zip'))).toMatchObject({ before: first.size })
  // The older copy goes its own way with the same key: a fork.
  const forked = storeIn(old, { session: 's9' })
  value(forked.appendAll(runDrafts('b9', 'SN-9', 'confirmed', 1)))
  value(forked.appendAll(runDrafts('b9', 'SN-10', 'confirmed', 1)))
  value(await forked.checkpoint())
  forked.close()
  await run(['log', 'export', 'forked.zip', '--batch', 'b9'], { home: old, cwd: place })
  const refused = await witness('forked.zip')
  expect(refused.code).toBe(1)
  expect(document<{ failure: { kind: string } }>(refused).failure.kind).toMatch(/log-forked|no-consistency/)
  const other = await madeHome()
  other.store.close()
  expect((await witness('w1.zip', readFileSync(join(other.home, 'log-key.pub'), 'utf8').trim())).code).toBe(1)
})

describe('recall', () => {
  test('names every unit that got the image, whether it ran, and whether it still does', async () => {
    const found = document<{ counts: object; units: { unit: string; ran: boolean; stillRuns: string }[] }>(await cli('recall', '--image', imageHash.slice(0, 12), '--json'))
    expect(found.counts).toEqual({ yes: 13, no: 1, unknown: 1 })
    const by = new Map(found.units.map((unit) => [unit.unit, unit]))
    expect(by.get('SN-b1-0')).toMatchObject({ ran: true, stillRuns: 'yes' })
    expect(by.get('SN-b1-3')).toMatchObject({ ran: true, stillRuns: 'no' })
    expect(by.get('SN-b1-5')).toMatchObject({ ran: false })
    expect(document<{ units: object[] }>(await cli('recall', '--key', keyHash, '--still', '--json')).units).toHaveLength(14)
  })

  test('refuses what it does not know, what is no hash, and two questions at once', async () => {
    expectRefusal(await cli('recall', '--image', 'f'.repeat(64), '--json'), 'no-such-image', /knows no image/)
    expectRefusal(await cli('recall', '--image', 'xyz', '--json'), 'bad-hash', /no hash/)
    expect((await cli('recall', '--image', imageHash, '--key', keyHash)).code).toBe(2)
    expect((await cli('recall')).code).toBe(2)
    expectRefusal(await cli('recall', 'abc', '--json'), 'bad-hash', /no hash, no file here and no key's name.*64 digits/)
    expectRefusal(await cli('recall', 'ffffffff', '--json'), 'no-such-image', /no image, key or package/)
    expect((await cli('recall', '--package', stranger)).stderr).toContain('is an image: give it with --image')
  })

  test('takes what is in somebody’s hand: digits of any hash, the file, the key’s name', async () => {
    const unitsOf = async (...args: string[]) => document<{ units: object[] }>(await cli('recall', ...args, '--json')).units.length
    expect(await unitsOf(imageHash.slice(0, 12))).toBe(15)
    expect(await unitsOf(keyHash)).toBe(15)
    expect(await unitsOf('line')).toBe(15)
    expect(await unitsOf('--key', 'line')).toBe(15)
    const none = await cli('recall', stranger)
    expect(none).toMatchObject({ code: 1 })
    expect(none.stderr).toMatch(/knows no image [0-9a-f]{64}/)
    expect((await cli('recall', 'line', '--csv', 'who.csv')).stdout).toContain(`${join(place, 'who.csv')}: 15 units.`)
  })

  test('a serial number in the wrong case is met with the right one', async () => {
    expect((await cli('history', 'sn-b1-3')).stderr).toContain('It knows SN-b1-3')
  })

  test('history tells the signature behind a unit’s image too', async () => {
    const { entries } = document<{ entries: { kind: string }[] }>(await cli('history', 'SN-b1-0', '--json'))
    expect(entries[0]?.kind).toBe('image-signed')
    expect(entries.at(-1)?.kind).toBe('outcome')
  })
})

test('search by person, time, key and outcome', async () => {
  const total = async (...args: string[]) => document<{ total: number }>(await cli('log', 'list', '--json', ...args)).total
  expect(await total('--outcome', 'reverted')).toBe(1)
  expect(await total('--key', keyHash)).toBe(4)
  expect(await total('--person', 'Nobody')).toBe(0)
  expect(await total('--until', '2026-03-01T08:00:02')).toBeLessThan(await total('--since', '2026-03-01T08:00:02'))
})

test('backup beside a running station, restore into an empty home, and a log is never overwritten', async () => {
  const copy = copyOf()
  const running = storeIn(copy, { session: 's2' })
  value(running.append({ kind: 'station-stopped', data: {} }))
  const backedUp = document<{ size: number }>(await run(['log', 'backup', 'saved', '--json'], { home: copy, cwd: place }))
  expect(backedUp.size).toBe(value(running.head()).size)
  running.close()
  expect(existsSync(join(place, 'saved', 'log-key.pem'))).toBe(false)
  expectRefusal(await run(['log', 'backup', 'saved', '--json'], { home: copy, cwd: place }), 'folder-exists', /exists already/)
  expectRefusal(await run(['log', 'restore', 'saved', '--json'], { home: copy, cwd: place }), 'home-has-log', /never overwritten/)
  const fresh = join(place, 'fresh')
  expect(document(await run(['log', 'restore', 'saved', '--json'], { home: fresh, cwd: place }))).toMatchObject({ size: backedUp.size })
  expect(document(await run(['log', 'verify', '--json'], { home: fresh, cwd: place }))).toMatchObject({ holds: true, size: backedUp.size + 1 })
})

test('redaction of all a person’s names: gone from the list, and the log still holds', async () => {
  const copy = copyOf()
  const at = (...args: string[]) => run(args, { home: copy, cwd: place })
  expectRefusal(await at('log', 'redact', '99999', '--because', 'x', '--json'), 'no-such-entry', /no entry/)
  expect((await at('log', 'redact', '5')).code).toBe(2)
  const done = document<{ redacted: number[] }>(await at('log', 'redact', '--of-person', 'Ada', '--because', 'She left.', '--json'))
  expect(done.redacted.length).toBeGreaterThan(100)
  expect(readFileSync(join(copy, 'slotwright.db')).includes('"Ada"')).toBe(false)
  const verdict = document<{ holds: boolean; says: string; redacted: number[] }>(await at('log', 'verify', '--json'))
  expect(verdict).toMatchObject({ holds: true })
  expect(verdict.says).toContain('redacted')
})

test('pseudonyms: names stay out of the log from then on, and a forgotten one is nobody’s', async () => {
  const copy = copyOf()
  const at = (...args: string[]) => run(args, { home: copy, cwd: place })
  expect(document(await at('log', 'people', '--pseudonyms', 'on', '--json'))).toMatchObject({ on: true })
  const store = storeIn(copy, { session: 's2' })
  const first = value(store.append({ kind: 'sign-in', person: 'Grace Hopper', role: 'operator', data: { method: 'badge' } }))
  const second = value(store.append({ kind: 'sign-out', person: 'Grace Hopper', role: 'operator', data: {} }))
  const changed = value(store.append({ kind: 'settings', person: 'Grace Hopper', data: { name: 'person', before: 'Ada', after: 'Grace Hopper' } }))
  store.close()
  expect(first.person).toMatch(/^person-[0-9a-f]{8}$/)
  expect(second.person).toBe(first.person)
  expect(JSON.stringify(changed)).not.toMatch(/Grace|Ada/)
  const people = document<{ people: Record<string, string> }>(await at('log', 'people', '--json')).people
  expect(people['Grace Hopper']).toBe(first.person)
  await at('log', 'people', '--forget', 'Grace Hopper')
  expect(readFileSync(join(copy, 'people.json'), 'utf8')).not.toContain('Grace')
  writeFileSync(join(copy, 'people.json'), '{')
  expectRefusal(await at('log', 'checkpoint', '--json'), 'bad-people', /names would go into the log/)
})
