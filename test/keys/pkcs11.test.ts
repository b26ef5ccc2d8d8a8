// Keys in a token, tried on SoftHSM through the built process: each key type, verified by node's own crypto and as a whole image,
// and everything that happens to tokens on a desk: a wrong PIN, a token pulled and put back, keys and modules that are not there.
import { createHash, generateKeyPairSync, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { createPublicKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { Failure, failed } from '../../main/base/failure.ts'
import { keyAlgorithms } from '../../main/base/signer.ts'
import type { KeyAlgorithm, ToSign } from '../../main/base/signer.ts'
import { signImage } from '../../main/image/sign.ts'
import { verifyImage } from '../../main/image/verify.ts'
import { Keyring } from '../../main/keys/keyring.ts'
import { judgeResidence } from '../../main/keys/pkcs11-residence.ts'
import { Tokens } from '../../main/keys/pkcs11-tokens.ts'
import type { TokenKey } from '../../main/keys/pkcs11-tokens.ts'
import { buildTokenProcess, openSoftHsm, pin } from './softhsm.ts'
import type { SoftHsm } from './softhsm.ts'

let entry = ''
let hsm: SoftHsm
let tokens: Tokens
let uri = ''
const troubles: string[] = []
const keys = new Map<KeyAlgorithm, TokenKey>()

function open(): Tokens {
  return new Tokens({ entry, modules: [hsm.module], installed: false, trouble: ({ kind }) => troubles.push(kind) })
}

function good<T>(value: T | Failure): T {
  if (failed(value)) throw new Error(`${value.kind}: ${value.says}`)
  return value
}
const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'no failure')

beforeAll(async () => {
  hsm = openSoftHsm()
  hsm.makeToken('Release')
  entry = await buildTokenProcess('pkcs11')
  tokens = open()
  const [row] = await tokens.list()
  uri = row?.tokens[0]?.uri ?? ''
  good(await tokens.unlock(uri, pin))
  for (const algorithm of keyAlgorithms) keys.set(algorithm, good(await tokens.generate(uri, algorithm, `key-${algorithm}`)))
}, 60_000)

afterAll(async () => {
  await tokens?.close()
  hsm?.remove()
})
afterEach(() => troubles.splice(0))

function keyOf(algorithm: KeyAlgorithm): TokenKey {
  const key = keys.get(algorithm)
  if (key === undefined) throw new Error(`no ${algorithm} key was made`)
  return key
}

/** A message, what a signer is handed of it, and another implementation's word on the signature. */
function trial(algorithm: KeyAlgorithm, text: string): { what: ToSign; holds: (signature: Uint8Array) => boolean } {
  const message = Buffer.from(text)
  const key: KeyObject = createPublicKey({ key: Buffer.from(keyOf(algorithm).publicKey.spki), format: 'der', type: 'spki' })
  if (algorithm === 'ed25519') return { what: { message }, holds: (signature) => verify(null, message, key, signature) }
  const hash = algorithm === 'ecdsa-p384' ? 'sha384' : 'sha256'
  const what: ToSign = { digest: new Uint8Array(createHash(hash).update(message).digest()), hash }
  const options = algorithm.startsWith('rsa') ? { key, padding: 6, saltLength: 32 } : { key }
  return { what, holds: (signature) => verify(hash, message, options, signature) }
}

describe.each(keyAlgorithms)('a %s key', (algorithm) => {
  test('made in the token, it says that it never could leave it', () => {
    const { row, publicKey, residence } = keyOf(algorithm)
    expect(row).toMatchObject({ label: `key-${algorithm}`, algorithm, canSign: true, privateSeen: true })
    expect(publicKey.algorithm).toBe(algorithm)
    expect(residence).toEqual({ sensitive: true, extractable: false, alwaysSensitive: true, neverExtractable: true, local: true })
    expect(judgeResidence(residence)).toMatchObject({ verdict: 'bound', warns: false })
  })

  test("its signatures hold by another implementation's word, also those whose numbers begin with zeros", async () => {
    const signer = tokens.signer(keyOf(algorithm).uri, keyOf(algorithm).publicKey)
    // r or s begins with a zero byte once in 128 ECDSA signatures; RSA is slow and has no such case.
    const rounds = algorithm.startsWith('ecdsa') ? 300 : 5
    for (let round = 0; round < rounds; round++) {
      const { what, holds } = trial(algorithm, `round ${round}`)
      expect(holds(good(await signer.sign(what)))).toBe(true)
    }
  }, 60_000)

  test('signs an image that verifies', async () => {
    const { uri: at, publicKey } = keyOf(algorithm)
    const version = { major: 1, minor: 2, revision: 3, build: 0 }
    const image = good(await signImage(new Uint8Array(3000).fill(7), { version, headerBytes: 0x200, padHeader: true, slotBytes: 0x10000 }, tokens.signer(at, publicKey)))
    expect(good(verifyImage(image.bytes, publicKey)).signedBy?.algorithm).toBe(algorithm)
  })
})

test('an image is signed pure in a token: the whole of it goes there', async () => {
  const { uri: at, publicKey } = keyOf('ed25519')
  const version = { major: 1, minor: 0, revision: 0, build: 0 }
  const image = good(await signImage(new Uint8Array(300_000).fill(1), { version, headerBytes: 0x200, padHeader: true, slotBytes: 0x80000, pure: true }, tokens.signer(at, publicKey)))
  expect(good(verifyImage(image.bytes, publicKey)).signedBy?.pure).toBe(true)
})

test('what does not go with the key is refused before the token is asked', async () => {
  const sign = (algorithm: KeyAlgorithm, what: ToSign) => tokens.signer(keyOf(algorithm).uri, keyOf(algorithm).publicKey).sign(what)
  expect(kindOf(await sign('ed25519', { digest: new Uint8Array(32), hash: 'sha256' }))).toBe('bad-request')
  expect(kindOf(await sign('ecdsa-p256', { message: new Uint8Array(32) }))).toBe('bad-request')
  expect(kindOf(await sign('ecdsa-p384', { digest: new Uint8Array(32), hash: 'sha256' }))).toBe('bad-request')
  expect(kindOf(await sign('rsa-2048', { digest: new Uint8Array(64), hash: 'sha512' }))).toBe('bad-request')
})

describe('finding', () => {
  test('a key is found by label, by id, by the token alone when it is the only one, and without naming the module', async () => {
    const { row } = keyOf('ecdsa-p256')
    const id = (row.id.match(/../g) ?? []).map((byte) => `%${byte}`).join('')
    for (const one of ['pkcs11:token=Release;object=key-ecdsa-p256', `pkcs11:id=${id}`, `pkcs11:token=Release;object=key-ecdsa-p256;type=private?module-path=${hsm.module}`, 'pkcs11:object=key-ecdsa-p256?module-name=softhsm2']) {
      expect(good(await tokens.key(one)).publicKey).toEqual(keyOf('ecdsa-p256').publicKey)
    }
  })

  test.each([
    ['several keys fit', 'pkcs11:token=Release', 'ambiguous-token-key'],
    ['no key has that label', 'pkcs11:token=Release;object=nobody', 'token-key-missing'],
    ['no key has that id', 'pkcs11:token=Release;id=%00%01', 'token-key-missing'],
    ['no token has that label', 'pkcs11:token=Nobody;object=key-ed25519', 'token-not-found'],
    ['no token has that serial number', 'pkcs11:token=Release;serial=1;object=key-ed25519', 'token-not-found'],
    ['the module is not there', 'pkcs11:token=Release?module-path=/nowhere/libnone.so', 'module-not-found'],
    ['the module is no whole path', 'pkcs11:token=Release?module-path=libsofthsm2.so', 'module-not-found'],
    ['no module has that name', 'pkcs11:token=Release?module-name=none', 'module-not-found'],
    ['the module has another maker', 'pkcs11:token=Release;library-manufacturer=Else?module-name=softhsm2', 'token-not-found'],
    ['it is no URI', 'pkcs11:token', 'bad-uri'],
  ])('%s', async (_what, one, kind) => {
    const answer = await tokens.key(one)
    expect(kindOf(answer)).toBe(kind)
    expect(troubles).toEqual(kind === 'bad-uri' ? [] : [kind])
    if (answer instanceof Failure) expect(answer.says).toMatch(/^[A-Z].*[.?)]$|module-path=PATH$|;id=%….$|key tokens/s)
    if (kind === 'ambiguous-token-key' && answer instanceof Failure) expect(answer.says).toMatch(/Name one of them, as pkcs11:…;object=key-/)
  })

  test('a file that is no module is said to be none, and the others go on', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'slotwright-no-module-'))
    const path = join(folder, 'module.so')
    writeFileSync(path, 'not a library')
    expect(kindOf(await tokens.key(`pkcs11:token=Release?module-path=${path}`))).toBe('module-broken')
    expect(kindOf(await tokens.tryModule(path))).toBe('module-broken')
    expect(kindOf(await tokens.key('pkcs11:token=Release;object=key-ed25519'))).toBe('no failure')
    rmSync(folder, { recursive: true })
  })

  test('two tokens of one name are told apart by their serial numbers only', async () => {
    hsm.makeToken('Twin')
    hsm.makeToken('Twin')
    const fresh = open()
    const twins = (await fresh.list()).flatMap((module) => module.tokens).filter(({ label }) => label === 'Twin')
    expect(twins).toHaveLength(2)
    expect(kindOf(await fresh.unlock('pkcs11:token=Twin', pin))).toBe('ambiguous-token')
    expect(good(await fresh.unlock(twins[1]?.uri ?? '', pin)).serial).toBe(twins[1]?.serial)
    await fresh.close()
  })
})

