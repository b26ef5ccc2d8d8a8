// What sits in a slot, read the way the device reads it: header and TLV area only, erased flash behind it. Two readers
// with different tempers: MCUboot's, which wants the exact size of what it will verify (bootutil_misc.c,
// boot_read_image_size), and the SMP server's, which lists whatever has a header and a hash TLV (img_mgmt.c,
// img_mgmt_read_info) without checking either.
import { viewOf } from '../base/bytes.ts'
import type { FlashArea } from './flash.ts'

const imageMagic = 0x96f3b83d
const erasedWord = 0xffffffff
const tlvInfoMagic = 0x6907
const protectedTlvInfoMagic = 0x6908
const sha256Tlv = 0x10
const nonBootableFlag = 0x10
const romFixedFlag = 0x100
const encryptedFlags = 0x4 | 0x8
const aes256Flag = 0x8
const compressedFlags = 0x200 | 0x400
export const headerBytes = 32
const tlvHeadBytes = 4
const hashBytes = 32

/** What is read of an area; a part of one will do. */
export type Readable = Pick<FlashArea, 'read' | 'sizeBytes'>

export type SlotHeader = Readonly<{
  magic: 'image' | 'erased' | 'other'
  headerBytes: number
  protectedTlvBytes: number
  imageBytes: number
  bootable: boolean
  /** Neither encrypted nor compressed. */
  plain: boolean
  /** Bytes of the key its payload is encrypted with; 0 when it is not. */
  keyBytes: 0 | 16 | 32
  compressed: boolean
  major: number
  minor: number
  revision: number
  build: number
}>

/** The header of an image that begins at `offset` of that area. */
export function readHeader(area: Readable, offset = 0): SlotHeader {
  return headerFrom(area.read(offset, headerBytes))
}

export function headerFrom(bytes: Uint8Array): SlotHeader {
  const view = viewOf(bytes)
  const magic = view.getUint32(0, true)
  const flags = view.getUint32(16, true)
  return {
    magic: magic === imageMagic ? 'image' : magic === erasedWord ? 'erased' : 'other',
    headerBytes: view.getUint16(8, true),
    protectedTlvBytes: view.getUint16(10, true),
    imageBytes: view.getUint32(12, true),
    bootable: (flags & nonBootableFlag) === 0,
    plain: (flags & (encryptedFlags | compressedFlags)) === 0,
    keyBytes: (flags & encryptedFlags) === 0 ? 0 : (flags & aes256Flag) === 0 ? 16 : 32,
    compressed: (flags & compressedFlags) !== 0,
    major: view.getUint8(20),
    minor: view.getUint8(21),
    revision: view.getUint16(22, true),
    build: view.getUint32(24, true),
  }
}

/** The flash address an image is linked for, by its header's bytes (flag ROM_FIXED); null when it names none. */
export function fixedAddress(header: Uint8Array): number | null {
  const view = viewOf(header)
  return (view.getUint32(16, true) & romFixedFlag) === 0 ? null : view.getUint32(4, true)
}

/** Bytes of header, payload and both TLV areas; null when the areas do not hold together. */
export function imageSize(area: Readable, header: SlotHeader): number | null {
  const start = header.headerBytes + header.imageBytes
  const first = readTlvInfo(area, start)
  if (first === null) return null
  if (first.magic === protectedTlvInfoMagic) {
    if (first.total !== header.protectedTlvBytes) return null
    const second = readTlvInfo(area, start + first.total)
    if (second?.magic !== tlvInfoMagic) return null
    return fitting(area, start + first.total + second.total)
  }
  if (header.protectedTlvBytes !== 0 || first.magic !== tlvInfoMagic) return null
  return fitting(area, start + first.total)
}

function fitting(area: Readable, size: number): number | null {
  return size <= area.sizeBytes ? size : null
}

function readTlvInfo(area: Readable, offset: number): { magic: number; total: number } | null {
  if (offset + tlvHeadBytes > area.sizeBytes) return null
  const view = viewOf(area.read(offset, tlvHeadBytes))
  return { magic: view.getUint16(0, true), total: view.getUint16(2, true) }
}

export type ListedImage = Readonly<{ header: SlotHeader; hash: Uint8Array }>

/** What the server lists for that slot, or null when it would leave the slot out. */
export function readListed(area: Readable): ListedImage | null {
  const header = readHeader(area)
  if (header.magic !== 'image') return null
  let offset = header.headerBytes + header.imageBytes
  const first = readTlvInfo(area, offset)
  if (first?.magic === protectedTlvInfoMagic) offset += first.total
  const info = readTlvInfo(area, offset)
  if (info?.magic !== tlvInfoMagic) return null
  // The server counts the area from behind its own head, and so looks four bytes too far.
  const end = Math.min(offset + tlvHeadBytes + info.total, area.sizeBytes)
  const hash = findHash(area, offset + tlvHeadBytes, end)
  return hash && { header, hash }
}

function findHash(area: Readable, start: number, end: number): Uint8Array | null {
  let found: Uint8Array | null = null
  for (let at = start; at + tlvHeadBytes <= end;) {
    const view = viewOf(area.read(at, tlvHeadBytes))
    const type = view.getUint16(0, true)
    const length = view.getUint16(2, true)
    if (type === 0xff && length === 0xffff) return null
    at += tlvHeadBytes
    if (type === sha256Tlv && length === hashBytes) {
      // Two hashes, or one that runs out of the area: not an image to the server.
      if (found !== null || at + hashBytes > end) return null
      found = area.read(at, hashBytes).slice()
    }
    at += length
  }
  return found
}

/** The server's way to write a version: the build number only when there is one, behind a dot. */
export function listedVersion(header: SlotHeader): string {
  const { major, minor, revision, build } = header
  return build === 0 ? `${major}.${minor}.${revision}` : `${major}.${minor}.${revision}.${build}`
}
