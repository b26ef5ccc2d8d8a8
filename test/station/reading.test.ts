// Files as people have them at the desk: images that are encrypted or compressed are opened as far as a key goes, and Intel
// HEX goes in and comes out at its address.
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHex } from '../../main/base/bytes.ts'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import { readHex, writeHex } from '../../main/image/hex.ts'
import { signImage } from '../../main/image/sign.ts'
import { parseVersion } from '../../main/image/version.ts'
import { generateKey, writeKeyPem } from '../../main/keys/filekey.ts'
import { Keyring } from '../../main/keys/keyring.ts'
import { openSigner } from '../../main/keys/signer.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { good } from '../image/vectors.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'

let folder = ''
let station: Station
const at = (name: string) => join(folder, name)
const firmware = new Uint8Array(3008).map((_, i) => i >> 4)
const value = async <T>(answer: Promise<T | Failure>): Promise<T> => good(await answer)
const kindOf = (answer: unknown) => (answer instanceof Failure ? answer.kind : 'no failure')

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-reading-'))
  station = await value(openStation({ home: at('home'), version: '0', ports: new SimulatedPorts(), person: 'Ada', clock: realClock }))
})
afterEach(async () => {
  await station.close()
  rmSync(folder, { recursive: true, force: true })
})

const open = async (name: string, purpose: 'image' | 'firmware' | 'key' = 'image') => (await value(station.openFile({ path: at(name), purpose }))).file
const ring = () => new Keyring(join(at('home'), 'keys'))

describe('an encrypted image', () => {
  /** Encrypted to a board's key that lies in the ring as `board`, under a passphrase. */
  async function encrypted(compression?: 'lzma2'): Promise<string> {
    const board = await generateKey('ecdsa-p256')
    good(await ring().add('board', await writeKeyPem(board, null), { class: 'production', newPassphrase: 'a long passphrase' }))
    const signing = await generateKey('ecdsa-p256')
    const signed = good(await signImage(firmware, {
      version: good(parseVersion('1.2.3')), headerBytes: 0x200, padHeader: true, slotBytes: 0x8000, ...(compression === undefined ? {} : { compression }),
      encrypt: { publicKey: board.publicKey, random: (bytes) => new Uint8Array(bytes).fill(9) },
    }, good(openSigner(signing))))
    writeFileSync(at('secret.bin'), signed.bytes)
    return open('secret.bin')
  }

  test('is opened with the key of the ring that fits, its plaintext checked, and the log names the key', async () => {
    const file = await encrypted()
    await value(station.generateKey({ name: 'other', algorithm: 'ed25519', class: 'test', passphrase: null }))
    expect(await value(station.decryptionKeys({ file }))).toEqual([{ name: 'board', algorithm: 'ecdsa-p256', encrypted: true }])
    const opened = await value(station.openEncrypted({ file, key: 'board', passphrase: 'a long passphrase' }))
    expect(opened).toMatchObject({ decrypted: true, firmwareSha256: createHash('sha256').update(firmware).digest('hex'), firmwareBytes: firmware.length, signed: false, unpacked: null })
    const { entries } = await value(station.listLog({ kind: 'key-used' }))
    expect(entries.map(({ data }) => data)).toMatchObject([{ name: 'board', digest: opened.hash }])
    expect(JSON.stringify(opened)).not.toContain(toHex(firmware.subarray(0, 64)))
  })

  test('that is compressed as well is unpacked too', async () => {
    const file = await encrypted('lzma2')
    expect(await value(station.openEncrypted({ file, key: 'board', passphrase: 'a long passphrase' }))).toMatchObject({ decrypted: true, unpacked: { signatureHolds: null } })
  })

  test('stays shut without a key, with a wrong passphrase, with another key and with a key that decrypts nothing', async () => {
    const file = await encrypted()
    expect(kindOf(await station.openEncrypted({ file }))).toBe('no-key')
    expect(kindOf(await station.openEncrypted({ file, key: 'board' }))).toBe('needs-passphrase')
    expect(kindOf(await station.openEncrypted({ file, key: 'board', passphrase: 'another passphrase' }))).toBe('wrong-passphrase')
    expect(kindOf(await station.openEncrypted({ file, key: 'nobody' }))).toBe('no-such-key')
    for (const [algorithm, kind] of [['ecdsa-p256', 'wrong-encryption-key'], ['ed25519', 'unsupported-key']] as const) {
      writeFileSync(at('k.pem'), await writeKeyPem(await generateKey(algorithm), null))
      expect(kindOf(await station.openEncrypted({ file, keyFile: await open('k.pem', 'key') }))).toBe(kind)
    }
    expect((await value(station.listLog({ kind: 'key-used' }))).total).toBe(0)
  })

  test('whose plaintext was changed is caught, though its signature cannot be checked here', async () => {
    await encrypted()
    const bytes = readFileSync(at('secret.bin'))
    bytes[0x300] = (bytes[0x300] ?? 0) ^ 1
    writeFileSync(at('changed.bin'), bytes)
    expect(kindOf(await station.openEncrypted({ file: await open('changed.bin'), key: 'board', passphrase: 'a long passphrase' }))).toBe('bad-hash')
  })
})

