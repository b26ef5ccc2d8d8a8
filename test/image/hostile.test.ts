// Hostile input: the vectors mutated from a seed, thrown at every parser. Only Failures may come out: no exception, no
// hang, no memory beyond the multiple stated below. A run does a sample; `npm run fuzz` does a million (figures in the log).
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat } from '../../main/base/bytes.ts'
import { failed } from '../../main/base/failure.ts'
import { decompressFirmware } from '../../main/image/compress.ts'
import { dumpHuman, dumpInfo, dumpJson, dumpYaml } from '../../main/image/dumpinfo.ts'
import { decodeHeader, encodeHeader, parseImage } from '../../main/image/format.ts'
import { readHex } from '../../main/image/hex.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import { openImage } from '../../main/image/open.ts'
import { publicKeyFromSpki } from '../../main/image/publickey.ts'
import { decodeTlvArea, encodeTlvArea } from '../../main/image/tlv.ts'
import type { TlvEntry } from '../../main/image/tlv.ts'
import { decodeTrailer } from '../../main/image/trailer.ts'
import { checkSignature, verifyImage } from '../../main/image/verify.ts'
import { dice, fuzzRounds as rounds, fuzzSeed as seed, fuzzTimeoutMs } from './dice.ts'
import { fileOf, good, index, keyOf, optionsOf } from './vectors.ts'

const small = index.vectors.filter((row) => row.output.endsWith('.bin') && !row.args.includes('--vector-to-sign') && !/pad|odd|3072|compressed/.test(row.name)).map((row) => fileOf(row.output))
const edges = [0, 1, 3, 4, 0x7f, 0x80, 0xff]

/** Flips, edge values where the structure lies (header and TLVs), cuts, insertions, and pieces of another image. */
function mutate(roll: (below: number) => number): Uint8Array {
  const source = small[roll(small.length)] ?? new Uint8Array(0)
  let bytes = concat(source)
  for (let changes = 1 + roll(4); changes > 0; changes--) {
    if (bytes.length === 0) return bytes
    const spot = [roll(32), Math.max(0, bytes.length - 1 - roll(260)), roll(bytes.length)][roll(3)] ?? 0
    const at = Math.min(spot, bytes.length - 1)
    switch (roll(6)) {
      case 0:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << roll(8))
        break
      case 1:
        bytes[at] = edges[roll(edges.length)] ?? 0
        break
      case 2:
        bytes = bytes.subarray(0, at)
        break
      case 3:
        bytes = concat(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + roll(16))))
        break
      case 4:
        bytes = concat(bytes.subarray(0, at), Uint8Array.from({ length: 1 + roll(16) }, () => roll(256)), bytes.subarray(at))
        break
      default: {
        const other = small[roll(small.length)] ?? bytes
        bytes.set(other.subarray(at, Math.min(other.length, bytes.length, at + 64)), at)
      }
    }
  }
  return bytes
}

describe('mutated images', () => {
  test(`${rounds} of them end in a value or a Failure`, () => {
    const roll = dice(seed)
    const started = performance.now()
    let refused = 0
    for (let round = 0; round < rounds; round++) {
      const bytes = mutate(roll)
      const image = parseImage(bytes)
      if (failed(image)) {
        refused++
        expect(typeof image.facts['offset']).toBe('number')
        continue
      }
      // what was read lies within the file, and every view with it
      expect(image.imageBytes + image.rest.length).toBe(bytes.length)
      expect(image.headerArea.length + image.payload.length).toBeLessThanOrEqual(image.signedRegion.length)
      const verified = verifyImage(bytes)
      if (round % 16 === 0) {
        const report = inspectImage(bytes)
        expect(failed(report)).toBe(false)
        const info = dumpInfo(bytes, 'x.bin')
        if (!failed(info)) expect(dumpHuman(info).length + dumpYaml(info).length + dumpJson(info).length).toBeLessThan(60 * bytes.length + 4000)
        decodeTrailer(image.rest)
      }
      if (!failed(verified)) expect(verified.hashCheck).toBe('matches')
    }
    const seconds = (performance.now() - started) / 1000
    console.log(`${rounds} mutated images in ${seconds.toFixed(1)} s, ${refused} refused by the parser`)
    expect(refused).toBeGreaterThan(rounds / 10)
  }, fuzzTimeoutMs)

  test('no change to header, firmware, protected TLVs or signature gets past verification', async () => {
    for (const row of index.vectors.filter(({ name }) => ['ed25519', 'security-counter', 'ed25519-pure'].includes(name))) {
      const { options, key } = await optionsOf(row.args, () => new Uint8Array(0))
      expect(options.padHeader).toBe(true)
      const { publicKey } = await keyOf(key ?? '')
      const bytes = fileOf(row.output)
      const roll = dice(seed)
      for (let round = 0; round < 60; round++) {
        const at = [roll(32), roll(bytes.length), bytes.length - 1 - roll(200)][round % 3] ?? 0
        const changed = concat(bytes)
        changed[at] = (changed[at] ?? 0) ^ (1 << roll(8))
        expect(failed(verifyImage(changed, publicKey.algorithm === 'x25519' ? undefined : publicKey)), `${row.name}, byte ${at}`).toBe(true)
      }
    }
  })
})

