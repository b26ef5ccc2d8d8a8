// What the swap algorithms share: the two slots with their trailers, the progress of a swap, and the few flash moves
// that boot/bootutil/src/loader.c and swap_misc.c make for each. An algorithm says where headers lie while it is
// half done, how far it got, and carries on from there.
import { assert } from '../base/failure.ts'
import type { FlashArea } from './flash.ts'
import type { PayloadCipher } from './secrets.ts'
import { imageSize, readHeader } from './slot-image.ts'
import { decideSwap, statusSectorsMax, Trailer } from './trailer.ts'
import type { MaxAlign, SwapType, TrailerLayout } from './trailer.ts'

export type SwapMode = 'swap-move' | 'swap-scratch' | 'swap-offset'
/** Modes in which the newest image of two equal slots runs where it lies, or is copied from there into RAM. */
export type HighestMode = 'direct-xip' | 'direct-xip-revert' | 'ram-load'
/** How a bootloader brings an image to run; it is built for one of them. */
export type BootMode = SwapMode | 'overwrite-only' | HighestMode | 'single-slot'

export function isHighestMode(mode: BootMode): mode is HighestMode {
  return mode === 'direct-xip' || mode === 'direct-xip-revert' || mode === 'ram-load'
}

/** A slot or scratch area together with its trailer. */
export type Slot = Readonly<{ area: FlashArea; trailer: Trailer }>

export type Slots = Readonly<{
  primary: Slot
  secondary: Slot
  scratch: Slot | null
  align: MaxAlign
  layout: TrailerLayout
  /** MCUboot's number of the image that these hold. */
  image?: number
  /** The slots of the images after this one, on a board with several. */
  others?: readonly Slots[]
}>

export function slotsOf(primary: FlashArea, secondary: FlashArea, scratch: FlashArea | null, align: MaxAlign, layout: TrailerLayout = 'usual', keyBytes: 0 | 16 | 32 = 0): Slots {
  return {
    primary: { area: primary, trailer: new Trailer(primary, align, statusSectorsMax, layout, keyBytes) },
    secondary: { area: secondary, trailer: new Trailer(secondary, align, statusSectorsMax, layout, keyBytes) },
    // The scratch area has room for the states of one swap only (boot_scratch_trailer_sz).
    scratch: scratch && { area: scratch, trailer: new Trailer(scratch, align, 1, 'usual', keyBytes) },
    align,
    layout,
  }
}

/** The swap that the trailers of these slots ask for. */
export function askedSwap({ primary, secondary, layout }: Slots): SwapType {
  return decideSwap(primary.trailer.state(), secondary.trailer.state(), layout)
}

/**
 * Where an image in the secondary slot begins while no swap is under way. Swap-using-offset takes upgrades from the second
 * sector on, but keeps the old image of a test run at the first (zephyr boot_get_image_start_offset).
 */
export function secondaryImage(slots: Slots): FlashArea {
  const { area } = slots.secondary
  return slots.layout === 'offset' && askedSwap(slots) !== 'revert' ? area.from(area.sectorBytes) : area
}

/** How far a swap has come (struct boot_status); `idx` and `state` count from 1 as in the C code. */
export type SwapStatus = {
  op: 'move' | 'swap'
  idx: number
  state: number
  swapType: SwapType
  swapSize: number
  source: 'none' | 'primary' | 'scratch'
  useScratch: boolean
  /** Keys of the images of both slots, where they are encrypted, and the ciphers into and out of the primary slot. */
  keys: readonly [Uint8Array | null, Uint8Array | null]
  decrypt: PayloadCipher | null
  encrypt: PayloadCipher | null
  /** How far into its slot the upgrade begins: it lies inside a firmware package. 0 for a plain image. */
  shiftBytes: number
}

export function freshStatus(): SwapStatus {
  return { op: 'move', idx: 1, state: 1, swapType: 'none', swapSize: 0, source: 'none', useScratch: false, keys: [null, null], decrypt: null, encrypt: null, shiftBytes: 0 }
}

