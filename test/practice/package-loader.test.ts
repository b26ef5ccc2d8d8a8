// Packages in the upgrade slot: proven there, unpacked while they are swapped in, the power cut before every flash step;
// the board always boots an image that verifies, the due one, and goes back without a confirm. And packages that run
// where they lie.
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { failed } from '../../main/base/failure.ts'
import { packInPlace } from '../../main/cms/in-place.ts'
import type { TrustAnchor } from '../../main/cms/trust.ts'
import { signImage } from '../../main/image/sign.ts'
import { verifyImage } from '../../main/image/verify.ts'
import { boot } from '../../main/practice/bootloader.ts'
import type { Bootloader, ImageCheck } from '../../main/practice/slot-check.ts'
import { Flash, FlashArea } from '../../main/practice/flash.ts'
import { layersOf } from '../../main/practice/package-layers.ts'
import { bootInPlace, unwrapWith } from '../../main/practice/package-loader.ts'
import { recordedRig } from '../../main/practice/profiles.ts'
import type { Unwrap } from '../../main/practice/slot-check.ts'
import { slotsOf } from '../../main/practice/swap.ts'
import type { MaxAlign } from '../../main/practice/trailer.ts'
import { deflate, firmware, good, hardware, house, nowMs, orderWith, packed } from '../cms/making.ts'
import { bootCut, cutEachStep, versionOf } from './cuts.ts'
import { imageA, imageB, publicKey } from './rig.ts'

const key = publicKey('board-ed25519')
const verdicts = new Map<string, ReturnType<ImageCheck>>()
const unwrapped = new Map<string, ReturnType<Unwrap>>()

function once<T>(known: Map<string, T>, bytes: Uint8Array, work: () => T): T {
  const digest = createHash('sha256').update(bytes).digest('hex')
  const value = known.get(digest) ?? work()
  known.set(digest, value)
  return value
}

/** The real checks, each content once: these tests boot some thousand times. */
const check: ImageCheck = (image) => once(verdicts, image, () => {
  const verified = verifyImage(image, key)
  return failed(verified) ? verified : true
})

type Built = 'plain' | 'nested' | 'compressed' | 'compressed and encrypted' | 'encrypted, its key wrapped'
type Part = { writeBlockBytes: number; align: MaxAlign; slotSectors: number; built: Built }
let anchors: readonly TrustAnchor[] = []
let packageB = new Uint8Array(0)
const packages = new Map<Built, Uint8Array>()
const firmwareKey = { id: utf8('line 3'), key: new Uint8Array(32).fill(7) }
const wrappingKey = { id: utf8('boards'), key: new Uint8Array(16).fill(8) }

beforeAll(async () => {
  const { bare, keyAnchors } = await house()
  anchors = keyAnchors
  packageB = (await packed(bare, { firmware: imageB('ed25519') })).bytes.slice()
  packages.set('plain', packageB)
  const encrypt = { secret: firmwareKey, random: (bytes: number) => new Uint8Array(bytes).fill(3) }
  for (const [built, order] of [['nested', { nested: true }], ['compressed', { compress: deflate, nested: true }], ['compressed and encrypted', { compress: deflate, encrypt }], ['encrypted, its key wrapped', { encrypt: { ...encrypt, wrapFor: wrappingKey } }]] as const) {
    packages.set(built, (await packed(bare, { firmware: imageB('ed25519'), ...order })).bytes.slice())
  }
})

function loaderOn(part: Part, content: Uint8Array | null = null): Bootloader {
  const geometry = { ...recordedRig.flash, baseAddress: 0, sizeBytes: 2 * part.slotSectors * 4096, writeBlockBytes: part.writeBlockBytes }
  const flash = new Flash(geometry, { eraseSectorMs: 0, writeWordUs: 0 }, content)
  const area = (name: string, first: number) => new FlashArea(flash, name, first * 4096, part.slotSectors * 4096)
  const keys = [part.built.endsWith('wrapped') ? wrappingKey : firmwareKey]
  const unwrap = unwrapWith(anchors, { hardwareType: hardware }, () => nowMs, layersOf(keys, part.slotSectors * 4096))
  return { slots: slotsOf(area('slot 0', 0), area('slot 1', part.slotSectors), null, part.align), mode: 'swap-move', check, unwrap: (slot) => once(unwrapped, slot, () => unwrap(slot.slice())) }
}

