// Making certificates, requests and revocation lists (RFC 5280, RFC 2986) through the signing seam, so that a station can
// be its own authority, or ask an outside one, with keys that never leave their HSM. Small on purpose: one name part, the
// four extensions a firmware signer needs, and the hardware module name that receipts are signed under (RFC 4108 §5).
import { concat, utf8 } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { outerSignatureHolds, signBytes, writeSignatureAlgorithm } from './algorithms.ts'
import { context, integer, integerOf, join, octets, oid, raw, sequence, tags, time, tlv } from './der.ts'
import type { Der } from './der.ts'
import { commonName, extensions, hardwareModuleName } from './oids.ts'
import { keyIdOf, readCertificate, readRequest } from './pki.ts'
import type { Certificate } from './pki.ts'

export type CertificateOrder = Readonly<{
  /** Common name of the subject. */
  name: string
  /** The subject's public key. */
  spki: Uint8Array
  /** 16 random bytes. */
  serial: Uint8Array
  notBeforeMs: number
  notAfterMs: number
  /** `signer`: signs packages and receipts. `authority`: certifies others; `below` limits the authorities under it. */
  role: Readonly<{ is: 'signer' } | { is: 'authority'; below: number | null } | { is: 'both' }>
  /** The module on whose behalf the subject signs, as subjectAltName. */
  module?: Readonly<{ hardware: string; serial: Uint8Array }>
}>

/** Who certifies; a null certificate means the subject itself (a trust anchor). */
export type Issuer = Readonly<{ signer: Signer; certificate: Certificate | null }>

const usageBits = { signer: 0x80, authority: 0x06, both: 0x86 } as const
const nameLettersMax = 64

/** A certificate in DER. Kinds: `bad-order`, and as the signer fails. */
export async function makeCertificate(order: CertificateOrder, issuer: Issuer): Promise<Uint8Array | Failure> {
  const wrong = whyNot(order)
  if (wrong !== null) return wrong
  const keyId = keyIdOf(order.spki)
  if (keyId === null) return new Failure('bad-order', 'The certificate\'s public key does not read.')
  const issuerKeyId = issuer.certificate?.keyId ?? keyId
  const algorithm = writeSignatureAlgorithm(issuer.signer.publicKey.algorithm)
  const serial = concat(order.serial)
  // Positive, and never shorter than its bytes: the top bit clear, the next one set.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40
  const tbs = sequence(
    tlv(context(0), integer(2)), integerOf(serial), algorithm,
    issuer.certificate === null ? nameOf(order.name) : raw(issuer.certificate.subject),
    sequence(time(order.notBeforeMs), time(order.notAfterMs)), nameOf(order.name), raw(order.spki),
    tlv(context(3), sequence(...extensionsOf(order, keyId, issuerKeyId))),
  )
  return signOuter(tbs, algorithm, issuer.signer)
}

function whyNot({ name, serial, notBeforeMs, notAfterMs, module }: CertificateOrder): Failure | null {
  if (name.trim() === '' || [...name].length > nameLettersMax) return new Failure('bad-order', `A certificate's name has 1 to ${nameLettersMax} letters.`)
  if (serial.length < 8 || serial.length > 20) return new Failure('bad-order', 'A certificate\'s serial number has 8 to 20 bytes.')
  if (!(notBeforeMs < notAfterMs)) return new Failure('bad-order', 'A certificate must end after it begins.')
  return module !== undefined && module.serial.length === 0 ? new Failure('bad-order', 'A hardware module has a serial number.') : null
}

function nameOf(name: string): Der {
  return sequence(tlv(tags.set, sequence(oid(commonName), tlv(tags.utf8, utf8(name)))))
}

