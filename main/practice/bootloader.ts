// MCUboot with two slots for each image (boot/bootutil/src/loader.c, context_boot_go): finishes an interrupted swap, or
// decides from the trailers what to do, checks the upgrade before it swaps, checks what it is about to boot, and says
// on the console what it does. It never starts an image that does not verify. Surprise: an upgrade that fails its check
// is not reported to anybody; its slot is erased and the old image boots.
import type { BootLine, BootResult, Running, Say } from './boot-words.ts'
import { securityCounterOf } from './counters.ts'
import type { FlashArea } from './flash.ts'
import { compareWithoutBuild, loadHighest } from './load-highest.ts'
import { overwrite } from './overwrite.ts'
import { bootInPlace, duePackage, holdsPackage } from './package-loader.ts'
import { PayloadCipher } from './secrets.ts'
import { dependenciesMet, reviewEarlier } from './several.ts'
import type { Found } from './several.ts'
import { imageHolds, swapAlgorithms, unpackedIn } from './slot-check.ts'
import type { Bootloader } from './slot-check.ts'
import { imageSize, listedVersion, readHeader, readListed } from './slot-image.ts'
import { askedSwap, freshStatus, isFresh, isHighestMode } from './swap.ts'
import type { Slot, SlotName, Slots, SwapAlgorithm, SwapStatus } from './swap.ts'
import type { SwapState, SwapType } from './trailer.ts'

/**
 * Runs the bootloader once, from power-on to the jump into the image. Flash steps and their time are counted by the
 * flash itself; a `PowerCut` thrown by it passes through and leaves the flash as it was at that step.
 */
export function boot(loader: Bootloader): BootResult {
  const lines: BootLine[] = []
  const { flash } = loader.slots.primary.area
  const say = (text: string) => lines.push({ afterMs: flash.elapsedMs, text })
  say('*** Booting MCUboot v2.4.0 ***')
  say('I: Starting bootloader')
  if (loader.inPlace !== undefined && loader.unwrap !== undefined && isHighestMode(loader.mode)) {
    const { primary, secondary } = loader.slots
    const { unwrap, check, mode, inPlace } = loader
    return bootInPlace({ slots: [primary, secondary], unwrap, check, vectorAlign: inPlace.vectorAlign, wayBack: mode === 'direct-xip-revert' })
  }
  if (isHighestMode(loader.mode)) {
    const loaded = loadHighest(loader, loader.mode, say)
    if (loaded.running !== null) raiseCounter(loader, loaded.running.slot === 0 ? loader.slots.primary : loader.slots.secondary)
    return { ...loaded, lines }
  }
  const loaders = loadersOf(loader)
  const swapped = updateImages(loaders, say)
  const [running, ...others] = loaders.map((each) => runnable(each, say))
  if (running === undefined || running === null || others.includes(null)) return { running: null, swapped, lines }
  say('I: Jumping to the first image slot')
  for (const each of loaders) raiseCounter(each, each.slots.primary)
  return { running, swapped, lines }
}

/** This bootloader once for each image it looks after. */
function loadersOf(loader: Bootloader): Bootloader[] {
  const { unwrap: _, ...plain } = loader
  return [loader, ...(loader.slots.others ?? []).map((slots): Bootloader => ({ ...plain, slots }))]
}

/** The counter rises with an image that is there to stay (boot_update_hw_rollback_protection). */
function raiseCounter({ counters, slots }: Bootloader, { area, trailer }: Slot): void {
  const { magic, imageOk } = trailer.state()
  const size = sizeIn(area)
  const counter = counters && size > 0 ? securityCounterOf(area.read(0, size)) : null
  if (counters && counter !== null && (magic !== 'good' || imageOk === 'set')) counters.raise(slots.image ?? 0, counter)
}

/** An image as it was found, and how its update would be made. */
type Due = Found & Readonly<{ /** A swap that was under way and has been finished. */ finished: SwapType; make: () => void }>

/** Finishes and makes the swaps that are due; the type of the first image's. All are looked at before any is made. */
function updateImages(loaders: readonly Bootloader[], say: Say): SwapType {
  const dues: Due[] = []
  for (const loader of loaders) {
    const due = dueUpdate(loader, say)
    dues.push(due)
    reviewEarlier(dues, due.finished !== 'none')
  }
  if (dues.length > 1 && dues.some(({ type }) => type !== 'none') && !dependenciesMet(dues)) {
    say('E: Image dependencies are not satisfied: no image is upgraded')
    return dues[0]?.finished ?? 'none'
  }
  for (const due of dues) if (due.type !== 'none') due.make()
  const [first] = dues
  return first === undefined ? 'none' : first.finished !== 'none' ? first.finished : first.type
}

