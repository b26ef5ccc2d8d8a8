// Bytes and numbers: the few conversions every room needs, on Uint8Array only (Buffer is a Node thing, and the
// pure rooms also run in a plain browser).

const hexDigits = '0123456789abcdef'

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15)
  return text
}

/** Bytes of a hex text of even length, upper or lower case; null when it is not hex. */
export function fromHex(text: string): Uint8Array | null {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return null
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** One array holding all parts in order. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** Same length and same bytes. Not constant-time: for public values only. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let at = 0
  // Images are compared whole: words where both lie on a word's boundary, which all that was allocated whole does.
  if (a.byteOffset % 4 === 0 && b.byteOffset % 4 === 0) {
    const [left, right] = [new Uint32Array(a.buffer, a.byteOffset, a.length >> 2), new Uint32Array(b.buffer, b.byteOffset, b.length >> 2)]
    for (let word = 0; word < left.length; word++) if (left[word] !== right[word]) return false
    at = left.length * 4
  }
  for (; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

/** An array of `length` bytes, each `value`. */
export function filled(length: number, value: number): Uint8Array {
  return new Uint8Array(length).fill(value)
}

/** True when every byte is `value` (an erased flash region, for example). */
export function allBytes(bytes: Uint8Array, value: number): boolean {
  for (const byte of bytes) if (byte !== value) return false
  return true
}

/** A DataView over exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const utf8Encoder = new TextEncoder()

/** UTF-8 bytes of a text. */
export function utf8(text: string): Uint8Array {
  return utf8Encoder.encode(text)
}
