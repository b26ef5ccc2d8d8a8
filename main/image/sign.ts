// Makes images as imgtool 2.4.0's `sign` does (scripts/imgtool/image.py create): the same bytes wherever the algorithm is
// deterministic. TLVs are built first and measured afterwards, and what was signed is read back and verified before it
// leaves. What surprised us: KEYHASH uses the image's hash, and imgtool hashes plaintext but encrypts after padding to 16.
import { createHash } from 'node:crypto'
import { concat, filled, sameBytes, toHex } from '../base/bytes.ts'
import { attemptAsync, must, refuse } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { HashName, PublicKey, Signer } from '../base/signer.ts'
import { bootRecord } from './bootrecord.ts'
import { compressFirmware } from './compress.ts'
import type { Compression } from './compress.ts'
import { encryptPayload, wrapKey } from './encrypt.ts'
import { IMAGE_FLAGS, encodeHeader } from './format.ts'
import { keyHash } from './keyhash.ts'
import { checkOptions, hashFor } from './options.ts'
import type { SignOptions } from './options.ts'
import { TLV, TLV_INFO_BYTES, TLV_HEAD_BYTES, TLV_INFO_MAGIC, TLV_PROTECTED_INFO_MAGIC, encodeTlvArea, hashTlvs, u32 } from './tlv.ts'
import type { TlvEntry } from './tlv.ts'
import { encodeTrailer, maxAlignOf, alignUp, trailerBytes } from './trailer.ts'
import type { TrailerFields, TrailerOptions } from './trailer.ts'
import { classId, vendorId } from './uuid.ts'
import { checkSignature, mustVerify, signatureTlvs } from './verify.ts'
import { counterOfVersion } from './version.ts'
import type { ImageVersion } from './version.ts'

export type { SignOptions } from './options.ts'

/** What came out, and the figures people ask for. Sizes in bytes. */
export type SignedImage = Readonly<{
  /** The file: the image, and padding and trailer when asked for. */
  bytes: Uint8Array
  /** Header to last TLV. */
  imageBytes: number
  version: ImageVersion
  hash: HashName
  /** The image hash, as boards list it. */
  digest: Uint8Array
  /** KEYHASH under the image's hash; null when unsigned. */
  keyHash: Uint8Array | null
  signature: Uint8Array | null
  /** Room the trailer takes at the slot's end. */
  trailerBytes: number
  /** Slot less image less trailer; null when no slot size was given. */
  freeBytes: number | null
  /** The trailer's fields, when padded: an Intel HEX output writes only these. */
  padding: null | Readonly<{ slotBytes: number; fields: TrailerFields; options: TrailerOptions }>
  compression: null | Readonly<{ kept: boolean; firmwareBytes: number; compressedBytes: number }>
}>

/*
 * Where we differ from imgtool 2.4.0, each on purpose: a version needs three parts; empty firmware needs `allowEmpty`;
 * with compression imgtool loses --non-bootable (and so breaks DECOMP_SHA) and, in HEX, --test's erased flag record;
 * when compression does not pay and -E was given, imgtool writes plaintext under an encrypted flag and no key, we encrypt;
 * --vector-to-sign never pads; --pure works with --fix-sig; a signature that does not fit is refused, not embedded.
 */

/**
 * Signs firmware. `payload` is the firmware, or with `padHeader: false` firmware that begins with `headerBytes` of zeros.
 * Failure kinds: `bad-option` (fact `option`), `bad-version`, `empty-firmware`, `too-large`, `header-room`,
 * `self-check` (our own output did not verify), and whatever the signer answers.
 */
export async function signImage(payload: Uint8Array, options: SignOptions, signer?: Signer, signal?: AbortSignal): Promise<SignedImage | Failure> {
  return attemptAsync(async () => {
    must(checkOptions(payload, options, signer?.publicKey))
    const source: Source = { kind: 'sign', signer, signal }
    const plain = layBody(payload, options)
    if ((options.compression ?? 'disabled') === 'disabled') return finish(await create(plain, options, source), options, source, null)
    return signCompressed(payload, plain, options, source)
  })
}

