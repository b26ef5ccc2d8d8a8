// Signed data built by hand, field by field, so that each can be wrong while the signature over it is right: what a
// careless or hostile maker could send. Nothing of the writer under test is used but its DER primitives.
import { digestOf, signBytes } from '../../main/cms/algorithms.ts'
import { algorithm, context, integer, join, octets, oid, raw, sequence, setOf, tags, tlv } from '../../main/cms/der.ts'
import type { Der } from '../../main/cms/der.ts'
import { attributeTypes, contentTypes, digests, signatures } from '../../main/cms/oids.ts'
import type { Signer } from '../../main/base/signer.ts'
import { firmware, good, hardware, product } from './making.ts'

export type Forgery = Partial<{
  outerType: string
  version: number
  digestAlgorithms: readonly Der[]
  contentType: string
  /** Null: no eContent. */
  content: Der | null
  /** What the digest is taken of, when it is not the content's own bytes. */
  contentBytes: Uint8Array
  certificates: readonly Der[]
  signerInfos: 'one' | 'none' | 'two'
  signerVersion: number
  signerDigest: Der
  keyId: Uint8Array
  /** Attributes by OID; undefined takes one away. */
  attributes: Readonly<Record<string, Der | undefined>>
  /** Appended as they are, and sorted by nobody. */
  extraAttributes: readonly Der[]
  signatureAlgorithm: Der
  signature: Uint8Array
  unsigned: readonly Der[]
}>

export const attribute = (type: string, ...values: readonly Der[]): Der => sequence(oid(type), setOf(values))

/** A package that is right (ECDSA P-256 or RSA with SHA-256) but for what `changes` says. */
export async function forge(signer: Signer, keyId: Uint8Array, changes: Forgery = {}): Promise<Uint8Array> {
  const contentType = changes.contentType ?? contentTypes.firmwarePackage
  const bytes = changes.contentBytes ?? firmware(300)
  const digest = changes.signerDigest ?? algorithm(digests.sha256)
  const attributes: Record<string, Der | undefined> = {
    [attributeTypes.contentType]: oid(contentType),
    [attributeTypes.messageDigest]: octets(digestOf('sha256', bytes)),
    [attributeTypes.firmwarePackageID]: sequence(sequence(oid(product), integer(17))),
    [attributeTypes.targetHardwareIDs]: sequence(oid(hardware)),
    ...changes.attributes,
  }
  const members = Object.entries(attributes).flatMap(([type, value]) => (value === undefined ? [] : [attribute(type, value)]))
  const toSign = changes.extraAttributes === undefined ? join(setOf(members)) : join(tlv(tags.set, ...members, ...changes.extraAttributes))
  const signature = changes.signature ?? good(await signBytes(signer, toSign))
  const stored = toSign.slice()
  stored[0] = context(0)
  const info = sequence(
    integer(changes.signerVersion ?? 3), tlv(context(0, false), changes.keyId ?? keyId), digest, raw(stored),
    changes.signatureAlgorithm ?? algorithm(signatures.ecdsaSha256), octets(signature), ...(changes.unsigned === undefined ? [] : [setOf(changes.unsigned, context(1))]),
  )
  const infos = { one: [info], none: [], two: [info, info] }[changes.signerInfos ?? 'one']
  const content = changes.content === null ? [] : [tlv(context(0), changes.content ?? octets(bytes))]
  return join(sequence(oid(changes.outerType ?? contentTypes.signedData), tlv(context(0), sequence(
    integer(changes.version ?? 3), tlv(tags.set, ...(changes.digestAlgorithms ?? [algorithm(digests.sha256)])), sequence(oid(contentType), ...content),
    ...(changes.certificates === undefined ? [] : [setOf(changes.certificates, context(0))]), tlv(tags.set, ...infos),
  ))))
}
