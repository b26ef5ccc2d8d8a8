// One board on its cable, with everything that can happen to either: bytes lost, doubled, garbled, late or swallowed for a
// while, power and plug pulled and put back, a port that vanishes with every restart, answers that are lies. To the
// station it is an attached port and a Link.
import { Failure } from '../../../main/base/failure.ts'
import type { Clock } from '../../../main/base/clock.ts'
import type { AttachedPort } from '../../../main/link/sources.ts'
import type { Board } from '../../../main/practice/board.ts'
import { LinkEnd } from '../link-end.ts'

/** Chances for each written frame or sent piece; with `chunksOnly` for the long frames of an upload alone. */
export type Noise = Readonly<{ drop: number; garble: number; double: number; late: number; chunksOnly?: boolean }>
/** No request is that long but a chunk of an image. */
const chunkBytesMin = 150
export const quietWire: Noise = { drop: 0, garble: 0, double: 0, late: 0 }
const lateMsMax = 7_000
const bitsAByte = 10

export type CableTap = Readonly<{
  /** The station wrote this. */
  toBoard(bytes: Uint8Array): void
  /** This arrived at the station, damaged or not, just before the station hears it. */
  toStation(bytes: Uint8Array): void
}>

export type Place = Readonly<{ bay: number; serial: string }>

/** Names of ports, given out as a kernel does: the lowest that is free, so that boards which restart together swap theirs. */
export class PortNames {
  readonly #taken = new Set<number>()

  take(): number {
    let name = 1
    while (this.#taken.has(name)) name++
    this.#taken.add(name)
    return name
  }

  giveBack(name: number): void {
    this.#taken.delete(name)
  }
}

export class Cable {
  readonly board: Board
  readonly place: Place
  noise: Noise = quietWire
  /** Replaces what the board sends; one piece may become several. */
  lie: ((bytes: Uint8Array) => Uint8Array[]) | null = null
  tap: CableTap = { toBoard: () => {}, toStation: () => {} }
  /** Called at each frame, whichever way, with its number on this cable. */
  onFrame: (count: number) => void = () => {}
  /** Called when the application on the board goes down, before it boots again. */
  onDown: (count: number) => void = () => {}
  readonly #clock: Clock
  readonly #byteMs: number
  readonly #usb: boolean
  readonly #names: PortNames
  readonly #draw: () => number
  readonly #underway = new Set<() => void>()
  #attached = true
  #name: number
  #open: LinkEnd | null = null
  #toBoardFreeMs = 0
  #toStationFreeMs = 0
  #deafUntilMs = 0
  #muteUntilMs = 0
  #frames = 0
  #downs = 0

