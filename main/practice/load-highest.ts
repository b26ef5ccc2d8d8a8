// MCUboot where the newest image of two equal slots runs (boot/bootutil/src/loader.c, its direct-xip and RAM-load half;
// ram_load.c): in place, in place with a way back, or copied into RAM. Nothing moves in flash; an image that does not hold
// loses its slot. Surprises: versions are compared without the build number, the primary slot wins a tie, and with the way
// back an image without a good trailer magic is erased unseen, also the one that came from the factory.
import type { BootResult, Say } from './boot-words.ts'
import { headerBytes, listedVersion, readHeader, readListed } from './slot-image.ts'
import type { SlotHeader } from './slot-image.ts'
import { imageHolds } from './slot-check.ts'
import type { Bootloader } from './slot-check.ts'
import type { HighestMode, Slot } from './swap.ts'

const romFixedFlag = 0x100
const ramLoadFlag = 0x20
const names = ['primary', 'secondary'] as const

/** Tries slot after slot, newest version first, until one runs. */
export function loadHighest(loader: Bootloader, mode: HighestMode, say: Say): Pick<BootResult, 'running' | 'swapped'> {
  const slots = [loader.slots.primary, loader.slots.secondary] as const
  const available = slots.map(({ area }, slot) => {
    const header = readHeader(area)
    const there = header.magic === 'image' && header.headerBytes + header.imageBytes + header.protectedTlvBytes < area.sizeBytes
    say(there ? `I: Image 0 ${names[slot]} slot: version=${listedVersion(header)}` : `I: Image 0 ${names[slot]} slot: image not found`)
    return there
  })
  for (let slot = highest(slots, available); slot !== null; slot = highest(slots, available)) {
    available[slot] = false
    if (!mayRun(loader, mode, slots[slot], say)) continue
    const listed = readListed(slots[slot].area)
    if (listed === null) continue
    say(`I: Image 0 loaded from the ${names[slot]} slot`)
    say(`I: Image version: v${listedVersion(listed.header)}`)
    return { running: { hash: listed.hash, version: listedVersion(listed.header), header: listed.header, slot }, swapped: 'none' }
  }
  say('I: No slot to load for image 0')
  say('E: Unable to find bootable image')
  return { running: null, swapped: 'none' }
}

function highest(slots: readonly [Slot, Slot], available: readonly boolean[]): 0 | 1 | null {
  if (!available[0]) return available[1] ? 1 : null
  if (!available[1]) return 0
  return compareWithoutBuild(readHeader(slots[1].area), readHeader(slots[0].area)) > 0 ? 1 : 0
}

type Numbers = Pick<SlotHeader, 'major' | 'minor' | 'revision'>

/** Positive when `a` is newer; the build number does not count (MCUBOOT_VERSION_CMP_USE_BUILD_NUMBER is off). */
export function compareWithoutBuild(a: Numbers, b: Numbers): number {
  return a.major - b.major || a.minor - b.minor || a.revision - b.revision
}

function mayRun(loader: Bootloader, mode: HighestMode, slot: Slot, say: Say): boolean {
  const { area } = slot
  const eraseSlot = () => area.erase(0, area.sizeBytes)
  if (mode !== 'ram-load' && !fitsPlace(slot)) {
    say('I: The image is placed in an unsuitable slot')
    return false
  }
  if (mode === 'direct-xip-revert' && !selectOrErase(slot)) return false
  if (mode === 'ram-load' && !fitsRam(loader, slot)) {
    say('I: Removing image 0 from flash')
    eraseSlot()
    return false
  }
  if (!readHeader(area).bootable) return false
  if (imageHolds(loader, area)) return true
  say('E: Image in the slot is not valid!')
  eraseSlot()
  return false
}

/** An image linked for another address is left alone and passed over (boot_rom_address_check). */
function fitsPlace({ area }: Slot): boolean {
  const { flags, loadAddress } = placeOf(area.read(0, headerBytes))
  return (flags & romFixedFlag) === 0 || loadAddress === area.address
}

function fitsRam({ ram }: Bootloader, { area }: Slot): boolean {
  const { flags, loadAddress } = placeOf(area.read(0, headerBytes))
  if ((flags & ramLoadFlag) === 0 || !ram) return false
  const header = readHeader(area)
  const endAddress = loadAddress + header.headerBytes + header.imageBytes
  return loadAddress >= ram.address && endAddress <= ram.address + ram.sizeBytes
}

function placeOf(bytes: Uint8Array): { flags: number; loadAddress: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes)
  return { flags: view.getUint32(16, true), loadAddress: view.getUint32(4, true) }
}

/** Erases an image that was tried before and never confirmed; notes that this one is tried now (boot_select_or_erase). */
export function selectOrErase({ area, trailer }: Slot): boolean {
  const { magic, copyDone, imageOk } = trailer.state()
  if (magic !== 'good' || (copyDone === 'set' && imageOk !== 'set')) {
    area.erase(0, area.sizeBytes)
    return false
  }
  if (copyDone === 'unset') trailer.writeCopyDone()
  return true
}
