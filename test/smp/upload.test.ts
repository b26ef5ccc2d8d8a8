// Frames and upload: exact chunk sizes, one encoding for many boards, and every way a board may lose its place.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sameBytes, toHex } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import { SmpClient } from '../../main/smp/client.ts'
import { byteStringThatFits, encodeUpload, packetBytesFor } from '../../main/smp/frames.ts'
import type { UploadFrames, UploadPlan } from '../../main/smp/frames.ts'
import { uploadBody } from '../../main/smp/image.ts'
import { LineDecoder, encodeLines } from '../../main/smp/line.ts'
import { decodeMessage, encodeMessage } from '../../main/smp/message.ts'
import type { SmpMessage } from '../../main/smp/message.ts'
import { firstReplyTimeoutMs, upload, uploadWindow } from '../../main/smp/upload.ts'
import type { UploadOptions, UploadResult } from '../../main/smp/upload.ts'
import { exchanges, hex, isMessage } from './recorded.ts'
import { ScriptedBoard, seeded } from './scripted-board.ts'
import type { Script } from './scripted-board.ts'
import { WoundClock } from './wound-clock.ts'

function imageOf(bytes: number, seed = 1): Uint8Array {
  const random = seeded(seed)
  const image = Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256))
  image.set([0x3d, 0xb8, 0xf3, 0x96])
  return image
}

function framesOf(image: Uint8Array, plan: Partial<UploadPlan> = {}): UploadFrames {
  const frames = encodeUpload(image, { bufferBytes: 384, ...plan })
  if (frames instanceof Failure) throw new Error(frames.says)
  return frames
}

type Setting = { clock: WoundClock; board: ScriptedBoard; client: SmpClient; frames: UploadFrames }

function setting(image: Uint8Array, script: Script = {}, plan: Partial<UploadPlan> = {}): Setting {
  const clock = new WoundClock()
  const framing = script.framing ?? 'console'
  const bufferBytes = script.bufferBytes ?? 384
  const board = new ScriptedBoard(clock, { ...script, bufferBytes })
  const client = new SmpClient(board, clock, { framing })
  return { clock, board, client, frames: framesOf(image, { bufferBytes, framing, ...plan }) }
}

async function run({ clock, board, client, frames }: Setting, options: UploadOptions = {}): Promise<UploadResult | Failure> {
  const result = await clock.settle(upload(client, clock, frames, { windowMax: 4, ...options }))
  client.close()
  expect(board.listeners).toBe(0)
  return result
}

function whole(result: UploadResult | Failure): UploadResult {
  if (result instanceof Failure) throw new Error(`${result.kind}: ${result.says}`)
  return result
}

