// Why a package is refused: the error codes of RFC 4108 §4.1 (an ENUMERATED, with gaps up to 99), each with our kind and
// the sentence that is said when the place that refuses knows nothing better. The same codes go into load-error reports,
// so what the station refuses and what it reports are one table.
import { Failure, refuse } from '../base/failure.ts'
import type { FailureFacts } from '../base/failure.ts'

type Row = Readonly<{ code: number; kind: string; says: string }>

const again = 'Fetch the package again from its maker.'
const rows = {
  decodeFailure: { code: 1, kind: 'decode-failure', says: `This is not a firmware package: its ASN.1 does not read. ${again}` },
  badContentInfo: { code: 2, kind: 'bad-content-info', says: 'This is a CMS or ASN.1 file, but not signed data, and a firmware package is always signed.' },
  badSignedData: { code: 3, kind: 'bad-signed-data', says: `The package's signed data is not built as the standard asks. ${again}` },
  badEncapContent: { code: 4, kind: 'bad-encap-content', says: 'What the package carries is not a firmware package.' },
  badCertificate: { code: 5, kind: 'bad-certificate', says: 'A certificate in the package cannot be used.' },
  badSignerInfo: { code: 6, kind: 'bad-signer-info', says: 'The package does not say properly who signed it.' },
  badSignedAttrs: { code: 7, kind: 'bad-signed-attrs', says: 'The package\'s signed attributes are incomplete or malformed.' },
  badUnsignedAttrs: { code: 8, kind: 'bad-unsigned-attrs', says: 'The package has unsigned attributes other than a wrapped firmware key.' },
  missingContent: { code: 9, kind: 'missing-content', says: 'The package has no content: the firmware is missing.' },
  noTrustAnchor: { code: 10, kind: 'no-trust-anchor', says: 'Nobody this station trusts has signed the package. Add the signer\'s certificate or its authority as a trust anchor, if you trust it.' },
  notAuthorized: { code: 11, kind: 'not-authorized', says: 'The package was signed by somebody known, who may not sign packages for this purpose.' },
  badDigestAlgorithm: { code: 12, kind: 'bad-digest-algorithm', says: 'The package uses a hash that is not accepted here. SHA-256, SHA-384 and SHA-512 are.' },
  badSignatureAlgorithm: { code: 13, kind: 'bad-signature-algorithm', says: 'The package is signed with an algorithm that is not accepted here.' },
  unsupportedKeySize: { code: 14, kind: 'unsupported-key-size', says: 'The package is signed with a key of a size that is not accepted here.' },
  signatureFailure: { code: 15, kind: 'signature-failure', says: `The package's signature does not hold: package or signature was changed. ${again}` },
  contentTypeMismatch: { code: 16, kind: 'content-type-mismatch', says: 'The package says it carries one thing and was signed for another.' },
  badEncryptedData: { code: 17, kind: 'bad-encrypted-data', says: 'The package\'s encrypted part is not built as the standard asks.' },
  unprotectedAttrsPresent: { code: 18, kind: 'unprotected-attrs-present', says: 'The encrypted part carries unprotected attributes, which firmware packages may not have.' },
  badEncryptContent: { code: 19, kind: 'bad-encrypt-content', says: 'The encrypted part does not hold a firmware package.' },
  badEncryptAlgorithm: { code: 20, kind: 'bad-encrypt-algorithm', says: 'The firmware is encrypted with an algorithm that is not accepted here; AES-CBC with 128 or 256 bits is.' },
  missingCiphertext: { code: 21, kind: 'missing-ciphertext', says: 'The encrypted part is empty: the firmware is missing.' },
  noDecryptKey: { code: 22, kind: 'no-decrypt-key', says: 'The firmware is encrypted with a key that is not here. Name the key.' },
  decryptFailure: { code: 23, kind: 'decrypt-failure', says: 'The firmware does not decrypt: the key is another one.' },
  badCompressAlgorithm: { code: 24, kind: 'bad-compress-algorithm', says: 'The firmware is compressed in a way that is not accepted here; zlib is.' },
  missingCompressedContent: { code: 25, kind: 'missing-compressed-content', says: 'The compressed part is empty: the firmware is missing.' },
  decompressFailure: { code: 26, kind: 'decompress-failure', says: `The firmware does not decompress. ${again}` },
  wrongHardware: { code: 27, kind: 'wrong-hardware', says: 'The package is made for other hardware. Take the package for this board.' },
  stalePackage: { code: 28, kind: 'stale-package', says: 'The package is outdated: a newer one was installed already. Take a newer package.' },
  notInCommunity: { code: 29, kind: 'not-in-community', says: 'The package is not meant for this board: its community or serial number is not on the list.' },
  unsupportedPackageType: { code: 30, kind: 'unsupported-package-type', says: 'The package is of a type that this board does not take.' },
  missingDependency: { code: 31, kind: 'missing-dependency', says: 'The package needs another one that is not installed. Install that first.' },
  wrongDependencyVersion: { code: 32, kind: 'wrong-dependency-version', says: 'The package needs a newer version of another one. Update that first.' },
  insufficientMemory: { code: 33, kind: 'insufficient-memory', says: 'The firmware is too large for this board.' },
  badFirmware: { code: 34, kind: 'bad-firmware', says: 'The package is genuine, but the firmware in it is not usable.' },
  unsupportedParameters: { code: 35, kind: 'unsupported-parameters', says: 'The package is signed with algorithm parameters that are not accepted here.' },
  breaksDependency: { code: 36, kind: 'breaks-dependency', says: 'Another installed package needs the version that this one would replace.' },
  otherError: { code: 99, kind: 'other-error', says: 'The package was refused.' },
} as const satisfies Readonly<Record<string, Row>>

/** A code by its name in the RFC. */
export type LoadErrorName = keyof typeof rows

export const loadErrors: Readonly<Record<LoadErrorName, Row>> = rows
export const loadErrorNames = Object.keys(rows) as LoadErrorName[]

/** A refusal: kind, sentence, and the RFC's number and name as facts `rfc4108` and `code`. */
export function loadFailure(name: LoadErrorName, says: string = rows[name].says, facts: FailureFacts = {}): Failure {
  return new Failure(rows[name].kind, says, { ...facts, rfc4108: rows[name].code, code: name })
}

const byKind = new Map<string, LoadErrorName>(loadErrorNames.map((name) => [rows[name].kind, name]))
const byCode = new Map<number, LoadErrorName>(loadErrorNames.map((name) => [rows[name].code, name]))

/** The RFC's name for a refusal of this room, or null for any other failure. */
export function loadErrorOf(failure: Failure): LoadErrorName | null {
  return byKind.get(failure.kind) ?? null
}

export function loadErrorByCode(code: number): LoadErrorName | null {
  return byCode.get(code) ?? null
}

/** Leaves a deep parser with that refusal; only valid below `attempt`. */
export function refuseLoad(name: LoadErrorName, says?: string, facts?: FailureFacts): never {
  const { kind, says: sentence, facts: all } = loadFailure(name, says, facts)
  refuse(kind, sentence, all)
}
