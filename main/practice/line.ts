// The practice line: N boards, each behind a pseudo-terminal of its own, in one folder. The folder shows at any moment
// which board is at which port (boards.json, written whole), keeps each board's flash, and is cleaned when the line stops
// or, if it was killed, when the next one starts there.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { realClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { NamedSecret } from '../cms/layers.ts'
import { verifyImage } from '../image/verify.ts'
import { createBoard } from './board.ts'
import type { Board, BoardEvent } from './board.ts'
import { parseFaults } from './faults.ts'
import type { Fault } from './faults.ts'
import { openFlashFile } from './flash-file.ts'
import type { FlashFile } from './flash-file.ts'
import { claimFolder } from './line-folder.ts'
import type { LineFolder } from './line-folder.ts'
import { packageAnchors } from './package-loader.ts'
import { practiceProfile } from './profiles.ts'
import type { BoardProfile } from './profiles.ts'
import type { BoardSecret } from './secrets.ts'
import { openPty } from './pty.ts'
import type { Pty } from './pty.ts'
import { PacedWire, pieceMsMax } from './wire.ts'
import type { Baud } from './wire.ts'

export const practiceBoardsMax = 128
/** What the firmware of a USB board keeps of its console until a host is there; the oldest goes first. */
const heldBytesMax = 4_096
/** Bytes are taken from the kernel at least this far ahead of the line, so that neither timers nor the event loop leave it idle. */
const aheadMsMin = 30

export type PracticeLineOptions = Readonly<{
  /** Folder of ports, flash files and boards.json; made if missing. */
  dir: string
  boards: number
  /** Bits a second each way, or null for no pacing. */
  baud: Baud
  /** Signed image the boards come with, version 1.0.0. */
  firmware: Uint8Array
  /** Those of their other images, where the profile has several. */
  others?: readonly Uint8Array[]
  /** Their private key for encrypted images, where the profile has room for one. */
  secret?: BoardSecret | null
  /** Public keys built into the boards' bootloader; the firmware must verify against one of them. */
  trust: readonly PublicKey[]
  /** Certificates (DER) by which boards that take firmware packages trust them, beside the keys of `trust`. */
  certificates?: readonly Uint8Array[]
  /** AES keys that those know packages to be encrypted with. */
  firmwareKeys?: readonly NamedSecret[]
  seed?: number
  /** As `parseFaults` reads it. */
  faults?: string
  /** Ports vanish at a reset and come back under another number, as USB boards do. Default: a UART bridge, the port stays. */
  usb?: boolean
  profile?: BoardProfile
  /** Boards as from the factory, whatever flash an earlier line left in the folder. */
  fresh?: boolean
  clock?: Clock
}>

export type PracticeBoardView = Readonly<{ bay: number; serial: string; port: string | null }>

type Place = {
  readonly bay: number
  readonly serial: string
  readonly board: Board
  readonly file: FlashFile
  /** Null while the port has vanished. */
  plug: Plug | null
  /** True once its cable was pulled; only `replug` brings the port back. */
  pulled: boolean
  /**
   * What a USB board has written since its firmware started and no host has heard: such firmware waits until its port is opened
   * (Zephyr's: until DTR), which on a pseudo-terminal shows by the host's first byte. Null: it is sent at once.
   */
  held: Uint8Array[] | null
}

type Plug = Readonly<{ pty: Pty; number: number; toBoard: PacedWire; toHost: PacedWire }>

export class PracticeLine {
  readonly dir: string
  readonly #options: PracticeLineOptions
  readonly #clock: Clock
  readonly #folder: LineFolder
  readonly #places: Place[] = []
  readonly #listeners = new Set<(boards: readonly PracticeBoardView[]) => void>()
  readonly #eventListeners = new Set<(bay: number, event: BoardEvent) => void>()
  #stopped = false

  constructor(options: PracticeLineOptions, folder: LineFolder) {
    this.dir = options.dir
    this.#options = options
    this.#clock = options.clock ?? realClock
    this.#folder = folder
  }

  /** Which board is at which port now, in the order of the bays. */
  boards(): readonly PracticeBoardView[] {
    return this.#places.map(({ bay, serial, plug }) => ({ bay, serial, port: plug && this.#folder.portPath(plug.number) }))
  }

