// The golden vectors under test/vectors/imgtool: rows of index.json with imgtool's arguments turned into our options, and
// the throw-away keys. Files the index names but that equal another byte for byte are kept once and found by their hash.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { failed } from '../../main/base/failure.ts'
import type { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import type { EncryptionOptions } from '../../main/image/encrypt.ts'
import { parseVersion } from '../../main/image/format.ts'
import type { ImageVersion } from '../../main/image/format.ts'
import type { SignOptions } from '../../main/image/options.ts'
import { readKeyPem } from '../../main/keys/filekey.ts'
import type { FileKey } from '../../main/keys/filekey.ts'
import { readPublicKey } from '../../main/keys/publicpem.ts'
import { openSigner } from '../../main/keys/signer.ts'

const folder = join(import.meta.dirname, '..', 'vectors', 'imgtool')

export type Row = {
  name: string
  args: string[]
  input: string
  output: string
  sha256?: string
  dumpinfo?: Record<string, unknown>
  verify?: { exit: number; says: string[] }
}
export type Broken = { name: string; image: string; key?: string; imgtool_exit: number; imgtool_says: string }

export const index = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as { vectors: Row[]; broken: Broken[] }
const keysJson = JSON.parse(readFileSync(join(folder, 'keys', 'keys.json'), 'utf8')) as Record<string, { label: string; der_base64: string }>
const bySha = new Map(readdirSync(join(folder, 'images')).map((name) => {
  const bytes = readFileSync(join(folder, 'images', name))
  return [createHash('sha256').update(bytes).digest('hex'), bytes] as const
}))

export function fileOf(path: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, path)))
}

export function outputOf(row: Row): Uint8Array {
  if (existsSync(join(folder, row.output))) return fileOf(row.output)
  const same = bySha.get(row.sha256 ?? '')
  if (same === undefined) throw new Error(`no file for ${row.name}`)
  return new Uint8Array(same)
}

export function pemOf(name: string): string {
  const entry = keysJson[name.replace('keys/', '')]
  if (entry === undefined) throw new Error(`no key ${name}`)
  return `-----BEGIN ${entry.label}-----\n${(entry.der_base64.match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${entry.label}-----\n`
}

export const keyNames = Object.keys(keysJson)

export function good<T>(value: T | Failure): T {
  if (failed(value)) throw new Error(`${value.kind}: ${value.says}`)
  return value
}

export async function keyOf(name: string): Promise<FileKey> {
  return good(await readKeyPem(pemOf(name)))
}

export async function signerOf(name: string): Promise<Signer> {
  return good(openSigner(await keyOf(name)))
}

const after = (args: readonly string[], flag: string): string | undefined => (args.includes(flag) ? args[args.indexOf(flag) + 1] : undefined)
const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

function versionOf(text: string): ImageVersion {
  return good(parseVersion(text))
}

/** imgtool's arguments as our options; throws at an argument it does not know, so that no row is half read. */
export async function optionsOf(args: readonly string[], random: EncryptionOptions['random']): Promise<{ options: SignOptions; key?: string; vector?: 'payload' | 'digest'; hexAddress?: number }> {
  const known = new Set(['sign', '-v', '-H', '-S', '--align', '--max-align', '-k', '-s', '-d', '--boot-record', '--custom-tlv', '-L', '-F', '--public-key-format', '--sha', '--vid', '--cid', '-e', '-E', '--compression', '-x', '--vector-to-sign', '-R', '--pad-header', '--pad', '--test', '--confirm', '--overwrite-only', '--non-bootable', '--pure'])
  for (const arg of args) if (arg.startsWith('-') && !known.has(arg)) throw new Error(`unknown argument ${arg}`)
  const has = (flag: string) => args.includes(flag)
  const counter = after(args, '-s')
  const encryptTo = after(args, '-E')
  const customTlvs = args.flatMap((arg, i) => {
    if (arg !== '--custom-tlv') return []
    const value = args[i + 2] ?? ''
    return [{ type: Number(args[i + 1]), value: new Uint8Array(value.startsWith('0x') ? Buffer.from(value.slice(2), 'hex') : Buffer.from(value)) }]
  })
  const options: SignOptions = {
    version: versionOf(after(args, '-v') ?? ''),
    headerBytes: Number(after(args, '-H')),
    slotBytes: Number(after(args, '-S')),
    padHeader: has('--pad-header'), pad: has('--pad'), test: has('--test'), confirm: has('--confirm'),
    overwriteOnly: has('--overwrite-only'), nonBootable: has('--non-bootable'), pure: has('--pure'),
    align: number(after(args, '--align')) as SignOptions['align'],
    maxAlign: number(after(args, '--max-align')) as SignOptions['maxAlign'],
    endian: after(args, '-e') as SignOptions['endian'],
    erasedValue: number(after(args, '-R')) as SignOptions['erasedValue'],
    loadAddress: number(after(args, '-L')),
    romFixed: number(after(args, '-F')),
    securityCounter: counter === 'auto' ? 'auto' : number(counter),
    dependencies: [...(after(args, '-d') ?? '').matchAll(/\((\d+),\s*([0-9.+]+)\)/g)].map(([, image, version]) => ({ image: Number(image), version: versionOf(version ?? '') })),
    bootRecord: after(args, '--boot-record'),
    vid: after(args, '--vid'), cid: after(args, '--cid'), customTlvs,
    sha: after(args, '--sha') as SignOptions['sha'],
    publicKeyFormat: after(args, '--public-key-format') as SignOptions['publicKeyFormat'],
    compression: after(args, '--compression') as SignOptions['compression'],
    encrypt: encryptTo === undefined ? undefined : { publicKey: good(await readPublicKey(fileOf(encryptTo))), random },
  }
  return { options, key: after(args, '-k'), vector: after(args, '--vector-to-sign') as 'payload' | 'digest' | undefined, hexAddress: number(after(args, '-x')) }
}
