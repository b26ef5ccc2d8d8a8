// SMP over a console: a packet travels as base64 text lines between whatever else the console prints
// (Zephyr subsys/mgmt/mcumgr/transport/src/serial_util.c; MCUboot boot/boot_serial). First line opens with 06 09,
// the others with 04 14; the decoded stream is u16 BE length (packet + 2) · packet · CRC-16/XMODEM of the packet, BE.
// Surprises: each line is base64 of its own, so a line carries a multiple of three bytes; the CRC does not cover the
// length; Zephyr's own lines after the first carry 90 bytes, not 93; text lines between two lines of one packet are
// allowed and must not break it.

/** Longest line we write, counted with its LF: two marker bytes, 31 base64 groups, LF. */
export const lineBytesMax = 127
/** Stream bytes carried by a full line. */
const streamBytesPerLine = 93

/** How a packet is cut into lines: `full` fills each (93 bytes), `zephyr` does as Zephyr's sender (93, then 90 each). */
export type LineCut = 'full' | 'zephyr'
/** What framing adds around a packet: two length bytes before it, two CRC bytes after it. */
export const frameOverheadBytes = 4

const crcTable = makeCrcTable()

function makeCrcTable(): Uint16Array {
  const table = new Uint16Array(256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    table[byte] = crc
  }
  return table
}

/** CRC-16/XMODEM (polynomial 0x1021, start 0, not reflected); `crc` continues an earlier piece. */
export function crc16(bytes: Uint8Array, crc = 0): number {
  for (let i = 0; i < bytes.length; i++) crc = ((crc << 8) & 0xffff) ^ crcTable[(crc >> 8) ^ bytes[i]!]!
  return crc
}

const base64Letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const letterOf = Uint8Array.from(base64Letters, (letter) => letter.charCodeAt(0))
const valueOf = makeValueTable()
const padding = 0x3d
const lineFeed = 0x0a
const carriageReturn = 0x0d

function makeValueTable(): Uint8Array {
  const table = new Uint8Array(256).fill(255)
  for (let value = 0; value < 64; value++) table[base64Letters.charCodeAt(value)] = value
  return table
}

/** Wire bytes of a packet of that size once framed. */
export function framedBytes(packetBytes: number, cut: LineCut = 'full'): number {
  const streamBytes = packetBytes + frameOverheadBytes
  const lines = 1 + Math.ceil(Math.max(0, streamBytes - streamBytesPerLine) / continuationBytes(cut))
  return lines * 3 + Math.ceil(streamBytes / 3) * 4
}

function continuationBytes(cut: LineCut): number {
  return cut === 'full' ? streamBytesPerLine : 90
}

/**
 * The lines of one packet, ready to be written whole.
 * Takes an SMP packet (header and body, at most 65,533 bytes).
 */
export function encodeLines(packet: Uint8Array, cut: LineCut = 'full'): Uint8Array {
  if (packet.length > 0xfffd) throw new Error(`broken promise: a packet of ${packet.length} bytes does not fit a 16-bit length`)
  const stream = new Uint8Array(packet.length + frameOverheadBytes)
  stream[0] = (packet.length + 2) >> 8
  stream[1] = packet.length + 2
  stream.set(packet, 2)
  const crc = crc16(packet)
  stream[packet.length + 2] = crc >> 8
  stream[packet.length + 3] = crc
  const text = new Uint8Array(framedBytes(packet.length, cut))
  let at = 0
  for (let from = 0; from < stream.length; ) {
    const end = Math.min(from + (from === 0 ? streamBytesPerLine : continuationBytes(cut)), stream.length)
    text[at++] = from === 0 ? 0x06 : 0x04
    text[at++] = from === 0 ? 0x09 : 0x14
    at = writeBase64(stream, from, end, text, at)
    text[at++] = lineFeed
    from = end
  }
  return text
}

