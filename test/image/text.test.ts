// What other tools read: Intel HEX as imgtool writes it, dumpinfo in imgtool's three formats, and keys as getpub,
// getpubhash and getpriv print them. The goldens were printed by imgtool 2.4.0.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toHex } from '../../main/base/bytes.ts'
import { failed } from '../../main/base/failure.ts'
import { dumpHuman, dumpInfo, dumpJson, dumpYaml } from '../../main/image/dumpinfo.ts'
import { imageToHex, readHex, writeHex } from '../../main/image/hex.ts'
import { signImage } from '../../main/image/sign.ts'
import { fileOf, good, index, optionsOf, outputOf, signerOf } from './vectors.ts'

const vectors = join(import.meta.dirname, '..', 'vectors', 'imgtool')
const noRandom = () => {
  throw new Error('nothing random here')
}

describe('Intel HEX', () => {
  const row = index.vectors.find(({ name }) => name === 'hex-out')

  test('a signed image comes out as imgtool wrote it, and reads back', async () => {
    const { options, key, hexAddress } = await optionsOf(row?.args ?? [], noRandom)
    const signed = good(await signImage(fileOf(row?.input ?? ''), options, await signerOf(key ?? '')))
    const text = good(imageToHex(signed, hexAddress, options))
    expect(text).toBe(Buffer.from(fileOf(row?.output ?? '')).toString('latin1').replaceAll('\r\n', '\n'))
    const read = good(readHex(text))
    expect(read.baseAddress).toBe(0x10000)
    expect(toHex(read.bytes)).toBe(toHex(signed.bytes))
  })

  test('a padded image holds image, flag and magic only', async () => {
    const { options, key } = await optionsOf(row?.args ?? [], noRandom)
    const confirmed = { ...options, confirm: true }
    const signed = good(await signImage(fileOf(row?.input ?? ''), confirmed, await signerOf(key ?? '')))
    const read = good(readHex(good(imageToHex(signed, 0x10000, confirmed))))
    expect(toHex(read.bytes)).toBe(toHex(signed.bytes))
    expect(good(imageToHex(signed, 0x10000, confirmed)).length).toBeLessThan(20_000)
    expect(failed(imageToHex(signed, undefined, confirmed))).toBe(true)
    expect(failed(imageToHex(signed, 0xffff0000, confirmed))).toBe(true)
  })

  test('any pieces come back with their gaps as 0xff', () => {
    const piece = fc.record({ gap: fc.integer({ min: 0, max: 70_000 }), bytes: fc.uint8Array({ minLength: 1, maxLength: 100 }) })
    fc.assert(fc.property(fc.nat(0xfff00000), fc.array(piece, { minLength: 1, maxLength: 4 }), (start, pieces) => {
      let address = start
      const placed = pieces.map(({ gap, bytes }) => {
        const at = address + gap
        address = at + bytes.length
        return { address: at, bytes }
      })
      const read = good(readHex(writeHex(placed)))
      const first = placed[0]?.address ?? 0
      const expected = new Uint8Array(address - first).fill(0xff)
      for (const { address: at, bytes } of placed) expected.set(bytes, at - first)
      expect(read.baseAddress).toBe(first)
      expect(Buffer.from(read.bytes).equals(expected)).toBe(true)
    }), { numRuns: 200 })
  })

  const end = ':00000001FF\n'
  test.each([
    ['a wrong checksum', `:0100000000FE\n${end}`, 'bad-hex'],
    ['a missing end record', ':0100000000FF\n', 'bad-hex'],
    ['data after the end', `${end}:0100000000FF\n`, 'bad-hex'],
    ['a count that lies', `:0200000000FE\n${end}`, 'bad-hex'],
    ['a letter that is no digit', `:01000000G0FF\n${end}`, 'bad-hex'],
    ['an unknown record type', `:0100000900F6\n${end}`, 'bad-hex'],
    ['one address twice', `:0100000000FF\n:0100000000FF\n${end}`, 'bad-hex'],
    ['nothing in it', end, 'empty-firmware'],
    ['two memories far apart', `:0100000000FF\n:020000042000DA\n:0100000000FF\n${end}`, 'too-large'],
    ['text that is no HEX', 'hello\n', 'bad-hex'],
    ['no text at all', '', 'bad-hex'],
  ])('%s is refused', (_name, text, kind) => {
    const read = readHex(text)
    expect(failed(read) && read.kind).toBe(kind)
  })

  test('CRLF, blank lines and lower case are read', () => {
    expect(good(readHex(':0100000a10e5\r\n'.replace(':0100000a10e5', ':0100ff00aa56') + '\r\n:00000001ff\r\n')).baseAddress).toBe(0xff)
  })
})

describe('dumpinfo', () => {
  const rows = index.vectors.filter((row) => row.dumpinfo !== undefined && row.name !== 'big-endian')
  test.each(rows.map((row) => [row.name, row] as const))('%s says what imgtool says', (_name, row) => {
    const info = good(dumpInfo(outputOf(row), String(row.dumpinfo?.['filename'])))
    expect(JSON.parse(dumpJson(info))).toEqual(row.dumpinfo)
  })

  const dumps = JSON.parse(readFileSync(join(vectors, 'dumps.json'), 'utf8')) as Record<string, { human: string; yaml: string; json: string }>
  test.each(Object.keys(dumps))('%s looks the same as text, YAML and JSON', (name) => {
    const info = good(dumpInfo(fileOf(`images/${name}.bin`), `${name}.bin`))
    expect(dumpHuman(info)).toBe(dumps[name]?.human)
    expect(dumpYaml(info)).toBe(dumps[name]?.yaml)
    expect(dumpJson(info)).toBe(dumps[name]?.json)
  })

  test('file names that YAML would take for something else are quoted', () => {
    const named = (name: string) => dumpYaml(good(dumpInfo(fileOf('images/unsigned.bin'), name))).split('\n')[0]
    // as PyYAML printed these names
    expect(['my app.bin', '123', 'yes', "it's: x", 'naïve.bin', 'a-b_c.bin', '- x', '1e5.bin', 'null'].map(named)).toEqual([
      'filename: my app.bin', "filename: '123'", "filename: 'yes'", "filename: 'it''s: x'", 'filename: "na\\xEFve.bin"', 'filename: a-b_c.bin', "filename: '- x'", 'filename: 1e5.bin', "filename: 'null'",
    ])
  })
})
