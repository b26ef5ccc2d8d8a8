// Image encryption (docs/encrypted_images.md; image.py ecies_hkdf): the payload under AES-CTR with a zero nonce, its key
// wrapped for the board by RSA-OAEP or by ECIES (ECDH, HKDF with info MCUBoot_ECIES_v1 and no salt, AES-CTR, HMAC).
// Everything random is handed in, and private keys stay where they live: opening asks a `KeyOpener`.
import { constants, createHash, createPublicKey, publicEncrypt, timingSafeEqual } from 'node:crypto'
import { ctr } from '@noble/ciphers/aes.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concat, utf8 } from '../base/bytes.ts'
import { Failure, assert, attempt, attemptAsync, must, refuse } from '../base/failure.ts'
import { IMAGE_FLAGS, TLV, isEncrypted } from './format.ts'
import type { ImageFile, Tlv, TlvEntry } from './format.ts'
import { mgf1 } from './pss.ts'
import { pointOf } from './publickey.ts'
import type { AnyKeyAlgorithm, AnyPublicKey } from './publickey.ts'

export type EncryptionOptions = Readonly<{
  /** `-E`: rsa-2048, rsa-3072, ecdsa-p256 or x25519. */
  publicKey: AnyPublicKey
  /** `--encrypt-keylen`, 128 when left out. */
  keyBits?: 128 | 256
  /** `--hmac-sha`, for ECIES; 512 with x25519 only. */
  hmacSha?: 'auto' | '256' | '512'
  /** `--clear`: wrap a key, leave the payload readable. */
  clear?: boolean
  /** `--save-enctlv`: the trailer keeps whole TLVs instead of keys. */
  saveEncTlv?: boolean
  /** Cryptographically random bytes. */
  random: (bytes: number) => Uint8Array
}>

/** A board's private key, seen from here: the two things it does. A file or an HSM can stand behind it. */
export type KeyOpener = Readonly<
  | { algorithm: 'x25519' | 'ecdsa-p256'; agree: (ephemeralPoint: Uint8Array) => Promise<Uint8Array | Failure> }
  /** RSAES-OAEP with SHA-256 and MGF1-SHA-256, empty label. */
  | { algorithm: 'rsa-2048' | 'rsa-3072'; openOaep: (wrapped: Uint8Array) => Promise<Uint8Array | Failure> }
>

type EciesHash = 'sha256' | 'sha512'
const hmacBytes = { sha256: 32, sha512: 64 } as const
const hashes = { sha256, sha512 } as const
const info = utf8('MCUBoot_ECIES_v1')

/** A fresh content key and the TLV that carries it. The caller wipes the key. */
export function wrapKey(options: EncryptionOptions): { contentKey: Uint8Array; entry: TlvEntry } | Failure {
  return attempt(() => {
    const { publicKey, random } = options
    const asked = options.hmacSha ?? 'auto'
    const keyBytes = (options.keyBits ?? 128) / 8
    switch (publicKey.algorithm) {
      case 'rsa-2048':
      case 'rsa-3072': {
        const contentKey = random(keyBytes)
        return { contentKey, entry: { type: TLV.ENCRSA2048, value: sealOaep(contentKey, publicKey, random(32)) } }
      }
      case 'ecdsa-p256': {
        if (asked === '512') refuse('bad-option', '--hmac-sha 512 goes with x25519 encryption keys only.', { option: 'hmac-sha' })
        const scalar = p256.utils.randomSecretKey(random(p256.lengths.seed ?? 48))
        const contentKey = random(keyBytes)
        const shared = must(agree(() => p256.getSharedSecret(scalar, pointOf(publicKey), false).slice(1, 33)))
        const value = seal(contentKey, shared, p256.getPublicKey(scalar, false), 'sha256')
        scalar.fill(0)
        return { contentKey, entry: { type: TLV.ENCEC256, value } }
      }
      case 'x25519': {
        const scalar = random(32)
        const contentKey = random(keyBytes)
        const hash: EciesHash = asked === '512' ? 'sha512' : 'sha256'
        const shared = must(agree(() => x25519.getSharedSecret(scalar, pointOf(publicKey))))
        const value = seal(contentKey, shared, x25519.getPublicKey(scalar), hash)
        scalar.fill(0)
        return { contentKey, entry: { type: hash === 'sha512' ? TLV.ENCX25519_SHA512 : TLV.ENCX25519, value } }
      }
      case 'ecdsa-p384':
      case 'ed25519':
        return refuse('bad-option', `Images are encrypted to rsa, ecdsa-p256 or x25519 keys; this one is ${publicKey.algorithm}.`, { option: 'encrypt' })
    }
  })
}