describe('memory, as a multiple of the input', () => {
  const bytes = 4 * 1024 * 1024
  const image = (payloadBytes: number) => concat(encodeHeader({ loadAddress: 0, headerBytes: 32, protectedTlvBytes: 0, payloadBytes, flags: 0, version: { major: 1, minor: 0, revision: 0, build: 0 } }), new Uint8Array(payloadBytes))
  /** An area of the most TLVs that its 16-bit length lets in, all empty. */
  const manyTlvs = concat(image(0), Uint8Array.of(0x07, 0x69, 0xfc, 0xff), ...Array.from({ length: 16_382 }, () => Uint8Array.of(0xa0, 0xa0, 0, 0)))
  const hexLine = ':10000000' + '00'.repeat(16) + 'F0\n'
  // each line its own address, so that no two can be joined
  const hexScattered = Array.from({ length: bytes / 14 }, (_, i) => {
    const at = (i * 2) & 0xffff
    return `:01${at.toString(16).padStart(4, '0').toUpperCase()}0000${((0x100 - ((1 + (at >> 8) + (at & 0xff)) & 0xff)) & 0xff).toString(16).padStart(2, '0').toUpperCase()}`
  }).slice(0, 32_768).concat(':00000001FF').join('\n')

  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void

  /** Bytes that reading takes, heap and buffers together, garbage and all, after a first round for the code itself. */
  function grown(read: () => unknown): number {
    read()
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const held = read()
    // garbage counts too: it was memory, and only the collector's mood decides how long
    const after = process.memoryUsage()
    expect(held).toBeDefined()
    return after.heapUsed + after.arrayBuffers - heapUsed - arrayBuffers
  }

  // A TLV area ends at 64 KiB, so its multiples are of that and no more. Figures are for Node; Electron's halved pointers
  // need half.
  const cases: readonly (readonly [name: string, inputBytes: number, multiple: number, read: () => unknown])[] = [
    ['an image of 4 MiB is read in place', bytes, 0.2, () => parseImage(whole)],
    ['an image of 16,382 empty TLVs', manyTlvs.length, 80, () => good(parseImage(manyTlvs))],
    ['the report on it', manyTlvs.length, 220, () => good(inspectImage(manyTlvs))],
    ['a trailer of 4 MiB', bytes, 0.2, () => decodeTrailer(whole)],
    ['HEX of 4 MiB that is refused for giving an address twice', bytes, 10, () => readHex(hexLine.repeat(bytes / hexLine.length))],
    ['HEX of one byte a line, nothing adjacent', hexScattered.length, 40, () => good(readHex(hexScattered))],
  ]
  const whole = image(bytes)

  test.each(cases)('%s', (name, inputBytes, multiple, read) => {
    const times = grown(read) / inputBytes
    console.log(`${name}: ${times.toFixed(2)} times the input, at most ${multiple}`)
    expect(times).toBeLessThan(multiple)
  })
})

describe('anything at all', () => {
  test('as an image, a header, a trailer, a public key, a HEX file', () => {
    const magic = fc.uint8Array({ maxLength: 400 }).map((bytes) => concat(Uint8Array.of(0x3d, 0xb8, 0xf3, 0x96), bytes))
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), magic), (bytes) => {
      parseImage(bytes)
      decodeHeader(bytes)
      decodeTrailer(bytes)
      publicKeyFromSpki(bytes)
      inspectImage(bytes)
      readHex(bytes)
    }), { numRuns: 5000 })
  })

  test('as lines of HEX', () => {
    const line = fc.oneof(fc.constantFrom(':00000001FF', ':020000040800F2', ':02000002F000OC', ''), fc.string({ unit: fc.constantFrom(...':0123456789abcdefABCDEF'), maxLength: 60 }))
    fc.assert(fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
      readHex(lines.join('\n'))
    }), { numRuns: 3000 })
  })

  test('as a signature under every kind of key', async () => {
    for (const name of ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072']) {
      const { publicKey } = await keyOf(`keys/${name}.pem`)
      if (publicKey.algorithm === 'x25519') continue
      const key = publicKey
      const hash = name === 'ecdsa-p384' ? 'sha384' : 'sha256'
      const sizes = [0, 1, 64, 71, 72, 103, 256, 384]
      fc.assert(fc.property(fc.constantFrom(...sizes).chain((size) => fc.uint8Array({ minLength: size, maxLength: size })), (signature) => {
        expect(checkSignature(signature, key, { digest: new Uint8Array(hash === 'sha384' ? 48 : 32), hash })).toBe(false)
      }), { numRuns: 100 })
    }
  })
})

