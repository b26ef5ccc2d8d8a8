// MCUboot's swap-using-scratch (boot/bootutil/src/swap_scratch.c): from the last sectors down, as many as the scratch
// area holds go through it at a time. Surprise: when the piece swapped first contains the trailer, the status lives in
// the scratch area for a while and is copied back, and that trailer must be erased from its end or a second power cut
// would let a half-erased scratch be written over the primary slot.
import { assert } from '../base/failure.ts'
import { copyRegion, initStatus, isFresh, trailerSectors } from './swap.ts'
import type { Slot, Slots, SwapAlgorithm, SwapStatus } from './swap.ts'
import { statusEntriesPerSector } from './trailer.ts'

function scratchOf(slots: Slots): Slot {
  assert(slots.scratch !== null, 'swap-scratch has a scratch area')
  return slots.scratch
}

function firstTrailerOffset(slot: Slot): number {
  return (slot.area.sectors - trailerSectors(slot)) * slot.area.sectorBytes
}

function writeProgress(slots: Slots, status: SwapStatus): void {
  const { trailer } = status.useScratch ? scratchOf(slots) : slots.primary
  trailer.writeStatus((status.idx - 1) * statusEntriesPerSector + (status.state - 1), status.state)
}

export const swapScratch: SwapAlgorithm = {
  name: 'swap using scratch',

  imageBytesMax(slots) {
    const { area, trailer } = slots.primary
    const firstEnd = firstTrailerOffset(slots.primary) + area.sectorBytes
    const padding = Math.max(0, scratchOf(slots).trailer.sizeBytes - (firstEnd - trailer.statusOffset))
    return trailer.statusOffset - padding
  },

  statusSource(slots) {
    const primary = slots.primary.trailer.state()
    const scratch = scratchOf(slots).trailer.state()
    if (scratch.magic !== 'good' && primary.magic === 'good' && primary.copyDone === 'set') return 'none'
    if (scratch.magic !== 'good' && primary.magic === 'good' && primary.copyDone === 'unset') return 'primary'
    // All images share the scratch area.
    if (scratch.magic === 'good') return scratch.swapType === 'none' || scratch.image === (slots.image ?? 0) ? 'scratch' : 'none'
    if (primary.magic === 'unset' && primary.copyDone === 'unset') return 'primary'
    return 'none'
  },

  readProgress(trailer, status) {
    let first = 0
    while (first < trailer.statusEntries && !trailer.statusWritten(first)) first++
    if (first === trailer.statusEntries) return
    let found = first
    while (found < trailer.statusEntries && trailer.statusWritten(found)) found++
    status.idx = Math.floor(found / statusEntriesPerSector) + 1
    status.state = (found % statusEntriesPerSector) + 1
  },

  headerPlace(slots, name, status) {
    // The first sectors are swapped last, so only the states of the last piece displace a header (boot_read_image_header).
    if (isFresh(status)) return { area: slots[name].area, offset: 0 }
    const pieces = swapPieces(slots, statusTrailer(slots).swapSize()).length
    if (status.idx < pieces) return { area: slots[name].area, offset: 0 }
    if (status.idx > pieces) return { area: slots[name === 'primary' ? 'secondary' : 'primary'].area, offset: 0 }
    if (name === 'secondary' && status.state >= 2) return { area: scratchOf(slots).area, offset: 0 }
    if (name === 'primary' && status.state === 3) return { area: slots.secondary.area, offset: 0 }
    return { area: slots[name].area, offset: 0 }
  },

  run(slots, status, copyBytes) {
    for (const [index, piece] of swapPieces(slots, copyBytes).entries()) {
      if (index >= status.idx - 1) swapPiece(slots, status, piece.offset, piece.length)
    }
  },
}

/** The trailer that holds the valid magic of the swap under way (boot_find_status): scratch first, else primary. */
function statusTrailer(slots: Slots): Slot['trailer'] {
  const scratch = scratchOf(slots).trailer
  return scratch.state().magic === 'good' ? scratch : slots.primary.trailer
}

