// Framing under every cut, between noise, and with bytes gone wrong.
import { decode, encode as encodeGeneral } from 'cborg'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import { encodeFlat, readFlat } from '../../main/smp/flat.ts'
import { LineDecoder, crc16, encodeLines, framedBytes, lineBytesMax, printable } from '../../main/smp/line.ts'
import { decodeBody, decodeMessage, encodeBody, encodeIndefinite, encodeMessage } from '../../main/smp/message.ts'
import type { CborMap, CborValue } from '../../main/smp/message.ts'
import { RawDecoder } from '../../main/smp/raw.ts'

const packets = fc.array(fc.uint8Array({ minLength: 8, maxLength: 600 }), { minLength: 1, maxLength: 5 })
const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 40 })
const textLine = fc.string({ unit: 'grapheme-ascii', maxLength: 200 }).map((text) => utf8(text.replaceAll('\n', '') + '\n'))

function feed(decoder: { push(bytes: Uint8Array): Uint8Array[] }, wire: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const got: Uint8Array[] = []
  for (let at = 0, i = 0; at < wire.length; i++) {
    const size = sizes[i % sizes.length]!
    got.push(...decoder.push(wire.subarray(at, at + size)))
    at += size
  }
  return got
}

describe('console lines', () => {
  test('the CRC is XMODEM', () => expect(crc16(utf8('123456789'))).toBe(0x31c3))

  test('the size on the wire is known beforehand, and no line is longer than the board takes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.constantFrom('full' as const, 'zephyr' as const), (packet, cut) => {
        const wire = encodeLines(packet, cut)
        expect(wire.length).toBe(framedBytes(packet.length, cut))
        let from = 0
        for (let feed = wire.indexOf(10); feed >= 0; feed = wire.indexOf(10, from)) {
          expect(feed + 1 - from).toBeLessThanOrEqual(lineBytesMax)
          from = feed + 1
        }
        expect(from).toBe(wire.length)
      }),
    )
  })

  test('any cut gives the same packets, with text between the lines', () => {
    fc.assert(
      fc.property(packets, cuts, fc.array(textLine, { minLength: 1, maxLength: 4 }), fc.boolean(), (sent, sizes, noise, crlf) => {
        const lines = sent.flatMap((packet, i) =>
          encodeLines(packet, i % 2 ? 'zephyr' : 'full')
            .reduce<number[][]>((all, byte) => (all.at(-1)!.push(byte), byte === 10 ? [...all, []] : all), [[]])
            .filter((line) => line.length > 0)
            .map((line) => Uint8Array.from(crlf ? [...line.slice(0, -1), 13, 10] : line)),
        )
        const wire = concat(...lines.flatMap((line, i) => [noise[i % noise.length]!, line]))
        for (const framesBegin of ['line-start', 'anywhere'] as const) {
          const heard: string[] = []
          const got = feed(new LineDecoder({ framesBegin, onNoise: (line) => heard.push(line) }), wire, sizes)
          expect(got.map(toHex)).toEqual(sent.map(toHex))
          const whole: string[] = []
          new LineDecoder({ framesBegin, onNoise: (line) => whole.push(line) }).push(wire)
          expect(heard).toEqual(whole)
        }
      }),
    )
  })

  test('a wrong byte never yields a packet that was not sent', () => {
    // CRC-16/XMODEM finds every burst of at most 16 bits; a base64 letter spreads one wire byte over 6.
    fc.assert(
      fc.property(packets, fc.nat(), fc.integer({ min: 1, max: 255 }), (sent, where, flip) => {
        const wire = concat(...sent.map((packet) => encodeLines(packet)))
        wire[where % wire.length] = wire[where % wire.length]! ^ flip
        const got = new LineDecoder().push(wire).map(toHex)
        const known = sent.map(toHex)
        // A damaged length can end a packet early: only a true CRC at that place would let it through.
        for (const packet of got) expect(known).toContain(packet)
        expect(got.length).toBeGreaterThanOrEqual(sent.length - 2)
      }),
      // A 16-bit CRC may by chance hold once in 65,536 mutilated packets; a fixed seed keeps that chance out of the run.
      { numRuns: 500, seed: 20_26 },
    )
  })

  test('lost bytes cost their packet, not the ones after it', () => {
    fc.assert(
      fc.property(packets, fc.nat(), fc.integer({ min: 1, max: 200 }), (sent, where, lost) => {
        const head = sent.map((packet) => encodeLines(packet))
        const wire = concat(...head)
        const from = where % wire.length
        const tail = utf8('\n') // the line that lost its end is ended by the next line feed
        const after = encodeLines(Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]))
        const got = new LineDecoder().push(concat(wire.subarray(0, from), wire.subarray(from + lost), tail, after)).map(toHex)
        expect(got.at(-1)).toBe('010203040506070809')
        for (const packet of got.slice(0, -1)) expect(sent.map(toHex)).toContain(packet)
      }),
    )
  })

  test('a frame behind a shell prompt or a torn line is heard by a client and not by a board', () => {
    const packet = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
    for (const before of [utf8('uart:~$ '), encodeLines(packet).subarray(0, 9)]) {
      const wire = concat(before, encodeLines(packet))
      expect(new LineDecoder({ framesBegin: 'anywhere' }).push(wire).map(toHex)).toEqual([toHex(packet)])
      expect(new LineDecoder({ framesBegin: 'line-start' }).push(wire)).toEqual([])
    }
  })

  test('an endless line fills no memory and is counted', () => {
    const noise: string[] = []
    const decoder = new LineDecoder({ lineBytesMax: 64, onNoise: (line) => noise.push(line) })
    for (let i = 0; i < 1000; i++) decoder.push(new Uint8Array(1000).fill(0x41))
    const after = decoder.push(concat(utf8('\n'), encodeLines(Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1))))
    expect(after.length).toBe(1)
    expect(decoder.damage.longLines).toBe(1)
    expect(noise).toEqual(['A'.repeat(64)])
  })

  test('a board with room for 380 bytes does not take 381', () => {
    const board = () => new LineDecoder({ packetBytesMax: 380, lineBytesMax: 128, framesBegin: 'line-start' })
    expect(board().push(encodeLines(new Uint8Array(380))).length).toBe(1)
    expect(board().push(encodeLines(new Uint8Array(381))).length).toBe(0)
  })

  test('colour codes, bells and bytes that are no text do not reach the screen', () => {
    expect(printable(Uint8Array.from([...utf8('\u001b[1;32muart:~$ \u001b[m'), 0x07, 0xff, 0x00]))).toBe('uart:~$ ···')
  })
})