function extensionsOf({ role, module }: CertificateOrder, keyId: Uint8Array, issuerKeyId: Uint8Array): Der[] {
  const isAuthority = role.is !== 'signer'
  const below = role.is === 'authority' && role.below !== null ? [integer(role.below)] : []
  const bits = usageBits[role.is]
  const moduleName = module === undefined ? [] : [extension(extensions.subjectAltName, false, sequence(
    tlv(context(0), oid(hardwareModuleName), tlv(context(0), sequence(oid(module.hardware), octets(module.serial)))),
  ))]
  return [
    extension(extensions.basicConstraints, true, isAuthority ? sequence(tlv(tags.boolean, Uint8Array.of(0xff)), ...below) : sequence()),
    extension(extensions.keyUsage, true, tlv(tags.bits, Uint8Array.of(bits & 0x02 ? 1 : 7, bits))),
    extension(extensions.subjectKeyIdentifier, false, octets(keyId)),
    extension(extensions.authorityKeyIdentifier, false, sequence(tlv(context(0, false), issuerKeyId))),
    ...moduleName,
  ]
}

function extension(id: string, critical: boolean, value: Der): Der {
  return sequence(oid(id), ...(critical ? [tlv(tags.boolean, Uint8Array.of(0xff))] : []), octets(value))
}

async function signOuter(tbs: Der, algorithm: Der, signer: Signer): Promise<Uint8Array | Failure> {
  const bytes = join(tbs)
  const signature = await signBytes(signer, bytes)
  if (failed(signature)) return signature
  return join(sequence(raw(bytes), algorithm, tlv(tags.bits, Uint8Array.of(0), signature)))
}

/** A certification request in DER for an outside authority. Kinds: `bad-order`, and as the signer fails. */
export async function makeRequest(name: string, signer: Signer): Promise<Uint8Array | Failure> {
  if (name.trim() === '' || [...name].length > nameLettersMax) return new Failure('bad-order', `A certificate's name has 1 to ${nameLettersMax} letters.`)
  const tbs = sequence(integer(0), nameOf(name), raw(signer.publicKey.spki), tlv(context(0)))
  return signOuter(tbs, writeSignatureAlgorithm(signer.publicKey.algorithm), signer)
}

/** Name and key out of a request whose signature proves that its sender has the key. Kinds `not-a-request`, `bad-request`. */
export function readSignedRequest(der: Uint8Array): Readonly<{ name: string; spki: Uint8Array }> | Failure {
  const request = readRequest(der)
  if (request === null) return new Failure('not-a-request', 'This is not a certification request (PKCS#10).')
  if (!outerSignatureHolds(request, request.spki)) return new Failure('bad-request', 'The request\'s own signature does not hold, or its key is of a kind not accepted here.')
  return { name: request.name, spki: request.spki }
}

export type RevocationOrder = Readonly<{ thisUpdateMs: number; nextUpdateMs: number; number: number; revoked: readonly Readonly<{ serial: Uint8Array; atMs: number }>[] }>

/** A revocation list in DER (RFC 5280 §5). Fails as the signer does. */
export async function makeRevocationList(order: RevocationOrder, issuer: Readonly<{ signer: Signer; certificate: Certificate }>): Promise<Uint8Array | Failure> {
  const algorithm = writeSignatureAlgorithm(issuer.signer.publicKey.algorithm)
  const entries = order.revoked.map(({ serial, atMs }) => sequence(integerOf(serial), time(atMs)))
  const tbs = sequence(
    integer(1), algorithm, raw(issuer.certificate.subject), time(order.thisUpdateMs), time(order.nextUpdateMs),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    tlv(context(0), sequence(
      extension(extensions.authorityKeyIdentifier, false, sequence(tlv(context(0, false), issuer.certificate.keyId))),
      extension(extensions.crlNumber, false, integer(order.number)),
    )),
  )
  return signOuter(tbs, algorithm, issuer.signer)
}

/** A certificate just made or read from a file. Kind `not-a-certificate`. */
export function certificateFrom(der: Uint8Array): Certificate | Failure {
  return readCertificate(der) ?? new Failure('not-a-certificate', 'This is not an X.509 certificate. Choose the certificate\'s file, PEM or DER.')
}