  constructor(board: Board, place: Place, clock: Clock, draw: () => number, options: Readonly<{ baud: number; usb: boolean; names: PortNames }>) {
    this.board = board
    this.place = place
    this.#clock = clock
    this.#byteMs = (bitsAByte * 1000) / options.baud
    this.#usb = options.usb
    this.#draw = draw
    this.#names = options.names
    this.#name = options.names.take()
    board.onTransmit((bytes, fromMs) => this.#fromBoard(bytes, fromMs))
    board.onEvent((event) => {
      if (event.is === 'down') {
        this.onDown(++this.#downs)
        if (this.#usb) this.#vanish()
      }
      if (event.is === 'unplugged') this.unplug()
      if ((event.is === 'recovery' || (event.is === 'booted' && event.answers)) && this.#usb) this.#appear()
    })
  }

  get path(): string {
    return `/sim/tty${this.#name}`
  }

  get isOpen(): boolean {
    return this.#open !== null
  }

  get attached(): AttachedPort | null {
    if (!this.#attached) return null
    const { bay, serial } = this.place
    return { path: this.path, device: this.path, serial, bay, hubPath: `1-${bay}`, vendorId: null, productId: null, manufacturer: null, practice: true }
  }

  open(): LinkEnd | Failure {
    if (!this.#attached) return new Failure('no-such-port', `There is no port ${this.path}.`)
    if (this.#open !== null) return new Failure('port-held', `${this.path} is held by this very station.`)
    const link = new LinkEnd(this.path, (bytes) => this.#toBoard(bytes), () => {
      if (this.#open === link) this.#open = null
    })
    this.#open = link
    return link
  }

  /** Power and port go together. */
  unplug(): void {
    this.board.powerOff()
    this.#vanish()
  }

  /** Back, switched on; the port of a USB board comes once its application runs. */
  plug(): void {
    if (!this.#usb) this.#appear()
    this.board.powerOn()
  }

  /** Nothing reaches the board, or the station, for that long. */
  silence(forMs: number, which: 'in' | 'out' | 'both'): void {
    const until = this.#clock.monotonicMs() + forMs
    if (which !== 'in') this.#deafUntilMs = Math.max(this.#deafUntilMs, until)
    if (which !== 'out') this.#muteUntilMs = Math.max(this.#muteUntilMs, until)
  }

  /** All that the board says arrives later by that much. */
  stall(forMs: number): void {
    this.#toStationFreeMs = Math.max(this.#clock.monotonicMs(), this.#toStationFreeMs) + forMs
  }

  /** The end of all troubles of the wire. */
  heal(): void {
    this.noise = quietWire
    this.lie = null
    this.#deafUntilMs = 0
    this.#muteUntilMs = 0
    this.onFrame = () => {}
    this.onDown = () => {}
  }

  /** The process that had the port open died: the port is free, and nobody was told. */
  abandon(): void {
    this.#open = null
  }

  close(): void {
    this.board.close()
    for (const cancel of this.#underway) cancel()
    this.#underway.clear()
  }

  #appear(): void {
    if (this.#attached) return
    this.#attached = true
    if (this.#usb) this.#name = this.#names.take()
  }

  #vanish(): void {
    if (this.#attached && this.#usb) this.#names.giveBack(this.#name)
    this.#attached = false
    const link = this.#open
    this.#open = null
    link?.lose(new Failure('unplugged', `${this.path} was unplugged.`))
  }

  #toBoard(bytes: Uint8Array): void {
    this.tap.toBoard(bytes)
    const now = this.#clock.monotonicMs()
    const until = Math.max(now, this.#toBoardFreeMs) + bytes.length * this.#byteMs
    this.#toBoardFreeMs = until
    if (now >= this.#deafUntilMs) {
      for (const piece of this.#damaged(bytes, bytes.length >= chunkBytesMin)) this.#later(until, () => this.#attached && this.board.receive(piece, until))
    }
    this.onFrame(++this.#frames)
  }

  #fromBoard(bytes: Uint8Array, fromMs: number): void {
    if (this.noise.late > 0 && this.#draw() < this.noise.late) this.stall(this.#draw() * lateMsMax)
    for (const said of this.lie === null ? [bytes] : this.lie(bytes)) {
      const until = Math.max(fromMs, this.#toStationFreeMs) + said.length * this.#byteMs
      this.#toStationFreeMs = until
      for (const piece of this.#damaged(said, false)) this.#later(until, () => this.#deliver(piece))
    }
    this.onFrame(++this.#frames)
  }

  #deliver(bytes: Uint8Array): void {
    if (this.#open === null || this.#clock.monotonicMs() < this.#muteUntilMs) return
    this.tap.toStation(bytes)
    this.#open.deliver(bytes)
  }

  #later(atMs: number, arrive: () => void): void {
    const cancel = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#underway.delete(cancel)
      arrive()
    })
    this.#underway.add(cancel)
  }

  #damaged(bytes: Uint8Array, isChunk: boolean): Uint8Array[] {
    const { drop, garble, double, chunksOnly = false } = this.noise
    if (chunksOnly && !isChunk) return [bytes]
    if (drop > 0 && this.#draw() < drop) return []
    const copies = double > 0 && this.#draw() < double ? 2 : 1
    let piece = bytes
    if (garble > 0 && bytes.length > 0 && this.#draw() < garble) {
      piece = bytes.slice()
      piece[Math.floor(this.#draw() * piece.length)]! ^= 1 << Math.floor(this.#draw() * 8)
    }
    return Array.from({ length: copies }, () => piece)
  }
}
