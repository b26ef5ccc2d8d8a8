// A private key in a file: read from PKCS#8 (RFC 5958), SEC1 (RFC 5915) or PKCS#1 (RFC 8017), written as PKCS#8, encrypted
// unless somebody insists. Inside it is always the same canonical PKCS#8, in one buffer that `wipe` clears; what
// surprised us is how many ways there are to write the same 32 bytes.
import { createPrivateKey, createPublicKey, generateKeyPair, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { concat, toHex } from '../base/bytes.ts'
import { Failure, assert, attempt, attemptAsync, failed, must, refuse } from '../base/failure.ts'
import { childrenOf, derTag, readMagnitude, readOid, readSmallInteger, readWholeDer, writeDer, writeInteger, writeOid } from '../image/der.ts'
import type { Der } from '../image/der.ts'
import { oids, publicKeyFromPoint, refuseUnsupported, rsaFromEncoded } from '../image/publickey.ts'
import type { AnyKeyAlgorithm, AnyPublicKey } from '../image/publickey.ts'
import { decryptKey, encryptKey } from './pbes2.ts'
import { readPem, writePem } from './pem.ts'
import type { PemBlock } from './pem.ts'

/** A private key in memory. Call `wipe` as soon as it is not needed; the runtime may still keep copies of its own. */
export class FileKey {
  readonly algorithm: AnyKeyAlgorithm
  readonly publicKey: AnyPublicKey
  /** Whether the file it came from was encrypted. */
  readonly wasEncrypted: boolean
  #pkcs8: Uint8Array
  #scalar: Uint8Array
  #wiped = false

  constructor(publicKey: AnyPublicKey, pkcs8: Uint8Array, scalar: Uint8Array, wasEncrypted: boolean) {
    this.algorithm = publicKey.algorithm
    this.publicKey = publicKey
    this.#pkcs8 = pkcs8
    this.#scalar = scalar
    this.wasEncrypted = wasEncrypted
  }

  /** Canonical PKCS#8 DER; a view, not a copy. */
  get pkcs8(): Uint8Array {
    assert(!this.#wiped, 'a wiped key is not used')
    return this.#pkcs8
  }

  /** Seed (ed25519, x25519) or private scalar (ECDSA), PKCS#1 RSAPrivateKey DER for RSA; a view, not a copy. */
  get secret(): Uint8Array {
    assert(!this.#wiped, 'a wiped key is not used')
    return this.#scalar
  }

  /** Overwrites the private bytes. */
  wipe(): void {
    this.#pkcs8.fill(0)
    this.#scalar.fill(0)
    this.#wiped = true
  }
}

const curves = {
  ed25519: { oid: oids.ed25519, bytes: 32, pointBytes: 32 },
  x25519: { oid: oids.x25519, bytes: 32, pointBytes: 32 },
  'ecdsa-p256': { oid: oids.p256, bytes: 32, pointBytes: 65 },
  'ecdsa-p384': { oid: oids.p384, bytes: 48, pointBytes: 97 },
} as const
type Curve = keyof typeof curves

const version0 = writeInteger(0)

/** The public point, computed by node:crypto: on a cold start noble's tables would cost more than all the rest of signing. */
function pointFor(curve: Curve, secret: Uint8Array): Uint8Array {
  const pkcs8 = curvePkcs8(curve, secret, null)
  try {
    const spki = createPublicKey(createPrivateKey({ key: asBuffer(pkcs8), format: 'der', type: 'pkcs8' })).export({ format: 'der', type: 'spki' })
    return concat(spki.subarray(spki.length - curves[curve].pointBytes))
  } finally {
    pkcs8.fill(0)
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/** PKCS#8 around a raw seed or scalar, as imgtool would write it; without the point where it is not known yet. */
function curvePkcs8(curve: Curve, secret: Uint8Array, point: Uint8Array | null): Uint8Array {
  const edwards = curve === 'ed25519' || curve === 'x25519'
  const name = edwards
    ? writeDer(derTag.sequence, writeOid(curves[curve].oid))
    : writeDer(derTag.sequence, writeOid(oids.ec), writeOid(curves[curve].oid))
  const inner = edwards ? writeDer(derTag.octets, secret) : ecPrivateKey(secret, point)
  const pkcs8 = writeDer(derTag.sequence, version0, name, writeDer(derTag.octets, inner))
  inner.fill(0)
  return pkcs8
}

/** From the raw seed or scalar, as imgtool would write it in PKCS#8. */
function curveKey(curve: Curve, secret: Uint8Array, wasEncrypted: boolean): FileKey {
  let point: Uint8Array
  try {
    point = pointFor(curve, secret)
  } catch {
    return refuse('not-a-key', 'The key file is damaged: its private number does not lie on its curve.')
  }
  const pkcs8 = curvePkcs8(curve, secret, point)
  return new FileKey(publicKeyFromPoint(curve, point), pkcs8, secret, wasEncrypted)
}

/** SEC1 ECPrivateKey; without the point it is imgtool's `--minimal` form, with `curve` the traditional OpenSSL one. */
export function ecPrivateKey(secret: Uint8Array, point: Uint8Array | null, curveOid?: string): Uint8Array {
  return writeDer(
    derTag.sequence,
    writeInteger(1),
    writeDer(derTag.octets, secret),
    ...(curveOid === undefined ? [] : [writeDer(0xa0, writeOid(curveOid))]),
    ...(point === null ? [] : [writeDer(0xa1, writeDer(derTag.bits, Uint8Array.of(0), point))]),
  )
}

function rsaKey(pkcs1: Uint8Array, wasEncrypted: boolean): FileKey {
  const fields = childrenOf(readWholeDer(pkcs1, derTag.sequence))
  if (fields.length !== 9 || readSmallInteger(fields[0]) !== 0) refuse('not-a-key', 'The RSA key is not one of two primes with all its parts; MCUboot and this station need it so.')
  for (const field of fields.slice(1)) readMagnitude(field)
  const publicKey = rsaFromEncoded(writeDer(derTag.sequence, fields[1]?.whole ?? pkcs1, fields[2]?.whole ?? pkcs1))
  const pkcs8 = writeDer(derTag.sequence, version0, writeDer(derTag.sequence, writeOid(oids.rsa), Uint8Array.of(derTag.nil, 0)), writeDer(derTag.octets, pkcs1))
  checkRsaNumbers(fields.slice(1).map((field) => BigInt(`0x${toHex(readMagnitude(field))}`)))
  return new FileKey(publicKey, pkcs8, concat(pkcs1), wasEncrypted)
}

// OpenSSL takes a key with a damaged prime and works around it, BoringSSL refuses it, and hardware that does neither
// would leak the other prime with its first signature. The big numbers stay on the heap until collected.
function checkRsaNumbers([n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, qInverse = 0n]: readonly bigint[]): void {
  const holds = p > 2n && q > 2n && p * q === n && e > 2n && e < 2n ** 33n && e % 2n === 1n
    && (e * dp) % (p - 1n) === 1n && (e * dq) % (q - 1n) === 1n && d % (p - 1n) === dp && d % (q - 1n) === dq && (qInverse * q) % p === 1n
  if (!holds) refuse('not-a-key', 'The RSA key file is damaged: its numbers do not belong together.')
}

/** A scalar of the curve's length: some writers drop leading zeros, others add one. */
function sized(secret: Uint8Array, bytes: number): Uint8Array {
  const extra = secret.length - bytes
  if (extra > 0 && secret.subarray(0, extra).some((byte) => byte !== 0)) refuse('not-a-key', 'The key file is damaged: its private number is too long.')
  const full = new Uint8Array(bytes)
  full.set(extra > 0 ? secret.subarray(extra) : secret, Math.max(0, -extra))
  return full
}

function fromSec1(sec1: Uint8Array, curveOid: string | undefined, wasEncrypted: boolean): FileKey {
  const [version, secret, ...rest] = childrenOf(readWholeDer(sec1, derTag.sequence))
  if (readSmallInteger(version) !== 1 || secret?.tag !== derTag.octets) refuse('not-a-key', 'The key file is damaged: it is no EC private key.')
  const named = rest.find((part) => part.tag === 0xa0)
  const oid = curveOid ?? (named === undefined ? undefined : readCurve(readWholeDer(named.content)))
  const curve = oid === oids.p256 ? 'ecdsa-p256' : oid === oids.p384 ? 'ecdsa-p384' : undefined
  if (oid === undefined) refuse('unsupported-key', 'The EC key does not name its curve. Convert it: openssl pkcs8 -topk8 -nocrypt -in old.pem -out new.pem')
  if (curve === undefined) return refuseUnsupported(oid)
  return curveKey(curve, sized(secret.content, curves[curve].bytes), wasEncrypted)
}

function readCurve(value: Der): string {
  if (value.tag === derTag.sequence) refuse('unsupported-key', 'The EC key spells out its curve instead of naming it. MCUboot takes P-256 and P-384 by name.')
  return readOid(value)
}

/** From PKCS#8 DER, version 0 or 1. */
function fromPkcs8(pkcs8: Uint8Array, wasEncrypted: boolean): FileKey {
  const [version, name, inner] = childrenOf(readWholeDer(pkcs8, derTag.sequence))
  if (readSmallInteger(version) > 1 || name?.tag !== derTag.sequence || inner?.tag !== derTag.octets) refuse('not-a-key', 'The key file is damaged: it is no PKCS#8 key.')
  const [algorithm, params] = childrenOf(name)
  const oid = readOid(algorithm)
  if (oid === oids.rsa) return rsaKey(inner.content, wasEncrypted)
  if (oid === oids.ec) return fromSec1(inner.content, params === undefined ? undefined : readCurve(params), wasEncrypted)
  const curve = oid === oids.ed25519 ? 'ed25519' : oid === oids.x25519 ? 'x25519' : undefined
  if (curve === undefined) return refuseUnsupported(oid)
  const seed = readWholeDer(inner.content, derTag.octets).content
  if (seed.length !== 32) refuse('not-a-key', `The key file is damaged: its ${curve} key has ${seed.length} bytes instead of 32.`)
  return curveKey(curve, concat(seed), wasEncrypted)
}

/**
 * Reads a private key from PEM. Failure kinds: `needs-passphrase`, `wrong-passphrase`, `public-only`, `not-a-key`,
 * `unsupported-key` (names the curve), `unsupported-encryption`.
 */
export async function readKeyPem(text: string, passphrase?: string): Promise<FileKey | Failure> {
  const key = await attemptAsync(async () => {
    const blocks = must(readPem(text))
    const block = blocks.find(({ label }) => label.endsWith('PRIVATE KEY'))
    if (block !== undefined) return openBlock(block, passphrase)
    const other = blocks.find(({ label }) => label !== 'EC PARAMETERS')
    if (other !== undefined && ['PUBLIC KEY', 'RSA PUBLIC KEY', 'CERTIFICATE'].includes(other.label)) {
      refuse('public-only', `This file holds only a public key (${other.label}), which can verify but not sign. Choose the private key's file.`)
    }
    return refuse('not-a-key', 'This is not a key file: a private key begins with "-----BEGIN PRIVATE KEY-----" or the like.')
  })
  if (failed(key) && key.kind === 'not-der') return new Failure('not-a-key', `The key file is damaged: ${key.says.charAt(0).toLowerCase()}${key.says.slice(1)}`)
  return key
}

async function openBlock(block: PemBlock, passphrase: string | undefined): Promise<FileKey> {
  if (block.headers.includes('ENCRYPTED')) {
    refuse('unsupported-encryption', 'The key is encrypted in OpenSSL’s old way (Proc-Type: 4,ENCRYPTED), which is too weak to read here. Convert it once: openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem')
  }
  try {
    switch (block.label) {
      case 'PRIVATE KEY':
        return fromPkcs8(block.der, false)
      case 'EC PRIVATE KEY':
        return fromSec1(block.der, undefined, false)
      case 'RSA PRIVATE KEY':
        return rsaKey(block.der, false)
      case 'ENCRYPTED PRIVATE KEY': {
        if (passphrase === undefined) refuse('needs-passphrase', 'This key is encrypted: give its passphrase.')
        const opened = must(await decryptKey(block.der, passphrase))
        try {
          return fromPkcs8(opened, true)
        } finally {
          opened.fill(0)
        }
      }
      default:
        return refuse('unsupported-key', `A ${block.label} block is not a key this station reads. MCUboot takes ed25519, ecdsa-p256, ecdsa-p384, rsa-2048 and rsa-3072 keys in PKCS#8.`, { kind: block.label })
    }
  } finally {
    block.der.fill(0)
  }
}

/** Reads canonical or foreign PKCS#8 DER. */
export function keyFromPkcs8(pkcs8: Uint8Array): FileKey | Failure {
  return attempt(() => fromPkcs8(pkcs8, false))
}

/** PEM text: encrypted PKCS#8, or plain when the passphrase is null. */
export async function writeKeyPem(key: FileKey, passphrase: string | null): Promise<string> {
  if (passphrase === null) return writePem('PRIVATE KEY', key.pkcs8)
  return writePem('ENCRYPTED PRIVATE KEY', await encryptKey(key.pkcs8, passphrase))
}

const generateKeyPairAsync = promisify(generateKeyPair)

/** A fresh key from the system's random source; RSA with exponent 65537. */
export async function generateKey(algorithm: AnyKeyAlgorithm): Promise<FileKey> {
  if (algorithm === 'rsa-2048' || algorithm === 'rsa-3072') {
    const { privateKey } = await generateKeyPairAsync('rsa', { modulusLength: algorithm === 'rsa-2048' ? 2048 : 3072, publicExponent: 0x10001 })
    const pkcs1 = privateKey.export({ format: 'der', type: 'pkcs1' })
    const key = attempt(() => rsaKey(pkcs1, false))
    pkcs1.fill(0)
    assert(!failed(key), 'a fresh RSA key reads back')
    return key
  }
  const secret = algorithm === 'ecdsa-p256' || algorithm === 'ecdsa-p384' ? await randomScalar(algorithm) : new Uint8Array(randomBytes(32))
  const key = attempt(() => curveKey(algorithm, secret, false))
  assert(!failed(key), 'a fresh key reads back')
  return key
}

/** A scalar below the curve's order, drawn by the library that knows how. */
async function randomScalar(algorithm: 'ecdsa-p256' | 'ecdsa-p384'): Promise<Uint8Array> {
  const { p256, p384 } = await import('@noble/curves/nist.js')
  return algorithm === 'ecdsa-p256' ? p256.utils.randomSecretKey() : p384.utils.randomSecretKey()
}