function writeBase64(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  let i = start
  for (; i + 2 < end; i += 3) {
    const group = (from[i]! << 16) | (from[i + 1]! << 8) | from[i + 2]!
    into[at++] = letterOf[group >> 18]!
    into[at++] = letterOf[(group >> 12) & 63]!
    into[at++] = letterOf[(group >> 6) & 63]!
    into[at++] = letterOf[group & 63]!
  }
  if (i === end) return at
  const second = i + 1 < end ? from[i + 1]! : 0
  const group = (from[i]! << 16) | (second << 8)
  into[at++] = letterOf[group >> 18]!
  into[at++] = letterOf[(group >> 12) & 63]!
  into[at++] = i + 1 < end ? letterOf[(group >> 6) & 63]! : padding
  into[at++] = padding
  return at
}

/** Decodes base64 (padding may be missing) into `into` at `at`; the new end, or -1 when it is not base64 or does not fit. */
function readBase64(line: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  let pads = 0
  while (end > start && line[end - 1] === padding && pads < 2) {
    end--
    pads++
  }
  const letters = end - start
  const rest = letters & 3
  if (rest === 1 || (pads > 0 && ((letters + pads) & 3) !== 0)) return -1
  if (at + Math.floor((letters * 3) / 4) > into.length) return -1
  let i = start
  let bad = 0
  for (; i + 3 < end; i += 4) {
    const a = valueOf[line[i]!]!
    const b = valueOf[line[i + 1]!]!
    const c = valueOf[line[i + 2]!]!
    const d = valueOf[line[i + 3]!]!
    bad |= a | b | c | d
    into[at++] = (a << 2) | (b >> 4)
    into[at++] = (b << 4) | (c >> 2)
    into[at++] = (c << 6) | d
  }
  if (rest >= 2) {
    const a = valueOf[line[i]!]!
    const b = valueOf[line[i + 1]!]!
    const c = rest === 3 ? valueOf[line[i + 2]!]! : 0
    bad |= a | b | c
    into[at++] = (a << 2) | (b >> 4)
    if (rest === 3) into[at++] = (b << 4) | (c >> 2)
  }
  return bad > 63 ? -1 : at
}

/** Counts of what a decoder had to throw away; a rising number means a noisy wire. */
export type LineDamage = Readonly<{
  /** Whole packets whose CRC was wrong. */
  badCrc: number
  /** Frame lines that were not base64, or overran the packet they belong to. */
  badLines: number
  /** Lines longer than `lineBytesMax`. */
  longLines: number
  /** Continuation lines without a start line. */
  orphanLines: number
}>

export type LineDecoderOptions = Readonly<{
  /** Largest packet taken, header and body. A Zephyr board takes its buf_size less 4 (380 of 384). Default 8192. */
  packetBytesMax?: number
  /** Longest line taken, counted with its LF. A Zephyr board has room for 128. Default 1024. */
  lineBytesMax?: number
  /**
   * Where a frame may begin. `line-start` is Zephyr's server: anything glued before 06 09 hides the frame.
   * `anywhere` (default) is for a client: a shell prompt, or half a line cut off by a reset, may stand before it.
   */
  framesBegin?: 'line-start' | 'anywhere'
  /** Gets each line that is no frame (boot chatter, log lines), without its line end, unprintable bytes as `·`. */
  onNoise?: (line: string) => void
}>

/** Eats console bytes cut anywhere, gives SMP packets whose CRC held. Memory is bounded by the options. */
export class LineDecoder {
  readonly #line: Uint8Array
  #lineEnd = 0
  #lineTooLong = false
  /** The packet being put together: length, packet, CRC. */
  readonly #stream: Uint8Array
  #streamEnd = 0
  #packetOpen = false
  readonly #anywhere: boolean
  readonly #onNoise: ((line: string) => void) | undefined
  #damage = { badCrc: 0, badLines: 0, longLines: 0, orphanLines: 0 }

  constructor(options: LineDecoderOptions = {}) {
    this.#line = new Uint8Array(options.lineBytesMax ?? 1024)
    this.#stream = new Uint8Array((options.packetBytesMax ?? 8192) + frameOverheadBytes)
    this.#anywhere = (options.framesBegin ?? 'anywhere') === 'anywhere'
    this.#onNoise = options.onNoise
  }

