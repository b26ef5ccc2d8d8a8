// ECDSA over a finished digest, deterministic (RFC 6979 §3.2, HMAC with the curve's own hash, low s). node:crypto signs whole
// messages only, and with a nonce of its own; a library in JavaScript does it, but loading it and its first multiplication
// take 35 ms, half of a `sign` command. The one multiplication there is, nonce times base point, is BoringSSL's here (ECDH's
// public key); what is left are a few numbers modulo the group order. Whoever signs an image verifies it afterwards.
import { createECDH, createHmac, randomBytes } from 'node:crypto'
import { concat, viewOf } from '../base/bytes.ts'
import { assert } from '../base/failure.ts'
import { derTag, writeDer, writeInteger } from '../image/der.ts'

/** SEC 2 v2 §2.4.2 and §2.5.1: name, length of a coordinate, order of the group, and RFC 6979's hash. */
const curves = {
  'ecdsa-p256': { native: 'prime256v1', bytes: 32, hash: 'sha256', order: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n },
  'ecdsa-p384': { native: 'secp384r1', bytes: 48, hash: 'sha384', order: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n },
} as const

export type EcdsaCurve = keyof typeof curves

/** A second nonce is asked for once in 2^128 signatures; this many never are. */
const noncesMax = 16

/** DER of SEQUENCE { r, s }. `secret` is the private number, `digest` any hash of the message. */
export function signDigest(name: EcdsaCurve, secret: Uint8Array, digest: Uint8Array): Uint8Array {
  const { native, bytes, order } = curves[name]
  assert(secret.length === bytes, 'a private number is as long as its curve')
  const d = numberOf(secret)
  assert(d > 0n && d < order, 'a private number lies below the order')
  const z = truncated(digest, bytes) % order
  const nonces = noncesFor(name, secret, z)
  const multiplier = createECDH(native)
  for (let turn = 0; turn < noncesMax; turn++) {
    const nonce = nonces()
    multiplier.setPrivateKey(nonce)
    const r = numberOf(new Uint8Array(multiplier.getPublicKey()).subarray(1, 1 + bytes)) % order
    const k = numberOf(nonce)
    nonce.fill(0)
    // The inverse is taken of the nonce times a random number, so that its running time says nothing of the nonce.
    const blind = numberOf(randomBytes(bytes)) % (order - 1n) + 1n
    const s = inverse(k * blind % order, order) * (blind * (z + r * d) % order) % order
    if (r === 0n || s === 0n) continue
    return writeDer(derTag.sequence, integer(r, bytes), integer(2n * s > order ? order - s : s, bytes))
  }
  throw new Error('no nonce gave a signature')
}

/** RFC 6979 §3.2 b to h: each call the next candidate between 1 and the order. */
function noncesFor(name: EcdsaCurve, secret: Uint8Array, z: bigint): () => Uint8Array {
  const { bytes, hash, order } = curves[name]
  const mac = (key: Uint8Array, ...parts: Uint8Array[]) => new Uint8Array(createHmac(hash, key).update(concat(...parts)).digest())
  const seed = concat(secret, bytesOf(z, bytes))
  let v: Uint8Array = new Uint8Array(bytes).fill(1)
  let key: Uint8Array = new Uint8Array(bytes)
  for (const round of [0, 1]) {
    key = mac(key, v, Uint8Array.of(round), seed)
    v = mac(key, v)
  }
  seed.fill(0)
  const step = () => {
    v = mac(key, v)
    const candidate = concat(v)
    key = mac(key, v, Uint8Array.of(0))
    v = mac(key, v)
    return candidate
  }
  return () => {
    for (let turn = 0; turn < noncesMax; turn++) {
      const candidate = step()
      const k = numberOf(candidate)
      if (k > 0n && k < order) return candidate
    }
    throw new Error('no nonce lies below the order')
  }
}

/** bits2int (RFC 6979 §2.3.2): the leftmost bits; both orders fill their bytes. */
function truncated(digest: Uint8Array, bytes: number): bigint {
  return numberOf(digest.subarray(0, bytes))
}

// By words and not through hex text, which would leave the private number in the heap as a string.
function numberOf(bytes: Uint8Array): bigint {
  const view = viewOf(bytes)
  let value = 0n
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) value = (value << 64n) | view.getBigUint64(at)
  for (; at < bytes.length; at++) value = (value << 8n) | BigInt(view.getUint8(at))
  return value
}

/** `bytes` is a multiple of 8. */
function bytesOf(value: bigint, bytes: number): Uint8Array {
  const made = new Uint8Array(bytes)
  const view = viewOf(made)
  for (let at = bytes - 8, left = value; at >= 0; at -= 8, left >>= 64n) view.setBigUint64(at, left & 0xffff_ffff_ffff_ffffn)
  return made
}

function integer(value: bigint, bytes: number): Uint8Array {
  const whole = bytesOf(value, bytes)
  const zeros = whole.findIndex((byte) => byte !== 0)
  return writeInteger(whole.subarray(zeros))
}

/** Extended Euclid; `value` is not 0 modulo a prime. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [low, high] = [value, modulus]
  let [factor, other] = [1n, 0n]
  while (low > 1n) {
    const quotient = high / low
    ;[low, high] = [high - quotient * low, low]
    ;[factor, other] = [other - quotient * factor, factor]
  }
  assert(low === 1n, 'the value has an inverse')
  return factor < 0n ? factor + modulus : factor
}