describe('Intel HEX', () => {
  const sign = async (input: string, output: string) => station.sign({ file: await open(input, 'firmware'), key: 'line', passphrase: null, options: { version: '2.0.0' }, saveAs: at(output) })

  beforeEach(async () => {
    writeFileSync(at('app.hex'), good(writeHex([{ address: 0x0801_0200, bytes: firmware }])))
    writeFileSync(at('app.bin'), firmware)
    await value(station.generateKey({ name: 'line', algorithm: 'ed25519', class: 'test', passphrase: null }))
  })

  test('firmware is signed to HEX a header below its address, and to the very image that the binary gives', async () => {
    await value(sign('app.hex', 'out.hex'))
    await value(sign('app.bin', 'out.bin'))
    const out = good(readHex(readFileSync(at('out.hex'), 'utf8')))
    expect(out.baseAddress).toBe(0x0801_0000)
    expect(Buffer.from(out.bytes).equals(readFileSync(at('out.bin')))).toBe(true)
    const { entries } = await value(station.listLog({ kind: 'image-signed' }))
    expect(new Set(entries.map(({ data }) => data['inputSha256'])).size).toBe(1)
    expect(entries.map(({ data }) => data['outputSha256'])).toContain(createHash('sha256').update(readFileSync(at('out.hex'))).digest('hex'))
    expect((await value(station.inspectFile({ file: await open('out.hex') }))).signature).toBe('valid')
  })

  test('is not made of a binary, whose address nobody said', async () => {
    expect(kindOf(await sign('app.bin', 'out.hex'))).toBe('no-address')
  })

  test('that is damaged is refused with its line', async () => {
    const text = readFileSync(at('app.hex'), 'utf8').split('\n')
    writeFileSync(at('bad.hex'), [...text.slice(0, 4), text[4]?.replace(/..$/, '00'), ...text.slice(5)].join('\n'))
    const answer = await station.openFile({ path: at('bad.hex'), purpose: 'firmware' })
    expect(answer).toMatchObject({ kind: 'bad-hex', says: expect.stringContaining('Line 5') as string })
  })
})

test('a key of the ring is recognised in an image whatever hash names it there, and where it stands there whole', async () => {
  for (const [algorithm, more] of [['ed25519', {}], ['ed25519', { sha: '512' }], ['ecdsa-p384', {}], ['rsa-2048', { publicKeyFormat: 'full' }]] as const) {
    const name = `k-${algorithm}-${'sha' in more ? more.sha : 'usual'}`
    await value(station.generateKey({ name, algorithm, class: 'test', passphrase: null }))
    const signer = good(await ring().signer(name))
    const signed = good(await signImage(firmware, { version: good(parseVersion('1.0.0')), headerBytes: 0x200, padHeader: true, slotBytes: 0x8000, ...more }, signer))
    signer.close()
    writeFileSync(at(`${name}.bin`), signed.bytes)
    expect(await value(station.inspectFile({ file: await open(`${name}.bin`) }))).toMatchObject({ signature: 'valid', keyName: name })
  }
})
