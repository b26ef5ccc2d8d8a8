// What practice boards can be built with beside their mode: encrypted upgrades that are decrypted between the slots and
// encrypted again on the way back, several images tried together, and security counters; each with the power cut before
// every flash step, because that is where bootloaders break.
import { describe, expect, test } from 'vitest'
import { toHex } from '../../main/base/bytes.ts'
import type { Bootloader } from '../../main/practice/slot-check.ts'
import { secretOf } from '../../main/practice/secrets.ts'
import { listedVersion, readHeader, readListed } from '../../main/practice/slot-image.ts'
import { secondaryImage } from '../../main/practice/swap.ts'
import type { Slots } from '../../main/practice/swap.ts'
import { generateKey } from '../../main/keys/filekey.ts'
import { must } from '../../main/base/failure.ts'
import { versionOf as runs } from './cuts.ts'
import { cutEverywhere, loaderFor, made, prepared, put, smallProfile } from './small.ts'

const swaps = ['swap-move', 'swap-scratch', 'swap-offset'] as const
const versionIn = (slots: Slots) => listedVersion(readHeader(slots.primary.area))
const payloadIn = (area: { read(offset: number, length: number): Uint8Array }) => toHex(area.read(0x20, 64))

describe.each([...swaps.map((mode) => [mode, 128] as const), ...swaps.map((mode) => [mode, 256] as const)])('encrypted upgrades in %s with AES-%i', (mode, bits) => {
  const keyBytes = bits === 128 ? 16 : 32
  const profile = smallProfile(mode, { keyBytes })

  test('run in the clear, lie encrypted, and a revert brings the plain old image back', async () => {
    const [old, update] = [await made('1.0.0'), await made('1.1.0', { encrypted: bits })]
    const loader = loaderFor(profile, prepared(profile, [old], ({ slots }) => {
      put(slots.secondary.area, mode, update)
      slots.secondary.trailer.writeMagic()
    }))
    const stored = payloadIn(secondaryImage(loader.slots))
    expect(runs(loader)).toBe('1.1.0')
    expect(payloadIn(loader.slots.primary.area)).not.toBe(stored)
    expect(readHeader(loader.slots.primary.area).keyBytes).toBe(keyBytes)
    expect(payloadIn(loader.slots.primary.area)).toBe(toHex((await made('1.1.0')).subarray(0x20, 0x60)))
    expect(runs(loader)).toBe('1.0.0')
    expect(payloadIn(loader.slots.primary.area)).toBe(toHex(old.subarray(0x20, 0x60)))
  })

  test('an encrypted image that is swapped out is encrypted again, under its own key, and comes back', async () => {
    const [old, first, second] = [await made('1.0.0'), await made('1.1.0', { encrypted: bits }), await made('1.2.0', { encrypted: bits })]
    const loader = loaderFor(profile, prepared(profile, [old], ({ slots }) => {
      put(slots.secondary.area, mode, first)
      slots.secondary.trailer.writeMagic()
    }))
    expect(runs(loader)).toBe('1.1.0')
    loader.slots.primary.trailer.writeImageOk()
    const { secondary } = loader.slots
    secondary.area.erase(0, secondary.area.sizeBytes)
    put(secondary.area, mode, second)
    secondary.trailer.writeMagic()
    expect(runs(loader)).toBe('1.2.0')
    expect(payloadIn(secondary.area)).toBe(toHex(first.subarray(0x20, 0x60)))
    expect(runs(loader)).toBe('1.1.0')
    expect(payloadIn(loader.slots.primary.area)).toBe(toHex((await made('1.1.0')).subarray(0x20, 0x60)))
  })

  test('the power goes before any flash step of the swap and of the revert: the right image boots', async () => {
    const content = prepared(profile, [await made('1.0.0')], () => {})
    const update = await made('1.1.0', { encrypted: bits })
    const marked = loaderFor(profile, content)
    put(marked.slots.secondary.area, mode, update)
    marked.slots.secondary.trailer.writeMagic()
    const before = marked.slots.primary.area.flash.snapshot()
    const steps = cutEverywhere(profile, before, (loader, when) => {
      expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.1.0`)
      expect(`${when}, then ${runs(loader)}`).toBe(`${when}, then 1.0.0`)
      expect(`${when}, at last ${runs(loader)}`).toBe(`${when}, at last 1.0.0`)
    })
    expect(steps).toBeGreaterThan(30)
    const tested = loaderFor(profile, before)
    expect(runs(tested)).toBe('1.1.0')
    cutEverywhere(profile, tested.slots.primary.area.flash.snapshot(), (loader, when) => expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.0.0`))
  })

  test('for another board are thrown away unseen, and the old image stays', async () => {
    const other = must(secretOf((await generateKey('x25519')).pkcs8, keyBytes))
    const content = prepared(profile, [await made('1.0.0')], () => {})
    const loader = loaderFor(profile, content, other)
    put(loader.slots.secondary.area, mode, await made('1.1.0', { encrypted: bits }))
    loader.slots.secondary.trailer.writeMagic()
    expect(runs(loader)).toBe('1.0.0')
    expect(readListed(secondaryImage(loader.slots))).toBe(null)
  })

  test('with the other length of key are thrown away: a bootloader is built for one of them', async () => {
    const loader = loaderFor(profile, prepared(profile, [await made('1.0.0')], () => {}))
    put(loader.slots.secondary.area, mode, await made('1.1.0', { encrypted: bits === 128 ? 256 : 128 }))
    loader.slots.secondary.trailer.writeMagic()
    expect(runs(loader)).toBe('1.0.0')
    expect(readListed(secondaryImage(loader.slots))).toBe(null)
  })
})