describe('frames', () => {
  test('every chunk but the last fills the board\'s buffer to the byte', () => {
    for (const framing of ['console', 'raw'] as const) {
      for (const bufferBytes of [128, 160, 255, 256, 300, 384, 512, 1024, 2475, 4096]) {
        const frames = framesOf(imageOf(70_000), { bufferBytes, framing })
        const most = packetBytesFor(bufferBytes, framing)
        const offsets = frames.offsets()
        const decoder = new LineDecoder()
        offsets.forEach((offset, i) => {
          const wire = frames.frame(offset, i & 255)
          const packet = framing === 'raw' ? wire : decoder.push(wire)[0]!
          expect(packet.length).toBeLessThanOrEqual(most)
          // A byte string of 24 or 256 bytes has a longer length than one of 23 or 255: there one byte can stay free.
          if (i < offsets.length - 1) expect(packet.length, `${framing} ${bufferBytes} offset ${offset}`).toBeGreaterThanOrEqual(most - 1)
        })
      }
    }
  })

  test('a 384-byte buffer gives packets of exactly 380 bytes, the largest that Zephyr was seen to take', () => {
    const frames = framesOf(imageOf(70_000))
    const decoder = new LineDecoder()
    const sizes = frames.offsets().map((offset) => decoder.push(frames.frame(offset, 0))[0]!.length)
    expect(new Set(sizes.slice(0, -1))).toEqual(new Set([380]))
  })

  test('a byte string with its length never exceeds the room and never wastes more than one byte', () => {
    for (let room = 1; room < 70_000; room += room < 600 || room > 65_000 ? 1 : 97) {
      const fit = byteStringThatFits(room)
      const used = fit + (fit < 24 ? 1 : fit < 256 ? 2 : fit < 65536 ? 3 : 5)
      expect(used).toBeLessThanOrEqual(room)
      expect(used).toBeGreaterThanOrEqual(room - (room > 65_538 ? 2 : 1))
    }
  })

  test('another sequence number gives the same bytes as a new encoding, and leaves the old buffer alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 32, max: 5000 }), fc.integer({ min: 128, max: 3000 }), fc.constantFrom('console' as const, 'raw' as const),
        fc.array(fc.nat(255), { minLength: 2, maxLength: 6 }), fc.nat(),
        (imageBytes, bufferBytes, framing, seqs, pick) => {
          const image = imageOf(imageBytes, pick)
          const frames = framesOf(image, { bufferBytes, framing, upgradeOnly: pick % 2 === 0, image: pick % 3 })
          const offsets = frames.offsets()
          const offset = offsets[pick % offsets.length]!
          const given = seqs.map((seq) => frames.frame(offset, seq))
          const before = given.map((frame) => frame.slice())
          seqs.forEach((seq, i) => {
            const data = image.subarray(offset, frames.endOf(offset))
            const first = { image: pick % 3, lengthBytes: image.length, sha256: frames.sha256, upgradeOnly: pick % 2 === 0 }
            const body = uploadBody({ off: offset, data, ...(offset === 0 ? first : {}) })
            const packet = encodeMessage({ op: 'write', version: 1, group: 1, command: 1, seq, body })
            expect(toHex(given[i]!)).toBe(toHex(framing === 'raw' ? packet : encodeLines(packet)))
          })
          expect(given.map(toHex)).toEqual(before.map(toHex))
          expect(frames.encodedFrames).toBe(1)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a recorded upload comes out byte for byte', () => {
    const name = (text: string) => exchanges.filter((exchange) => exchange.file === 'update-swap-move' && exchange.name.startsWith(text))
    const chunks = name('good/upload/chunk')
    expect(chunks.length).toBeGreaterThan(100)
    // The recorder cut the data at 256 bytes and shortened it in the decoded body; take it from the CBOR.
    const image = new Uint8Array(33_435)
    const bodies = chunks.map((exchange) => {
      if (!isMessage(exchange.request)) throw new Error('a chunk is a message')
      return (decodeMessage(new LineDecoder().push(hex(exchange.request.frame_hex))[0]!) as SmpMessage).body
    })
    for (const body of bodies) image.set(body['data'] as Uint8Array, body['off'] as number)
    const frames = framesOf(image, { chunkBytesMax: 256 })
    expect(toHex(frames.sha256)).toBe(toHex(bodies[0]!['sha'] as Uint8Array))
    // The recorder put `data` before `len` in the first chunk (and after it elsewhere); a map has no order.
    const first = new LineDecoder().push(frames.frame(0, 0))[0]!
    expect((decodeMessage(first) as SmpMessage).body).toEqual(bodies[0])
    chunks.slice(1).forEach((exchange, at) => {
      const i = at + 1
      if (!isMessage(exchange.request)) throw new Error('a chunk is a message')
      expect(toHex(frames.frame(bodies[i]!['off'] as number, exchange.request.seq))).toBe(exchange.request.frame_hex)
    })
  })

  test.each([
    ['an empty image', 0, 384, 'empty'],
    ['less than a header', 31, 384, 'empty'],
    ['a buffer too small for the first chunk', 1000, 97, 'no failure'],
    ['a buffer far too small', 1000, 60, 'buffer-too-small'],
  ])('%s', (_, imageBytes, bufferBytes, kind) => {
    const frames = encodeUpload(imageBytes === 0 ? new Uint8Array(0) : imageOf(imageBytes + 4).subarray(0, imageBytes), { bufferBytes, sendHash: bufferBytes !== 97 })
    expect(frames instanceof Failure ? frames.kind : 'no failure').toBe(kind)
  })
})

