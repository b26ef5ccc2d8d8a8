// Checks an image as MCUboot's loader does (bootutil/src/image_validate.c): hash, key, signature, in TLV order, several
// signatures each preceded by its key. What surprised us: the loader looks at the hash TLV of its own kind only, skips a
// signature whose key it does not know, and takes high-S ECDSA signatures, which noble refuses unless told.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { p256, p384 } from '@noble/curves/nist.js'
import { concat, sameBytes, toHex } from '../base/bytes.ts'
import type { Failure} from '../base/failure.ts';
import { attempt, failed, must, refuse } from '../base/failure.ts'
import type { HashName, KeyAlgorithm, PublicKey } from '../base/signer.ts'
import { IMAGE_FLAGS, TLV, allowedUnprotected, hashOfTlv, isEncrypted, parseImage, tlvName } from './format.ts'
import type { ImageFile, ImageVersion, Tlv } from './format.ts'
import { keyHash } from './keyhash.ts'
import { verifyPss } from './pss.ts'
import { pointOf } from './publickey.ts'

export type Verified = Readonly<{
  version: ImageVersion
  hash: HashName
  /** The image hash, as boards list it. */
  digest: Uint8Array
  /** `matches`: computed and compared. `encrypted`: the payload is encrypted, so only the signature over the claim was checked. */
  hashCheck: 'matches' | 'encrypted'
  /** Null when no key was given. */
  signedBy: null | Readonly<{ algorithm: KeyAlgorithm; keyHash: Uint8Array; pure: boolean }>
  imageBytes: number
  bootable: boolean
}>

export type VerifyOptions = Readonly<{
  /** Accept an encrypted image on its signature alone (its hash covers the plaintext). Pass the plaintext image to check it whole. */
  encryptedOk?: boolean
  /** The digest of the signed region, where the caller has just computed it over these very bytes; else it is computed here. */
  computed?: Uint8Array
}>

/**
 * Proves what can be proven: the hash always, key and signature when a key is given. Failure kinds beside those of
 * `parseImage`: `no-hash`, `bad-hash`, `encrypted`, `unsigned`, `wrong-key`, `wrong-algorithm`, `bad-signature`,
 * `forbidden-tlv`; facts carry the offset of the TLV at fault.
 */
export function verifyImage(bytes: Uint8Array, key?: PublicKey, options: VerifyOptions = {}): Verified | Failure {
  const image = parseImage(bytes)
  return failed(image) ? image : verifyParsed(image, key, options)
}

/** `verifyImage` for an image that is parsed already. */
export function verifyParsed(image: ImageFile, key?: PublicKey, options: VerifyOptions = {}): Verified | Failure {
  return attempt(() => {
    const stray = image.tlvs.find((tlv) => !allowedUnprotected.has(tlv.type))
    if (stray !== undefined) {
      refuse('forbidden-tlv', `The ${tlvName(stray.type)} TLV (0x${stray.type.toString(16)}) at offset ${stray.offset} stands outside the protected area, where the boot loader does not accept it.`, { offset: stray.offset, type: stray.type })
    }
    const { tlv: hashTlv, hash } = theHash(image.tlvs, image.imageBytes)
    const computed = options.computed ?? hashRegion(image, hash)
    const matches = sameBytes(computed, hashTlv.value)
    const opaque = !matches && isEncrypted(image.header)
    if (!matches && !opaque) {
      refuse('bad-hash', `The image does not match its own ${hash.toUpperCase()} hash (TLV at offset ${hashTlv.offset}): a byte of header, firmware or protected TLVs was changed or damaged.`, { offset: hashTlv.offset })
    }
    if (opaque && options.encryptedOk !== true) {
      refuse('encrypted', 'The image is encrypted, so its hash can only be checked with the private encryption key. Give that key, or check the signature alone.', { offset: hashTlv.offset })
    }
    const pure = image.tlvs.some((tlv) => tlv.type === TLV.SIG_PURE && tlv.value.length === 1 && tlv.value[0] === 1)
    return {
      version: image.header.version,
      hash,
      digest: concat(hashTlv.value),
      hashCheck: matches ? 'matches' : 'encrypted',
      signedBy: key === undefined ? null : checkSignatures(image, key, { hash, digest: hashTlv.value, pure, opaque }),
      imageBytes: image.imageBytes,
      bootable: (image.header.flags & IMAGE_FLAGS.NON_BOOTABLE) === 0,
    }
  })
}

