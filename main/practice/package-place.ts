// Where the image lies in a firmware package in flash, found as the running firmware finds it: by the heads of the DER
// values alone (RFC 5652 §3 and §5.1, RFC 4108 §2), a dozen short reads and no memory. Only what is compressed or encrypted
// has to be taken out (package-layers.ts). Nothing is proven by that; proving is the bootloader's business
// (package-loader.ts). Both readings of the inner OCTET STRING are followed.
import { context, join, oid, tags } from '../cms/der.ts'
import { contentTypes } from '../cms/oids.ts'
import { sameBytes } from '../base/bytes.ts'
import type { TakeOut } from './package-layers.ts'
import { headerBytes, headerFrom, readListed } from './slot-image.ts'
import type { ListedImage, Readable, SlotHeader } from './slot-image.ts'

/** Bytes from the start of the slot. */
export type PackagePlace = Readonly<{ offset: number; imageBytes: number; packageBytes: number }>

type Head = Readonly<{ tag: number; body: number; end: number }>

const headBytesMax = 6
const signedDataOid = join(oid(contentTypes.signedData))
const firmwareOid = join(oid(contentTypes.firmwarePackage))

/** Tag and definite length of the value that begins there; null when it has none or runs past `end`. */
function headAt(area: Readable, at: number, end: number): Head | null {
  const bytes = area.read(at, Math.max(0, Math.min(headBytesMax, end - at)))
  const [tag, first] = bytes
  if (tag === undefined || first === undefined || first === 0x80 || first > 0x84) return null
  const count = first < 0x80 ? 0 : first & 0x7f
  if (bytes.length < 2 + count) return null
  let length = count === 0 ? first : 0
  for (const byte of bytes.subarray(2, 2 + count)) length = length * 256 + byte
  const body = at + 2 + count
  return body + length <= end ? { tag, body, end: body + length } : null
}

/** Bytes of the DER value of a package that begins there, head included; null for anything else. */
export function packageBytesIn(area: Readable): number | null {
  const head = headAt(area, 0, area.sizeBytes)
  return head?.tag === tags.sequence ? head.end : null
}

/** Goes down into the first value, or past it: one step of the way to the content. */
type Go = Readonly<{ tag: number; go: 'in' | 'past'; is?: Uint8Array }>
const way: readonly Go[] = [
  { tag: tags.sequence, go: 'in' }, { tag: tags.oid, go: 'past', is: signedDataOid }, { tag: context(0), go: 'in' },
  { tag: tags.sequence, go: 'in' }, { tag: tags.integer, go: 'past' }, { tag: tags.set, go: 'past' },
  { tag: tags.sequence, go: 'in' }, { tag: tags.oid, go: 'past', is: firmwareOid }, { tag: context(0), go: 'in' }, { tag: tags.octets, go: 'in' },
]

/** The place of the firmware in the package that the area begins with; null when there is none, or it is encrypted, compressed or in pieces. */
export function packagePlace(area: Readable): PackagePlace | null {
  const packageBytes = packageBytesIn(area)
  if (packageBytes === null) return null
  let [at, end] = [0, packageBytes]
  for (const step of way) {
    const head = headAt(area, at, end)
    if (head === null || head.tag !== step.tag) return null
    if (step.is !== undefined && !sameBytes(area.read(at, head.end - at), step.is)) return null
    if (step.go === 'past') at = head.end
    else [at, end] = [head.body, head.end]
  }
  const nested = headAt(area, at, end)
  if (nested?.tag === tags.octets && nested.end === end) at = nested.body
  return end - at >= headerBytes ? { offset: at, imageBytes: end - at, packageBytes } : null
}

/** That part of the area as if it were all there is. */
export function insideOf(area: Readable, { offset, imageBytes }: PackagePlace): Readable {
  return { sizeBytes: imageBytes, read: (at, length) => area.read(offset + at, length) }
}

/** The image that an area begins with, or that is in the package it begins with, as the server would list it; `takeOut` for what does not lie there as it is. */
export function listedOrPacked(area: Readable, takeOut: TakeOut | null = null): ListedImage | null {
  const place = packagePlace(area)
  if (place !== null) return readListed(insideOf(area, place))
  const packageBytes = takeOut === null ? null : packageBytesIn(area)
  const image = packageBytes === null ? null : takeOut?.(area.read(0, packageBytes)) ?? null
  if (image === null) return readListed(area)
  return image.length < headerBytes ? null : readListed({ sizeBytes: image.length, read: (at, length) => image.subarray(at, at + length) })
}

/** The image header in the first piece of an upload of that length; null when it is no package or does not reach that far. */
export function packedHeader(piece: Uint8Array, sizeBytes: number): Readonly<{ offset: number; header: SlotHeader; bytes: Uint8Array }> | null {
  const place = packagePlace({ sizeBytes, read: (at, length) => piece.subarray(at, at + length) })
  const bytes = place === null ? null : piece.subarray(place.offset, place.offset + headerBytes)
  return place === null || bytes === null || bytes.length < headerBytes ? null : { offset: place.offset, header: headerFrom(bytes), bytes }
}