describe('PINs', () => {
  test('a token that is locked says so, and shows its keys’ public halves at most', async () => {
    const fresh = open()
    expect(kindOf(await fresh.key('pkcs11:token=Release;object=key-ed25519'))).toBe('needs-pin')
    expect(troubles).toEqual([])
    expect(good(await fresh.keys('pkcs11:token=Release')).every((key) => !key.privateSeen)).toBe(true)
    await fresh.close()
  })

  test('a wrong PIN is told as one, with what the token says of tries, and is not tried again', async () => {
    const fresh = open()
    const wrong = await fresh.unlock('pkcs11:token=Release', `${pin}x`)
    expect(wrong).toMatchObject({ kind: 'wrong-pin' })
    expect((wrong as Failure).says).toMatch(/may remain|tries remain/)
    expect(troubles).toEqual(['wrong-pin'])
    expect(kindOf(await fresh.key('pkcs11:token=Release;object=key-ed25519'))).toBe('needs-pin')
    expect(kindOf(await fresh.unlock('pkcs11:token=Release', ''))).toMatch(/wrong-pin|bad-pin/)
    expect(kindOf(await fresh.unlock('pkcs11:token=Release', pin))).toBe('no failure')
    await fresh.close()
  })

  test('a locked token signs no more until its PIN is given again', async () => {
    const fresh = open()
    const { uri: at, publicKey } = keyOf('ecdsa-p256')
    const signer = fresh.signer(at, publicKey)
    const { what } = trial('ecdsa-p256', 'locked?')
    good(await fresh.unlock(uri, pin))
    good(await signer.sign(what))
    expect(await fresh.lock(uri)).toBeNull()
    expect(kindOf(await signer.sign(what))).toBe('needs-pin')
    good(await fresh.unlock(uri, pin))
    good(await signer.sign(what))
    await fresh.lock(null)
    expect(kindOf(await signer.sign(what))).toBe('needs-pin')
    await fresh.close()
  })

  test('unlocking with a wrong PIN locks what was unlocked: only the right one proves anything', async () => {
    const fresh = open()
    good(await fresh.unlock(uri, pin))
    expect(kindOf(await fresh.unlock(uri, 'wrong-one'))).toBe('wrong-pin')
    expect(kindOf(await fresh.key(keyOf('ed25519').uri))).toBe('needs-pin')
    await fresh.close()
  })
})

