// The wire bytes of an upload, encoded once for a batch: a frame depends on image, offset and sequence number alone, so
// sixty-four boards write the same buffers. Chunks fill the board's buffer to the exact byte; the CBOR length of an
// offset grows with it (1, 2, 3 or 5 bytes), so every chunk is measured for itself. Changing the sequence number changes two
// base64 letters and the CRC, and the CRC is linear: another number costs a copy and a few XORs, no new encoding.
import { sha256 } from '@noble/hashes/sha2.js'
import { Failure, assert } from '../base/failure.ts'
import type { Framing } from './client.ts'
import { smpGroup } from './commands.ts'
import { imageCommand, uploadBody } from './image.ts'
import { headBytesOf } from './flat.ts'
import { crc16, encodeLines, frameOverheadBytes } from './line.ts'
import { encodeBody, encodeMessage, headerBytes } from './message.ts'
import type { SmpVersion } from './message.ts'

/** MCUboot's image header must come whole in the first chunk (Zephyr img_mgmt: fewer bytes are refused with code 22). */
const firstChunkBytesMin = 32
const imageBytesMax = 64 * 1024 * 1024

export type UploadPlan = Readonly<{
  /** `bufferBytes` of the board's parameters. */
  bufferBytes: number
  framing?: Framing
  version?: SmpVersion
  /** The upload's `image` number; 0 (default) is left out. */
  image?: number
  /** Refused by the board unless newer than what runs. */
  upgradeOnly?: boolean
  /** Sends the file's SHA-256, by which an interrupted upload is resumed. Default true. */
  sendHash?: boolean
  /** Chunk lengths are multiples of this (the flash write block in MCUboot's serial recovery). Default 1. */
  alignBytes?: number
  /** No chunk carries more than this, whatever the buffer. */
  chunkBytesMax?: number
}>

/** Largest packet (header and body) the board takes: over a console the framing's length and CRC lie in the same buffer. */
export function packetBytesFor(bufferBytes: number, framing: Framing): number {
  return framing === 'console' ? bufferBytes - frameOverheadBytes : bufferBytes
}

type Chunk = {
  readonly offset: number
  readonly end: number
  /** Frame with the sequence number `seq`; never changed, replaced when another number is asked for. */
  frame: Uint8Array | null
  seq: number
  /** CRC of the packet with sequence number 0. */
  crcAtZero: number
  /** The two stream bytes before the CRC, which may share a base64 group with it. */
  tail: readonly [number, number]
  streamBytes: number
}

/** Measures and checks; the frames themselves are encoded as they are first needed. Kinds `empty`, `too-large`, `buffer-too-small`. */
export function encodeUpload(image: Uint8Array, plan: UploadPlan): UploadFrames | Failure {
  if (image.length < firstChunkBytesMin) {
    return new Failure('empty', `The image has ${image.length} bytes, fewer than its 32-byte header. Choose a signed MCUboot image.`, { bytes: image.length })
  }
  if (image.length > imageBytesMax) {
    return new Failure('too-large', `The image has ${image.length} bytes; more than 64 MiB cannot be uploaded.`, { bytes: image.length })
  }
  const frames = new UploadFrames(image, plan)
  if (frames.firstChunkBytes < Math.min(firstChunkBytesMin, image.length) || frames.laterChunkBytes < 1) {
    return new Failure(
      'buffer-too-small',
      `The board's buffer of ${plan.bufferBytes} bytes cannot carry an upload's first chunk. Enlarge MCUMGR_TRANSPORT_NETBUF_SIZE in its firmware.`,
      { bufferBytes: plan.bufferBytes },
    )
  }
  return frames
}

export class UploadFrames {
  readonly image: Uint8Array
  readonly sha256: Uint8Array
  readonly framing: Framing
  readonly version: SmpVersion
  readonly packetBytesMax: number
  readonly firstChunkBytes: number
  /** Data bytes of a chunk right after the first. */
  readonly laterChunkBytes: number
  readonly #plan: UploadPlan
  readonly #chunks = new Map<number, Chunk>()
  /** For a packet length: what a sequence number adds to the CRC. */
  readonly #crcOfSeq = new Map<number, Uint16Array>()
  /** For the bytes an offset takes, from the second chunk on: how many data bytes fill a packet. */
  readonly #dataBytesOf = new Map<number, number>()
  #encoded = 0

