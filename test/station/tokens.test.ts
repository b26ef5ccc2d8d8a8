// Keys in hardware as the window and the command line meet them, through the contract: unlock, sign, lock, key policy and the
// second person, what the log says of it all, and that neither PIN nor key is anywhere on disk or in an answer.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../main/base/clock.ts'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { StationEvent, TokenView } from '../../main/contract/views.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { buildTokenProcess, openSoftHsm, pin, soPin } from '../keys/softhsm.ts'
import type { SoftHsm } from '../keys/softhsm.ts'
import { value } from '../scenarios/simulation.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'

let hsm: SoftHsm
let entry = ''
let folder = ''
let station: Station
let token = ''
/** What the station ever answered or told, as text. */
const said: string[] = []
let imported = ''

beforeAll(async () => {
  entry = await buildTokenProcess('station')
  hsm = openSoftHsm()
  hsm.makeToken('Release')
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  imported = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  hsm.importKey('Release', imported, 'brought', 'beef')
}, 60_000)
afterAll(() => hsm?.remove())

async function opened(person = 'Ada', clock: Clock = realClock): Promise<Station> {
  const made = await value(openStation({ home: join(folder, 'home'), version: '0', ports: new SimulatedPorts(), person, clock, tokenEntry: entry }))
  made.subscribe((event: StationEvent) => said.push(JSON.stringify(event)))
  return made
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-station-tokens-'))
  writeFileSync(join(folder, 'app.bin'), new Uint8Array(4000).fill(3))
  station = await opened()
  await value(station.addTokenModule({ path: hsm.module }))
  token = (await release()).uri
})
afterEach(async () => {
  await station.close()
  rmSync(folder, { recursive: true, force: true })
})

const kindOf = (answer: unknown) => (answer instanceof Failure ? answer.kind : 'done')

async function release(): Promise<TokenView> {
  const modules = await value(station.listTokens({}))
  said.push(JSON.stringify(modules))
  const found = modules.find(({ path }) => path === hsm.module)?.tokens.find(({ label }) => label === 'Release')
  if (found === undefined) throw new Error('the token is not listed')
  return found
}

let count = 0
/** A production key made in the token and taken into the ring. */
async function tokenKey(keyClass: 'production' | 'test' = 'production'): Promise<string> {
  await value(station.unlockToken({ token, pin }))
  const name = `line-${++count}`
  await value(station.generateTokenKey({ token, name, algorithm: 'ecdsa-p256', class: keyClass }))
  return name
}

async function sign(key: string, more: { passphrase?: string; product?: string; recipe?: 'production' | 'test'; version?: string } = {}): Promise<unknown> {
  const { file } = await value(station.openFile({ path: join(folder, 'app.bin'), purpose: 'firmware' }))
  const { passphrase = null, product = null, recipe = null, version = '1.0.0' } = more
  const signed = await station.sign({ file, key, passphrase, product, recipe, options: { version }, saveAs: join(folder, `out-${count}.bin`) })
  said.push(JSON.stringify(signed))
  return signed
}

async function logged(kind: string): Promise<Record<string, unknown>[]> {
  const { entries } = await value(station.listLog({ kind, limit: 500 }))
  return entries.map((one) => ({ ...one.data, person: one.person }))
}

describe('a key in a token', () => {
  test('is made there, signs an image that verifies, and the log says by what right', async () => {
    const key = await tokenKey()
    expect(await sign(key, { recipe: 'production' })).toMatchObject({ key, image: { signature: 'valid', keyName: key } })
    const [made] = await logged('key-created')
    expect(made).toMatchObject({ name: key, home: 'pkcs11', class: 'production', person: 'Ada' })
    expect((await logged('image-signed'))[0]).toMatchObject({ keyName: key, home: 'pkcs11', person: 'Ada', policy: { decision: 'allowed', reason: 'production key in use, for a production recipe', recipe: 'production' } })
    expect((await value(station.listKeys({}))).find(({ name }) => name === key)).toMatchObject({ where: 'pkcs11', warning: null, token: { residence: { verdict: 'bound', neverExtractable: true } } })
    expect((await release()).keys.find(({ label }) => label === key)).toMatchObject({ name: key, algorithm: 'ecdsa-p256' })
  })

  test('asks for its PIN when the token is locked, takes it with the signature, and asks again after the lock', async () => {
    const key = await tokenKey()
    await value(station.lockToken({ token: null }))
    expect(kindOf(await sign(key))).toBe('needs-pin')
    expect(kindOf(await sign(key, { passphrase: 'no-such-pin' }))).toBe('wrong-pin')
    expect(kindOf(await sign(key, { passphrase: pin }))).toBe('done')
    expect(kindOf(await sign(key))).toBe('done')
    await value(station.lockToken({ token }))
    expect((await release()).keys).toEqual([])
    expect(kindOf(await sign(key))).toBe('needs-pin')
    expect((await logged('token-trouble')).map(({ failure }) => failure)).toEqual(['wrong-pin'])
    expect(await logged('token-unlocked')).toHaveLength(2)
    expect(await logged('token-locked')).toHaveLength(2)
  })

  test('is signed with again after the token was pulled and put back, and the log tells of it', async () => {
    const key = await tokenKey()
    hsm.pull()
    try {
      expect(kindOf(await sign(key))).toBe('token-removed')
    } finally {
      hsm.putBack()
    }
    expect(kindOf(await sign(key))).toBe('done')
    expect((await logged('token-trouble')).map(({ failure }) => failure)).toEqual(['token-removed'])
    expect((await logged('image-refused')).map(({ failure }) => failure)).toEqual(['token-removed'])
  })

  test('that was brought in warns as a production key', async () => {
    await value(station.unlockToken({ token, pin }))
    const brought = (await release()).keys.find(({ label }) => label === 'brought')
    const view = await value(station.addTokenKey({ uri: brought?.uri ?? '', name: 'brought', class: 'production' }))
    expect(view.warning).toMatch(/copies may exist|can leave/)
    expect((await logged('key-imported'))[0]).toMatchObject({ name: 'brought', home: 'pkcs11' })
  })

  test('that was retired signs no more', async () => {
    const key = await tokenKey()
    await value(station.retireKey({ name: key }))
    expect(kindOf(await sign(key))).toBe('key-retired')
  })
})

