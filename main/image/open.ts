// Reading as far as writing goes: decrypts and unpacks an image and proves that what comes out is what went in
// (DECOMP_SIZE, DECOMP_SHA, DECOMP_SIGNATURE; docs/compression.md). The unpacked image is rebuilt as it was hashed before
// compression: header without compression flags, and the protected TLVs without the compression ones.
import { createHash } from 'node:crypto'
import { concat, sameBytes, toHex, viewOf } from '../base/bytes.ts'
import { attemptAsync, must, refuse } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { HashName, PublicKey } from '../base/signer.ts'
import { decompressFirmware } from './compress.ts'
import { decryptImage } from './encrypt.ts'
import type { KeyOpener } from './encrypt.ts'
import { HEADER_BYTES, IMAGE_FLAGS, encodeHeader, isCompressed, isEncrypted, parseImage } from './format.ts'
import type { ImageFile } from './format.ts'
import { TLV, TLV_PROTECTED_INFO_MAGIC, encodeTlvArea } from './tlv.ts'
import { checkSignature, claimedHash, verifyParsed } from './verify.ts'
import type { Verified } from './verify.ts'

export type OpenedImage = Readonly<{
  verified: Verified
  /** The firmware as it was linked; encryption may have added up to 15 zero bytes that cannot be told from it. */
  firmware: Uint8Array
  decrypted: boolean
  decompressed: null | Readonly<{ digest: Uint8Array; signatureHolds: boolean | null }>
}>

const compressionTlvs: ReadonlySet<number> = new Set([TLV.DECOMP_SIZE, TLV.DECOMP_SHA, TLV.DECOMP_SIGNATURE, TLV.COMP_DEC_SIZE])

/**
 * Opens an image to its firmware. `opener` is needed for encrypted ones. Kinds beside those of `verifyImage`,
 * `decryptImage`: `bad-compression`, `bad-hash` of the unpacked image.
 */
export async function openImage(bytes: Uint8Array, options: { key?: PublicKey; opener?: KeyOpener } = {}): Promise<OpenedImage | Failure> {
  return attemptAsync(async () => {
    let image = must(parseImage(bytes))
    let decrypted = false
    let verified = verifyParsed(image, options.key)
    if (isEncrypted(image.header) && options.opener !== undefined && 'kind' in verified && verified.kind === 'encrypted') {
      image = must(parseImage(must(await decryptImage(bytes, image, options.opener))))
      decrypted = true
      verified = verifyParsed(image, options.key)
      if ('kind' in verified && verified.kind === 'encrypted') {
        refuse('bad-hash', 'The image opened with this key, but its plaintext does not match its hash: it was changed after it was encrypted.', { offset: image.header.headerBytes })
      }
    }
    const proven = must(verified)
    if (!isCompressed(image.header)) return { verified: proven, firmware: image.payload, decrypted, decompressed: null }
    const { firmware, decompressed } = await unpack(image, proven.hash, options.key)
    return { verified: proven, firmware, decrypted, decompressed }
  })
}

async function unpack(image: ImageFile, hash: HashName, key: PublicKey | undefined): Promise<Pick<OpenedImage, 'firmware' | 'decompressed'>> {
  const little = image.endian === 'little'
  const find = (type: number, bytes?: number) => image.protectedTlvs.find((tlv) => tlv.type === type && (bytes === undefined || tlv.value.length === bytes))
  const size = find(TLV.DECOMP_SIZE, 4)
  const sha = find(TLV.DECOMP_SHA)
  if (size === undefined || sha === undefined) refuse('bad-compression', 'The header says the image is compressed, but its DECOMP_SIZE or DECOMP_SHA TLV is missing: no board can unpack it.', { offset: 16 })
  if ((image.header.flags & IMAGE_FLAGS.COMPRESSED_LZMA1) !== 0) refuse('bad-compression', 'The image is compressed with LZMA1, which MCUboot defines but nothing writes.', { offset: 16 })
  const thumb = (image.header.flags & IMAGE_FLAGS.COMPRESSED_ARM_THUMB) !== 0
  const firmware = must(await decompressFirmware(image.payload, thumb ? 'lzma2armthumb' : 'lzma2', viewOf(size.value).getUint32(0, little)))
  const kept = image.protectedTlvs.filter((tlv) => !compressionTlvs.has(tlv.type))
  const area = must(encodeTlvArea(TLV_PROTECTED_INFO_MAGIC, kept, image.endian))
  const flags = image.header.flags & ~(IMAGE_FLAGS.COMPRESSED_LZMA2 | IMAGE_FLAGS.COMPRESSED_ARM_THUMB)
  const header = encodeHeader({ ...image.header, protectedTlvBytes: area.length, payloadBytes: firmware.length, flags }, image.endian)
  const region = [header, image.headerArea.subarray(HEADER_BYTES), firmware, area]
  const state = createHash(hash)
  for (const part of region) state.update(part)
  const digest = new Uint8Array(state.digest())
  if (!sameBytes(digest, sha.value)) {
    refuse('bad-hash', `The unpacked image has hash ${toHex(digest).slice(0, 16)}…, but its DECOMP_SHA TLV (offset ${sha.offset}) says ${toHex(sha.value).slice(0, 16)}…: boards would refuse it.`, { offset: sha.offset })
  }
  const signature = find(TLV.DECOMP_SIGNATURE)
  const pure = image.tlvs.some((tlv) => tlv.type === TLV.SIG_PURE)
  const signatureHolds = key === undefined || signature === undefined ? null : checkSignature(signature.value, key, pure ? { message: concat(...region) } : { digest, hash })
  return { firmware, decompressed: { digest, signatureHolds } }
}

/** The hash name an image claims, for a first look. */
export function hashNameOf(image: ImageFile): HashName | null {
  const claim = claimedHash(image)
  return 'hash' in claim ? claim.hash : null
}
