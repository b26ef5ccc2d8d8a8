// What the practice line's process and its parent say to each other. Keys and image travel as base64, so that either kind
// of serialization of Node's IPC (and Electron's) carries them.
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import { publicKeyFromSpki } from '../image/publickey.ts'
import type { Fault } from './faults.ts'
import type { PracticeBoardView, PracticeLineOptions } from './line.ts'
import { findProfile } from './profiles.ts'

export type LineOrder = Readonly<{
  dir: string
  boards: number
  baud: number | null
  /** Base64 of the signed image. */
  firmware: string
  /** Base64 of each key's SubjectPublicKeyInfo. */
  trust: readonly string[]
  /** Base64 of each certificate. */
  certificates: readonly string[]
  seed: number
  faults: string
  usb: boolean
  /** Name in `profiles`. */
  profile: string
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

export function orderOf(options: PracticeLineOptions): LineOrder {
  return {
    dir: options.dir,
    boards: options.boards,
    baud: options.baud,
    firmware: Buffer.from(options.firmware).toString('base64'),
    trust: options.trust.map((key) => Buffer.from(key.spki).toString('base64')),
    certificates: (options.certificates ?? []).map((der) => Buffer.from(der).toString('base64')),
    seed: options.seed ?? 1,
    faults: options.faults ?? '',
    usb: options.usb ?? false,
    profile: options.profile?.name ?? 'practice',
  }
}

/** Failure kinds: `bad-profile`, and those of `publicKeyFromSpki`. */
export function optionsOf(order: LineOrder): PracticeLineOptions | Failure {
  const profile = findProfile(order.profile)
  if (failed(profile)) return profile
  const trust: PublicKey[] = []
  for (const text of order.trust) {
    const key = publicKeyFromSpki(new Uint8Array(Buffer.from(text, 'base64')))
    if (failed(key)) return key
    if (key.algorithm === 'x25519') return new Failure('unsupported-key', 'A bootloader does not check signatures with an X25519 key.')
    trust.push(key)
  }
  const firmware = new Uint8Array(Buffer.from(order.firmware, 'base64'))
  const { dir, boards, baud, seed, faults, usb } = order
  const certificates = order.certificates.map((text) => new Uint8Array(Buffer.from(text, 'base64')))
  return { dir, boards, baud, firmware, trust, certificates, seed, faults, usb, profile }
}