describe('codecs are pairs', () => {
  const u32 = fc.nat(0xffffffff)
  const header = fc.record({
    loadAddress: u32, headerBytes: fc.integer({ min: 32, max: 0xffff }), protectedTlvBytes: fc.nat(0xffff), payloadBytes: u32, flags: u32,
    version: fc.record({ major: fc.nat(255), minor: fc.nat(255), revision: fc.nat(65535), build: u32 }),
  })
  test('header', () => {
    fc.assert(fc.property(header, fc.constantFrom('little', 'big' as const), (value, endian) => {
      expect(good(decodeHeader(encodeHeader(value, endian)))).toEqual({ header: value, endian })
    }))
  })

  test('TLV area, also in big-endian where imgtool writes its own types as bytes', () => {
    const entry = fc.record({ type: fc.oneof(fc.constantFrom(0x01, 0x10, 0x24, 0x40, 0x50, 0x75), fc.integer({ min: 0xa0, max: 0xfffe })), value: fc.uint8Array({ maxLength: 80 }) })
    fc.assert(fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), fc.constantFrom('little', 'big' as const), (entries, endian) => {
      // 0xNN00 in big-endian cannot be told from imgtool's {NN, 0}: a flaw of its format that reading resolves its way
      fc.pre(endian === 'little' || entries.every(({ type }) => type < 0xa0 || (type & 0xff) !== 0))
      const area = good(encodeTlvArea(0x6907, entries, endian))
      const read = good(decodeTlvArea(area, 0, area.length, endian))
      expect(read.map(({ type, value }): TlvEntry => ({ type, value: concat(value) }))).toEqual(entries)
    }))
  })
})

describe('compressed firmware from strangers', () => {
  const bytes = fileOf('images/compressed-lzma2.bin')
  const image = good(parseImage(bytes))

  test('mutated streams unpack to the promised size or fail', async () => {
    const roll = dice(seed)
    for (let round = 0; round < 300; round++) {
      const payload = concat(image.payload)
      for (let changes = 1 + roll(3); changes > 0; changes--) payload[[roll(10), roll(payload.length)][roll(2)] ?? 0] = roll(256)
      const cut = roll(4) === 0 ? payload.subarray(0, roll(payload.length)) : payload
      const unpacked = await decompressFirmware(cut, roll(2) === 0 ? 'lzma2' : 'lzma2armthumb', 100_000)
      if (!failed(unpacked)) expect(unpacked.length).toBe(100_000)
      else expect(unpacked.kind).toBe('bad-compression')
    }
  })

  test('a promise of 64 MiB, a dictionary of 1 GiB and a stream of bombs are refused before anything is unpacked', async () => {
    const before = process.memoryUsage().arrayBuffers
    const bomb = concat(Uint8Array.of(10, 0x66), ...Array.from({ length: 2000 }, () => Uint8Array.of(0xff, 0xff, 0xff, 0, 1, 0x66, 0, 0)), Uint8Array.of(0))
    expect(failed(await decompressFirmware(bomb, 'lzma2', 100_000))).toBe(true)
    expect(failed(await decompressFirmware(bomb, 'lzma2', 2 ** 31))).toBe(true)
    expect(failed(await decompressFirmware(concat(Uint8Array.of(38, 0x66), image.payload.subarray(2)), 'lzma2', 100_000))).toBe(true)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 1024 * 1024)
  })

  test('whole images, mutated, opened', async () => {
    const roll = dice(seed + 1)
    for (let round = 0; round < 100; round++) {
      const changed = concat(bytes)
      changed[[roll(32), bytes.length - 1 - roll(300)][roll(2)] ?? 0] = roll(256)
      await openImage(changed)
    }
  })
})
