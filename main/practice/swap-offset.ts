// MCUboot's swap-using-offset (boot/bootutil/src/swap_offset.c): the upgrade lies one sector up in the secondary slot, so
// each old sector goes straight into the place that the new one before it has left, and nothing is moved twice. A revert
// runs the same way backwards. Surprises: the old image of a test run lies at the slot's first sector, the new one of an
// upgrade at its second; a revert is dressed up as one by copy_done in the SECONDARY trailer, since nothing else tells it
// from an upgrade. MCUboot skips sectors that neither image uses; here they are copied too, which ends alike.
import { assert } from '../base/failure.ts'
import { askedSwap, copyRegion, entriesWritten, initStatus, isFresh, sourceWithoutScratch, trailerSectors } from './swap.ts'
import type { Slots, SwapAlgorithm, SwapStatus } from './swap.ts'
import { offsetStatesPerSector } from './trailer.ts'
import type { Trailer } from './trailer.ts'

/** Index of the last sector that holds any of that many bytes. */
function lastIndex(slots: Slots, bytes: number): number {
  return Math.max(1, Math.ceil(bytes / slots.primary.area.sectorBytes)) - 1
}

function isRevert(slots: Slots, status: SwapStatus): boolean {
  return status.swapType === 'revert' || askedSwap(slots) === 'revert'
}

function writeProgress(slots: Slots, status: SwapStatus): void {
  slots.primary.trailer.writeStatus((status.idx - 1) * offsetStatesPerSector + (status.state - 1), status.state)
}

export const swapOffset: SwapAlgorithm = {
  name: 'swap using offset',

  imageBytesMax(slots) {
    const { primary, secondary } = slots
    const sector = primary.area.sectorBytes
    const inPrimary = (primary.area.sectors - trailerSectors(primary)) * sector
    const inSecondary = (secondary.area.sectors - trailerSectors(secondary) - 1) * sector
    return Math.min(inPrimary, inSecondary)
  },

  statusSource: sourceWithoutScratch,

  readProgress(trailer: Trailer, status: SwapStatus) {
    const found = entriesWritten(trailer)
    if (found === 0) return
    status.idx = Math.floor(found / offsetStatesPerSector) + 1
    status.state = (found % offsetStatesPerSector) + 1
  },

  headerPlace(slots, name, status) {
    const primary = slots.primary.area
    const secondary = slots.secondary.area
    const sector = primary.sectorBytes
    const revert = isRevert(slots, status)
    if (isFresh(status)) return name === 'primary' ? { area: primary, offset: 0 } : { area: secondary, offset: revert ? 0 : sector }
    const last = lastIndex(slots, slots.primary.trailer.swapSize())
    const done = status.idx - 1
    if (revert) {
      if (name === 'secondary') return { area: done > last ? primary : secondary, offset: 0 }
      const copiedUp = done > last || (done === last && status.state === 2)
      return copiedUp ? { area: secondary, offset: sector } : { area: primary, offset: 0 }
    }
    if (name === 'secondary') return done > 0 ? { area: primary, offset: 0 } : { area: secondary, offset: sector }
    return done > 0 || status.state === 2 ? { area: secondary, offset: 0 } : { area: primary, offset: 0 }
  },

  run(slots, status, copyBytes) {
    const last = lastIndex(slots, copyBytes)
    if (isFresh(status)) {
      assert(last < slots.primary.area.sectors - trailerSectors(slots.primary), 'an image that reaches into the trailer was refused before')
    }
    prepareRevert(slots, status)
    // Asked before the trailers are written anew, which is what tells a revert from an upgrade.
    const revert = isRevert(slots, status)
    if (status.idx === 1) openStatus(slots, status)
    for (let step = 0; step <= last; step++) {
      if (step < status.idx - 1) continue
      const idx = revert ? last - step : step
      swapSectors(slots, status, idx, revert ? idx + 1 : idx, revert ? idx : idx + 1)
    }
    if (revert) clearSecondary(slots)
  },
}

/** Makes a revert that has not begun recognisable in the secondary trailer, before the primary one is erased (fixup_revert). */
function prepareRevert(slots: Slots, status: SwapStatus): void {
  if (status.swapType !== 'revert' || status.idx !== 1) return
  const { trailer } = slots.secondary
  if (trailer.state().magic !== 'unset') return
  trailer.scramble()
  trailer.writeCopyDone()
  initStatus(slots, trailer, status)
}

function openStatus(slots: Slots, status: SwapStatus): void {
  if (status.source !== 'primary') {
    slots.primary.trailer.scramble()
    initStatus(slots, slots.primary.trailer, status)
  }
  slots.secondary.trailer.scramble()
}

/** The old sector into its place in the secondary slot, then the new one from its place there down. */
function swapSectors(slots: Slots, status: SwapStatus, idx: number, oldGoesTo: number, newComesFrom: number): void {
  const primary = slots.primary.area
  const secondary = slots.secondary.area
  const sector = primary.sectorBytes
  if (status.state === 1) {
    secondary.erase(oldGoesTo * sector, sector)
    copyRegion(primary, secondary, idx * sector, oldGoesTo * sector, sector, { cipher: status.encrypt, imageOffset: idx * sector })
    writeProgress(slots, status)
    status.state = 2
  }
  primary.erase(idx * sector, sector)
  copyRegion(secondary, primary, newComesFrom * sector, idx * sector, sector, { cipher: status.decrypt, imageOffset: idx * sector })
  writeProgress(slots, status)
  status.idx++
  status.state = 1
}

/** What is left of the reverted image must not pass for one, and the next upgrade finds its slot free. */
function clearSecondary(slots: Slots): void {
  const { area, trailer } = slots.secondary
  area.erase(0, area.sectorBytes)
  trailer.scramble()
}
