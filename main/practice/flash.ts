// NOR flash as a microcontroller sees it: a write can only clear bits, a sector must be erased before it is written
// anew, writes come in whole write blocks. Every write and erase is one numbered step, so that the power can be cut
// before any of them, and every step costs time, so that a swap is as silent as on hardware. No clock runs in here:
// the flash only adds up what its steps would have taken.
import { allBytes, filled } from '../base/bytes.ts'
import { assert } from '../base/failure.ts'

export const erasedByte = 0xff

export type FlashGeometry = Readonly<{
  /** Address of the first byte, so that slots can be named by their real addresses. */
  baseAddress: number
  sizeBytes: number
  sectorBytes: number
  /** Smallest unit of a write; 1, 2, 4 … bytes. */
  writeBlockBytes: number
}>

export type FlashTiming = Readonly<{
  /** Milliseconds to erase one sector. */
  eraseSectorMs: number
  /** Microseconds to write one 32-bit word. */
  writeWordUs: number
}>

/** Thrown out of a flash step when the power goes; only the board's power switch may catch it. */
export class PowerCut extends Error {
  constructor(step: number) {
    super(`power cut before flash step ${step}`)
  }
}

/** When the power goes during the work that follows: before the step of that number, or once that much flash time has passed. */
export type CutPlan = Readonly<{ beforeStep: number } | { afterMs: number }>

/** Told of every changed range, so that a file can follow. Offsets count from the first byte of the flash. */
export type FlashListener = (offset: number, length: number) => void

type JournalLine = Readonly<{ offset: number; before: Uint8Array; endMs: number }>

export class Flash {
  readonly geometry: FlashGeometry
  readonly timing: FlashTiming
  readonly #bytes: Uint8Array
  #listener: FlashListener = () => {}
  #steps = 0
  #elapsedMs = 0
  #cut: CutPlan | null = null
  #journal: JournalLine[] = []
  readonly #takesTime: boolean

  /** `content` is taken over, not copied; null is a blank part. */
  constructor(geometry: FlashGeometry, timing: FlashTiming, content: Uint8Array | null = null) {
    assert(geometry.sizeBytes % geometry.sectorBytes === 0, 'flash is whole sectors')
    assert(geometry.sectorBytes % geometry.writeBlockBytes === 0, 'a sector is whole write blocks')
    assert(content === null || content.length === geometry.sizeBytes, 'content is as long as the flash')
    this.geometry = geometry
    this.timing = timing
    this.#takesTime = timing.eraseSectorMs > 0 || timing.writeWordUs > 0
    this.#bytes = content ?? filled(geometry.sizeBytes, erasedByte)
  }

  /** Writes and erases done since the last `startCount`. */
  get steps(): number {
    return this.#steps
  }

  /** Milliseconds those steps took by the time model. */
  get elapsedMs(): number {
    return this.#elapsedMs
  }

  /** Begins a piece of work: steps and time count from zero, and the power goes as planned. */
  startCount(cut: CutPlan | null = null): void {
    this.#steps = 0
    this.#elapsedMs = 0
    this.#cut = cut
    this.#journal = []
  }

  /** Takes back every step of the present piece of work that would not have been over after `ms`: the power went then. */
  undoAfter(ms: number): void {
    for (let line = this.#journal.pop(); line !== undefined && line.endMs > ms; line = this.#journal.pop()) {
      this.#bytes.set(line.before, line.offset)
      this.#listener(line.offset, line.before.length)
    }
    this.#journal = []
  }

  /** Ends a piece of work: it can no longer be taken back. */
  endCount(): void {
    this.#cut = null
    this.#journal = []
  }

  onChange(listener: FlashListener): void {
    this.#listener = listener
  }