function put(area: FlashArea, bytes: Uint8Array): void {
  const block = area.writeBlockBytes
  const whole = new Uint8Array(Math.ceil(bytes.length / block) * block).fill(0xff)
  whole.set(bytes)
  area.write(0, whole)
}

function withPackage(part: Part, bytes: Uint8Array, mark: 'test' | 'perm'): Bootloader {
  const loader = loaderOn(part)
  put(loader.slots.primary.area, imageA('ed25519'))
  put(loader.slots.secondary.area, bytes)
  loader.slots.secondary.trailer.writeMagic()
  if (mark === 'perm') loader.slots.secondary.trailer.writeImageOk()
  loader.slots.secondary.trailer.writeSwapInfo(mark)
  return loader
}

const parts: readonly Part[] = [
  { writeBlockBytes: 1, align: 8, slotSectors: 20, built: 'plain' },
  { writeBlockBytes: 4, align: 8, slotSectors: 20, built: 'nested' },
  { writeBlockBytes: 8, align: 32, slotSectors: 20, built: 'plain' },
  { writeBlockBytes: 4, align: 8, slotSectors: 20, built: 'compressed' },
  { writeBlockBytes: 8, align: 16, slotSectors: 20, built: 'compressed and encrypted' },
  { writeBlockBytes: 1, align: 32, slotSectors: 20, built: 'encrypted, its key wrapped' },
]

describe.each(parts)('write block $writeBlockBytes, alignment $align, $built', (part) => {
  const content = (mark: 'test' | 'perm') => withPackage(part, packages.get(part.built) ?? packageB, mark).slots.primary.area.flash.snapshot()

  test('a package on test is swapped in, and goes back without a confirm', () => {
    const loader = loaderOn(part, content('test'))
    const first = boot(loader)
    expect([first.running?.version, first.swapped]).toEqual(['1.1.0.7', 'test'])
    const image = imageB('ed25519')
    expect(Buffer.compare(loader.slots.primary.area.read(0, image.length), image)).toBe(0)
    const back = boot(loader)
    expect([back.running?.version, back.swapped]).toEqual(['1.0.0', 'revert'])
    expect(versionOf(loader)).toBe('1.0.0')
  })

  test('a confirmed one stays', () => {
    const loader = loaderOn(part, content('test'))
    boot(loader)
    loader.slots.primary.trailer.writeImageOk()
    expect([versionOf(loader), versionOf(loader)]).toEqual(['1.1.0.7', '1.1.0.7'])
  })

  test.each(['test', 'perm'] as const)('a %s swap out of a package survives a power cut before any flash step', (mark) => {
    const start = content(mark)
    let step = 0
    for (let cut = true; cut;) {
      step++
      const loader = loaderOn(part, start.slice())
      cut = bootCut(loader, step)
      if (!cut) continue
      expect(`cut before ${step}: ${versionOf(loader)}`).toBe(`cut before ${step}: 1.1.0.7`)
      expect(`cut before ${step}: then ${versionOf(loader)}`).toBe(`cut before ${step}: then ${mark === 'test' ? '1.0.0' : '1.1.0.7'}`)
    }
    expect(step).toBeGreaterThan(part.slotSectors)
  })

  test('and the way back survives it too', () => {
    const loader = loaderOn(part, content('test'))
    boot(loader)
    const start = loader.slots.primary.area.flash.snapshot()
    let step = 0
    for (let cut = true; cut;) {
      step++
      const again = loaderOn(part, start.slice())
      cut = bootCut(again, step)
      if (cut) expect(`cut before ${step}: ${versionOf(again)}, ${versionOf(again)}`).toBe(`cut before ${step}: 1.0.0, 1.0.0`)
    }
    expect(step).toBeGreaterThan(part.slotSectors)
  })

  test('cut after cut, an image that verifies always boots in the end', () => {
    const start = content('test')
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 2, maxLength: 12 }), (cuts) => {
      const loader = loaderOn(part, start.slice())
      let booted = false
      for (const step of cuts) booted ||= !bootCut(loader, step)
      const end = versionOf(loader)
      expect(booted ? ['1.0.0', '1.1.0.7'] : ['1.1.0.7']).toContain(end)
    }), { numRuns: 60 })
  })
})

