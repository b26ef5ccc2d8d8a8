// The recorded story told to a practice board: every recorded request as it was sent, and between them the upload chunks
// that the recording left out. What the board says is compared by the tests.
import { createHash } from 'node:crypto'
import { concat, sameBytes, toHex } from '../../main/base/bytes.ts'
import { encodeLines } from '../../main/smp/line.ts'
import { encodeBody, encodeHeader, encodeMessage } from '../../main/smp/message.ts'
import type { CborMap } from '../../main/smp/message.ts'
import { exchanges, hex, isMessage } from '../smp/recorded.ts'
import type { Exchange, RecordedMessage } from '../smp/recorded.ts'
import { imageA, imageB, payloadA } from './rig.ts'
import type { Rig, SignedBy } from './rig.ts'

/** B with the one bit flipped that the recording's SHA stands for. */
export function corruptImage(by: SignedBy): Uint8Array {
  const image = imageB(by)
  image[1000]! ^= 1
  return image
}

/** The 2.0.0 image of a stranger. Its signature was not recorded whole; what is missing is zero, which is as wrong. */
export function strangersImage(chunk0: Uint8Array, lastChunk: Uint8Array, length: number): Uint8Array {
  const headerBytes = 512
  const image = concat(chunk0, new Uint8Array(length - chunk0.length))
  image.fill(0xff, chunk0.length, headerBytes)
  const payload = payloadA()
  image.set(payload, headerBytes)
  const end = headerBytes + payload.length
  const hash = createHash('sha256').update(image.subarray(0, end)).digest()
  const total = length - end
  const tlvs = concat(
    Uint8Array.of(0x07, 0x69, total & 0xff, total >> 8),
    Uint8Array.of(0x10, 0, 32, 0), hash,
    Uint8Array.of(0x01, 0, 32, 0), new Uint8Array(32),
    Uint8Array.of(0x22, 0, (total - 80) & 0xff, 0),
  )
  image.set(tlvs, end)
  image.set(lastChunk, length - lastChunk.length)
  return image
}

type Chunk = { off: number; data: Uint8Array; len?: number; sha?: Uint8Array }

function dataOf(request: RecordedMessage): Uint8Array {
  // The body's data is recorded as a length only; it stands in the CBOR behind the key "data" and a two-byte head at most.
  const cbor = hex(request.cbor_hex)
  const key = [0x64, 0x64, 0x61, 0x74, 0x61]
  const at = cbor.findIndex((_, i) => key.every((byte, j) => cbor[i + j] === byte)) + key.length
  if (cbor[at] === 0x59) return cbor.subarray(at + 3, at + 3 + (cbor[at + 1]! << 8 | cbor[at + 2]!))
  if (cbor[at] === 0x58) return cbor.subarray(at + 2, at + 2 + cbor[at + 1]!)
  return cbor.subarray(at + 1, at + 1 + (cbor[at]! & 31))
}

export type Told = { exchange: Exchange; answered: Uint8Array }
export type TellOptions = {
  file: string
  signedBy?: SignedBy
  /** Called after each exchange with the bytes the board sent. */
  heard: (told: Told) => void
}

/** Sends the requests of one recording to the board, in order. */
export async function tellStory(rig: Rig, { file, signedBy = 'ecdsa-p256', heard }: TellOptions): Promise<void> {
  const story = exchanges.filter((exchange) => exchange.file === file)
  const strangers = findStrangers(story)
  let upload: { name: string; image: Uint8Array; off: number } | null = null
  for (const exchange of story) {
    const [, name, chunk] = /^(.*)\/chunk([0-9]+)$/.exec(exchange.name) ?? []
    if (upload !== null && upload.name === name) await fillIn(rig, upload, (exchange.request as { body: Chunk } & RecordedMessage).body.off)
    else if (upload !== null && upload.name === 'trunc/upload-half') await fillIn(rig, upload, 66 * 256)
    if (name === undefined) upload = null
    rig.take()
    // Of the frame that was sent a byte every 5 ms only the last byte was recorded.
    if (exchange.name === 'slow-bytes-last') for (const byte of wholeFrame(story)) rig.board.receive(Uint8Array.of(byte))
    rig.board.receive(frameFor(exchange, chunk === undefined ? null : imageOf(name!, strangers, signedBy), signedBy))
    await rig.clock.wind(0)
    if (name !== undefined) {
      const body = (exchange.request as { body: Chunk } & RecordedMessage).body
      upload = { name, image: imageOf(name, strangers, signedBy), off: body.off + dataOf(exchange.request as RecordedMessage).length }
    }
    heard({ exchange, answered: rig.take() })
    const resets = isMessage(exchange.request) && exchange.request.group === 0 && exchange.request.id === 5 && exchange.request.op === 2
    if (resets && exchange.name !== 'reset/force-bool') await rig.clock.wind(2000)
  }
}

function wholeFrame(story: readonly Exchange[]): Uint8Array {
  return hex(story.find((exchange) => exchange.name === 'frame/good')!.request.frame_hex).subarray(0, -1)
}

function findStrangers(story: readonly Exchange[]): Uint8Array {
  const chunk = (at: string) => story.find((exchange) => exchange.name === `wrongkey/upload/${at}`)?.request as RecordedMessage | undefined
  const first = chunk('chunk0')
  const last = chunk('chunk22')
  if (!first || !last) return new Uint8Array(0)
  const length = (first.body as { len: number }).len
  return strangersImage(dataOf(first), dataOf(last), length)
}

function imageOf(upload: string, strangers: Uint8Array, by: SignedBy): Uint8Array {
  if (upload.startsWith('wrongkey/')) return strangers
  if (upload.startsWith('corrupt/')) return corruptImage(by)
  if (upload.startsWith('same/')) return imageA(by)
  if (upload.startsWith('short/')) return imageB(by).subarray(0, 20_000)
  return imageB(by)
}

/** The frame as it was sent; the stranger's first chunk names the SHA of the image we have instead of the recorded one. */
function frameFor(exchange: Exchange, image: Uint8Array | null, by: SignedBy): Uint8Array {
  const frame = hex(exchange.request.frame_hex)
  if (image === null || !isMessage(exchange.request)) return frame
  const { off } = exchange.request.body as Chunk
  const recorded = dataOf(exchange.request)
  const strange = exchange.name === 'wrongkey/upload/chunk0'
  if (by === 'ecdsa-p256' && !strange && sameBytes(recorded, image.subarray(off, off + recorded.length))) return frame
  const data = image.subarray(off, off + 256)
  const body: CborMap = off === 0 ? { off, data, len: image.length, sha: new Uint8Array(createHash('sha256').update(image).digest()) } : { off, data }
  const cbor = encodeBody(body)
  const { seq } = exchange.request
  return encodeLines(concat(encodeHeader({ op: 'write', version: 1, group: 1, command: 1, seq, bodyBytes: cbor.length }), cbor))
}

async function fillIn(rig: Rig, upload: { image: Uint8Array; off: number }, until: number): Promise<void> {
  for (; upload.off < until; upload.off += 256) {
    const data = upload.image.subarray(upload.off, upload.off + 256)
    rig.board.receive(encodeLines(encodeMessage({ op: 'write', version: 1, group: 1, command: 1, seq: 0, body: { off: upload.off, data } })))
  }
  await rig.clock.wind(0)
}

export function framesOf(exchange: Exchange): string {
  return exchange.responses.map((response) => response.frame_hex).join('')
}

export function asHex(bytes: Uint8Array): string {
  return toHex(bytes)
}
