// `getpriv`: a private key as C for a boot loader that decrypts images, byte for byte as imgtool writes it.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import { exportPrivateKey } from '../../keys/export.ts'
import type { Act } from '../call.ts'
import { openPrivateKey } from '../keys.ts'
import { oneOf } from '../numbers.ts'

type GetprivFlags = Readonly<{ key: string; format?: 'openssl' | 'pkcs8'; minimal?: true; passphraseFile?: string }>

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('-k, --key <key>', 'name, fingerprint or PEM file')
    .option('-f, --format <format>', 'openssl or pkcs8', oneOf(['openssl', 'pkcs8'] as const))
    .option('--minimal', 'leave out what decryption does not need')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .action(act<GetprivFlags>(async (call, _args, flags) => {
      const opened = await openPrivateKey(call, flags.key, flags)
      if (failed(opened)) return opened
      try {
        const text = exportPrivateKey(opened.key, { minimal: flags.minimal === true, format: flags.format })
        return failed(text) ? text : { document: { algorithm: opened.key.algorithm, text }, words: text }
      } finally {
        opened.key.wipe()
      }
    }))
}
