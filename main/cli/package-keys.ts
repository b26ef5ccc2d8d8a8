// `package key make|add|list|export|remove`: the AES keys that packages are encrypted with and opened with at this station,
// by the names that packages call them. They rest encrypted under a passphrase; the log notes the name, never the key.
import { randomBytes } from 'node:crypto'
import { toHex, utf8 } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { bytesWords } from '../cms/attributes.ts'
import type { NamedSecret } from '../cms/layers.ts'
import { addFirmwareKey, findFirmwareKey, firmwareKeys, noSuchKey, readSealed, removeFirmwareKey } from '../station/firmware-keys.ts'
import type { Answer, Call } from './call.ts'
import { writeOutput } from './files.ts'
import { keptSecret, secretFrom } from './firmware-key.ts'
import type { FirmwarePassphrase } from './firmware-key.ts'
import { homeFolder, prepareHome } from './home.ts'
import { newPassphrase } from './passphrase.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { record } from './record.ts'

export type AddKeyFlags = PassphraseOptions & FirmwarePassphrase & Readonly<{ id: string }>
export type MakeKeyFlags = PassphraseOptions & Readonly<{ id: string; bits: 128 | 256 }>
export type ExportKeyFlags = FirmwarePassphrase & Readonly<{ clear?: true }>

export async function addKey(call: Call, path: string, flags: AddKeyFlags): Promise<Answer | Failure> {
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const read = await secretFrom(call, path, flags.id, flags)
  if (failed(read)) return read
  const kept = await keep(call, read.secret, flags, 'taken in')
  if (failed(kept) || !read.plain) return kept
  const warning = `${path} holds the key unencrypted: whoever reads that file can read every package made for it. Delete it, or lock it away.`
  return { document: { ...kept.document as object, warning }, words: `${kept.words}\n${warning}` }
}

export async function makeKey(call: Call, flags: MakeKeyFlags): Promise<Answer | Failure> {
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  return keep(call, { id: utf8(flags.id), key: new Uint8Array(randomBytes(flags.bits / 8)) }, flags, 'made')
}

/** Files the key under a new passphrase, and wipes it. */
async function keep(call: Call, secret: NamedSecret, flags: PassphraseOptions, how: 'made' | 'taken in'): Promise<Answer | Failure> {
  const bits = secret.key.length * 8
  try {
    const there = await findFirmwareKey(homeFolder(call), secret.id)
    // Asked for last: nobody types a passphrase twice to learn that the name is taken.
    const passphrase = failed(there) ? there : there === null ? await newPassphrase(call, flags) : ''
    if (failed(passphrase)) return passphrase
    const wrong = await addFirmwareKey(homeFolder(call), secret, passphrase ?? '')
    if (wrong !== null) return wrong
  } finally {
    secret.key.fill(0)
  }
  const name = bytesWords(secret.id)
  const entry = await record(call, { kind: 'settings', data: { name: 'firmware-key', after: `${name}, AES-${bits}, ${how}` } })
  return failed(entry) ? entry : { document: { id: name, bits, entry: entry.seq }, words: `Packages encrypted with ${name} (AES-${bits}) open here from now on, with its passphrase. The key rests encrypted in the home.` }
}

export async function listFirmwareKeys(call: Call): Promise<Answer | Failure> {
  const keys = await firmwareKeys(homeFolder(call))
  if (failed(keys)) return keys
  const rows = keys.map(({ id, bits }) => ({ id: bytesWords(id), bits }))
  return { document: { keys: rows }, words: rows.length === 0 ? 'No firmware keys.' : rows.map(({ id, bits }) => `${id}  AES-${bits}`).join('\n') }
}

/** As the file lies here, encrypted; or in the clear, for boards. */
export async function exportKey(call: Call, id: string, out: string, flags: ExportKeyFlags): Promise<Answer | Failure> {
  const found = await findFirmwareKey(homeFolder(call), utf8(id))
  if (failed(found)) return found
  if (found === null) return noSuchKey(utf8(id))
  const text = flags.clear === true ? await keyText(call, id, flags) : await readSealed(found.path)
  if (failed(text)) return text
  const name = bytesWords(found.id)
  // As of a private key: the log says that it left before it leaves.
  const entry = await record(call, { kind: 'settings', data: { name: 'firmware-key', before: name, after: flags.clear === true ? `${name}, exported unencrypted` : `${name}, exported encrypted` } })
  if (failed(entry)) return entry
  const written = await writeOutput(out, utf8(text), { mode: 0o600, keep: true })
  if (written !== null) return written
  const says = flags.clear === true ? `${out} holds the key ${name} unencrypted, in hex: whoever reads that file can read every package made for it. Give it to the boards, then delete it.` : `${out}: the key ${name}, encrypted under its passphrase. Another station takes it in with: slotwright package key add`
  return { document: { id: name, file: out, encrypted: flags.clear !== true, entry: entry.seq }, words: says }
}

async function keyText(call: Call, id: string, flags: FirmwarePassphrase): Promise<string | Failure> {
  const secret = await keptSecret(call, utf8(id), flags) ?? noSuchKey(utf8(id))
  if (failed(secret)) return secret
  const text = `${toHex(secret.key)}\n`
  secret.key.fill(0)
  return text
}

export async function removeKey(call: Call, id: string): Promise<Answer | Failure> {
  const wrong = await removeFirmwareKey(homeFolder(call), utf8(id))
  if (wrong !== null) return wrong
  const name = bytesWords(utf8(id))
  const entry = await record(call, { kind: 'settings', data: { name: 'firmware-key', before: name, after: 'removed' } })
  return failed(entry) ? entry : { document: { id: name, entry: entry.seq }, words: `The firmware key ${name} is forgotten here.` }
}
