// Signing where the key never meets the station: the digest that goes out is what imgtool's --vector-to-sign exports, the
// signature that comes back is checked before anything is saved, and a key that the ring knows keeps its policy.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { good } from '../image/vectors.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'

let folder = ''
let station: Station
const at = (name: string) => join(folder, name)
const value = async <T>(answer: Promise<T | Failure>): Promise<T> => good(await answer)
const kindOf = (answer: unknown) => (answer instanceof Failure ? answer.kind : 'no failure')
const options = { version: '4.1.0' }

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-airgap-'))
  writeFileSync(at('app.bin'), new Uint8Array(5000).map((_, i) => i >> 3))
  station = await value(openStation({ home: at('home'), version: '0', ports: new SimulatedPorts(), person: 'Ada', clock: realClock }))
})
afterEach(async () => {
  await station.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = async (name: string, purpose: 'firmware' | 'key' | 'text') => (await value(station.openFile({ path: at(name), purpose }))).file

/** A pair made elsewhere; its public half is a file here. */
function elsewhere(): { privatePem: string; sign(bytes: Uint8Array): Buffer } {
  const { privateKey } = generateKeyPairSync('ed25519')
  const privatePem = String(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  writeFileSync(at('vault.pub.pem'), createPublicKey(createPrivateKey(privatePem)).export({ type: 'spki', format: 'pem' }))
  return { privatePem, sign: (bytes) => signBytes(null, bytes, createPrivateKey(privatePem)) }
}

async function digest(): Promise<Buffer> {
  const exported = await value(station.exportDigest({ file: await open('app.bin', 'firmware'), publicKey: await open('vault.pub.pem', 'key'), options, saveAs: at('app.digest') }))
  const bytes = readFileSync(at('app.digest'))
  expect(exported?.digest).toBe(bytes.toString('hex'))
  return bytes
}

async function bring(signature: string | Buffer, more: { options?: { version: string }; saveAs?: string } = {}): Promise<unknown> {
  writeFileSync(at('app.sig'), signature)
  return station.importSignature({ file: await open('app.bin', 'firmware'), publicKey: await open('vault.pub.pem', 'key'), signature: await open('app.sig', 'text'), options: more.options ?? options, saveAs: more.saveAs ?? at('out.bin') })
}

test('the digest is the hash of the very image that the signature then completes', async () => {
  const vault = elsewhere()
  const bytes = await digest()
  expect(await bring(`${vault.sign(bytes).toString('base64')}\n`)).toMatchObject({ image: { signature: 'valid', version: '4.1.0+0' }, savedAs: at('out.bin') })
  const image = readFileSync(at('out.bin'))
  expect(good(inspectImage(image)).hash?.claimed).toBe(bytes.toString('hex'))
  const { entries } = await value(station.listLog({ kind: 'image-signed' }))
  expect(entries).toHaveLength(1)
  expect(entries[0]?.data).toMatchObject({ outputSha256: createHash('sha256').update(image).digest('hex'), imageHash: bytes.toString('hex') })
  // Nobody here can say where that key lives.
  expect(entries[0]?.data).not.toHaveProperty('home')
})

describe('nothing is saved, and the log says why, when what comes back', () => {
  const replies: readonly (readonly [string, (sign: (bytes: Uint8Array) => Buffer, bytes: Uint8Array) => string])[] = [
    ['signs other bytes', (sign, bytes) => sign(Buffer.concat([bytes, Buffer.of(0)])).toString('base64')],
    ['is cut', (sign, bytes) => sign(bytes).subarray(0, 63).toString('base64')],
    ['is no base64', () => 'this is the reply of a web proxy: <html>'],
    ['is empty base64', () => '   \n'],
    ['is of another key', (_sign, bytes) => signBytes(null, bytes, generateKeyPairSync('ed25519').privateKey).toString('base64')],
  ]
  test.each(replies)('%s', async (_name, reply) => {
    const vault = elsewhere()
    expect(kindOf(await bring(reply(vault.sign, await digest())))).toBe('bad-signature')
    expect(existsSync(at('out.bin'))).toBe(false)
    const { entries } = await value(station.listLog({ kind: 'image-refused' }))
    expect(entries.map(({ data }) => data['failure'])).toEqual(['bad-signature'])
  })

  test('was made for the same firmware under another version', async () => {
    const vault = elsewhere()
    const signature = vault.sign(await digest()).toString('base64')
    expect(kindOf(await bring(signature, { options: { version: '4.1.1' } }))).toBe('bad-signature')
    expect(existsSync(at('out.bin'))).toBe(false)
  })
})

test('the firmware itself is never replaced by what is exported or signed', async () => {
  const vault = elsewhere()
  const bytes = await digest()
  expect(kindOf(await bring(vault.sign(bytes).toString('base64'), { saveAs: at('app.bin') }))).toBe('same-file')
  const out = await station.exportDigest({ file: await open('app.bin', 'firmware'), publicKey: await open('vault.pub.pem', 'key'), options, saveAs: at('app.bin') })
  expect(kindOf(out)).toBe('same-file')
})

test('a key that the ring holds too does not lose its policy by being used elsewhere', async () => {
  const vault = elsewhere()
  writeFileSync(at('vault.pem'), vault.privatePem)
  await value(station.importKey({ file: await open('vault.pem', 'key'), name: 'vault', class: 'test', passphrase: null, newPassphrase: null }))
  await value(station.setKeyPolicy({ name: 'vault', needsTwo: true }))
  const signature = vault.sign(await digest()).toString('base64')
  expect(kindOf(await bring(signature))).toMatch(/^needs-a/)
  await value(station.setKeyPolicy({ name: 'vault', needsTwo: false }))
  expect(await bring(signature)).toMatchObject({ key: 'vault' })
  await value(station.retireKey({ name: 'vault' }))
  expect(kindOf(await bring(signature, { saveAs: at('again.bin') }))).toBe('key-retired')
})

test('a private key given for the public one is not read further, and an x25519 key is refused', async () => {
  const vault = elsewhere()
  writeFileSync(at('vault.pub.pem'), vault.privatePem)
  expect(await digest()).toHaveLength(32)
  writeFileSync(at('vault.pub.pem'), generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }))
  expect(kindOf(await station.exportDigest({ file: await open('app.bin', 'firmware'), publicKey: await open('vault.pub.pem', 'key'), options, saveAs: at('x.digest') }))).toBe('unsupported-key')
})
