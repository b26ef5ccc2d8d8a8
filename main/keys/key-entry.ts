// What the ring knows of a key without opening it, and the JSON file beside the key in which that stands. The file is hostile
// like any other: all that can be is checked against the public key it carries.
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey } from '../base/signer.ts'
import { keyHash, knownTestKey } from '../image/keyhash.ts'
import { canSign, publicKeyFromSpki } from '../image/publickey.ts'
import type { AnyKeyAlgorithm } from '../image/publickey.ts'
import { judgeResidence } from './pkcs11-residence.ts'
import { parsePkcs11Uri } from './pkcs11-uri.ts'
import type { Residence } from './pkcs11-words.ts'
import { readPolicy } from './policy.ts'
import type { KeyClass, KeyPolicy } from './policy.ts'

/** Where a key in a token lies, and what the token said of it when it was taken into the ring. */
export type TokenHome = Readonly<{ uri: string; residence: Residence }>

/** What the ring knows of a key without opening it. */
export type KeyEntry = Readonly<{
  name: string
  algorithm: AnyKeyAlgorithm
  /** KEYHASH under the key's default hash, hex. */
  fingerprint: string
  class: KeyClass
  encrypted: boolean
  /** ISO 8601, UTC. */
  createdAt: string
  retiredAt: string | null
  /** SubjectPublicKeyInfo DER, hex. */
  spki: string
  /** Null for a key in a file. */
  token: TokenHome | null
  policy: KeyPolicy
  /** A sentence when the key deserves care. */
  warning: string | null
}>

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)|\.(pem|json)$/i

/** The public key an entry describes. */
export function publicKeyOf(entry: KeyEntry): PublicKey | Failure {
  const key = publicKeyFromSpki(new Uint8Array(Buffer.from(entry.spki, 'hex')))
  if (failed(key)) return key
  return canSign(key) ? key : new Failure('unsupported-key', `The key ${entry.name} is an x25519 key, which encrypts but neither signs nor verifies.`)
}

/** A sentence when the key deserves care. */
export function warningFor(testKey: string | undefined, encrypted: boolean, keyClass: KeyClass = 'test', token: TokenHome | null = null): string | null {
  if (token !== null && testKey === undefined) {
    const { says, warns } = judgeResidence(token.residence)
    return warns && keyClass === 'production' ? says : null
  }
  if (testKey !== undefined) return `MCUboot's public test key ${testKey}: anyone can sign with it. For trials only.`
  return encrypted ? null : 'Its file is not encrypted: whoever can read the disk can sign with it.'
}

/** Letters, digits, dot, dash and underscore, at most 63; nothing that is a path or a device. */
export function checkName(name: string): null | Failure<'bad-name'> {
  if (namePattern.test(name) && !reserved.test(name)) return null
  return new Failure('bad-name', `"${name.slice(0, 80)}" cannot name a key: use up to 63 letters, digits, dots, dashes and underscores, beginning with a letter or digit, and no .pem or .json at the end.`)
}

/** What stands beside the PEM file. */
export function sidecarText(entry: KeyEntry): string {
  return `${JSON.stringify({ v: 1, ...entry }, null, 2)}\n`
}

const algorithms: ReadonlySet<string> = new Set(['ed25519', 'x25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072'] satisfies (KeyAlgorithm | 'x25519')[])

/** Strict: the file is hostile like any other, and the fingerprint must be that of the key it carries. */
export function readSidecar(text: string, file: string): KeyEntry | Failure {
  const damaged = new Failure('damaged-key', `The key description ${file} is damaged, so its key is not listed. Restore it from a backup, or add the key anew under another name.`, { file })
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return damaged
  }
  if (typeof value !== 'object' || value === null) return damaged
  const { v, name, algorithm, fingerprint, class: keyClass, encrypted, createdAt, retiredAt, spki, token: tokenSaid, policy: policySaid } = value as Record<string, unknown>
  if (v !== 1 || typeof name !== 'string' || `${name}.json` !== file || checkName(name) !== null) return damaged
  if (typeof algorithm !== 'string' || !algorithms.has(algorithm) || (keyClass !== 'production' && keyClass !== 'test') || typeof encrypted !== 'boolean') return damaged
  if (typeof createdAt !== 'string' || Number.isNaN(Date.parse(createdAt)) || typeof spki !== 'string' || typeof fingerprint !== 'string') return damaged
  if (retiredAt !== null && (typeof retiredAt !== 'string' || Number.isNaN(Date.parse(retiredAt)))) return damaged
  const key = publicKeyFromSpki(new Uint8Array(Buffer.from(spki, 'hex')))
  if (failed(key) || key.algorithm !== algorithm || toHex(keyHash(key)) !== fingerprint) return damaged
  const token = readTokenHome(tokenSaid)
  const policy = readPolicy(policySaid)
  if (token === undefined || policy === null) return damaged
  const testKey = knownTestKey(fingerprint)
  return { name, algorithm: key.algorithm, fingerprint, class: testKey === undefined ? keyClass : 'test', encrypted, createdAt, retiredAt, spki, token, policy, warning: warningFor(testKey, encrypted, keyClass, token) }
}

/** Undefined when damaged; null, or nothing said, means a file. */
function readTokenHome(value: unknown): TokenHome | null | undefined {
  if (value === undefined || value === null) return null
  if (typeof value !== 'object') return undefined
  const { uri, residence } = value as Record<string, unknown>
  if (typeof uri !== 'string' || failed(parsePkcs11Uri(uri)) || typeof residence !== 'object' || residence === null) return undefined
  const said = residence as Record<string, unknown>
  const flag = (name: keyof Residence) => (typeof said[name] === 'boolean' ? said[name] : null)
  return { uri, residence: { sensitive: flag('sensitive'), extractable: flag('extractable'), alwaysSensitive: flag('alwaysSensitive'), neverExtractable: flag('neverExtractable'), local: flag('local') } }
}
