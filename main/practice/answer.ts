// The words between the SMP server and its command groups: what a handler answers, what it may ask of the board, and
// how it reads a request body. Bodies are read as zcbor reads them (zephyr subsys/mgmt/mcumgr/util/src/zcbor_bulk.c):
// fields under other names are skipped, a field of the wrong kind fails the whole map, bytes behind the map do not matter.
import { decodeFirst } from 'cborg'
import { readFlat } from '../smp/flat.ts'
import type { CborMap, CborValue } from '../smp/message.ts'
import type { BoardProfile } from './profiles.ts'

/** MGMT_ERR codes the server itself gives. */
export const mgmt = { unknown: 1, invalid: 3, messageSize: 7, notSupported: 8, corrupt: 9, tooNew: 13 } as const

/**
 * What a handler gives back: a body; a plain `rc`, written alike under both header versions; or a group's own error,
 * which a version 0 client gets translated.
 */
export type Answer =
  | Readonly<{ is: 'body'; body: CborMap }>
  | Readonly<{ is: 'rc'; code: number }>
  | Readonly<{ is: 'err'; group: number; code: number }>

export const body = (map: CborMap): Answer => ({ is: 'body', body: map })
export const plainError = (code: number): Answer => ({ is: 'rc', code })
export const groupError = (group: number, code: number): Answer => ({ is: 'err', group, code })

export type UploadRequest = Readonly<{ image?: number; data?: Uint8Array; len?: number; off?: number; sha?: Uint8Array; upgrade?: boolean }>

/** The image group of one running firmware. */
export interface ImageGroup {
  /** Called after each upload chunk taken, with the bytes written so far and the whole. */
  onUploaded: (offset: number, sizeBytes: number) => void
  listState(): Answer
  setState(hash: Uint8Array | undefined, confirm: boolean): Answer
  erase(slot: number | undefined): Answer
  slotInfo(): Answer
  upload(request: UploadRequest): Answer
}

/** Settings, files and shell of one running firmware. */
export interface UnitGroup {
  readSetting(name: string, maxBytes: number): Answer
  writeSetting(name: string, value: Uint8Array): Answer
  saveSettings(): Answer
  download(path: string, off: number): Answer
  upload(path: string, off: number, data: Uint8Array, lengthBytes: number | undefined): Answer
  shell(argv: readonly string[], seat: ServerSeat): Answer
}

/** What the server may ask of the board it runs on. */
export type ServerSeat = Readonly<{
  profile: BoardProfile
  serial: string
  image: ImageGroup
  unit: UnitGroup
  /** What the running firmware finds out about itself. */
  selfTestPasses: boolean
  /** Milliseconds since this firmware started. */
  uptimeMs: () => number
  /** `recovery`: the bootloader is asked to stay (boot mode 1 in retained memory). */
  requestReset: (recovery?: boolean) => void
  /** What the running firmware makes of an echoed text. */
  echo: (text: string) => string
}>

export type Handler = (seat: ServerSeat, payload: Uint8Array) => Answer
export type HandlerPair = Readonly<{ read?: Handler; write?: Handler }>
export type HandlerTable = Readonly<Record<number, HandlerPair | undefined>>

/** What a field of a request must be; anything else there is `rc` 3, anything under another name is skipped. */
export type FieldKind = 'bytes' | 'text' | 'texts' | 'flag' | 'count'
export type Fields = Readonly<Record<string, FieldKind>>

type FieldValue = { bytes: Uint8Array; text: string; texts: readonly string[]; flag: boolean; count: number }
export type FieldsOf<F extends Fields> = { [K in keyof F]?: FieldValue[F[K]] }

/** The named fields of a request body as zcbor_map_decode_bulk takes them, or null where it fails. */
export function readFields<F extends Fields>(payload: Uint8Array, fields: F): FieldsOf<F> | null {
  let map: unknown
  try {
    // Only the map itself is read: bytes behind it are no error to the recorded server.
    map = readFlat(payload)?.map ?? decodeFirst(payload, { allowIndefinite: true, rejectDuplicateMapKeys: true })[0]
  } catch {
    return null
  }
  if (typeof map !== 'object' || map === null || Array.isArray(map) || map instanceof Uint8Array) return null
  const found: Record<string, unknown> = {}
  for (const [key, kind] of Object.entries(fields)) {
    if (!Object.hasOwn(map, key)) continue
    const value = (map as Record<string, CborValue>)[key]
    if (!isKind(value, kind)) return null
    found[key] = value
  }
  return found as FieldsOf<F>
}

function isKind(value: unknown, kind: FieldKind): boolean {
  switch (kind) {
    case 'bytes': return value instanceof Uint8Array
    case 'text': return typeof value === 'string'
    case 'texts': return Array.isArray(value) && value.every((each) => typeof each === 'string')
    case 'flag': return typeof value === 'boolean'
    // size_t of a 32-bit part.
    case 'count': return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 0xffffffff
  }
}
