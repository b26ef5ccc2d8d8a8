// LZMA2 as a bootloader unpacks it (LZMA SDK, lzma-specification.txt; xz-file-format §5.3.1): synchronous, out of memory it
// was given, with an answer for every damage. The image room has liblzma for the same, which works only while others wait;
// a bootloader cannot. What surprised us: the ARM-Thumb filter undoes itself instruction by instruction, even across what
// was no branch in the first place.

const stateCount = 12
const posStatesMax = 16
const matchBytesMin = 2
const probInit = 1024
const topValue = 0x100_0000

class Damaged extends Error {}

class RangeDecoder {
  readonly #bytes: Uint8Array
  #at: number
  #range = 0xffff_ffff
  #code = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#at = 0
    for (let i = 0; i < 5; i++) this.#code = ((this.#code << 8) | this.#next()) >>> 0
  }

  #next(): number {
    return this.#bytes[this.#at++] ?? 0
  }

  #normalize(): void {
    if (this.#range >= topValue) return
    this.#range = (this.#range << 8) >>> 0
    this.#code = ((this.#code << 8) | this.#next()) >>> 0
  }

  bit(probs: Uint16Array, index: number): 0 | 1 {
    this.#normalize()
    const prob = probs[index] ?? probInit
    const bound = ((this.#range >>> 11) * prob) >>> 0
    if (this.#code < bound) {
      this.#range = bound
      probs[index] = prob + ((2048 - prob) >> 5)
      return 0
    }
    this.#range = (this.#range - bound) >>> 0
    this.#code = (this.#code - bound) >>> 0
    probs[index] = prob - (prob >> 5)
    return 1
  }

  direct(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++) {
      this.#normalize()
      this.#range >>>= 1
      const one = this.#code >= this.#range
      if (one) this.#code = (this.#code - this.#range) >>> 0
      value = ((value << 1) | (one ? 1 : 0)) >>> 0
    }
    return value
  }

  /** A number of that many bits, highest first. */
  tree(probs: Uint16Array, from: number, bits: number): number {
    let node = 1
    for (let i = 0; i < bits; i++) node = (node << 1) | this.bit(probs, from + node)
    return node - (1 << bits)
  }

  /** Lowest first. */
  reverse(probs: Uint16Array, from: number, bits: number): number {
    let node = 1
    let value = 0
    for (let i = 0; i < bits; i++) {
      const bit = this.bit(probs, from + node)
      node = (node << 1) | bit
      value |= bit << i
    }
    return value
  }
}

const probs = (count: number) => new Uint16Array(count).fill(probInit)

class LengthModel {
  readonly #choice = probs(2)
  readonly #low = probs(posStatesMax * 8)
  readonly #mid = probs(posStatesMax * 8)
  readonly #high = probs(256)