describe('tokens that go and come', () => {
  test('a pulled token is told as removed, and signs on when it is back, without PIN or restart', async () => {
    const fresh = open()
    const { uri: at, publicKey } = keyOf('ecdsa-p256')
    const signer = fresh.signer(at, publicKey)
    const { what, holds } = trial('ecdsa-p256', 'pulled')
    good(await fresh.unlock(uri, pin))
    good(await signer.sign(what))
    hsm.pull()
    expect(kindOf(await signer.sign(what))).toBe('token-removed')
    expect(kindOf(await signer.sign(what))).toBe('token-removed')
    hsm.putBack()
    expect(holds(good(await signer.sign(what)))).toBe(true)
    expect(troubles).toEqual(['token-removed', 'token-removed'])
    await fresh.close()
  })

  test('a pulled token asks for its PIN again after it was locked meanwhile', async () => {
    const fresh = open()
    const { uri: at, publicKey } = keyOf('ed25519')
    const signer = fresh.signer(at, publicKey)
    const { what } = trial('ed25519', 'locked meanwhile')
    good(await fresh.unlock(uri, pin))
    hsm.pull()
    expect(kindOf(await signer.sign(what))).toBe('token-removed')
    await fresh.lock(null)
    hsm.putBack()
    expect(kindOf(await signer.sign(what))).toBe('needs-pin')
    await fresh.close()
  })
})

