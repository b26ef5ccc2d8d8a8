// imgtool's options at the desk: each reaches the image, what they name by id is read strictly, and the sizes said before
// signing are those of the image that is then signed.
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../main/base/bytes.ts'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { ArgsOf } from '../../main/contract/api.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import type { ImageReport } from '../../main/image/inspect.ts'
import { readHex } from '../../main/image/hex.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import { good } from '../image/vectors.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'

type Options = Partial<ArgsOf<'sign'>['options']>

let folder = ''
let station: Station
const at = (name: string) => join(folder, name)
const value = async <T>(answer: Promise<T | Failure>): Promise<T> => good(await answer)
const kindOf = (answer: unknown) => (answer instanceof Failure ? answer.kind : 'no failure')
const open = async (name: string, purpose: 'firmware' | 'key' | 'value' = 'firmware') => (await value(station.openFile({ path: at(name), purpose }))).file

/** A Cortex-M vector table of 64 entries before counted bytes: room for it is 256. */
function firmware(): Uint8Array {
  const bytes = new Uint8Array(30_000).map((_, i) => (i * 7) >> 4)
  const table = new DataView(bytes.buffer)
  table.setUint32(0, 0x2000_8000, true)
  for (let vector = 1; vector < 64; vector++) table.setUint32(4 * vector, 0x0000_0401 + 16 * vector, true)
  return bytes
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-sign-options-'))
  writeFileSync(at('app.bin'), firmware())
  station = await value(openStation({ home: at('home'), version: '0', ports: new SimulatedPorts(), person: 'Ada', clock: realClock }))
  await value(station.generateKey({ name: 'edwards', algorithm: 'ed25519', class: 'test', passphrase: null }))
})
afterEach(async () => {
  await station.close()
  rmSync(folder, { recursive: true, force: true })
})

async function sign(options: Options, { key = 'edwards', saveAs = 'out.bin' } = {}): Promise<unknown> {
  return station.sign({ file: await open('app.bin'), key, passphrase: null, options: { version: '1.2.3', ...options }, saveAs: at(saveAs) })
}

async function signed(options: Options, more: { key?: string; saveAs?: string } = {}): Promise<ImageReport> {
  const answer = await sign(options, more)
  expect(kindOf(answer), answer instanceof Failure ? answer.says : '').toBe('no failure')
  const bytes = readFileSync(at(more.saveAs ?? 'out.bin'))
  return good(inspectImage(more.saveAs?.endsWith('.hex') === true ? good(readHex(bytes)).bytes : bytes))
}

const tlv = (report: ImageReport, name: string) => report.tlvs.find((one) => one.name === name)?.hex

