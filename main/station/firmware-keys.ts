// The keys that encrypted packages are opened with, by the names packages call them (RFC 4108 §2.2.5 and §2.3.1): one file
// each in the home, hex, readable by its user only. They are symmetric and not signing keys, so they are no part of the key
// ring; one key may serve as firmware key and as wrapping key alike.
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { bytesWords } from '../cms/attributes.ts'
import type { Decrypting, NamedSecret } from '../cms/layers.ts'

const keysMax = 256
const idBytesMax = 64
const fileName = /^([0-9a-f]{2}){1,64}\.key$/

function folderOf(home: string): string {
  return join(home, 'firmware-keys')
}

/** All of them. Kind `firmware-keys-unreadable`. */
export async function firmwareKeys(home: string): Promise<NamedSecret[] | Failure> {
  const folder = folderOf(home)
  let files: string[]
  try {
    files = (await readdir(folder)).filter((file) => fileName.test(file)).sort()
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? [] : unreadable(folder, error)
  }
  if (files.length > keysMax) return new Failure('firmware-keys-unreadable', `There are more than ${keysMax} firmware keys in ${folder}. Take those out that are not needed.`)
  const keys: NamedSecret[] = []
  for (const file of files) {
    const id = fromHex(file.slice(0, -'.key'.length))
    let key: Uint8Array | null
    try {
      key = fromHex((await readFile(join(folder, file), 'latin1')).trim())
    } catch (error) {
      return unreadable(join(folder, file), error)
    }
    if (id === null || key === null || (key.length !== 16 && key.length !== 32)) return new Failure('firmware-keys-unreadable', `${join(folder, file)} holds no AES key (16 or 32 bytes in hex). Take it out, or add the key again.`)
    keys.push({ id, key })
  }
  return keys
}

/** What an encrypted package may be opened with here. Kind `firmware-keys-unreadable`. */
export async function decryptingOf(home: string): Promise<Decrypting | Failure> {
  const keys = await firmwareKeys(home)
  return failed(keys) ? keys : { firmwareKeys: keys, wrappingKeys: keys }
}

/** Keeps a key. Kinds: `bad-option`, `firmware-key-exists`, `firmware-keys-unreadable`. */
export async function addFirmwareKey(home: string, { id, key }: NamedSecret): Promise<Failure | null> {
  const folder = folderOf(home)
  if (id.length === 0 || id.length > idBytesMax) return new Failure('bad-option', `A firmware key's name has 1 to ${idBytesMax} bytes.`)
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(join(folder, `${toHex(id)}.key`), `${toHex(key)}\n`, { mode: 0o600, flag: 'wx', flush: true })
    return null
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return new Failure('firmware-key-exists', `There is a firmware key ${bytesWords(id)} already. Remove it first, if it is another one.`)
    return unreadable(folder, error)
  }
}

/** Forgets a key. Kinds: `no-such-key`, `firmware-keys-unreadable`. */
export async function removeFirmwareKey(home: string, id: Uint8Array): Promise<Failure | null> {
  const file = join(folderOf(home), `${toHex(id)}.key`)
  try {
    await stat(file)
    await rm(file)
    return null
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? new Failure('no-such-key', `There is no firmware key ${bytesWords(id)} here.`) : unreadable(file, error)
  }
}

function unreadable(path: string, error: unknown): Failure {
  const code = codeOf(error)
  if (code === '') throw error
  return new Failure('firmware-keys-unreadable', `The firmware keys in ${path} cannot be used (the system says ${code}). Check the folder's permissions.`, { code })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