describe('a package that is refused loses its slot, and the old image boots', () => {
  const [part] = parts as [Part]

  test.each<[string, () => Promise<Uint8Array>]>([
    ['changed', () => Promise.resolve(packageB.map((byte, i) => (i === 4000 ? byte ^ 1 : byte)))],
    ['signed by nobody known', async () => (await packed((await house('ecdsa-p384')).bare, { firmware: imageB('ed25519') })).bytes],
    ['for other hardware', async () => (await packed((await house()).bare, { firmware: imageB('ed25519'), hardware: ['1.2.3'] })).bytes],
    ['compressed to almost nothing, and more than the slot when it is unpacked', async () => (await packed((await house()).bare, { firmware: new Uint8Array(4 * 1024 * 1024), compress: deflate })).bytes],
    ['encrypted with a key that the board has not', async () => (await packed((await house()).bare, { firmware: imageB('ed25519'), encrypt: { secret: { ...wrappingKey }, random: (bytes) => new Uint8Array(bytes) } })).bytes],
    ['encrypted with another key under the name of its own', async () => (await packed((await house()).bare, { firmware: imageB('ed25519'), encrypt: { secret: { ...firmwareKey, key: new Uint8Array(32) }, random: (bytes) => new Uint8Array(bytes) } })).bytes],
    ['encrypted, with no room to unpack it beside itself', async () => (await packed((await house()).bare, { firmware: firmware(part.slotSectors * 4096 * 0.45), encrypt: { secret: firmwareKey, random: (bytes) => new Uint8Array(bytes) } })).bytes],
    ['around an image signed with another key', async () => (await packed((await house()).bare, { firmware: imageB('ecdsa-p256') })).bytes],
    ['around no image', async () => (await packed((await house()).bare, { firmware: firmware(5000) })).bytes],
    ['cut off', () => Promise.resolve(packageB.slice(0, 2000))],
    ['of unstated length', () => Promise.resolve(Uint8Array.of(0x30, 0x80, 0, 0))],
  ])('%s', async (_what, make) => {
    const loader = withPackage(part, await make(), 'test')
    const result = boot(loader)
    expect([result.running?.version, result.swapped]).toEqual(['1.0.0', 'none'])
    expect(result.lines.some(({ text }) => text.startsWith('E: Package in the secondary slot is not valid'))).toBe(true)
    expect(loader.slots.secondary.area.isErased()).toBe(true)
    expect(versionOf(loader)).toBe('1.0.0')
  })

  test('a bootloader that is not built for packages takes it for nothing', () => {
    const { unwrap: _unwrap, ...plain } = withPackage(part, packageB, 'test')
    expect(boot(plain).running?.version).toBe('1.0.0')
  })
})

