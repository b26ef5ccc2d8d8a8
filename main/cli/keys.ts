// What people write after `--key`: a name of the home's ring, a fingerprint, or a PEM file. Here that becomes a public key
// to verify with or a signer to sign with; a passphrase is asked for only where the private half is really needed.
import { fromHex, toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey, Signer } from '../base/signer.ts'
import { keyHash, knownTestKey } from '../image/keyhash.ts'
import { canSign, publicKeyFromSpki } from '../image/publickey.ts'
import type { AnyPublicKey } from '../image/publickey.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { isPkcs11Uri } from '../keys/pkcs11-uri.ts'
import type { FoundKey } from '../keys/keyring.ts'
import { readKeyPem } from '../keys/filekey.ts'
import type { FileKey } from '../keys/filekey.ts'
import { readPublicKey } from '../keys/publicpem.ts'
import { openSigner } from '../keys/signer.ts'
import type { Call } from './call.ts'
import { readInput, readText, smallFileBytesMax } from './files.ts'
import { knownPassphrase } from './passphrase.ts'
import type { PassphraseOptions, PinOptions } from './passphrase.ts'
import { knownKeysOf, ringOf } from './ring.ts'
import { openTokens, tokenKeyAt, tokenPublicKey } from './tokens.ts'

/** A public key and how people call it. */
export type NamedKey = Readonly<{ publicKey: PublicKey; fingerprint: string; name: string | null; path: string | null; class: 'production' | 'test' }>

/** A key whose signature an image carries. */
export type HeldKey = NamedKey & Readonly<{ encrypted: boolean; /** Null when the private half is elsewhere. */ home: 'file' | 'pkcs11' | null; /** The ring's word on this key, however it was named. */ entry: KeyEntry | null }>

/** A private key ready to sign; `close` wipes it, or locks its token. */
export type SigningKey = HeldKey & Readonly<{ signer: Signer; home: 'file' | 'pkcs11'; close(): Promise<void> }>

export type KeyOptions = PassphraseOptions & PinOptions

/**
 * The public key someone named. A PEM file may hold a public key, a certificate or a private key (an encrypted one asks
 * for its passphrase, since the public half is encrypted with it). Kinds: of `Keyring.find` and of reading keys.
 */
export async function publicKeyNamed(call: Call, text: string, flags: KeyOptions = {}): Promise<NamedKey | Failure> {
  if (isPkcs11Uri(text)) {
    const publicKey = await tokenPublicKey(call, text, flags)
    return failed(publicKey) ? publicKey : named(publicKey, { class: 'production' })
  }
  const found = await findKey(call, text)
  if (failed(found)) return found
  if (found.entry !== null) {
    const publicKey = publicKeyOf(found.entry)
    return failed(publicKey) ? publicKey : named(publicKey, { name: found.entry.name, class: found.entry.class })
  }
  const bytes = await readInput(found.path, 'key file', smallFileBytesMax)
  if (failed(bytes)) return bytes
  const key = await publicKeyIn(call, bytes, found.path, flags)
  if (failed(key)) return key
  if (!canSign(key)) return new Failure('unsupported-key', `${found.path} is an x25519 key, which encrypts but neither signs nor verifies. Name the signing key.`)
  return named(key, { path: found.path, class: isPlainPrivate(bytes) ? 'test' : 'production' })
}

/** A key of the ring or a file. The name `practice` is special: that key is made on first use, by whoever uses it first. */
async function findKey(call: Call, text: string): Promise<FoundKey | Failure> {
  const ring = ringOf(call)
  const found = await ring.find(text)
  if (text !== 'practice' || !failed(found) || found.kind !== 'no-such-key') return found
  const { makePracticeKey } = await import('./practice-key.ts')
  const made = await makePracticeKey(call)
  return failed(made) ? made : ring.find(text)
}

