// Public keys and signatures as tokens give them, and as the rest of the station knows them. PKCS#11 v2.40 and v3.0 leave
// room, and tokens use all of it: CKA_EC_POINT with or without its OCTET STRING, Ed25519 named by OID or by the text
// "edwards25519", r‖s instead of DER.
import { concat } from '../base/bytes.ts'
import { Failure, attempt, failed, refuse } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey } from '../base/signer.ts'
import { derTag, readDer, readOid, readWholeDer, writeDer, writeInteger, writeOid } from '../image/der.ts'
import { derFromHalves } from '../image/outside.ts'
import { canSign, oids, publicKeyFromPoint, publicKeyFromSpki, refuseUnsupported, rsaFromEncoded } from '../image/publickey.ts'

const printable = 0x13
const curveTexts: Readonly<Record<string, 'ed25519'>> = { edwards25519: 'ed25519' }
const curveOids: Readonly<Record<string, 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384'>> = {
  [oids.p256]: 'ecdsa-p256',
  [oids.p384]: 'ecdsa-p384',
  [oids.ed25519]: 'ed25519',
  // GnuPG's name for the same curve, which some tokens took over.
  '1.3.6.1.4.1.11591.15.1': 'ed25519',
}
const pointBytes = { ed25519: 32, 'ecdsa-p256': 65, 'ecdsa-p384': 97 } as const

/** CKA_EC_PARAMS of a curve that we ask a token to make a key on; the second is for tokens that know Ed25519 by text only. */
export function ecParamsOf(algorithm: 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384'): readonly Uint8Array[] {
  if (algorithm === 'ecdsa-p256') return [writeOid(oids.p256)]
  if (algorithm === 'ecdsa-p384') return [writeOid(oids.p384)]
  return [writeOid(oids.ed25519), writeDer(printable, new TextEncoder().encode('edwards25519'))]
}

/** From CKA_EC_PARAMS and CKA_EC_POINT. Kinds: `unsupported-key` (names the curve), `not-a-key`. */
export function publicKeyFromEc(params: Uint8Array, point: Uint8Array): PublicKey | Failure {
  const key = attempt(() => {
    const curve = curveOf(params)
    const bare = barePoint(point, pointBytes[curve])
    if (curve !== 'ed25519' && bare[0] !== 4) refuse('not-a-key', 'The token gives the elliptic-curve key as a compressed point, which is not read here.')
    const key = publicKeyFromPoint(curve, bare)
    return canSign(key) ? key : refuse('unsupported-key', 'The key cannot sign.')
  })
  return damaged(key)
}

function curveOf(params: Uint8Array): 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384' {
  const named = readWholeDer(params)
  if (named.tag === derTag.oid) {
    const oid = readOid(named)
    return curveOids[oid] ?? refuseUnsupported(oid)
  }
  const text = named.tag === printable ? new TextDecoder('latin1').decode(named.content) : ''
  return curveTexts[text] ?? refuse('unsupported-key', `The token names the key's curve in a way this station does not know${text === '' ? '' : ` ("${text.slice(0, 40)}")`}.`)
}

// The standard wants an OCTET STRING around the point; several tokens leave it out.
function barePoint(point: Uint8Array, bytes: number): Uint8Array {
  if (point.length === bytes) return point
  const [inner, rest] = readDer(point)
  const content = inner.tag === derTag.bits ? inner.content.subarray(1) : inner.content
  if (rest.length !== 0 || content.length !== bytes || (inner.tag !== derTag.octets && inner.tag !== derTag.bits)) refuse('not-a-key', `The token gives the public key as ${point.length} bytes that are no point of its curve.`)
  return concat(content)
}

/** From CKA_MODULUS and CKA_PUBLIC_EXPONENT, unsigned and big-endian, perhaps with leading zeros. Kinds as above. */
export function publicKeyFromRsa(modulus: Uint8Array, exponent: Uint8Array): PublicKey | Failure {
  return damaged(attempt(() => rsaFromEncoded(writeDer(derTag.sequence, writeInteger(trimmed(modulus)), writeInteger(trimmed(exponent))))))
}

/** From CKA_PUBLIC_KEY_INFO. */
export function publicKeyFromInfo(spki: Uint8Array): PublicKey | Failure {
  const key = publicKeyFromSpki(concat(spki))
  if (failed(key)) return key
  return canSign(key) ? key : new Failure('unsupported-key', 'The key is an x25519 key, which cannot sign.')
}

function damaged(key: PublicKey | Failure): PublicKey | Failure {
  return failed(key) && key.kind === 'not-der' ? new Failure('not-a-key', 'The token describes the public key in bytes that do not read.') : key
}

function trimmed(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? Uint8Array.of(0) : bytes.subarray(first)
}

/** DER SEQUENCE { r, s } of a token's raw r‖s. Kind `token-bad-signature`. */
export function derFromRaw(raw: Uint8Array, algorithm: 'ecdsa-p256' | 'ecdsa-p384'): Uint8Array | Failure {
  const half = algorithm === 'ecdsa-p256' ? 32 : 48
  if (raw.length !== 2 * half) return new Failure('token-bad-signature', `The token's signature has ${raw.length} bytes instead of ${2 * half}. It was thrown away; the token does not work as it should.`, { bytes: raw.length })
  return derFromHalves(raw)
}

/** What a kind of key is signed with: PKCS#11 mechanism numbers (v2.40 and, for EdDSA, v3.0). */
export const signMechanisms: Readonly<Record<KeyAlgorithm, number>> = { ed25519: 0x1057, 'ecdsa-p256': 0x1041, 'ecdsa-p384': 0x1041, 'rsa-2048': 0x0d, 'rsa-3072': 0x0d }
export const makeMechanisms: Readonly<Record<KeyAlgorithm, number>> = { ed25519: 0x1055, 'ecdsa-p256': 0x1040, 'ecdsa-p384': 0x1040, 'rsa-2048': 0, 'rsa-3072': 0 }
export const mechanismNames: Readonly<Record<number, string>> = {
  0x1057: 'CKM_EDDSA', 0x1041: 'CKM_ECDSA', 0x0d: 'CKM_RSA_PKCS_PSS', 0x1055: 'CKM_EC_EDWARDS_KEY_PAIR_GEN', 0x1040: 'CKM_EC_KEY_PAIR_GEN', 0: 'CKM_RSA_PKCS_KEY_PAIR_GEN',
}
