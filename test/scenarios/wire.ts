// The simulated fixture: practice boards without pseudo-terminals, each behind a wire that takes a wound clock's time for
// every byte and may lose or garble some of them, by seed. To the station it is one more implementation of Ports.
import type { Clock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { Board } from '../../main/practice/board.ts'
import type { Link, PortLines } from '../../main/smp/link.ts'
import type { Port, Ports } from '../../main/station/ports.ts'
import { LinkEnd } from './link-end.ts'

export type WireNoise = Readonly<{
  /** Chance that a written frame (or a sent piece) is lost. */
  drop: number
  /** Chance that one byte of it is changed. */
  garble: number
}>

export const quietWire: WireNoise = { drop: 0, garble: 0 }
const bitsAByte = 10

/** One board, its cable and whoever has its port open. */
export class Fixture {
  readonly board: Board
  /** Changes its path when a USB board restarts. */
  port: Port
  readonly #clock: Clock
  readonly #byteMs: number
  readonly #noise: WireNoise
  readonly #draw: () => number
  #plugged = true
  #open: SimulatedLink | null = null
  #lines = { dtr: false, rts: false }
  #toBoardFreeMs = 0
  #fromBoardFreeMs = 0
  readonly #underway = new Set<() => void>()
  readonly onPlug: Set<() => void> = new Set()
  /** Frames handed to the station's side, for counting what really went over the wire. */
  bytesToBoard = 0

  constructor(board: Board, port: Port, clock: Clock, baud: number, noise: WireNoise, draw: () => number, usb = false) {
    this.board = board
    this.port = port
    this.#clock = clock
    this.#byteMs = (bitsAByte * 1000) / baud
    this.#noise = noise
    this.#draw = draw
    board.onTransmit((bytes, fromMs) => this.#fromBoard(bytes, fromMs))
    board.onEvent((event) => {
      if (event.is === 'unplugged') this.unplug()
      if (usb && event.is === 'down') this.#vanish()
      if (usb && (event.is === 'recovery' || (event.is === 'booted' && event.answers))) this.#reappear()
    })
  }

  get plugged(): boolean {
    return this.#plugged
  }

  get isOpen(): boolean {
    return this.#open !== null
  }

  unplug(): void {
    if (!this.#plugged) return
    this.board.powerOff()
    this.#vanish()
  }

  /** The cable alone: the board has power of its own and goes on. */
  pullCable(): void {
    this.#vanish()
  }

  /** The port is the application's own: gone with it, and back under another name. */
  #reappear(): void {
    if (this.#plugged) return
    this.port = { ...this.port, path: `${this.port.path}'` }
    this.#plugged = true
    for (const tell of this.onPlug) tell()
  }

  #vanish(): void {
    if (!this.#plugged) return
    this.#plugged = false
    const link = this.#open
    this.#open = null
    link?.lose(new Failure('unplugged', `${this.port.path} was unplugged.`))
    for (const tell of this.onPlug) tell()
  }

  plug(): void {
    if (this.#plugged) return
    this.#plugged = true
    this.board.powerOn()
    for (const tell of this.onPlug) tell()
  }

  /** Takes board and cable away; no timer of theirs is left. */
  close(): void {
    this.board.close()
    for (const cancel of this.#underway) cancel()
  }

  open(): Link | Failure {
    if (!this.#plugged) return new Failure('no-such-port', `There is no port ${this.port.path}.`)
    if (this.#open !== null) return new Failure('port-held', `${this.port.path} is held by this very station.`)
    this.#open = new SimulatedLink(this.port.path, (bytes) => this.#toBoard(bytes), () => {
      this.#open = null
    }, (lines) => this.#setLines(lines))
    return this.#open
  }

  /** Wired as on many fixtures: RTS holds the board in reset, DTR its recovery pin. */
  #setLines({ dtr = this.#lines.dtr, rts = this.#lines.rts }: PortLines): void {
    const released = this.#lines.rts && !rts
    this.#lines = { dtr, rts }
    this.board.holdRecoveryPin(dtr)
    if (rts) this.board.powerOff()
    else if (released) this.board.powerOn()
  }

  #toBoard(bytes: Uint8Array): void {
    this.bytesToBoard += bytes.length
    const from = Math.max(this.#clock.monotonicMs(), this.#toBoardFreeMs)
    const until = from + bytes.length * this.#byteMs
    this.#toBoardFreeMs = until
    const arriving = this.#damaged(bytes)
    if (arriving === null) return
    this.#later(until, () => {
      if (this.#plugged) this.board.receive(arriving, until)
    })
  }

  #fromBoard(bytes: Uint8Array, fromMs: number): void {
    const from = Math.max(fromMs, this.#fromBoardFreeMs)
    const until = from + bytes.length * this.#byteMs
    this.#fromBoardFreeMs = until
    const arriving = this.#damaged(bytes)
    if (arriving === null) return
    this.#later(until, () => this.#open?.deliver(arriving))
  }

  /** Bytes are on their way until then. */
  #later(atMs: number, arrive: () => void): void {
    const cancel = this.#clock.after(Math.max(0, atMs - this.#clock.monotonicMs()), () => {
      this.#underway.delete(cancel)
      arrive()
    })
    this.#underway.add(cancel)
  }

  #damaged(bytes: Uint8Array): Uint8Array | null {
    if (this.#noise.drop > 0 && this.#draw() < this.#noise.drop) return null
    if (this.#noise.garble === 0 || this.#draw() >= this.#noise.garble || bytes.length === 0) return bytes
    const copy = bytes.slice()
    copy[Math.floor(this.#draw() * copy.length)]! ^= 1 << Math.floor(this.#draw() * 8)
    return copy
  }
}

class SimulatedLink extends LinkEnd {
  readonly #lines: (lines: PortLines) => void

  constructor(name: string, send: (bytes: Uint8Array) => void, closed: () => void, lines: (lines: PortLines) => void) {
    super(name, send, () => { if (this.lost === null) closed() })
    this.#lines = lines
  }

  async setLines(lines: PortLines): Promise<void | Failure> {
    if (this.lost !== null) return this.lost
    this.#lines(lines)
  }
}

export class SimulatedPorts implements Ports {
  readonly fixtures: Fixture[] = []
  readonly #listeners = new Set<() => void>()

  add(fixture: Fixture): void {
    this.fixtures.push(fixture)
    fixture.onPlug.add(() => this.#tell())
    this.#tell()
  }

  list(): readonly Port[] {
    return this.fixtures.filter((fixture) => fixture.plugged).map((fixture) => fixture.port)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async open(path: string): Promise<Link | Failure> {
    const fixture = this.fixtures.find((each) => each.plugged && each.port.path === path)
    return fixture?.open() ?? new Failure('no-such-port', `There is no port ${path}.`)
  }

  async addFolder(): Promise<Failure> {
    return new Failure('no-folder', 'The simulated fixture has no practice folders.')
  }

  async close(): Promise<void> {
    this.#listeners.clear()
  }

  get listeners(): number {
    return this.#listeners.size
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}