export function isFresh(status: SwapStatus): boolean {
  return status.op === 'move' && status.idx === 1 && status.state === 1
}

export type SlotName = 'primary' | 'secondary'

export type SwapAlgorithm = Readonly<{
  /** As MCUboot announces it on the console. */
  name: string
  /** Largest image, with TLVs, that this algorithm can swap between these slots (app_max_size). */
  imageBytesMax(slots: Slots): number
  /** Where the status of an interrupted swap is kept, if there is one. */
  statusSource(slots: Slots): SwapStatus['source']
  /** Sets op, idx and state from the status entries of that trailer. */
  readProgress(trailer: Trailer, status: SwapStatus): void
  /** Where the header of the image that belongs into that slot lies right now. */
  headerPlace(slots: Slots, name: SlotName, status: SwapStatus): Readonly<{ area: FlashArea; offset: number }>
  /** Swaps, from the beginning or from where it was interrupted. */
  run(slots: Slots, status: SwapStatus, copyBytes: number): void
}>

/** MCUboot copies through a buffer of this size. */
export const copyBufferBytes = 1024

/**
 * Copies between areas; the target has been erased before. `through` is the cipher between the primary slot and any other
 * place, and where in the image the copy begins.
 */
export function copyRegion(from: FlashArea, to: FlashArea, fromOffset: number, toOffset: number, length: number, through: { cipher: PayloadCipher | null; imageOffset: number } | null = null): void {
  for (let done = 0; done < length; done += copyBufferBytes) {
    const chunk = from.read(fromOffset + done, Math.min(copyBufferBytes, length - done))
    const written = through?.cipher?.apply(chunk, through.imageOffset + done) ?? chunk
    assert(to.write(toOffset + done, written), `the copy goes into erased flash of ${to.name}`)
  }
}

/** Writes the first words of a swap into a trailer: what swap it is, how many bytes, and at last the magic (swap_status_init). */
export function initStatus(slots: Slots, trailer: Trailer, status: SwapStatus): void {
  const secondary = slots.secondary.trailer.state()
  if (status.swapType !== 'none') trailer.writeSwapInfo(status.swapType, slots.image)
  if (secondary.imageOk === 'set') trailer.writeImageOk()
  trailer.writeSwapSize(status.swapSize, status.shiftBytes)
  trailer.writeKey(0, status.keys[0])
  trailer.writeKey(1, status.keys[1])
  if (slots.layout === 'offset') trailer.writeTlvSizes(tlvBytesIn(slots.primary.area), tlvBytesIn(secondaryImage(slots)))
  trailer.writeMagic()
}

/** Bytes of the unprotected TLV area of the image that begins there; 0 where none parses. */
function tlvBytesIn(area: FlashArea): number {
  const header = readHeader(area)
  const size = header.magic === 'image' ? imageSize(area, header) : null
  return size === null ? 0 : size - header.headerBytes - header.imageBytes - header.protectedTlvBytes
}

/** Where the status lies when there is no scratch area: with the primary slot or nowhere (swap_status_source of swap_move.c and swap_offset.c). */
export function sourceWithoutScratch(slots: Slots): SwapStatus['source'] {
  const primary = slots.primary.trailer.state()
  const secondary = slots.secondary.trailer.state()
  return primary.magic === 'good' && primary.copyDone === 'unset' && secondary.magic !== 'good' ? 'primary' : 'none'
}

/** Status entries of that trailer up to the last one that was written. */
export function entriesWritten(trailer: Trailer): number {
  let found = trailer.statusEntries
  while (found > 0 && !trailer.statusWritten(found - 1)) found--
  return found
}

/** Sectors of a slot that its trailer covers. */
export function trailerSectors(slot: Slot): number {
  return Math.ceil(slot.trailer.sizeBytes / slot.area.sectorBytes)
}