  /** Use `encodeUpload`, which checks. */
  constructor(image: Uint8Array, plan: UploadPlan) {
    this.image = image
    this.#plan = plan
    this.framing = plan.framing ?? 'console'
    this.version = plan.version ?? 1
    this.sha256 = sha256(image)
    this.packetBytesMax = packetBytesFor(plan.bufferBytes, this.framing)
    assert(this.packetBytesMax <= 0xfffd, 'a packet fits the 16-bit length of its frame')
    this.firstChunkBytes = this.#dataBytes(0)
    this.laterChunkBytes = this.#dataBytes(this.firstChunkBytes)
  }

  /** How often a frame was encoded from scratch; stays at the number of chunks however many boards upload. */
  get encodedFrames(): number {
    return this.#encoded
  }

  /** Where the chunk that begins at `offset` ends. */
  endOf(offset: number): number {
    return this.#chunkAt(offset).end
  }

  /** Offsets of a whole upload in order. */
  offsets(): number[] {
    const offsets: number[] = []
    for (let at = 0; at < this.image.length; at = this.endOf(at)) offsets.push(at)
    return offsets
  }

  /** Wire bytes of the chunk at `offset` with this sequence number. Shared between boards: not to be changed. */
  frame(offset: number, seq: number): Uint8Array {
    const chunk = this.#chunkAt(offset)
    if (chunk.frame === null) this.#encode(chunk, seq)
    else if (chunk.seq !== seq) this.#renumber(chunk, seq)
    return chunk.frame!
  }

  /** Encodes the chunk at `offset` beforehand, likely with this sequence number, if nobody has yet: the wire need not wait for it. */
  prepare(offset: number, seq: number): void {
    const chunk = this.#chunkAt(offset)
    if (chunk.frame === null) this.#encode(chunk, seq)
  }

  #chunkAt(offset: number): Chunk {
    const known = this.#chunks.get(offset)
    if (known) return known
    assert(Number.isInteger(offset) && offset >= 0 && offset < this.image.length, 'a chunk begins inside the image')
    const end = Math.min(offset + this.#dataBytes(offset), this.image.length)
    const chunk: Chunk = { offset, end, frame: null, seq: 0, crcAtZero: 0, tail: [0, 0], streamBytes: 0 }
    // Boards that resume at odd offsets make chunks of their own; do not keep more than the image is worth.
    if (this.#chunks.size > 2 * Math.ceil(this.image.length / Math.max(1, this.laterChunkBytes)) + 16) this.#chunks.clear()
    this.#chunks.set(offset, chunk)
    return chunk
  }

  #body(offset: number, data: Uint8Array) {
    if (offset > 0) return uploadBody({ off: offset, data })
    const { image, upgradeOnly, sendHash } = this.#plan
    return uploadBody({
      off: 0,
      data,
      image,
      lengthBytes: this.image.length,
      sha256: (sendHash ?? true) ? this.sha256 : undefined,
      upgradeOnly,
    })
  }

