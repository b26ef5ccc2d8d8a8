// `getpubhash`: SHA-256 of the public key, as imgtool writes it (also for P-384, where an image names the SHA-384).
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { exportPublicKeyHash } from '../../keys/export.ts'
import { usageKind } from '../call.ts'
import type { Act } from '../call.ts'
import { anyPublicKeyNamed } from '../keys.ts'
import { nameSuffix, oneOf } from '../numbers.ts'
import { toFileOrStdout } from './getpub.ts'

type HashFlags = Readonly<{ key: string; encoding: 'lang-c' | 'raw'; nameSuffix?: string; output?: string; passphraseFile?: string; pinFile?: string }>

const encodings = ['lang-c', 'raw'] as const

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('-k, --key <key>', 'name, fingerprint, PEM file or pkcs11: URI')
    .option('-e, --encoding <encoding>', encodings.join(', '), oneOf(encodings), 'lang-c')
    .option('--name-suffix <suffix>', 'append this to the C name, for loaders with several keys', nameSuffix)
    .option('-o, --output <file>', 'write there instead of stdout')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .option('--pin-file <file>', 'file whose first line is the PIN of the key\'s token, where that hides its public half')
    .action(act<HashFlags>(async (call, _args, flags) => {
      if (flags.nameSuffix !== undefined && flags.encoding === 'raw') return new Failure(usageKind, '--name-suffix goes with lang-c; raw holds no name.')
      const key = await anyPublicKeyNamed(call, flags.key, flags)
      if (failed(key)) return key
      const hash = toHex(exportPublicKeyHash(key, 'raw'))
      return toFileOrStdout(exportPublicKeyHash(key, flags.encoding, flags.nameSuffix), flags.output, { algorithm: key.algorithm, encoding: flags.encoding, hash })
    }))
}
