// SignedData as RFC 4108 §2.1.2 profiles RFC 5652: version 3, one digest algorithm, one signer, signed attributes. It
// carries packages, receipts and error reports alike. What surprised us: RFC 5652 wants SignerInfo version 1 beside issuer
// and serial number and RFC 4108 wants 3 always; we write 3 and read either.
import { sameBytes } from '../base/bytes.ts'
import { assert, attempt, failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { HashName, Signer } from '../base/signer.ts'
import {
  digestOf, hashFor, readDigestAlgorithm, readSignatureAlgorithm, readVerifyKey, signBytes, signatureHolds, writeDigestAlgorithm, writeSignatureAlgorithm,
} from './algorithms.ts'
import type { SignatureScheme } from './algorithms.ts'
import { readAttributes, readSignedAttributes, writeSignedAttributes } from './attributes.ts'
import type { ReadAttributes, SignedAttributes } from './attributes.ts'
import { context, integer, integerOf, join, octets, oid, raw, sequence, setOf, tags, tlv } from './der.ts'
import type { Der } from './der.ts'
import { refuseLoad } from './errors.ts'
import { attributeTypes, contentTypes, oidName } from './oids.ts'
import { certificateOf, keyIdOf, oidOf, readBer, readRevocationList, smallOf } from './pki.ts'
import type { Certificate, RevocationList, Value } from './pki.ts'

/** Who signs and what is said of it. */
export type Signing = Readonly<{
  signer: Signer
  /** The signer's own certificate; null when the boards know the bare key. */
  certificate: Certificate | null
  /** Certificates to embed (the signer's own and those up to the anchor); none by default. */
  embed?: readonly Certificate[]
  /** How the signer is named; by issuer and serial number needs a certificate. Default `key-id`. */
  sid?: 'key-id' | 'issuer-serial'
}>

export type BuiltSigned = Readonly<{ bytes: Uint8Array; /** Where the content's first byte lies. */ contentOffset: number }>

/** Attributes beside contentType and messageDigest, which are filled in here. */
export type FurtherAttributes = Omit<SignedAttributes, 'contentType' | 'messageDigest'>

/** The hash a signer's packages are built on. */
export function signingHash(signing: Signing): HashName {
  return hashFor(signing.signer.publicKey.algorithm)
}

/** Signs content of that type. Fails as the signer does. */
export async function buildSigned(
  contentType: string, content: Uint8Array, further: FurtherAttributes, signing: Signing, options: Readonly<{ unsigned?: readonly Der[]; digest?: Uint8Array; signal?: AbortSignal }> = {},
): Promise<BuiltSigned | Failure> {
  const hash = signingHash(signing)
  const attributes = writeSignedAttributes({ contentType, messageDigest: options.digest ?? digestOf(hash, content), ...further })
  const toSign = join(attributes)
  const signature = await signBytes(signing.signer, toSign, options.signal)
  if (failed(signature)) return signature
  const scheme = attempt(() => readSignatureAlgorithm(readBer(join(writeSignatureAlgorithm(signing.signer.publicKey.algorithm))) ?? undefined, hash))
  const key = attempt(() => readVerifyKey(signing.signer.publicKey.spki))
  assert(!failed(scheme) && !failed(key), 'we read the algorithms we write')
  assert(signatureHolds(signature, toSign, scheme, key), 'a signature just made holds')
  return layOut(contentType, content, toSign, signature, signing, options.unsigned ?? [])
}

function layOut(contentType: string, content: Uint8Array, attributes: Uint8Array, signature: Uint8Array, signing: Signing, unsigned: readonly Der[]): BuiltSigned {
  const whole = structure(contentType, content, attributes, signature, signing, unsigned)
  return { bytes: join(whole), contentOffset: offsetOf(whole, content) }
}

/** Lengths of a structure that is not signed yet. */
export function measureSigned(contentType: string, content: Uint8Array, attributes: Uint8Array, signatureBytes: number, signing: Signing): Readonly<{ packageBytes: number; contentOffset: number }> {
  const whole = structure(contentType, content, attributes, new Uint8Array(signatureBytes), signing, [])
  return { packageBytes: whole.bytes, contentOffset: offsetOf(whole, content) }
}

/** The finished structure around a signature. */
function structure(contentType: string, content: Uint8Array, attributes: Uint8Array, signature: Uint8Array, signing: Signing, unsigned: readonly Der[]): Der {
  const { signer: { publicKey }, embed = [] } = signing
  const digestAlgorithm = writeDigestAlgorithm(signingHash(signing))
  const signerInfo = sequence(
    integer(3), writeSid(signing), digestAlgorithm, raw(retagged(attributes, context(0))), writeSignatureAlgorithm(publicKey.algorithm), octets(signature),
    ...(unsigned.length === 0 ? [] : [setOf(unsigned, context(1))]),
  )
  const signedData = sequence(
    integer(3),
    tlv(tags.set, digestAlgorithm),
    sequence(oid(contentType), tlv(context(0), octets(content))),
    ...(embed.length === 0 ? [] : [setOf(embed.map((one) => raw(one.der)), context(0))]),
    tlv(tags.set, signerInfo),
  )
  return sequence(oid(contentTypes.signedData), tlv(context(0), signedData))
}

function offsetOf(whole: Der, part: Uint8Array): number {
  let at = 0
  const index = whole.parts.indexOf(part)
  assert(index >= 0, 'the content is a part of what was built')
  for (const one of whole.parts.slice(0, index)) at += one.length
  return at
}

function retagged(bytes: Uint8Array, tag: number): Uint8Array {
  const copy = bytes.slice()
  copy[0] = tag
  return copy
}

function writeSid({ certificate, sid = 'key-id', signer }: Signing): Der {
  if (sid === 'issuer-serial') {
    assert(certificate !== null, 'issuer and serial number are those of a certificate')
    return sequence(raw(certificate.issuer), integerOf(certificate.serial))
  }
  const keyId = certificate?.keyId ?? keyIdOf(signer.publicKey.spki)
  assert(keyId !== null, 'a signer has a public key')
  return tlv(context(0, false), keyId)
}

/** How a signer is named in a structure. */
export type SignerName = Readonly<{ keyId: Uint8Array } | { issuer: Uint8Array; serial: Uint8Array }>

export type ReadSigned = Readonly<{
  contentType: string
  content: Uint8Array
  /** Where the content lies in the input; null when it came in pieces. */
  contentOffset: number | null
  certificates: readonly Certificate[]
  revocationLists: readonly RevocationList[]
  signer: SignerName
  hash: HashName
  scheme: SignatureScheme
  signature: Uint8Array
  attributes: ReadAttributes
  /** The bytes that were signed: the attributes under their own tag. */
  signedBytes: Uint8Array
  wrappedFirmwareKey: Value | null
}>

const certificatesMax = 32

/**
 * Reads the structure; nothing is proven yet. `accepted` are the content types the caller knows. Refuses with the code of
 * the part that is wrong. Only below `attempt`.
 */
export function readSigned(bytes: Uint8Array, accepted: ReadonlySet<string>): ReadSigned {
  const outer = readBer(bytes) ?? refuseLoad('decodeFailure')
  const [type, wrapped] = outer.children
  if (outer.tag !== tags.sequence || outer.children.length !== 2 || oidOf(type) !== contentTypes.signedData || wrapped?.tag !== context(0) || wrapped.children.length !== 1) {
    const name = oidOf(type)
    refuseLoad('badContentInfo', name === null || name === contentTypes.signedData ? undefined : `This CMS file holds ${oidName(name)}, not signed data; a firmware package is always signed.`)
  }
  const signedData = wrapped.children[0]
  if (signedData?.tag !== tags.sequence) refuseLoad('badSignedData')
  const [version, algorithms, encapsulated, ...rest] = signedData.children
  if (smallOf(version) !== 3) refuseLoad('badSignedData', `The signed data is of version ${smallOf(version) ?? 'unknown'}; a firmware package has version 3.`)
  if (algorithms?.tag !== tags.set || algorithms.children.length !== 1) refuseLoad('badSignedData', `The signed data names ${algorithms?.children.length ?? 0} hash algorithms; a firmware package names one.`)
  const hash = readDigestAlgorithm(algorithms.children[0])
  const { contentType, content } = readEncapsulated(encapsulated, accepted, 'missingContent')
  const [certificateSet, lists, infos, ...stray] = inOrder(rest)
  const signerInfo = infos?.children[0]
  if (infos?.tag !== tags.set || stray.length > 0) refuseLoad('badSignedData')
  if (infos.children.length !== 1 || signerInfo === undefined) refuseLoad('badSignerInfo', `The package has ${infos.children.length} signatures; a firmware package has exactly one.`)
  return {
    contentType, content: content.content, contentOffset: content.plain || content.children.length === 0 ? content.content.byteOffset - bytes.byteOffset : null,
    certificates: readCertificates(certificateSet), revocationLists: readLists(lists), ...readSignerInfo(signerInfo, hash),
  }
}

/** Certificates, revocation lists, signer infos: the first two may be missing. */
function inOrder(rest: readonly Value[]): (Value | undefined)[] {
  const left = [...rest]
  const take = (tag: number) => (left[0]?.tag === tag ? left.shift() : undefined)
  return [take(context(0)), take(context(1)), ...left]
}

/** EncapsulatedContentInfo, of SignedData and of CompressedData; only below `attempt`. */
export function readEncapsulated(value: Value | undefined, accepted: ReadonlySet<string>, missing: 'missingContent' | 'missingCompressedContent'): { contentType: string; content: Value } {
  const [type, wrapped] = value?.children ?? []
  const contentType = oidOf(type)
  if (value?.tag !== tags.sequence || contentType === null || value.children.length > 2) refuseLoad('badEncapContent', 'The part that should carry the firmware is malformed.')
  if (!accepted.has(contentType)) refuseLoad('badEncapContent', `The package carries ${oidName(contentType)}, which is no firmware.`, { contentType })
  if (wrapped === undefined) refuseLoad(missing)
  const [content] = wrapped.children
  if (wrapped.tag !== context(0) || wrapped.children.length !== 1 || content === undefined || (content.tag & 0xdf) !== tags.octets) refuseLoad('badEncapContent', 'The content of the package is not an octet string.')
  if (content.content.length === 0) refuseLoad(missing)
  return { contentType, content }
}

function readCertificates(set: Value | undefined): Certificate[] {
  if (set === undefined) return []
  if (set.children.length > certificatesMax) refuseLoad('badCertificate', `The package carries ${set.children.length} certificates; ${certificatesMax} at most are read.`)
  return set.children.map((child) => {
    if (child.tag !== tags.sequence) refuseLoad('badCertificate', 'The package carries an attribute certificate or another kind that firmware packages may not have.')
    return certificateOf(child) ?? refuseLoad('badCertificate', 'A certificate in the package does not read as one.')
  })
}

function readLists(set: Value | undefined): RevocationList[] {
  if (set === undefined) return []
  if (set.children.length > certificatesMax) refuseLoad('badSignedData')
  return set.children.map((child) => readRevocationList(child.whole) ?? refuseLoad('badSignedData', 'A revocation list in the package does not read as one, or is of a kind not known here.'))
}

function readSignerInfo(info: Value, hash: HashName): Pick<ReadSigned, 'signer' | 'hash' | 'scheme' | 'signature' | 'attributes' | 'signedBytes' | 'wrappedFirmwareKey'> {
  const [version, sid, digestAlgorithm, signedAttributes, ...rest] = info.children
  const signer = readSid(sid)
  const number = smallOf(version)
  if (info.tag !== tags.sequence || signer === null || !(number === 3 || (number === 1 && 'issuer' in signer))) refuseLoad('badSignerInfo')
  if (readDigestAlgorithm(digestAlgorithm) !== hash) refuseLoad('badDigestAlgorithm', 'The signer uses another hash than the package names.')
  if (signedAttributes?.tag !== context(0)) refuseLoad('badSignedAttrs', 'The package has no signed attributes, so it does not say what it is for.')
  const [algorithm, signature, unsigned, ...stray] = rest
  if (signature?.tag !== tags.octets || stray.length > 0 || (unsigned !== undefined && unsigned.tag !== context(1))) refuseLoad('badSignerInfo')
  return {
    signer, hash, scheme: readSignatureAlgorithm(algorithm, hash), signature: signature.content, attributes: readSignedAttributes(signedAttributes),
    signedBytes: retagged(signedAttributes.whole, tags.set), wrappedFirmwareKey: unsigned === undefined ? null : readUnsigned(unsigned),
  }
}

function readSid(value: Value | undefined): SignerName | null {
  if (value?.tag === context(0, false)) return value.content.length > 0 && value.content.length <= 64 ? { keyId: value.content } : null
  const [issuer, serial] = value?.children ?? []
  return value?.tag === tags.sequence && issuer?.tag === tags.sequence && serial?.tag === tags.integer ? { issuer: issuer.whole, serial: serial.content } : null
}

function readUnsigned(set: Value): Value {
  const found = readAttributes(set, 'badUnsignedAttrs')
  const key = found.get(attributeTypes.wrappedFirmwareKey)
  if (key === undefined || found.size !== 1) refuseLoad('badUnsignedAttrs')
  return key
}

/** Whether the signer named is that certificate. */
export function isNamed(signer: SignerName, certificate: Certificate): boolean {
  return 'keyId' in signer ? sameBytes(signer.keyId, certificate.keyId) : sameBytes(signer.issuer, certificate.issuer) && sameBytes(signer.serial, certificate.serial)
}

/** Content digest, content type and signature of a structure against a key; refuses with the code. Only below `attempt`. */
export function proveSigned(read: ReadSigned, spki: Uint8Array): void {
  const { known } = read.attributes
  if (known.contentType !== read.contentType) {
    refuseLoad('contentTypeMismatch', `The package carries ${oidName(read.contentType)} and was signed for ${oidName(known.contentType)}.`)
  }
  if (!signatureHolds(read.signature, read.signedBytes, read.scheme, readVerifyKey(spki))) {
    refuseLoad('signatureFailure', 'The signature does not hold: the signed attributes or the signature itself were changed. Fetch the package again from its maker.')
  }
  if (!sameBytes(digestOf(read.hash, read.content), known.messageDigest)) {
    refuseLoad('signatureFailure', 'The content does not match the digest that was signed: it was changed or damaged on its way. Fetch the package again from its maker.')
  }
}
