// The key ring as people and accidents use it: names that are paths, names taken, public test keys, retired keys, a
// sidecar or a PEM changed behind its back, a folder that cannot be written.
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../main/base/bytes.ts'
import type { Clock } from '../../main/base/clock.ts'
import { failed } from '../../main/base/failure.ts'
import type { Failure } from '../../main/base/failure.ts'
import { writeKeyPem } from '../../main/keys/filekey.ts'
import { Keyring } from '../../main/keys/keyring.ts'
import { good, keyOf, pemOf } from '../image/vectors.ts'

const clock: Clock = { wallMs: () => Date.UTC(2026, 0, 2, 3, 4, 5), monotonicMs: () => 0, after: () => () => undefined }
const phrase = 'correct horse battery'
let home = ''
let ring: Keyring
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'slotwright-ring-'))
  ring = new Keyring(join(home, 'keys'), clock)
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const kindOf = (value: unknown) => (failed(value) ? (value).kind : 'taken')

describe('making and finding', () => {
  test('a new key is encrypted, private to its owner, listed, and signs', async () => {
    const entry = good(await ring.generate('line-1', 'ecdsa-p256', 'production', phrase))
    expect(entry).toMatchObject({ name: 'line-1', algorithm: 'ecdsa-p256', class: 'production', encrypted: true, createdAt: '2026-01-02T03:04:05.000Z', retiredAt: null, warning: null })
    expect(readFileSync(join(home, 'keys', 'line-1.pem'), 'utf8')).toContain('ENCRYPTED PRIVATE KEY')
    expect(statSync(join(home, 'keys', 'line-1.pem')).mode & 0o777).toBe(0o600)
    expect(statSync(join(home, 'keys')).mode & 0o777).toBe(0o700)
    expect(good(await ring.list())).toEqual([entry])
    for (const what of ['line-1', entry.fingerprint, entry.fingerprint.slice(0, 8).toUpperCase(), join(home, 'keys', 'line-1.pem')]) {
      const signer = good(await ring.signer(what, phrase))
      expect(toHex(signer.publicKey.spki)).toBe(entry.spki)
      signer.close()
    }
    expect(good(await ring.publicKey('line-1')).algorithm).toBe('ecdsa-p256')
    expect(kindOf(await ring.signer('line-1'))).toBe('needs-passphrase')
    expect(kindOf(await ring.signer('line-1', 'wrong one here'))).toBe('wrong-passphrase')
    expect(readdirSync(join(home, 'keys')).sort()).toEqual(['line-1.json', 'line-1.pem'])
  })

  test('nothing there: an empty list, and a sentence', async () => {
    expect(good(await ring.list())).toEqual([])
    expect(kindOf(await ring.find('nobody'))).toBe('no-such-key')
    expect(kindOf(await ring.retire('nobody'))).toBe('no-such-key')
  })

  test('a production key without a passphrase, or with a short one, is refused; a test key may go without', async () => {
    expect(kindOf(await ring.generate('a', 'ed25519', 'production', null))).toBe('needs-passphrase')
    expect(kindOf(await ring.generate('a', 'ed25519', 'production', 'short'))).toBe('weak-passphrase')
    const entry = good(await ring.generate('a', 'ed25519', 'test', null))
    expect(entry.encrypted).toBe(false)
    expect(entry.warning).toContain('not encrypted')
  })

  test.each(['', '../evil', 'a/b', 'a\\b', '.hidden', 'x'.repeat(64), 'CON', 'nul.txt', 'key.pem', 'ü', 'a b', 'a\0b', '-k'])('the name %j is refused', async (name) => {
    expect(kindOf(await ring.generate(name, 'ed25519', 'test', null))).toBe('bad-name')
  })

  test('two at once under one name: one gets it', async () => {
    const results = await Promise.all([1, 2, 3].map(() => ring.generate('same', 'ed25519', 'test', null)))
    expect(results.map(kindOf).sort()).toEqual(['name-taken', 'name-taken', 'taken'])
    const { fingerprint } = good(results.find((one) => !failed(one)) ?? results[0]!)
    expect(good(await ring.list()).map((entry) => entry.fingerprint)).toEqual([fingerprint])
    good(await ring.signer('same')).close()
  })
})

