// Signing, inspecting and verifying from the command line, and every kind of bad input an engineer hands in by mistake.
// What imgtool's bytes look like is the image room's business; here it is files, exit codes, sentences and the log.
import { existsSync, mkdirSync, readFileSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { document, expectRefusal, folder, run } from './command.ts'

const dir = folder()
const home = join(dir, 'home')
const at = (name: string) => join(dir, name)
const layout = ['-v', '1.2.0', '-H', '0x200', '--pad-header', '-S', '0x69000']

type Signed = { hash: string; keyHash: string; entry: number; file: string }
type Log = { entries: { kind: string; data: Record<string, unknown> }[]; total: number }

const logOf = async () => document<Log>(await run(['log', 'list', '--json'], { home }))

beforeAll(async () => {
  const firmware = new Uint8Array(60_000).map((_, i) => (i * 7919) >> 3)
  writeFileSync(at('app.bin'), firmware)
  expect((await run(['keygen', '--type', 'ed25519', '--out', at('test.pem'), '--no-passphrase'], { home })).code).toBe(0)
  expect((await run(['sign', at('app.bin'), at('app.img'), '-k', at('test.pem'), ...layout], { home })).code).toBe(0)
})

test('a signed image verifies with its key, and with no other', async () => {
  const other = at('other.pem')
  await run(['keygen', '--type', 'ed25519', '--out', other, '--no-passphrase'], { home })
  const [good, bare, bad] = await Promise.all([
    run(['verify', at('app.img'), '--key', at('test.pem'), '--json'], { home }),
    run(['verify', at('app.img')], { home }),
    run(['verify', at('app.img'), '--key', other, '--json'], { home }),
  ])
  expect(good.code).toBe(0)
  expect(document(good)).toMatchObject({ holds: true, version: '1.2.0+0', signature: 'holds', algorithm: 'ed25519' })
  expect(bare).toMatchObject({ code: 0, stdout: expect.stringContaining('signature was not checked') as string })
  expectRefusal(bad, 'wrong-key', /signed with another key/)
})

test('an image that is signed once more is signed, and said to be one already', async () => {
  const again = await run(['sign', at('app.img'), at('again.img'), '-k', at('test.pem'), ...layout], { home })
  expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('is a signed image already') as string })
  expect((await run(['sign', at('app.bin'), at('fresh.img'), '-k', at('test.pem'), ...layout], { home })).stderr).not.toContain('already')
})

test('every signature is in the log before the command answers: key, digests and version', async () => {
  const signed = document<Signed>(await run(['sign', at('app.bin'), at('logged.img'), '-k', at('test.pem'), ...layout, '--json'], { home }))
  const { entries } = await logOf()
  const entry = entries.find(({ data }) => data['file'] === 'logged.img')
  expect(entry).toMatchObject({ kind: 'image-signed', data: { imageHash: signed.hash, key: signed.keyHash, version: '1.2.0+0', algorithm: 'ed25519', keyName: 'test.pem' } })
  const { createHash } = await import('node:crypto')
  const sha256 = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
  expect(entry?.data).toMatchObject({ inputSha256: sha256(at('app.bin')), outputSha256: sha256(at('logged.img')) })
})

test('ten signatures at once all get their entry, and the log holds', async () => {
  const before = (await logOf()).total
  const results = await Promise.all(Array.from({ length: 10 }, (_, i) => run(['sign', at('app.bin'), at(`many${i}.img`), '-k', at('test.pem'), ...layout], { home })))
  expect(results.map(({ code, stderr }) => ({ code, stderr }))).toEqual(results.map(() => ({ code: 0, stderr: '' })))
  expect((await logOf()).total).toBe(before + 10)
  expect(document(await run(['log', 'verify', '--json'], { home }))).toMatchObject({ holds: true, firstWrong: null })
}, 60_000)

test('inspect proves with the keys this home has met, and says what it could not prove', async () => {
  const here = await run(['inspect', at('app.img'), '--json'], { home })
  const elsewhere = await run(['inspect', at('app.img'), '--json'], { home: at('nothing-here') })
  expect(document(here)).toMatchObject({ signedBy: 'test', signature: { check: 'holds' }, hash: { check: 'matches' } })
  expect(document(elsewhere)).toMatchObject({ signedBy: null, signature: { check: 'no-key-given' } })
  expect([here.code, elsewhere.code]).toEqual([0, 0])
  expect(existsSync(at('nothing-here'))).toBe(false)
})

