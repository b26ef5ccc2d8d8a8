// SMP over a raw UART: header and body as they are, no text, no CRC; the length stands in the header
// (Zephyr CONFIG_MCUMGR_TRANSPORT_RAW_UART, MCUboot BOOT_SERIAL_RAW_PROTOCOL). Without a CRC nothing marks where a packet
// begins, so the decoder believes a header only when every field is one that the far side can send, and steps on by a
// byte otherwise. A lost byte still shifts what follows; whoever waits for the reply calls `reset` at its deadline.
import { printable } from './line.ts'

const headerBytes = 8

export type RawDecoderOptions = Readonly<{
  /** Largest packet taken, header and body. Default 8192. */
  packetBytesMax?: number
  /** What the far side sends: a client hears `replies` (default), a board hears `requests`. */
  hears?: 'replies' | 'requests'
  /** Gets the bytes skipped while looking for a header, as printable text, a line at a time. */
  onNoise?: (line: string) => void
}>

const noiseBytesMax = 256

/** Eats bytes cut anywhere, gives packets (header and body). Memory is bounded by the options. */
export class RawDecoder {
  readonly #buffer: Uint8Array
  #end = 0
  readonly #replies: boolean
  readonly #onNoise: ((line: string) => void) | undefined
  readonly #skipped = new Uint8Array(noiseBytesMax)
  #skippedEnd = 0
  #skippedBytes = 0

  constructor(options: RawDecoderOptions = {}) {
    this.#buffer = new Uint8Array(options.packetBytesMax ?? 8192)
    this.#replies = (options.hears ?? 'replies') === 'replies'
    this.#onNoise = options.onNoise
  }

  /** Bytes thrown away so far while looking for a header. */
  get skippedBytes(): number {
    return this.#skippedBytes
  }

  /** All packets completed by these bytes, in order. */
  push(bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = []
    let from = 0
    while (from < bytes.length) {
      const end = Math.min(bytes.length, from + this.#buffer.length - this.#end)
      this.#buffer.set(bytes.subarray(from, end), this.#end)
      this.#end += end - from
      from = end
      this.#take(packets)
    }
    return packets
  }

  /** Forgets a half-received packet. */
  reset(): void {
    this.#end = 0
    this.#tellNoise()
  }

  #take(packets: Uint8Array[]): void {
    let start = 0
    while (start < this.#end) {
      const size = this.#packetAt(start)
      if (size === 'no') {
        this.#skip(this.#buffer[start]!)
        start++
        continue
      }
      if (size === 'more' || start + size > this.#end) break
      this.#tellNoise()
      packets.push(this.#buffer.slice(start, start + size))
      start += size
    }
    this.#buffer.copyWithin(0, start, this.#end)
    this.#end -= start
  }

  /** Size of the packet that begins here, `more` while the header is plausible but short, `no` when it cannot be one. */
  #packetAt(start: number): number | 'more' | 'no' {
    const first = this.#buffer[start]!
    const version = (first >> 3) & 3
    const isReply = (first & 1) === 1
    if (first >> 5 !== 0 || (first & 4) !== 0 || version > 1 || isReply !== this.#replies) return 'no'
    const have = this.#end - start
    if (have >= 2 && this.#buffer[start + 1] !== 0) return 'no'
    if (have < 4) return 'more'
    const size = headerBytes + ((this.#buffer[start + 2]! << 8) | this.#buffer[start + 3]!)
    if (size === headerBytes || size > this.#buffer.length) return 'no'
    if (have < headerBytes + 1) return 'more'
    // An SMP body is a CBOR map, always.
    const body = this.#buffer[start + headerBytes]!
    return body >> 5 === 5 ? size : 'no'
  }

  #skip(byte: number): void {
    this.#skippedBytes++
    if (byte !== 0x0a) this.#skipped[this.#skippedEnd++] = byte
    if (byte === 0x0a || this.#skippedEnd === noiseBytesMax) this.#tellNoise()
  }

  #tellNoise(): void {
    if (this.#skippedEnd > 0) this.#onNoise?.(printable(this.#skipped.subarray(0, this.#skippedEnd)))
    this.#skippedEnd = 0
  }
}
