// One conversation, under a clock that the test winds.
import { describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { utf8 } from '../../main/base/bytes.ts'
import { SmpClient } from '../../main/smp/client.ts'
import { imageState } from '../../main/smp/image.ts'
import { LineDecoder, encodeLines } from '../../main/smp/line.ts'
import type { Link } from '../../main/smp/link.ts'
import { decodeMessage, encodeMessage, replyOp } from '../../main/smp/message.ts'
import type { CborMap, SmpMessage } from '../../main/smp/message.ts'
import { echo, parameters } from '../../main/smp/os.ts'
import { WoundClock } from './wound-clock.ts'

/** A far end that answers only when the test says so. */
class SilentBoard implements Link {
  readonly name = '/dev/silent'
  readonly heard: SmpMessage[] = []
  readonly bytesListeners = new Set<(bytes: Uint8Array) => void>()
  readonly closedListeners = new Set<(why: Failure) => void>()
  writeFails: Failure | null = null
  readonly #decoder = new LineDecoder()

  write(bytes: Uint8Array): Promise<void | Failure> {
    if (this.writeFails) return Promise.resolve(this.writeFails)
    for (const packet of this.#decoder.push(bytes)) this.heard.push(decodeMessage(packet) as SmpMessage)
    return Promise.resolve()
  }
  onBytes(listener: (bytes: Uint8Array) => void) {
    this.bytesListeners.add(listener)
    return () => void this.bytesListeners.delete(listener)
  }
  onClosed(listener: (why: Failure) => void) {
    this.closedListeners.add(listener)
    return () => void this.closedListeners.delete(listener)
  }
  close(): Promise<void> {
    return Promise.resolve()
  }
  say(bytes: Uint8Array): void {
    for (const listener of this.bytesListeners) listener(bytes)
  }
  answer(asked: SmpMessage, body: CborMap, change: Partial<SmpMessage> = {}): void {
    this.say(encodeLines(encodeMessage({ ...asked, op: replyOp(asked.op as 'read' | 'write'), body, ...change }, { lengths: 'indefinite' })))
  }
  unplug(): void {
    for (const listener of this.closedListeners) listener(new Failure('unplugged', 'The cable was pulled.'))
  }
}

function setting(options: ConstructorParameters<typeof SmpClient>[2] = {}) {
  const clock = new WoundClock()
  const board = new SilentBoard()
  const client = new SmpClient(board, clock, options)
  const leftovers = () => ({ timers: clock.pending, listeners: board.bytesListeners.size + board.closedListeners.size })
  return { clock, board, client, leftovers }
}

function kindOf(value: unknown): string {
  return value instanceof Failure ? value.kind : 'no failure'
}

test('a question and its answer', async () => {
  const { board, client, clock } = setting()
  const answer = client.request(parameters, {})
  expect(board.heard[0]).toMatchObject({ op: 'read', version: 1, group: 0, command: 6, seq: 0 })
  board.answer(board.heard[0]!, { buf_size: 2475, buf_count: 4 })
  expect(await answer).toEqual({ bufferBytes: 2475, bufferCount: 4 })
  expect(clock.pending).toBe(0)
})

describe('answers that are not the one waited for', () => {
  test.each([
    ['another sequence number', { seq: 77 }],
    ['another group', { group: 1 }],
    ['another command', { command: 5 }],
    ['another operation', { op: 'read-rsp' as const }],
    ['its own request echoed by the console', { op: 'write' as const }],
  ])('%s is dropped', async (_, change) => {
    const { board, client } = setting()
    const answer = client.request(echo, { text: 'a' })
    board.answer(board.heard[0]!, { r: 'wrong' }, change)
    expect(client.lateAnswers).toBe(1)
    board.answer(board.heard[0]!, { r: 'right' })
    expect(await answer).toEqual({ text: 'right' })
  })

  test('one that comes after its deadline does not answer the next request', async () => {
    const { board, client, clock } = setting({ replyTimeoutMs: 1000 })
    const first = client.request(echo, { text: 'one' })
    await clock.wind(1000)
    expect(kindOf(await first)).toBe('timeout')
    const second = client.request(echo, { text: 'two' })
    board.answer(board.heard[0]!, { r: 'one' })
    board.answer(board.heard[1]!, { r: 'two' })
    expect(await second).toEqual({ text: 'two' })
    expect(client.lateAnswers).toBe(1)
  })

  test('a sequence number whose answer is still owed is not used again when the numbers wrap', async () => {
    const { board, client, clock } = setting({ replyTimeoutMs: 1000 })
    void client.request(echo, { text: 'lost' })
    await clock.wind(1000)
    for (let i = 0; i < 300; i++) {
      const answer = client.request(echo, { text: 'x' })
      const asked = board.heard.at(-1)!
      expect(asked.seq).not.toBe(0)
      board.answer(asked, { r: 'x' })
      await answer
    }
    board.answer(board.heard[0]!, { r: 'lost' })
    expect(client.lateAnswers).toBe(1)
    const seqs = new Set<number>()
    for (let i = 0; i < 256; i++) {
      void client.request(echo, { text: 'y' })
      seqs.add(board.heard.at(-1)!.seq)
      board.answer(board.heard.at(-1)!, { r: 'y' })
    }
    expect(seqs.has(0)).toBe(true)
  })
})

describe('what can go wrong, each by its kind', () => {
  test('silence: the deadline is of the exchange, not of the last byte', async () => {
    const { board, client, clock, leftovers } = setting({ replyTimeoutMs: 3000 })
    const answer = client.request(echo, { text: 'a' })
    for (let i = 0; i < 5; i++) {
      await clock.wind(590)
      board.say(utf8('[00:00:01.000] <inf> app: still alive\r\n'))
    }
    await clock.wind(50)
    const failure = await answer
    expect(kindOf(failure)).toBe('timeout')
    expect((failure as Failure).says).toContain('within 3 s')
    client.close()
    expect(leftovers()).toEqual({ timers: 0, listeners: 0 })
  })

  test('a refusal carries group, code and reason', async () => {
    const { board, client } = setting()
    const answer = client.request(imageState, {})
    board.answer(board.heard[0]!, { err: { group: 1, rc: 10 } })
    expect(await answer).toMatchObject({ kind: 'refused', facts: { group: 1, rc: 10, reason: 'flash-open' } })
  })

  test('rc 0 beside the answer is success, as older builds write it', async () => {
    const { board, client } = setting()
    const answer = client.request(echo, { text: 'a' })
    board.answer(board.heard[0]!, { r: 'a', rc: 0 })
    expect(await answer).toEqual({ text: 'a' })
  })

  test.each([
    ['an answer without its field', { x: 1 }],
    ['a field of another type', { buf_size: '384', buf_count: 4 }],
    ['a buffer no image header fits in', { buf_size: 40, buf_count: 4 }],
    ['a negative number', { buf_size: -1, buf_count: 4 }],
  ])('%s is garbled', async (_, body) => {
    const { board, client } = setting()
    const answer = client.request(parameters, {})
    board.answer(board.heard[0]!, body)
    expect(kindOf(await answer)).toBe('garbled')
  })

  test('a body that is no CBOR is garbled at once, not at the deadline', async () => {
    const { board, client } = setting()
    const answer = client.request(echo, { text: 'a' })
    const packet = encodeMessage({ ...board.heard[0]!, op: 'write-rsp', body: { r: 'abc' } })
    packet[8] = 0xff
    board.say(encodeLines(packet))
    expect(kindOf(await answer)).toBe('garbled')
  })

  test('a slot listed twice is garbled', async () => {
    const { board, client } = setting()
    const answer = client.request(imageState, {})
    const slot = { slot: 0, version: '1.0.0', hash: new Uint8Array(32) }
    board.answer(board.heard[0]!, { images: [slot, slot] })
    expect(kindOf(await answer)).toBe('garbled')
  })

  test('a pulled cable fails everything open, everything waiting and everything later', async () => {
    const { board, client, leftovers } = setting({ windowMax: 1 })
    const open = client.request(echo, { text: 'a' })
    const waiting = client.request(echo, { text: 'b' })
    board.unplug()
    const later = client.request(echo, { text: 'c' })
    expect([kindOf(await open), kindOf(await waiting), kindOf(await later)]).toEqual(['unplugged', 'unplugged', 'unplugged'])
    expect(leftovers()).toEqual({ timers: 0, listeners: 0 })
  })

  test('a write the system refuses fails that exchange', async () => {
    const { board, client, clock } = setting()
    board.writeFails = new Failure('unplugged', 'no such device')
    expect(kindOf(await client.request(echo, { text: 'a' }))).toBe('unplugged')
    expect(clock.pending).toBe(0)
  })

  test('stopping takes effect at once, before, during and while waiting', async () => {
    const { board, client, clock } = setting({ windowMax: 1 })
    const before = new AbortController()
    before.abort()
    expect(kindOf(await client.request(echo, { text: 'a' }, { signal: before.signal }))).toBe('stopped')
    expect(board.heard.length).toBe(0)
    const during = new AbortController()
    const open = client.request(echo, { text: 'b' }, { signal: during.signal })
    const waits = new AbortController()
    const waiting = client.request(echo, { text: 'c' }, { signal: waits.signal })
    waits.abort()
    during.abort()
    expect([kindOf(await open), kindOf(await waiting)]).toEqual(['stopped', 'stopped'])
    expect(board.heard.length).toBe(1)
    expect(clock.pending).toBe(0)
  })
})

test('no more than the stated window is in flight, the rest goes out in order', async () => {
  const { board, client } = setting({ windowMax: 3 })
  const answers = Array.from({ length: 7 }, (_, i) => client.request(echo, { text: String(i) }))
  expect(board.heard.length).toBe(3)
  for (let i = 0; i < 7; i++) {
    board.answer(board.heard[i]!, { r: board.heard[i]!.body['d']! })
    expect(board.heard.length).toBe(Math.min(7, i + 4))
  }
  expect(await Promise.all(answers)).toEqual(Array.from({ length: 7 }, (_, i) => ({ text: String(i) })))
})

test('boot chatter is noise, told line by line until nobody listens', async () => {
  const { board, client } = setting()
  const lines: string[] = []
  const stop = client.onNoise((line) => lines.push(line))
  const answer = client.request(echo, { text: 'a' })
  board.say(utf8('*** Booting Zephyr OS build v3.4.99 ***\r\nI: Starting'))
  board.say(utf8(' bootloader\r\nuart:~$ '))
  board.answer(board.heard[0]!, { r: 'a' })
  expect(await answer).toEqual({ text: 'a' })
  expect(lines).toEqual(['*** Booting Zephyr OS build v3.4.99 ***', 'I: Starting bootloader', 'uart:~$ '])
  stop()
  board.say(utf8('more\r\n'))
  expect(lines.length).toBe(3)
})

test('a close leaves no timer and no listener, and ends what was open as stopped', async () => {
  const { client, leftovers } = setting()
  const open = client.request(echo, { text: 'a' })
  client.close()
  client.close()
  expect(kindOf(await open)).toBe('stopped')
  expect(leftovers()).toEqual({ timers: 0, listeners: 0 })
  expect(kindOf(await client.request(echo, { text: 'b' }))).toBe('stopped')
})
