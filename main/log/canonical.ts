// Canonical JSON: one value, one byte string, so that a hash over it means something. A subset of RFC 8785 (JCS): keys
// sorted by UTF-16 code units, no white space, and of numbers only safe integers, so that any JSON tool in any language
// computes the same bytes. Surprise: JSON.parse happily takes duplicate keys and lone surrogates; comparing the
// re-encoded bytes with the original catches the first, a well-formedness check the second.
import { utf8 } from '../base/bytes.ts'
import { attempt, refuse } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'

export type Json = string | number | boolean | null | readonly Json[] | JsonObject
export type JsonObject = { readonly [key: string]: Json }

/** Deeper nesting than this is refused on both ways: nothing in the log needs it. */
export const nestingMax = 16

/**
 * The canonical text of a value. Object members that are `undefined` are left out, as JSON does.
 * Fails with `not-canonical` on anything that has no such text: fractions, unsafe integers, -0, lone surrogates, dates.
 */
export function canonicalText(value: unknown): string | Failure {
  return attempt(() => textOf(value, 0))
}

/** UTF-8 bytes of `canonicalText`. */
export function canonicalBytes(value: unknown): Uint8Array | Failure {
  const text = canonicalText(value)
  return typeof text === 'string' ? utf8(text) : text
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Reads canonical bytes; fails with `not-canonical` when they are anything but the one canonical form of their value. */
export function parseCanonical(bytes: Uint8Array): Json | Failure {
  return attempt(() => {
    let text: string
    let value: unknown
    try {
      text = decoder.decode(bytes)
      value = JSON.parse(text)
    } catch {
      return refuse('not-canonical', 'The bytes are not JSON in UTF-8.')
    }
    if (!isPlainlyCanonical(text, value) && textOf(value, 0) !== text) {
      return refuse('not-canonical', 'The bytes are JSON, but not in canonical form (order of keys, white space, escapes or numbers differ).')
    }
    return value as Json
  })
}

/**
 * True only for canonical text, false also for some that is (keys like "10", which JavaScript puts before all others):
 * what the engine itself writes, with sorted keys and whole numbers. Twice as fast as `textOf`, over a million entries.
 */
function isPlainlyCanonical(text: string, value: unknown): boolean {
  return !text.includes('\\ud') && isOrdered(value, 0) && JSON.stringify(value) === text
}

function isOrdered(value: unknown, depth: number): boolean {
  if (depth > nestingMax) return false
  if (typeof value === 'number') return Number.isSafeInteger(value)
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every((item) => isOrdered(item, depth + 1))
  let before = ''
  for (const [i, key] of Object.keys(value).entries()) {
    if (i > 0 && key <= before) return false
    before = key
    if (!isOrdered((value as Record<string, unknown>)[key], depth + 1)) return false
  }
  return true
}

function textOf(value: unknown, depth: number): string {
  if (depth > nestingMax) return refuse('not-canonical', `The value is nested more than ${nestingMax} levels deep.`)
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return stringText(value)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
      return refuse('not-canonical', 'Only whole numbers up to 2^53 - 1 can be written to the log.')
    }
    return String(value)
  }
  if (Array.isArray(value)) return `[${value.map((item) => textOf(item, depth + 1)).join(',')}]`
  if (typeof value !== 'object') return refuse('not-canonical', `A ${typeof value} has no JSON form.`)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return refuse('not-canonical', 'Only plain objects can be written to the log.')
  // The default sort compares UTF-16 code units, which is the order RFC 8785 section 3.2.3 asks for.
  const members = Object.entries(value).filter(([, member]) => member !== undefined)
  members.sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${stringText(key)}:${textOf(member, depth + 1)}`).join(',')}}`
}

const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

function stringText(text: string): string {
  const written = JSON.stringify(text)
  // JSON.stringify escapes lone surrogates, and nothing else, as \ud….
  if (written.includes('\\ud') && loneSurrogate.test(text)) return refuse('not-canonical', 'The text holds half a character (a lone surrogate).')
  return written
}
