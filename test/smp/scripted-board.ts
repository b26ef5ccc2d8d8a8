// The far end of an in-memory Link: as much of Zephyr's image server as an upload needs, a queue of stated depth, a line
// that loses and garbles frames from a seed. Written from the recorded answers, not from our client.
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, sameBytes } from '../../main/base/bytes.ts'
import type { Failure } from '../../main/base/failure.ts'
import { Failure as FailureValue } from '../../main/base/failure.ts'
import { LineDecoder, encodeLines } from '../../main/smp/line.ts'
import type { Link } from '../../main/smp/link.ts'
import { decodeMessage, encodeMessage, replyOp } from '../../main/smp/message.ts'
import type { CborMap, SmpMessage } from '../../main/smp/message.ts'
import { RawDecoder } from '../../main/smp/raw.ts'
import type { WoundClock } from './wound-clock.ts'

export type Script = {
  framing?: 'console' | 'raw'
  bufferBytes?: number
  /** Requests it can hold, the one being served included. */
  queueMax?: number
  serviceMs?: number
  eraseMs?: number
  wireMs?: number
  seed?: number
  /** Chances from 0 to 1. */
  loseRequest?: number
  loseReply?: number
  garble?: number
  /** Compares the SHA at the end and skips an image it has. */
  checksHash?: boolean
  has?: Uint8Array
  /** Takes only multiples of this, as MCUboot's serial recovery. */
  takesMultiplesOf?: number
  /** Forgets its upload after that many bytes, once. */
  forgetsAt?: number
  /** Not only once. */
  forgetsOften?: boolean
  /** The reply that says that all is here never arrives, the first time. */
  losesLastReply?: boolean
  /** Refuses the chunk that reaches this offset with IMG_ERR 12. */
  flashBreaksAt?: number
  /** Claims a wrong hash at the end. */
  corrupts?: boolean
}

export class ScriptedBoard implements Link {
  readonly name = '/dev/scripted'
  readonly heard: SmpMessage[] = []
  /** Every buffer handed to `write`, as is. */
  readonly written: Uint8Array[] = []
  received = new Uint8Array(0)
  mute = false
  readonly #clock: WoundClock
  readonly #script: Script
  readonly #decoder: LineDecoder | RawDecoder
  readonly #bytesListeners = new Set<(bytes: Uint8Array) => void>()
  readonly #closedListeners = new Set<(why: Failure) => void>()
  readonly #queue: SmpMessage[] = []
  #random: () => number
  #off = 0
  #length = 0
  #sha: Uint8Array | null = null
  #forgot = false
  #lostLast = false
  #has: Uint8Array | null

  constructor(clock: WoundClock, script: Script = {}) {
    this.#clock = clock
    this.#script = script
    this.#random = seeded(script.seed ?? 1)
    this.#has = script.has ?? null
    const packetBytesMax = (script.bufferBytes ?? 384) - (script.framing === 'raw' ? 0 : 4)
    this.#decoder =
      script.framing === 'raw' ? new RawDecoder({ hears: 'requests', packetBytesMax }) : new LineDecoder({ framesBegin: 'line-start', lineBytesMax: 128, packetBytesMax })
  }

  get listeners(): number {
    return this.#bytesListeners.size + this.#closedListeners.size
  }

  write(bytes: Uint8Array): Promise<void> {
    this.written.push(bytes)
    this.#clock.after(this.#script.wireMs ?? 1, () => this.#arrive(bytes))
    return Promise.resolve()
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#bytesListeners.add(listener)
    return () => this.#bytesListeners.delete(listener)
  }