/** The pieces in the order they are swapped: from the end of the image down, each as large as the scratch area allows. */
function swapPieces(slots: Slots, copyBytes: number): { offset: number; length: number }[] {
  const sector = slots.primary.area.sectorBytes
  const perPiece = scratchOf(slots).area.sectors
  const pieces: { offset: number; length: number }[] = []
  for (let end = Math.max(1, Math.ceil(copyBytes / sector)); end > 0;) {
    const first = Math.max(0, end - perPiece)
    pieces.push({ offset: first * sector, length: (end - first) * sector })
    end = first
  }
  return pieces
}

function swapPiece(slots: Slots, status: SwapStatus, offset: number, length: number): void {
  const copyBytes = bytesToCopy(slots, offset, length)
  status.useScratch = status.idx === 1 && copyBytes !== length
  if (status.state === 1) secondaryToScratch(slots, status, offset, copyBytes)
  if (status.state === 2) primaryToSecondary(slots, status, offset, length, copyBytes)
  scratchToPrimary(slots, status, offset, length, copyBytes)
}

/** A piece that reaches into the trailer is copied only up to it, and never over the trailer kept in the scratch area. */
function bytesToCopy(slots: Slots, offset: number, length: number): number {
  const { area, trailer } = slots.primary
  if (offset + length <= firstTrailerOffset(slots.primary)) return length
  return Math.min(area.sizeBytes - offset - trailer.sizeBytes, scratchOf(slots).trailer.statusOffset)
}

function secondaryToScratch(slots: Slots, status: SwapStatus, offset: number, copyBytes: number): void {
  const scratch = scratchOf(slots)
  scratch.area.erase(0, scratch.area.sizeBytes)
  if (status.idx === 1) {
    // The scratch keeps the swap's type while the primary trailer is erased.
    initStatus(slots, scratch.trailer, status)
    if (!status.useScratch) {
      slots.primary.trailer.scramble()
      initStatus(slots, slots.primary.trailer, status)
      scratch.area.erase(0, scratch.area.sizeBytes)
    }
  }
  copyRegion(slots.secondary.area, scratch.area, offset, 0, copyBytes)
  writeProgress(slots, status)
  status.state = 2
}

function primaryToSecondary(slots: Slots, status: SwapStatus, offset: number, length: number, copyBytes: number): void {
  const { area, trailer } = slots.secondary
  let eraseBytes = length
  if (status.idx === 1) {
    trailer.scramble()
    if (status.useScratch) eraseBytes = firstTrailerOffset(slots.secondary) - offset
  }
  if (eraseBytes > 0) area.erase(offset, eraseBytes)
  copyRegion(slots.primary.area, area, offset, offset, copyBytes, { cipher: status.encrypt, imageOffset: offset })
  writeProgress(slots, status)
  status.state = 3
}

function scratchToPrimary(slots: Slots, status: SwapStatus, offset: number, length: number, copyBytes: number): void {
  const { area, trailer } = slots.primary
  const scratch = scratchOf(slots)
  let eraseBytes = length
  if (status.useScratch) {
    trailer.scramble()
    eraseBytes = firstTrailerOffset(slots.primary) - offset
  }
  if (eraseBytes > 0) area.erase(offset, eraseBytes)
  copyRegion(scratch.area, area, 0, offset, copyBytes, { cipher: status.decrypt, imageOffset: offset })
  const statusWasInScratch = status.useScratch
  if (statusWasInScratch) takeStatusOver(slots, status)
  status.useScratch = false
  writeProgress(slots, status)
  status.idx++
  status.state = 1
  if (statusWasInScratch) scratch.area.erase(0, scratch.area.sizeBytes, true)
}

/** Brings the trailer that was kept in the scratch area back into the primary slot. */
function takeStatusOver(slots: Slots, status: SwapStatus): void {
  const scratch = scratchOf(slots).trailer
  const primary = slots.primary.trailer
  const entryBytes = (statusEntriesPerSector - 1) * slots.primary.area.writeBlockBytes
  copyRegion(scratch.area, primary.area, scratch.statusOffset, primary.statusOffset, entryBytes)
  const kept = scratch.state()
  if (kept.imageOk === 'set') primary.writeImageOk()
  if (kept.swapType !== 'none') primary.writeSwapInfo(kept.swapType, slots.image)
  primary.writeSwapSize(status.swapSize)
  primary.writeKey(0, status.keys[0])
  primary.writeKey(1, status.keys[1])
  primary.writeMagic()
}
