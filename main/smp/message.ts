// One SMP message: an 8-byte big-endian header and a CBOR map (Zephyr include/zephyr/mgmt/mcumgr/smp/smp.h).
// Zephyr's server writes every map and list with indefinite length, requests have definite ones; key order is kept as
// given, since the recorded traffic must come out byte for byte. What arrives is hostile: depth, size, repeated keys,
// stray breaks and trailing bytes are refused here, so that the decoders above see a plain map.
import { Tokenizer, decode, encode } from 'cborg'
import { concat } from '../base/bytes.ts'
import { Failure, assert } from '../base/failure.ts'
import { encodeFlat, readFlat } from './flat.ts'
import { plainText } from './line.ts'

export const headerBytes = 8
const depthMax = 8
const itemsMax = 4096
const decoderWordsMax = 120

export type SmpOp = 'read' | 'read-rsp' | 'write' | 'write-rsp'
const ops: readonly SmpOp[] = ['read', 'read-rsp', 'write', 'write-rsp']

export type CborValue = number | bigint | boolean | null | string | Uint8Array | readonly CborValue[] | CborMap
export type CborMap = { readonly [key: string]: CborValue }

/** 0 = errors as `rc`; 1 = group errors as `err {group, rc}` (Zephyr calls them v1 and v2). */
export type SmpVersion = 0 | 1

export type SmpHeader = Readonly<{
  /** Null for the numbers 4..7, which nobody has defined. */
  op: SmpOp | null
  /** 0..3 as it stands in the header; only 0 and 1 are defined. */
  version: number
  flags: number
  /** Body bytes as the header claims. */
  bodyBytes: number
  group: number
  seq: number
  command: number
}>

export type SmpMessage = Readonly<{
  op: SmpOp
  version: SmpVersion
  group: number
  command: number
  seq: number
  body: CborMap
}>

/** The reply op that belongs to a request op. */
export function replyOp(op: 'read' | 'write'): 'read-rsp' | 'write-rsp' {
  return op === 'read' ? 'read-rsp' : 'write-rsp'
}

/** Eight header bytes: res(3) version(2) op(3) · flags · length u16 · group u16 · seq · command. */
export function encodeHeader(header: Omit<SmpHeader, 'flags' | 'op'> & { op: SmpOp; flags?: number }): Uint8Array {
  const { group, command, seq, bodyBytes } = header
  assert(bodyBytes <= 0xffff && group <= 0xffff && command <= 0xff && seq <= 0xff, 'header fields fit their sizes')
  const first = (header.version << 3) | ops.indexOf(header.op)
  return Uint8Array.of(first, header.flags ?? 0, bodyBytes >> 8, bodyBytes, group >> 8, group, seq, command)
}

/**
 * The header of a packet, without looking at the body: what a server needs to answer even a broken request.
 * Null when there are fewer than eight bytes.
 */
export function decodeHeader(packet: Uint8Array): SmpHeader | null {
  if (packet.length < headerBytes) return null
  return {
    op: ops[packet[0]! & 7] ?? null,
    version: (packet[0]! >> 3) & 3,
    flags: packet[1]!,
    bodyBytes: (packet[2]! << 8) | packet[3]!,
    group: (packet[4]! << 8) | packet[5]!,
    seq: packet[6]!,
    command: packet[7]!,
  }
}

/** A packet (header and body). `lengths: 'indefinite'` writes maps and lists as Zephyr's server does. */
export function encodeMessage(message: SmpMessage, options: { lengths?: 'definite' | 'indefinite' } = {}): Uint8Array {
  const body = options.lengths === 'indefinite' ? encodeIndefinite(message.body) : encodeBody(message.body)
  const { op, version, group, command, seq } = message
  return concat(encodeHeader({ op, version, group, command, seq, bodyBytes: body.length }), body)
}

/** CBOR of one value, definite lengths, keys in the order given. */
export function encodeBody(value: CborValue): Uint8Array {
  const flat = isMapOfItems(value) ? encodeFlat(value, 'definite') : null
  if (flat !== null) return flat
  // cborg would sort keys by length; the recorded requests are in the order of the protocol's own description.
  return encode(value, { mapSorter: () => 0 })
}

/** CBOR of one value with every map and list open-ended, as zcbor writes it in Zephyr. */
export function encodeIndefinite(value: CborValue): Uint8Array {
  const flat = isMapOfItems(value) ? encodeFlat(value, 'indefinite') : null
  if (flat !== null) return flat
  const open = (major: number, parts: Uint8Array[]) => concat(Uint8Array.of((major << 5) | 31), ...parts, Uint8Array.of(0xff))
  if (Array.isArray(value)) return open(4, value.map(encodeIndefinite))
  if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) {
    return open(5, Object.entries(value).flatMap(([key, item]) => [encodeBody(key), encodeIndefinite(item)]))
  }
  return encodeBody(value)
}

