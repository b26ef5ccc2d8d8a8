// A bootloader that takes firmware packages (RFC 4108). In the upgrade slot the package lies as it was uploaded; its CMS
// signature, and then the image's own, are proven there before anything moves, and the swap copies the image out of it,
// each sector from where it lies across two. What surprised us: the package's head is gone once the first sector has been
// swapped, so how far the image lies behind it must be in the swap status, beside the swap's size. What is compressed or
// encrypted is unpacked first, into the free sectors behind the package, which stays whole until the swap begins: no state of
// a decompressor need outlive the power, and the swap is the same, only from further up. Or the package runs
// where it lies: the image is found inside it and started at its own vector table, nothing is copied. A package that is
// refused loses its slot, as an image would.
import { sameBytes } from '../base/bytes.ts'
import { Failure, assert, failed, must } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { openPackage } from '../cms/package.ts'
import type { LoaderFacts } from '../cms/loader.ts'
import { anchorFromCertificate, anchorFromKey } from '../cms/trust.ts'
import type { TrustAnchor } from '../cms/trust.ts'
import type { BootResult, Running, Say } from './boot-words.ts'
import { erasedByte } from './flash.ts'
import type { FlashArea } from './flash.ts'
import { compareWithoutBuild, selectOrErase } from './load-highest.ts'
import type { LayersWorld } from './package-layers.ts'
import { insideOf, packageBytesIn, packagePlace } from './package-place.ts'
import { largestImage } from './slot-check.ts'
import type { Bootloader, ImageCheck, Unwrap, UnwrappedPackage } from './slot-check.ts'
import { fixedAddress, headerFrom, imageSize, listedVersion, readHeader, readListed } from './slot-image.ts'
import type { SlotHeader } from './slot-image.ts'
import { askedSwap, copyBufferBytes, trailerSectors } from './swap.ts'
import type { Slot, SwapStatus } from './swap.ts'
import type { SwapType } from './trailer.ts'

const sequenceTag = 0x30

/** What is built into a bootloader as trust anchors: its keys, each of which may sign packages itself, and certificates (DER; what is none counts for nothing). */
export function packageAnchors(keys: readonly PublicKey[], certificates: readonly Uint8Array[] = []): TrustAnchor[] {
  const certified = certificates.flatMap((der) => {
    const anchor = anchorFromCertificate(der)
    return failed(anchor) ? [] : [anchor]
  })
  return [...keys.map((key) => must(anchorFromKey(key.spki, 'a key built into the bootloader'))), ...certified]
}