/**
 * What an outside signer must sign (`--vector-to-sign`): the region that is hashed, or its digest. The answer goes
 * back in through `fixedSignature`. `publicKey` decides on the hash and the boot record's signer id, as `-k` does.
 */
export async function vectorToSign(payload: Uint8Array, options: SignOptions, what: 'payload' | 'digest', publicKey?: PublicKey): Promise<Uint8Array | Failure> {
  return attemptAsync(async () => {
    must(checkOptions(payload, options, publicKey))
    const source: Source = { kind: 'vector', publicKey }
    let created = await create(layBody(payload, options), options, source)
    if ((options.compression ?? 'disabled') !== 'disabled') created = (await compressed(payload, created, options, source)).created
    return what === 'digest' ? created.digest : concat(...created.region)
  })
}

type Source = Readonly<{ kind: 'sign'; signer?: Signer; signal?: AbortSignal } | { kind: 'vector'; publicKey?: PublicKey }>

function keyOf(source: Source, options: SignOptions): PublicKey | undefined {
  return (source.kind === 'sign' ? source.signer?.publicKey : source.publicKey) ?? options.fixedSignature?.publicKey
}

/** Header area and firmware, before anything is computed. */
type Body = Readonly<{ headerArea: Uint8Array; firmware: Uint8Array }>

type Extra = Readonly<{ compression?: Compression; tlvs?: readonly TlvEntry[]; keepEncrypted?: boolean; decompressedOnly?: boolean }>

