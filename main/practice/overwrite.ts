// MCUboot's overwrite-only upgrade (boot/bootutil/src/loader.c, boot_copy_image, built as Zephyr builds it with
// OVERWRITE_ONLY_FAST): the new image is copied over the old one, and then the upgrade slot loses its first and its last
// sector. There is no way back and no confirm. Surprise: when the power goes between those two erases, the slot's trailer
// goes on asking for an upgrade that is not there, and the SMP server refuses every upload until the slot is erased.
import { erasedByte } from './flash.ts'
import type { FlashArea } from './flash.ts'
import { imageSize, readHeader } from './slot-image.ts'
import type { PayloadCipher } from './secrets.ts'
import { copyRegion } from './swap.ts'
import type { Slots } from './swap.ts'

/** What is unpacked is written in pieces of this size. */
const unpackedPieceBytes = 1024

/** Copies the checked image of the secondary slot over the primary one. Begun anew from the start after a power cut. */
export function overwrite(slots: Slots, cipher: PayloadCipher | null = null, unpacked: Uint8Array | null = null): void {
  const primary = slots.primary.area
  const secondary = slots.secondary.area
  const size = unpacked?.length ?? imageSize(secondary, readHeader(secondary)) ?? 0
  const block = primary.writeBlockBytes
  primary.erase(0, size)
  eraseTrailer(primary, slots.primary.trailer.statusOffset)
  // One write block past the image even when the image ends on one (loader.c rounds up always).
  if (unpacked !== null) writeUnpacked(primary, unpacked)
  else copyRegion(secondary, primary, 0, 0, Math.min(size + block - (size % block), primary.sizeBytes), { cipher, imageOffset: 0 })
  slots.primary.trailer.writeMagic()
  secondary.erase(0, secondary.sectorBytes)
  secondary.erase(secondary.sizeBytes - secondary.sectorBytes, secondary.sectorBytes)
}

function writeUnpacked(primary: FlashArea, unpacked: Uint8Array): void {
  const block = primary.writeBlockBytes
  for (let at = 0; at < unpacked.length; at += unpackedPieceBytes) {
    const piece = unpacked.subarray(at, at + unpackedPieceBytes)
    const padded = new Uint8Array(Math.ceil(piece.length / block) * block).fill(erasedByte)
    padded.set(piece)
    primary.write(at, padded)
  }
}

function eraseTrailer(area: FlashArea, statusOffset: number): void {
  const first = statusOffset - (statusOffset % area.sectorBytes)
  area.erase(first, area.sizeBytes - first)
}
