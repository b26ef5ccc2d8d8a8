// In-place layout: it converges for every size, across the borders of the length forms and with a link step that changes
// the code, the vector table stands aligned, and openssl finds the image where we say; what never stands still is said.
import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Failure, failed } from '../../main/base/failure.ts'
import { concat, filled } from '../../main/base/bytes.ts'
import { layOutInPlace, packInPlace } from '../../main/cms/in-place.ts'
import type { InPlaceOrder, MakeImage } from '../../main/cms/in-place.ts'
import { measurePackage, openPackage } from '../../main/cms/package.ts'
import type { Signing } from '../../main/cms/signed.ts'
import { firmware, good, house, orderWith, worldOf } from './making.ts'
import { openssl } from './openssl.ts'

const tool = openssl()
const base: InPlaceOrder = { slotAddress: 0x8000, vectorAlign: 512, headerBytesMin: 32, roundsMax: 20 }

/** An image as MCUboot has it: header, code, a tail of TLVs. */
const imageOf = (code: Uint8Array): MakeImage => ({ headerBytes }) => Promise.resolve(concat(Uint8Array.of(0x3d, 0xb8, 0xf3, 0x96), filled(headerBytes - 4, 0xff), code, filled(40, 7)))

/** Where asn1parse sees the content of the innermost octet string begin; it is not made to print megabytes. */
function opensslOffset(bytes: Uint8Array): number {
  tool.put('in-place.der', bytes)
  const { stdout: lines } = spawnSync('sh', ['-c', `openssl asn1parse -inform DER -in '${tool.path('in-place.der')}' | cut -c1-80 | head -14`], { encoding: 'utf8', maxBuffer: 1 << 20 })
  const found = /^\s*(\d+):d=5 +hl=(\d+) l= *\d+ prim: OCTET STRING/m.exec(lines)
  return Number(found?.[1]) + Number(found?.[2])
}

async function packedInPlace(code: Uint8Array, signing: Signing, changes: Partial<InPlaceOrder> = {}, make: MakeImage = imageOf(code)) {
  const { firmware: _firmware, ...order } = orderWith()
  return packInPlace(order, { ...base, ...changes }, signing, make)
}

async function expectInPlace(codeBytes: number, signing: Signing, changes: Partial<InPlaceOrder> = {}): Promise<number> {
  const { made, layout } = good(await packedInPlace(firmware(codeBytes), signing, changes))
  const order = { ...base, ...changes }
  expect(layout.vectorAddress % order.vectorAlign).toBe(0)
  expect(layout.vectorAddress).toBe(order.slotAddress + layout.imageOffset + layout.headerBytes)
  expect(made.bytes.subarray(layout.imageOffset, layout.imageOffset + 4)).toEqual(Uint8Array.of(0x3d, 0xb8, 0xf3, 0x96))
  const vector = layout.imageOffset + layout.headerBytes
  expect(made.bytes.subarray(vector, vector + Math.min(4, codeBytes))).toEqual(firmware(codeBytes).subarray(0, 4))
  expect(layout.paddingBytes).toBeLessThan(4 * order.vectorAlign + 32)
  expect(opensslOffset(made.bytes)).toBe(layout.imageOffset)
  return layout.rounds.length
}

