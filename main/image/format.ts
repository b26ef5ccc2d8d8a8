// The MCUboot image (bootutil/image.h): header, payload, protected TLVs, TLVs, and whatever follows. Reading is strict:
// every refusal names the byte it stumbled over, and what MCUboot's own iterator would refuse is refused here too.
// Surprises: the protected area's size stands twice (header and info) and must agree; nothing says an image's endianness.
import { viewOf } from '../base/bytes.ts'
import type { Failure} from '../base/failure.ts';
import { attempt, must, refuse } from '../base/failure.ts'
import { TLV_INFO_BYTES, TLV_INFO_MAGIC, TLV_PROTECTED_INFO_MAGIC, decodeTlvArea } from './tlv.ts'
import type { Endian, Tlv } from './tlv.ts'
import type { ImageVersion } from './version.ts'

export { TLV, tlvName, hashOfTlv, allowedUnprotected } from './tlv.ts'
export type { Endian, Tlv, TlvEntry } from './tlv.ts'
export { checkVersion, compareVersions, formatVersion, parseVersion } from './version.ts'
export type { ImageVersion } from './version.ts'

export const IMAGE_MAGIC = 0x96f3b83d
export const IMAGE_MAGIC_V1 = 0x96f3b83c
export const HEADER_BYTES = 32
/** hdr_size is a u16. */
export const HEADER_BYTES_MAX = 0xffff
/** Larger than any slot we know of; a file beyond it is not firmware for a board, and is refused before it is read. */
export const FIRMWARE_BYTES_MAX = 64 * 1024 * 1024

export const IMAGE_FLAGS = {
  PIC: 0x0000001,
  ENCRYPTED_AES128: 0x0000004,
  ENCRYPTED_AES256: 0x0000008,
  NON_BOOTABLE: 0x0000010,
  RAM_LOAD: 0x0000020,
  ROM_FIXED: 0x0000100,
  COMPRESSED_LZMA1: 0x0000200,
  COMPRESSED_LZMA2: 0x0000400,
  COMPRESSED_ARM_THUMB: 0x0000800,
} as const

/** The header's fields, named by what they hold; sizes in bytes. */
export type ImageHeader = Readonly<{
  /** Load address, or the ROM-fixed address; 0 when neither. */
  loadAddress: number
  headerBytes: number
  protectedTlvBytes: number
  payloadBytes: number
  flags: number
  version: ImageVersion
}>

/** An image as read; all byte fields are views into the file. */
export type ImageFile = Readonly<{
  endian: Endian
  header: ImageHeader
  /** `headerBytes` long: the 32 header bytes and their padding. */
  headerArea: Uint8Array
  payload: Uint8Array
  /** What MCUboot hashes and signs: header, payload, protected TLVs. */
  signedRegion: Uint8Array
  protectedTlvs: readonly Tlv[]
  tlvs: readonly Tlv[]
  /** Header to the last TLV: what must fit in the slot beside the trailer. */
  imageBytes: number
  /** What follows the image in the file: nothing, padding, or padding and a trailer. */
  rest: Uint8Array
}>

/** Names of the flags that are set, in imgtool's spelling; unknown bits as hex. */
export function flagNames(flags: number): string[] {
  const set = Object.entries(IMAGE_FLAGS).filter(([, bit]) => (flags & bit) !== 0)
  const unknown = set.reduce((left, [, bit]) => left & ~bit, flags) >>> 0
  return [...set.map(([name]) => name), ...(unknown === 0 ? [] : [`0x${unknown.toString(16)}`])]
}

/** True when the header says that the payload is encrypted. */
export function isEncrypted(header: ImageHeader): boolean {
  return (header.flags & (IMAGE_FLAGS.ENCRYPTED_AES128 | IMAGE_FLAGS.ENCRYPTED_AES256)) !== 0
}

/** True when the header says that the payload is compressed. */
export function isCompressed(header: ImageHeader): boolean {
  return (header.flags & (IMAGE_FLAGS.COMPRESSED_LZMA1 | IMAGE_FLAGS.COMPRESSED_LZMA2)) !== 0
}

// magic u32 · load address u32 · header bytes u16 · protected TLV bytes u16 · payload bytes u32 · flags u32 · version 8 · pad 4
/** The 32 header bytes. Fields must already fit (checked by whoever took them from outside). */
export function encodeHeader(header: ImageHeader, endian: Endian = 'little'): Uint8Array {
  const little = endian === 'little'
  const bytes = new Uint8Array(HEADER_BYTES)
  const view = viewOf(bytes)
  view.setUint32(0, IMAGE_MAGIC, little)
  view.setUint32(4, header.loadAddress, little)
  view.setUint16(8, header.headerBytes, little)
  view.setUint16(10, header.protectedTlvBytes, little)
  view.setUint32(12, header.payloadBytes, little)
  view.setUint32(16, header.flags, little)
  view.setUint8(20, header.version.major)
  view.setUint8(21, header.version.minor)
  view.setUint16(22, header.version.revision, little)
  view.setUint32(24, header.version.build, little)
  return bytes
}

