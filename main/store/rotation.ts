// A log's key hands over to another, in a file or in a token: the old one signs the log as it stands, an entry tells of the
// change, both keys sign the handover (main/log/handover.ts), and the new one signs the next checkpoint. Cut short anywhere,
// the key that `log-key.pub` names last is the one that counts, and it is there.
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../base/failure.ts'
import type { PublicKey, Signer } from '../base/signer.ts'
import { noteKey, noteKeyText } from '../log/checkpoint.ts'
import type { Role } from '../log/entry.ts'
import { presentKey, signHandover } from '../log/handover.ts'
import type { AuditStore } from './audit.ts'
import { readLogPublicKey } from './checkpoints.ts'
import type { SignedCheckpoint } from './checkpoints.ts'
import { diskFailure } from './database.ts'
import { logKeyName, logKeyUriName, logPublicKeyName, nextLogKeyName, signerOf, writeDurably } from './logkey.ts'

/** The key to come: one in a token by its URI, or a new file. */
export type NextLogKey = Readonly<{ is: 'token'; uri: string; publicKey: PublicKey; signer: Signer }> | Readonly<{ is: 'file' }>

/**
 * Hands the log over to another key; gives the first checkpoint it signed. The old private key is deleted where it is a file.
 * Failures: `same-log-key`, those of `checkpoint` and of the signers, and the disk's.
 */
export async function changeLogKey(store: AuditStore, next: NextLogKey, by: { person?: string; role?: Role } = {}, signal?: AbortSignal): Promise<SignedCheckpoint | Failure> {
  const { folder } = store.database
  const signed = await store.checkpoint(signal)
  if (signed instanceof Failure) return signed
  try {
    const known = readLogPublicKey(folder)
    if (known === null || known instanceof Failure) return known ?? new Failure('bad-log-key', `${logPublicKeyName} is gone. Restore it from a backup.`)
    const before = store.logSigner()
    if (before instanceof Failure) return before
    const after = next.is === 'token' ? next.signer : newFileKey(folder)
    if (after instanceof Failure) return after
    const key = noteKey(known.name, after.publicKey)
    if (key instanceof Failure) return key
    if (noteKeyText(key) === noteKeyText(presentKey(known))) return new Failure('same-log-key', 'That key signs this log already.')
    if (next.is === 'token') writeDurably(join(folder, logKeyUriName), `${next.uri}\n`, 0o600)
    const noted = store.append({ kind: 'log-key-changed', ...by, data: { before: noteKeyText(presentKey(known)), after: noteKeyText(key), home: next.is === 'token' ? 'pkcs11' : 'file' } })
    if (noted instanceof Failure) return noted
    const handover = await signHandover(known.name, noted.seq + 1, before, after, signal)
    if (handover instanceof Failure) return handover
    writeDurably(join(folder, logPublicKeyName), `${readFileSync(join(folder, logPublicKeyName), 'utf8').trimEnd()}\n\n${handover}`, 0o644)
    if (next.is === 'file') {
      renameSync(join(folder, nextLogKeyName), join(folder, logKeyName))
      rmSync(join(folder, logKeyUriName), { force: true })
    } else rmSync(join(folder, logKeyName), { force: true })
    return await store.checkpoint(signal)
  } catch (error) {
    return diskFailure(error, folder)
  }
}

function newFileKey(folder: string): Signer | Failure {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  const path = join(folder, nextLogKeyName)
  writeDurably(path, pem, 0o600)
  return signerOf(Buffer.from(pem), path)
}
