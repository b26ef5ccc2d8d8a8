// Makes images as imgtool 2.4.0's `sign` does (scripts/imgtool/main.py sign): the same bytes wherever the algorithm is
// deterministic. What was signed is read back and verified before it leaves. What surprised us is listed below: where
// imgtool's own combinations of options make images that no loader takes.
import { concat, filled, sameBytes, toHex } from '../base/bytes.ts'
import { attemptAsync, must, refuse } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { Room } from '../base/room.ts'
import type { HashName, PublicKey, Signer } from '../base/signer.ts'
import { compressImage, createImage, keyOf, layBody, refuseOutsideCompressed } from './build.ts'
import type { Body, CompressionFigures, Created, Source } from './build.ts'
import { keyHash } from './keyhash.ts'
import { checkOptions } from './options.ts'
import type { SignOptions } from './options.ts'
import { TLV_INFO_BYTES, TLV_HEAD_BYTES } from './tlv.ts'
import { encodeTrailer, maxAlignOf, alignUp, trailerBytes } from './trailer.ts'
import type { TrailerFields, TrailerOptions } from './trailer.ts'
import { checkSignature, mustVerify } from './verify.ts'
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
  compression: null | CompressionFigures
}>

/** What `measureImage` finds; sizes in bytes. */
export type MeasuredImage = Readonly<Created['sizes'] & {
  imageBytes: number
  compression: null | CompressionFigures
  /** What the trailer will be like, with the room for keys that encryption needs. */
  trailer: TrailerOptions
}>

/*
 * Where we differ from imgtool 2.4.0, each on purpose: a version needs three parts; empty firmware needs `allowEmpty`;
 * with compression imgtool loses --non-bootable (and so breaks DECOMP_SHA) and, in HEX, --test's erased flag record;
 * when compression does not pay and -E was given, imgtool writes plaintext under an encrypted flag and no key (and looks at
 * no --hmac-sha), we encrypt, so that an exported digest is the padded firmware's; --vector-to-sign never pads; --pure works
 * with --fix-sig; a signature that does not fit is refused, not embedded; a compressed image is not signed from outside.
 */

/**
 * Signs firmware. `payload` is the firmware, or with `padHeader: false` firmware that begins with `headerBytes` of zeros.
 * Failure kinds: `bad-option` (fact `option`), `bad-version`, `empty-firmware`, `too-large`, `header-room`,
 * `self-check` (our own output did not verify), and whatever the signer answers. With a `room` the image's bytes lie there,
 * until it is used again.
 */
export async function signImage(payload: Uint8Array, options: SignOptions, signer?: Signer, signal?: AbortSignal, room: Room = new Room()): Promise<SignedImage | Failure> {
  return attemptAsync(async () => {
    must(checkOptions(payload, options, signer?.publicKey))
    const source: Source = { kind: 'sign', signer, signal }
    const plain = layBody(payload, options)
    if ((options.compression ?? 'disabled') === 'disabled') return finish(await createImage(plain, options, source), options, source, null, room)
    return signCompressed(payload, plain, options, source, room)
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
    let created = await createImage(layBody(payload, options), options, source)
    if ((options.compression ?? 'disabled') !== 'disabled') {
      const { created: smaller, figures } = await compressImage(payload, created, options, source)
      if (figures.kept && publicKey !== undefined) refuseOutsideCompressed()
      created = smaller
    }
    return what === 'digest' ? created.digest : concat(...created.region)
  })
}

/**
 * How large the image will be, with room for the longest signature of this key, without any private key. `imageBytes`
 * can only come out a few bytes smaller (ECDSA). Kinds: as `signImage`, but nothing is refused for not fitting the slot.
 */
