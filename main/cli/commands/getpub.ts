// `getpub`: the public key in the forms a boot loader's build takes, byte for byte as imgtool writes them.
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { exportPublicKey, publicEncodings } from '../../keys/export.ts'
import type { PublicEncoding } from '../../keys/export.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer } from '../call.ts'
import { writeOutput } from '../files.ts'
import { anyPublicKeyNamed } from '../keys.ts'
import { nameSuffix, oneOf } from '../numbers.ts'

type GetpubFlags = Readonly<{ key: string; encoding?: PublicEncoding; lang?: 'c' | 'rust'; nameSuffix?: string; output?: string; passphraseFile?: string; pinFile?: string }>

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('-k, --key <key>', 'name, fingerprint, PEM file or pkcs11: URI')
    .option('-e, --encoding <encoding>', `${publicEncodings.join(', ')} (default: lang-c)`, oneOf(publicEncodings))
    .option('-l, --lang <language>', 'c or rust: the old name of --encoding', oneOf(['c', 'rust'] as const))
    .option('--name-suffix <suffix>', 'append this to the C or Rust name, for loaders with several keys', nameSuffix)
    .option('-o, --output <file>', 'write there instead of stdout')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .option('--pin-file <file>', 'file whose first line is the PIN of the key\'s token, where that hides its public half')
    .action(act<GetpubFlags>(async (call, _args, flags) => {
      if (flags.encoding !== undefined && flags.lang !== undefined) return new Failure(usageKind, 'Give either --encoding or --lang, not both.')
      const encoding: PublicEncoding = flags.encoding ?? (flags.lang === 'rust' ? 'lang-rust' : 'lang-c')
      if (flags.nameSuffix !== undefined && !encoding.startsWith('lang-')) return new Failure(usageKind, `--name-suffix goes with lang-c and lang-rust; ${encoding} holds no name.`)
      const key = await anyPublicKeyNamed(call, flags.key, flags)
      if (failed(key)) return key
      const bytes = exportPublicKey(key, encoding, flags.nameSuffix)
      return toFileOrStdout(bytes, flags.output, { algorithm: key.algorithm, encoding, ...(encoding === 'raw' ? { hex: toHex(bytes) } : { text: new TextDecoder().decode(bytes) }) })
    }))
}

/** Writes the file when one is named, else gives the bytes to stdout. */
export async function toFileOrStdout(bytes: Uint8Array, path: string | undefined, document: Readonly<Record<string, unknown>>): Promise<Answer | Awaited<ReturnType<typeof writeOutput>> & object> {
  if (path === undefined) return { document, bytes }
  const written = await writeOutput(path, bytes)
  return written ?? { document: { file: path, ...document }, words: `${path}: ${bytes.length} bytes` }
}
