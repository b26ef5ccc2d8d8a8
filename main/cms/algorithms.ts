// Signature algorithms as CMS names them (RFC 5754 for ECDSA and RSA, RFC 4056 for PSS, RFC 8419 for Ed25519) and as the
// signing seam and node:crypto compute them; never WebCrypto, since keys live in HSMs too. What surprised us: Ed25519 in
// CMS hashes its content with SHA-512 though its signature needs no hash, and OpenSSL before 3.2 cannot do it at all.
import { constants, createHash, createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Failure } from '../base/failure.ts'
import { attempt } from '../base/failure.ts'
import type { HashName, KeyAlgorithm, Signer } from '../base/signer.ts'
import { algorithm, context, integer, nil, oid, sequence, tlv } from './der.ts'
import type { Der } from './der.ts'
import { refuseLoad } from './errors.ts'
import { digests, keyTypes, mgf1, oidName, signatures } from './oids.ts'
import { oidOf, readBer, smallOf, wholeBitsOf } from './pki.ts'
import type { Value } from './pki.ts'

/** How a signature was made: scheme, hash of what is signed, and the salt of PSS in bytes. */
export type SignatureScheme = Readonly<{ scheme: 'ecdsa' | 'rsa-pss' | 'rsa-pkcs1' | 'ed25519'; hash: HashName; saltBytes: number }>

const hashBytes: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 }

/** The hash a key signs with here: as long as its curve is strong; SHA-512 for Ed25519 (RFC 8419 §3.1). */
export function hashFor(key: KeyAlgorithm): HashName {
  return key === 'ed25519' ? 'sha512' : key === 'ecdsa-p384' ? 'sha384' : 'sha256'
}

export function digestOf(hash: HashName, bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash(hash).update(bytes).digest())
}

/** DigestAlgorithmIdentifier without parameters, as RFC 5754 §2 asks writers to do. */
export function writeDigestAlgorithm(hash: HashName): Der {
  return algorithm(digests[hash])
}

/** Reads a DigestAlgorithmIdentifier, parameters absent or NULL; refuses with badDigestAlgorithm. Only below `attempt`. */
export function readDigestAlgorithm(value: Value | undefined): HashName {
  const name = oidOf(value?.children[0])
  const hash = (Object.keys(digests) as HashName[]).find((one) => digests[one] === name)
  const parameters = value?.children[1]
  if (hash === undefined || (parameters !== undefined && parameters.tag !== 0x05) || (value?.children.length ?? 0) > 2) {
    refuseLoad('badDigestAlgorithm', `The package uses the hash ${name === null ? 'of no name' : oidName(name)}; SHA-256, SHA-384 and SHA-512 are accepted.`)
  }
  return hash
}

/** SignatureAlgorithmIdentifier of a key of ours. */
export function writeSignatureAlgorithm(key: KeyAlgorithm): Der {
  switch (key) {
    case 'ed25519':
      return algorithm(signatures.ed25519)
    case 'ecdsa-p256':
      return algorithm(signatures.ecdsaSha256)
    case 'ecdsa-p384':
      return algorithm(signatures.ecdsaSha384)
    case 'rsa-2048':
    case 'rsa-3072': {
      const hash = algorithm(digests.sha256, nil)
      return algorithm(signatures.rsaPss, sequence(tlv(context(0), hash), tlv(context(1), algorithm(mgf1, hash)), tlv(context(2), integer(32))))
    }
  }
}

/** Longest signature a key makes, in bytes; ECDSA's are often a byte or two shorter. */
export function signatureBytesMax(key: KeyAlgorithm): number {
  return { ed25519: 64, 'ecdsa-p256': 72, 'ecdsa-p384': 104, 'rsa-2048': 256, 'rsa-3072': 384 }[key]
}

/** A signature over these bytes through the seam. */
export function signBytes(signer: Signer, bytes: Uint8Array, signal?: AbortSignal): Promise<Uint8Array | Failure> {
  const { algorithm: key } = signer.publicKey
  if (key === 'ed25519') return signer.sign({ message: bytes }, signal)
  const hash = hashFor(key)
  return signer.sign({ digest: digestOf(hash, bytes), hash }, signal)
}

