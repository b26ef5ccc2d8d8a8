// Just enough DER (X.690) to read and write keys: tag, definite length, value. Written out here rather than taken from
// asn1js because private keys pass through it: these readers hand out views into the one buffer that is wiped later,
// while asn1js copies every value into buffers nobody can reach.
import { concat } from '../base/bytes.ts'
import { refuse } from '../base/failure.ts'

/** One value: `content` and `whole` are views into the input. */
export type Der = Readonly<{ tag: number; content: Uint8Array; whole: Uint8Array }>

export const derTag = { integer: 0x02, bits: 0x03, octets: 0x04, nil: 0x05, oid: 0x06, sequence: 0x30, set: 0x31 } as const

/** The value at the start of `bytes` and what follows it. Only valid below `attempt`; refuses with kind `not-der`. */
export function readDer(bytes: Uint8Array, expected?: number): [value: Der, rest: Uint8Array] {
  const tag = bytes[0]
  const first = bytes[1]
  if (tag === undefined || first === undefined) refuse('not-der', 'The ASN.1 data ends too early.')
  if ((tag & 0x1f) === 0x1f) refuse('not-der', 'The ASN.1 data uses a long tag, which no key has.')
  if (expected !== undefined && tag !== expected) refuse('not-der', `The ASN.1 data has tag 0x${tag.toString(16)} where 0x${expected.toString(16)} belongs.`)
  let length = first
  let at = 2
  if (first >= 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4 || bytes.length < 2 + count) refuse('not-der', 'The ASN.1 data has a bad length.')
    length = 0
    for (let i = 0; i < count; i++) length = length * 256 + (bytes[2 + i] ?? 0)
    if (length < 0x80 || bytes[2] === 0) refuse('not-der', 'The ASN.1 data has a length that is not in its shortest form.')
    at = 2 + count
  }
  if (bytes.length - at < length) refuse('not-der', 'The ASN.1 data says it is longer than it is.')
  return [{ tag, content: bytes.subarray(at, at + length), whole: bytes.subarray(0, at + length) }, bytes.subarray(at + length)]
}

/** The one value that `bytes` hold, with nothing after it. */
export function readWholeDer(bytes: Uint8Array, expected?: number): Der {
  const [value, rest] = readDer(bytes, expected)
  if (rest.length !== 0) refuse('not-der', `${rest.length} bytes follow the ASN.1 data.`)
  return value
}

const childrenMax = 64

/** The values inside a SEQUENCE or SET. */
export function childrenOf(value: Der): readonly Der[] {
  const children: Der[] = []
  let rest = value.content
  while (rest.length > 0) {
    if (children.length === childrenMax) refuse('not-der', 'The ASN.1 data has more parts than any key.')
    const [child, after] = readDer(rest)
    children.push(child)
    rest = after
  }
  return children
}

/** Dotted text of an OBJECT IDENTIFIER. */
export function readOid(value: Der | undefined): string {
  if (value?.tag !== derTag.oid || value.content.length === 0 || value.content.length > 32) refuse('not-der', 'An object identifier is missing.')
  const arcs: number[] = []
  let arc = 0
  for (const byte of value.content) {
    arc = arc * 128 + (byte & 0x7f)
    if (arc > Number.MAX_SAFE_INTEGER / 128) refuse('not-der', 'An object identifier is too large.')
    if (byte < 0x80) {
      if (arcs.length === 0) arcs.push(Math.min(Math.floor(arc / 40), 2), arc - 40 * Math.min(Math.floor(arc / 40), 2))
      else arcs.push(arc)
      arc = 0
    }
  }
  return arcs.join('.')
}

/** A small non-negative INTEGER. */
export function readSmallInteger(value: Der | undefined): number {
  if (value?.tag !== derTag.integer || value.content.length === 0 || value.content.length > 6 || (value.content[0] ?? 0) >= 0x80) {
    refuse('not-der', 'A number in the ASN.1 data is missing or out of range.')
  }
  return value.content.reduce((sum, byte) => sum * 256 + byte, 0)
}

/** Magnitude of a positive INTEGER, without its sign byte. */
export function readMagnitude(value: Der | undefined): Uint8Array {
  if (value?.tag !== derTag.integer || value.content.length === 0 || (value.content[0] ?? 0) >= 0x80) refuse('not-der', 'A number in the ASN.1 data is missing or negative.')
  return value.content[0] === 0 && value.content.length > 1 ? value.content.subarray(1) : value.content
}

/** Tag, shortest length, value. */
export function writeDer(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  const head = [tag]
  if (length < 0x80) head.push(length)
  else {
    const bytes: number[] = []
    for (let left = length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256)
    head.push(0x80 | bytes.length, ...bytes)
  }
  return concat(Uint8Array.from(head), ...content)
}

/** An OBJECT IDENTIFIER from its dotted text. */
export function writeOid(dotted: string): Uint8Array {
  const arcs = dotted.split('.').map(Number)
  const joined = [(arcs[0] ?? 0) * 40 + (arcs[1] ?? 0), ...arcs.slice(2)]
  const bytes = joined.flatMap((arc) => {
    const digits = [arc % 128]
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) digits.unshift((left % 128) | 0x80)
    return digits
  })
  return writeDer(derTag.oid, Uint8Array.from(bytes))
}

/** A non-negative INTEGER from its magnitude. */
export function writeInteger(magnitude: Uint8Array | number): Uint8Array {
  let bytes = magnitude
  if (typeof bytes === 'number') {
    const digits: number[] = []
    for (let left = bytes; left > 0; left = Math.floor(left / 256)) digits.unshift(left % 256)
    bytes = Uint8Array.from(digits.length === 0 ? [0] : digits)
  }
  return (bytes[0] ?? 0) >= 0x80 ? writeDer(derTag.integer, Uint8Array.of(0), bytes) : writeDer(derTag.integer, bytes)
}