/** `publicKeyNamed` for any kind of key, also one that only encrypts. */
export async function anyPublicKeyNamed(call: Call, text: string, flags: KeyOptions): Promise<AnyPublicKey | Failure> {
  if (isPkcs11Uri(text)) return tokenPublicKey(call, text, flags)
  const found = await findKey(call, text)
  if (failed(found)) return found
  if (found.entry !== null) return publicKeyFromSpki(fromHex(found.entry.spki) ?? new Uint8Array(0))
  const bytes = await readInput(found.path, 'key file', smallFileBytesMax)
  return failed(bytes) ? bytes : publicKeyIn(call, bytes, found.path, flags)
}

async function publicKeyIn(call: Call, bytes: Uint8Array, path: string, flags: PassphraseOptions): Promise<AnyPublicKey | Failure> {
  let key = await readPublicKey(bytes)
  if (failed(key) && key.kind === 'needs-passphrase') {
    const passphrase = await knownPassphrase(call, flags, path)
    if (failed(passphrase)) return passphrase
    key = await readPublicKey(bytes, passphrase)
  }
  return failed(key) ? inFile(key, path) : key
}

/** Any public key in a file, also one that only encrypts. */
export async function publicKeyFromFile(path: string): Promise<AnyPublicKey | Failure> {
  const bytes = await readInput(path, 'key file', smallFileBytesMax)
  if (failed(bytes)) return bytes
  const key = await readPublicKey(bytes)
  return failed(key) ? inFile(key, path) : key
}

/** The ring's key with that fingerprint, or null. An unreadable ring is as good as none: this only looks for a name. */
export async function knownKeyFor(call: Call, fingerprint: string | null): Promise<NamedKey | null> {
  if (fingerprint === null) return null
  const lists = await Promise.all([ringOf(call).list(), knownKeysOf(call).list()])
  const hash = ({ 64: 'sha256', 96: 'sha384', 128: 'sha512' } as const)[fingerprint.length]
  for (const entry of lists.flatMap((list) => (failed(list) ? [] : list))) {
    const publicKey = publicKeyOf(entry)
    if (failed(publicKey)) continue
    // An image hashes its key with its own hash (--sha), the ring with the key's usual one.
    if (entry.fingerprint === fingerprint || toHex(keyHash(publicKey, hash)) === fingerprint) return named(publicKey, { name: entry.name, class: entry.class })
  }
  return null
}

/**
 * The private key someone named, opened for signing: of the ring, a PEM file, or a PKCS#11 URI. Kinds: of `Keyring.open` and
 * of finding a key in a token, and `unsupported-key` for x25519.
 */
export async function openSigningKey(call: Call, text: string, flags: KeyOptions): Promise<SigningKey | Failure> {
  if (isPkcs11Uri(text)) return openTokenKey(call, text, null, flags)
  const found = await findKey(call, text)
  if (failed(found)) return found
  if (found.entry !== null && found.entry.token !== null) return openTokenKey(call, found.entry.token.uri, found.entry, flags)
  const opened = await openPrivateKey(call, text, flags)
  if (failed(opened)) return opened
  const { key, name, path } = opened
  const signer = openSigner(key)
  if (failed(signer)) {
    key.wipe()
    return signer
  }
  const entry = found.entry ?? await ringEntryOf(call, signer.publicKey)
  const isTest = (entry?.class ?? opened.class) === 'test' || knownTestKey(toHex(keyHash(signer.publicKey))) !== undefined
  return {
    ...named(signer.publicKey, { name, path, class: isTest ? 'test' : 'production' }),
    signer,
    encrypted: key.wasEncrypted,
    home: 'file',
    entry,
    close: async () => signer.close(),
  }
}

/** A key in a token. One that the ring names must still be the same key; a retired one is refused before any PIN is asked for. */
async function openTokenKey(call: Call, uri: string, ringEntry: KeyEntry | null, flags: KeyOptions): Promise<SigningKey | Failure> {
  if (ringEntry !== null && ringEntry.retiredAt !== null) return new Failure('key-retired', `The key ${ringEntry.name} was retired on ${ringEntry.retiredAt.slice(0, 10)} and no longer signs. Choose another key.`, { name: ringEntry.name })
  const opened = await openTokens(call)
  if (failed(opened)) return opened
  const key = await tokenKeyAt(call, opened.tokens, uri, flags)
  const changed = !failed(key) && ringEntry !== null && toHex(key.publicKey.spki) !== ringEntry.spki
    ? new Failure('key-changed', `The key in the token is not the key ${ringEntry.name} any more: another key lies under that name. Check which token is in.`, { name: ringEntry.name })
    : null
  if (failed(key) || changed !== null) {
    await opened.close()
    return failed(key) ? key : changed as Failure
  }
  const entry = ringEntry ?? await ringEntryOf(call, key.publicKey)
  return {
    ...named(key.publicKey, { name: entry?.name ?? null, path: null, class: entry?.class ?? 'production' }),
    signer: opened.tokens.signer(key.uri, key.publicKey),
    encrypted: true,
    home: 'pkcs11',
    entry,
    close: () => opened.close(),
  }
}