describe('an option that does not reach the image', () => {
  test('header, addresses and flags', async () => {
    expect((await signed({ headerBytes: 'auto' })).header).toMatchObject({ headerBytes: 256, payloadBytes: 30_000 })
    expect((await signed({ loadAddress: 0x2000_0000, nonBootable: true })).header).toMatchObject({ loadAddress: 0x2000_0000, flagNames: expect.arrayContaining(['RAM_LOAD', 'NON_BOOTABLE']) as unknown })
    expect((await signed({ romFixed: 0x8000 })).header.flagNames).toContain('ROM_FIXED')
    expect(kindOf(await sign({ romFixed: 1, loadAddress: 1 }))).toBe('bad-option')
    expect((await signed({ endian: 'big' })).version).toBe('1.2.3+0')
    expect([...readFileSync(at('out.bin')).subarray(0, 4)]).toEqual([0x96, 0xf3, 0xb8, 0x3d])
  })

  test('protected TLVs: dependencies, boot record, vendor and class, custom ones typed and from a file', async () => {
    writeFileSync(at('serial.dat'), 'of a file')
    const report = await signed({
      securityCounter: 'auto', dependencies: [{ image: 1, version: '2.0.1+4' }], bootRecord: 'SPE', vid: 'example.com', cid: 'pump',
      customTlvs: [{ type: 0xa0, value: 'typed' }, { type: 0xa1, value: '0x0badcafe' }, { type: 0xa2, file: await open('serial.dat', 'value') }],
    })
    expect(tlv(report, 'DEPENDENCY')).toBe('010000000200010004000000')
    expect(tlv(report, 'BOOT_RECORD')).toContain(toHex(utf8('SPE')))
    expect(tlv(report, 'UUID_VID')).toHaveLength(32)
    expect(tlv(report, 'UUID_CID')).toHaveLength(32)
    expect(report.tlvs.filter(({ type }) => type >= 0xa0 && type <= 0xa2).map(({ hex, area }) => [hex, area])).toEqual([[toHex(utf8('typed')), 'protected'], ['0badcafe', 'protected'], [toHex(utf8('of a file')), 'protected']])
  })

  test('hash and signature: SHA-512, the whole key, pure, padded ECDSA', async () => {
    expect((await signed({ sha: '512' })).hash?.name).toBe('sha512')
    const whole = await signed({ publicKeyFormat: 'full' })
    expect([tlv(whole, 'KEYHASH'), tlv(whole, 'PUBKEY')?.length]).toEqual([undefined, 88])
    expect(tlv(await signed({ pure: true }), 'SIG_PURE')).toBe('01')
    await value(station.generateKey({ name: 'curve', algorithm: 'ecdsa-p256', class: 'test', passphrase: null }))
    expect(tlv(await signed({ padSig: true }, { key: 'curve' }), 'ECDSASIG')).toHaveLength(144)
    expect(kindOf(await sign({ sha: '384' }))).toBe('bad-option')
  })

  test('the trailer: marked for test or confirmed, any alignment, fewer sectors, overwrite only, erased as 0', async () => {
    const bytes = async (options: Options) => {
      await signed({ slotBytes: 0x10000, ...options })
      return readFileSync(at('out.bin'))
    }
    const [test32, confirmed, overwrite, zeros] = [await bytes({ test: true, align: 32, maxAlign: 32 }), await bytes({ confirm: true }), await bytes({ pad: true, overwriteOnly: true, maxSectors: 8 }), await bytes({ pad: true, erasedValue: 0 })]
    expect([test32, confirmed, overwrite, zeros].map(({ length }) => length)).toEqual(Array(4).fill(0x10000))
    expect(test32.subarray(-16).readUInt16LE(0)).toBe(32)
    expect(confirmed.at(-24)).toBe(1)
    expect(overwrite.at(-24)).toBe(0xff)
    expect(zeros.at(-60)).toBe(0)
  })

  test('encryption and compression, with every companion', async () => {
    writeFileSync(at('board.pub'), generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }))
    const keyFile = await open('board.pub', 'key')
    const sealed = await signed({ encrypt: { keyFile, keyBits: 256, hmacSha: '512', saveEncTlv: true }, pad: true })
    expect(sealed).toMatchObject({ encrypted: true })
    expect(sealed.header.flagNames).toContain('ENCRYPTED_AES256')
    expect(Buffer.from(readFileSync(at('out.bin'))).includes(Buffer.from(firmware().subarray(2000, 2064)))).toBe(false)
    await signed({ encrypt: { keyFile, clear: true } })
    expect(Buffer.from(readFileSync(at('out.bin'))).includes(Buffer.from(firmware().subarray(2000, 2064)))).toBe(true)
    await signed({ encrypt: { keyFile }, pure: true })
    expect((await signed({ compression: 'lzma2armthumb' })).compressed).toBe(true)
    expect((await signed({ compression: 'lzma2', encrypt: { keyFile } }))).toMatchObject({ compressed: true, encrypted: true })
    expect(readFileSync(at('out.bin')).length).toBeLessThan(30_000)
  })

  test('Intel HEX at an address of its own, though the firmware came as a binary', async () => {
    expect(kindOf(await sign({}, { saveAs: 'none.hex' }))).toBe('no-address')
    await signed({ hexAddress: 0x0800_c000 }, { saveAs: 'out.hex' })
    expect(good(readHex(readFileSync(at('out.hex')))).baseAddress).toBe(0x0800_c000)
  })
})

