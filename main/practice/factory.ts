// How a practice board leaves its factory: slots laid out as its profile says, a bootloader with the keys built in, the
// first image in slot 0. Also the way back: a flash that could not boot any more is flashed anew.
import { assert, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { verifyImage } from '../image/verify.ts'
import { boot } from './bootloader.ts'
import type { Bootloader, ImageCheck } from './bootloader.ts'
import type { Unwrap } from './slot-check.ts'
import { Flash, FlashArea, erasedByte } from './flash.ts'
import type { BoardProfile } from './profiles.ts'
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
  return slotsOf(area('slot 0', profile.slot0), area('slot 1', profile.slot1), scratch, profile.maxAlign, layout)
}

/** The bootloader of that profile over those slots. */
export function bootloaderOf(slots: Slots, profile: BoardProfile, check: ImageCheck, unwrap?: Unwrap): Bootloader {
  const takes = unwrap === undefined || profile.packages === null ? {} : profile.packages === 'in-place' ? { unwrap, inPlace: { vectorAlign } } : { unwrap }
  return { slots, mode: profile.mode, check, ram: profile.ram, noDowngrade: profile.noDowngrade, ...takes }
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
export function flashFactoryImage(slots: Slots, firmware: Uint8Array, mode: BootMode = 'swap-move'): void {
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
  primary.area.flash.endCount()
}

/** Whether that flash holds something to run, tried on a copy so that a swap under way is not touched. */
export function couldBoot(loader: Bootloader, flash: Flash, profile: BoardProfile): boolean {
  const copy = new Flash(profile.flash, noTime, flash.snapshot())
  return boot({ ...loader, slots: layOut(copy, profile) }).running !== null
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
