// The private key of a bootloader that takes encrypted images (boot/bootutil/src/encrypted.c): finds an image's content key
// and is the cipher between the slots. What surprised us: only the way into and out of the primary slot is ciphered, so an
// image keeps its ENCRYPTED flag while it runs in the clear, and is encrypted again under its old key when it is swapped out.
import { constants, createCipheriv, createPrivateKey, privateDecrypt } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { x25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { Failure, failed } from '../base/failure.ts'
import { encryptionTlv, sealedKey } from '../image/encrypt.ts'
import { parseImage } from '../image/format.ts'
import type { Readable, SlotHeader } from './slot-image.ts'

export type BoardSecret = Readonly<{
  /** AES-128 or AES-256: a bootloader is built for one of them (MCUBOOT_AES_256). */
  keyBytes: 16 | 32
  /** The private key itself, for boards in another process. */
  pkcs8: Uint8Array
  /** The content key of that whole image; null when it is not for this board. */
  contentKey(image: Uint8Array): Uint8Array | null
}>

/** A secret from a private key's PKCS#8 DER: x25519, P-256 or RSA. Kind `unsupported-key`. */
export function secretOf(pkcs8: Uint8Array, keyBytes: 16 | 32 = 16): BoardSecret | Failure<'unsupported-key'> {
  const unsupported = new Failure('unsupported-key', 'Practice boards decrypt with an X25519, P-256 or RSA key; this is none of them.')
  let key: KeyObject
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' })
  } catch {
    return unsupported
  }
  const unwrap = unwrapperOf(key)
  if (unwrap === null) return unsupported
  return {
    keyBytes,
    // A copy: whoever opened the key wipes it.
    pkcs8: pkcs8.slice(),
    contentKey(image) {
      const parsed = parseImage(image)
      if (failed(parsed)) return null
      const tlv = encryptionTlv(parsed)
      return tlv === null ? null : unwrap(tlv, keyBytes)
    },
  }
}

type Unwrap = (tlv: Parameters<typeof sealedKey>[0], keyBytes: 16 | 32) => Uint8Array | null

function unwrapperOf(key: KeyObject): Unwrap | null {
  if (key.asymmetricKeyType === 'rsa') {
    return ({ value }, keyBytes) => {
      try {
        const opened = privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, value)
        return opened.length === keyBytes ? new Uint8Array(opened) : null
      } catch {
        return null
      }
    }
  }
  const scalar = key.asymmetricKeyType === 'x25519' || key.asymmetricKeyType === 'ec' ? scalarOf(key) : null
  if (scalar === null) return null
  const algorithm = key.asymmetricKeyType === 'ec' ? 'ecdsa-p256' : 'x25519'
  return (tlv, keyBytes) => {
    const sealed = sealedKey(tlv, keyBytes, algorithm)
    if (failed(sealed)) return null
    try {
      const opened = sealed.open(algorithm === 'x25519' ? x25519.getSharedSecret(scalar, sealed.point) : p256.getSharedSecret(scalar, sealed.point, false).slice(1, 33))
      return failed(opened) ? null : opened
    } catch {
      // A point that is on no curve.
      return null
    }
  }
}

/** The private number; null for a curve that MCUboot does not encrypt with. */
function scalarOf(key: KeyObject): Uint8Array | null {
  const { d, crv } = key.export({ format: 'jwk' })
  return d === undefined || (crv !== 'X25519' && crv !== 'P-256') ? null : new Uint8Array(Buffer.from(d, 'base64url'))
}

/** The keystream over one image's payload: AES-CTR with a zero nonce, its own inverse. */
export class PayloadCipher {
  readonly #start: number
  readonly #pad: Uint8Array

  constructor(header: SlotHeader, key: Uint8Array) {
    this.#start = header.headerBytes
    const cipher = createCipheriv(key.length === 16 ? 'aes-128-ctr' : 'aes-256-ctr', key, new Uint8Array(16))
    this.#pad = new Uint8Array(cipher.update(new Uint8Array(header.imageBytes)))
  }

  /** These bytes of the image, counted from its first, in the other form; what is no payload stays. */
  apply(bytes: Uint8Array, imageOffset: number): Uint8Array {
    const from = Math.max(0, this.#start - imageOffset)
    const to = Math.min(bytes.length, this.#start + this.#pad.length - imageOffset)
    if (from >= to) return bytes
    const changed = bytes.slice()
    for (let i = from; i < to; i++) changed[i]! ^= this.#pad[imageOffset + i - this.#start]!
    return changed
  }
}

/** The whole image with its payload in the clear, as it is hashed and signed; null when it is not for this board. */
export function decrypted(secret: BoardSecret, image: Uint8Array, header: SlotHeader): Uint8Array | null {
  if (header.keyBytes !== secret.keyBytes) return null
  const key = secret.contentKey(image)
  return key === null ? null : new PayloadCipher(header, key).apply(image, 0)
}

/** Whether an image there is stored encrypted when its header says so: everywhere but where it runs in place. */
export function isStoredEncrypted(mode: string, area: Readable & Readonly<{ address: number }>, primary: Readonly<{ address: number; sizeBytes: number }>): boolean {
  return mode === 'ram-load' || area.address < primary.address || area.address >= primary.address + primary.sizeBytes
}
