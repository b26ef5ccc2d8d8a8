// What the practice line's process and its parent say to each other. Keys and image travel as base64, so that either kind
// of serialization of Node's IPC (and Electron's) carries them.
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { publicKeyFromSpki } from '../image/publickey.ts'
import type { Fault } from './faults.ts'
import type { PracticeBoardView, PracticeLineOptions } from './line.ts'
import type { BoardProfile } from './profiles.ts'
import { secretOf } from './secrets.ts'

export type LineOrder = Readonly<{
  dir: string
  boards: number
  baud: number | null
  /** Base64 of the signed image, and of those of their other images. */
  firmware: string
  others: readonly string[]
  /** Their private key for encrypted images, base64 of its PKCS#8. */
  secret: Readonly<{ pkcs8: string; keyBytes: 16 | 32 }> | null
  /** Base64 of each key's SubjectPublicKeyInfo. */
  trust: readonly string[]
  /** Base64 of each certificate. */
  certificates: readonly string[]
  /** AES keys of packages, names and keys in base64. */
  firmwareKeys: readonly Readonly<{ id: string; key: string }>[]
  seed: number
  faults: string
  usb: boolean
  /** Null: the practice board as it comes. */
  profile: BoardProfile | null
}>

export type ToLine =
  | Readonly<{ is: 'start'; order: LineOrder }>
  | Readonly<{ is: 'set-fault'; id: number; bay: number; fault: Fault | null }>
  | Readonly<{ is: 'unplug' | 'replug' | 'power-cycle'; id: number; bay: number }>
  | Readonly<{ is: 'stop' }>

export type FromLine =
  | Readonly<{ is: 'ready' | 'boards'; boards: readonly PracticeBoardView[] }>
  | Readonly<{ is: 'failed'; kind: string; says: string }>
  | Readonly<{ is: 'done'; id: number; kind?: string; says?: string }>

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))

export function orderOf(options: PracticeLineOptions): LineOrder {
  return {
    dir: options.dir,
    boards: options.boards,
    baud: options.baud,
    firmware: base64(options.firmware),
    others: (options.others ?? []).map(base64),
    secret: options.secret ? { pkcs8: base64(options.secret.pkcs8), keyBytes: options.secret.keyBytes } : null,
    trust: options.trust.map((key) => base64(key.spki)),
    certificates: (options.certificates ?? []).map(base64),
    firmwareKeys: (options.firmwareKeys ?? []).map(({ id, key }) => ({ id: base64(id), key: base64(key) })),
    seed: options.seed ?? 1,
    faults: options.faults ?? '',
    usb: options.usb ?? false,
    profile: options.profile ?? null,
  }
}

/** Failure kinds: `unsupported-key`, and those of `publicKeyFromSpki`. */
export function optionsOf(order: LineOrder): PracticeLineOptions | Failure {
  const trust: PublicKey[] = []
  for (const text of order.trust) {
    const key = publicKeyFromSpki(bytesOf(text))
    if (failed(key)) return key
    if (key.algorithm === 'x25519') return new Failure('unsupported-key', 'A bootloader does not check signatures with an X25519 key.')
    trust.push(key)
  }
  const secret = order.secret === null ? null : secretOf(bytesOf(order.secret.pkcs8), order.secret.keyBytes)
  if (failed(secret)) return secret
  const { dir, boards, baud, seed, faults, usb, profile } = order
  return {
    dir, boards, baud, firmware: bytesOf(order.firmware), others: order.others.map(bytesOf), secret, trust, certificates: order.certificates.map(bytesOf), firmwareKeys: order.firmwareKeys.map(({ id, key }) => ({ id: bytesOf(id), key: bytesOf(key) })), seed, faults, usb,
    ...(profile === null ? {} : { profile }),
  }
}