describe('raw packets', () => {
  const message = fc.record({ group: fc.nat(70), command: fc.nat(9), seq: fc.nat(255), text: fc.string({ maxLength: 300 }) })
  const encode = (op: 'read-rsp' | 'write') => (m: { group: number; command: number; seq: number; text: string }) =>
    encodeMessage({ op, version: 1, group: m.group, command: m.command, seq: m.seq, body: { r: m.text } })

  test('any cut gives the same packets', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), cuts, (sent, sizes) => {
        for (const [op, hears] of [['read-rsp', 'replies'], ['write', 'requests']] as const) {
          const wire = concat(...sent.map(encode(op)))
          expect(feed(new RawDecoder({ hears }), wire, sizes).map(toHex)).toEqual(sent.map(encode(op)).map(toHex))
        }
      }),
    )
  })

  test('boot chatter before the reply is passed on as noise', () => {
    const noise: string[] = []
    const decoder = new RawDecoder({ onNoise: (line) => noise.push(line) })
    const reply = encode('read-rsp')({ group: 0, command: 0, seq: 3, text: 'hi' })
    expect(decoder.push(concat(utf8('*** Booting MCUboot ***\r\n*** Using Zephyr ***\r\n'), reply)).map(toHex)).toEqual([toHex(reply)])
    expect(noise).toEqual(['*** Booting MCUboot ***', '*** Using Zephyr ***'])
  })

  test('a client does not take its own echoed request for a reply', () => {
    expect(new RawDecoder().push(encode('write')({ group: 0, command: 0, seq: 3, text: 'echo' }))).toEqual([])
  })

  test('random bytes neither throw nor fill memory, and after a reset a reply is heard', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), (junk) => {
        const decoder = new RawDecoder({ packetBytesMax: 512 })
        decoder.push(junk)
        decoder.reset()
        expect(decoder.push(encode('read-rsp')({ group: 1, command: 0, seq: 9, text: 'x' })).length).toBe(1)
      }),
    )
  })
})