function isMapOfItems(value: CborValue): value is CborMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}

/** Failure kind `garbled`: the bytes are no SMP message. */
export function decodeMessage(packet: Uint8Array): SmpMessage | Failure<'garbled'> {
  const garbled = (what: string, facts = {}) => new Failure('garbled', `The board's answer cannot be read: ${what}. Check cable and baud rate, and try again.`, facts)
  const header = decodeHeader(packet)
  if (!header) return garbled(`${packet.length} bytes are too few for a header`)
  const { op, group, command, seq } = header
  if (op === null) return garbled('its operation is unknown')
  if (packet[0]! >> 5 !== 0 || header.version > 1) return garbled(`it speaks version ${header.version} of the protocol, only 0 and 1 are known`)
  if (header.bodyBytes !== packet.length - headerBytes) {
    return garbled('its length does not match its header', { stated: header.bodyBytes, found: packet.length - headerBytes })
  }
  const body = decodeBody(packet.subarray(headerBytes))
  if (body instanceof Failure) return garbled(body.says, body.facts)
  return { op, version: header.version === 1 ? 1 : 0, group, command, seq, body }
}

/** A CBOR map with text keys, nothing behind it. Failure kind `bad-cbor`, `says` is half a sentence. */
export function decodeBody(bytes: Uint8Array): CborMap | Failure<'bad-cbor'> {
  const flat = readFlat(bytes)
  if (flat !== null && flat.end === bytes.length) return flat.map
  let body: unknown
  try {
    const tokenizer = new GuardedTokenizer(bytes)
    body = decode(bytes, { tokenizer, allowIndefinite: true, allowUndefined: false, rejectDuplicateMapKeys: true })
    // With a tokenizer of ours cborg cuts the remainder by our position, so trailing bytes are refused by it.
  } catch (error) {
    // cborg repeats a doubled key as it is, and a board may choose one of 60,000 letters that turn the writing round.
    return new Failure('bad-cbor', plainText((error as Error).message.replace('CBOR decode error: ', '').slice(0, decoderWordsMax)))
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body) || body instanceof Uint8Array) {
    return new Failure('bad-cbor', 'its body is not a map')
  }
  return plainBytes(body as CborMap) as CborMap
}

/** cborg gives byte strings as Buffer where there is one; a Buffer's `slice` shares memory, so views of the plain type go out. */
function plainBytes(value: CborValue): CborValue {
  if (value instanceof Uint8Array) {
    return value.constructor === Uint8Array ? value : new Uint8Array(value.buffer, value.byteOffset, value.length)
  }
  if (typeof value !== 'object' || value === null) return value
  const holder = value as Record<string, CborValue>
  for (const key of Object.keys(holder)) {
    const item = holder[key]!
    if (typeof item === 'object' && item !== null) {
      // Not an assignment: the key may be `__proto__`.
      Object.defineProperty(holder, key, { value: plainBytes(item), configurable: true, enumerable: true, writable: true })
    }
  }
  return value
}

/**
 * cborg's tokenizer with limits: nesting, number of items, and one break for each open-ended list or map. cborg 6 takes a
 * break in the place of a map's value for a value; the map then lacks its end, and one more break is one too many here.
 */
class GuardedTokenizer {
  readonly #inner: InstanceType<typeof Tokenizer>
  /** Items still to come in each open list or map, `Infinity` where only a break ends it. */
  readonly #open: number[] = []
  #items = 0

  constructor(bytes: Uint8Array) {
    this.#inner = new Tokenizer(bytes, { allowIndefinite: true, allowUndefined: false })
  }

  done(): boolean {
    return this.#inner.done()
  }

  pos(): number {
    return this.#inner.pos()
  }

  next(): ReturnType<InstanceType<typeof Tokenizer>['next']> {
    const token = this.#inner.next()
    if (++this.#items > itemsMax) throw new Error(`more than ${itemsMax} items`)
    const kind = token.type.name
    if (kind === 'break') {
      if (this.#open.pop() !== Infinity) throw new Error('a stray break')
      this.#closeItem()
    } else if (kind === 'array' || kind === 'map') {
      const left = kind === 'map' ? Number(token.value) * 2 : Number(token.value)
      if (left === 0) this.#closeItem()
      else this.#open.push(left)
      if (this.#open.length > depthMax) throw new Error(`nested deeper than ${depthMax}`)
    } else {
      this.#closeItem()
    }
    return token
  }

  #closeItem(): void {
    while (this.#open.length > 0) {
      const left = this.#open.pop()! - 1
      if (left === 0) continue
      this.#open.push(left)
      return
    }
  }
}
