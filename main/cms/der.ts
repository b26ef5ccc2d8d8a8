// Writing DER (X.690 §8 and §10): values as lists of parts with a known total, joined once at the end, so that a 20 MiB
// firmware is copied once and the offset of every part is known before. In-place layout lives on that: it needs to say
// where the content will start without building it. Reading is pki.ts's business.
import { assert } from '../base/failure.ts'

/** An encoded value, not yet joined. `bytes` is the length of all parts together. */
export type Der = Readonly<{ bytes: number; parts: readonly Uint8Array[] }>

export const tags = {
  boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, nil: 0x05, oid: 0x06, enumerated: 0x0a, utf8: 0x0c, sequence: 0x30, set: 0x31,
  utcTime: 0x17, generalizedTime: 0x18,
} as const

/** Tag of a context-specific value: `[number]`, primitive or constructed. */
export function context(number: number, constructed = true): number {
  return (constructed ? 0xa0 : 0x80) | number
}

/** Bytes of tag and length before a value of that many bytes. */
export function headBytes(length: number): number {
  return length < 0x80 ? 2 : length < 0x100 ? 3 : length < 0x1_0000 ? 4 : length < 0x100_0000 ? 5 : 6
}

function head(tag: number, length: number): Uint8Array {
  const count = headBytes(length) - 2
  const bytes = new Uint8Array(2 + count)
  bytes[0] = tag
  bytes[1] = count === 0 ? length : 0x80 | count
  for (let i = 0; i < count; i++) bytes[2 + i] = Math.floor(length / 256 ** (count - 1 - i)) % 256
  return bytes
}

/** Tag, shortest length, value. */
export function tlv(tag: number, ...inside: readonly (Der | Uint8Array)[]): Der {
  let length = 0
  const parts: Uint8Array[] = []
  for (const part of inside) {
    if (part instanceof Uint8Array) {
      length += part.length
      parts.push(part)
    } else {
      length += part.bytes
      parts.push(...part.parts)
    }
  }
  const front = head(tag, length)
  return { bytes: front.length + length, parts: [front, ...parts] }
}

/** Already encoded bytes as a value. */
export function raw(bytes: Uint8Array): Der {
  return { bytes: bytes.length, parts: [bytes] }
}

/** The whole value in one array. */
export function join(value: Der): Uint8Array {
  const whole = new Uint8Array(value.bytes)
  let at = 0
  for (const part of value.parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

export const sequence = (...inside: readonly (Der | Uint8Array)[]): Der => tlv(tags.sequence, ...inside)
export const octets = (bytes: Uint8Array | Der): Der => tlv(tags.octets, bytes)
export const nil: Der = tlv(tags.nil)

/** SET OF: the members sorted by their encodings (X.690 §11.6). */
export function setOf(members: readonly Der[], tag: number = tags.set): Der {
  const encoded = members.map(join).sort(compareEncodings)
  return tlv(tag, ...encoded)
}

/** Order of encodings in a SET OF; a shorter one is as if padded with zeros. */
export function compareEncodings(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return (a[i] ?? 0) - (b[i] ?? 0)
  return a.length - b.length
}

/** A non-negative INTEGER. */
export function integer(value: bigint | number): Der {
  return tlv(tags.integer, magnitude(BigInt(value)))
}

export function enumerated(value: number): Der {
  return tlv(tags.enumerated, magnitude(BigInt(value)))
}

/** An INTEGER from its big-endian magnitude (serial numbers). */
export function integerOf(bytes: Uint8Array): Der {
  let at = 0
  while (at < bytes.length - 1 && bytes[at] === 0) at++
  const rest = bytes.subarray(at)
  return (rest[0] ?? 0) >= 0x80 ? tlv(tags.integer, Uint8Array.of(0), rest) : tlv(tags.integer, rest)
}

function magnitude(value: bigint): Uint8Array {
  assert(value >= 0n, 'numbers in packages are not negative')
  const bytes: number[] = []
  for (let left = value; left > 0n; left >>= 8n) bytes.unshift(Number(left & 0xffn))
  if (bytes.length === 0 || (bytes[0] ?? 0) >= 0x80) bytes.unshift(0)
  return Uint8Array.from(bytes)
}

/** Whether a text is a dotted object identifier that can be encoded: at least two arcs, the first 0 to 2. */
export function isOid(dotted: string): boolean {
  if (dotted.length > 200 || !/^[0-2](\.(0|[1-9][0-9]{0,38})){1,31}$/.test(dotted)) return false
  const [first = '', second = ''] = dotted.split('.')
  return first === '2' || BigInt(second) < 40n
}

const oidCache = new Map<string, Der>()
const oidCacheMax = 256

/** An OBJECT IDENTIFIER from its dotted text. */
export function oid(dotted: string): Der {
  const known = oidCache.get(dotted)
  if (known !== undefined) return known
  assert(isOid(dotted), `${dotted} is an object identifier`)
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt)
  const bytes = [first * 40n + second, ...rest].flatMap((arc) => {
    const digits = [Number(arc & 0x7fn)]
    for (let left = arc >> 7n; left > 0n; left >>= 7n) digits.unshift(Number(left & 0x7fn) | 0x80)
    return digits
  })
  const made = tlv(tags.oid, Uint8Array.from(bytes))
  if (oidCache.size < oidCacheMax) oidCache.set(dotted, made)
  return made
}

/** AlgorithmIdentifier; parameters are left out unless given. */
export function algorithm(dotted: string, parameters?: Der): Der {
  return parameters === undefined ? sequence(oid(dotted)) : sequence(oid(dotted), parameters)
}

/** Time as CMS and X.509 want it: UTCTime through 2049, GeneralizedTime after (RFC 5652 §11.3, RFC 5280 §4.1.2.5). */
export function time(atMs: number): Der {
  const digits = new Date(Math.floor(atMs / 1000) * 1000).toISOString().replace(/[-:T]|\.\d+/g, '')
  const year = Number(digits.slice(0, 4))
  const text = new TextEncoder()
  return year >= 1950 && year < 2050 ? tlv(tags.utcTime, text.encode(digits.slice(2))) : tlv(tags.generalizedTime, text.encode(digits))
}