/** The hash of header, payload and protected TLVs under `hash`. */
export function hashRegion(image: ImageFile, hash: HashName): Uint8Array {
  return new Uint8Array(createHash(hash).update(image.signedRegion).digest())
}

/** The image's hash TLV; only below `attempt`. */
function theHash(tlvs: readonly Tlv[], imageBytes: number): { tlv: Tlv; hash: HashName } {
  const found = tlvs.filter((tlv) => hashOfTlv(tlv.type) !== undefined)
  const [tlv, second] = found
  if (tlv === undefined) refuse('no-hash', 'The image carries no hash TLV, so nothing about it can be checked and no board will list it.', { offset: imageBytes })
  if (second !== undefined) refuse('no-hash', `The image carries two hash TLVs (offsets ${tlv.offset} and ${second.offset}); a board would not know which to believe.`, { offset: second.offset })
  const hash = hashOfTlv(tlv.type) ?? 'sha256'
  const bytes = { sha256: 32, sha384: 48, sha512: 64 }[hash]
  if (tlv.value.length !== bytes) refuse('bad-hash', `The ${hash.toUpperCase()} TLV at offset ${tlv.offset} holds ${tlv.value.length} bytes instead of ${bytes}.`, { offset: tlv.offset, length: tlv.value.length })
  return { tlv, hash }
}

/** The hash an image claims: its TLV, or why there is none. */
export function claimedHash(image: ImageFile): { tlv: Tlv; hash: HashName } | Failure {
  return attempt(() => theHash(image.tlvs, image.imageBytes))
}

/** The TLV type each algorithm signs into. */
export const signatureTlvs: Readonly<Record<KeyAlgorithm, number>> = {
  ed25519: TLV.ED25519,
  'ecdsa-p256': TLV.ECDSASIG,
  'ecdsa-p384': TLV.ECDSASIG,
  'rsa-2048': TLV.RSA2048,
  'rsa-3072': TLV.RSA3072,
}
const allSignatureTlvs: ReadonlySet<number> = new Set([...Object.values(signatureTlvs), TLV.ECDSA224])

type Claim = { hash: HashName; digest: Uint8Array; pure: boolean; opaque: boolean }

function checkSignatures(image: ImageFile, key: PublicKey, claim: Claim): Verified['signedBy'] {
  const mine = keyHash(key, claim.hash)
  const wanted = signatureTlvs[key.algorithm]
  const hashes = hashesOf[key.algorithm]
  if (!hashes.includes(claim.hash)) {
    refuse('wrong-algorithm', `The image uses ${claim.hash.toUpperCase()}, which does not go with an ${key.algorithm} key: it was signed with a key of another kind.`, { hash: claim.hash, algorithm: key.algorithm })
  }
  if (claim.pure && claim.opaque) refuse('encrypted', 'The image is encrypted and signed as a whole (pure): its signature covers the plaintext and can only be checked with the private encryption key.')
  let keyMatched = false
  let sawKey: Tlv | undefined
  let signature: Tlv | undefined
  let other: Tlv | undefined
  let good = false
  for (const tlv of [...image.protectedTlvs, ...image.tlvs]) {
    if (tlv.type === TLV.KEYHASH) {
      keyMatched = sameBytes(tlv.value, mine)
      sawKey = tlv
    } else if (tlv.type === TLV.PUBKEY) {
      keyMatched = sameBytes(tlv.value, key.encoded)
      sawKey = tlv
    } else if (tlv.type === wanted) {
      if (keyMatched) {
        signature = tlv
        good = checkSignature(tlv.value, key, claim.pure ? { message: image.signedRegion } : { digest: claim.digest, hash: claim.hash, ...(claim.opaque ? {} : { region: image.signedRegion }) })
      }
      keyMatched = false
    } else if (allSignatureTlvs.has(tlv.type)) {
      other = tlv
    }
  }
  if (good) return { algorithm: key.algorithm, keyHash: mine, pure: claim.pure }
  if (signature !== undefined) {
    refuse('bad-signature', `The image names this key, but its signature (TLV at offset ${signature.offset}) does not hold: signature or image was changed. Sign the firmware anew.`, { offset: signature.offset })
  }
  if (sawKey !== undefined) {
    refuse('wrong-key', `The image was signed with another key: it names ${shortHex(sawKey.value)} (TLV at offset ${sawKey.offset}), this key is ${shortHex(mine)}.`, { offset: sawKey.offset, keyHash: toHex(mine) })
  }
  if (other !== undefined) {
    refuse('wrong-algorithm', `The image carries a ${tlvName(other.type)} signature (offset ${other.offset}), but this key is ${key.algorithm}.`, { offset: other.offset, algorithm: key.algorithm })
  }
  refuse('unsigned', 'The image carries no signature by a named key, so no board that checks signatures will boot it. Sign it first.', { offset: image.imageBytes })
}