/** Reads the first 32 bytes; the magic tells the byte order. */
export function decodeHeader(bytes: Uint8Array): { header: ImageHeader; endian: Endian } | Failure {
  return attempt(() => {
    if (bytes.length < 4) refuse('not-an-image', bytes.length === 0 ? 'The file is empty: choose the signed image that the build or the signing desk made.' : `The file is only ${bytes.length} bytes long: not an MCUboot image.`, { offset: bytes.length })
    const view = viewOf(bytes)
    const little = view.getUint32(0, true) === IMAGE_MAGIC
    if (!little && view.getUint32(0, false) !== IMAGE_MAGIC) refuseMagic(view.getUint32(0, true))
    if (bytes.length < HEADER_BYTES) {
      refuse('truncated', `The file ends at byte ${bytes.length}, inside the 32-byte image header.`, { offset: bytes.length, needed: HEADER_BYTES })
    }
    const header: ImageHeader = {
      loadAddress: view.getUint32(4, little),
      headerBytes: view.getUint16(8, little),
      protectedTlvBytes: view.getUint16(10, little),
      payloadBytes: view.getUint32(12, little),
      flags: view.getUint32(16, little),
      version: { major: view.getUint8(20), minor: view.getUint8(21), revision: view.getUint16(22, little), build: view.getUint32(24, little) },
    }
    if (header.headerBytes < HEADER_BYTES) {
      refuse('bad-header', `The header says it is ${header.headerBytes} bytes long (at offset 8); an MCUboot header has at least 32.`, { offset: 8, headerBytes: header.headerBytes })
    }
    return { header, endian: little ? 'little' : 'big' }
  })
}

function refuseMagic(found: number): never {
  const hex = `0x${found.toString(16).padStart(8, '0')}`
  if (found === IMAGE_MAGIC_V1) {
    refuse('not-an-image', 'This is an image of MCUboot’s first format (magic 0x96f3b83c at offset 0), which boards no longer take. Sign the firmware anew.', { offset: 0, magic: hex })
  }
  refuse(
    'not-an-image',
    `No MCUboot image: it begins with ${hex} at offset 0 instead of 0x96f3b83d. ${found === 0x464c457f ? 'It is an ELF file: convert it with objcopy -O binary. ' : ''}${found === 0x2d2d2d2d ? 'It looks like a key or a certificate (PEM).' : 'If this is bare firmware, sign it first.'}`,
    { offset: 0, magic: hex },
  )
}

/** Reads an image; every refusal names the offset where the file stopped making sense. */
export function parseImage(file: Uint8Array): ImageFile | Failure {
  return attempt(() => {
    const { header, endian } = must(decodeHeader(file))
    const little = endian === 'little'
    const view = viewOf(file)
    const payloadEnd = header.headerBytes + header.payloadBytes
    if (payloadEnd + TLV_INFO_BYTES > file.length) {
      refuse(
        'truncated',
        `The header says the payload ends at byte ${payloadEnd}, and its TLVs follow, but the file has only ${file.length} bytes: it is cut short, or its size field (offset 12) is damaged.`,
        { offset: Math.min(payloadEnd, file.length), fileBytes: file.length, needed: payloadEnd + TLV_INFO_BYTES },
      )
    }
    let at = payloadEnd
    let protectedTlvs: readonly Tlv[] = []
    if (view.getUint16(at, little) === TLV_PROTECTED_INFO_MAGIC || header.protectedTlvBytes !== 0) {
      protectedTlvs = readArea(file, at, endian, TLV_PROTECTED_INFO_MAGIC, 'protected TLV area', header.protectedTlvBytes)
      at += header.protectedTlvBytes
    }
    const tlvs = readArea(file, at, endian, TLV_INFO_MAGIC, 'TLV area')
    const imageBytes = at + view.getUint16(at + 2, little)
    return {
      endian,
      header,
      headerArea: file.subarray(0, header.headerBytes),
      payload: file.subarray(header.headerBytes, payloadEnd),
      signedRegion: file.subarray(0, at),
      protectedTlvs,
      tlvs,
      imageBytes,
      rest: file.subarray(imageBytes),
    }
  })
}

function readArea(file: Uint8Array, at: number, endian: Endian, magic: number, name: string, declared?: number): readonly Tlv[] {
  const view = viewOf(file)
  const little = endian === 'little'
  if (at + TLV_INFO_BYTES > file.length) refuse('truncated', `The file ends at byte ${file.length}, before the ${name} at offset ${at}.`, { offset: file.length, needed: at + TLV_INFO_BYTES })
  const found = view.getUint16(at, little)
  if (found !== magic) {
    refuse('bad-tlvs', `At offset ${at} the ${name} should begin with 0x${magic.toString(16)}, but there is 0x${found.toString(16).padStart(4, '0')}: the image is damaged, or its size field is wrong.`, { offset: at })
  }
  const total = view.getUint16(at + 2, little)
  if (declared !== undefined && total !== declared) {
    refuse('bad-tlvs', `The header announces ${declared} bytes of protected TLVs, but the area at offset ${at} says ${total}.`, { offset: declared === 0 ? 10 : at + 2, declared, total })
  }
  if (total < TLV_INFO_BYTES) refuse('bad-tlvs', `The ${name} at offset ${at} says it is ${total} bytes long, less than its own 4-byte start.`, { offset: at + 2, total })
  if (at + total > file.length) {
    refuse('truncated', `The ${name} at offset ${at} says it is ${total} bytes long, but the file ends ${file.length - at} bytes later: it is cut short or damaged.`, { offset: at + 2, total, fileBytes: file.length })
  }
  return must(decodeTlvArea(file, at, total, endian))
}