  /** Data bytes that fill a packet at this offset exactly. */
  #dataBytes(offset: number): number {
    if (offset === 0) return this.#measure(0)
    const size = headBytesOf(offset)
    let bytes = this.#dataBytesOf.get(size)
    if (bytes === undefined) this.#dataBytesOf.set(size, (bytes = this.#measure(offset)))
    return bytes
  }

  #measure(offset: number): number {
    // The body around empty data, whose length byte is counted with the data.
    const room = this.packetBytesMax - headerBytes - (encodeBody(this.#body(offset, new Uint8Array(0))).length - 1)
    const fit = Math.max(0, Math.min(byteStringThatFits(room), this.#plan.chunkBytesMax ?? Infinity))
    const align = this.#plan.alignBytes ?? 1
    return fit - (fit % align)
  }

  #encode(chunk: Chunk, seq: number): void {
    this.#encoded++
    const packet = encodeMessage({
      op: 'write',
      version: this.version,
      group: smpGroup.image,
      command: imageCommand.upload,
      seq,
      body: this.#body(chunk.offset, this.image.subarray(chunk.offset, chunk.end)),
    })
    chunk.seq = seq
    chunk.frame = packet
    if (this.framing === 'raw') return
    chunk.streamBytes = packet.length + frameOverheadBytes
    chunk.tail = [packet.at(-2)!, packet.at(-1)!]
    chunk.frame = encodeLines(packet)
    chunk.crcAtZero = crc16(packet) ^ this.#crcTable(packet.length)[seq]!
  }

  #renumber(chunk: Chunk, seq: number): void {
    // Another board may be writing the old buffer just now, so this is a copy.
    const frame = chunk.frame!.slice()
    chunk.seq = seq
    chunk.frame = frame
    if (this.framing === 'raw') {
      frame[6] = seq
      return
    }
    // The number is stream byte 8, the last of the third base64 group; its first line begins with a two-byte mark.
    const letters = 2 + 2 * 4
    frame[letters + 2] = letter((value(frame[letters + 2]!) & 0b111100) | (seq >> 6))
    frame[letters + 3] = letter(seq & 63)
    const crc = chunk.crcAtZero ^ this.#crcTable(chunk.streamBytes - frameOverheadBytes)[seq]!
    writeTail(frame, chunk.streamBytes, [chunk.tail[0], chunk.tail[1], crc >> 8, crc & 0xff])
  }

  #crcTable(packetBytes: number): Uint16Array {
    let table = this.#crcOfSeq.get(packetBytes)
    if (table) return table
    table = new Uint16Array(256)
    const behind = new Uint8Array(packetBytes - 7)
    for (let bit = 0; bit < 8; bit++) {
      const crc = crc16(behind, crc16(Uint8Array.of(1 << bit)))
      for (let seq = 0; seq < 256; seq++) if (seq & (1 << bit)) table[seq] = table[seq]! ^ crc
    }
    if (this.#crcOfSeq.size > 64) this.#crcOfSeq.clear()
    this.#crcOfSeq.set(packetBytes, table)
    return table
  }
}

/** Largest byte string whose CBOR form, length bytes included, fits `room`. */
export function byteStringThatFits(room: number): number {
  for (const [headBytes, least] of [[5, 65536], [3, 256], [2, 24], [1, 0]] as const) {
    const most = headBytes === 1 ? 23 : headBytes === 2 ? 255 : headBytes === 3 ? 65535 : 0xffffffff
    const fit = Math.min(room - headBytes, most)
    if (fit >= least) return fit
  }
  return -1
}

const letters64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const letterCodes = Uint8Array.from(letters64, (text) => text.charCodeAt(0))

function letter(sixBits: number): number {
  return letterCodes[sixBits]!
}

function value(code: number): number {
  return letterCodes.indexOf(code)
}

/** Rewrites the base64 groups that hold the last two stream bytes. `last` are the last four stream bytes. */
function writeTail(frame: Uint8Array, streamBytes: number, last: readonly [number, number, number, number]): void {
  const at = (index: number) => last[index - (streamBytes - 4)]!
  for (let from = 3 * Math.floor((streamBytes - 2) / 3); from < streamBytes; from += 3) {
    const line = Math.floor(from / 93)
    const place = line * 127 + 2 + ((from - line * 93) / 3) * 4
    const have = Math.min(3, streamBytes - from)
    const second = have > 1 ? at(from + 1) : 0
    const third = have > 2 ? at(from + 2) : 0
    frame[place] = letter(at(from) >> 2)
    frame[place + 1] = letter(((at(from) & 3) << 4) | (second >> 4))
    if (have > 1) frame[place + 2] = letter(((second & 15) << 2) | (third >> 6))
    if (have > 2) frame[place + 3] = letter(third & 63)
  }
}
