// Before signing: how much room there is. For every swap mode, what the loader would accept in these slots and what this
// image would leave free, since imgtool only knows one rule and it is not swap-move's.
import type { SignedImage } from './sign.ts'
import { largestImage, swapModes, trailerBytes } from './trailer.ts'
import type { SlotGeometry, SwapMode } from './trailer.ts'

export type ModeSize = Readonly<{ mode: SwapMode; largestImageBytes: number; freeBytes: number; fits: boolean }>

export type SizeReport = Readonly<{
  headerBytes: number
  /** The firmware as it lies in the image: padded, compressed. */
  payloadBytes: number
  protectedTlvBytes: number
  tlvBytes: number
  imageBytes: number
  trailerBytes: number
  modes: readonly ModeSize[]
}>

/** Sizes of the parts, and every mode's room. */
export function sizeReport(parts: { headerBytes: number; payloadBytes: number; protectedTlvBytes: number; tlvBytes: number }, slots: SlotGeometry): SizeReport {
  const imageBytes = parts.headerBytes + parts.payloadBytes + parts.protectedTlvBytes + parts.tlvBytes
  return {
    ...parts,
    imageBytes,
    trailerBytes: trailerBytes(slots),
    modes: (Object.keys(swapModes) as SwapMode[]).map((mode) => {
      const largestImageBytes = largestImage(mode, slots)
      return { mode, largestImageBytes, freeBytes: largestImageBytes - imageBytes, fits: imageBytes <= largestImageBytes }
    }),
  }
}

/** The same for an image that exists. */
export function sizeOfSigned(signed: Pick<SignedImage, 'bytes' | 'imageBytes'>, slots: SlotGeometry, header: { headerBytes: number; payloadBytes: number; protectedTlvBytes: number }): SizeReport {
  const tlvBytes = signed.imageBytes - header.headerBytes - header.payloadBytes - header.protectedTlvBytes
  return sizeReport({ headerBytes: header.headerBytes, payloadBytes: header.payloadBytes, protectedTlvBytes: header.protectedTlvBytes, tlvBytes }, slots)
}