describe('a small package, a large old image: what was unpacked lies where the old image goes', () => {
  const part: Part = { ...parts[0]!, slotSectors: 20 }
  let start = new Uint8Array(0)
  let load: (content: Uint8Array) => Bootloader = () => loaderOn(part)
  beforeAll(async () => {
    const { bare, signer } = await house()
    const signed = async (content: Uint8Array, minor: number) => good(await signImage(content, { version: { major: 1, minor, revision: 0, build: 0 }, headerBytes: 0x200, padHeader: true, slotBytes: part.slotSectors * 4096 }, signer.signer)).bytes
    const own: ImageCheck = (image) => once(verdicts, image, () => {
      const verified = verifyImage(image, signer.signer.publicKey)
      return failed(verified) ? verified : true
    })
    const repeated = new Uint8Array(30_000).map((_, i) => i % 7)
    const { bytes } = await packed(bare, { firmware: await signed(repeated, 1), compress: deflate, encrypt: { secret: firmwareKey, random: (length) => new Uint8Array(length) } })
    expect(bytes.length).toBeLessThan(4096)
    load = (content) => ({ ...loaderOn(part, content), check: own })
    const loader = withPackage(part, bytes, 'test')
    loader.slots.primary.area.erase(0, loader.slots.primary.area.sizeBytes)
    put(loader.slots.primary.area, await signed(firmware(52_000), 0))
    start = loader.slots.primary.area.flash.snapshot().slice()
  })

  test('it is swapped in, and the old image is back after it, whole', () => {
    const loader = load(start.slice())
    expect([versionOf(loader), versionOf(loader), versionOf(loader)]).toEqual(['1.1.0', '1.0.0', '1.0.0'])
  })

  test('the power may go before any flash step, there and back', () => {
    const back = load(start.slice())
    boot(back)
    const swapped = back.slots.primary.area.flash.snapshot().slice()
    const there = cutEachStep(load, start, (loader, when) => expect(`${when}: ${versionOf(loader)}, ${versionOf(loader)}`).toBe(`${when}: 1.1.0, 1.0.0`))
    const again = cutEachStep(load, swapped, (loader, when) => expect(`${when}: ${versionOf(loader)}, ${versionOf(loader)}`).toBe(`${when}: 1.0.0, 1.0.0`))
    expect(Math.min(there, again)).toBeGreaterThan(100)
  })

  test('and again while it makes up for that: what was unpacked before the first cut is not unpacked anew, what was half done is', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 260 }), { minLength: 2, maxLength: 8 }), (cuts) => {
      const loader = load(start.slice())
      const booted = cuts.some((step) => !bootCut(loader, step))
      expect(booted ? ['1.1.0', '1.0.0'] : ['1.1.0']).toContain(versionOf(loader))
    }), { numRuns: 40 })
  })
})