describe('layout stands still', () => {
  test.each([1, 60, 127, 128, 255, 256, 5000, 70_000])('for %i bytes of code', async (bytes) => {
    const { bare } = await house()
    expect(await expectInPlace(bytes, bare)).toBeLessThanOrEqual(3)
  })

  test.each([0x1_0000, 0x100_0000])('at every size around the length-form border %i', async (border) => {
    const { bare } = await house('ed25519')
    const tail = 40
    // The header, the attributes and the signature all count: the inner length crosses first, the outer ones some hundred bytes earlier.
    const code = filled(border, 0x5a)
    const measured = async (codeBytes: number) => good(await layOutInPlace({ ...base, vectorAlign: 4 }, imageOf(code.subarray(0, codeBytes)), measure(bare)))
    const steps = border > 0x1_0000 ? [-900, -500, -450, -400, -350, -80, -72, -71, -70, 0, 1] : Array.from({ length: 520 }, (_, i) => i - 500)
    for (const step of steps) {
      const layout = await measured(border - tail - 32 + step)
      expect(layout.vectorAddress % 4).toBe(0)
      expect(layout.rounds.length).toBeLessThanOrEqual(8)
    }
    await expectInPlace(border - tail - 32 - 8, bare, { vectorAlign: 4 })
  }, 120_000)

  test('for random sizes from 1 B to 20 MiB, by openssl\'s word', async () => {
    const { bare } = await house('ed25519')
    const sizes = fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 70_000 }) }, { weight: 2, arbitrary: fc.integer({ min: 70_000, max: 1 << 20 }) }, { weight: 1, arbitrary: fc.integer({ min: 1 << 20, max: 20 << 20 }) })
    await fc.assert(fc.asyncProperty(sizes, fc.constantFrom(4, 128, 256, 512, 1024, 4096), fc.integer({ min: 0, max: 0xffff }), async (bytes, vectorAlign, slot) => {
      await expectInPlace(bytes, bare, { vectorAlign, slotAddress: slot * 4 })
    }), { numRuns: 25, seed: 4108, endOnFailure: true })
  }, 120_000)

  test('for every key, whose signatures differ in length', async () => {
    for (const algorithm of ['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'] as const) await expectInPlace(3000, (await house(algorithm)).signing)
  })
})

describe('a link step that changes the code', () => {
  test('is followed until it stands still, also across the border it moves over', async () => {
    const { bare, keyAnchors } = await house()
    const asked: number[] = []
    // Longer branches where the code lies higher: as a linker does near the end of a branch's range.
    const relink: MakeImage = (place) => {
      asked.push(place.vectorAddress)
      return imageOf(firmware(place.vectorAddress > 0x8200 ? 64_990 : 64_900))(place)
    }
    const { made, layout } = good(await packedInPlace(new Uint8Array(0), bare, { vectorAlign: 128 }, relink))
    expect(asked.at(-1)).toBe(layout.vectorAddress)
    expect(opensslOffset(made.bytes)).toBe(layout.imageOffset)
    expect(good(openPackage(made.bytes, worldOf(keyAnchors))).firmwareOffset).toBe(layout.imageOffset)
  })

  test('two places that call each other for ever are ended by padding', async () => {
    // Small when asked for offset 72, large when asked for 66: neither is a fixed point.
    const wander: MakeImage = ({ headerBytes, vectorAddress }) => {
      const offset = vectorAddress - 0x8000 - headerBytes
      return imageOf(firmware(offset === 66 && headerBytes < 1000 ? 70_000 : 60_000))({ round: 0, headerBytes, vectorAddress })
    }
    const { bare } = await house()
    const layout = good(await layOutInPlace(base, wander, measure(bare)))
    expect(layout.imageOffset).toBe(66)
    expect(layout.rounds.length).toBeGreaterThan(3)
  })

  test('that never stands still is said, with its rounds', async () => {
    const { bare } = await house()
    let turn = 0
    const never: MakeImage = (place) => imageOf(firmware(++turn % 2 === 0 ? 60_000 : 70_000))(place)
    const end = await packedInPlace(new Uint8Array(0), bare, { roundsMax: 9 }, never)
    expect(end).toMatchObject({ kind: 'no-fixed-point', facts: { rounds: 9 } })
    expect(failed(end) && end.says).toMatch(/within 9 rounds.*66, 72|within 9 rounds.*72, 66/)
    expect(turn).toBe(9)
  })

  test('that fails ends the layout with its own words', async () => {
    const { bare } = await house()
    expect(await packedInPlace(new Uint8Array(0), bare, {}, () => Promise.resolve(new Failure('relink-failed', 'no')))).toMatchObject({ kind: 'relink-failed' })
  })
})

test.each<[string, Partial<InPlaceOrder>]>([
  ['an alignment that is no power of two', { vectorAlign: 96 }],
  ['a slot address beyond 32 bits', { slotAddress: 2 ** 33 }],
  ['no rounds', { roundsMax: 0 }],
  ['a header too short for MCUboot', { headerBytesMin: 16 }],
])('%s is refused', async (_what, changes) => {
  const { bare } = await house()
  expect(await packedInPlace(firmware(100), bare, changes)).toMatchObject({ kind: 'bad-order' })
})

function measure(signing: Signing) {
  return (image: Uint8Array) => measurePackage(orderWith({ firmware: image }), signing)
}