const ecdsaHashes: Readonly<Record<string, HashName>> = { [signatures.ecdsaSha256]: 'sha256', [signatures.ecdsaSha384]: 'sha384', [signatures.ecdsaSha512]: 'sha512' }
const rsaHashes: Readonly<Record<string, HashName>> = { [signatures.rsaSha256]: 'sha256', [signatures.rsaSha384]: 'sha384', [signatures.rsaSha512]: 'sha512' }

/**
 * Reads a SignatureAlgorithmIdentifier; `digest` is the hash named beside it, which plain rsaEncryption leans on. Refuses
 * with badSignatureAlgorithm or unsupportedParameters. Only below `attempt`.
 */
export function readSignatureAlgorithm(value: Value | undefined, digest: HashName): SignatureScheme {
  const name = oidOf(value?.children[0])
  const parameters = value?.children[1]
  if (name === null || (value?.children.length ?? 0) > 2) refuseLoad('badSignatureAlgorithm', 'The signature does not name its algorithm.')
  const empty = parameters === undefined || parameters.tag === 0x05
  const ecdsa = ecdsaHashes[name]
  const rsa = name === signatures.rsa ? digest : rsaHashes[name]
  if (name === signatures.rsaPss) return readPss(parameters)
  if (ecdsa === undefined && rsa === undefined && name !== signatures.ed25519) refuseLoad('badSignatureAlgorithm', `The signature uses the algorithm ${oidName(name)}; ECDSA, Ed25519 and RSA are accepted.`)
  if (!empty) refuseLoad('unsupportedParameters', `The signature algorithm ${oidName(name)} comes with parameters, and takes none.`)
  if (ecdsa !== undefined) return { scheme: 'ecdsa', hash: ecdsa, saltBytes: 0 }
  return rsa === undefined ? { scheme: 'ed25519', hash: 'sha512', saltBytes: 0 } : { scheme: 'rsa-pkcs1', hash: rsa, saltBytes: 0 }
}

/** RSASSA-PSS-params (RFC 4055 §3.1): one hash for both, trailer 1; what is left out means SHA-1, which is not accepted. */
function readPss(parameters: Value | undefined): SignatureScheme {
  const field = (number: number) => parameters?.children.find((child) => child.tag === context(number))?.children[0]
  const hashName = oidOf(field(0)?.children[0])
  const hash = (Object.keys(digests) as HashName[]).find((one) => digests[one] === hashName)
  const mgf = field(1)
  const mgfHash = oidOf(mgf?.children[1]?.children[0])
  const salt = field(2) === undefined ? 20 : smallOf(field(2))
  const trailer = field(3) === undefined ? 1 : smallOf(field(3))
  if (hash === undefined || oidOf(mgf?.children[0]) !== mgf1 || mgfHash !== hashName || trailer !== 1 || salt === null || salt > 510) {
    refuseLoad('unsupportedParameters', 'The RSA-PSS signature uses parameters that are not accepted here: one of SHA-256, SHA-384 and SHA-512 for both the hash and MGF1, and trailer field 1, are.')
  }
  return { scheme: 'rsa-pss', hash, saltBytes: salt }
}

/** A public key that can check signatures, and what it is. */
export type VerifyKey = Readonly<{ kind: 'rsa' | 'ec' | 'ed25519'; bits: number; object: KeyObject }>

const rsaBitsMin = 2048
const rsaBitsMax = 4096