describe('adding', () => {
  test('imgtool’s plain PEM is filed encrypted', async () => {
    const entry = good(await ring.add('imported', pemOf('keys/rsa-2048.pem'), { class: 'production', newPassphrase: phrase }))
    expect(entry).toMatchObject({ algorithm: 'rsa-2048', encrypted: true })
    good(await ring.signer('imported', phrase)).close()
    expect(kindOf(await ring.add('imported', pemOf('keys/ed25519.pem'), { class: 'test', newPassphrase: null }))).toBe('name-taken')
  })

  test('a key does not come in twice: a second name would sign past its retirement and its policy', async () => {
    good(await ring.add('first', pemOf('keys/ed25519.pem'), { class: 'production', newPassphrase: phrase }))
    const again = await ring.add('second', pemOf('keys/ed25519.pem'), { class: 'test', newPassphrase: null })
    expect(again).toMatchObject({ kind: 'key-taken', says: expect.stringContaining('as first. Use it under that name') as string })
    good(await ring.retire('first'))
    const token = { publicKey: good(await ring.publicKey('first')), uri: 'pkcs11:token=Release;object=fw', residence: { sensitive: true, extractable: false, alwaysSensitive: true, neverExtractable: true, local: true }, class: 'production' as const }
    expect(await ring.addToken('third', token)).toMatchObject({ kind: 'key-taken', says: expect.stringContaining('retired and stays so') as string })
    expect(good(await ring.list())).toHaveLength(1)
  })

  test('an encrypted PEM needs its own passphrase first', async () => {
    const pem = await writeKeyPem(await keyOf('keys/ed25519.pem'), 'theirs')
    expect(kindOf(await ring.add('x', pem, { class: 'test', newPassphrase: null }))).toBe('needs-passphrase')
    expect(kindOf(await ring.add('x', pem, { class: 'test', passphrase: 'no', newPassphrase: null }))).toBe('wrong-passphrase')
    good(await ring.add('x', pem, { class: 'test', passphrase: 'theirs', newPassphrase: null }))
  })

  // MCUboot's root-ed25519.pem: a published key, of no use to keep secret.
  const published = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEICjJcMmhqKi8d3hoYtLnbQ1DCitXyHz8N5BLy6rIdMvY\n-----END PRIVATE KEY-----\n'
  test('MCUboot’s public test keys are refused for production and marked as test keys', async () => {
    const refused = await ring.add('mcuboot', published, { class: 'production', newPassphrase: phrase })
    expect(kindOf(refused)).toBe('public-test-key')
    expect((refused as Failure).says).toContain('root-ed25519.pem')
    expect(good(await ring.add('mcuboot', published, { class: 'test', newPassphrase: null })).warning).toContain('anyone can sign')
    // a sidecar edited to say production does not make it one
    const sidecar = join(home, 'keys', 'mcuboot.json')
    writeFileSync(sidecar, readFileSync(sidecar, 'utf8').replace('"class": "test"', '"class": "production"'))
    expect(good(await ring.list())[0]?.class).toBe('test')
  })
})

describe('retired, damaged, unwritable', () => {
  test('a retired key stays listed and no longer signs', async () => {
    good(await ring.generate('old', 'ed25519', 'test', null))
    expect(good(await ring.retire('old')).retiredAt).toBe('2026-01-02T03:04:05.000Z')
    expect(kindOf(await ring.signer('old'))).toBe('key-retired')
    expect(good(await ring.list())[0]?.retiredAt).not.toBeNull()
    good(await ring.retire('old'))
    expect(kindOf(await ring.generate('old', 'ed25519', 'test', null))).toBe('name-taken')
  })

  test.each([
    ['no JSON', 'garbage'],
    ['another name', '{"v":1,"name":"b"}'],
    ['null', 'null'],
    ['a newer form', '{"v":2}'],
    ['too much', ' '.repeat(20_000)],
  ])('a sidecar with %s hides its own key only', async (_name, text) => {
    good(await ring.generate('a', 'ed25519', 'test', null))
    good(await ring.generate('b', 'ed25519', 'test', null))
    writeFileSync(join(home, 'keys', 'a.json'), text)
    expect(good(await ring.list()).map((entry) => entry.name)).toEqual(['b'])
    expect(await ring.troubles()).toHaveLength(1)
  })

  test('a PEM exchanged behind the ring’s back does not sign in another key’s name', async () => {
    good(await ring.generate('a', 'ed25519', 'test', null))
    good(await ring.generate('b', 'ed25519', 'test', null))
    writeFileSync(join(home, 'keys', 'a.pem'), readFileSync(join(home, 'keys', 'b.pem')))
    expect(kindOf(await ring.signer('a'))).toBe('damaged-key')
    rmSync(join(home, 'keys', 'b.pem'))
    expect(kindOf(await ring.signer('b'))).toBe('unreadable-key')
  })

  test('a home that is a file, and a folder that may not be written', async () => {
    writeFileSync(join(home, 'file'), '')
    expect(kindOf(await new Keyring(join(home, 'file', 'keys'), clock).generate('a', 'ed25519', 'test', null))).toBe('home-unwritable')
    good(await ring.generate('a', 'ed25519', 'test', null))
    chmodSync(join(home, 'keys'), 0o500)
    const again = await ring.generate('b', 'ed25519', 'test', null)
    chmodSync(join(home, 'keys'), 0o700)
    // root writes everywhere
    expect(kindOf(again)).toBe(process.getuid?.() === 0 ? 'taken' : 'home-unwritable')
  })

  test('two keys whose fingerprints share the digits given', async () => {
    const text = pemOf('keys/ed25519.pem')
    const entry = good(await ring.add('one', text, { class: 'test', newPassphrase: null }))
    // As somebody may have copied it by hand; the ring itself files no key twice.
    writeFileSync(join(home, 'keys', 'two.json'), readFileSync(join(home, 'keys', 'one.json'), 'utf8').replace('"one"', '"two"'))
    expect(kindOf(await ring.find(entry.fingerprint))).toBe('ambiguous-key')
  })

  test('private bytes stand in no sidecar', async () => {
    const key = await keyOf('keys/ed25519.pem')
    good(await ring.add('one', pemOf('keys/ed25519.pem'), { class: 'test', newPassphrase: phrase }))
    for (const file of readdirSync(join(home, 'keys'))) {
      const bytes = readFileSync(join(home, 'keys', file))
      expect(bytes.includes(Buffer.from(key.secret))).toBe(false)
      expect(bytes.includes(Buffer.from(toHex(key.secret)))).toBe(false)
      expect(bytes.includes(Buffer.from(key.secret).toString('base64').slice(0, 20))).toBe(false)
      expect(bytes.includes(Buffer.from(utf8(phrase)))).toBe(false)
    }
  })
})