describe('a good line', () => {
  for (const framing of ['console', 'raw'] as const) {
    for (const windowMax of [1, 2, 3, 4]) {
      test(`${framing}, ${windowMax} in flight: each chunk goes out once`, async () => {
        const image = imageOf(20_000)
        const here = setting(image, { framing })
        const acked: number[] = []
        const result = whole(await run(here, { windowMax, onProgress: (bytes) => acked.push(bytes) }))
        expect(sameBytes(here.board.received, image)).toBe(true)
        expect(result).toMatchObject({ bytes: 20_000, sentBytes: 20_000, resent: 0, rewinds: 0, resumedFrom: 0, skipped: false, matched: null, window: windowMax })
        expect(here.board.written.length).toBe(here.frames.offsets().length)
        expect(acked).toEqual(here.frames.offsets().map((offset) => here.frames.endOf(offset)))
        expect(here.clock.pending).toBe(0)
      })
    }
  }

  test('two in flight keep a board busy that one leaves waiting', async () => {
    const image = imageOf(40_000)
    const seconds: number[] = []
    // As long on the wire as in the flash: with one in flight every other moment is idle.
    for (const windowMax of [1, 2]) seconds.push(whole(await run(setting(image, { wireMs: 2, serviceMs: 4 }), { windowMax })).seconds)
    expect(seconds[1]! / seconds[0]!).toBeLessThan(0.55)
  })

  test('sixty-four boards write the same buffers, each encoded once', async () => {
    const image = imageOf(30_000)
    const frames = framesOf(image)
    const clock = new WoundClock()
    const boards = Array.from({ length: 64 }, () => new ScriptedBoard(clock))
    const uploads = boards.map((board) => upload(new SmpClient(board, clock), clock, frames, { windowMax: 3 }))
    for (const result of await clock.settle(Promise.all(uploads))) whole(result)
    expect(frames.encodedFrames).toBe(frames.offsets().length)
    for (const board of boards) {
      expect(sameBytes(board.received, image)).toBe(true)
      board.written.forEach((frame, i) => expect(frame).toBe(boards[0]!.written[i]))
    }
  })

  test('the window follows what the board can hold', () => {
    expect([0, 1, 2, 3, 4, 5, 100].map(uploadWindow)).toEqual([1, 1, 2, 2, 3, 4, 4])
  })

  test('erasing a whole slot before the first reply is no timeout', async () => {
    const here = setting(imageOf(380_000 / 8), { eraseMs: 8_000 })
    expect(whole(await run(here, { firstReplyTimeoutMs: firstReplyTimeoutMs(380_000) }))).toMatchObject({ resent: 0, rewinds: 0 })
  })
})

describe('a board that remembers or forgets', () => {
  test('the image is there already: no byte goes out after the first chunk', async () => {
    const image = imageOf(10_000)
    const here = setting(image, { checksHash: true, has: image })
    expect(whole(await run(here))).toMatchObject({ bytes: 10_000, skipped: true, matched: true, resent: 0, rewinds: 0 })
    expect(here.board.written.length).toBe(1)
  })

  test('an interrupted upload goes on where it stood', async () => {
    const image = imageOf(20_000)
    const here = setting(image, { checksHash: true })
    const stop = new AbortController()
    const first = here.clock.settle(upload(here.client, here.clock, here.frames, { onProgress: (bytes) => bytes > 9_000 && stop.abort(), signal: stop.signal }))
    expect(((await first) as Failure).kind).toBe('stopped')
    await here.clock.wind(1000)
    const result = whole(await run(here))
    expect(result.resumedFrom).toBeGreaterThan(9_000)
    expect(result).toMatchObject({ matched: true, skipped: false })
    expect(result.sentBytes).toBeLessThan(12_000)
    expect(sameBytes(here.board.received, image)).toBe(true)
  })

  test('a board that was reset in the middle starts over', async () => {
    const image = imageOf(20_000)
    const here = setting(image, { forgetsAt: 12_000, checksHash: true })
    const result = whole(await run(here))
    expect(result).toMatchObject({ rewinds: 1, restarts: 1 })
    expect(result.resent).toBeGreaterThan(30)
    expect(sameBytes(here.board.received, image)).toBe(true)
  })

  test('a board that forgets again and again is given up', async () => {
    const here = setting(imageOf(20_000), { forgetsAt: 12_000, forgetsOften: true })
    expect(await run(here)).toMatchObject({ kind: 'stalled' })
    expect(here.board.written.length).toBeLessThan(3 * 60)
  })

  test('the reply to the last chunk is lost: a board that compares hashes is believed, not sent it all again', async () => {
    const image = imageOf(20_000)
    const here = setting(image, { checksHash: true, losesLastReply: true })
    const result = whole(await run(here, { windowMax: 2 }))
    expect(result).toMatchObject({ matched: true, restarts: 1 })
    expect(result.sentBytes).toBeLessThan(21_500)
  })

  test('chunks shortened to the write block are sent from where the board stands', async () => {
    const image = imageOf(20_001)
    const here = setting(image, { takesMultiplesOf: 8 })
    whole(await run(here))
    expect(sameBytes(here.board.received, image)).toBe(true)
    // Aligned chunks avoid the repeats altogether.
    const aligned = setting(image, { takesMultiplesOf: 8 }, { alignBytes: 8 })
    expect(whole(await run(aligned))).toMatchObject({ rewinds: 0, resent: 0 })
  })

  test('the board\'s hash differs: the upload fails as mismatch', async () => {
    const result = await run(setting(imageOf(5_000), { checksHash: true, corrupts: true }))
    expect(result).toMatchObject({ kind: 'mismatch' })
  })

  test('a refusal in the middle ends the upload with the board\'s reason and the place', async () => {
    const result = await run(setting(imageOf(20_000), { flashBreaksAt: 10_000 }))
    expect(result).toMatchObject({ kind: 'refused', facts: { rc: 12, reason: 'flash-write' } })
    expect((result as Failure).facts['ackedBytes']).toBeGreaterThan(9_000)
  })
})