describe('CBOR bodies', () => {
  const leaf = fc.oneof(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), fc.boolean(), fc.string({ maxLength: 40 }), fc.uint8Array({ maxLength: 300 }), fc.constant(null))
  const key = fc.string({ minLength: 1, maxLength: 12 })
  const { body } = fc.letrec<{ value: CborValue; body: CborMap }>((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('body')),
    body: fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  }))

  test('both ways of writing lengths come back as what was written', () => {
    fc.assert(
      fc.property(body, (value) => {
        for (const bytes of [encodeBody(value), encodeIndefinite(value)]) expect(decodeBody(bytes)).toEqual(value)
      }),
    )
  })

  test('every truncation and every trailing byte is refused', () => {
    fc.assert(
      fc.property(body, fc.nat(255), (value, extra) => {
        for (const bytes of [encodeBody(value), encodeIndefinite(value)]) {
          for (let length = 0; length < Math.min(bytes.length, 80); length++) expect(decodeBody(bytes.subarray(0, length))).toBeInstanceOf(Failure)
          expect(decodeBody(concat(bytes, Uint8Array.of(extra)))).toBeInstanceOf(Failure)
        }
      }),
    )
  })

  test('random bytes give a map or a failure, never an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeMessage(bytes)), { numRuns: 2000 })
  })

  const hostile: readonly (readonly [string, string])[] = [
    ['a repeated key', 'a2616101616102'],
    ['a break in the place of a value', 'a16161ff'],
    ['a break in the place of a value, open-ended', 'bf6161ffff'],
    ['a break for a value, one level down', 'bf6161bf6162ffffff'],
    ['a break in a counted list', 'a1616181ff'],
    ['a list instead of a map', '8101'],
    ['a number instead of a map', '01'],
    ['a key that is a number', 'a10102'],
    ['a tag', 'a16161c101'],
    ['undefined', 'a16161f7'],
    ['a list said to have four thousand million items', 'a161619affffffff'],
    ['a text said to have four thousand million bytes', 'a161617affffffff'],
    ['nothing at all', ''],
    ['lists nested nine deep', `a16161${'81'.repeat(9)}01`],
  ]
  test.each(hostile)('%s is refused', (_, text) => {
    const bytes = Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
    expect(decodeBody(bytes)).toBeInstanceOf(Failure)
  })

  test('ten thousand nested lists are refused before the stack is', () => {
    const bytes = concat(Uint8Array.of(0xa1, 0x61, 0x61), new Uint8Array(10_000).fill(0x81), Uint8Array.of(1))
    expect(decodeBody(bytes)).toBeInstanceOf(Failure)
  })

  test('what is written flat by hand is what the general encoder writes', () => {
    const flatLeaf = fc.oneof(fc.nat(0xffffffff), fc.nat(300), fc.boolean(), fc.string({ unit: 'grapheme-ascii', maxLength: 40 }), fc.string({ maxLength: 10 }), fc.uint8Array({ maxLength: 30 }))
    fc.assert(
      fc.property(fc.dictionary(key, flatLeaf, { maxKeys: 6, noNullPrototype: true }), (value) => {
        const flat = encodeFlat(value, 'definite')
        if (flat !== null) expect(toHex(flat)).toBe(toHex(encodeGeneral(value, { mapSorter: () => 0 })))
        const open = encodeFlat(value, 'indefinite')
        expect(open === null).toBe(flat === null)
        if (open !== null) expect(decode(open, { allowIndefinite: true, rejectDuplicateMapKeys: true })).toEqual(value)
      }),
    )
    for (const count of [0, 23, 24, 255, 256, 65535, 65536, 0xffffffff]) {
      const value = { off: count, data: new Uint8Array(Math.min(count, 65536)), says: 'x'.repeat(Math.min(count, 65536)) }
      expect(toHex(encodeFlat(value, 'definite')!)).toBe(toHex(encodeGeneral(value, { mapSorter: () => 0 })))
    }
  })

  test('what is read flat by hand the general decoder reads alike, whatever became of the bytes', () => {
    const flatLeaf = fc.oneof(fc.nat(0xffffffff), fc.nat(40), fc.boolean(), fc.string({ maxLength: 30 }), fc.uint8Array({ maxLength: 40 }))
    const changes = fc.array(fc.tuple(fc.nat(60), fc.nat(255)), { maxLength: 2 })
    let readByHand = 0
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('off', 'rc', 'match', 'data', '__proto__', 'r'), flatLeaf, { maxKeys: 4, noNullPrototype: true }), changes, fc.boolean(), (value, changed, open) => {
        const bytes = (open ? encodeIndefinite : encodeBody)(value).slice()
        for (const [place, byte] of changed) if (place < bytes.length) bytes[place] = byte
        const flat = readFlat(bytes)
        if (flat === null) return
        readByHand++
        expect(decode(bytes.subarray(0, flat.end), { allowIndefinite: true, allowUndefined: false, rejectDuplicateMapKeys: true })).toEqual(flat.map)
        for (let length = 0; length < flat.end; length++) expect(readFlat(bytes.subarray(0, length))).toBeNull()
      }),
      { numRuns: 2000 },
    )
    expect(readByHand).toBeGreaterThan(100)
  })

  test('a key called __proto__ poisons nothing', () => {
    const decoded = decodeBody(encodeBody(JSON.parse('{"__proto__":{"rc":5}}') as CborMap))
    expect((decoded as CborMap)['rc']).toBeUndefined()
  })
})