describe('what a client may not do', () => {
  test('name a file as a module that this station does not know: it is never loaded', async () => {
    const path = join(folder, 'app.bin')
    for (const answer of [
      await station.unlockToken({ token: `pkcs11:token=Release?module-path=${path}`, pin }),
      await station.addTokenKey({ uri: `pkcs11:object=x?module-path=${path}`, name: 'x', class: 'test' }),
      await station.generateTokenKey({ token: `pkcs11:token=Release?module-path=${path}`, name: 'x', algorithm: 'ed25519', class: 'test' }),
      await station.lockToken({ token: `pkcs11:token=Release?module-path=${path}` }),
    ]) expect(kindOf(answer)).toBe('module-not-listed')
    expect((await logged('refusal')).map(({ failure }) => failure)).toEqual(Array.from({ length: 4 }, () => 'module-not-listed'))
  })

  test('have the PIN read from a file, or write it into the URI', async () => {
    expect(kindOf(await station.addTokenKey({ uri: `${token}&pin-source=/etc/passwd`, name: 'x', class: 'test' }))).toBe('bad-uri')
    expect(kindOf(await station.addTokenKey({ uri: `${token}&pin-value=${pin}`, name: 'x', class: 'test' }))).toBe('pin-in-uri')
  })

  test('add a module that is none, or that is not there', async () => {
    expect(kindOf(await station.addTokenModule({ path: join(folder, 'app.bin') }))).toBe('module-broken')
    expect(kindOf(await station.addTokenModule({ path: '/nowhere/module.so' }))).toBe('module-not-found')
    expect((await value(station.listTokens({}))).map(({ path }) => path)).not.toContain(join(folder, 'app.bin'))
  })

  test('reach tokens where the program has no process for them', async () => {
    const bare = await value(openStation({ home: join(folder, 'bare'), version: '0', ports: new SimulatedPorts(), person: 'Ada' }))
    expect(kindOf(await bare.listTokens({}))).toBe('no-pkcs11')
    await bare.close()
  })
})