  /** Calls back whenever a port appears or vanishes. The returned function ends the listening. */
  onChange(listener: (boards: readonly PracticeBoardView[]) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls back with what befalls the boards: down, booted, dead, unplugged. The returned function ends the listening. */
  onEvent(listener: (bay: number, event: BoardEvent) => void): () => void {
    this.#eventListeners.add(listener)
    return () => this.#eventListeners.delete(listener)
  }

  /** The board in that bay, for tests and for looking inside. */
  board(bay: number): Board | null {
    return this.#places[bay - 1]?.board ?? null
  }

  setFault(bay: number, fault: Fault | null): void | Failure {
    const place = this.#place(bay)
    return failed(place) ? place : place.board.setFault(fault)
  }

  /** Pulls cable and power: the port is gone and so is everything volatile. */
  unplug(bay: number): void | Failure {
    const place = this.#place(bay)
    if (failed(place)) return place
    place.pulled = true
    place.board.powerOff()
    this.#dropPort(place)
  }

  /** Puts the cable back; the board starts. */
  async replug(bay: number): Promise<void | Failure> {
    const place = this.#place(bay)
    if (failed(place)) return place
    place.pulled = false
    if (place.plug === null && this.#options.usb !== true) {
      const why = await this.#givePort(place)
      if (why) return why
    }
    place.board.powerOn()
  }

  /** Power off and on; a bridge's port stays, a USB port vanishes for the time. */
  powerCycle(bay: number): void | Failure {
    const place = this.#place(bay)
    if (failed(place)) return place
    place.board.reset()
  }

  /** Removes the ports, writes the flash files and leaves nothing running. Safe to call twice. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    this.#listeners.clear()
    this.#eventListeners.clear()
    for (const place of this.#places) {
      place.board.close()
      this.#dropPort(place)
      place.file.close()
    }
    await this.#folder.release()
  }

  /** Makes the boards, gives each its port and switches it on; all or nothing. */
  async open(faults: ReadonlyMap<number, Fault>): Promise<void | Failure> {
    for (let bay = 1; bay <= this.#options.boards; bay++) {
      const why = await this.#openPlace(bay, faults.get(bay) ?? null)
      if (why) {
        await this.stop()
        return why
      }
    }
    this.#publish()
    for (const place of this.#places) place.board.powerOn()
  }

  #place(bay: number): Place | Failure<'no-such-bay'> {
    return this.#places[bay - 1] ?? new Failure('no-such-bay', `There is no practice board in bay ${bay}; the bays are 1 to ${this.#places.length}.`)
  }

  async #openPlace(bay: number, fault: Fault | null): Promise<void | Failure> {
    const { firmware, others = [], secret = null, trust, certificates = [], firmwareKeys = [] } = this.#options
    const profile = this.#options.profile ?? practiceProfile
    const serial = `PB-${String(bay).padStart(4, '0')}`
    const file = openFlashFile(join(this.dir, `${serial}.flash`), this.#clock)
    if (failed(file)) return file
    const board = createBoard({ clock: this.#clock, profile, serial, trust, anchors: packageAnchors(trust, certificates), firmwareKeys, firmware, others, secret, fault, content: this.#options.fresh === true ? null : file.read(profile.flash.sizeBytes) })
    file.follow(board)
    const place: Place = { bay, serial, board, file, plug: null, pulled: false, held: null }
    this.#places.push(place)
    board.onEvent((event) => this.#heed(place, event))
    board.onTransmit((bytes, fromMs) => {
      if (place.held === null) place.plug?.toHost.push(bytes, fromMs)
      else hold(place.held, bytes)
    })
    return this.#givePort(place)
  }

  #heed(place: Place, event: BoardEvent): void {
    if (this.#stopped) return
    for (const listener of [...this.#eventListeners]) listener(place.bay, event)
    if (event.is === 'unplugged') {
      place.pulled = true
      this.#dropPort(place)
    }
    if (this.#options.usb !== true || place.pulled) return
    if (event.is === 'down') this.#dropPort(place)
    place.held = event.is === 'booted' ? [] : null
    // A USB port is the application's own: firmware that hangs never brings it back.
    const answers = event.is === 'recovery' || (event.is === 'booted' && event.answers)
    if (answers && place.plug === null) void this.#givePort(place)
  }

  async #givePort(place: Place): Promise<void | Failure> {
    const pty = await openPty()
    if (failed(pty)) return pty
    // While the pseudo-terminal was being opened the cable may have come off, or the line may have been stopped.
    if (this.#stopped || place.pulled || place.plug !== null) {
      pty.close()
      return
    }
    const number = this.#folder.addPort(pty.path)
    const { baud } = this.#options
    // What is left when a piece is through is looked at once: half of this must outlast the longest piece.
    const aheadMs = Math.max(aheadMsMin, 2.5 * pieceMsMax(baud))
    const toHost = new PacedWire(this.#clock, baud, (bytes) => void pty.write(bytes))
    const toBoard: PacedWire = new PacedWire(this.#clock, baud, (bytes, atMs) => {
      place.board.receive(bytes, atMs)
      if (toBoard.backlogMs < aheadMs / 2) pty.resume()
    })
    pty.onBytes((bytes) => {
      for (const held of place.held?.splice(0) ?? []) toHost.push(held)
      place.held = null
      toBoard.push(bytes)
      if (toBoard.backlogMs > aheadMs) pty.pause()
    })
    place.plug = { pty, number, toBoard, toHost }
    if (this.#places.length === this.#options.boards) this.#publish()
  }

  #dropPort(place: Place): void {
    const { plug } = place
    if (plug === null) return
    place.plug = null
    plug.toBoard.clear()
    plug.toHost.clear()
    this.#folder.removePort(plug.number)
    plug.pty.close()
    this.#publish()
  }

  #publish(): void {
    if (this.#stopped) return
    const boards = this.boards()
    this.#folder.announce(boards)
    for (const listener of [...this.#listeners]) listener(boards)
  }
}

function hold(held: Uint8Array[], bytes: Uint8Array): void {
  held.push(bytes)
  let sum = held.reduce((total, each) => total + each.length, 0)
  while (sum > heldBytesMax) sum -= held.shift()?.length ?? sum
}

/**
 * Starts a practice line in this process. Ready when it returns: all ports are there and boards.json names them.
 * Failure kinds: `bad-boards`, `bad-firmware`, `bad-faults`, `bad-folder`, `folder-in-use`, `no-pty`.
 */
export async function startPracticeLine(options: PracticeLineOptions): Promise<PracticeLine | Failure> {
  if (!Number.isInteger(options.boards) || options.boards < 1 || options.boards > practiceBoardsMax) {
    return new Failure('bad-boards', `A practice line has 1 to ${practiceBoardsMax} boards, not ${options.boards}.`)
  }
  const unfit = whyUnfit(options)
  if (unfit) return unfit
  const faults = parseFaults(options.faults ?? '', options.boards, options.seed ?? 1)
  if (failed(faults)) return faults
  try {
    await mkdir(options.dir, { recursive: true })
  } catch (error) {
    return new Failure('bad-folder', `The folder ${options.dir} for the practice boards cannot be made: ${(error as Error).message}.`)
  }
  const folder = claimFolder(options.dir)
  if (failed(folder)) return folder
  const line = new PracticeLine(options, folder)
  const why = await line.open(faults)
  return why ?? line
}

/** The image the boards come with must boot on them, or the line would be silent from the start. */
function whyUnfit(options: PracticeLineOptions): Failure<'bad-firmware'> | null {
  const roomBytes = (options.profile ?? practiceProfile).slot0.sizeBytes
  if (options.firmware.length > roomBytes) {
    return new Failure('bad-firmware', `The firmware of the practice boards has ${options.firmware.length} bytes, but their slot only ${roomBytes}.`)
  }
  let why: Failure | null = new Failure('no-key', 'The boards trust no key at all.')
  for (const key of options.trust) {
    const verified = verifyImage(options.firmware, key)
    if (!failed(verified)) return null
    why = verified
  }
  return new Failure('bad-firmware', `The practice boards could not boot the firmware they come with. ${why.says}`)
}