/** What is due for one image. A swap that was interrupted is finished on the spot (boot_prepare_image_for_update). */
function dueUpdate(loader: Bootloader, say: Say): Due {
  const { slots, mode } = loader
  const nothing = { type: 'none' as SwapType, finished: 'none' as SwapType, primary: slots.primary.area, upgrade: slots.secondary.area, make: () => {} }
  if (isHighestMode(mode) || mode === 'single-slot') return nothing
  if (mode === 'overwrite-only') return overwriteDue(loader, nothing, say)
  const algorithm = swapAlgorithms[mode]
  const status = readStatus(slots, algorithm)
  saySwapState('Primary image', slots.primary, say)
  saySwapState('Secondary image', slots.secondary, say)
  say(`I: Boot source: ${status.source === 'primary' ? 'primary slot' : status.source}`)
  if (!isFresh(status)) {
    if (!headersInPlace(slots, algorithm, status)) return nothing
    const { keys } = status
    return { ...nothing, finished: runSwap(loader, algorithm, status, keys, statusSwapSize(slots, status), say) }
  }
  if (readHeader(slots.primary.area).magic !== 'image') return nothing
  if (holdsPackage(loader)) {
    const due = duePackage(loader, status, say)
    if (due === null) return nothing
    const bytes = Math.max(sizeIn(slots.primary.area), due.imageBytes)
    const opened = { ...status, swapType: due.type, swapSize: bytes, shiftBytes: due.shiftBytes }
    return { ...nothing, type: due.type, make: () => void runSwap(loader, algorithm, opened, [null, null], bytes, say) }
  }
  const upgrade = upgradeArea(slots, algorithm, status)
  const type = dueSwap(loader, status, upgrade, say)
  const copyBytes = Math.max(sizeIn(slots.primary.area), sizeIn(upgrade))
  const keys = [keyOf(loader, slots.primary.area), keyOf(loader, upgrade)] as const
  return { ...nothing, type, upgrade, make: () => void runSwap(loader, algorithm, { ...status, swapType: type, swapSize: copyBytes }, keys, copyBytes, say) }
}

/** The content key of the image there, from its own TLV; null when it has none, or none for this board. */
function keyOf({ secret }: Bootloader, area: FlashArea): Uint8Array | null {
  const size = sizeIn(area)
  return secret && size > 0 && readHeader(area).keyBytes === secret.keyBytes ? secret.contentKey(area.read(0, size)) : null
}

function readStatus(slots: Slots, algorithm: SwapAlgorithm): SwapStatus {
  const status = freshStatus()
  status.source = algorithm.statusSource(slots)
  const slot = status.source === 'scratch' ? slots.scratch : status.source === 'primary' ? slots.primary : null
  if (slot === null) return status
  algorithm.readProgress(slot.trailer, status)
  status.swapType = slot.trailer.state().swapType
  status.shiftBytes = slot.trailer.swapShift()
  status.keys = [slot.trailer.readKey(0), slot.trailer.readKey(1)]
  return status
}

function statusSwapSize(slots: Slots, status: SwapStatus): number {
  const slot = status.source === 'scratch' && slots.scratch !== null ? slots.scratch : slots.primary
  status.swapSize = slot.trailer.swapSize()
  return status.swapSize
}

function headersInPlace(slots: Slots, algorithm: SwapAlgorithm, status: SwapStatus): boolean {
  return (['primary', 'secondary'] as const).every((name: SlotName) => {
    const { area, offset } = algorithm.headerPlace(slots, name, status)
    return readHeader(area, offset).magic === 'image'
  })
}

/** Where the image to swap in begins. Swap-using-offset looks at its other place when there is none (boot_read_image_header). */
function upgradeArea(slots: Slots, algorithm: SwapAlgorithm, status: SwapStatus): FlashArea {
  const { area, offset } = algorithm.headerPlace(slots, 'secondary', status)
  const wanted = area.from(offset)
  if (slots.layout === 'usual' || readHeader(wanted).magic === 'image') return wanted
  const other = area.from(offset === 0 ? area.sectorBytes : 0)
  return readHeader(other).magic === 'image' ? other : wanted
}

/** The update in overwrite-only mode: nothing of it can be resumed, it is only ever begun anew. */
function overwriteDue(loader: Bootloader, nothing: Due, say: Say): Due {
  const { slots } = loader
  saySwapState('Primary image', slots.primary, say)
  saySwapState('Secondary image', slots.secondary, say)
  const { area } = slots.secondary
  const type = dueSwap(loader, freshStatus(), area, say)
  // A permanent mark and a test mark come to the same; a revert cannot be.
  if (type === 'none' || type === 'revert') return nothing
  const key = keyOf(loader, area)
  return {
    ...nothing,
    type,
    make() {
      say(`I: Image ${slots.image ?? 0} upgrade secondary slot -> primary slot`)
      say('I: Erasing the primary slot')
      overwrite(slots, key === null ? null : new PayloadCipher(readHeader(area), key), unpackedIn(loader, area))
    },
  }
}

