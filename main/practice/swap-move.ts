// MCUboot's swap-using-move (boot/bootutil/src/swap_move.c): every sector of the primary slot moves up by one, then
// sector after sector the new one is copied down into the gap and the old one over into the secondary slot. It needs no
// scratch area but one free sector in the primary slot. Surprise: a revert first dresses the secondary slot up as a
// permanent upgrade, because otherwise a power cut just after the primary trailer is erased would lose what was going on.
import { assert } from '../base/failure.ts'
import { copyRegion, entriesWritten, initStatus, isFresh, sourceWithoutScratch, trailerSectors } from './swap.ts'
import type { Slots, SwapAlgorithm, SwapStatus } from './swap.ts'
import { statusSectorsMax } from './trailer.ts'
import type { Trailer } from './trailer.ts'

const moveStates = 1
const swapStates = 2
const moveEntries = statusSectorsMax * moveStates

/** Number of sectors that hold that many bytes; at least one. */
function sectorCount(slots: Slots, bytes: number): number {
  return Math.max(1, Math.ceil(bytes / slots.primary.area.sectorBytes))
}

function statusIndex(status: SwapStatus): number {
  return status.op === 'move'
    ? (status.idx - 1) * moveStates + (status.state - 1)
    : moveEntries + (status.idx - 1) * swapStates + (status.state - 1)
}

function writeProgress(slots: Slots, status: SwapStatus): void {
  slots.primary.trailer.writeStatus(statusIndex(status), status.state)
}

export const swapMove: SwapAlgorithm = {
  name: 'swap using move',

  imageBytesMax(slots) {
    const { primary, secondary } = slots
    const sector = primary.area.sectorBytes
    const inPrimary = (primary.area.sectors - trailerSectors(primary) - 1) * sector
    const inSecondary = (secondary.area.sectors - trailerSectors(secondary)) * sector
    return Math.min(inPrimary, inSecondary)
  },

  statusSource: sourceWithoutScratch,

  readProgress(trailer: Trailer, status: SwapStatus) {
    const found = entriesWritten(trailer)
    if (found === 0) return
    if (found < moveEntries) {
      status.op = 'move'
      status.idx = Math.floor(found / moveStates) + 1
      status.state = (found % moveStates) + 1
    } else {
      status.op = 'swap'
      status.idx = Math.floor((found - moveEntries) / swapStates) + 1
      status.state = ((found - moveEntries) % swapStates) + 1
    }
  },

  headerPlace(slots, name, status) {
    if (isFresh(status)) return { area: slots[name].area, offset: 0 }
    const sector = slots.primary.area.sectorBytes
    const last = sectorCount(slots, slots.primary.trailer.swapSize())
    // An upgrade in a package begins behind the package's head until its first sector has been copied.
    const upgrade = { area: slots.secondary.area, offset: status.shiftBytes }
    if (status.op === 'move') return name === 'secondary' ? upgrade : { area: slots.primary.area, offset: status.idx > last ? sector : 0 }
    if (status.idx > 1 && status.idx <= last) return { area: slots[name === 'primary' ? 'secondary' : 'primary'].area, offset: 0 }
    if (status.idx === 1 && name === 'primary') return { area: slots.primary.area, offset: sector }
    if (status.idx === 1 && status.state === 2) return { area: slots.primary.area, offset: 0 }
    if (status.idx === 1) return upgrade
    return { area: slots[name].area, offset: 0 }
  },

  run(slots, status, copyBytes) {
    const last = sectorCount(slots, copyBytes)
    if (isFresh(status)) {
      const firstTrailerSector = slots.primary.area.sectors - trailerSectors(slots.primary)
      assert(last < firstTrailerSector, 'an image that leaves no free sector was refused before')
    }
    prepareRevert(slots, status)
    if (status.op === 'move') {
      for (let idx = last; idx > 0; idx--) if (idx <= last - status.idx + 1) moveSectorUp(slots, status, idx)
      status.idx = 1
    }
    status.op = 'swap'
    for (let idx = 1; idx <= last; idx++) if (idx >= status.idx) swapSectors(slots, status, idx)
  },
}

/** Makes a revert that has not begun look like a permanent upgrade, so that it survives losing the primary trailer (fixup_revert). */
function prepareRevert(slots: Slots, status: SwapStatus): void {
  if (status.swapType !== 'revert' || status.op !== 'move' || status.idx !== 1) return
  const { trailer } = slots.secondary
  if (trailer.state().magic !== 'unset') return
  trailer.scramble()
  trailer.writeImageOk()
  trailer.writeSwapSize(status.swapSize)
  trailer.writeMagic()
}

/** Moves sector `idx - 1` of the primary slot to `idx`. */
function moveSectorUp(slots: Slots, status: SwapStatus, idx: number): void {
  const { area, trailer } = slots.primary
  const sector = area.sectorBytes
  if (status.idx === 1) {
    if (status.source !== 'primary') {
      trailer.scramble()
      initStatus(slots, trailer, status)
    }
    slots.secondary.trailer.scramble()
  }
  area.erase(idx * sector, sector)
  copyRegion(area, area, (idx - 1) * sector, idx * sector, sector)
  writeProgress(slots, status)
  status.idx++
}

/** New sector down into the primary slot, then the old one, which waits one sector higher, into the secondary slot. */
function swapSectors(slots: Slots, status: SwapStatus, idx: number): void {
  const primary = slots.primary.area
  const secondary = slots.secondary.area
  const sector = primary.sectorBytes
  const offset = (idx - 1) * sector
  if (status.state === 1) {
    primary.erase(offset, sector)
    // Of a package, a sector's worth lies across two sectors; the one behind is still untouched.
    const from = offset + status.shiftBytes
    copyRegion(secondary, primary, from, offset, Math.min(sector, secondary.sizeBytes - from), { cipher: status.decrypt, imageOffset: offset })
    writeProgress(slots, status)
    status.state = 2
  }
  secondary.erase(offset, sector)
  copyRegion(primary, secondary, idx * sector, offset, sector, { cipher: status.encrypt, imageOffset: offset })
  writeProgress(slots, status)
  status.idx++
  status.state = 1
}