function shortHex(bytes: Uint8Array): string {
  return bytes.length > 8 ? `${toHex(bytes.subarray(0, 8))}…` : toHex(bytes)
}

/** Hashes imgtool lets each key go with (ALLOWED_KEY_SHA, and for checking also what a public P-256 key may meet). */
export const hashesOf: Readonly<Record<KeyAlgorithm, readonly HashName[]>> = {
  ed25519: ['sha256', 'sha512'],
  'ecdsa-p256': ['sha256'],
  'ecdsa-p384': ['sha384'],
  'rsa-2048': ['sha256'],
  'rsa-3072': ['sha256'],
}

/**
 * One signature over a digest, or over a whole message (Ed25519 pure). `region` is what the digest was computed from, where
 * that is at hand: node:crypto verifies ECDSA over messages only, and does so faster than noble over the digest. Never
 * throws on hostile bytes.
 */
export function checkSignature(signature: Uint8Array, key: PublicKey, over: { digest: Uint8Array; hash: HashName; region?: Uint8Array } | { message: Uint8Array }): boolean {
  if ('message' in over && key.algorithm !== 'ed25519') return false
  const message = 'message' in over ? over.message : over.digest
  try {
    switch (key.algorithm) {
      case 'ed25519':
        // BoringSSL's check (and OpenSSL's), from which MCUboot's own ed25519 library is cut.
        return signature.length === 64 && verify(null, message, publicObject(key), signature)
      case 'ecdsa-p256':
        if ('region' in over && over.region !== undefined) return verify(over.hash, over.region, { key: publicObject(key), dsaEncoding: 'der' }, unpadded(signature))
        return p256.verify(unpadded(signature), message, pointOf(key), { prehash: false, lowS: false, format: 'der' })
      case 'ecdsa-p384':
        if ('region' in over && over.region !== undefined) return verify(over.hash, over.region, { key: publicObject(key), dsaEncoding: 'der' }, unpadded(signature))
        return p384.verify(unpadded(signature), message, pointOf(key), { prehash: false, lowS: false, format: 'der' })
      case 'rsa-2048':
      case 'rsa-3072':
        return 'hash' in over && verifyPss(signature, message, over.hash, key)
    }
  } catch {
    // noble throws on a malformed DER signature or a point off the curve; both mean that nothing was proven.
    return false
  }
}

function publicObject(key: PublicKey): ReturnType<typeof createPublicKey> {
  return createPublicKey({ key: Buffer.from(key.spki.buffer, key.spki.byteOffset, key.spki.length), format: 'der', type: 'spki' })
}

// --pad-sig appends up to two zero bytes for loaders before MCUboot 1.5.
function unpadded(signature: Uint8Array): Uint8Array {
  const length = 2 + (signature[1] ?? 0)
  const pad = signature.subarray(length)
  return pad.length > 0 && pad.length <= 2 && pad.every((byte) => byte === 0) ? signature.subarray(0, length) : signature
}

/** Parses and verifies in one go what we made ourselves; a failure here is a bug of ours or of the signer. */
export function mustVerify(bytes: Uint8Array, key: PublicKey | undefined, options: VerifyOptions): Verified {
  return must(verifyImage(bytes, key, options))
}
