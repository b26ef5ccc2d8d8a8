// One entry of the audit log: an envelope that is the same for every kind, and the kind's own data (kinds.ts). The entry
// is its canonical bytes; they are the Merkle leaf (RFC 6962 section 2.1), so an auditor recomputes the leaf from the
// exported line with any SHA-256. `seq` is the leaf's index, from 0, which makes a dropped or renumbered entry visible.
import { z } from 'zod'
import { attempt, Failure, must, refuse } from '../base/failure.ts'
import { canonicalBytes, parseCanonical } from './canonical.ts'
import type { JsonObject } from './canonical.ts'
import { isKnownKind, kinds } from './kinds.ts'
import type { Kind, KindData } from './kinds.ts'

/** No entry is longer; known kinds stay far below (tlog-tiles bundles allow 65,535). */
export const entryBytesMax = 32_768

export const roles = ['operator', 'engineer', 'auditor', 'administrator', 'station'] as const
export type Role = (typeof roles)[number]

/** Where and under whom an entry is written. */
export type Envelope = Readonly<{
  /** Leaf index, from 0 without gaps. */
  seq: number
  /** Wall time, UTC, ISO 8601 with milliseconds: `2026-01-31T12:00:00.000Z`. */
  time: string
  /** Whole milliseconds by the monotonic clock since this station start. */
  mono: number
  /** Identity of this station start. */
  session: string
  /** The station's name. */
  station: string
  /** Who acted; empty when the station acted by itself. */
  person: string
  role: Role
}>

/** An entry as read: `kind`, `role` and `data` are whatever was written, perhaps by a later version. */
export type Entry = Readonly<Omit<Envelope, 'role'> & { v: 1; role: string; kind: string; data: JsonObject }>

/** What a room hands in to be logged. Without `person` and `role` the station itself acted. */
export type EntryDraft = {
  [K in Kind]: Readonly<{ kind: K; data: KindData<K>; person?: string; role?: Role }>
}[Kind]

const envelope = z.strictObject({
  v: z.literal(1),
  seq: z.int().nonnegative(),
  time: z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/),
  mono: z.int().nonnegative(),
  session: z.string().min(1).max(64),
  station: z.string().min(1).max(200),
  person: z.string().max(200),
  role: z.enum(roles),
  kind: z.string().min(1).max(64),
})

/**
 * The entry of a draft and its canonical bytes. Fails with `entry-refused` when the draft does not fit its kind's schema
 * (an unknown field, an overlong text, a hash that is none).
 */
export function makeEntry(where: Envelope, draft: EntryDraft): { entry: Entry; bytes: Uint8Array } | Failure {
  return attempt(() => {
    const kind: string = draft.kind
    if (!isKnownKind(kind)) return refuse('entry-refused', `The log has no kind of entry called "${kind}".`)
    const schema: z.ZodType = kinds[kind]
    const data = schema.safeParse(draft.data)
    if (!data.success) return refuse('entry-refused', `An entry "${draft.kind}" cannot be written: ${firstIssue(data.error)}.`)
    const { seq, time, mono, session, station, person, role } = where
    const head = envelope.safeParse({ v: 1, seq, time, mono, session, station, person, role, kind: draft.kind })
    if (!head.success) return refuse('entry-refused', `An entry "${draft.kind}" cannot be written: ${firstIssue(head.error)}.`)
    const bytes = must(canonicalBytes({ ...head.data, data: data.data }))
    if (bytes.length > entryBytesMax) {
      return refuse('entry-refused', `An entry "${draft.kind}" would be ${bytes.length} bytes long; ${entryBytesMax} are allowed.`)
    }
    return { entry: must(parseEntry(bytes)), bytes }
  })
}

function firstIssue(error: z.ZodError): string {
  const issue = error.issues[0]
  return issue === undefined ? 'it does not fit its schema' : `${issue.path.join('.') || 'entry'}: ${issue.message}`
}

const envelopeFields = ['data', 'kind', 'mono', 'person', 'role', 'seq', 'session', 'station', 'time', 'v']
const isoTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/

/**
 * Reads the bytes of an entry of any kind. Fails with `not-canonical`, `entry-too-long`, `entry-newer` (its `v` is not 1)
 * or `entry-malformed`. The envelope is checked by hand rather than by zod: verification reads a million of these.
 */
export function parseEntry(bytes: Uint8Array): Entry | Failure {
  if (bytes.length > entryBytesMax) {
    return new Failure('entry-too-long', `The entry is ${bytes.length} bytes long; ${entryBytesMax} are allowed.`)
  }
  const value = parseCanonical(bytes)
  if (value instanceof Failure) return value
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return malformed('it is not an object')
  const entry = value as JsonObject
  if (entry['v'] !== 1) {
    return new Failure('entry-newer', `The entry says it is of version ${JSON.stringify(entry['v'])}; this reader knows version 1.`)
  }
  for (const field of envelopeFields) if (!Object.hasOwn(entry, field)) return malformed(`"${field}" is missing`)
  for (const field of ['session', 'station', 'person', 'role', 'kind'] as const) {
    if (typeof entry[field] !== 'string') return malformed(`"${field}" is not a text`)
  }
  for (const field of ['seq', 'mono'] as const) {
    const number = entry[field]
    if (typeof number !== 'number' || number < 0) return malformed(`"${field}" is not a number from 0`)
  }
  const time = entry['time']
  if (typeof time !== 'string' || !isoTime.test(time)) return malformed('"time" is not a UTC time with milliseconds')
  const data = entry['data']
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return malformed('"data" is not an object')
  return entry as unknown as Entry
}

function malformed(why: string): Failure {
  return new Failure('entry-malformed', `The bytes are no log entry: ${why}.`)
}
