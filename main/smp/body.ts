// Reading fields out of a hostile reply body. Each reader demands type and bounds, and leaves the decoder with a
// `garbled` failure that names the field. Fields nobody asked for are ignored: newer servers add some.
import { Failure, attempt, refuse } from '../base/failure.ts'
import { plainText } from './line.ts'
import type { CborMap, CborValue } from './message.ts'

/** Runs a decoder over a body; what it refuses becomes a `garbled` failure naming the command. */
export function readBody<T>(command: string, work: () => T): T | Failure<'garbled'> {
  const value = attempt(work)
  if (!(value instanceof Failure)) return value
  return new Failure('garbled', `The board's answer to "${command}" makes no sense: ${value.says}. Its firmware may speak another dialect; read its log.`, value.facts)
}

function own(body: CborMap, key: string): CborValue | undefined {
  return Object.hasOwn(body, key) ? body[key] : undefined
}

export function has(body: CborMap, key: string): boolean {
  return Object.hasOwn(body, key)
}

/** A whole number in 0..max. */
export function takeCount(body: CborMap, key: string, max = 0xffffffff): number {
  const value = own(body, key)
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > max) refuse('field', `"${key}" is no number from 0 to ${max}`)
  return value
}

export function takeCountOr<T>(body: CborMap, key: string, absent: T, max = 0xffffffff): number | T {
  return has(body, key) ? takeCount(body, key, max) : absent
}

/** A whole number, negative ones too. */
export function takeInteger(body: CborMap, key: string): number {
  const value = own(body, key)
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) refuse('field', `"${key}" is no whole number`)
  return value
}

/**
 * A text of at most `charsMax` UTF-16 units. Control characters and those that turn the writing direction or have no width
 * are replaced by `·`, so that it may be shown, logged and printed; line ends stay where `lines` says that there may be some.
 */
export function takeText(body: CborMap, key: string, charsMax: number, lines: 'one' | 'several' = 'one'): string {
  const value = own(body, key)
  if (typeof value !== 'string') refuse('field', `"${key}" is no text`)
  if (value.length > charsMax) refuse('field', `"${key}" is longer than ${charsMax} characters`)
  return plainText(value, lines)
}

/** Bytes of exactly one of these lengths. */
export function takeBytes(body: CborMap, key: string, lengths: readonly number[]): Uint8Array {
  const value = own(body, key)
  if (!(value instanceof Uint8Array)) refuse('field', `"${key}" is no byte string`)
  if (!lengths.includes(value.length)) refuse('field', `"${key}" has ${value.length} bytes, not ${lengths.join(' or ')}`)
  return value
}

/** A yes or no; older servers leave out what is false. */
export function takeFlag(body: CborMap, key: string): boolean {
  const value = own(body, key)
  if (value === undefined) return false
  if (typeof value !== 'boolean') refuse('field', `"${key}" is neither true nor false`)
  return value
}

/** A list of maps, at most `itemsMax`. */
export function takeMaps(body: CborMap, key: string, itemsMax: number): readonly CborMap[] {
  const value = own(body, key)
  if (!Array.isArray(value)) refuse('field', `"${key}" is no list`)
  if (value.length > itemsMax) refuse('field', `"${key}" has more than ${itemsMax} items`)
  const items = value as readonly CborValue[]
  for (const item of items) if (!isMap(item)) refuse('field', `"${key}" holds something that is no map`)
  return items as readonly CborMap[]
}

export function isMap(value: CborValue | undefined): value is CborMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}
