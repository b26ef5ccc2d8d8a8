// `getpubhash`: SHA-256 of the public key, as imgtool writes it (also for P-384, where an image names the SHA-384).
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { failed } from '../../base/failure.ts'
import { exportPublicKeyHash } from '../../keys/export.ts'
import type { Act } from '../call.ts'
import { anyPublicKeyNamed } from '../keys.ts'
import { oneOf } from '../numbers.ts'
import { toFileOrStdout } from './getpub.ts'

type HashFlags = Readonly<{ key: string; encoding: 'lang-c' | 'raw'; output?: string; passphraseFile?: string }>

const encodings = ['lang-c', 'raw'] as const

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('-k, --key <key>', 'name, fingerprint or PEM file')
    .option('-e, --encoding <encoding>', encodings.join(', '), oneOf(encodings), 'lang-c')
    .option('-o, --output <file>', 'write there instead of stdout')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .action(act<HashFlags>(async (call, _args, flags) => {
      const key = await anyPublicKeyNamed(call, flags.key, flags)
      if (failed(key)) return key
      const hash = toHex(exportPublicKeyHash(key, 'raw'))
      return toFileOrStdout(exportPublicKeyHash(key, flags.encoding), flags.output, { algorithm: key.algorithm, encoding: flags.encoding, hash })
    }))
}
