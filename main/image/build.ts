// Lays an image out: header, firmware, protected TLVs, TLVs, in imgtool's order (scripts/imgtool/image.py create), compressed
// and encrypted where asked. TLVs are built first and measured afterwards. What surprised us: KEYHASH uses the image's hash,
// and imgtool hashes plaintext but encrypts after padding header and firmware together to 16.
import { createHash } from 'node:crypto'
import { concat, filled } from '../base/bytes.ts'
import { must, refuse } from '../base/failure.ts'
import type { HashName, PublicKey, Signer } from '../base/signer.ts'
import { bootRecord } from './bootrecord.ts'
import { compressFirmware } from './compress.ts'
import type { Compression } from './compress.ts'
import { IMAGE_FLAGS, encodeHeader } from './format.ts'
import { keyHash } from './keyhash.ts'
import { hashFor } from './options.ts'
import type { SignOptions } from './options.ts'
import { TLV, TLV_INFO_MAGIC, TLV_PROTECTED_INFO_MAGIC, encodeTlvArea, hashTlvs, u32 } from './tlv.ts'
import type { TlvEntry } from './tlv.ts'
import { classId, vendorId } from './uuid.ts'
import { checkSignature, signatureTlvs } from './verify.ts'
import { counterOfVersion } from './version.ts'

// imgtool exports a digest here that no image can ever have: it lacks the first of the two signatures.
export function refuseOutsideCompressed(): never {
  refuse('bad-option', 'A compressed image holds two signatures, its own and the unpacked image\'s, and the second digest is known only after the first is signed: it cannot be signed from outside in one round. Leave --compression out, or sign it with the key itself.', { option: 'compression' })
}

/** What compressing did; `kept` is false when the image would have grown. */
export type CompressionFigures = Readonly<{ kept: boolean; firmwareBytes: number; compressedBytes: number }>

/** Where the signature comes from: a signer, nowhere (`vector` stops before it), or room is only kept for it (`measure`). */
export type Source = Readonly<{ kind: 'sign'; signer?: Signer; signal?: AbortSignal } | { kind: 'vector'; publicKey?: PublicKey } | { kind: 'measure'; publicKey?: PublicKey }>

/** The key that signs, or has signed. */
export function keyOf(source: Source, options: SignOptions): PublicKey | undefined {
  return (source.kind === 'sign' ? source.signer?.publicKey : source.publicKey) ?? options.fixedSignature?.publicKey
}

/** Header area and firmware, before anything is computed. */
export type Body = Readonly<{ headerArea: Uint8Array; firmware: Uint8Array }>

type Extra = Readonly<{ compression?: Compression; tlvs?: readonly TlvEntry[]; keepEncrypted?: boolean; decompressedOnly?: boolean }>

export type Created = Readonly<{
  /** Sizes of the parts, bytes. */
  sizes: Readonly<{ headerBytes: number; payloadBytes: number; protectedTlvBytes: number; tlvBytes: number }>
  /** Header, firmware (plaintext), protected TLVs: what is hashed. */
  region: readonly Uint8Array[]
  /** The image as written: encrypted where asked. */
  parts: readonly Uint8Array[]
  hash: HashName
  digest: Uint8Array
  signature: Uint8Array | null
  /** imgtool's enctlv_len, 0 when not encrypted. */
  encTlvBytes: number
}>

/** Header area and firmware of what was given; only below `attempt`. */
export function layBody(payload: Uint8Array, options: SignOptions): Body {
  const { headerBytes } = options
  if (options.padHeader === true) return { headerArea: filled(headerBytes, options.erasedValue ?? 0xff), firmware: payload }
  if (payload.length < headerBytes) {
    refuse('header-room', `The firmware has ${payload.length} bytes, less than the ${headerBytes}-byte header it should leave room for. Add --pad-header if it was linked without that room.`, { bytes: payload.length, headerBytes })
  }
  const used = payload.subarray(0, headerBytes).findIndex((byte) => byte !== 0)
  if (used >= 0) {
    refuse('header-room', `The firmware should begin with ${headerBytes} zero bytes for the header, but byte ${used} is not zero. Add --pad-header if it was linked without room for the header.`, { offset: used, headerBytes })
  }
  return { headerArea: concat(payload.subarray(0, headerBytes)), firmware: payload.subarray(headerBytes) }
}

