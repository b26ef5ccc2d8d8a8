// The object identifiers of firmware packages and what they are built of, by the names their standards give them:
// RFC 5652 (CMS), RFC 4108 (firmware), RFC 3274 (compression), RFC 3565 and 3394 (AES), RFC 5754/8419/4056 (signatures).
export const contentTypes = {
  data: '1.2.840.113549.1.7.1',
  signedData: '1.2.840.113549.1.7.2',
  envelopedData: '1.2.840.113549.1.7.3',
  encryptedData: '1.2.840.113549.1.7.6',
  compressedData: '1.2.840.113549.1.9.16.1.9',
  firmwarePackage: '1.2.840.113549.1.9.16.1.16',
  loadReceipt: '1.2.840.113549.1.9.16.1.17',
  loadError: '1.2.840.113549.1.9.16.1.18',
} as const

export const attributeTypes = {
  contentType: '1.2.840.113549.1.9.3',
  messageDigest: '1.2.840.113549.1.9.4',
  signingTime: '1.2.840.113549.1.9.5',
  contentHints: '1.2.840.113549.1.9.16.2.4',
  signingCertificate: '1.2.840.113549.1.9.16.2.12',
  firmwarePackageID: '1.2.840.113549.1.9.16.2.35',
  targetHardwareIDs: '1.2.840.113549.1.9.16.2.36',
  decryptKeyID: '1.2.840.113549.1.9.16.2.37',
  implCryptoAlgs: '1.2.840.113549.1.9.16.2.38',
  wrappedFirmwareKey: '1.2.840.113549.1.9.16.2.39',
  communityIdentifiers: '1.2.840.113549.1.9.16.2.40',
  fwPkgMessageDigest: '1.2.840.113549.1.9.16.2.41',
  firmwarePackageInfo: '1.2.840.113549.1.9.16.2.42',
  implCompressAlgs: '1.2.840.113549.1.9.16.2.43',
} as const

export const digests = {
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
} as const

export const signatures = {
  rsa: '1.2.840.113549.1.1.1',
  rsaPss: '1.2.840.113549.1.1.10',
  rsaSha256: '1.2.840.113549.1.1.11',
  rsaSha384: '1.2.840.113549.1.1.12',
  rsaSha512: '1.2.840.113549.1.1.13',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  ecdsaSha384: '1.2.840.10045.4.3.3',
  ecdsaSha512: '1.2.840.10045.4.3.4',
  ed25519: '1.3.101.112',
} as const

export const mgf1 = '1.2.840.113549.1.1.8'
export const zlib = '1.2.840.113549.1.9.16.3.8'
export const aesCbc = { 128: '2.16.840.1.101.3.4.1.2', 256: '2.16.840.1.101.3.4.1.42' } as const
export const aesWrap = { 128: '2.16.840.1.101.3.4.1.5', 256: '2.16.840.1.101.3.4.1.45' } as const

export const keyTypes = { rsa: '1.2.840.113549.1.1.1', ec: '1.2.840.10045.2.1', p256: '1.2.840.10045.3.1.7', p384: '1.3.132.0.34', ed25519: '1.3.101.112' } as const

export const extensions = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
} as const

export const hardwareModuleName = '1.3.6.1.5.5.7.8.4'
export const commonName = '2.5.4.3'

const names = new Map<string, string>(
  [contentTypes, attributeTypes, digests, signatures, extensions].flatMap((table) => Object.entries(table).map(([name, dotted]): [string, string] => [dotted, name])),
)

/** The standard's name of an identifier known here, else its dotted text. */
export function oidName(dotted: string): string {
  return names.get(dotted) ?? dotted
}