describe('key policy', () => {
  test('a test key never signs for a production recipe; the refusal is in the log with its reason', async () => {
    const key = await tokenKey('test')
    expect(kindOf(await sign(key, { recipe: 'production' }))).toBe('test-key')
    expect((await logged('image-refused'))[0]).toMatchObject({ failure: 'test-key', person: 'Ada', policy: { decision: 'refused', recipe: 'production', reason: expect.stringContaining('never signs for a production recipe') as string } })
    expect(kindOf(await sign(key, { recipe: 'test' }))).toBe('done')
  })

  test('nor is an image of a test key taken into a production batch, though its recipe names the key', async () => {
    const key = await tokenKey('test')
    const signed = await sign(key) as { file: string; image: { keyHash: string } }
    const recipe = { allowedKeys: [signed.image.keyHash], class: 'production' as const }
    expect(kindOf(await station.startBatch({ file: signed.file, recipe }))).toBe('test-key')
  })

  test('products and times hold for keys in files too, and each change is in the log', async () => {
    await value(station.generateKey({ name: 'file-key', algorithm: 'ed25519', class: 'production', passphrase: 'correct horse battery' }))
    await value(station.setKeyPolicy({ name: 'file-key', products: ['pump'], notAfter: '2020-01-01T00:00:00Z' }))
    const passphrase = 'correct horse battery'
    expect(kindOf(await sign('file-key', { passphrase, product: 'pump' }))).toBe('key-expired')
    await value(station.setKeyPolicy({ name: 'file-key', products: ['pump'] }))
    expect(kindOf(await sign('file-key', { passphrase, product: 'lamp' }))).toBe('key-wrong-product')
    expect(kindOf(await sign('file-key', { passphrase, product: 'pump' }))).toBe('done')
    expect(await logged('key-policy')).toHaveLength(2)
    expect(kindOf(await station.setKeyPolicy({ name: 'file-key', notBefore: 'soon' }))).toBe('bad-policy')
  })

  test('two people: one approves, the other signs, once, this firmware and this version only', async () => {
    const key = await tokenKey()
    await value(station.setKeyPolicy({ name: key, needsTwo: true }))
    const approve = async (version = '1.0.0') => {
      const { file } = await value(station.openFile({ path: join(folder, 'app.bin'), purpose: 'firmware' }))
      return (await value(station.approveSigning({ file, key, version }))).entry
    }
    expect(kindOf(await sign(key))).toBe('needs-accounts')
    const everything = { roles: ['engineer', 'administrator', 'auditor'] as ('engineer' | 'administrator' | 'auditor')[] }
    const comes = async (name: string) => {
      await value(station.signIn({ name, pin: `pin of ${name}` }))
      await value(station.unlockToken({ token, pin }))
    }
    await value(station.addPerson({ name: 'Ada', pin: 'pin of Ada', ...everything }))
    await comes('Ada')
    await value(station.addPerson({ name: 'Bob', pin: 'pin of Bob', ...everything }))
    expect(kindOf(await sign(key))).toBe('needs-approval')
    await approve()
    expect(kindOf(await sign(key))).toBe('needs-approval')
    // Who comes next types the token's PIN anew.
    await value(station.signIn({ name: 'Bob', pin: 'pin of Bob' }))
    expect((await value(station.listTokens({}))).flatMap(({ tokens }) => tokens).some(({ unlocked }) => unlocked)).toBe(false)
    await comes('Bob')
    expect(kindOf(await sign(key, { version: '1.0.1' }))).toBe('needs-approval')
    writeFileSync(join(folder, 'app.bin'), new Uint8Array(4000).fill(4))
    expect(kindOf(await sign(key))).toBe('needs-approval')
    writeFileSync(join(folder, 'app.bin'), new Uint8Array(4000).fill(3))
    expect(kindOf(await sign(key))).toBe('done')
    const [signed] = await logged('image-signed')
    expect(signed).toMatchObject({ person: 'Bob', policy: { reason: expect.stringContaining('approved by Ada') as string }, approval: expect.any(Number) as number })
    expect(kindOf(await sign(key))).toBe('needs-approval')
    const approval = await approve()
    await comes('Ada')
    expect(kindOf(await sign(key))).toBe('done')
    expect((await logged('image-signed'))[0]).toMatchObject({ person: 'Ada', approval })
  })
})

describe('secrets', () => {
  test('PIN, SO PIN, passphrase and private key are nowhere: not in the home, nor in any answer or event', async () => {
    const key = await tokenKey()
    const passphrase = 'a phrase like no other 4711'
    await value(station.generateKey({ name: 'secret-file', algorithm: 'ecdsa-p256', class: 'production', passphrase }))
    expect(kindOf(await sign(key))).toBe('done')
    expect(kindOf(await sign('secret-file', { passphrase }))).toBe('done')
    expect(kindOf(await sign(key, { passphrase: `${pin}-wrong` }))).toBe('wrong-pin')
    expect(kindOf(await station.addTokenKey({ uri: `${token}&pin-value=${pin}`, name: 'x', class: 'test' }))).toBe('pin-in-uri')
    said.push(JSON.stringify(await station.unlockToken({ token, pin: `${pin}\u0000` })))
    await station.close()
    const der = Buffer.from(imported.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64')
    // The private number of a P-256 key in PKCS#8 as node writes it.
    const scalar = der.subarray(der.indexOf(Buffer.from([0x04, 0x20])) + 2).subarray(0, 32)
    const secrets = [pin, soPin, passphrase].flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(Buffer.from(text).toString('base64').replace(/=+$/, '').slice(0, -1)), Buffer.from(Buffer.from(text).toString('hex'))])
    secrets.push(scalar, Buffer.from(scalar.toString('hex')), Buffer.from(scalar.toString('base64').slice(0, 40)))
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
    expect(files.some((file) => statSync(file).size > 0 && file.endsWith('.db'))).toBe(true)
    const everywhere = [...files.map((file) => ({ where: file, bytes: readFileSync(file) })), ...said.map((text) => ({ where: text.slice(0, 200), bytes: Buffer.from(text) }))]
    expect(everywhere.filter(({ bytes }) => secrets.some((secret) => bytes.includes(secret))).map(({ where }) => where)).toEqual([])
    // The search finds what is there: the keys' own names are.
    expect(everywhere.some(({ bytes }) => bytes.includes(Buffer.from('secret-file')))).toBe(true)
    station = await opened()
  })
})
