// A serial line that carries no more than its baud rate: ten bit times a byte, each way on its own. The schedule is kept
// in exact fractions of a millisecond and only looked at by coarse timers, so a late timer delays bytes but never slows
// the line; bytes are handed on line by line (or in pieces; whole where the line takes no time), with the moment their last bit was in.
import type { Clock } from '../base/clock.ts'

/** Bits on the wire for a byte: start, eight data, stop. */
const bitsPerByte = 10
/** Longest piece handed on at once when there is no line feed. */
const pieceBytesMax = 256
/** What is due within half a timer's grain is done at once, so that coarse timers are right on average. */
export function earlyMsOf(clock: Clock): number {
  return (clock.grainMs ?? 1) / 2
}

/** Bits a second, or null for a wire that takes no time. */
export type Baud = number | null

/** How long the longest piece is on the line, ms. */
export function pieceMsMax(baud: Baud): number {
  return baud === null ? 0 : (pieceBytesMax * bitsPerByte * 1000) / baud
}

/** A piece ends with its line, or is as long as pieces may be. */
function endOfPiece(bytes: Uint8Array, from: number): number {
  const feed = bytes.indexOf(0x0a, from)
  return Math.min(feed < 0 ? bytes.length : feed + 1, from + pieceBytesMax)
}

type Piece = Readonly<{ bytes: Uint8Array; atMs: number }>

/** One direction of a wire. */
export class PacedWire {
  readonly #clock: Clock
  readonly #msPerByte: number
  readonly #earlyMs: number
  readonly #deliver: (bytes: Uint8Array, atMs: number) => void
  readonly #pieces: Piece[] = []
  #freeAtMs = 0
  #cancel: (() => void) | null = null

  /** `deliver` gets each piece with the moment its last bit is in, by the clock's monotonic reading. */
  constructor(clock: Clock, baud: Baud, deliver: (bytes: Uint8Array, atMs: number) => void) {
    this.#clock = clock
    this.#msPerByte = baud === null ? 0 : (bitsPerByte * 1000) / baud
    this.#earlyMs = earlyMsOf(clock)
    this.#deliver = deliver
  }

  /** How long the line will be busy with what it has been given, ms. */
  get backlogMs(): number {
    return Math.max(0, this.#freeAtMs - this.#clock.monotonicMs())
  }

  /** Puts bytes on the line; they begin to leave at `fromMs` (default now) or when the line is free. */
  push(bytes: Uint8Array, fromMs: number = this.#clock.monotonicMs()): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, fromMs)
    for (let at = 0; at < bytes.length;) {
      const end = this.#msPerByte === 0 ? bytes.length : endOfPiece(bytes, at)
      this.#freeAtMs += (end - at) * this.#msPerByte
      this.#pieces.push({ bytes: bytes.subarray(at, end), atMs: this.#freeAtMs })
      at = end
    }
    if (this.#cancel === null) this.#run()
  }

  /** Forgets what is still on the line: the cable came off. */
  clear(): void {
    this.#cancel?.()
    this.#cancel = null
    this.#pieces.length = 0
    this.#freeAtMs = 0
  }

  #run(): void {
    this.#cancel = null
    for (let piece = this.#pieces[0]; piece !== undefined; piece = this.#pieces[0]) {
      const waitMs = piece.atMs - this.#clock.monotonicMs()
      if (waitMs > this.#earlyMs) {
        this.#cancel = this.#clock.after(waitMs, () => this.#run())
        return
      }
      this.#pieces.shift()
      this.#deliver(piece.bytes, piece.atMs)
    }
  }
}