function agree(work: () => Uint8Array): Uint8Array | Failure {
  try {
    return work()
  } catch {
    return new Failure('bad-encryption-key', 'The encryption key is not a point on its curve, so nothing can be encrypted to it.')
  }
}

/** RSAES-OAEP-ENCRYPT (RFC 8017 §7.1.1) with SHA-256, empty label and a given seed; node:crypto only raises the block. */
function sealOaep(message: Uint8Array, publicKey: AnyPublicKey, seed: Uint8Array): Uint8Array {
  const blockBytes = publicKey.algorithm === 'rsa-3072' ? 384 : 256
  const labelHash = new Uint8Array(createHash('sha256').digest())
  const zeros = blockBytes - message.length - 2 * labelHash.length - 2
  assert(zeros >= 0 && seed.length === labelHash.length, 'an AES key fits an RSA block')
  const data = concat(labelHash, new Uint8Array(zeros), Uint8Array.of(1), message)
  const maskedData = xor(data, mgf1('sha256', seed, data.length))
  const maskedSeed = xor(seed, mgf1('sha256', maskedData, seed.length))
  const key = createPublicKey({ key: Buffer.from(publicKey.spki), format: 'der', type: 'spki' })
  return new Uint8Array(publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, concat(Uint8Array.of(0), maskedSeed, maskedData)))
}

function xor(bytes: Uint8Array, mask: Uint8Array): Uint8Array {
  return bytes.map((byte, i) => byte ^ (mask[i] ?? 0))
}

function derive(shared: Uint8Array, keyBytes: number, hash: EciesHash): { cipherKey: Uint8Array; macKey: Uint8Array } {
  const derived = hkdf(hashes[hash], shared, undefined, info, keyBytes + hmacBytes[hash])
  shared.fill(0)
  return { cipherKey: derived.subarray(0, keyBytes), macKey: derived.subarray(keyBytes) }
}

function seal(contentKey: Uint8Array, shared: Uint8Array, ephemeral: Uint8Array, hash: EciesHash): Uint8Array {
  const { cipherKey, macKey } = derive(shared, contentKey.length, hash)
  const wrapped = zeroNonceCtr(cipherKey, contentKey)
  const mac = hmac(hashes[hash], macKey, wrapped)
  cipherKey.fill(0)
  macKey.fill(0)
  return concat(ephemeral, mac, wrapped)
}

/** AES-CTR with MCUboot's zero nonce; encrypts and decrypts. */
function zeroNonceCtr(key: Uint8Array, data: Uint8Array): Uint8Array {
  return ctr(key, new Uint8Array(16)).encrypt(data)
}

/** The payload under its content key. */
export function encryptPayload(payload: Uint8Array, contentKey: Uint8Array): Uint8Array {
  return zeroNonceCtr(contentKey, payload)
}

const encryptionTlvs: ReadonlySet<number> = new Set([TLV.ENCRSA2048, TLV.ENCEC256, TLV.ENCX25519, TLV.ENCX25519_SHA512])

/** The TLV that carries the content key, or null. */
export function encryptionTlv(image: ImageFile): Tlv | null {
  return image.tlvs.find((tlv) => encryptionTlvs.has(tlv.type)) ?? null
}

/** Kinds of private keys that may open the image's key TLV; empty where it has none. */
export function openerAlgorithms(image: ImageFile): readonly AnyKeyAlgorithm[] {
  const type = encryptionTlv(image)?.type
  if (type === TLV.ENCRSA2048) return ['rsa-2048', 'rsa-3072']
  if (type === TLV.ENCEC256) return ['ecdsa-p256']
  return type === undefined ? [] : ['x25519']
}

