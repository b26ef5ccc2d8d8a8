// How a practice board leaves its factory: slots laid out as its profile says, a bootloader with the keys built in, the
// first image in slot 0. Also the way back: a flash that could not boot any more is flashed anew.
import { assert, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { verifyImage } from '../image/verify.ts'
import { boot } from './bootloader.ts'
import type { Bootloader, ImageCheck, Unwrap } from './slot-check.ts'
import { Flash, FlashArea, erasedByte } from './flash.ts'
import type { BoardProfile } from './profiles.ts'
import { SecurityCounters } from './counters.ts'
import type { BoardSecret } from './secrets.ts'
import { readListed } from './slot-image.ts'
import { slotsOf } from './swap.ts'
import type { BootMode, Slots } from './swap.ts'

/** What a Cortex-M4 with up to 112 interrupts asks of its vector table. */
const vectorAlign = 512

const noTime = { eraseSectorMs: 0, writeWordUs: 0 }

/** The slots of that profile in that flash. */
export function layOut(flash: Flash, profile: BoardProfile): Slots {
  const area = (name: string, place: { address: number; sizeBytes: number }) => new FlashArea(flash, name, place.address, place.sizeBytes)
  const scratch = profile.mode === 'swap-scratch' ? area('scratch', profile.scratch) : null
  const layout = profile.mode === 'swap-offset' ? 'offset' : 'usual'
  const others = profile.others.map(({ slot0, slot1 }, index): Slots => ({
    ...slotsOf(area(`slot 0 of image ${index + 1}`, slot0), area(`slot 1 of image ${index + 1}`, slot1), scratch, profile.maxAlign, layout, profile.keyBytes), image: index + 1,
  }))
  return { ...slotsOf(area('slot 0', profile.slot0), area('slot 1', profile.slot1), scratch, profile.maxAlign, layout, profile.keyBytes), image: 0, others }
}

/** The bootloader of that profile over those slots. */
export function bootloaderOf(slots: Slots, profile: BoardProfile, check: ImageCheck, unwrap?: Unwrap, secret: BoardSecret | null = null): Bootloader {
  const takes = unwrap === undefined || profile.packages === null ? {} : profile.packages === 'in-place' ? { unwrap, inPlace: { vectorAlign } } : { unwrap }
  const { flash } = slots.primary.area
  const counters = profile.counters === null ? null : new SecurityCounters(new FlashArea(flash, 'security counters', profile.counters.address, flash.geometry.sectorBytes))
  return { slots, mode: profile.mode, check, secret, counters, ram: profile.ram, noDowngrade: profile.noDowngrade, ...takes }
}

/** Accepts an image that verifies against any of the keys. */
export function checkAgainst(trust: readonly PublicKey[]): ImageCheck {
  assert(trust.length > 0, 'a bootloader has at least one key')
  return (image) => {
    let verdict = verifyImage(image, trust[0])
    for (let i = 1; i < trust.length && failed(verdict); i++) verdict = verifyImage(image, trust[i])
    return failed(verdict) ? verdict : true
  }
}

/**
 * Puts the image into slot 0 and erases everything else that belongs to it. Where the bootloader wants a trailer to run
 * anything, the image comes with one that is confirmed, as a programmer would have written it (imgtool --pad --confirm).
 */
export function flashFactoryImage(slots: Slots, firmware: Uint8Array, mode: BootMode = 'swap-move', others: readonly Uint8Array[] = []): void {
  const { primary, secondary, scratch } = slots
  for (const slot of [primary, secondary, ...(scratch ? [scratch] : [])]) slot.area.erase(0, slot.area.sizeBytes)
  const block = primary.area.writeBlockBytes
  const padded = new Uint8Array(Math.ceil(firmware.length / block) * block).fill(erasedByte)
  padded.set(firmware)
  assert(padded.length <= primary.area.sizeBytes && primary.area.write(0, padded), 'the factory image fits its slot')
  if (mode === 'direct-xip-revert') {
    primary.trailer.writeMagic()
    primary.trailer.writeImageOk()
  }
  for (const [index, each] of (slots.others ?? []).entries()) {
    const image = others[index]
    assert(image !== undefined, 'a board with several images comes with one for each')
    flashFactoryImage(each, image, mode)
  }
  primary.area.flash.endCount()
}

/** Whether that flash holds something to run, tried on a copy so that a swap under way is not touched. */
export function couldBoot(loader: Bootloader, flash: Flash, profile: BoardProfile): boolean {
  const copy = new Flash(profile.flash, noTime, flash.snapshot())
  const counters = profile.counters === null ? null : new SecurityCounters(new FlashArea(copy, 'security counters', profile.counters.address, copy.geometry.sectorBytes))
  return boot({ ...loader, slots: layOut(copy, profile), counters }).running !== null
}

/** The hash the server would list for that image. */
export function listedHash(firmware: Uint8Array, profile: BoardProfile): Uint8Array {
  const { sizeBytes } = profile.slot0
  assert(firmware.length <= sizeBytes, 'the factory image fits its slot')
  const content = new Uint8Array(sizeBytes).fill(erasedByte)
  content.set(firmware)
  const flash = new Flash({ ...profile.flash, baseAddress: 0, sizeBytes }, noTime, content)
  const listed = readListed(new FlashArea(flash, 'factory image', 0, sizeBytes))
  assert(listed !== null, 'the factory image is an image with a SHA-256')
  return listed.hash
}