type Created = Readonly<{
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

function layBody(payload: Uint8Array, options: SignOptions): Body {
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

async function create(body: Body, options: SignOptions, source: Source, extra: Extra = {}): Promise<Created> {
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
  if (source.kind === 'vector') return { region, parts: region, hash, digest, signature: null, encTlvBytes: 0 }

  let signature: Uint8Array | null = null
  if (key !== undefined) {
    signature = await signatureOver(region, digest, hash, options, source.signer, source.signal)
    tlvs.push(options.publicKeyFormat === 'full' ? { type: TLV.PUBKEY, value: key.encoded } : { type: TLV.KEYHASH, value: keyHash(key, hash) })
    tlvs.push({ type: signatureTlvs[key.algorithm], value: signature })
  }
  let stored: Uint8Array = firmware
  let encTlvBytes = 0
  if (encrypting && options.encrypt !== undefined) {
    const { contentKey, entry } = must(wrapKey(options.encrypt))
    encTlvBytes = entry.value.length
    tlvs.push(entry)
    if (options.encrypt.clear !== true) stored = encryptPayload(firmware, contentKey)
    contentKey.fill(0)
  }
  const area = must(encodeTlvArea(TLV_INFO_MAGIC, tlvs, endian))
  return { region, parts: [body.headerArea, stored, protectedArea, area], hash, digest, signature, encTlvBytes }
}

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

async function signCompressed(payload: Uint8Array, plain: Body, options: SignOptions, source: Source): Promise<SignedImage> {
  const whole = await create(plain, options, source, { decompressedOnly: true })
  // imgtool asks that the image fits the slot uncompressed too: the primary slot will hold it so.
  checkFits(whole, options)
  const { created, figures } = await compressed(payload, whole, options, source)
  return finish(created, options, source, figures)
}

async function compressed(payload: Uint8Array, whole: Created, options: SignOptions, source: Source): Promise<{ created: Created; figures: NonNullable<SignedImage['compression']> }> {
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
  const figures = { kept, firmwareBytes: firmware.length, compressedBytes: stream.length }
  // Left uncompressed, imgtool keeps its first pass, which is never encrypted even when -E was given; we encrypt it.
  if (!kept) return { created: options.encrypt === undefined ? whole : await create(layBody(payload, options), options, source), figures }
  const body: Body = {
    headerArea: options.padHeader === true ? filled(options.headerBytes, options.erasedValue ?? 0xff) : new Uint8Array(options.headerBytes),
    firmware: concat(header, stream),
  }
  return { created: await create(body, options, source, { compression: kind, tlvs, keepEncrypted: options.encrypt !== undefined }), figures }
}

function trailerOf(created: Created, options: SignOptions): TrailerOptions {
  const maxAlign = maxAlignOf({ align: options.align ?? 1, maxAlign: options.maxAlign })
  const keySlotBytes = options.encrypt === undefined ? 0 : options.encrypt.saveEncTlv === true ? alignUp(created.encTlvBytes, maxAlign) : 16
  return { align: options.align ?? 1, maxAlign, maxSectors: options.maxSectors, overwriteOnly: options.overwriteOnly ?? false, keySlotBytes }
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0)
}

function checkFits(created: Created, options: SignOptions): { imageBytes: number; trailer: TrailerOptions; freeBytes: number | null } {
  const imageBytes = sizeOf(created.parts)
  const trailer = trailerOf(created, options)
  const room = trailerBytes(trailer)
  if (options.slotBytes === 0) return { imageBytes, trailer, freeBytes: null }
  const freeBytes = options.slotBytes - imageBytes - room
  if (freeBytes < 0) {
    refuse('too-large', `The image has ${imageBytes} bytes and its trailer ${room}, together ${-freeBytes} more than the slot's ${options.slotBytes}. Make the firmware smaller, or give the board's real slot size.`, { imageBytes, trailerBytes: room, slotBytes: options.slotBytes, over: -freeBytes })
  }
  return { imageBytes, trailer, freeBytes }
}

function finish(created: Created, options: SignOptions, source: Source, compression: SignedImage['compression']): SignedImage {
  const { imageBytes, trailer, freeBytes } = checkFits(created, options)
  const padded = options.pad === true || options.test === true || options.confirm === true
  const fields: TrailerFields = { magic: true, imageOk: options.confirm === true && options.overwriteOnly !== true }
  const erased = options.erasedValue ?? 0xff
  const padding = padded
    ? [filled(freeBytes ?? 0, erased), encodeTrailer(fields, trailer, erased, options.endian ?? 'little')]
    : []
  const bytes = concat(...created.parts, ...padding)
  const key = keyOf(source, options)
  readBack(bytes, created, imageBytes, key, options)
  return {
    bytes, imageBytes, compression, freeBytes,
    version: options.version,
    hash: created.hash,
    digest: created.digest,
    keyHash: key === undefined ? null : keyHash(key, created.hash),
    signature: created.signature,
    trailerBytes: trailerBytes(trailer),
    padding: padded ? { slotBytes: options.slotBytes, fields, options: trailer } : null,
  }
}

/** Reads our own bytes back and verifies them: a faulty signer or a slip of ours must not reach a board. */
function readBack(bytes: Uint8Array, created: Created, imageBytes: number, key: PublicKey | undefined, options: SignOptions): void {
  const opaque = options.encrypt !== undefined && options.encrypt.clear !== true
  // A pure signature over encrypted firmware can only be checked on the plaintext, which `region` still holds.
  const pureAndOpaque = opaque && options.pure === true
  if (pureAndOpaque && key !== undefined && created.signature !== null && !checkSignature(created.signature, key, { message: concat(...created.region) })) refuseSelfCheck('its signature does not hold')
  const verified = mustVerify(bytes, pureAndOpaque ? undefined : key, { encryptedOk: opaque })
  if (verified.imageBytes !== imageBytes) refuseSelfCheck(`it reads back as ${verified.imageBytes} bytes instead of ${imageBytes}`)
  if (!sameBytes(verified.digest, created.digest)) refuseSelfCheck(`it reads back with hash ${toHex(verified.digest)}`)
}

function refuseSelfCheck(why: string): never {
  refuse('self-check', `The signed image failed its own check (${why}) and was thrown away. Try again; if it happens again, the key or token does not work as it should.`)
}

/** Smallest image this many firmware bytes can become, for a first look before anything is read. */
export function imageBytesAtLeast(firmwareBytes: number, headerBytes: number): number {
  return headerBytes + firmwareBytes + TLV_INFO_BYTES + TLV_HEAD_BYTES + 32
}