/** One image, whole. Only below `attempt`. */
export async function createImage(body: Body, options: SignOptions, source: Source, extra: Extra = {}): Promise<Created> {
  const endian = options.endian ?? 'little'
  const key = keyOf(source, options)
  const hash = must(hashFor(options, key))
  const encrypting = options.encrypt !== undefined && extra.decompressedOnly !== true
  const firmware = encrypting ? padTo16(body) : body.firmware
  const entries = protectedEntries(options, hash, key, extra, body.firmware.length)
  const protectedArea = must(encodeTlvArea(TLV_PROTECTED_INFO_MAGIC, entries, endian))
  body.headerArea.set(encodeHeader({
    loadAddress: options.romFixed || options.loadAddress || 0,
    headerBytes: options.headerBytes,
    protectedTlvBytes: protectedArea.length,
    payloadBytes: firmware.length,
    flags: flagsOf(options, extra.compression),
    version: options.version,
  }, endian))
  const region = [body.headerArea, firmware, protectedArea]
  const digest = hashParts(hash, region)
  const tlvs: TlvEntry[] = [{ type: hashTlvs[hash], value: digest }]
  if (options.pure === true) tlvs.push({ type: TLV.SIG_PURE, value: Uint8Array.of(1) })
  const sizesWith = (tlvBytes: number) => ({ headerBytes: body.headerArea.length, payloadBytes: firmware.length, protectedTlvBytes: protectedArea.length, tlvBytes })
  if (source.kind === 'vector') return { region, parts: region, hash, digest, signature: null, encTlvBytes: 0, sizes: sizesWith(0) }

  let signature: Uint8Array | null = null
  if (key !== undefined) {
    signature = source.kind === 'measure' ? new Uint8Array(signatureBytesMax[key.algorithm]) : await signatureOver(region, digest, hash, options, source.signer, source.signal)
    tlvs.push(options.publicKeyFormat === 'full' ? { type: TLV.PUBKEY, value: key.encoded } : { type: TLV.KEYHASH, value: keyHash(key, hash) })
    tlvs.push({ type: signatureTlvs[key.algorithm], value: signature })
  }
  let stored: Uint8Array = firmware
  let encTlvBytes = 0
  if (encrypting && options.encrypt !== undefined) {
    // Loaded on first use: most images are not encrypted.
    const { encryptPayload, wrapKey } = await import('./encrypt.ts')
    const { contentKey, entry } = must(wrapKey(options.encrypt))
    encTlvBytes = entry.value.length
    tlvs.push(entry)
    if (options.encrypt.clear !== true) stored = encryptPayload(firmware, contentKey)
    contentKey.fill(0)
  }
  const area = must(encodeTlvArea(TLV_INFO_MAGIC, tlvs, endian))
  return { region, parts: [body.headerArea, stored, protectedArea, area], hash, digest, signature, encTlvBytes, sizes: sizesWith(area.length) }
}

/** Longest signature of each key, bytes; ECDSA's DER is mostly a byte or two shorter. */
const signatureBytesMax: Readonly<Record<PublicKey['algorithm'], number>> = { ed25519: 64, 'ecdsa-p256': 72, 'ecdsa-p384': 104, 'rsa-2048': 256, 'rsa-3072': 384 }

function hashParts(hash: HashName, parts: readonly Uint8Array[]): Uint8Array {
  const state = createHash(hash)
  for (const part of parts) state.update(part)
  return new Uint8Array(state.digest())
}

// imgtool pads the whole of header and firmware to 16, not the firmware alone.
function padTo16(body: Body): Uint8Array {
  const over = (body.headerArea.length + body.firmware.length) % 16
  return over === 0 ? body.firmware : concat(body.firmware, new Uint8Array(16 - over))
}

function flagsOf(options: SignOptions, compression: Compression | undefined): number {
  let flags = 0
  if (options.encrypt !== undefined) flags |= options.encrypt.keyBits === 256 ? IMAGE_FLAGS.ENCRYPTED_AES256 : IMAGE_FLAGS.ENCRYPTED_AES128
  if (options.loadAddress) flags |= IMAGE_FLAGS.RAM_LOAD
  if (options.romFixed) flags |= IMAGE_FLAGS.ROM_FIXED
  if (options.nonBootable === true) flags |= IMAGE_FLAGS.NON_BOOTABLE
  if (compression !== undefined) flags |= IMAGE_FLAGS.COMPRESSED_LZMA2
  if (compression === 'lzma2armthumb') flags |= IMAGE_FLAGS.COMPRESSED_ARM_THUMB
  return flags
}

