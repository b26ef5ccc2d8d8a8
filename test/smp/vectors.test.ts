// Our framing and messages against bytes that Zephyr's own server sent and accepted.
import { describe, expect, test } from 'vitest'
import { concat, sameBytes, toHex } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import { boardError, errorFromReply } from '../../main/smp/errors.ts'
import { LineDecoder, encodeLines } from '../../main/smp/line.ts'
import { decodeHeader, decodeMessage, encodeBody, encodeHeader, encodeIndefinite, encodeMessage, headerBytes } from '../../main/smp/message.ts'
import type { CborMap, CborValue, SmpOp } from '../../main/smp/message.ts'
import { imageState, setImageState, upload } from '../../main/smp/image.ts'
import { appInfo, bootloaderMode, bootloaderName, echo, parameters, taskStatistics } from '../../main/smp/os.ts'
import { exchanges, hex, isMessage } from './recorded.ts'
import type { Exchange, RecordedMessage } from './recorded.ts'

const opNames: readonly SmpOp[] = ['read', 'read-rsp', 'write', 'write-rsp']
const clientSide = () => new LineDecoder({ framesBegin: 'anywhere' })
const serverSide = () => new LineDecoder({ framesBegin: 'line-start', lineBytesMax: 128, packetBytesMax: 380 })

function eachByte(decoder: LineDecoder, bytes: Uint8Array): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (const byte of bytes) packets.push(...decoder.push(Uint8Array.of(byte)))
  return packets
}

/** The recorder wrote byte strings as `hex:…`. */
function plain(value: CborValue): unknown {
  if (value instanceof Uint8Array) return `hex:${toHex(value)}`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
  return value
}

function packetOf(message: RecordedMessage, bodyBytes = message.cbor_hex.length / 2): Uint8Array {
  const { version, group, seq } = message
  // Op 5 was recorded too; it is no op, so the number goes in over the encoder's head.
  const packet = concat(encodeHeader({ op: 'read', version, group, seq, command: message.id, bodyBytes }), hex(message.cbor_hex))
  packet[0] = packet[0]! | message.op
  return packet
}

const named = (list: readonly Exchange[]) => list.map((exchange) => [`${exchange.file}: ${exchange.name}`, exchange] as const)
const answered = exchanges.filter((exchange) => exchange.responses.length > 0)
const wellFormed = exchanges.filter((exchange) => isMessage(exchange.request))

test('the recordings hold what these tests believe they hold', () => {
  expect(exchanges.length).toBe(788)
  expect(answered.length).toBeGreaterThan(750)
  expect(wellFormed.length).toBeGreaterThan(740)
})

describe('what the server sent', () => {
  test.each(named(answered))('%s', (_, { responses }) => {
    const wire = concat(...responses.map((response) => hex(response.frame_hex)))
    const packets = clientSide().push(wire)
    expect(packets.map(toHex)).toEqual(responses.map((response) => toHex(packetOf(response, response.len))))
    expect(eachByte(clientSide(), wire).map(toHex)).toEqual(packets.map(toHex))
    expect(toHex(concat(...packets.map((packet) => encodeLines(packet, 'zephyr'))))).toBe(toHex(wire))
    packets.forEach((packet, i) => {
      const message = decodeMessage(packet)
      if (message instanceof Failure) throw new Error(message.says)
      const { op, version, group, id, seq, body } = responses[i]!
      expect({ ...message, body: plain(message.body) }).toEqual({ op: opNames[op], version, group, command: id, seq, body })
      const reencoded = encodeMessage(message, { lengths: 'indefinite' })
      // Numeric keys (task priorities) change their order in a JavaScript object, so compare those as values.
      if (Object.hasOwn(message.body, 'tasks')) expect(decodeMessage(reencoded)).toEqual(message)
      else expect(toHex(reencoded)).toBe(toHex(packet))
    })
  })
})

describe('what the client sent', () => {
  test.each(named(wellFormed))('%s', (_, exchange) => {
    const request = exchange.request as RecordedMessage
    const wire = hex(request.frame_hex)
    const packet = packetOf(request)
    expect(toHex(encodeLines(packet))).toBe(request.frame_hex)
    const heard = serverSide().push(wire).map(toHex)
    expect(eachByte(serverSide(), wire).map(toHex)).toEqual(heard)
    // Silence of the real server over a well-formed request means that it did not fit its buffer.
    const fits = packet.length <= 380
    expect(heard).toEqual(fits ? [toHex(packet)] : [])
    if (!fits) expect(exchange.responses).toEqual([])
  })
})

describe('requests made from their meaning', () => {
  const withBody = wellFormed.filter((exchange) => {
    const { body, cbor_hex } = exchange.request as RecordedMessage
    return typeof body === 'object' && body !== null && !Array.isArray(body) && !JSON.stringify(body).includes('bytes"') && cbor_hex.startsWith('a')
  })
  test('there are hundreds of them', () => expect(withBody.length).toBeGreaterThan(200))
  test.each(named(withBody))('%s', (_, exchange) => {
    const request = exchange.request as RecordedMessage
    expect(toHex(encodeBody(unplain(request.body) as CborMap))).toBe(request.cbor_hex)
  })
})

function unplain(value: unknown): CborValue {
  if (typeof value === 'string' && value.startsWith('hex:')) return hex(value.slice(4))
  if (Array.isArray(value)) return value.map(unplain)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unplain(item)]))
  return value as CborValue
}