  onClosed(listener: (why: Failure) => void): () => void {
    this.#closedListeners.add(listener)
    return () => this.#closedListeners.delete(listener)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  unplug(): void {
    this.mute = true
    for (const listener of this.#closedListeners) listener(new FailureValue('unplugged', 'The cable was pulled.'))
  }

  say(bytes: Uint8Array): void {
    for (const listener of this.#bytesListeners) listener(bytes)
  }

  #arrive(bytes: Uint8Array): void {
    const { loseRequest = 0, garble = 0 } = this.#script
    if (this.mute || this.#random() < loseRequest) return
    for (const packet of this.#decoder.push(this.#random() < garble ? this.#garbled(bytes) : bytes)) {
      const message = decodeMessage(packet)
      if (message instanceof FailureValue || this.#queue.length >= (this.#script.queueMax ?? 4)) continue
      this.heard.push(message)
      this.#queue.push(message)
      if (this.#queue.length === 1) this.#serveNext()
    }
  }

  #garbled(bytes: Uint8Array): Uint8Array {
    const copy = bytes.slice()
    const at = Math.floor(this.#random() * copy.length)
    copy[at] = copy[at]! ^ (1 << Math.floor(this.#random() * 8))
    return copy
  }

  #serveNext(): void {
    const message = this.#queue[0]
    if (!message) return
    const erases = message.group === 1 && message.body['off'] === 0 && this.#off === 0
    this.#clock.after((this.#script.serviceMs ?? 2) + (erases ? (this.#script.eraseMs ?? 0) : 0), () => {
      this.#reply(message, this.#answer(message))
      this.#queue.shift()
      this.#serveNext()
    })
  }

  #reply(asked: SmpMessage, body: CborMap): void {
    const { loseReply = 0, garble = 0, losesLastReply, framing, wireMs = 1 } = this.#script
    const packet = encodeMessage({ ...asked, op: replyOp(asked.op as 'read' | 'write'), body }, { lengths: 'indefinite' })
    const wire = framing === 'raw' ? packet : encodeLines(packet, 'zephyr')
    const isLast = losesLastReply && !this.#lostLast && body['off'] === this.#length
    if (isLast) this.#lostLast = true
    const lost = this.#random() < loseReply || isLast
    const bytes = this.#random() < garble ? this.#garbled(wire) : wire
    if (!lost) this.#clock.after(wireMs, () => (this.mute ? undefined : this.say(bytes)))
  }

  #answer({ group, command, body }: SmpMessage): CborMap {
    if (group === 0 && command === 0) return { r: (body['d'] as string) ?? '' }
    if (group !== 1 || command !== 1) return { rc: 8 }
    const off = body['off'] as number
    const data = body['data'] as Uint8Array
    return off === 0 ? this.#first(body, data) : this.#later(off, data)
  }

  #first(body: CborMap, data: Uint8Array): CborMap {
    const { checksHash } = this.#script
    const has = this.#has
    const sha = body['sha'] as Uint8Array | undefined
    const length = body['len'] as number
    if (checksHash && has && sha && sameBytes(sha256(has), sha)) return { off: length, match: true }
    if (sha && this.#sha && sameBytes(sha, this.#sha) && this.#off > 0) return { off: this.#off }
    this.#length = length
    this.#sha = sha ?? null
    this.#off = 0
    this.received = new Uint8Array(0)
    return this.#take(data)
  }

  #later(off: number, data: Uint8Array): CborMap {
    const { forgetsAt, forgetsOften, flashBreaksAt } = this.#script
    if (forgetsAt !== undefined && (forgetsOften || !this.#forgot) && this.#off >= forgetsAt) {
      this.#forgot = true
      this.#off = 0
      this.#sha = null
    }
    if (off !== this.#off) return { off: this.#off }
    if (flashBreaksAt !== undefined && off + data.length > flashBreaksAt) return { err: { group: 1, rc: 12 } }
    return this.#take(data)
  }

  #take(data: Uint8Array): CborMap {
    const block = this.#script.takesMultiplesOf ?? 1
    const last = this.#off + data.length === this.#length
    const taken = last ? data : data.subarray(0, data.length - (data.length % block))
    this.received = concat(this.received, taken) as Uint8Array<ArrayBuffer>
    this.#off += taken.length
    const off = this.#off
    if (off < this.#length) return { off }
    this.#off = 0
    const sha = this.#sha
    this.#sha = null
    if (!this.#script.checksHash || !sha) return { off }
    if (!this.#script.corrupts) this.#has = this.received
    return { off, match: !this.#script.corrupts && sameBytes(sha256(this.received), sha) }
  }
}

/** mulberry32: small, seeded, good enough to lose frames by. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
