// Public keys as SubjectPublicKeyInfo (RFC 5280 §4.1.2.7, RFC 8410, RFC 5480) and as MCUboot stores them. MCUboot takes
// four curves and two RSA sizes; anything else gets a sentence that names what it is.
import { concat, fromHex, sameBytes } from '../base/bytes.ts'
import { Failure, attempt, refuse } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey } from '../base/signer.ts'
import { childrenOf, derTag, readMagnitude, readOid, readWholeDer, writeDer, writeOid } from './der.ts'

/** X25519 keys only ever encrypt. */
export type X25519PublicKey = Readonly<{ algorithm: 'x25519'; spki: Uint8Array; encoded: Uint8Array }>

/** Any public key imgtool reads. */
export type AnyPublicKey = PublicKey | X25519PublicKey

export type AnyKeyAlgorithm = KeyAlgorithm | 'x25519'

const hex = (text: string) => fromHex(text) ?? new Uint8Array(0)
const prefixes: Readonly<Record<'ed25519' | 'x25519' | 'ecdsa-p256' | 'ecdsa-p384', Uint8Array>> = {
  ed25519: hex('302a300506032b6570032100'),
  x25519: hex('302a300506032b656e032100'),
  'ecdsa-p256': hex('3059301306072a8648ce3d020106082a8648ce3d030107034200'),
  'ecdsa-p384': hex('3076301006072a8648ce3d020106052b81040022036200'),
}
const pointBytes = { ed25519: 32, x25519: 32, 'ecdsa-p256': 65, 'ecdsa-p384': 97 } as const

export const oids = {
  rsa: '1.2.840.113549.1.1.1',
  ec: '1.2.840.10045.2.1',
  p256: '1.2.840.10045.3.1.7',
  p384: '1.3.132.0.34',
  ed25519: '1.3.101.112',
  x25519: '1.3.101.110',
} as const

const curveNames: Readonly<Record<string, string>> = {
  '1.3.132.0.10': 'secp256k1',
  '1.3.132.0.35': 'P-521',
  '1.3.132.0.33': 'P-224',
  '1.2.840.10045.3.1.1': 'P-192',
  '1.3.36.3.3.2.8.1.1.7': 'brainpoolP256r1',
  '1.3.36.3.3.2.8.1.1.11': 'brainpoolP384r1',
  '1.3.101.111': 'X448',
  '1.3.101.113': 'Ed448',
  '1.2.840.10040.4.1': 'DSA',
  '1.2.840.113549.1.1.10': 'RSA restricted to PSS',
}

/** Refuses a key MCUboot cannot use, naming its curve or algorithm; only below `attempt`. */
export function refuseUnsupported(oid: string): never {
  const name = curveNames[oid] ?? `the algorithm ${oid}`
  refuse('unsupported-key', `The key is of a kind MCUboot cannot use: ${name}. It takes ed25519, ecdsa-p256, ecdsa-p384, rsa-2048 and rsa-3072.`, { kind: name, oid })
}

/** The key in a SubjectPublicKeyInfo; `unsupported-key` for other algorithms, `not-a-key` for anything else. */
export function publicKeyFromSpki(spki: Uint8Array): AnyPublicKey | Failure {
  for (const algorithm of ['ed25519', 'x25519', 'ecdsa-p256', 'ecdsa-p384'] as const) {
    const prefix = prefixes[algorithm]
    if (spki.length === prefix.length + pointBytes[algorithm] && sameBytes(spki.subarray(0, prefix.length), prefix)) {
      if (algorithm.startsWith('ecdsa') && spki[prefix.length] !== 4) break
      return { algorithm, spki, encoded: spki }
    }
  }
  const key = attempt(() => slowPath(spki))
  if (key instanceof Failure && key.kind === 'not-der') return new Failure('not-a-key', 'This is not a public key: its ASN.1 does not read as one.')
  return key
}

function slowPath(spki: Uint8Array): PublicKey {
  const [algorithm, bits] = childrenOf(readWholeDer(spki, derTag.sequence))
  if (algorithm?.tag !== derTag.sequence || bits?.tag !== derTag.bits || bits.content[0] !== 0) refuse('not-a-key', 'This is not a public key: its ASN.1 does not read as one.')
  const [name, curve] = childrenOf(algorithm)
  const oid = readOid(name)
  if (oid === oids.rsa) return rsaFromEncoded(bits.content.subarray(1), spki)
  const kind = oid === oids.ec && curve?.tag === derTag.oid ? readOid(curve) : oid
  if (kind === oids.p256 || kind === oids.p384) refuse('unsupported-key', 'The elliptic-curve key is stored as a compressed or malformed point. Convert it: openssl ec -pubin -conv_form uncompressed.')
  return refuseUnsupported(kind)
}

const rsaHead = concat(writeOid(oids.rsa), Uint8Array.of(derTag.nil, 0))

/** From PKCS#1 RSAPublicKey DER; only below `attempt`. */
export function rsaFromEncoded(encoded: Uint8Array, spki?: Uint8Array): PublicKey {
  const [modulus, exponent] = childrenOf(readWholeDer(encoded, derTag.sequence))
  const n = readMagnitude(modulus)
  readMagnitude(exponent)
  const bits = n.length * 8 - Math.clz32((n[0] ?? 0) << 24)
  if (bits !== 2048 && bits !== 3072) {
    refuse('unsupported-key', `The RSA key has ${bits} bits; MCUboot takes RSA keys of 2048 or 3072 bits.`, { bits })
  }
  return {
    algorithm: bits === 2048 ? 'rsa-2048' : 'rsa-3072',
    spki: spki ?? writeDer(derTag.sequence, writeDer(derTag.sequence, rsaHead), writeDer(derTag.bits, Uint8Array.of(0), encoded)),
    encoded,
  }
}

/** Wraps a raw curve point (32 bytes, or an uncompressed EC point). */
export function publicKeyFromPoint(algorithm: 'ed25519' | 'x25519' | 'ecdsa-p256' | 'ecdsa-p384', point: Uint8Array): AnyPublicKey {
  const spki = concat(prefixes[algorithm], point)
  return { algorithm, spki, encoded: spki }
}

/** The raw curve point of a key that is not RSA. */
export function pointOf(key: AnyPublicKey): Uint8Array {
  const prefix = key.algorithm === 'rsa-2048' || key.algorithm === 'rsa-3072' ? 0 : prefixes[key.algorithm].length
  return key.spki.subarray(prefix)
}

/** Whether this key can sign images (X25519 cannot). */
export function canSign(key: AnyPublicKey): key is PublicKey {
  return key.algorithm !== 'x25519'
}
