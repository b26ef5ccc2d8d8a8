// The keys that encrypted packages are opened with, by the names packages call them (RFC 4108 §2.2.5 and §2.3.1): one PEM
// file each in the home, encrypted as key files are and readable by its user only. They are symmetric and not signing keys,
// so they are no part of the key ring; one key may serve as firmware key and as wrapping key alike.
import { mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { concat, fromHex, toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { bytesWords } from '../cms/attributes.ts'
import type { NamedSecret } from '../cms/layers.ts'
import { openSecretKey, sealSecretKey } from '../keys/secretkey.ts'

const keysMax = 256
const idBytesMax = 64
const pemBytesMax = 16 * 1024
const fileName = /^((?:[0-9a-f]{2}){1,64})\.aes(128|256)\.pem$/
/** How they lay here before they were encrypted. */
const plainName = /^([0-9a-f]{2}){1,64}\.key$/

export type FirmwareKeyEntry = Readonly<{ id: Uint8Array; bits: 128 | 256; path: string }>

function folderOf(home: string): string {
  return join(home, 'firmware-keys')
}

/** All of them, none opened. Kinds: `firmware-keys-unreadable`, `firmware-key-plain`. */
export async function firmwareKeys(home: string): Promise<FirmwareKeyEntry[] | Failure> {
  const folder = folderOf(home)
  let files: string[]
  try {
    files = (await readdir(folder)).sort()
  } catch (error) {
    return codeOf(error) === 'ENOENT' ? [] : unreadable(folder, error)
  }
  const plain = files.find((file) => plainName.test(file))
  if (plain !== undefined) return new Failure('firmware-key-plain', `${join(folder, plain)} holds a firmware key that is not encrypted, and is not used. Take it in again, under a passphrase, with: slotwright package key add FILE --id NAME. Then delete that file.`)
  const keys: FirmwareKeyEntry[] = []
  for (const file of files) {
    const [, hex = '', bits] = fileName.exec(file) ?? []
    const id = fromHex(hex)
    if (id === null || id.length === 0) continue
    if (keys.length >= keysMax) return new Failure('firmware-keys-unreadable', `There are more than ${keysMax} firmware keys in ${folder}. Take those out that are not needed.`)
    keys.push({ id, bits: bits === '128' ? 128 : 256, path: join(folder, file) })
  }
  return keys
}

/** The key of that name, not opened; null when there is none. Kinds: of `firmwareKeys`. */
export async function findFirmwareKey(home: string, id: Uint8Array): Promise<FirmwareKeyEntry | null | Failure> {
  const keys = await firmwareKeys(home)
  if (failed(keys)) return keys
  const name = toHex(id)
  return keys.find((key) => toHex(key.id) === name) ?? null
}

/** The key itself; the caller wipes it. Kinds: `wrong-passphrase`, `firmware-keys-unreadable`. */
export async function openFirmwareKey({ id, bits, path }: FirmwareKeyEntry, passphrase: string): Promise<NamedSecret | Failure> {
  const pem = await readSealed(path)
  const key = failed(pem) ? pem : await openSecretKey(pem, passphrase)
  if (failed(key)) return key.kind === 'not-a-key' ? new Failure('firmware-keys-unreadable', `${path} holds no firmware key. Take it out, or add the key again.`) : key
  if (key.length * 8 === bits) return { id, key }
  key.fill(0)
  return new Failure('firmware-keys-unreadable', `${path} holds another key than its name says. Take it out, or add the key again.`)
}

/** The key's file as it lies here, encrypted. Kind `firmware-keys-unreadable`. */
export async function readSealed(path: string): Promise<string | Failure> {
  try {
    const { size } = await stat(path)
    return size > pemBytesMax ? new Failure('firmware-keys-unreadable', `${path} has ${size} bytes; that is no key file.`) : await readFile(path, 'latin1')
  } catch (error) {
    return unreadable(path, error)
  }
}

/** Keeps a key, encrypted. Kinds: `bad-option`, `weak-passphrase`, `firmware-key-exists`, `firmware-keys-unreadable`, `firmware-key-plain`. */
export async function addFirmwareKey(home: string, { id, key }: NamedSecret, passphrase: string): Promise<Failure | null> {
  const folder = folderOf(home)
  if (id.length === 0 || id.length > idBytesMax) return new Failure('bad-option', `A firmware key's name has 1 to ${idBytesMax} bytes.`)
  const there = await findFirmwareKey(home, id)
  if (failed(there)) return there
  if (there !== null) return exists(id)
  const pem = await sealSecretKey(key, passphrase)
  if (failed(pem)) return pem
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(join(folder, `${toHex(id)}.aes${key.length * 8}.pem`), pem, { mode: 0o600, flag: 'wx', flush: true })
    return null
  } catch (error) {
    return codeOf(error) === 'EEXIST' ? exists(id) : unreadable(folder, error)
  }
}

/** Forgets a key. Kinds: `no-such-key`, `firmware-keys-unreadable`, `firmware-key-plain`. */
export async function removeFirmwareKey(home: string, id: Uint8Array): Promise<Failure | null> {
  const entry = await findFirmwareKey(home, id)
  if (failed(entry)) return entry
  if (entry === null) return noSuchKey(id)
  try {
    await rm(entry.path)
    return null
  } catch (error) {
    return unreadable(entry.path, error)
  }
}

export function noSuchKey(id: Uint8Array): Failure {
  return new Failure('no-such-key', `There is no firmware key ${bytesWords(id)} here. See: slotwright package key list`)
}

/** Firmware keys that somebody opened at this station, in memory until it is locked or closed, as a token's PIN is. */
export class OpenFirmwareKeys {
  readonly #keys = new Map<string, Uint8Array>()

  /** A copy; the caller wipes it. */
  get(id: Uint8Array): NamedSecret | null {
    const key = this.#keys.get(toHex(id))
    return key === undefined ? null : { id, key: concat(key) }
  }

  /** Keeps a copy. */
  hold({ id, key }: NamedSecret): void {
    this.#keys.get(toHex(id))?.fill(0)
    this.#keys.set(toHex(id), concat(key))
  }

  /** Wipes all of them. */
  lock(): void {
    for (const key of this.#keys.values()) key.fill(0)
    this.#keys.clear()
  }
}

function exists(id: Uint8Array): Failure {
  return new Failure('firmware-key-exists', `There is a firmware key ${bytesWords(id)} already. Remove it first, if it is another one.`)
}

function unreadable(path: string, error: unknown): Failure {
  const code = codeOf(error)
  if (code === '') throw error
  return new Failure('firmware-keys-unreadable', `The firmware keys in ${path} cannot be used (the system says ${code}). Check the folder's permissions.`, { code })
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
