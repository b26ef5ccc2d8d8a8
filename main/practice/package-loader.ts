// A bootloader that takes firmware packages (RFC 4108). In the upgrade slot the package lies as it was uploaded; its CMS
// signature, and then the image's own, are proven there before anything moves, and the swap copies the image out of it,
// each sector from where it lies across two. What surprised us: the package's head is gone once the first sector has been
// swapped, so how far the image lies behind it must be in the swap status, beside the swap's size. Or the package runs
// where it lies: the image is found inside it and started at its own vector table, nothing is copied.
import { Failure, failed } from '../base/failure.ts'
import { openPackage } from '../cms/package.ts'
import type { LoaderFacts } from '../cms/loader.ts'
import type { Trust } from '../cms/trust.ts'
import type { BootResult, Running, Say } from './bootloader.ts'
import type { FlashArea } from './flash.ts'
import { compareWithoutBuild } from './load-highest.ts'
import { largestImage } from './slot-check.ts'
import type { Bootloader, ImageCheck, Unwrap } from './slot-check.ts'
import { headerFrom, listedVersion, readListed } from './slot-image.ts'
import { askedSwap, trailerSectors } from './swap.ts'
import type { SwapStatus } from './swap.ts'
import type { SwapType } from './trailer.ts'

const sequenceTag = 0x30

/** Bytes of the DER value that begins there, head included; null when its length is not definite or runs out of the slot. */
function derBytes(slot: Uint8Array): number | null {
  const first = slot[1] ?? 0
  if (slot[0] !== sequenceTag || first === 0x80 || first > 0x84) return null
  const count = first < 0x80 ? 0 : first & 0x7f
  let length = count === 0 ? first : 0
  for (let i = 0; i < count; i++) length = length * 256 + (slot[2 + i] ?? 0)
  const whole = 2 + count + length
  return whole <= slot.length ? whole : null
}

/** A bootloader's way to prove packages: whom it trusts, and what it knows of itself. */
export function unwrapWith(trust: Trust, loader: LoaderFacts | null): Unwrap {
  return (slot) => {
    const packageBytes = derBytes(slot)
    if (packageBytes === null) return new Failure('decode-failure', 'The slot does not begin with a whole package.')
    const opened = openPackage(slot.subarray(0, packageBytes), { trust, loader })
    if (failed(opened)) return opened
    const { firmware, firmwareOffset } = opened
    if (firmwareOffset === null) return new Failure('bad-encap-content', 'The firmware is encrypted, compressed or in pieces, and this bootloader takes it only as it is.')
    return { offset: firmwareOffset, image: firmware, packageBytes }
  }
}

/** Whether the upgrade slot begins like a package and this bootloader is built for them. */
export function holdsPackage({ slots, mode, unwrap }: Bootloader): boolean {
  return unwrap !== undefined && mode === 'swap-move' && slots.secondary.area.read(0, 1)[0] === sequenceTag
}

export type DuePackage = Readonly<{ type: SwapType; shiftBytes: number; imageBytes: number }>

/** The swap that is asked for out of a package, after package and image were proven; a refused one loses its slot. */
export function duePackage(loader: Bootloader, status: SwapStatus, say: Say): DuePackage | null {
  const { primary, secondary } = loader.slots
  const type = status.swapType === 'none' ? askedSwap(loader.slots) : status.swapType
  say(`I: Image index: 0, Swap type: ${type}`)
  if (type === 'none') return null
  const inside = provenInside(loader, secondary.area, (secondary.area.sectors - trailerSectors(secondary)) * secondary.area.sectorBytes)
  if (!failed(inside) && type !== 'revert') {
    say(`I: Image in a package, at 0x${inside.offset.toString(16)}`)
    return { type, shiftBytes: inside.offset, imageBytes: inside.image.length }
  }
  say(`E: Package in the secondary slot is not valid${failed(inside) ? ` (${inside.kind})` : ''}!`)
  secondary.area.erase(0, secondary.area.sizeBytes)
  // A swap already opened that lost its image ends as failed, and the running image stays (boot_prepare_image_for_update).
  if (status.swapType !== 'none' && primary.trailer.state().imageOk === 'unset') primary.trailer.writeImageOk()
  return null
}