  /** A view, valid until the next step. Offsets count from the first byte of the flash. */
  read(offset: number, length: number): Uint8Array {
    assert(offset >= 0 && length >= 0 && offset + length <= this.#bytes.length, 'reads stay inside the flash')
    return this.#bytes.subarray(offset, offset + length)
  }

  /** False, and nothing written, when a bit would have to go from 0 to 1, or the range is no whole write blocks. */
  write(offset: number, bytes: Uint8Array): boolean {
    const { writeBlockBytes } = this.geometry
    assert(offset >= 0 && offset + bytes.length <= this.#bytes.length, 'writes stay inside the flash')
    if (offset % writeBlockBytes !== 0 || bytes.length % writeBlockBytes !== 0) return false
    for (let i = 0; i < bytes.length; i++) if ((this.#bytes[offset + i]! & bytes[i]!) !== bytes[i]!) return false
    this.#step((Math.ceil(bytes.length / 4) * this.timing.writeWordUs) / 1000, offset, bytes.length)
    this.#bytes.set(bytes, offset)
    this.#listener(offset, bytes.length)
    return true
  }

  /** Erases the one sector that begins there. */
  eraseSector(offset: number): void {
    const { sectorBytes } = this.geometry
    assert(offset % sectorBytes === 0 && offset >= 0 && offset < this.#bytes.length, 'erases name the start of a sector')
    this.#step(this.timing.eraseSectorMs, offset, sectorBytes)
    this.#bytes.fill(erasedByte, offset, offset + sectorBytes)
    this.#listener(offset, sectorBytes)
  }

  snapshot(): Uint8Array {
    return this.#bytes.slice()
  }

  #step(costMs: number, offset: number, length: number): void {
    const cut = this.#cut
    const goes = cut !== null && ('beforeStep' in cut ? this.#steps + 1 >= cut.beforeStep : this.#elapsedMs + costMs > cut.afterMs)
    if (goes) throw new PowerCut(this.#steps + 1)
    this.#steps++
    this.#elapsedMs += costMs
    // Steps that cost nothing too: undone alone, the erase before a write would leave a state that no power cut leaves.
    if (this.#takesTime) this.#journal.push({ offset, before: this.#bytes.slice(offset, offset + length), endMs: this.#elapsedMs })
  }
}

/** A slot or the scratch area: a named window of whole sectors, addressed from its own start. */
export class FlashArea {
  readonly name: string
  readonly flash: Flash
  readonly address: number
  readonly sizeBytes: number
  readonly #offset: number

  constructor(flash: Flash, name: string, address: number, sizeBytes: number) {
    const { baseAddress, sectorBytes, sizeBytes: flashBytes } = flash.geometry
    this.name = name
    this.flash = flash
    this.address = address
    this.sizeBytes = sizeBytes
    this.#offset = address - baseAddress
    assert(this.#offset >= 0 && this.#offset + sizeBytes <= flashBytes, `${name} lies inside the flash`)
    assert(this.#offset % sectorBytes === 0 && sizeBytes % sectorBytes === 0, `${name} is whole sectors`)
  }

  get sectorBytes(): number {
    return this.flash.geometry.sectorBytes
  }

  get writeBlockBytes(): number {
    return this.flash.geometry.writeBlockBytes
  }

  get sectors(): number {
    return this.sizeBytes / this.sectorBytes
  }

  read(offset: number, length: number): Uint8Array {
    assert(offset >= 0 && offset + length <= this.sizeBytes, `reads stay inside ${this.name}`)
    return this.flash.read(this.#offset + offset, length)
  }

  write(offset: number, bytes: Uint8Array): boolean {
    assert(offset >= 0 && offset + bytes.length <= this.sizeBytes, `writes stay inside ${this.name}`)
    return this.flash.write(this.#offset + offset, bytes)
  }

  /** Erases every sector that [offset, offset + length) touches, from the last one down when `backwards`. */
  erase(offset: number, length: number, backwards = false): void {
    const first = Math.floor(offset / this.sectorBytes)
    const last = Math.ceil((offset + length) / this.sectorBytes) - 1
    for (let i = first; i <= last; i++) {
      const sector = backwards ? last - (i - first) : i
      this.flash.eraseSector(this.#offset + sector * this.sectorBytes)
    }
  }

  /** The part of this area from that sector boundary on, as an area of its own. */
  from(offset: number): FlashArea {
    return offset === 0 ? this : new FlashArea(this.flash, this.name, this.address + offset, this.sizeBytes - offset)
  }

  isErased(offset = 0, length = this.sizeBytes): boolean {
    return allBytes(this.read(offset, length), erasedByte)
  }
}