/** A bootloader's way to prove packages: whom it trusts, what it knows of itself, and with what it takes layers off (null: plain packages only). */
export function unwrapWith(anchors: readonly TrustAnchor[], loader: LoaderFacts | null, wallMs: () => number, layers: LayersWorld | null = null): Unwrap {
  return (slot) => {
    const packageBytes = packageBytesIn({ sizeBytes: slot.length, read: (at, length) => slot.subarray(at, at + length) })
    if (packageBytes === null) return new Failure('decode-failure', 'The slot does not begin with a whole package.')
    const opened = openPackage(slot.subarray(0, packageBytes), { trust: { anchors, atMs: wallMs() }, loader, ...layers })
    if (failed(opened)) return opened
    const { firmware, firmwareOffset } = opened
    if (firmwareOffset === null && layers === null) return new Failure('bad-encap-content', 'The firmware is encrypted, compressed or in pieces, and this bootloader takes it only as it is.')
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
  const shiftBytes = failed(inside) ? inside : inside.offset ?? unpackBehind(secondary, inside)
  if (!failed(inside) && !failed(shiftBytes) && type !== 'revert') {
    say(`I: Image ${inside.offset === null ? 'unpacked from' : 'in'} a package, at 0x${shiftBytes.toString(16)}`)
    return { type, shiftBytes, imageBytes: inside.image.length }
  }
  say(`E: Package in the secondary slot is not valid${failed(shiftBytes) ? ` (${shiftBytes.kind})` : ''}!`)
  secondary.area.erase(0, secondary.area.sizeBytes)
  // A swap already opened that lost its image ends as failed, and the running image stays (boot_prepare_image_for_update).
  if (status.swapType !== 'none' && primary.trailer.state().imageOk === 'unset') primary.trailer.writeImageOk()
  return null
}

/**
 * Writes the image that was taken out of a package into the sectors behind it; where. Until the swap's status is open the
 * package is untouched, so that a power cut in here only means beginning anew. Kind `insufficient-memory`.
 */
function unpackBehind(slot: Slot, { image, packageBytes }: Pick<UnwrappedPackage, 'image' | 'packageBytes'>): number | Failure {
  const { area } = slot
  const { sectorBytes, writeBlockBytes } = area
  const at = Math.ceil(packageBytes / sectorBytes) * sectorBytes
  const roomBytes = (area.sectors - trailerSectors(slot)) * sectorBytes - at
  if (image.length > roomBytes) return new Failure('insufficient-memory', 'The slot has no room to unpack the image beside its package.')
  if (sameBytes(area.read(at, image.length), image)) return at
  area.erase(at, Math.ceil(image.length / sectorBytes) * sectorBytes)
  for (let done = 0; done < image.length; done += copyBufferBytes) {
    const piece = image.subarray(done, done + copyBufferBytes)
    const padded = new Uint8Array(Math.ceil(piece.length / writeBlockBytes) * writeBlockBytes).fill(erasedByte)
    padded.set(piece)
    assert(area.write(at + done, padded), 'the image goes into sectors that were just erased')
  }
  return at
}

/** The package proven, then the image in it as MCUboot would. */
function provenInside(loader: Pick<Bootloader, 'unwrap' | 'check' | 'slots' | 'mode'>, area: FlashArea, roomBytes: number): UnwrappedPackage | Failure {
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

export type InPlaceLoader = Pick<Bootloader, 'check'> & Readonly<{
  /** Of equal standing; each may hold a package, or an image as it came from the factory. */
  slots: readonly [Slot, Slot]
  unwrap: Unwrap
  /** What the core asks of its vector table. */
  vectorAlign: number
  /** Packages that were tried once and not confirmed are not started again (direct-xip with revert). */
  wayBack: boolean
}>

export type InPlaceBoot = BootResult & Readonly<{ /** Where the core starts; null when nothing runs. */ vectorAddress: number | null }>

/**
 * Starts the newest image that lies proven inside a package, from where it lies; nothing is copied. As MCUboot does in
 * direct-xip (load-highest.ts), slots are tried newest first, one that is not proven loses its content, and one that
 * is laid out for another place is passed over.
 */
export function bootInPlace(loader: InPlaceLoader): InPlaceBoot {
  const lines: BootResult['lines'][number][] = []
  const { flash } = loader.slots[0].area
  const say: Say = (text) => lines.push({ afterMs: flash.elapsedMs, text })
  say('*** Booting MCUboot v2.4.0 ***')
  const found = loader.slots.flatMap(({ area }, slot): Found[] => {
    const place = packagePlace(area)
    const header = readHeader(place === null ? area : insideOf(area, place))
    const there = header.magic === 'image'
    say(there ? `I: Slot ${slot}: version=${listedVersion(header)}${place === null ? '' : `, in a package, at 0x${place.offset.toString(16)}`}` : `I: Slot ${slot}: image not found`)
    return there ? [{ slot: slot === 0 ? 0 : 1, header }] : []
  })
  // The sort is stable: of two equal versions the first slot's runs.
  for (const { slot } of [...found].sort((a, b) => compareWithoutBuild(b.header, a.header))) {
    const started = startIn(loader, slot, say)
    if (started === null) continue
    say(`I: Image version: v${started.running.version}`)
    say(`I: Vector table at 0x${started.vectorAddress.toString(16)}`)
    return { ...started, swapped: 'none', lines }
  }
  say('E: Unable to find bootable image')
  return { running: null, swapped: 'none', lines, vectorAddress: null }
}

type Found = Readonly<{ slot: 0 | 1; header: SlotHeader }>
type Started = Readonly<{ running: Running; vectorAddress: number }>

function startIn(loader: InPlaceLoader, slot: 0 | 1, say: Say): Started | null {
  const place = loader.slots[slot]
  const { area } = place
  const inside = provenInPlace(loader, area)
  const why = failed(inside) ? null : whyNotThere(loader, area, inside)
  if (why !== null) {
    say(`E: Slot ${slot}: ${why}`)
    return null
  }
  if (loader.wayBack && !selectOrErase(place)) {
    say(`I: Slot ${slot}: tried before and not confirmed, or never marked; erased`)
    return null
  }
  if (failed(inside)) {
    say(`E: Slot ${slot}: ${inside.says}`)
    area.erase(0, area.sizeBytes)
    return null
  }
  const header = headerFrom(inside.image)
  const listed = readListed(insideOf(area, { offset: inside.offset, imageBytes: inside.image.length, packageBytes: inside.image.length }))
  return listed === null ? null : { running: { hash: listed.hash, version: listedVersion(header), header, slot }, vectorAddress: area.address + inside.offset + header.headerBytes }
}

type Inside = Readonly<{ offset: number; image: Uint8Array }>

/** The image of that slot, its package's signature and its own proven; one that came without a package is judged by its own. */
function provenInPlace({ unwrap, check }: InPlaceLoader, area: FlashArea): Inside | Failure {
  const plain = readHeader(area).magic === 'image'
  const size = plain ? imageSize(area, readHeader(area)) : null
  const inside = !plain ? unwrap(area.read(0, area.sizeBytes)) : size === null ? new Failure('bad-firmware', 'The image in the slot is cut off.') : { offset: 0, image: area.read(0, size) }
  if (failed(inside)) return inside
  const { offset, image } = inside
  if (offset === null) return new Failure('bad-encap-content', 'Firmware that runs from inside its package lies there as it is.')
  return imageIn(image, check, area.sizeBytes) ?? { offset, image }
}

/** Why an image that is proven cannot run from there: linked for another address (boot_rom_address_check), or unaligned. */
function whyNotThere({ vectorAlign }: InPlaceLoader, area: FlashArea, { offset, image }: Inside): string | null {
  const imageAddress = area.address + offset
  const fixed = fixedAddress(image)
  if (fixed !== null && fixed !== imageAddress) return `The image is linked for 0x${fixed.toString(16)} and lies at 0x${imageAddress.toString(16)}.`
  const vectorAddress = imageAddress + headerFrom(image).headerBytes
  return vectorAddress % vectorAlign === 0 ? null : `The vector table would stand at 0x${vectorAddress.toString(16)}, which is no multiple of ${vectorAlign}.`
}