/** A key that signed elsewhere (`--fix-sig`), with what the ring says of it. */
export async function outsideKey(call: Call, publicKey: PublicKey, path: string | null): Promise<HeldKey> {
  const [entry, met] = await Promise.all([ringEntryOf(call, publicKey), knownKeyFor(call, toHex(keyHash(publicKey)))])
  const isTest = (entry ?? met)?.class === 'test' || knownTestKey(toHex(keyHash(publicKey))) !== undefined
  return { ...named(publicKey, { name: entry?.name ?? null, path, class: isTest ? 'test' : 'production' }), encrypted: true, home: null, entry }
}

/** The ring's description of this very key; null when it has none, or cannot be read. */
async function ringEntryOf(call: Call, publicKey: PublicKey): Promise<KeyEntry | null> {
  const entries = await ringOf(call).list()
  if (failed(entries)) return null
  const spki = toHex(publicKey.spki)
  return entries.find((entry) => entry.spki === spki) ?? null
}

export type PrivateKey = Readonly<{ key: FileKey; name: string | null; path: string; class: 'production' | 'test' }>

/** The private key someone named; the caller wipes it. */
export async function openPrivateKey(call: Call, text: string, flags: PassphraseOptions): Promise<PrivateKey | Failure> {
  const ring = ringOf(call)
  const found = await findKey(call, text)
  if (failed(found)) return found
  const { entry, path } = found
  let read: (passphrase?: string) => Promise<FileKey | Failure> = (passphrase) => ring.open(entry?.name ?? '', passphrase)
  if (entry === null) {
    const pem = await readText(path, 'key file')
    if (failed(pem)) return pem
    read = (passphrase) => readKeyPem(pem, passphrase)
  }
  let key = await read()
  if (failed(key) && key.kind === 'needs-passphrase') {
    const passphrase = await knownPassphrase(call, flags, entry === null ? path : `the key "${entry.name}"`)
    if (failed(passphrase)) return passphrase
    key = await read(passphrase)
  }
  if (failed(key)) return entry === null ? inFile(key, path) : key
  return { key, name: entry?.name ?? null, path, class: entry?.class ?? (key.wasEncrypted ? 'production' : 'test') }
}

/** What a person should know about a key they just signed with; null when there is nothing. */
export function signingKeyWarning(key: HeldKey): string | null {
  const published = knownTestKey(key.fingerprint)
  if (published !== undefined) return `That is MCUboot's public test key ${published}: anyone can sign for boards that trust it. Real boards should never carry it.`
  if (key.home === 'pkcs11') return key.entry?.warning ?? null
  return key.encrypted || key.class === 'production' ? null : 'The key has no passphrase, so it counts as a test key: real boards do not take this image unless told to.'
}

function named(publicKey: PublicKey, about: Readonly<{ name?: string | null; path?: string | null; class: 'production' | 'test' }>): NamedKey {
  return { publicKey, fingerprint: toHex(keyHash(publicKey)), name: about.name ?? null, path: about.path ?? null, class: about.class }
}

/** The same failure, saying which file. */
function inFile(failure: Failure, path: string): Failure {
  return failure.says.includes(path) ? failure : new Failure(failure.kind, `${path}: ${failure.says}`, failure.facts)
}

function isPlainPrivate(bytes: Uint8Array): boolean {
  const text = new TextDecoder('latin1').decode(bytes)
  return /-----BEGIN (EC |RSA )?PRIVATE KEY-----/.test(text)
}