/**
 * The image with its payload in the clear and everything else as it was, so that `parseImage` and `verifyImage` check
 * it whole. Failure kinds: `not-encrypted`, `no-encryption-key` (no key TLV), `wrong-encryption-key`, `bad-tlvs`.
 */
export async function decryptImage(bytes: Uint8Array, image: ImageFile, key: KeyOpener): Promise<Uint8Array | Failure> {
  return attemptAsync(async () => {
    if (!isEncrypted(image.header)) refuse('not-encrypted', 'The image is not encrypted.', { offset: 16 })
    const tlv = encryptionTlv(image)
    if (tlv === null) refuse('no-encryption-key', 'The header says the image is encrypted (flags at offset 16), but it carries no key TLV.', { offset: 16 })
    const keyBytes = (image.header.flags & IMAGE_FLAGS.ENCRYPTED_AES256) !== 0 ? 32 : 16
    const contentKey = must(await unwrapKey(tlv, keyBytes, key))
    // concat copies; slice on a Buffer would hand out the caller's own bytes
    const plain = concat(bytes)
    plain.set(zeroNonceCtr(contentKey, image.payload), image.header.headerBytes)
    contentKey.fill(0)
    return plain
  })
}

const wrongKey = (tlv: Tlv) =>
  new Failure('wrong-encryption-key', `The image's key (TLV at offset ${tlv.offset}) does not open with this private key: the image is meant for other boards, or damaged.`, { offset: tlv.offset })

/** A content key sealed to an X25519 or P-256 key: what the secret has to be agreed with, and how the agreed one opens it. */
export type SealedKey = Readonly<{ point: Uint8Array; open(shared: Uint8Array): Uint8Array | Failure }>

/** Takes the key TLV apart. Kinds `wrong-encryption-key`, `bad-tlvs`; `open` has the first too, and wipes what it was given. */
export function sealedKey(tlv: Tlv, keyBytes: 16 | 32, algorithm: 'x25519' | 'ecdsa-p256'): SealedKey | Failure {
  const ec = algorithm === 'ecdsa-p256'
  const hash: EciesHash = tlv.type === TLV.ENCX25519_SHA512 ? 'sha512' : 'sha256'
  if (ec !== (tlv.type === TLV.ENCEC256) || tlv.type === TLV.ENCRSA2048) return wrongKey(tlv)
  const pointBytes = ec ? 65 : 32
  const { value } = tlv
  if (value.length !== pointBytes + hmacBytes[hash] + keyBytes) {
    return new Failure('bad-tlvs', `The key TLV at offset ${tlv.offset} holds ${value.length} bytes instead of ${pointBytes + hmacBytes[hash] + keyBytes}.`, { offset: tlv.offset })
  }
  const mac = value.subarray(pointBytes, pointBytes + hmacBytes[hash])
  const wrapped = value.subarray(pointBytes + hmacBytes[hash])
  return {
    point: value.subarray(0, pointBytes),
    open(shared) {
      const { cipherKey, macKey } = derive(shared, keyBytes, hash)
      if (!timingSafeEqual(hmac(hashes[hash], macKey, wrapped), mac)) return wrongKey(tlv)
      return zeroNonceCtr(cipherKey, wrapped)
    },
  }
}

async function unwrapKey(tlv: Tlv, keyBytes: 16 | 32, key: KeyOpener): Promise<Uint8Array | Failure> {
  if ('openOaep' in key) {
    if (tlv.type !== TLV.ENCRSA2048) return wrongKey(tlv)
    const opened = await key.openOaep(tlv.value)
    if (opened instanceof Failure) return opened.kind === 'not-opened' ? wrongKey(tlv) : opened
    return opened.length === keyBytes ? opened : wrongKey(tlv)
  }
  const sealed = sealedKey(tlv, keyBytes, key.algorithm)
  if (sealed instanceof Failure) return sealed
  const shared = await key.agree(sealed.point)
  if (shared instanceof Failure) return shared.kind === 'not-opened' ? wrongKey(tlv) : shared
  return sealed.open(shared)
}