test('Intel HEX in and out: the image lies before the firmware\'s address, and reads back the same', async () => {
  const binary = readFileSync(at('app.bin'))
  const records: string[] = []
  const record = (type: number, address: number, data: Uint8Array) => {
    const bytes = [data.length, address >> 8, address & 0xff, type, ...data]
    const sum = -bytes.reduce((total, byte) => total + byte, 0) & 0xff
    return `:${[...bytes, sum].map((byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase()}`
  }
  for (let offset = 0; offset < binary.length; offset += 16) {
    const address = 0x8000 + offset
    if (offset === 0 || (address & 0xffff) === 0) records.push(record(4, 0, Uint8Array.of(0, address >> 16)))
    records.push(record(0, address & 0xffff, binary.subarray(offset, offset + 16)))
  }
  writeFileSync(at('app.hex'), `${[...records, ':00000001FF'].join('\n')}\n`)
  const hex = document<Signed>(await run(['sign', at('app.hex'), at('app.img.hex'), '-k', at('test.pem'), ...layout, '--json'], { home }))
  const plain = document<Signed>(await run(['sign', at('app.bin'), at('plain.img'), '-k', at('test.pem'), ...layout, '--json'], { home }))
  expect(hex.hash).toBe(plain.hash)
  expect(document(await run(['verify', at('app.img.hex'), '--key', at('test.pem'), '--json'], { home }))).toMatchObject({ hash: plain.hash })
  const lines = readFileSync(at('app.img.hex'), 'utf8').split('\n')
  expect(lines.find((line) => line.slice(7, 9) === '00')?.slice(3, 7)).toBe('7E00')
  expectRefusal(await run(['sign', at('app.bin'), at('out.hex'), '-k', at('test.pem'), ...layout, '--json'], { home }), 'bad-option', /--hex-addr/)
})

test('dumpinfo prints imgtool\'s keys as text, YAML and JSON', async () => {
  const [human, yaml, json] = await Promise.all([[], ['-f', 'yaml'], ['-f', 'json']].map((format) => run(['dumpinfo', at('app.img'), ...format], { home })))
  expect([human?.code, yaml?.code, json?.code]).toEqual([0, 0, 0])
  expect(yaml?.stdout).toMatch(/^ {2}hdr_size: 512$/m)
  expect(JSON.parse(json?.stdout ?? '')).toMatchObject({ header: { hdr_size: 512, img_size: 60_000 } })
  expect(human?.stdout).toContain('hdr_size')
})

test('-H auto reads header size and missing room from a Cortex-M vector table', async () => {
  const firmware = new Uint8Array(8192).fill(0x5a)
  const table = new DataView(firmware.buffer)
  table.setUint32(0, 0x2000_8000, true)
  for (let vector = 1; vector < 64; vector++) table.setUint32(4 * vector, 0x0000_0401 + 16 * vector, true)
  writeFileSync(at('vectors.bin'), firmware)
  const options = ['-k', at('test.pem'), '-v', '1.0.0', '-H', 'auto', '-S', '0x69000', '--json']
  expect(document(await run(['sign', at('vectors.bin'), at('vectors.img'), ...options], { home }))).toMatchObject({ headerBytes: 256 })
  // What was chosen decides where the firmware has to run, so it is said.
  expect((await run(['sign', at('vectors.bin'), at('vectors.img'), ...options.slice(0, -1)], { home })).stdout).toContain('header of 256 bytes (0x100), from the vector table; put before the firmware')
  expect(document<{ header: { headerBytes: number; payloadBytes: number } }>(await run(['inspect', at('vectors.img'), '--json'], { home })).header).toMatchObject({ headerBytes: 256, payloadBytes: 8192 })
  expectRefusal(await run(['sign', at('app.bin'), at('out.img'), ...options], { home }), 'no-vector-table', /--header-size/)
})

test('an image with one flipped byte is inspected to the end and answered with exit 1', async () => {
  const bytes = readFileSync(at('app.img'))
  bytes[5000] = (bytes[5000] ?? 0) ^ 1
  writeFileSync(at('flipped.img'), bytes)
  const result = await run(['inspect', at('flipped.img'), '--json'], { home })
  expect(result.code).toBe(1)
  expect(document(result)).toMatchObject({ hash: { check: 'differs' } })
  expectRefusal(await run(['verify', at('flipped.img'), '--json'], { home }), 'bad-hash', /does not match its own/)
})

