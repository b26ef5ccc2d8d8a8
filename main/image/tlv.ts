// TLV types and areas (bootutil/image.h; scripts/imgtool/image.py). An area is an info header {magic u16, total u16,
// the total counting these 4 bytes} and entries {type u16, length u16, bytes}. What surprised us: in big-endian images
// imgtool still writes its own types as two bytes {type, 0}, and only vendor types as a big-endian number.
import { concat, viewOf } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import type { HashName } from '../base/signer.ts'

export type Endian = 'little' | 'big'

export const TLV_INFO_MAGIC = 0x6907
export const TLV_PROTECTED_INFO_MAGIC = 0x6908
export const TLV_INFO_BYTES = 4
export const TLV_HEAD_BYTES = 4
/** The total is a u16. */
export const TLV_AREA_BYTES_MAX = 0xffff

export const TLV = {
  KEYHASH: 0x01,
  PUBKEY: 0x02,
  SHA256: 0x10,
  SHA384: 0x11,
  SHA512: 0x12,
  RSA2048: 0x20,
  ECDSA224: 0x21,
  ECDSASIG: 0x22,
  RSA3072: 0x23,
  ED25519: 0x24,
  SIG_PURE: 0x25,
  ENCRSA2048: 0x30,
  ENCKW: 0x31,
  ENCEC256: 0x32,
  ENCX25519: 0x33,
  ENCX25519_SHA512: 0x34,
  DEPENDENCY: 0x40,
  SEC_CNT: 0x50,
  BOOT_RECORD: 0x60,
  DECOMP_SIZE: 0x70,
  DECOMP_SHA: 0x71,
  DECOMP_SIGNATURE: 0x72,
  COMP_DEC_SIZE: 0x73,
  UUID_VID: 0x74,
  UUID_CID: 0x75,
} as const

/** Types a project may use for itself (`--custom-tlv`); imgtool takes the whole range. */
export const TLV_VENDOR_MIN = 0x00a0
export const TLV_VENDOR_MAX = 0xfffe

const names = new Map<number, string>(Object.entries(TLV).map(([name, type]) => [type, name]))

/** imgtool's name of a type, or `UNKNOWN`. */
export function tlvName(type: number): string {
  return names.get(type) ?? 'UNKNOWN'
}

/** Hash TLVs by the hash they hold. */
export const hashTlvs: Readonly<Record<HashName, number>> = { sha256: TLV.SHA256, sha384: TLV.SHA384, sha512: TLV.SHA512 }

/** The hash a TLV type holds, or undefined for another type. */
export function hashOfTlv(type: number): HashName | undefined {
  return type === TLV.SHA256 ? 'sha256' : type === TLV.SHA384 ? 'sha384' : type === TLV.SHA512 ? 'sha512' : undefined
}

/** Types MCUboot's loader accepts outside the protected area (bootutil/src/image_validate.c, allowed_unprot_tlvs). */
export const allowedUnprotected: ReadonlySet<number> = new Set([
  TLV.KEYHASH, TLV.PUBKEY, TLV.SHA256, TLV.SHA384, TLV.SHA512, TLV.RSA2048, TLV.ECDSA224, TLV.ECDSASIG, TLV.RSA3072,
  TLV.ED25519, TLV.SIG_PURE, TLV.ENCRSA2048, TLV.ENCKW, TLV.ENCEC256, TLV.ENCX25519, TLV.ENCX25519_SHA512,
])

/** An entry as it will be written. */
export type TlvEntry = Readonly<{ type: number; value: Uint8Array }>

/** An entry as it was found: `offset` is that of its 4-byte head in the file, `value` a view into the file. */
export type Tlv = TlvEntry & Readonly<{ offset: number }>

/** The area's bytes; nothing at all when there are no entries, as imgtool does. */
export function encodeTlvArea(magic: number, entries: readonly TlvEntry[], endian: Endian): Uint8Array | Failure<'bad-option'> {
  if (entries.length === 0) return new Uint8Array(0)
  const total = TLV_INFO_BYTES + entries.reduce((sum, entry) => sum + TLV_HEAD_BYTES + entry.value.length, 0)
  if (total > TLV_AREA_BYTES_MAX) {
    return new Failure(
      'bad-option',
      `The image's TLVs come to ${total} bytes, but one TLV area holds at most ${TLV_AREA_BYTES_MAX}. Make the custom TLVs smaller.`,
      { bytes: total },
    )
  }
  const parts: Uint8Array[] = [words(magic, total, endian)]
  for (const { type, value } of entries) {
    parts.push(names.has(type) ? concat(Uint8Array.of(type, 0), u16(value.length, endian)) : words(type, value.length, endian), value)
  }
  return concat(...parts)
}

/**
 * Reads the entries between `start` (the info header's offset) and `start + total`. The area must be filled exactly;
 * MCUboot's iterator refuses an entry that runs past the end (bootutil/src/tlv.c).
 */
export function decodeTlvArea(file: Uint8Array, start: number, total: number, endian: Endian): readonly Tlv[] | Failure<'bad-tlvs'> {
  const view = viewOf(file)
  const little = endian === 'little'
  const end = start + total
  const entries: Tlv[] = []
  let at = start + TLV_INFO_BYTES
  while (at < end) {
    if (end - at < TLV_HEAD_BYTES) {
      return new Failure('bad-tlvs', `The TLV area ends in ${end - at} stray bytes at offset ${at}: the image is damaged.`, { offset: at })
    }
    const type = little ? view.getUint16(at, true) : bigType(view, at)
    const length = view.getUint16(at + 2, little)
    if (length > end - at - TLV_HEAD_BYTES) {
      return new Failure(
        'bad-tlvs',
        `The ${tlvName(type)} TLV at offset ${at} says it is ${length} bytes long, but its area ends ${end - at - TLV_HEAD_BYTES} bytes later: the image is damaged.`,
        { offset: at, length, room: end - at - TLV_HEAD_BYTES },
      )
    }
    entries.push({ type, value: file.subarray(at + TLV_HEAD_BYTES, at + TLV_HEAD_BYTES + length), offset: at })
    at += TLV_HEAD_BYTES + length
  }
  return entries
}

// imgtool packs its own types as BB even in big-endian images, so {0x10, 0} is SHA256 there too.
function bigType(view: DataView, at: number): number {
  const first = view.getUint8(at)
  return view.getUint8(at + 1) === 0 && names.has(first) ? first : view.getUint16(at, false)
}

function u16(value: number, endian: Endian): Uint8Array {
  return endian === 'little' ? Uint8Array.of(value & 0xff, value >> 8) : Uint8Array.of(value >> 8, value & 0xff)
}

function words(first: number, second: number, endian: Endian): Uint8Array {
  return concat(u16(first, endian), u16(second, endian))
}

/** A number as 4 bytes in the image's byte order. */
export function u32(value: number, endian: Endian): Uint8Array {
  const bytes = new Uint8Array(4)
  viewOf(bytes).setUint32(0, value, endian === 'little')
  return bytes
}