describe('broken frames are heard as the real server heard them', () => {
  const broken = exchanges.filter((exchange) => !isMessage(exchange.request) && exchange.name !== 'slow-bytes-last')
  test('there are dozens of them', () => expect(broken.length).toBeGreaterThan(35))
  // One decoder for the whole sequence: what a frame leaves behind must not hurt the next one.
  for (const feed of ['whole', 'byte by byte'] as const) {
    test(feed, () => {
      const decoder = serverSide()
      for (const exchange of broken) {
        const wire = hex(exchange.request.frame_hex)
        const packets = feed === 'whole' ? decoder.push(wire) : eachByte(decoder, wire)
        const replies = packets.filter((packet) => decodeHeader(packet) !== null)
        // Two messages in one packet are one packet with two answers.
        if (exchange.responses.length === 0) expect(replies.length, exchange.name).toBe(0)
        else expect(replies.length, exchange.name).toBeGreaterThan(0)
        // The recorder waited out the server's line timeout after a frame without an end.
        if (wire.at(-1) !== 0x0a) decoder.reset()
      }
    })
  }
})

describe('replies by command', () => {
  const readers = [
    [parameters, 'mcumgr-params'],
    [appInfo, 'os-info-'],
    [bootloaderName, '/bootloader-info'],
    [taskStatistics, 'os-taskstat'],
  ] as const

  function bodies(test: (exchange: Exchange, response: RecordedMessage) => boolean): CborMap[] {
    return exchanges.flatMap((exchange) => exchange.responses.filter((response) => test(exchange, response)).map((response) => {
      const message = decodeMessage(packetOf(response))
      if (message instanceof Failure) throw new Error(message.says)
      return message.body
    }))
  }

  test.each(readers)('every good answer to $name is understood', (command, name) => {
    const good = bodies((exchange, response) => exchange.name.includes(name) && response.group === command.group && response.id === command.command)
      .filter((body) => !errorFromReply(body, command.name) && !Object.hasOwn(body, 'mode'))
    expect(good.length).toBeGreaterThan(0)
    for (const body of good) expect(command.decode(body)).not.toBeInstanceOf(Failure)
  })

  test('the bootloader swaps by moving', () => {
    const [body] = bodies((exchange) => exchange.name === 'v1/bootloader-info-mode')
    expect(bootloaderMode.decode(body!)).toEqual({ mode: 'swap-move', modeNumber: 3, noDowngrade: false })
  })

  test('the parameters are the recorded 384 × 4', () => {
    const [body] = bodies((exchange) => exchange.name === 'v1/mcumgr-params')
    expect(parameters.decode(body!)).toEqual({ bufferBytes: 384, bufferCount: 4 })
  })

  test('echo says its text back', () => {
    const [body] = bodies((exchange) => exchange.name === 'v0/echo')
    expect(echo.decode(body!)).toEqual({ text: 'hello' })
  })

  test('every image list is understood, and its flags are those recorded', () => {
    const lists = bodies((_, response) => response.group === 1 && response.id === 0).filter((body) => Object.hasOwn(body, 'images'))
    expect(lists.length).toBeGreaterThan(40)
    for (const body of lists) {
      const state = imageState.decode(body)
      if (state instanceof Failure) throw new Error(state.says)
      const recorded = body['images'] as readonly CborMap[]
      expect(state.slots.map((slot) => [slot.slot, slot.version, slot.active, slot.confirmed, slot.pending, slot.permanent])).toEqual(
        recorded.map((item) => [item['slot'], item['version'], item['active'] ?? false, item['confirmed'] ?? false, item['pending'] ?? false, item['permanent'] ?? false]),
      )
      expect(setImageState.decode(body)).toEqual(state)
    }
  })

  test('every upload answer is an offset or a refusal with a known reason', () => {
    const answers = bodies((_, response) => response.group === 1 && response.id === 1)
    expect(answers.length).toBeGreaterThan(400)
    for (const body of answers) {
      const refusal = errorFromReply(body, upload.name)
      if (refusal) expect(refusal.facts['reason']).not.toBe('unlisted-code')
      else expect(upload.decode(body)).toMatchObject({ off: body['off'] })
    }
  })

  test('every refusal recorded has a sentence of its own', () => {
    let refused = 0
    for (const body of bodies(() => true)) {
      const refusal = errorFromReply(body, 'it')
      if (!refusal) continue
      refused++
      // A missing statistic is refused with a code of group 63, which has no table.
      if (refusal.facts['group'] !== 63) expect(refusal.facts['reason']).not.toBe('unlisted-code')
      const err = body['err'] as CborMap | undefined
      const code = (err ? err['rc'] : body['rc']) as number
      expect(refusal.facts['rc']).toBe(code)
      expect(refusal.says).toContain(boardError(err ? (err['group'] as number) : null, code).title)
    }
    expect(refused).toBeGreaterThan(100)
  })
})

test('an open-ended map is what the server wrote for an echo', () => {
  expect(toHex(encodeIndefinite({ r: 'hello' }))).toBe('bf61726568656c6c6fff')
})

test('a packet keeps its header apart from its body', () => {
  const packet = encodeMessage({ op: 'write', version: 1, group: 0, command: 0, seq: 7, body: { d: 'x' } })
  expect(decodeHeader(packet)).toEqual({ op: 'write', version: 1, flags: 0, bodyBytes: packet.length - headerBytes, group: 0, seq: 7, command: 0 })
  expect(sameBytes(packet.subarray(headerBytes), encodeBody({ d: 'x' }))).toBe(true)
})
