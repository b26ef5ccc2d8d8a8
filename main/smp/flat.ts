// CBOR of flat maps, read and written by hand: short plain keys, whole numbers, flags, bytes and texts, nothing nested. Nearly all that
// goes over the wire is such a map, and while one request is in flight the line stands still for each of them; a general decoder that
// has just been started takes longer for it than the wire. Whatever is not flat, or not written in the shortest way, is left to
// the general one (null), so that there is one judge of what is broken: RFC 8949, cborg.

type FlatMap = Readonly<Record<string, number | boolean | Uint8Array | string>>

/** Numbers up to this are read and written here. */
const countMax = 0xffffffff
const shortMax = 23
const major = { count: 0, bytes: 2, text: 3, map: 5 } as const
const openMap = 0xbf
const endOfMap = 0xff
const no = 0xf4
const yes = 0xf5

/** Bytes of a CBOR head that says this number or length. */
export function headBytesOf(count: number): number {
  return count <= shortMax ? 1 : count <= 0xff ? 2 : count <= 0xffff ? 3 : 5
}

function writeHead(into: Uint8Array, at: number, kind: number, count: number): number {
  const size = headBytesOf(count)
  into[at++] = (kind << 5) | (size === 1 ? count : size === 2 ? 24 : size === 3 ? 25 : 26)
  for (let left = size - 2; left >= 0; left--) into[at++] = count >>> (8 * left)
  return at
}

function writePlain(into: Uint8Array, at: number, text: string): number {
  at = writeHead(into, at, major.text, text.length)
  for (let i = 0; i < text.length; i++) into[at++] = text.charCodeAt(i)
  return at
}

/** ASCII, so that its characters are its bytes. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return false
  return true
}

/** The map's bytes, keys in the order given, its length told before (`definite`) or its end behind it, as Zephyr's server does; null where it is not flat. */
export function encodeFlat(map: Readonly<Record<string, unknown>>, lengths: 'definite' | 'indefinite'): Uint8Array | null {
  const keys = Object.keys(map)
  if (keys.length > shortMax) return null
  let size = lengths === 'definite' ? 1 : 2
  for (const key of keys) {
    const value = map[key]
    if (!isPlain(key)) return null
    size += headBytesOf(key.length) + key.length
    if (typeof value === 'number') {
      if (!Number.isInteger(value) || value < 0 || value > countMax || Object.is(value, -0)) return null
      size += headBytesOf(value)
    } else if (typeof value === 'boolean') size++
    else if (value instanceof Uint8Array) size += headBytesOf(value.length) + value.length
    else if (typeof value === 'string' && isPlain(value)) size += headBytesOf(value.length) + value.length
    else return null
  }
  const bytes = new Uint8Array(size)
  let at = 0
  bytes[at++] = lengths === 'definite' ? (major.map << 5) | keys.length : openMap
  for (const key of keys) {
    at = writePlain(bytes, at, key)
    const value = map[key]
    if (typeof value === 'number') at = writeHead(bytes, at, major.count, value)
    else if (typeof value === 'boolean') bytes[at++] = value ? yes : no
    else if (typeof value === 'string') at = writePlain(bytes, at, value)
    else {
      const data = value as Uint8Array
      at = writeHead(bytes, at, major.bytes, data.length)
      bytes.set(data, at)
      at += data.length
    }
  }
  if (lengths === 'indefinite') bytes[at] = endOfMap
  return bytes
}

/** The flat map at the start of these bytes and where it ends (byte strings are views), or null where it is anything else. */
export function readFlat(bytes: Uint8Array): Readonly<{ map: FlatMap; end: number }> | null {
  const first = bytes[0]!
  const open = first === openMap
  if (!open && (first >> 5 !== major.map || (first & 31) > shortMax)) return null
  const map: Record<string, number | boolean | Uint8Array | string> = {}
  let at = 1
  for (let left = open ? shortMax : first & 31; ; left--) {
    if (open && bytes[at] === endOfMap) return { map, end: at + 1 }
    if (left === 0) return open ? null : { map, end: at }
    const key = readPlain(bytes, at)
    if (key === null || key === '__proto__' || Object.hasOwn(map, key)) return null
    at += 1 + key.length
    const byte = bytes[at]!
    if (byte === yes || byte === no) {
      map[key] = byte === yes
      at++
      continue
    }
    const kind = byte >> 5
    const count = readCount(bytes, at)
    if (count < 0) return null
    const from = at + headBytesOf(count)
    if (kind === major.count) {
      map[key] = count
      at = from
    } else if (kind === major.bytes && from + count <= bytes.length) {
      map[key] = new Uint8Array(bytes.buffer, bytes.byteOffset + from, count)
      at = from + count
    } else if (kind === major.text) {
      const text = readPlain(bytes, at)
      if (text === null) return null
      map[key] = text
      at += 1 + text.length
    } else return null
  }
}

/** A text of at most 23 printable ASCII characters, or null. */
function readPlain(bytes: Uint8Array, at: number): string | null {
  const length = bytes[at]! - (major.text << 5)
  if (!(length >= 0 && length <= shortMax) || at + 1 + length > bytes.length) return null
  let text = ''
  for (let i = at + 1; i <= at + length; i++) {
    const code = bytes[i]!
    if (code < 0x20 || code > 0x7e) return null
    text += String.fromCharCode(code)
  }
  return text
}

/** The number or length that the head there says in the shortest way; -1 where there is none. */
function readCount(bytes: Uint8Array, at: number): number {
  const said = bytes[at]! & 31
  if (said <= shortMax) return at < bytes.length ? said : -1
  const size = said === 24 ? 1 : said === 25 ? 2 : said === 26 ? 4 : 0
  if (size === 0 || at + size >= bytes.length) return -1
  let count = 0
  for (let i = at + 1; i <= at + size; i++) count = count * 256 + bytes[i]!
  return headBytesOf(count) === size + 1 ? count : -1
}
