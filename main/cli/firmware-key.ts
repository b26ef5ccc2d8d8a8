// An AES key as somebody names it on the command line: a file beside a name, or the name alone of one that the home keeps,
// which asks for its passphrase. Whoever gets a key from here wipes it.
import { fromHex, utf8 } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { bytesWords } from '../cms/attributes.ts'
import type { NamedSecret } from '../cms/layers.ts'
import { isAesKey, isSealed, openSecretKey } from '../keys/secretkey.ts'
import { findFirmwareKey, noSuchKey, openFirmwareKey } from '../station/firmware-keys.ts'
import type { Call } from './call.ts'
import { readInput } from './files.ts'
import { homeFolder } from './home.ts'
import { knownPassphrase } from './passphrase.ts'

export type FirmwarePassphrase = Readonly<{ firmwarePassphraseFile?: string | undefined }>

const keyFileBytesMax = 4096

/** A key in a file, and whether it lay there in the clear. */
export type SecretInFile = Readonly<{ secret: NamedSecret; plain: boolean }>

/** A key in a file: 16 or 32 bytes, as many in hex, or one that a station gave out, encrypted. Kinds: of reading files and passphrases, `not-a-key`, `wrong-passphrase`. */
export async function secretFrom(call: Call, path: string, id: string, { firmwarePassphraseFile }: FirmwarePassphrase = {}): Promise<SecretInFile | Failure> {
  const bytes = await readInput(path, 'key file', keyFileBytesMax)
  if (failed(bytes)) return bytes
  if (isAesKey(bytes)) return { secret: { id: utf8(id), key: bytes }, plain: true }
  const text = new TextDecoder('latin1').decode(bytes)
  if (isSealed(text)) {
    const passphrase = await knownPassphrase(call, { passphraseFile: firmwarePassphraseFile }, path)
    const key = failed(passphrase) ? passphrase : await openSecretKey(text, passphrase)
    return failed(key) ? new Failure(key.kind, `${path}: ${key.says}`, { path }) : { secret: { id: utf8(id), key }, plain: false }
  }
  const key = fromHex(text.trim())
  bytes.fill(0)
  if (key === null || !isAesKey(key)) return new Failure('not-a-key', `${path} is no AES key: it must hold 16 or 32 bytes, or as many written in hex.`, { path })
  return { secret: { id: utf8(id), key }, plain: true }
}

/** The key of that name that the home keeps; null when it keeps none. Kinds: of `findFirmwareKey`, of passphrases, `wrong-passphrase`. */
export async function keptSecret(call: Call, id: Uint8Array, { firmwarePassphraseFile }: FirmwarePassphrase): Promise<NamedSecret | null | Failure> {
  const entry = await findFirmwareKey(homeFolder(call), id)
  if (failed(entry) || entry === null) return entry
  const passphrase = await firmwarePassphrase(call, bytesWords(id), { firmwarePassphraseFile })
  return failed(passphrase) ? passphrase : openFirmwareKey(entry, passphrase)
}

/** The passphrase of a key that the home keeps. Kinds: `needs-passphrase`, `passphrase-file`, `stopped`. */
export async function firmwarePassphrase(call: Call, name: string, { firmwarePassphraseFile }: FirmwarePassphrase): Promise<string | Failure> {
  if (firmwarePassphraseFile === undefined && (!call.stdin.isTTY || !call.stderr.isTTY)) {
    return new Failure('needs-passphrase', `The firmware key ${name} rests here encrypted, and there is no terminal to ask for its passphrase on. Give it with --firmware-passphrase-file FILE.`)
  }
  return knownPassphrase(call, { passphraseFile: firmwarePassphraseFile }, `the firmware key ${name}`)
}

/** What `--OPTION FILE --OPTION-id NAME` name; the name alone is a key of the home. Null when neither is given. Kinds: `bad-option`, `no-such-key`, of both of the above. */
export async function secretNamed(call: Call, option: string, path: string | undefined, id: string | undefined, flags: FirmwarePassphrase): Promise<NamedSecret | null | Failure> {
  if (id === undefined) return path === undefined ? null : new Failure('bad-option', `Say with --${option}-id what packages and boards call the key.`)
  if (path !== undefined) {
    const read = await secretFrom(call, path, id, flags)
    return failed(read) ? read : read.secret
  }
  return await keptSecret(call, utf8(id), flags) ?? noSuchKey(utf8(id))
}
