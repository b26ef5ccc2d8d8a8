// Password encryption of private keys, PBES2 (RFC 8018 §6.2) in an EncryptedPrivateKeyInfo (RFC 5958 §3). We write
// PBKDF2-HMAC-SHA256 with 600,000 rounds and AES-256-CBC, which openssl and imgtool read; we read what they write.
// Not left to node:crypto, because Electron's BoringSSL reads fewer of these than OpenSSL does.
import { createCipheriv, createDecipheriv, pbkdf2, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { utf8 } from '../base/bytes.ts'
import { Failure, attemptAsync, must, refuse } from '../base/failure.ts'
import { childrenOf, derTag, readOid, readSmallInteger, readWholeDer, writeDer, writeInteger, writeOid } from '../image/der.ts'
import type { Der } from '../image/der.ts'

const roundsWritten = 600_000
/** About ten seconds of work; beyond it a file is an attack on the station's time. */
const roundsMax = 10_000_000
const scryptBytesMax = 256 * 1024 * 1024
const saltBytesMax = 1024

const oid = {
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  scrypt: '1.3.6.1.4.1.11591.4.11',
  hmacSha256: '1.2.840.113549.2.9',
  aes256Cbc: '2.16.840.1.101.3.4.1.42',
} as const

const hmacs: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.8': 'sha224',
  [oid.hmacSha256]: 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
}
const ciphers: Readonly<Record<string, { name: string; keyBytes: number; blockBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16, blockBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24, blockBytes: 16 },
  [oid.aes256Cbc]: { name: 'aes-256-cbc', keyBytes: 32, blockBytes: 16 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24, blockBytes: 8 },
}

const passphraseCharactersMin = 8

/** Kind `weak-passphrase`. */
export function checkLength(passphrase: string): null | Failure {
  if ([...passphrase].length >= passphraseCharactersMin) return null
  return new Failure('weak-passphrase', `The passphrase is shorter than ${passphraseCharactersMin} characters and would not protect the key. Use a longer one; several words are best.`)
}

const pbkdf2Async = promisify(pbkdf2)
const scryptAsync = promisify<Uint8Array, Uint8Array, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

/** EncryptedPrivateKeyInfo DER around a PKCS#8 key. */
export async function encryptKey(pkcs8: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const salt = randomBytes(16)
  const iv = randomBytes(16)
  const secret = utf8(passphrase)
  const key = await pbkdf2Async(secret, salt, roundsWritten, 32, 'sha256')
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const sealed = Buffer.concat([cipher.update(pkcs8), cipher.final()])
  key.fill(0)
  secret.fill(0)
  const nil = Uint8Array.of(derTag.nil, 0)
  const kdf = writeDer(
    derTag.sequence,
    writeOid(oid.pbkdf2),
    writeDer(derTag.sequence, writeDer(derTag.octets, salt), writeInteger(roundsWritten), writeDer(derTag.sequence, writeOid(oid.hmacSha256), nil)),
  )
  const scheme = writeDer(derTag.sequence, writeOid(oid.aes256Cbc), writeDer(derTag.octets, iv))
  const algorithm = writeDer(derTag.sequence, writeOid(oid.pbes2), writeDer(derTag.sequence, kdf, scheme))
  return writeDer(derTag.sequence, algorithm, writeDer(derTag.octets, sealed))
}

/**
 * The PKCS#8 key inside; the caller wipes it. `wrong-passphrase` when it does not open, `unsupported-encryption` when it
 * was sealed in a way we do not read, `not-a-key` when it is damaged.
 */
export async function decryptKey(der: Uint8Array, passphrase: string): Promise<Uint8Array | Failure> {
  return attemptAsync(async () => {
    const [algorithm, sealed] = childrenOf(readWholeDer(der, derTag.sequence))
    if (algorithm?.tag !== derTag.sequence || sealed?.tag !== derTag.octets) refuse('not-der', 'The encrypted key is damaged.')
    const [schemeName, params] = childrenOf(algorithm)
    const scheme = readOid(schemeName)
    if (scheme !== oid.pbes2 || params?.tag !== derTag.sequence) refuseEncryption(scheme)
    const [kdf, cipherPart] = childrenOf(params)
    if (kdf?.tag !== derTag.sequence || cipherPart?.tag !== derTag.sequence) refuse('not-der', 'The encrypted key is damaged.')
    const [cipherName, iv] = childrenOf(cipherPart)
    const cipherOid = readOid(cipherName)
    const cipher = ciphers[cipherOid]
    if (cipher === undefined) refuseEncryption(cipherOid)
    if (iv?.tag !== derTag.octets || iv.content.length !== cipher.blockBytes) refuse('not-der', 'The encrypted key is damaged.')
    const secret = utf8(passphrase)
    const key = must(await derive(kdf, secret, cipher.keyBytes))
    secret.fill(0)
    try {
      const decipher = createDecipheriv(cipher.name, key, iv.content)
      const first = decipher.update(sealed.content)
      const opened = new Uint8Array(Buffer.concat([first, decipher.final()]))
      first.fill(0)
      if (opened[0] !== derTag.sequence) throw new Error('not PKCS#8')
      return opened
    } catch {
      // Wrong padding or no key inside: with CBC there is no telling a wrong passphrase from a damaged file.
      return refuse('wrong-passphrase', 'That passphrase does not open this key. Check the keyboard layout and Caps Lock, and try again.')
    } finally {
      key.fill(0)
    }
  })
}

function refuseEncryption(name: string): never {
  refuse(
    'unsupported-encryption',
    `The key is encrypted in a way this station does not read (${name}). Convert it once: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem`,
    { oid: name },
  )
}

async function derive(kdf: Der, secret: Uint8Array, keyBytes: number): Promise<Uint8Array | Failure> {
  const [name, params] = childrenOf(kdf)
  const kind = readOid(name)
  if (params?.tag !== derTag.sequence) return new Failure('not-der', 'The encrypted key is damaged.')
  const fields = childrenOf(params)
  const salt = fields[0]
  if (salt?.tag !== derTag.octets || salt.content.length > saltBytesMax) return new Failure('not-der', 'The encrypted key is damaged.')
  if (kind === oid.pbkdf2) {
    const rounds = readSmallInteger(fields[1])
    const last = fields[fields.length - 1]
    const hmac = last?.tag === derTag.sequence ? hmacs[readOid(childrenOf(last)[0])] : 'sha1'
    if (hmac === undefined) refuseEncryption('its PBKDF2 hash')
    if (rounds < 1 || rounds > roundsMax) return new Failure('unsupported-encryption', `The key asks for ${rounds} rounds of PBKDF2; this station does at most ${roundsMax}.`, { rounds })
    return pbkdf2Async(secret, salt.content, rounds, keyBytes, hmac)
  }
  if (kind !== oid.scrypt) refuseEncryption(kind)
  const [N, r, p] = [readSmallInteger(fields[1]), readSmallInteger(fields[2]), readSmallInteger(fields[3])]
  if (N < 2 || r < 1 || p < 1 || p > 16 || 128 * N * r > scryptBytesMax) {
    return new Failure('unsupported-encryption', `The key asks for scrypt with N=${N}, r=${r}, p=${p}; this station gives it at most ${scryptBytesMax} bytes.`, { N, r, p })
  }
  return scryptAsync(secret, salt.content, keyBytes, { N, r, p, maxmem: 2 * scryptBytesMax })
}