/** In imgtool's order: counter, boot record, dependencies, compression, vendor, class, custom. */
function protectedEntries(options: SignOptions, hash: HashName, key: PublicKey | undefined, extra: Extra, firmwareBytes: number): TlvEntry[] {
  const endian = options.endian ?? 'little'
  const entries: TlvEntry[] = []
  if (options.securityCounter !== undefined) {
    const counter = options.securityCounter === 'auto' ? counterOfVersion(options.version) : options.securityCounter
    entries.push({ type: TLV.SEC_CNT, value: u32(counter, endian) })
  }
  if (options.bootRecord !== undefined) {
    // Unsigned images name a signer of 32 zero bytes, whatever the hash.
    const signer = key === undefined ? new Uint8Array(32) : keyHash(key, hash)
    entries.push({ type: TLV.BOOT_RECORD, value: bootRecord(options.bootRecord, options.version, hash, signer) })
  }
  for (const { image, version } of options.dependencies ?? []) {
    const little = endian === 'little'
    const value = new Uint8Array(12)
    const view = new DataView(value.buffer)
    view.setUint8(0, image)
    view.setUint8(4, version.major)
    view.setUint8(5, version.minor)
    view.setUint16(6, version.revision, little)
    view.setUint32(8, version.build, little)
    entries.push({ type: TLV.DEPENDENCY, value })
  }
  entries.push(...(extra.tlvs ?? []))
  if (extra.keepEncrypted === true) entries.push({ type: TLV.COMP_DEC_SIZE, value: u32(firmwareBytes, endian) })
  const vendor = options.vid === undefined ? null : must(vendorId(options.vid))
  if (vendor !== null) entries.push({ type: TLV.UUID_VID, value: vendor })
  if (options.cid !== undefined) entries.push({ type: TLV.UUID_CID, value: must(classId(options.cid, vendor)) })
  entries.push(...(options.customTlvs ?? []))
  return entries
}

async function signatureOver(region: readonly Uint8Array[], digest: Uint8Array, hash: HashName, options: SignOptions, signer: Signer | undefined, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const fixed = options.fixedSignature
  const over = options.pure === true ? { message: concat(...region) } : { digest, hash }
  if (fixed !== undefined) {
    if (!checkSignature(fixed.signature, fixed.publicKey, over)) {
      refuse('bad-signature', 'The signature given does not fit this image: it was made over other bytes, or by another key. Export the digest again with the very same options, sign it, and try again.')
    }
    return fixed.signature
  }
  if (signer === undefined) refuse('bad-option', 'There is no key to sign with.', { option: 'key' })
  const what = signer.publicKey.algorithm === 'ed25519' && !('message' in over) ? { message: digest } : over
  const signature = must(await signer.sign(what, signal))
  return options.padSig === true ? paddedSignature(signature, signer.publicKey.algorithm) : signature
}

// imgtool: zeros up to 72 bytes (P-256) or 103 (P-384), for loaders before MCUboot 1.5.
function paddedSignature(signature: Uint8Array, algorithm: PublicKey['algorithm']): Uint8Array {
  const bytes = algorithm === 'ecdsa-p256' ? 72 : algorithm === 'ecdsa-p384' ? 103 : 0
  return signature.length >= bytes ? signature : concat(signature, new Uint8Array(bytes - signature.length))
}

/**
 * The image compressed, when that makes it smaller; `whole` is the same image as it will be once unpacked. Only below
 * `attempt`.
 */
export async function compressImage(payload: Uint8Array, whole: Created, options: SignOptions, source: Source): Promise<{ created: Created; figures: CompressionFigures }> {
  const kind = options.compression === 'lzma2armthumb' ? 'lzma2armthumb' : 'lzma2'
  const firmware = options.padHeader === true ? payload : payload.subarray(options.headerBytes)
  const { header, stream } = must(await compressFirmware(firmware, kind))
  const endian = options.endian ?? 'little'
  const tlvs: TlvEntry[] = [
    { type: TLV.DECOMP_SIZE, value: u32(firmware.length, endian) },
    { type: TLV.DECOMP_SHA, value: whole.digest },
    ...(whole.signature === null ? [] : [{ type: TLV.DECOMP_SIGNATURE, value: whole.signature }]),
  ]
  const tlvBytes = tlvs.reduce((sum, { value }) => sum + value.length, 0)
  const kept = stream.length + tlvBytes < firmware.length
  if (kept && options.fixedSignature !== undefined) refuseOutsideCompressed()
  const figures = { kept, firmwareBytes: firmware.length, compressedBytes: stream.length }
  // Left uncompressed, imgtool keeps its first pass, which is never encrypted even when -E was given; we encrypt it.
  if (!kept) {
    const final = options.encrypt === undefined && options.fixedSignature === undefined
    return { created: final ? whole : await createImage(layBody(payload, options), options, source), figures }
  }
  const body: Body = {
    headerArea: options.padHeader === true ? filled(options.headerBytes, options.erasedValue ?? 0xff) : new Uint8Array(options.headerBytes),
    firmware: concat(header, stream),
  }
  return { created: await createImage(body, options, source, { compression: kind, tlvs, keepEncrypted: options.encrypt !== undefined }), figures }
}