export async function measureImage(payload: Uint8Array, options: SignOptions, publicKey?: PublicKey): Promise<MeasuredImage | Failure> {
  return attemptAsync(async () => {
    must(checkOptions(payload, options, publicKey))
    const source: Source = { kind: 'measure', publicKey }
    const plain = layBody(payload, options)
    const packed = (options.compression ?? 'disabled') !== 'disabled'
    const whole = await createImage(plain, options, source, packed ? { decompressedOnly: true } : {})
    const { created, figures } = packed ? await compressImage(payload, whole, options, source) : { created: whole, figures: null }
    return { ...created.sizes, imageBytes: sizeOf(created.parts), compression: figures, trailer: trailerOf(created, options) }
  })
}

async function signCompressed(payload: Uint8Array, plain: Body, options: SignOptions, source: Source, room: Room): Promise<SignedImage> {
  // A signature made elsewhere fits one region only, and which one that is shows when the firmware is compressed.
  const first: Source = options.fixedSignature === undefined ? source : { kind: 'vector', publicKey: options.fixedSignature.publicKey }
  const whole = await createImage(plain, options, first, { decompressedOnly: true })
  // imgtool asks that the image fits the slot uncompressed too: the primary slot will hold it so.
  checkFits(whole, options)
  const { created, figures } = await compressImage(payload, whole, options, source)
  return finish(created, options, source, figures, room)
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

function finish(created: Created, options: SignOptions, source: Source, compression: null | CompressionFigures, room: Room): SignedImage {
  const { imageBytes, trailer, freeBytes } = checkFits(created, options)
  const padded = options.pad === true || options.test === true || options.confirm === true
  const fields: TrailerFields = { magic: true, imageOk: options.confirm === true && options.overwriteOnly !== true }
  const erased = options.erasedValue ?? 0xff
  const padding = padded
    ? [filled(freeBytes ?? 0, erased), encodeTrailer(fields, trailer, erased, options.endian ?? 'little')]
    : []
  const bytes = laidInto(room, [...created.parts, ...padding])
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

function laidInto(room: Room, parts: readonly Uint8Array[]): Uint8Array {
  const bytes = room.take(sizeOf(parts))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/**
 * Reads our own bytes back and verifies them: a faulty signer or a slip of ours must not reach a board. What was hashed is
 * compared byte for byte with what is written instead of being hashed once more, which would be a third of all the time.
 */
function readBack(bytes: Uint8Array, created: Created, imageBytes: number, key: PublicKey | undefined, options: SignOptions): void {
  const opaque = options.encrypt !== undefined && options.encrypt.clear !== true
  // A pure signature over encrypted firmware can only be checked on the plaintext, which `region` still holds.
  const pureAndOpaque = opaque && options.pure === true
  if (pureAndOpaque && key !== undefined && created.signature !== null && !checkSignature(created.signature, key, { message: concat(...created.region) })) refuseSelfCheck('its signature does not hold')
  const computed = !opaque && startsWith(bytes, created.region) ? created.digest : undefined
  const verified = mustVerify(bytes, pureAndOpaque ? undefined : key, { encryptedOk: opaque, computed })
  if (verified.imageBytes !== imageBytes) refuseSelfCheck(`it reads back as ${verified.imageBytes} bytes instead of ${imageBytes}`)
  if (!sameBytes(verified.digest, created.digest)) refuseSelfCheck(`it reads back with hash ${toHex(verified.digest)}`)
}

/** Whether the file begins with these parts; natively compared, since they are as large as the firmware. */
function startsWith(bytes: Uint8Array, parts: readonly Uint8Array[]): boolean {
  let at = 0
  return parts.every((part) => {
    const piece = bytes.subarray(at, at + part.length)
    at += part.length
    return Buffer.compare(piece, part) === 0
  })
}

function refuseSelfCheck(why: string): never {
  refuse('self-check', `The signed image failed its own check (${why}) and was thrown away. Try again; if it happens again, the key or token does not work as it should.`)
}

/** Smallest image this many firmware bytes can become, for a first look before anything is read. */
export function imageBytesAtLeast(firmwareBytes: number, headerBytes: number): number {
  return headerBytes + firmwareBytes + TLV_INFO_BYTES + TLV_HEAD_BYTES + 32
}