/** The package proven, then the image in it as MCUboot would. */
function provenInside(loader: Pick<Bootloader, 'unwrap' | 'check' | 'slots' | 'mode'>, area: FlashArea, roomBytes: number): Exclude<ReturnType<Unwrap>, Failure> | Failure {
  const inside = loader.unwrap?.(area.read(0, roomBytes)) ?? new Failure('no-loader', 'This bootloader takes no packages.')
  if (failed(inside)) return inside
  const why = imageIn(inside.image, loader.check, largestImage(loader))
  return why ?? inside
}

function imageIn(image: Uint8Array, check: ImageCheck, largestBytes: number): Failure | null {
  if (image.length < 32 || image.length > largestBytes) return new Failure('insufficient-memory', 'The image in the package is too large for the slot, or none.')
  const header = headerFrom(image)
  if (header.magic !== 'image' || !header.plain || !header.bootable) return new Failure('bad-firmware', 'The package holds no image this bootloader could run.')
  const checked = check(image)
  return failed(checked) ? checked : null
}

export type InPlaceLoader = Readonly<{
  /** Slots of equal standing; each may hold a package. */
  areas: readonly FlashArea[]
  unwrap: Unwrap
  check: ImageCheck
  /** What the core asks of its vector table. */
  vectorAlign: number
}>

export type InPlaceBoot = BootResult & Readonly<{ /** Where the core starts; null when nothing runs. */ vectorAddress: number | null }>

type Candidate = Readonly<{ running: Running; vectorAddress: number }>

/** Starts the newest image that lies proven inside a package, from where it lies. Nothing in flash changes. */
export function bootInPlace({ areas, unwrap, check, vectorAlign }: InPlaceLoader): InPlaceBoot {
  const lines: BootResult['lines'][number][] = []
  const say: Say = (text) => lines.push({ afterMs: areas[0]?.flash.elapsedMs ?? 0, text })
  say('*** Booting MCUboot v2.4.0 ***')
  const candidates = areas.flatMap((area, slot): Candidate[] => {
    const found = inPlaceIn(area, slot === 0 ? 0 : 1, { unwrap, check, vectorAlign })
    if (!failed(found)) return [found]
    say(`E: Slot ${slot}: ${found.says}`)
    return []
  })
  const [first, ...others] = candidates
  if (first === undefined) {
    say('E: Unable to find bootable image')
    return { running: null, swapped: 'none', lines, vectorAddress: null }
  }
  const newest = others.reduce((best, one) => (compareWithoutBuild(one.running.header, best.running.header) > 0 ? one : best), first)
  say(`I: Image version: v${newest.running.version}`)
  say(`I: Vector table at 0x${newest.vectorAddress.toString(16)}`)
  return { running: newest.running, swapped: 'none', lines, vectorAddress: newest.vectorAddress }
}

function inPlaceIn(area: FlashArea, slot: 0 | 1, { unwrap, check, vectorAlign }: Omit<InPlaceLoader, 'areas'>): Candidate | Failure {
  const inside = unwrap(area.read(0, area.sizeBytes))
  if (failed(inside)) return inside
  const why = imageIn(inside.image, check, area.sizeBytes)
  if (why !== null) return why
  const header = headerFrom(inside.image)
  const vectorAddress = area.address + inside.offset + header.headerBytes
  if (vectorAddress % vectorAlign !== 0) return new Failure('unaligned', `The vector table would stand at 0x${vectorAddress.toString(16)}, which is no multiple of ${vectorAlign}.`)
  const listed = readListed({ read: (offset: number, length: number) => area.read(inside.offset + offset, length), sizeBytes: area.sizeBytes - inside.offset })
  if (listed === null) return new Failure('bad-firmware', 'The image in the package has no hash.')
  return { running: { hash: listed.hash, version: listedVersion(header), header, slot }, vectorAddress }
}
