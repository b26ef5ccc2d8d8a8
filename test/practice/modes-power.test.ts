// The power goes before every single flash step in the modes that do not swap: overwrite-only ends in the new image
// whatever was cut, direct-xip with a revert in the image that is due, and neither ever starts one that does not verify.
import { describe, expect, test } from 'vitest'
import { boot } from '../../main/practice/bootloader.ts'
import type { Bootloader } from '../../main/practice/slot-check.ts'
import { bootloaderOf, checkAgainst, flashFactoryImage, layOut } from '../../main/practice/factory.ts'
import { Flash } from '../../main/practice/flash.ts'
import type { FlashArea } from '../../main/practice/flash.ts'
import { profiles } from '../../main/practice/profiles.ts'
import { readHeader } from '../../main/practice/slot-image.ts'
import type { BootMode } from '../../main/practice/swap.ts'
import { cutEachStep, versionOf as runs } from './cuts.ts'
import { imageA, imageB, publicKey } from './rig.ts'

const check = checkAgainst([publicKey('board-ed25519')])

function bootloaderIn(mode: BootMode, content: Uint8Array | null = null): Bootloader {
  const profile = profiles[`practice-${mode}`]!
  const flash = new Flash(profile.flash, { eraseSectorMs: 0, writeWordUs: 0 }, content)
  return bootloaderOf(layOut(flash, profile), profile, check)
}

function put(area: FlashArea, image: Uint8Array): void {
  const padded = new Uint8Array(Math.ceil(image.length / area.writeBlockBytes) * area.writeBlockBytes).fill(0xff)
  padded.set(image)
  area.write(0, padded)
}

function prepared(mode: BootMode, prepare: (loader: Bootloader) => void): Uint8Array {
  const loader = bootloaderIn(mode)
  flashFactoryImage(loader.slots, imageA('ed25519'), mode)
  prepare(loader)
  return loader.slots.primary.area.flash.snapshot()
}


function cutEverywhere(mode: BootMode, content: Uint8Array, after: (loader: Bootloader, when: string) => void): number {
  return cutEachStep((bytes) => bootloaderIn(mode, bytes), content, after)
}

describe('overwrite-only', () => {
  const upgrade = (mark: (loader: Bootloader) => void) => prepared('overwrite-only', (loader) => {
    put(loader.slots.secondary.area, imageB('ed25519'))
    mark(loader)
  })

  test('a cut at any step of the copy still ends in the new image, and never goes back', () => {
    const content = upgrade(({ slots }) => slots.secondary.trailer.writeMagic())
    const steps = cutEverywhere('overwrite-only', content, (loader, when) => {
      expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.1.0.7`)
      expect(`${when}, then ${runs(loader)}`).toBe(`${when}, then 1.1.0.7`)
    })
    expect(steps).toBeGreaterThan(30)
  })

  test('a cut between the last two erases leaves a mark behind that asks for an image no longer there', () => {
    const content = upgrade(({ slots }) => slots.secondary.trailer.writeMagic())
    let last: Bootloader | null = null
    cutEverywhere('overwrite-only', content, (loader) => { last = loader })
    const { slots } = last!
    expect(runs(last!)).toBe('1.1.0.7')
    expect(readHeader(slots.secondary.area).magic).toBe('erased')
    expect(slots.secondary.trailer.state().magic).toBe('good')
  })

  test('an upgrade that does not verify is erased and the old image is not touched', () => {
    const damaged = imageB('ed25519')
    damaged[5000]! ^= 1
    const content = prepared('overwrite-only', ({ slots }) => {
      put(slots.secondary.area, damaged)
      slots.secondary.trailer.writeMagic()
    })
    cutEverywhere('overwrite-only', content, (loader, when) => expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.0.0`))
    const loader = bootloaderIn('overwrite-only', content)
    expect(runs(loader)).toBe('1.0.0')
    expect(loader.slots.secondary.area.isErased()).toBe(true)
  })
})

describe('direct-xip with a revert', () => {
  const onTest = ({ slots }: Bootloader) => {
    put(slots.secondary.area, imageB('ed25519'))
    slots.secondary.trailer.writeMagic()
  }

  test('a cut before the try is noted costs nothing, one after it the way back', () => {
    const content = prepared('direct-xip-revert', onTest)
    cutEverywhere('direct-xip-revert', content, (loader, when) => expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.1.0.7`))
    const loader = bootloaderIn('direct-xip-revert', content)
    expect(runs(loader)).toBe('1.1.0.7')
    expect(runs(loader)).toBe('1.0.0')
  })

  test('the erase of an image that was not confirmed may be cut anywhere: the old one runs', () => {
    const content = prepared('direct-xip-revert', (loader) => {
      onTest(loader)
      expect(runs(loader)).toBe('1.1.0.7')
    })
    const steps = cutEverywhere('direct-xip-revert', content, (loader, when) => {
      expect(`${when}: ${runs(loader)}`).toBe(`${when}: 1.0.0`)
      expect(`${when}, then ${runs(loader)}`).toBe(`${when}, then 1.0.0`)
    })
    expect(steps).toBeGreaterThan(30)
  })

  test('an image without a trailer is erased, whichever slot it is in', () => {
    const content = prepared('direct-xip-revert', ({ slots }) => put(slots.secondary.area, imageB('ed25519')))
    const loader = bootloaderIn('direct-xip-revert', content)
    expect(runs(loader)).toBe('1.0.0')
    expect(loader.slots.secondary.area.isErased()).toBe(true)
  })
})

describe('direct-xip', () => {
  test('the newest image that verifies runs where it lies; one that does not verify loses its slot', () => {
    const loader = bootloaderIn('direct-xip', prepared('direct-xip', ({ slots }) => put(slots.secondary.area, imageB('ed25519'))))
    expect(boot(loader).running).toMatchObject({ version: '1.1.0.7', slot: 1 })
    const damaged = imageB('ed25519')
    damaged[5000]! ^= 1
    const other = bootloaderIn('direct-xip', prepared('direct-xip', ({ slots }) => put(slots.secondary.area, damaged)))
    expect(boot(other).running).toMatchObject({ version: '1.0.0', slot: 0 })
    expect(other.slots.secondary.area.isErased()).toBe(true)
  })
})

test('a RAM-load bootloader throws out an image that is not linked for RAM', () => {
  const loader = bootloaderIn('ram-load', prepared('ram-load', () => {}))
  expect(boot(loader).running).toBe(null)
  expect(loader.slots.primary.area.isErased()).toBe(true)
})

test('downgrade prevention erases an older upgrade instead of swapping it in', () => {
  const profile = profiles['practice-no-downgrade']!
  const flash = new Flash(profile.flash, { eraseSectorMs: 0, writeWordUs: 0 })
  const loader = bootloaderOf(layOut(flash, profile), profile, check)
  flashFactoryImage(loader.slots, imageB('ed25519'))
  put(loader.slots.secondary.area, imageA('ed25519'))
  loader.slots.secondary.trailer.writeMagic()
  expect(runs(loader)).toBe('1.1.0.7')
  expect(loader.slots.secondary.area.isErased()).toBe(true)
})