describe('in place', () => {
  const slotBytes = 32 * 4096

  async function inPlaceAt(slotAddress: number, minor: number, changes: Readonly<{ vectorAlign?: number }> = {}) {
    const { bare, signer } = await house()
    const { firmware: _firmware, ...order } = orderWith()
    const code = firmware(9000, `v${minor}`)
    return good(await packInPlace(order, { slotAddress, vectorAlign: changes.vectorAlign ?? 512, headerBytesMin: 32, roundsMax: 20 }, bare, async ({ headerBytes }) => {
      const signed = await signImage(code, { version: { major: 1, minor, revision: 0, build: 0 }, headerBytes, padHeader: true, slotBytes }, signer.signer)
      return failed(signed) ? signed : signed.bytes
    }))
  }

  async function loader() {
    const { signer } = await house()
    const flash = new Flash({ ...recordedRig.flash, baseAddress: 0x8000, sizeBytes: 2 * slotBytes }, { eraseSectorMs: 0, writeWordUs: 0 })
    const area = (name: string, address: number) => new FlashArea(flash, name, address, slotBytes)
    const { primary, secondary } = slotsOf(area('slot 0', 0x8000), area('slot 1', 0x8000 + slotBytes), null, 8)
    const own: ImageCheck = (image) => {
      const verified = verifyImage(image, signer.signer.publicKey)
      return failed(verified) ? verified : true
    }
    return { slots: [primary, secondary] as const, areas: [primary.area, secondary.area] as const, unwrap: unwrapWith(anchors, { hardwareType: hardware }, () => nowMs), check: own, vectorAlign: 512, wayBack: false }
  }

  test('the newest package runs from where it lies, at the address that layout reported', async () => {
    const boards = await loader()
    const [older, newer] = [await inPlaceAt(0x8000, 1), await inPlaceAt(0x8000 + slotBytes, 2)]
    put(boards.areas[0], older.made.bytes)
    put(boards.areas[1], newer.made.bytes)
    const result = bootInPlace(boards)
    expect([result.running?.version, result.running?.slot, result.vectorAddress]).toEqual(['1.2.0', 1, newer.layout.vectorAddress])
    const at = (result.vectorAddress ?? 0) - 0x8000 - slotBytes
    expect(boards.areas[1].read(at, 9000)).toEqual(firmware(9000, 'v2'))
  })

  test('one that was changed is passed over for the older one', async () => {
    const boards = await loader()
    const newer = await inPlaceAt(0x8000 + slotBytes, 2)
    newer.made.bytes[3000]! ^= 1
    put(boards.areas[0], (await inPlaceAt(0x8000, 1)).made.bytes)
    put(boards.areas[1], newer.made.bytes)
    expect(bootInPlace(boards).running?.version).toBe('1.1.0')
    expect(boards.areas[1].isErased()).toBe(true)
  })

  test('with a way back, one that was not marked is never started, and one that was tried is not started again', async () => {
    const boards = { ...await loader(), wayBack: true }
    const newer = await inPlaceAt(0x8000 + slotBytes, 2)
    put(boards.areas[0], (await inPlaceAt(0x8000, 1)).made.bytes)
    boards.slots[0].trailer.writeMagic()
    boards.slots[0].trailer.writeImageOk()
    put(boards.areas[1], newer.made.bytes)
    expect(bootInPlace(boards).running?.version).toBe('1.1.0')
    expect(boards.areas[1].isErased()).toBe(true)
    put(boards.areas[1], newer.made.bytes)
    boards.slots[1].trailer.writeMagic()
    expect(bootInPlace(boards).running?.version).toBe('1.2.0')
    expect(bootInPlace(boards).running?.version).toBe('1.1.0')
  })

  test('code linked for another address is passed over, and left where it is', async () => {
    const boards = await loader()
    const { bare, signer } = await house()
    const { firmware: _firmware, ...order } = orderWith()
    const fixed = (by: number) => packInPlace(order, { slotAddress: 0x8000, vectorAlign: 512, headerBytesMin: 32, roundsMax: 20 }, bare, async ({ headerBytes, vectorAddress }) => {
      const signed = await signImage(firmware(9000), { version: { major: 1, minor: 3, revision: 0, build: 0 }, headerBytes, padHeader: true, slotBytes, romFixed: vectorAddress - headerBytes + by }, signer.signer)
      return failed(signed) ? signed : signed.bytes
    })
    put(boards.areas[0], good(await fixed(0x1000)).made.bytes)
    const passed = bootInPlace(boards)
    expect(passed.running).toBeNull()
    expect(passed.lines.map(({ text }) => text).join('\n')).toMatch(/linked for 0x9042 and lies at 0x8042/)
    expect(boards.areas[0].isErased()).toBe(false)
    boards.areas[0].erase(0, slotBytes)
    put(boards.areas[0], good(await fixed(0)).made.bytes)
    expect(bootInPlace(boards).running?.version).toBe('1.3.0')
  })

  test('one laid out for another address is not started', async () => {
    const boards = await loader()
    put(boards.areas[0], (await inPlaceAt(0x8040, 1)).made.bytes)
    const result = bootInPlace(boards)
    expect([result.running, result.vectorAddress]).toEqual([null, null])
    expect(result.lines.map(({ text }) => text).join('\n')).toMatch(/no multiple of 512/)
  })
})
