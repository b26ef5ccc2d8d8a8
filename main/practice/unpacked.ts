// A compressed image as the bootloader leaves it in the primary slot (nRF Connect SDK's MCUboot, decompression in
// overwrite-only mode): the firmware unpacked, the header without its compression flags, the compression TLVs gone, and hash
// and signature of the unpacked image, which travelled as DECOMP_SHA and DECOMP_SIGNATURE, in the place of the packed one's.
import { concat, viewOf } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import { HEADER_BYTES, IMAGE_FLAGS, encodeHeader, hashOfTlv, parseImage } from '../image/format.ts'
import type { Tlv } from '../image/format.ts'
import { TLV, TLV_INFO_MAGIC, TLV_PROTECTED_INFO_MAGIC, encodeTlvArea } from '../image/tlv.ts'
import { undoArmThumb, unpackLzma2 } from './lzma2.ts'

/** Dictionary size and literal properties stand before the stream; the stream repeats the properties. */
const streamHeaderBytes = 2
const compressionTlvs: ReadonlySet<number> = new Set([TLV.DECOMP_SIZE, TLV.DECOMP_SHA, TLV.DECOMP_SIGNATURE, TLV.COMP_DEC_SIZE])
const signatureTlvs: ReadonlySet<number> = new Set([TLV.RSA2048, TLV.RSA3072, TLV.ECDSASIG, TLV.ED25519])

/** The unpacked image, larger than `bytesMax` never; null when it cannot be unpacked. */
export function unpackedImage(bytes: Uint8Array, bytesMax: number): Uint8Array | null {
  const image = parseImage(bytes)
  if (failed(image) || image.endian !== 'little') return null
  const find = (type: number): Tlv | undefined => image.protectedTlvs.find((tlv) => tlv.type === type)
  const [size, sha, signature] = [find(TLV.DECOMP_SIZE), find(TLV.DECOMP_SHA), find(TLV.DECOMP_SIGNATURE)]
  if (size?.value.length !== 4 || sha === undefined) return null
  const firmwareBytes = viewOf(size.value).getUint32(0, true)
  const firmware = firmwareBytes > bytesMax ? null : unpackLzma2(image.payload.subarray(streamHeaderBytes), firmwareBytes)
  if (firmware === null) return null
  if ((image.header.flags & IMAGE_FLAGS.COMPRESSED_ARM_THUMB) !== 0) undoArmThumb(firmware)
  const kept = image.protectedTlvs.filter(({ type }) => !compressionTlvs.has(type))
  const own = image.tlvs.map((tlv) => ({ type: tlv.type, value: hashOfTlv(tlv.type) !== undefined ? sha.value : signatureTlvs.has(tlv.type) && signature !== undefined ? signature.value : tlv.value }))
  const [protectedArea, area] = [encodeTlvArea(TLV_PROTECTED_INFO_MAGIC, kept, 'little'), encodeTlvArea(TLV_INFO_MAGIC, own, 'little')]
  if (failed(protectedArea) || failed(area)) return null
  const flags = image.header.flags & ~(IMAGE_FLAGS.COMPRESSED_LZMA2 | IMAGE_FLAGS.COMPRESSED_ARM_THUMB)
  const header = encodeHeader({ ...image.header, protectedTlvBytes: protectedArea.length, payloadBytes: firmwareBytes, flags }, 'little')
  const whole = concat(header, image.headerArea.subarray(HEADER_BYTES), firmware, protectedArea, area)
  return whole.length > bytesMax ? null : whole
}