  decode(coder: RangeDecoder, posState: number): number {
    if (coder.bit(this.#choice, 0) === 0) return coder.tree(this.#low, posState * 8, 3)
    if (coder.bit(this.#choice, 1) === 0) return 8 + coder.tree(this.#mid, posState * 8, 3)
    return 16 + coder.tree(this.#high, 0, 8)
  }
}

/** The probabilities of one run of chunks; a state reset makes a new one. */
class Model {
  readonly lc: number
  readonly lp: number
  readonly pb: number
  readonly #literals: Uint16Array
  readonly #isMatch = probs(stateCount * posStatesMax)
  readonly #isRep = probs(stateCount)
  readonly #isRepG0 = probs(stateCount)
  readonly #isRepG1 = probs(stateCount)
  readonly #isRepG2 = probs(stateCount)
  readonly #isRep0Long = probs(stateCount * posStatesMax)
  readonly #slots = probs(4 * 64)
  readonly #special = probs(1 + 128)
  readonly #align = probs(16)
  readonly #lengths = new LengthModel()
  readonly #repLengths = new LengthModel()
  #state = 0
  #reps: [number, number, number, number] = [0, 0, 0, 0]

  constructor(props: number) {
    if (props >= 225) throw new Damaged()
    this.lc = props % 9
    this.lp = Math.floor(props / 9) % 5
    this.pb = Math.floor(props / 45)
    if (this.lc + this.lp > 4) throw new Damaged()
    this.#literals = probs(0x300 << (this.lc + this.lp))
  }

  /** Unpacks one chunk into `out` from `at` to `end`; matches may reach back to `start`, where the dictionary began. */
  chunk(coder: RangeDecoder, out: Uint8Array, at: number, end: number, start: number): void {
    while (at < end) {
      const posState = (at - start) & ((1 << this.pb) - 1)
      if (coder.bit(this.#isMatch, this.#state * posStatesMax + posState) === 0) {
        out[at] = this.#literal(coder, out, at, start)
        at++
        continue
      }
      const length = this.#match(coder, posState)
      const from = at - this.#reps[0] - 1
      if (from < start || at + length > end) throw new Damaged()
      for (let i = 0; i < length; i++) out[at + i] = out[from + i] ?? 0
      at += length
    }
  }

  #literal(coder: RangeDecoder, out: Uint8Array, at: number, start: number): number {
    const before = at > start ? (out[at - 1] ?? 0) : 0
    const context = ((((at - start) & ((1 << this.lp) - 1)) << this.lc) + (before >> (8 - this.lc))) * 0x300
    let node = 1
    if (this.#state >= 7) {
      const from = at - this.#reps[0] - 1
      if (from < start) throw new Damaged()
      let matched = out[from] ?? 0
      while (node < 0x100) {
        const expected = (matched >> 7) & 1
        matched <<= 1
        const bit = coder.bit(this.#literals, context + ((1 + expected) << 8) + node)
        node = (node << 1) | bit
        if (expected !== bit) break
      }
    }
    while (node < 0x100) node = (node << 1) | coder.bit(this.#literals, context + node)
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6
    return node & 0xff
  }

  /** Length of the next match; its distance becomes the first of the four remembered. */
  #match(coder: RangeDecoder, posState: number): number {
    const state = this.#state
    if (coder.bit(this.#isRep, state) === 0) {
      const length = this.#lengths.decode(coder, posState)
      this.#reps = [this.#distance(coder, length), this.#reps[0], this.#reps[1], this.#reps[2]]
      this.#state = state < 7 ? 7 : 10
      return length + matchBytesMin
    }
    if (coder.bit(this.#isRepG0, state) === 0) {
      if (coder.bit(this.#isRep0Long, state * posStatesMax + posState) === 0) {
        this.#state = state < 7 ? 9 : 11
        return 1
      }
    } else this.#takeOlder(coder, state)
    this.#state = state < 7 ? 8 : 11
    return this.#repLengths.decode(coder, posState) + matchBytesMin
  }

  #takeOlder(coder: RangeDecoder, state: number): void {
    const [a, b, c, d] = this.#reps
    if (coder.bit(this.#isRepG1, state) === 0) this.#reps = [b, a, c, d]
    else if (coder.bit(this.#isRepG2, state) === 0) this.#reps = [c, a, b, d]
    else this.#reps = [d, a, b, c]
  }

  #distance(coder: RangeDecoder, length: number): number {
    const slot = coder.tree(this.#slots, Math.min(length, 3) * 64, 6)
    if (slot < 4) return slot
    const bits = (slot >> 1) - 1
    const high = ((2 | (slot & 1)) << bits) >>> 0
    if (slot < 14) return high + coder.reverse(this.#special, high - slot, bits)
    return high + coder.direct(bits - 4) * 16 + coder.reverse(this.#align, 0, 4)
  }
}

/** Unpacks raw LZMA2 (no header) to exactly that many bytes; null for damage of any kind. */
export function unpackLzma2(packed: Uint8Array, sizeBytes: number): Uint8Array | null {
  try {
    return unpack(packed, sizeBytes)
  } catch (error) {
    if (error instanceof Damaged) return null
    throw error
  }
}

function unpack(packed: Uint8Array, sizeBytes: number): Uint8Array {
  const out = new Uint8Array(sizeBytes)
  let [at, from, start] = [0, 0, 0]
  let props: number | null = null
  let model: Model | null = null
  while (from < packed.length) {
    const control = packed[from] ?? 0
    if (control === 0) break
    if (control > 2 && control < 0x80) throw new Damaged()
    if (control === 1 || control >= 0xe0) start = at
    const u16 = (index: number) => (packed[index] ?? 0) * 256 + (packed[index + 1] ?? 0)
    const unpackedBytes = (control < 0x80 ? 0 : (control & 0x1f) * 0x10000) + u16(from + 1) + 1
    if (at + unpackedBytes > sizeBytes) throw new Damaged()
    if (control < 0x80) {
      const raw = packed.subarray(from + 3, from + 3 + unpackedBytes)
      if (raw.length < unpackedBytes) throw new Damaged()
      out.set(raw, at)
      from += 3 + unpackedBytes
    } else {
      const reset = (control >> 5) & 3
      const packedBytes = u16(from + 3) + 1
      if (reset >= 2) props = packed[from + 5] ?? 0xff
      if (props === null) throw new Damaged()
      if (reset >= 1 || model === null) model = new Model(props)
      const data = from + 5 + (reset >= 2 ? 1 : 0)
      if (data + packedBytes > packed.length) throw new Damaged()
      model.chunk(new RangeDecoder(packed.subarray(data, data + packedBytes)), out, at, at + unpackedBytes, start)
      from = data + packedBytes
    }
    at += unpackedBytes
  }
  if (at !== sizeBytes) throw new Damaged()
  return out
}

/** Undoes liblzma's ARM-Thumb filter in place: branch targets become relative again. */
export function undoArmThumb(bytes: Uint8Array): void {
  for (let i = 0; i + 4 <= bytes.length; i += 2) {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(i, i + 4)
    if ((b & 0xf8) !== 0xf0 || (d & 0xf8) !== 0xf8) continue
    const target = (((b & 7) << 19) | (a << 11) | ((d & 7) << 8) | c) << 1
    const offset = (target - (i + 4)) >> 1
    bytes[i + 1] = 0xf0 | ((offset >> 19) & 7)
    bytes[i] = offset >> 11
    bytes[i + 3] = 0xf8 | ((offset >> 8) & 7)
    bytes[i + 2] = offset
    i += 2
  }
}
