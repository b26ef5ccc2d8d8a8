// The bootloader's own LZMA2 against liblzma's encoder and against imgtool's compressed images, and against damage.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { toHex } from '../../main/base/bytes.ts'
import { must } from '../../main/base/failure.ts'
import { compressFirmware } from '../../main/image/compress.ts'
import { undoArmThumb, unpackLzma2 } from '../../main/practice/lzma2.ts'
import { unpackedImage } from '../../main/practice/unpacked.ts'
import { seededNumbers } from '../../main/practice/faults.ts'
import { parseImage } from '../../main/image/format.ts'
import { readListed } from '../../main/practice/slot-image.ts'

const vector = (name: string) => new Uint8Array(readFileSync(new URL(`../vectors/imgtool/images/${name}`, import.meta.url)))
const draw = seededNumbers(5)
const noise = (bytes: number) => new Uint8Array(bytes).map(() => Math.floor(draw() * 256))
const words = (bytes: number) => new TextEncoder().encode('the quick brown fox jumps over the lazy dog, and '.repeat(Math.ceil(bytes / 49))).subarray(0, bytes)
/** Loads and branches as they stand in Cortex-M firmware: BL pairs at even places. */
const thumb = (bytes: number) => {
  const code = noise(bytes)
  for (let i = 0; i + 4 <= bytes; i += 8) {
    code[i + 1] = 0xf0 | (code[i + 1]! & 7)
    code[i + 3] = 0xf8 | (code[i + 3]! & 7)
  }
  return code
}

test.each<[string, Uint8Array]>([
  ['one byte', Uint8Array.of(7)], ['words', words(5_000)], ['noise, which is stored', noise(4_000)], ['noise over two chunks', noise(150_000)],
  ['a run of one byte', new Uint8Array(300_000).fill(0xff)], ['words far apart', new Uint8Array([...words(70_000), ...noise(70_000), ...words(70_000)])], ['code', thumb(40_000)],
])('%s unpacks to what was packed, with and without the ARM-Thumb filter', async (_what, firmware) => {
  for (const kind of ['lzma2', 'lzma2armthumb'] as const) {
    const { stream } = must(await compressFirmware(firmware, kind))
    const back = unpackLzma2(stream, firmware.length)
    if (back !== null && kind === 'lzma2armthumb') undoArmThumb(back)
    expect(back !== null && Buffer.compare(back, firmware) === 0).toBe(true)
  }
})

test.each(['compressed-lzma2.bin', 'compressed-lzma2armthumb.bin'])('imgtool\'s %s unpacks to the image whose hash it promises', (name) => {
  const bytes = vector(name)
  const whole = unpackedImage(bytes, 0x69000)
  expect(whole).not.toBe(null)
  const promised = must(parseImage(bytes)).protectedTlvs.find(({ type }) => type === 0x71)!.value
  expect(toHex(readListed({ sizeBytes: whole!.length, read: (at, length) => whole!.subarray(at, at + length) })!.hash)).toBe(toHex(promised))
})

test('any damage ends in bytes of the promised size or in nothing', async () => {
  const firmware = words(3_000)
  const { stream } = must(await compressFirmware(firmware, 'lzma2'))
  fc.assert(fc.property(fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { minLength: 1, maxLength: 5 }), fc.nat(stream.length), (changes, cut) => {
    const damaged = stream.slice(0, stream.length - (cut % 7))
    for (const [at, value] of changes) if (at < damaged.length) damaged[at] = value
    const back = unpackLzma2(damaged, firmware.length)
    expect(back === null || back.length === firmware.length).toBe(true)
  }), { numRuns: 1000 })
})
