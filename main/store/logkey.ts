// The key that signs checkpoints: Ed25519, made on first use, resting in the home as `log-key.pem` (PKCS#8, mode 0600).
// It is not a firmware key: whoever holds it can vouch for a false log but can sign no image. Its public half lies beside
// it as a note key (`log-key.pub`), for auditors.
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { assert, Failure } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { noteKey, noteKeyText } from '../log/checkpoint.ts'
import { diskFailure } from './database.ts'

export const logKeyName = 'log-key.pem'
export const logPublicKeyName = 'log-key.pub'
const keyFileBytesMax = 10_000

/**
 * The home's log key; made for a log that never had one. Failures: `bad-log-key`, `log-key-lost` (only its public half is
 * there: a new key would break with every checkpoint signed so far, so none is made), and the disk's.
 */
export function openLogKey(folder: string): Signer | Failure {
  const path = join(folder, logKeyName)
  const publicPath = join(folder, logPublicKeyName)
  try {
    if (!existsSync(path)) {
      if (existsSync(publicPath)) return new Failure('log-key-lost', `${path}, the key that signs this log's checkpoints, is gone, though ${logPublicKeyName} is there. Put it back from a safe copy. Without it the log can be read, written and verified, but no new checkpoint can be signed.`)
      const { privateKey } = generateKeyPairSync('ed25519')
      writeDurably(path, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
    }
    if (statSync(path).size > keyFileBytesMax) return badKey(path)
    const signer = signerOf(readFileSync(path), path)
    if (signer instanceof Failure) return signer
    const key = noteKey(logOrigin(signer), signer.publicKey)
    if (key instanceof Failure) return key
    if (!existsSync(publicPath)) writeDurably(publicPath, `${noteKeyText(key)}\n`, 0o644)
    return signer
  } catch (error) {
    return diskFailure(error, path)
  }
}

function signerOf(pem: Buffer, path: string): Signer | Failure {
  let key: KeyObject
  try {
    key = createPrivateKey(pem)
  } catch {
    return badKey(path)
  }
  if (key.asymmetricKeyType !== 'ed25519') return badKey(path)
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
  return `slotwright/log/${createHash('sha256').update(signer.publicKey.spki).digest('hex').slice(0, 16)}`
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
