// `keygen`: a key pair in a file, with imgtool's spellings beside ours. Unlike imgtool it encrypts unless told otherwise
// and never overwrites a file: the key that would be lost is on boards in the field.
import type { Command } from 'commander'
import { toHex, utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { keyAlgorithms } from '../../base/signer.ts'
import { keyHash } from '../../image/keyhash.ts'
import type { AnyKeyAlgorithm } from '../../image/publickey.ts'
import { generateKey, writeKeyPem } from '../../keys/filekey.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { removeFile, writeOutput } from '../files.ts'
import { prepareHome } from '../home.ts'
import { oneOf } from '../numbers.ts'
import { newPassphrase } from '../passphrase.ts'
import { recordKeyMade } from '../record.ts'
import { needsOneOf } from '../usage.ts'

type KeygenFlags = Readonly<{ type: AnyKeyAlgorithm; out?: string; key?: string; passphrase: boolean; passphraseFile?: string; password?: true }>

const types: readonly AnyKeyAlgorithm[] = [...keyAlgorithms, 'x25519']

export function declare(command: Command, act: Act): void {
  command
    .requiredOption('-t, --type <type>', `one of ${types.join(', ')}`, oneOf(types))
    .option('-o, --out <file>', 'file to write (never overwritten)')
    .option('-k, --key <file>', 'imgtool\'s name for --out')
    .option('--passphrase-file <file>', 'file whose first line is the new passphrase (default: it is asked for)')
    .option('--no-passphrase', 'leave the key unprotected: it is then a test key')
    .option('-p, --password', 'ask for the passphrase, as imgtool; this is the default here')
    .action(act<KeygenFlags>(keygen))
  needsOneOf(command, '--out', '--key')
}

async function keygen(call: Call, _args: readonly string[], flags: KeygenFlags): Promise<Answer | Failure> {
  const path = flags.out ?? flags.key
  if (path === undefined) return new Failure(usageKind, 'Say where to write the key: --out FILE.')
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const passphrase = await newPassphrase(call, flags)
  if (failed(passphrase)) return passphrase
  const key = await generateKey(flags.type)
  try {
    const pem = utf8(await writeKeyPem(key, passphrase))
    const written = await writeOutput(path, pem, { mode: 0o600, keep: true })
    if (written !== null) return written
    const { publicKey } = key
    const fingerprint = toHex(keyHash(publicKey))
    const keyClass = passphrase === null ? 'test' : 'production'
    const logged = await recordKeyMade(call, { publicKey, class: keyClass, path })
    if (failed(logged)) {
      await removeFile(path)
      return new Failure(logged.kind, `${logged.says} The key could not be logged, so ${path} was taken away again.`, logged.facts)
    }
    return {
      document: { file: path, algorithm: flags.type, fingerprint, class: keyClass, encrypted: passphrase !== null, entry: logged.seq },
      words: `${path}: ${flags.type} key, fingerprint ${fingerprint}${keyClass === 'test' ? '\nIt has no passphrase, so it counts as a test key: real boards do not take images signed with it unless told to.' : ''}`,
    }
  } finally {
    key.wipe()
  }
}
