// The station as its clients meet it: how it opens and refuses to, the desk, the keys, the settings, and arguments that no
// client should send. Ports are simulated away; the database, the files and the keys are real.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Failure, failed } from '../../main/base/failure.ts'
import { methods } from '../../main/contract/api.ts'
import { kinds } from '../../main/log/kinds.ts'
import { failureKinds, titleOf, todoOf } from '../../main/line/failures.ts'
import { homeFolder } from '../../main/station/home.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { sentenceOf } from '../../main/station/words.ts'
import { value } from '../scenarios/simulation.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'

let home = ''
let stations: Station[] = []
beforeEach(() => {
  home = join(mkdtempSync(join(tmpdir(), 'slotwright-station-')), 'home')
})
afterEach(async () => {
  for (const station of stations.splice(0)) await station.close()
  stations = []
  rmSync(join(home, '..'), { recursive: true, force: true })
})

async function opened(): Promise<Station> {
  const station = await value(openStation({ home, version: '0.0.0-test', ports: new SimulatedPorts(), person: 'tester' }))
  stations.push(station)
  return station
}

const kindOf = (answer: unknown) => (answer instanceof Failure ? answer.kind : 'not refused')

describe('opening', () => {
  test('a new home is for its owner alone, and its first entry is the start', async () => {
    const station = await opened()
    expect(statSync(home).mode & 0o777).toBe(0o700)
    const { entries, total } = await value(station.listLog({}))
    expect(total).toBe(1)
    expect(entries[0]).toMatchObject({ kind: 'station-started' })
  })

  test('the first start of another version says which one it replaces', async () => {
    await (await opened()).close()
    await (await opened()).close()
    const upgraded = await value(openStation({ home, version: '0.0.1-test', ports: new SimulatedPorts(), person: 'tester' }))
    stations.push(upgraded)
    const { entries } = await value(upgraded.listLog({ kind: 'station-started' }))
    expect(entries.map(({ data }) => data['upgradedFrom'])).toEqual(['0.0.0-test', undefined, undefined])
    expect(entries[0]?.says).toContain('0.0.1-test in place of 0.0.0-test')
  })

  test('a home under a file, a database that is none and a newer one are refused with a sentence and left alone', async () => {
    writeFileSync(join(home, '..', 'file'), 'x')
    expect(kindOf(await openStation({ home: join(home, '..', 'file', 'home'), version: '0', ports: new SimulatedPorts() }))).toBe('home-not-writable')
    const station = await opened()
    const path = station.audit.database.path
    station.audit.database.sql.pragma('user_version = 999')
    await station.close()
    expect(kindOf(await openStation({ home, version: '0', ports: new SimulatedPorts() }))).toBe('database-newer')
    for (const file of readdirSync(home).filter((name) => name.startsWith('slotwright.db-'))) rmSync(join(home, file))
    writeFileSync(path, 'this is no database, and never was one'.repeat(100))
    const damaged = readFileSync(path)
    expect(kindOf(await openStation({ home, version: '0', ports: new SimulatedPorts() }))).toBe('database-damaged')
    expect(readFileSync(path).equals(damaged)).toBe(true)
  })

  test('a second station on one home is refused, and the first goes on', async () => {
    const first = await opened()
    expect(kindOf(await openStation({ home, version: '0', ports: new SimulatedPorts() }))).toBe('database-locked')
    expect((await value(first.verifyLog({}))).holds).toBe(true)
  })

  test('a port that does not exist is said at once, and the home is let go again', async () => {
    expect(kindOf(await openStation({ home, version: '0', ports: ['/dev/nowhere17'] }))).toBe('no-such-port')
    await opened()
  })

  test('closing twice is closing once, and the log has its last word', async () => {
    const station = await opened()
    await Promise.all([station.close(), station.close()])
    const again = await opened()
    const { entries } = await value(again.listLog({}))
    expect(entries.map((entry) => entry.kind)).toEqual(['station-started', 'station-stopped', 'station-started'])
  })

  test.each([
    ['linux', {}, '/u/.local/share/slotwright'],
    ['linux', { XDG_DATA_HOME: '/x' }, '/x/slotwright'],
    ['linux', { XDG_DATA_HOME: 'relative' }, '/u/.local/share/slotwright'],
    ['darwin', {}, '/u/Library/Application Support/Slotwright'],
    ['linux', { SLOTWRIGHT_HOME: '/h' }, '/h'],
  ] as const)('the default home on %s with %o', (platform, env, wanted) => {
    expect(homeFolder(null, { platform, env, userFolder: '/u' })).toBe(wanted)
    expect(homeFolder('/named', { platform, env, userFolder: '/u' })).toBe('/named')
  })
})

describe('arguments', () => {
  test('every method answers nonsense with a Failure, never with an exception', async () => {
    const station = await opened()
    const api = station as unknown as Record<string, (args: unknown) => Promise<unknown>>
    for (const name of Object.entries(methods).flatMap(([each, row]) => (row.windowOnly ? [] : [each]))) {
      for (const nonsense of [null, 7, 'x', [], { unknown: true }]) {
        expect(kindOf(await api[name]!(nonsense)), name).toBe('bad-arguments')
      }
    }
  })

  test('files, runs and keys that do not exist are refused by name', async () => {
    const station = await opened()
    expect(kindOf(await station.inspectFile({ file: 'f9' }))).toBe('file-not-open')
    expect(kindOf(await station.startBatch({ file: 'f9', recipe: {} }))).toBe('file-not-open')
    expect(kindOf(await station.run({ run: 'none' }))).toBe('no-such-run')
    expect(kindOf(await station.retireKey({ name: 'none' }))).toBe('no-such-key')
    expect(kindOf(await station.askBoard({ port: '/dev/nowhere17' }))).toBe('no-such-port')
    const { file } = await value(station.sampleFile({}))
    expect(kindOf(await station.startBatch({ file, recipe: {} }))).toBe('no-boards')
  })
})