describe('a bad line', () => {
  for (let seed = 1; seed <= 60; seed++) {
    test(`frames lost and garbled both ways, seed ${seed}`, async () => {
      const random = seeded(seed)
      const image = imageOf(4_000 + Math.floor(random() * 20_000), seed)
      const framing = 'console'
      const bufferBytes = [256, 384, 512, 1024, 2475][Math.floor(random() * 5)]!
      const here = setting(image, {
        seed, framing, bufferBytes, checksHash: random() < 0.5, loseRequest: random() * 0.04, loseReply: random() * 0.04, garble: random() * 0.04, queueMax: 1 + Math.floor(random() * 4),
      })
      const result = whole(await run(here, { windowMax: 1 + Math.floor(random() * 4), stallsMax: 12 }))
      expect(sameBytes(here.board.received, image)).toBe(true)
      expect(result.matched).not.toBe(false)
      expect(here.clock.pending).toBeLessThanOrEqual(3 * 2) // only the line's own: frames and replies still under way
    })
  }

  test('one lost request is found by the next answer, not by a deadline', async () => {
    const image = imageOf(30_000)
    const here = setting(image, { seed: 5, loseRequest: 0.02 })
    const result = whole(await run(here, { replyTimeoutMs: 60_000 }))
    expect(result.rewinds).toBeGreaterThan(0)
    expect(result.seconds).toBeLessThan(5)
  })

  test('a lost reply costs nothing when another one follows', async () => {
    const here = setting(imageOf(60_000), { seed: 8, loseReply: 0.05 })
    const result = whole(await run(here, { windowMax: 4, replyTimeoutMs: 60_000 }))
    expect(result.rewinds).toBe(0)
    expect(result.sentBytes).toBe(60_000)
  })

  test('a board that queues one request is not drowned: the window goes down and stays', async () => {
    const image = imageOf(60_000)
    const here = setting(image, { queueMax: 1, serviceMs: 5 })
    const result = whole(await run(here, { windowMax: 4 }))
    expect(result.window).toBe(1)
    expect(result.resent).toBeLessThan(20)
    expect(sameBytes(here.board.received, image)).toBe(true)
  })

  test('a lost first chunk is found by an echo, long before the erase deadline', async () => {
    const clock = new WoundClock()
    const board = new ScriptedBoard(clock)
    const client = new SmpClient(board, clock)
    const image = imageOf(5_000)
    board.mute = true
    clock.after(100, () => (board.mute = false))
    const result = whole(await clock.settle(upload(client, clock, framesOf(image), { firstReplyTimeoutMs: 60_000 })))
    expect(result.resent).toBe(1)
    expect(result.seconds).toBeLessThan(4)
    expect(sameBytes(board.received, image)).toBe(true)
  })

  test('silence ends as stalled, after a bounded number of stated repeats', async () => {
    const here = setting(imageOf(20_000))
    here.clock.after(60, () => (here.board.mute = true))
    const result = await run(here, { replyTimeoutMs: 1000, stallsMax: 3 })
    expect(result).toMatchObject({ kind: 'stalled' })
    expect((result as Failure).facts['resent']).toBeLessThanOrEqual(4 * 4)
    expect(here.clock.pending).toBe(0)
  })

  test('a pulled cable ends it at once and says how far it came', async () => {
    const here = setting(imageOf(20_000))
    here.clock.after(60, () => here.board.unplug())
    const result = await run(here)
    expect(result).toMatchObject({ kind: 'unplugged' })
    expect((result as Failure).facts['ackedBytes']).toBeGreaterThan(0)
  })

  test('stopping before the first reply takes the probe along', async () => {
    const here = setting(imageOf(20_000), { eraseMs: 30_000 })
    const stop = new AbortController()
    here.clock.after(500, () => stop.abort())
    expect(await run(here, { signal: stop.signal })).toMatchObject({ kind: 'stopped' })
    expect(here.clock.pending).toBe(1) // the board's own erase; the probe was due at 2500
  })

  test('stopping leaves no timer and no request behind', async () => {
    const here = setting(imageOf(20_000))
    const stop = new AbortController()
    here.clock.after(60, () => stop.abort())
    expect(await run(here, { signal: stop.signal })).toMatchObject({ kind: 'stopped' })
    await here.clock.wind(100)
    expect(here.clock.pending).toBe(0)
  })
})
