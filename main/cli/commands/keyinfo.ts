// `keyinfo`: does this file hold a private key, or only a public one? For builds that must not meet a private key by mistake
// (MCUboot's main branch, after 2.4.0: `imgtool keyinfo`). It never asks for a passphrase: an encrypted key is private.
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { derTag } from '../../image/der.ts'
import { keyHash } from '../../image/keyhash.ts'
import { keyFromPkcs8 } from '../../keys/filekey.ts'
import { readPem } from '../../keys/pem.ts'
import { readPublicKey } from '../../keys/publicpem.ts'
import type { Act } from '../call.ts'
import { readInput, smallFileBytesMax } from '../files.ts'
import { oneOf } from '../numbers.ts'

type InfoFlags = Readonly<{ key: string; require?: 'private' | 'public' }>

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('-k, --key <file>', 'key file')
    .option('--require <kind>', 'exit 1 unless the key is of this kind: private or public', oneOf(['private', 'public'] as const))
    .action(act<InfoFlags>(async (_call, _args, flags) => {
      const bytes = await readInput(flags.key, 'key file', smallFileBytesMax)
      if (failed(bytes)) return bytes
      const key = await readPublicKey(bytes)
      const encrypted = failed(key) && key.kind === 'needs-passphrase'
      if (failed(key) && !encrypted) return new Failure(key.kind, `${flags.key}: ${key.says}`, key.facts)
      const kind = encrypted || holdsPrivate(bytes) ? 'private' : 'public'
      if (flags.require !== undefined && kind !== flags.require) {
        return new Failure('wrong-kind-of-key', `${flags.key} holds a ${kind} key, but a ${flags.require} one is required here.${kind === 'private' ? ' Give the exported public key: slotwright getpub -e pem.' : ''}`, { kind })
      }
      return {
        document: { file: flags.key, kind, encrypted, algorithm: failed(key) ? null : key.algorithm, fingerprint: failed(key) ? null : toHex(keyHash(key)) },
        words: kind,
      }
    }))
}

function holdsPrivate(bytes: Uint8Array): boolean {
  if (bytes[0] === derTag.sequence) {
    const key = keyFromPkcs8(bytes)
    if (!failed(key)) key.wipe()
    return !failed(key)
  }
  const blocks = readPem(new TextDecoder('latin1').decode(bytes))
  if (failed(blocks)) return false
  for (const { der } of blocks) der.fill(0)
  return blocks.some(({ label }) => label.endsWith('PRIVATE KEY'))
}
