// `getpub`: the public key in the forms a boot loader's build takes, byte for byte as imgtool writes them.
import type { Command } from 'commander'
import { toHex } from '../../base/bytes.ts'
import { failed } from '../../base/failure.ts'
import { exportPublicKey, publicEncodings } from '../../keys/export.ts'
import type { PublicEncoding } from '../../keys/export.ts'
import type { Act, Answer } from '../call.ts'
import { writeOutput } from '../files.ts'
import { anyPublicKeyNamed } from '../keys.ts'
import { oneOf } from '../numbers.ts'

type GetpubFlags = Readonly<{ key: string; encoding: PublicEncoding; output?: string; passphraseFile?: string }>

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('-k, --key <key>', 'name, fingerprint or PEM file')
    .option('-e, --encoding <encoding>', publicEncodings.join(', '), oneOf(publicEncodings), 'lang-c')
    .option('-o, --output <file>', 'write there instead of stdout')
    .option('--passphrase-file <file>', 'file whose first line is the key\'s passphrase')
    .action(act<GetpubFlags>(async (call, _args, flags) => {
      const key = await anyPublicKeyNamed(call, flags.key, flags)
      if (failed(key)) return key
      const bytes = exportPublicKey(key, flags.encoding)
      return toFileOrStdout(bytes, flags.output, { algorithm: key.algorithm, encoding: flags.encoding, ...(flags.encoding === 'raw' ? { hex: toHex(bytes) } : { text: new TextDecoder().decode(bytes) }) })
    }))
}

/** Writes the file when one is named, else gives the bytes to stdout. */
export async function toFileOrStdout(bytes: Uint8Array, path: string | undefined, document: Readonly<Record<string, unknown>>): Promise<Answer | Awaited<ReturnType<typeof writeOutput>> & object> {
  if (path === undefined) return { document, bytes }
  const written = await writeOutput(path, bytes)
  return written ?? { document: { file: path, ...document }, words: `${path}: ${bytes.length} bytes` }
}
