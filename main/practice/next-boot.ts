// Which slot runs after the next reset, which slots are in use, and how a slot is chosen, as the running firmware sees it
// (zephyr img_mgmt_state.c; bootutil_public.c, boot_set_next): read from trailers and versions each time, never remembered.
// Surprises: in plain direct-xip an uploaded newer image is pending at once and for good, with no mark and no way to take
// it back; with a revert only a newer image counts as pending however it is marked; overwrite-only lists like a swap.
import { compareWithoutBuild } from './load-highest.ts'
import type { TakeOut } from './package-layers.ts'
import { listedOrPacked } from './package-place.ts'
import { readListed } from './slot-image.ts'
import type { ListedImage } from './slot-image.ts'
import { askedSwap, secondaryImage } from './swap.ts'
import type { BootMode, Slot, Slots } from './swap.ts'
import type { FlashArea } from './flash.ts'

/** IMG_MGMT_ERR codes of choosing a slot. */
const code = { badMagic: 23, alreadyPending: 28, badTrailer: 29, testOfActive: 33 } as const

/** What comes next: the slot, and whether for good, for one try, or back from one. */
export type NextBoot = Readonly<{ slot: 0 | 1; as: 'normal' | 'test' | 'revert' }>

/** The two slots as the firmware in slot `active` finds them. */
export type SeenSlots = Readonly<{ slots: Slots; mode: BootMode; active: 0 | 1; /** Firmware that knows packages finds images in them, and takes out those that do not lie there as they are. */ packages?: boolean; takeOut?: TakeOut }>

export function slotAt({ slots }: SeenSlots, slot: 0 | 1): Slot {
  return slot === 0 ? slots.primary : slots.secondary
}

/** Where the image in that slot begins. */
export function imageAt(seen: SeenSlots, slot: 0 | 1): FlashArea {
  return slot === 0 ? seen.slots.primary.area : secondaryImage(seen.slots)
}

/** The image in that slot as the server lists it. */
export function listedAt(seen: SeenSlots, slot: 0 | 1): ListedImage | null {
  const area = imageAt(seen, slot)
  return seen.packages === true ? listedOrPacked(area, seen.takeOut ?? null) : readListed(area)
}

/** Slots that the firmware knows of; a single-slot board has one. */
export function slotsOfMode(mode: BootMode): readonly (0 | 1)[] {
  return mode === 'single-slot' ? [0] : [0, 1]
}

export function nextBoot(seen: SeenSlots): NextBoot {
  const { mode, active } = seen
  if (mode === 'single-slot') return { slot: 0, as: 'normal' }
  if (mode === 'direct-xip' || mode === 'ram-load') return { slot: otherIsNewer(seen) ? other(active) : active, as: 'normal' }
  if (mode === 'direct-xip-revert') return nextWithRevert(seen)
  const type = askedSwap(seen.slots)
  if (type === 'none') return { slot: 0, as: 'normal' }
  return { slot: 1, as: type === 'perm' ? 'normal' : type }
}

const other = (slot: 0 | 1): 0 | 1 => (slot === 0 ? 1 : 0)

function otherIsNewer(seen: SeenSlots): boolean {
  const [mine, theirs] = [listedAt(seen, seen.active), listedAt(seen, other(seen.active))]
  return mine !== null && theirs !== null && compareWithoutBuild(theirs.header, mine.header) > 0
}

type Xip = 'unset' | 'once' | 'revert' | 'forever'

/** read_directxip_state */
function xipState({ trailer }: Slot): Xip {
  const { magic, imageOk, copyDone } = trailer.state()
  if (magic !== 'good') return 'unset'
  return imageOk === 'set' ? 'forever' : copyDone === 'set' ? 'revert' : 'once'
}

function nextWithRevert(seen: SeenSlots): NextBoot {
  const { active } = seen
  const stay: NextBoot = { slot: active, as: 'normal' }
  if (listedAt(seen, other(active)) === null) return stay
  const mine = xipState(slotAt(seen, active))
  const theirs = xipState(slotAt(seen, other(active)))
  if (mine === 'revert') return { slot: other(active), as: 'revert' }
  if (theirs === 'unset') return mine === 'once' ? { slot: active, as: 'test' } : stay
  if (!otherIsNewer(seen)) return stay
  if (theirs === 'forever') return { slot: other(active), as: 'normal' }
  return theirs === 'once' ? { slot: other(active), as: 'test' } : stay
}

/** Whether the slot may not be erased or written (img_mgmt_slot_in_use). */
export function slotInUse(seen: SeenSlots, slot: 0 | 1): boolean {
  const { mode, active } = seen
  if (mode !== 'direct-xip' && mode !== 'ram-load') {
    const next = nextBoot(seen)
    if (next.as !== 'normal' && slot === next.slot) return true
    if (next.as === 'normal' && next.slot !== active) return true
  }
  return slot === active
}

/** The slot that the next upload goes to; null when neither is free. */
export function uploadSlot(seen: SeenSlots): 0 | 1 | null {
  return slotsOfMode(seen.mode).find((slot) => !slotInUse(seen, slot)) ?? null
}

/** Marks a slot for one try, or confirms it; 0, or the image group's code for why not. */
export function setNext(seen: SeenSlots, slot: 0 | 1, confirm: boolean): number {
  const { mode, active } = seen
  if (!confirm && slot === active) return code.testOfActive
  if (mode === 'direct-xip-revert') return markInPlace(slotAt(seen, slot), confirm || slot === active)
  const next = nextBoot(seen)
  if (next.as === 'test') return !confirm && slot === next.slot ? 0 : code.alreadyPending
  if (confirm && slot === next.slot) return 0
  if (next.as === 'normal' && next.slot !== active) return code.alreadyPending
  if (next.as === 'revert' && !confirm) return code.alreadyPending
  if (mode === 'direct-xip' || mode === 'ram-load') return markInPlace(slotAt(seen, slot), confirm || slot === active)
  return slot === active ? confirmRunning(slotAt(seen, slot)) : markUpgrade(slotAt(seen, slot), confirm, seen.slots.image)
}

function confirmRunning({ trailer }: Slot): number {
  const { magic, imageOk } = trailer.state()
  if (magic === 'bad') return code.badTrailer
  if (magic === 'good' && imageOk === 'unset') trailer.writeImageOk()
  return 0
}

function markUpgrade({ trailer }: Slot, permanent: boolean, image = 0): number {
  const { magic } = trailer.state()
  if (magic === 'bad') return code.badMagic
  if (magic === 'unset') {
    trailer.writeMagic()
    if (permanent) trailer.writeImageOk()
    trailer.writeSwapInfo(permanent ? 'perm' : 'test', image)
  }
  return 0
}

/** boot_set_next as it is built for direct-xip: flags in the image's own slot. */
function markInPlace({ trailer }: Slot, confirm: boolean): number {
  const { magic, copyDone, imageOk } = trailer.state()
  if (magic === 'bad') return code.badMagic
  if (magic === 'unset') trailer.writeMagic()
  if (confirm && copyDone === 'unset') trailer.writeCopyDone()
  if (confirm && imageOk === 'unset') trailer.writeImageOk()
  return 0
}