describe('the signing desk', () => {
  async function desk(): Promise<{ station: Station; file: string; saveAs: string }> {
    const station = await opened()
    await value(station.generateKey({ name: 'line', algorithm: 'ecdsa-p256', class: 'production', passphrase: 'correct horse' }))
    writeFileSync(join(home, 'fw.bin'), new Uint8Array(10_000).fill(3))
    const { file } = await value(station.openFile({ path: join(home, 'fw.bin'), purpose: 'firmware' }))
    return { station, file, saveAs: join(home, 'fw.signed.bin') }
  }

  test('a signed image is on disk, verifies, is logged with its key, and can be given to a batch', async () => {
    const { station, file, saveAs } = await desk()
    const signed = await value(station.sign({ file, key: 'line', passphrase: 'correct horse', options: { version: '2.3.4+5' }, saveAs }))
    expect(signed?.image).toMatchObject({ version: '2.3.4+5', signature: 'valid', keyName: 'line', hashHolds: true })
    const { entries } = await value(station.listLog({ kind: 'image-signed' }))
    expect(entries[0]).toMatchObject({ seq: signed?.entry, person: 'tester', data: { keyName: 'line', imageHash: signed?.image.hash, bytes: readFileSync(saveAs).length } })
    expect(await value(station.inspectFile({ file: signed!.file }))).toMatchObject({ hash: signed?.image.hash })
    expect(readdirSync(home).filter((name) => name.endsWith('.new'))).toEqual([])
  })

  test.each([
    ['wrong-passphrase', { passphrase: 'wrong horse' }],
    ['needs-passphrase', { passphrase: null }],
    ['no-such-key', { key: 'nobody' }],
    ['bad-version', { options: { version: '1.2' } }],
    ['too-large', { options: { version: '1.2.0', slotBytes: 8_192 } }],
    ['cannot-save', { saveAs: '/nowhere/at/all.bin' }],
  ] as const)('refused: %s, with a sentence, an entry and no file', async (kind, changes) => {
    const { station, file, saveAs } = await desk()
    const asked = { file, key: 'line', passphrase: 'correct horse', options: { version: '1.0.0' }, saveAs, ...changes }
    const refused = await station.sign(asked)
    expect(kindOf(refused)).toBe(kind)
    expect(existsSync(saveAs)).toBe(false)
    const { entries } = await value(station.listLog({ kind: 'image-refused' }))
    expect(entries[0]?.data).toMatchObject({ failure: kind })
    expect((await value(station.verifyLog({}))).holds).toBe(true)
  })

  test('passphrases never reach the log', async () => {
    const { station, file, saveAs } = await desk()
    await station.sign({ file, key: 'line', passphrase: 'correct horse', options: { version: '1.0.0' }, saveAs })
    await station.sign({ file, key: 'line', passphrase: 'wrong horse', options: { version: '1.0.0' }, saveAs })
    expect((await value(station.listLog({ text: 'horse' }))).total).toBe(0)
  })

  test('keys are made, taken in and retired, and each is logged', async () => {
    const { station } = await desk()
    const pem = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\n-----END PRIVATE KEY-----\n'
    writeFileSync(join(home, 'k.pem'), pem)
    const { file } = await value(station.openFile({ path: join(home, 'k.pem'), purpose: 'key' }))
    await value(station.importKey({ file, name: 'old', class: 'test', passphrase: null, newPassphrase: null }))
    await value(station.retireKey({ name: 'old' }))
    expect((await value(station.listKeys({}))).map((key) => [key.name, key.retiredAt !== null])).toEqual([['line', false], ['old', true]])
    const { entries } = await value(station.listLog({}))
    expect(entries.map((entry) => entry.kind).slice(0, 3)).toEqual(['key-retired', 'key-imported', 'key-created'])
  })
})

describe('settings and words', () => {
  test('a changed person is remembered by the next station and signs its entries', async () => {
    const station = await value(openStation({ home, version: '0', ports: new SimulatedPorts() }))
    await value(station.changeSettings({ person: 'Ada', theme: 'dark' }))
    await station.close()
    const again = await value(openStation({ home, version: '0', ports: new SimulatedPorts() }))
    stations.push(again)
    expect(await value(again.settings({}))).toMatchObject({ theme: 'dark', person: 'Ada' })
    await value(again.generateKey({ name: 'k', algorithm: 'ed25519', class: 'test', passphrase: null }))
    expect((await value(again.listLog({ limit: 1 }))).entries[0]).toMatchObject({ person: 'Ada', kind: 'key-created' })
  })

  test('every kind of entry has a sentence, and an unknown one is shown all the same', () => {
    for (const kind of Object.keys(kinds)) {
      const says = sentenceOf({ kind, data: {} })
      if (!['sign-in', 'sign-in-refused', 'sign-out', 'batch-target-changed'].includes(kind)) expect(says, kind).not.toContain('An entry of kind')
    }
    expect(sentenceOf({ kind: 'of-next-year', data: { what: 1 } })).toContain('of-next-year')
  })

  test('every failure kind has a title and says what to do; an unknown one does too', () => {
    for (const kind of [...failureKinds, 'never-heard-of', 'toString']) {
      expect(titleOf(kind).length, kind).toBeGreaterThan(3)
      expect(todoOf(kind), kind).toMatch(/\.$/)
    }
  })
})

test('the values that a Failure may carry stay plain', async () => {
  const station = await opened()
  const answer = await station.openFile({ path: '/nowhere', purpose: 'image' })
  expect(failed(answer) && JSON.parse(JSON.stringify(answer))).toMatchObject({ kind: 'no-such-file' })
})