describe('a file named by id that does not fit', () => {
  test.each([['an ed25519 key to encrypt to', 'ed25519' as const, 'bad-option'], ['no key at all', null, 'not-a-key']])('%s', async (_, type, kind) => {
    writeFileSync(at('wrong.pub'), type === null ? 'not a key at all' : generateKeyPairSync(type).publicKey.export({ type: 'spki', format: 'pem' }))
    expect(kindOf(await sign({ encrypt: { keyFile: await open('wrong.pub', 'key') } }))).toBe(kind)
    expect(kindOf(await sign({ encrypt: { keyFile: 'f999999' } }))).toBe('file-not-open')
  })

  test('a TLV value of 64 KiB, a tag that is MCUboot\'s own, half a byte of hex', async () => {
    writeFileSync(at('large.dat'), new Uint8Array(0x10000))
    expect(kindOf(await sign({ customTlvs: [{ type: 0xa0, file: await open('large.dat', 'value') }] }))).toBe('bad-option')
    expect(kindOf(await sign({ customTlvs: [{ type: 0x10, value: 'x' }] }))).toBe('bad-option')
    expect(kindOf(await sign({ customTlvs: [{ type: 0xa0, value: '0x123' }] }))).toBe('bad-option')
  })

  test('options of another shape never reach the signer', async () => {
    const shapes: unknown[] = [{ align: 3 }, { erasedValue: 7 }, { sha: '1' }, { maxSectors: 0 }, { encrypt: { keyFile: '/etc/passwd' } }, { customTlvs: [{ type: 0xa0 }] }, { endian: 'middle' }, { hexAddress: -1 }, { unheardOf: true }]
    for (const shape of shapes) expect(kindOf(await sign(shape as Options)), JSON.stringify(shape)).not.toBe('no failure')
    expect((await value(station.listLog({ kind: 'image-signed' }))).total).toBe(0)
  })
})

describe('sizes before signing', () => {
  const cases: readonly (readonly [string, Options])[] = [
    ['plain', {}], ['SHA-512 and the whole key', { sha: '512', publicKeyFormat: 'full' }], ['TLVs', { securityCounter: 3, customTlvs: [{ type: 0xa0, value: 'x'.repeat(99) }], bootRecord: 'SPE' }],
    ['header from the vector table', { headerBytes: 'auto' }], ['compressed', { compression: 'lzma2' }],
  ]
  test.each(cases)('other than those of the image: %s', async (_, options) => {
    const file = await open('app.bin')
    const measured = await value(station.measureFirmware({ file, key: 'edwards', options: { version: '1.2.3', ...options } }))
    await signed(options)
    expect(measured).toMatchObject({ algorithm: 'ed25519', imageBytes: readFileSync(at('out.bin')).length })
    expect(measured.headerBytes + measured.payloadBytes + measured.protectedTlvBytes + measured.tlvBytes).toBe(measured.imageBytes)
    for (const mode of measured.modes) expect(mode.freeBytes).toBe(mode.largestImageBytes - measured.imageBytes)
  })

  test('ask for no secret, count nothing where no key is chosen, and say what does not fit', async () => {
    const file = await open('app.bin')
    await value(station.generateKey({ name: 'locked', algorithm: 'rsa-2048', class: 'production', passphrase: 'correct horse' }))
    const [bare, large] = [await value(station.measureFirmware({ file, options: { version: '0.0.0' } })), await value(station.measureFirmware({ file, key: 'locked', options: { version: '0.0.0', slotBytes: 0x8000 } }))]
    expect([bare.algorithm, large.algorithm, large.imageBytes - bare.imageBytes]).toEqual([null, 'rsa-2048', 4 + 256 + 4 + 32])
    expect(large.modes.every(({ fits, freeBytes }) => fits === freeBytes >= 0)).toBe(true)
    expect(large.modes.find(({ mode }) => mode === 'swap-move')?.fits).toBe(false)
    expect(kindOf(await station.measureFirmware({ file, key: 'nobody', options: { version: '0.0.0' } }))).toBe('no-such-key')
    expect((await value(station.listLog({ kind: 'image-refused' }))).total).toBe(0)
  })
})