/** Reads a SubjectPublicKeyInfo. Refuses with badSignatureAlgorithm or unsupportedKeySize. Only below `attempt`. */
export function readVerifyKey(spki: Uint8Array): VerifyKey {
  const value = readBer(spki)
  const [name, parameters] = [oidOf(value?.children[0]?.children[0]), value?.children[0]?.children[1]]
  const bits = wholeBitsOf(value?.children[1])
  if (value === null || bits === null) refuseLoad('badSignatureAlgorithm', 'The signer\'s public key does not read.')
  if (name === keyTypes.ed25519) return { kind: 'ed25519', bits: 255, object: keyObject(spki) }
  if (name === keyTypes.ec) {
    const curve = oidOf(parameters)
    if (curve !== keyTypes.p256 && curve !== keyTypes.p384) refuseLoad('unsupportedKeySize', 'The signer\'s elliptic curve is not accepted here; P-256 and P-384 are.')
    return { kind: 'ec', bits: curve === keyTypes.p256 ? 256 : 384, object: keyObject(spki) }
  }
  if (name !== keyTypes.rsa) refuseLoad('badSignatureAlgorithm', `The signer's key is of the kind ${name === null ? 'without name' : oidName(name)}; RSA, P-256, P-384 and Ed25519 are accepted.`)
  const modulus = readBer(bits)?.children[0]?.content ?? new Uint8Array(0)
  const lead = modulus[0] === 0 ? 1 : 0
  const modulusBits = (modulus.length - lead) * 8 - Math.clz32((modulus[lead] ?? 0) << 24)
  if (modulusBits < rsaBitsMin || modulusBits > rsaBitsMax) {
    refuseLoad('unsupportedKeySize', `The signer's RSA key has ${Math.max(0, modulusBits)} bits; ${rsaBitsMin} to ${rsaBitsMax} are accepted.`, { bits: Math.max(0, modulusBits) })
  }
  return { kind: 'rsa', bits: modulusBits, object: keyObject(spki) }
}

function keyObject(spki: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki.buffer, spki.byteOffset, spki.length), format: 'der', type: 'spki' })
  } catch {
    // A point off its curve, or numbers that are no key.
    return refuseLoad('badSignatureAlgorithm', 'The signer\'s public key is damaged.')
  }
}

const wanted = { ecdsa: 'ec', 'rsa-pss': 'rsa', 'rsa-pkcs1': 'rsa', ed25519: 'ed25519' } as const

/** Checks one signature. Never throws on hostile bytes. */
export function signatureHolds(signature: Uint8Array, bytes: Uint8Array, scheme: SignatureScheme, key: VerifyKey): boolean {
  if (wanted[scheme.scheme] !== key.kind) return false
  try {
    switch (scheme.scheme) {
      case 'ed25519':
        return signature.length === 64 && verify(null, bytes, key.object, signature)
      case 'ecdsa':
        return verify(scheme.hash, bytes, { key: key.object, dsaEncoding: 'der' }, signature)
      case 'rsa-pkcs1':
        return verify(scheme.hash, bytes, { key: key.object, padding: constants.RSA_PKCS1_PADDING }, signature)
      case 'rsa-pss':
        return verify(scheme.hash, bytes, { key: key.object, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: scheme.saltBytes }, signature)
    }
  } catch {
    return false
  }
}

/** The signature of a certificate, list or request: its own algorithm, its issuer's key; false for whatever does not hold or is not accepted. */
export function outerSignatureHolds(what: Readonly<{ tbs: Uint8Array; signatureAlgorithm: Value; signature: Uint8Array }>, issuerSpki: Uint8Array): boolean {
  const holds = attempt(() => {
    if (oidOf(what.signatureAlgorithm.children[0]) === signatures.rsa) return false
    return signatureHolds(what.signature, what.tbs, readSignatureAlgorithm(what.signatureAlgorithm, 'sha256'), readVerifyKey(issuerSpki))
  })
  return holds === true
}

/** In words for people: `ECDSA with SHA-256`. */
export function schemeWords({ scheme, hash }: SignatureScheme): string {
  const name = `SHA-${hashBytes[hash] * 8}`
  return { ecdsa: `ECDSA with ${name}`, 'rsa-pss': `RSA-PSS with ${name}`, 'rsa-pkcs1': `RSA PKCS#1 v1.5 with ${name}`, ed25519: 'Ed25519' }[scheme]
}

/** OID helper for lists of algorithms. */
export const oidList = (list: readonly string[]): Der => sequence(...list.map(oid))
