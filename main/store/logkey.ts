// The key that signs checkpoints: Ed25519, made on first use, resting in the home as `log-key.pem` (PKCS#8, mode 0600).
// It is not a firmware key: whoever holds it can vouch for a false log but can sign no image. Its public half lies beside
// it as a note key (`log-key.pub`), for auditors, with every key it was handed over to (main/log/handover.ts). A key in a token
// signs through the station, which alone knows the way there.
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { concat, sameBytes } from '../base/bytes.ts'
import { assert, Failure } from '../base/failure.ts'
import type { PublicKey, Signer } from '../base/signer.ts'
import { ed25519SpkiPrefix, noteKey, noteKeyText } from '../log/checkpoint.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { originOf, parseLogKeys, presentKey } from '../log/handover.ts'
import { diskFailure } from './database.ts'

export const logKeyName = 'log-key.pem'
export const logPublicKeyName = 'log-key.pub'
/** A key that takes over, until it has; and where a key in a token lies. */
export const nextLogKeyName = 'log-key-next.pem'
export const logKeyUriName = 'log-key.uri'
const rawKeyBytes = 32
const keyFileBytesMax = 10_000

/** How a station signs with a key in a token, by the key's PKCS#11 URI (RFC 7512). */
export type TokenSigner = (uri: string, publicKey: PublicKey) => Signer | Failure

/**
 * The home's log key; made for a log that never had one. Failures: `bad-log-key`, `log-key-lost` (only its public half is
 * there: a new key would break with every checkpoint signed so far, so none is made), `log-key-in-token` (and no way to
 * tokens was handed in), and the disk's.
 */
export function openLogKey(folder: string, inToken?: TokenSigner): Signer | Failure {
  const path = join(folder, logKeyName)
  const publicPath = join(folder, logPublicKeyName)
  try {
    const known = existsSync(publicPath) ? parseLogKeys(readFileSync(publicPath, 'utf8')) : null
    if (known instanceof Failure) return new Failure('bad-log-key', `${publicPath} does not read as this log's public key: ${known.says} Restore it from a backup.`)
    if (known === null && !existsSync(path)) {
      const { privateKey } = generateKeyPairSync('ed25519')
      writeDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
    }
    if (known !== null) return presentSigner(folder, presentKey(known), inToken)
    const signer = fileSigner(path)
    if (signer instanceof Failure) return signer
    const key = noteKey(logOrigin(signer), signer.publicKey)
    if (key instanceof Failure) return key
    writeDurably(publicPath, `${noteKeyText(key)}\n`, 0o644)
    return signer
  } catch (error) {
    return diskFailure(error, path)
  }
}

/** The signer whose public half is this one: in the file, in the file of a change that was cut short, or in a token. */
function presentSigner(folder: string, key: NoteKey, inToken: TokenSigner | undefined): Signer | Failure {
  const [path, nextPath, uriPath] = [logKeyName, nextLogKeyName, logKeyUriName].map((name) => join(folder, name)) as [string, string, string]
  let wrong: Failure | null = null
  for (const file of [path, nextPath].filter((name) => existsSync(name))) {
    const signer = fileSigner(file)
    if (!(signer instanceof Failure) && sameBytes(signer.publicKey.spki.slice(-rawKeyBytes), key.publicKey)) {
      if (file === nextPath) renameSync(nextPath, path)
      return signer
    }
    wrong ??= signer instanceof Failure ? signer : new Failure('bad-log-key', `${file} is not the key that ${logPublicKeyName} names, so nothing is signed with it. Put the right one back from a safe copy.`)
  }
  if (existsSync(uriPath)) {
    const uri = readFileSync(uriPath, 'utf8').trim().slice(0, keyFileBytesMax)
    const spki = concat(ed25519SpkiPrefix, key.publicKey)
    if (inToken === undefined) return new Failure('log-key-in-token', `This log's key lies in hardware (${uri}), which cannot be reached here. Start the station that has the token.`, { uri })
    return inToken(uri, { algorithm: 'ed25519', spki, encoded: spki })
  }
  return wrong ?? new Failure('log-key-lost', `${path}, the key that signs this log's checkpoints, is gone, though ${logPublicKeyName} is there. Put it back from a safe copy. Without it the log can be read, written and verified, but no new checkpoint can be signed.`)
}

function fileSigner(path: string): Signer | Failure {
  return statSync(path).size > keyFileBytesMax ? badKey(path) : signerOf(readFileSync(path), path)
}

/** An Ed25519 key from its PEM; `path` is for the sentence. */
export function signerOf(pem: Buffer, path: string): Signer | Failure {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    return badKey(path)
  }
  return ed25519Signer(key) ?? badKey(path)
}

/** Signs with that private key; null when it is no Ed25519 key. */
export function ed25519Signer(key: KeyObject): Signer | null {
  if (key.asymmetricKeyType !== 'ed25519') return null
  const spki = new Uint8Array(createPublicKey(key).export({ type: 'spki', format: 'der' }))
  return {
    publicKey: { algorithm: 'ed25519', spki, encoded: spki },
    sign(what) {
      assert('message' in what, 'Ed25519 signs messages')
      return Promise.resolve(new Uint8Array(sign(null, what.message, key)))
    },
  }
}

function badKey(path: string): Failure {
  return new Failure('bad-log-key', `${path} is no Ed25519 private key, so checkpoints cannot be signed. Restore it from a backup; moving it away makes a new key, which auditors must then be told of.`)
}

/** The log's origin and its key's name: unique for each log, since it is made of the key. */
export function logOrigin(signer: Signer): string {
  return originOf(signer.publicKey.spki.slice(-rawKeyBytes))
}

/** Writes a file so that after a power cut it is there whole or not at all. Throws the file system's errors. */
export function writeDurably(path: string, content: string | Uint8Array, mode: number): void {
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const file = openSync(temporary, 'wx', mode)
  try {
    const bytes = typeof content === 'string' ? Buffer.from(content) : content
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at)
    fsyncSync(file)
  } catch (error) {
    // On a full disk the piece that was written would only take more room.
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  // The rename itself is durable only when the folder is; Windows has no such handle, and needs none.
  if (process.platform === 'win32') return
  const folder = openSync(dirname(path), 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}
