// `package key add|list|remove`: the AES keys that encrypted packages are opened with at this station, by the names that
// packages call them. The log notes the name, never the key.
import { utf8 } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { bytesWords } from '../cms/attributes.ts'
import { addFirmwareKey, firmwareKeys, removeFirmwareKey } from '../station/firmware-keys.ts'
import type { Answer, Call } from './call.ts'
import { homeFolder, prepareHome } from './home.ts'
import { secretFrom } from './packages.ts'
import { record } from './record.ts'

export type FirmwareKeyFlags = Readonly<{ id: string }>

export async function addKey(call: Call, path: string, { id }: FirmwareKeyFlags): Promise<Answer | Failure> {
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const secret = await secretFrom(path, id)
  if (failed(secret)) return secret
  const wrong = await addFirmwareKey(homeFolder(call), secret)
  if (wrong !== null) return wrong
  const bits = secret.key.length * 8
  secret.key.fill(0)
  const entry = await record(call, { kind: 'settings', data: { name: 'firmware-key', after: `${bytesWords(secret.id)}, AES-${bits}` } })
  return failed(entry) ? entry : { document: { id, bits, entry: entry.seq }, words: `Packages encrypted with "${id}" (AES-${bits}) open here from now on. The key rests unencrypted in the home, readable by this user only.` }
}

export async function listFirmwareKeys(call: Call): Promise<Answer | Failure> {
  const keys = await firmwareKeys(homeFolder(call))
  if (failed(keys)) return keys
  const rows = keys.map(({ id, key }) => ({ id: bytesWords(id), bits: key.length * 8 }))
  return { document: { keys: rows }, words: rows.length === 0 ? 'No firmware keys.' : rows.map(({ id, bits }) => `${id}  AES-${bits}`).join('\n') }
}

export async function removeKey(call: Call, id: string): Promise<Answer | Failure> {
  const wrong = await removeFirmwareKey(homeFolder(call), utf8(id))
  if (wrong !== null) return wrong
  const entry = await record(call, { kind: 'settings', data: { name: 'firmware-key', before: bytesWords(utf8(id)), after: 'removed' } })
  return failed(entry) ? entry : { document: { id, entry: entry.seq }, words: `The firmware key "${id}" is forgotten here.` }
}