test('overwrite-only decrypts on the way, and a board without a key throws an encrypted image away', async () => {
  const profile = smallProfile('overwrite-only', { keyBytes: 16 })
  const update = await made('1.1.0', { encrypted: 128 })
  const content = prepared(profile, [await made('1.0.0')], ({ slots }) => {
    put(slots.secondary.area, 'overwrite-only', update)
    slots.secondary.trailer.writeMagic()
  })
  expect(runs(loaderFor(profile, content.slice()))).toBe('1.1.0')
  expect(runs(loaderFor(profile, content.slice(), null))).toBe('1.0.0')
  cutEverywhere(profile, content, (loader, when) => expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.1.0`))
})

describe.each(swaps)('two images in %s', (mode) => {
  const profile = smallProfile(mode, { images: 2 })
  const radio = (slots: Slots) => slots.others![0]!
  const versions = (loader: Bootloader) => `${runs(loader)} with ${versionIn(radio(loader.slots))}`
  const marked = async (app: Uint8Array, other: Uint8Array | null) => prepared(profile, [await made('1.0.0'), await made('3.0.0', { text: 'radio' })], ({ slots }) => {
    put(slots.secondary.area, mode, app)
    slots.secondary.trailer.writeMagic()
    if (other === null) return
    put(radio(slots).secondary.area, mode, other)
    radio(slots).secondary.trailer.writeMagic()
  })
  const needs = { dependencies: [{ image: 1, version: { major: 3, minor: 1, revision: 0, build: 0 } }] }

  test('go together, and together back when nobody confirms', async () => {
    const loader = loaderFor(profile, await marked(await made('1.1.0', needs), await made('3.1.0', { text: 'radio' })))
    expect(versions(loader)).toBe('1.1.0 with 3.1.0')
    expect(versions(loader)).toBe('1.0.0 with 3.0.0')
  })

  test('an application whose dependency is not met is not swapped in, nor is anything else, and nothing is lost', async () => {
    const loader = loaderFor(profile, await marked(await made('1.1.0', needs), null))
    expect(versions(loader)).toBe('1.0.0 with 3.0.0')
    expect(readListed(secondaryImage(loader.slots))).not.toBe(null)
    const older = loaderFor(profile, await marked(await made('1.1.0', needs), await made('3.0.5', { text: 'radio' })))
    expect(versions(older)).toBe('1.0.0 with 3.0.0')
  })

  test('the power goes before any flash step, also between the two: both are new, and then both old', async () => {
    const content = await marked(await made('1.1.0', { ...needs, payloadBytes: 1_200 }), await made('3.1.0', { text: 'radio', payloadBytes: 1_200 }))
    const steps = cutEverywhere(profile, content, (loader, when) => {
      expect(`${when}: ${versions(loader)}`).toBe(`${when}: 1.1.0 with 3.1.0`)
      expect(`${when}, then ${versions(loader)}`).toBe(`${when}, then 1.0.0 with 3.0.0`)
    })
    expect(steps).toBeGreaterThan(40)
  })

  test('the power goes in the revert of either: both are old', async () => {
    const loader = loaderFor(profile, await marked(await made('1.1.0', needs), await made('3.1.0', { text: 'radio' })))
    expect(versions(loader)).toBe('1.1.0 with 3.1.0')
    cutEverywhere(profile, loader.slots.primary.area.flash.snapshot(), (each, when) => expect(`${when}: ${versions(each)}`).toBe(`${when}: 1.0.0 with 3.0.0`))
  })
})

describe('security counters', () => {
  const profile = smallProfile('swap-move', { counters: true })
  const start = async () => prepared(profile, [await made('1.0.0', { securityCounter: 3 })], () => {})
  const upgrade = (loader: Bootloader, image: Uint8Array, confirm: boolean) => {
    const { secondary, primary } = loader.slots
    secondary.area.erase(0, secondary.area.sizeBytes)
    put(secondary.area, 'swap-move', image)
    secondary.trailer.writeMagic()
    const version = runs(loader)
    if (confirm && version !== '1.0.0') {
      primary.trailer.writeImageOk()
      runs(loader)
    }
    return version
  }

  test('an image below the counter, or without one, is thrown away, and equal ones are taken', async () => {
    const loader = loaderFor(profile, await start())
    expect(runs(loader)).toBe('1.0.0')
    expect(upgrade(loader, await made('1.1.0', { securityCounter: 2 }), false)).toBe('1.0.0')
    expect(upgrade(loader, await made('1.1.0'), false)).toBe('1.0.0')
    expect(upgrade(loader, await made('1.1.0', { securityCounter: 3 }), false)).toBe('1.1.0')
  })

  test('it rises with the confirm and not before: a test run can still go back, a confirmed one never', async () => {
    const loader = loaderFor(profile, await start())
    expect(runs(loader)).toBe('1.0.0')
    expect(upgrade(loader, await made('1.1.0', { securityCounter: 5 }), false)).toBe('1.1.0')
    expect(runs(loader)).toBe('1.0.0')
    expect(upgrade(loader, await made('1.1.0', { securityCounter: 5 }), true)).toBe('1.1.0')
    expect(loader.counters?.read(0)).toBe(5)
    expect(upgrade(loader, await made('1.2.0', { securityCounter: 4 }), false)).toBe('1.1.0')
  })
})

describe('compressed images where the bootloader overwrites', () => {
  const profile = smallProfile('overwrite-only', { keyBytes: 16 })
  const squeezed = (extra: object = {}) => made('1.1.0', { compression: 'lzma2', payloadBytes: 6_000, text: 'a', ...extra })
  const start = async (update: Uint8Array) => prepared(profile, [await made('1.0.0')], ({ slots }) => {
    put(slots.secondary.area, 'overwrite-only', update)
    slots.secondary.trailer.writeMagic()
  })

  test('are unpacked into the primary slot, where the unpacked image\'s own hash and signature hold', async () => {
    const loader = loaderFor(profile, await start(await squeezed()))
    expect(readHeader(loader.slots.secondary.area).compressed).toBe(true)
    expect(runs(loader)).toBe('1.1.0')
    expect(readHeader(loader.slots.primary.area).plain).toBe(true)
    const whole = await made('1.1.0', { payloadBytes: 6_000, text: 'a' })
    expect(toHex(loader.slots.primary.area.read(0, whole.length))).toBe(toHex(whole))
  })

  test('may be encrypted besides', async () => {
    expect(runs(loaderFor(profile, await start(await squeezed({ encrypted: 128 }))))).toBe('1.1.0')
  })

  test('that are damaged anywhere are thrown away, and the old image stays', async () => {
    const whole = await squeezed()
    for (const at of [0x20, 0x22, 0x30, 0x100, whole.length - 200]) {
      const damaged = whole.slice()
      damaged[at]! ^= 0x40
      expect(runs(loaderFor(profile, await start(damaged)))).toBe('1.0.0')
    }
  })

  test('survive a power cut before any flash step', async () => {
    cutEverywhere(profile, await start(await squeezed()), (loader, when) => expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.1.0`))
  })

  test('are no images to a bootloader that swaps', async () => {
    const swapping = smallProfile('swap-move')
    const content = prepared(swapping, [await made('1.0.0')], () => {})
    const loader = loaderFor(swapping, content)
    put(loader.slots.secondary.area, 'swap-move', await squeezed())
    loader.slots.secondary.trailer.writeMagic()
    expect(runs(loader)).toBe('1.0.0')
  })
})