describe('keys that could leave their token', () => {
  test('a key that was brought in is said to be perhaps elsewhere too, and a production key like that warns in the ring', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    hsm.importKey('Release', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 'brought', 'beef')
    const fresh = open()
    good(await fresh.unlock(uri, pin))
    const key = good(await fresh.key('pkcs11:token=Release;object=brought'))
    expect(key.residence.local).toBe(false)
    expect(judgeResidence(key.residence)).toMatchObject({ warns: true, says: expect.stringMatching(/copies may exist|can leave/) as string })
    const folder = mkdtempSync(join(tmpdir(), 'slotwright-token-ring-'))
    const ring = new Keyring(join(folder, 'keys'))
    const production = good(await ring.addToken('brought', { ...key, class: 'production' }))
    expect(production.warning).toMatch(/copies may exist|can leave/)
    expect(good(await new Keyring(join(folder, 'trial')).addToken('brought', { ...key, class: 'test' })).warning).toBeNull()
    expect(good(await ring.list())).toContainEqual(production)
    expect(kindOf(await ring.open('brought'))).toBe('key-in-token')
    rmSync(folder, { recursive: true })
    await fresh.close()
  })

  test.each([
    ['extractable in the clear', { sensitive: false, extractable: true }, 'loose', /even in the clear/],
    ['extractable when wrapped', { sensitive: true, extractable: true }, 'loose', /can leave its token/],
    ['readable though not extractable', { sensitive: false, extractable: false }, 'loose', /read out/],
    ['of which the token tells nothing', { sensitive: null, extractable: null }, 'untold', /does not say/],
    ['once extractable', { neverExtractable: false }, 'held', /could leave it once/],
    ['once readable', { alwaysSensitive: false }, 'held', /could be read once/],
    ['made nobody says where', { local: null }, 'held', /does not say where/],
  ] as const)('a key %s warns', (_what, differs, verdict, says) => {
    const judged = judgeResidence({ sensitive: true, extractable: false, alwaysSensitive: true, neverExtractable: true, local: true, ...differs })
    expect(judged).toMatchObject({ verdict, warns: true, says: expect.stringMatching(says) as string })
  })
})

describe('making keys', () => {
  test('a name that the token has already is refused, and nothing is made', async () => {
    expect(kindOf(await tokens.generate(uri, 'ed25519', 'key-ed25519'))).toBe('token-key-taken')
  })
})

describe('waiting', () => {
  test('a hundred signatures asked for at once come out each for its own question', async () => {
    const { uri: at, publicKey } = keyOf('ed25519')
    const signer = tokens.signer(at, publicKey)
    const trials = Array.from({ length: 100 }, (_, i) => trial('ed25519', `at once ${i}`))
    const signatures = await Promise.all(trials.map(({ what }) => signer.sign(what)))
    trials.forEach(({ holds }, i) => expect(holds(good(signatures[i] ?? new Uint8Array(0)))).toBe(true))
  })

  test('what was stopped before its turn is never asked; what follows is', async () => {
    const { uri: at, publicKey } = keyOf('rsa-3072')
    const signer = tokens.signer(at, publicKey)
    const stop = new AbortController()
    const { what } = trial('rsa-3072', 'stopped')
    const waiting = [signer.sign(what), signer.sign(what, stop.signal), signer.sign(what)]
    stop.abort()
    expect((await Promise.all(waiting)).map(kindOf)).toEqual(['no failure', 'stopped', 'no failure'])
    expect(kindOf(await signer.sign(what, stop.signal))).toBe('stopped')
  })
})
