// Whether the bootloader would run what lies in a slot (boot/bootutil/src/bootutil_loader.c, boot_check_header_valid;
// image_validate.c): a plausible header, not larger than its mode can carry, hash and signature right. And how large
// that is in each mode (bootutil_misc.c, bootutil_max_image_size).
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { FlashArea } from './flash.ts'
import { securityCounterOf } from './counters.ts'
import type { SecurityCounters } from './counters.ts'
import { decrypted, isStoredEncrypted } from './secrets.ts'
import type { BoardSecret } from './secrets.ts'
import { unpackedImage } from './unpacked.ts'
import { imageSize, readHeader } from './slot-image.ts'
import type { SlotHeader } from './slot-image.ts'
import type { BootMode, Slots, SwapAlgorithm, SwapMode } from './swap.ts'
import { swapMove } from './swap-move.ts'
import { swapOffset } from './swap-offset.ts'
import { swapScratch } from './swap-scratch.ts'

export const swapAlgorithms: Readonly<Record<SwapMode, SwapAlgorithm>> = {
  'swap-move': swapMove,
  'swap-scratch': swapScratch,
  'swap-offset': swapOffset,
}

/** Checks hash and signature of a whole image (header to last TLV) against the keys built into the bootloader. */
export type ImageCheck = (image: Uint8Array) => true | Failure

/** `offset` is where the image lies in the slot; null when it does not lie there as it is (compressed, encrypted, in pieces). */
export type UnwrappedPackage = Readonly<{ offset: number | null; image: Uint8Array; packageBytes: number }>

/** Proves the package that a slot begins with, and takes its image out. */
export type Unwrap = (slot: Uint8Array) => UnwrappedPackage | Failure

/** Where images of a RAM-load bootloader may run. */
export type RamWindow = Readonly<{ address: number; sizeBytes: number }>

export type Bootloader = Readonly<{
  slots: Slots
  mode: BootMode
  check: ImageCheck
  /** Null but for RAM load. */
  ram?: RamWindow | null
  /** Built to take firmware packages: proves one and finds the image in it. Swap-move unpacks it from the upgrade slot while it swaps. */
  unwrap?: Unwrap
  /** With `unwrap`, in direct-xip: images run from inside their packages, their vector tables aligned like that. */
  inPlace?: Readonly<{ vectorAlign: number }>
  /** Built to decrypt images on their way into the primary slot. */
  secret?: BoardSecret | null
  /** MCUBOOT_HW_ROLLBACK_PROT; null where it is not built in. */
  counters?: SecurityCounters | null
  /** MCUBOOT_DOWNGRADE_PREVENTION: no version below the one that runs. */
  noDowngrade?: boolean
}>

/** The largest image, with TLVs, that this bootloader takes. */
export function largestImage({ slots, mode }: Bootloader): number {
  const { trailer } = slots.primary
  switch (mode) {
    case 'swap-move':
    case 'swap-scratch':
    case 'swap-offset':
      return swapAlgorithms[mode].imageBytesMax(slots)
    case 'single-slot':
      // No swap status there (boot_status_entry_sz is 0).
      return trailer.swapSizeOffset
    default:
      return Math.min(trailer.swapInfoOffset, slots.secondary.trailer.swapInfoOffset)
  }
}

/** True when the image that begins where `area` begins would run. `roomBytes` is the size of the whole slot. */
export function imageHolds(loader: Bootloader, area: FlashArea, roomBytes: number = area.sizeBytes): boolean {
  const header = readHeader(area)
  const stated = header.headerBytes + header.imageBytes + header.protectedTlvBytes
  if (header.magic !== 'image' || stated >= roomBytes) return false
  const size = imageSize(area, header)
  if (size === null || size > largestImage(loader)) return false
  const image = asVerified(loader, area, header, area.read(0, size))
  if (image === null || !isCounted(loader, image) || failed(loader.check(image))) return false
  // What it unpacks to has a hash and a signature of its own.
  const whole = header.compressed ? unpackedImage(image, largestImage(loader)) : image
  return whole !== null && (!header.compressed || !failed(loader.check(whole)))
}

/** The image as it will lie in the primary slot, where it is compressed; null for one that is copied as it is. */
export function unpackedIn(loader: Bootloader, area: FlashArea): Uint8Array | null {
  const header = readHeader(area)
  const size = header.compressed ? imageSize(area, header) : null
  const image = size === null ? null : asVerified(loader, area, header, area.read(0, size))
  return image === null ? null : unpackedImage(image, largestImage(loader))
}

/** The image as its hash covers it; null where this bootloader cannot make that of it. */
function asVerified({ slots, mode, secret }: Bootloader, area: FlashArea, header: SlotHeader, image: Uint8Array): Uint8Array | null {
  // Packed images hold as they are; unpacking them is the business of overwrite-only.
  if (header.compressed && mode !== 'overwrite-only') return null
  if (header.keyBytes === 0) return image
  if (!secret) return null
  return isStoredEncrypted(mode, area, slots.primary.area) ? decrypted(secret, image, header) : image
}

/** No image below the counter that was kept, and none without one (bootutil_img_validate). */
function isCounted({ counters, slots }: Bootloader, image: Uint8Array): boolean {
  if (!counters) return true
  const counter = securityCounterOf(image)
  return counter !== null && counter >= counters.read(slots.image ?? 0)
}