describe('bad input is a sentence, exit 1, and leaves nothing behind', () => {
  const outputs = () => readdirSync(dir).filter((name) => name.startsWith('out')).sort()

  test.each<[string, string, () => string, RegExp]>([
    ['a firmware file that is missing', 'no-file', () => at('missing.bin'), /no such file/],
    ['an empty firmware file', 'empty-file', () => { writeFileSync(at('empty.bin'), ''); return at('empty.bin') }, /is empty/],
    ['a folder instead of firmware', 'is-directory', () => { mkdirSync(at('folder'), { recursive: true }); return at('folder') }, /is a folder/],
    ['a file of 100 MB', 'too-large', () => { writeFileSync(at('huge.bin'), ''); truncateSync(at('huge.bin'), 100_000_000); return at('huge.bin') }, /larger than/],
  ])('sign: %s', async (_, kind, make, sentence) => {
    const { total } = await logOf()
    expectRefusal(await run(['sign', make(), at('out.img'), '-k', at('test.pem'), ...layout, '--json'], { home }), kind, sentence)
    expect(outputs()).toEqual([])
    expect((await logOf()).total).toBe(total)
  })

  test.each<[string, string, string[], RegExp]>([
    ['a version 1.2', 'bad-version', ['-v', '1.2', '-H', '0x200', '--pad-header', '-S', '0x69000'], /like 1\.2\.0/],
    ['a version out of range', 'bad-version', ['-v', '256.0.0', '-H', '0x200', '--pad-header', '-S', '0x69000'], /0 to 255/],
    ['a slot smaller than the image', 'too-large', ['-v', '1.2.0', '-H', '0x200', '--pad-header', '-S', '0x4000'], /slot/],
    ['firmware with no room for the header', 'header-room', ['-v', '1.2.0', '-H', '0x200', '-S', '0x69000'], /--pad-header/],
    ['a header too small', 'bad-option', ['-v', '1.2.0', '-H', '16', '--pad-header', '-S', '0x69000'], /header-size/],
    ['a custom TLV with half a byte', 'bad-option', [...layout, '--custom-tlv', '0x2e00', '0xabc'], /hex digits/],
    ['a custom TLV of MCUboot\'s own number', 'bad-option', [...layout, '--custom-tlv', '0x10', 'x'], /0x00a0/],
    ['dependencies that are no pairs', 'bad-option', [...layout, '-d', '1.2.0'], /\(1, 1\.2\.0\+3\)/],
  ])('sign: %s', async (_, kind, options, sentence) => {
    expectRefusal(await run(['sign', at('app.bin'), at('out.img'), '-k', at('test.pem'), ...options, '--json'], { home }), kind, sentence)
    expect(outputs()).toEqual([])
  })

  test.each<[string, string, (name: string) => void, RegExp]>([
    ['a key that is nowhere', 'no-such-key', () => {}, /no key and no key file/],
    ['a key file that holds something else', 'not-a-key', (name) => writeFileSync(name, 'hello'), /not a key file/],
  ])('sign: %s', async (_, kind, make, sentence) => {
    const key = at(`${kind}.pem`)
    make(key)
    expectRefusal(await run(['sign', at('app.bin'), at('out.img'), '-k', key, ...layout, '--json'], { home }), kind, sentence)
    expect(outputs()).toEqual([])
  })

  test('an image cut anywhere in its TLVs or payload is refused by inspect, verify and provision, with the offset', async () => {
    const whole = readFileSync(at('app.img'))
    writeFileSync(at('cut.img'), whole.subarray(0, 40_000))
    for (const args of [['inspect', at('cut.img')], ['verify', at('cut.img')], ['provision', at('cut.img'), '--ports', dir]]) {
      const result = await run([...args, '--json'], { home })
      expectRefusal(result, 'truncated', /40000 bytes/)
      expect(document<{ failure: { facts: { offset?: number } } }>(result).failure.facts.offset).toBeGreaterThan(0)
    }
  })

  test('an output folder that does not exist: the image is not signed into the void, and not logged', async () => {
    const { total } = await logOf()
    expectRefusal(await run(['sign', at('app.bin'), join(dir, 'nowhere', 'out.img'), '-k', at('test.pem'), ...layout, '--json'], { home }), 'no-file', /there is no folder/)
    expect((await logOf()).total).toBe(total)
  })
})