/** The swap the trailers ask for, after the upgrade image has been checked (boot_validated_swap_type). */
function dueSwap(loader: Bootloader, status: SwapStatus, upgrade: FlashArea, say: Say): SwapType {
  const { primary } = loader.slots
  // A swap whose status was opened but that moved nothing yet goes on as what it was.
  const type = status.swapType === 'none' ? askedSwap(loader.slots) : status.swapType
  say(`I: Image index: ${loader.slots.image ?? 0}, Swap type: ${type}`)
  if (type === 'none') return 'none'
  if (upgradeHolds(loader, status, type, upgrade, say)) return isDowngrade(loader, type, upgrade, say) ? 'none' : type
  // boot_prepare_image_for_update: a swap already opened that lost its image ends as failed, and the running image stays.
  if (status.swapType !== 'none' && primary.trailer.state().imageOk === 'unset') primary.trailer.writeImageOk()
  return 'none'
}

/** Checks the image in the secondary slot and erases the slot when it does not hold (boot_validate_slot). */
function upgradeHolds(loader: Bootloader, status: SwapStatus, type: SwapType, upgrade: FlashArea, say: Say): boolean {
  const { slots } = loader
  const { primary, secondary } = slots
  const header = readHeader(upgrade)
  if (header.magic === 'erased' || !header.bootable) {
    // The erase of a refused image may have been cut short: its trailer must not keep asking for a swap. Overwrite-only leaves it.
    if (loader.mode !== 'overwrite-only') secondary.trailer.scramble()
    if (loader.mode === 'swap-move' && (type === 'revert' || askedSwap(slots) === 'revert')) {
      primary.trailer.scramble()
      say('I: Cleared image 0 primary slot trailer due to stuck revert')
    }
    return false
  }
  const misplaced = slots.layout === 'offset' && type !== 'revert' && isFresh(status) && status.swapType === 'none' && readHeader(secondary.area).magic === 'image'
  if (misplaced) say('E: Secondary header magic detected in first sector, wrong upload address?')
  if (!misplaced && imageHolds(loader, upgrade, secondary.area.sizeBytes)) return true
  say('E: Image in the secondary slot is not valid!')
  secondary.area.erase(0, secondary.area.sizeBytes)
  return false
}

/** Downgrade prevention is asked for upgrades only, never for the way back (check_downgrade_prevention). */
function isDowngrade({ slots, noDowngrade }: Bootloader, type: SwapType, upgrade: FlashArea, say: Say): boolean {
  if (noDowngrade !== true || type === 'revert') return false
  if (compareWithoutBuild(readHeader(upgrade), readHeader(slots.primary.area)) >= 0) return false
  say('I: Image 0 in slot 1 erased due to downgrade prevention')
  slots.secondary.area.erase(0, slots.secondary.area.sizeBytes)
  return true
}

function sizeIn(area: FlashArea): number {
  const header = readHeader(area)
  return header.magic === 'image' ? imageSize(area, header) ?? 0 : 0
}

function runSwap({ slots }: Bootloader, algorithm: SwapAlgorithm, begun: SwapStatus, keys: SwapStatus['keys'], copyBytes: number, say: Say): SwapType {
  const cipher = (name: SlotName, key: Uint8Array | null) => {
    const { area, offset } = algorithm.headerPlace(slots, name, begun)
    return key === null ? null : new PayloadCipher(readHeader(area, offset), key)
  }
  const status: SwapStatus = { ...begun, keys, encrypt: cipher('primary', keys[0]), decrypt: cipher('secondary', keys[1]) }
  say(`I: Starting ${algorithm.name} algorithm.`)
  algorithm.run(slots, status, copyBytes)
  const { trailer } = slots.primary
  // A revert and a permanent swap must not be reverted again.
  if ((status.swapType === 'revert' || status.swapType === 'perm') && trailer.state().imageOk === 'unset') trailer.writeImageOk()
  if (status.swapType !== 'none') trailer.writeCopyDone()
  return status.swapType
}

function runnable(loader: Bootloader, say: Say): Running | null {
  const { area } = loader.slots.primary
  const listed = readListed(area)
  if (listed === null || !imageHolds(loader, area)) {
    say('E: Image in the primary slot is not valid!')
    say('E: Unable to find bootable image')
    return null
  }
  const version = listedVersion(listed.header)
  say(`I: Bootloader chainload address offset: 0x${area.address.toString(16)}`)
  say(`I: Image version: v${version}`)
  return { hash: listed.hash, version, header: listed.header, slot: 0 }
}

const flagCode: Readonly<Record<SwapState['copyDone'], string>> = { set: '0x1', bad: '0x2', unset: '0x3' }
const typeCode: Readonly<Record<SwapType, string>> = { none: '0x1', test: '0x2', perm: '0x3', revert: '0x4' }

function saySwapState(name: string, slot: Slot, say: Say): void {
  const state = slot.trailer.state()
  say(`I: ${name}: magic=${state.magic}, swap_type=${typeCode[state.swapType]}, `
    + `copy_done=${flagCode[state.copyDone]}, image_ok=${flagCode[state.imageOk]}`)
}
