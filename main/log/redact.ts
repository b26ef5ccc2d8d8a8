// Taking free text out of an entry afterwards, without taking the entry out of the tree. The leaf hash stays where it was;
// the bytes are replaced by the same entry with the text struck out; and a later entry of kind `entry-redacted` says which
// entry, which fields, who and why, with the hash of the replacement. So nobody can strike anything out unseen, and what is
// left of the entry is still vouched for by the tree, through the later entry. What was struck out is gone for good.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { fromHex, sameBytes, toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import { canonicalBytes } from './canonical.ts'
import { parseEntry } from './entry.ts'
import type { Entry } from './entry.ts'
import { leafHash } from './tree.ts'
import type { Sha256 } from './tree.ts'

export const redactionKind = 'entry-redacted'
/** What stands where a text was struck out. */
export const struckOut = '[redacted]'

/** Free text: sentences and names people chose. What identifies units, images, keys and outcomes stays. */
export const redactableFields: readonly string[] = ['says', 'reason', 'before', 'after', 'name', 'file', 'port', 'keyName', 'what', 'why']

/** One redaction as a later entry tells it. */
export type Redaction = Readonly<{ seq: number; leaf: Uint8Array; replacedBy: Uint8Array; by: number; fields: readonly string[] }>

/** The entry with these fields struck out, its bytes and the fields that it had. `person` may be named too. Fails with `nothing-to-redact`. */
export function redactEntry(entry: Entry, fields: readonly string[]): { bytes: Uint8Array; entry: Entry; fields: string[] } | Failure {
  const struck = fields.filter((field) => {
    const value = field === 'person' ? entry.person : Object.hasOwn(entry.data, field) ? entry.data[field] : undefined
    return (field === 'person' || redactableFields.includes(field)) && typeof value === 'string' && value !== '' && value !== struckOut
  })
  if (struck.length === 0) {
    return new Failure('nothing-to-redact', `Entry ${entry.seq} has no free text under ${fields.join(', ') || 'any name'}. Only ${['person', ...redactableFields].join(', ')} can be struck out.`)
  }
  const data = { ...entry.data }
  for (const field of struck) if (field !== 'person') data[field] = struckOut
  const bytes = canonicalBytes({ ...entry, person: struck.includes('person') ? struckOut : entry.person, data })
  if (bytes instanceof Failure) return bytes
  const again = parseEntry(bytes)
  return again instanceof Failure ? again : { bytes, entry: again, fields: struck }
}

/** The redaction an entry tells of; null when it tells of none, or of something that cannot be. */
export function redactionOf(entry: Entry): Redaction | null {
  if (entry.kind !== redactionKind) return null
  const { entry: seq, leaf, replacedBy, fields } = entry.data
  const [leafBytes, replacedBytes] = [leaf, replacedBy].map((hex) => (typeof hex === 'string' && hex.length === 64 ? fromHex(hex) : null))
  if (typeof seq !== 'number' || seq < 0 || seq >= entry.seq || !(leafBytes instanceof Uint8Array) || !(replacedBytes instanceof Uint8Array)) return null
  return { seq, leaf: leafBytes, replacedBy: replacedBytes, by: entry.seq, fields: typeof fields === 'string' ? fields.split(' ') : [] }
}

/** The latest redaction of each entry. An earlier one of the same entry must speak of the same leaf, or neither counts. */
export function redactionsIn(entries: readonly Entry[]): ReadonlyMap<number, Redaction> {
  const found = new Map<number, Redaction>()
  const contradicted = new Set<number>()
  for (const entry of entries) {
    const redaction = redactionOf(entry)
    if (redaction === null) continue
    const before = found.get(redaction.seq)
    if (before !== undefined && !sameBytes(before.leaf, redaction.leaf)) contradicted.add(redaction.seq)
    if (before === undefined || before.by < redaction.by) found.set(redaction.seq, redaction)
  }
  for (const seq of contradicted) found.delete(seq)
  return found
}

/** True when an entry is struck out where its redaction says so, and somewhere at all: else it was exchanged, not struck out. */
export function isStruck(entry: Entry, { fields }: Redaction): boolean {
  return fields.length > 0 && fields.every((field) => (field === 'person' ? entry.person : Object.hasOwn(entry.data, field) ? entry.data[field] : null) === struckOut)
}

/** What an `entry-redacted` entry says of a replacement. */
export function redactionData(seq: number, leaf: Uint8Array, replacement: Uint8Array, fields: readonly string[], says: string): { entry: number; leaf: string; replacedBy: string; fields: string; says: string } {
  return { entry: seq, leaf: toHex(leaf), replacedBy: toHex(nobleSha256(replacement)), fields: fields.join(' '), says }
}

/**
 * The leaf of an entry's bytes: their own, or the one a redaction vouches for when these are its replacement bytes.
 * `redacted` says which.
 */
export function leafOf(bytes: Uint8Array, redaction: Redaction | undefined, sha256: Sha256 = nobleSha256): { leaf: Uint8Array; redacted: boolean } {
  if (redaction !== undefined && sameBytes(sha256(bytes), redaction.replacedBy)) return { leaf: redaction.leaf, redacted: true }
  return { leaf: leafHash(bytes, sha256), redacted: false }
}