  get damage(): LineDamage {
    return { ...this.#damage }
  }

  /** All packets completed by these bytes, in order; CRC checked and removed. */
  push(bytes: Uint8Array): Uint8Array[] {
    const packets: Uint8Array[] = []
    let from = 0
    while (from < bytes.length) {
      const feed = bytes.indexOf(lineFeed, from)
      const end = feed < 0 ? bytes.length : feed + 1
      this.#keep(bytes, from, end)
      from = end
      if (feed < 0) break
      const packet = this.#endLine()
      if (packet) packets.push(packet)
    }
    return packets
  }

  /** Forgets a half-received line and packet (the board was reset, the port came back). */
  reset(): void {
    this.#lineEnd = 0
    this.#lineTooLong = false
    this.#packetOpen = false
  }

  #keep(bytes: Uint8Array, from: number, end: number): void {
    const room = this.#line.length - this.#lineEnd
    if (end - from > room) {
      this.#lineTooLong = true
      end = from + room
    }
    // A reply's line is short, and the copy of a sub-array costs more than its bytes.
    if (end - from > 64) {
      this.#line.set(bytes.subarray(from, end), this.#lineEnd)
      this.#lineEnd += end - from
    } else for (let i = from; i < end; i++) this.#line[this.#lineEnd++] = bytes[i]!
  }

  #endLine(): Uint8Array | null {
    const tooLong = this.#lineTooLong
    let end = this.#lineEnd
    this.#lineEnd = 0
    this.#lineTooLong = false
    if (tooLong) {
      this.#damage.longLines++
      this.#noise(0, end)
      return null
    }
    end-- // the LF
    if (end > 0 && this.#line[end - 1] === carriageReturn) end--
    const mark = this.#findMark(end)
    if (mark < 0) {
      this.#noise(0, end)
      return null
    }
    this.#noise(0, mark)
    return this.#takeFrameLine(mark, end)
  }

  /** Where the frame of this line begins, or -1. The last mark wins: a frame that lost its LF must not hide the next. */
  #findMark(end: number): number {
    const line = this.#line
    const isMark = (i: number) => (line[i] === 0x06 && line[i + 1] === 0x09) || (line[i] === 0x04 && line[i + 1] === 0x14)
    if (!this.#anywhere) return end >= 2 && isMark(0) ? 0 : -1
    for (let i = end - 2; i >= 0; i--) if (isMark(i)) return i
    return -1
  }

  #takeFrameLine(mark: number, end: number): Uint8Array | null {
    if (this.#line[mark] === 0x06) {
      this.#packetOpen = true
      this.#streamEnd = 0
    } else if (!this.#packetOpen) {
      this.#damage.orphanLines++
      return null
    }
    const streamEnd = readBase64(this.#line, mark + 2, end, this.#stream, this.#streamEnd)
    if (streamEnd < 2) {
      this.#packetOpen = false
      this.#damage.badLines++
      return null
    }
    this.#streamEnd = streamEnd
    const promised = (this.#stream[0]! << 8) | this.#stream[1]!
    const got = streamEnd - 2
    if (promised > this.#stream.length - 2 || promised < 2 || got > promised) {
      this.#packetOpen = false
      this.#damage.badLines++
      return null
    }
    if (got < promised) return null
    this.#packetOpen = false
    // The CRC of bytes followed by their own CRC is zero.
    if (crc16(this.#stream.subarray(2, streamEnd)) !== 0) {
      this.#damage.badCrc++
      return null
    }
    return this.#stream.slice(2, streamEnd - 2)
  }

  #noise(from: number, end: number): void {
    if (end > from && this.#onNoise) this.#onNoise(printable(this.#line.subarray(from, end)))
  }
}

/** Console bytes as text for people: ASCII as it is, everything else as `·`; terminal colour codes and line ends removed. */
export function printable(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (byte === 0x1b && bytes[i + 1] === 0x5b) {
      i += 2
      while (i < bytes.length && !(bytes[i]! >= 0x40 && bytes[i]! <= 0x7e)) i++
    } else if (byte === 0x09) text += ' '
    else if (byte !== lineFeed && byte !== carriageReturn) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '·'
  }
  return text
}

/** A board's own text, the names of its fields included, with `·` for what turns, hides, colours or moves; line ends stay where there may be several. */
export function plainText(text: string, lines: 'one' | 'several' = 'one'): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (letter) => (letter === '\n' && lines === 'several' ? letter : '·'))
}
