// One practice board: flash, bootloader, and the SMP server of whatever image runs, behind a byte side that knows no
// wire. Bytes come in with the moment their last bit arrived and go out with the moment their first may leave, both by
// the board's clock, so that pacing stays exact although timers are coarse. Work in flash takes the flash's own time:
// the board is deaf in the bootloader and slow to answer while it erases, as the recorded one was.
import type { Clock } from '../base/clock.ts'
import { utf8 } from '../base/bytes.ts'
import type { PublicKey } from '../base/signer.ts'
import type { NamedSecret } from '../cms/layers.ts'
import type { TrustAnchor } from '../cms/trust.ts'
import { packetBytesFor } from '../smp/frames.ts'
import { LineDecoder } from '../smp/line.ts'
import { RawDecoder } from '../smp/raw.ts'
import type { ServerSeat } from './answer.ts'
import { boot } from './bootloader.ts'
import type { BootResult, Running } from './boot-words.ts'
import type { Fault } from './faults.ts'
import { firmwareOf } from './firmware.ts'
import { bootloaderOf, checkAgainst, couldBoot, flashFactoryImage, layOut, listedHash } from './factory.ts'
import { Flash, PowerCut } from './flash.ts'
import type { CutPlan, FlashListener } from './flash.ts'
import { layersOf, takeOutWith } from './package-layers.ts'
import type { LayersWorld, TakeOut } from './package-layers.ts'
import { packageAnchors, unwrapWith } from './package-loader.ts'
import type { BoardProfile } from './profiles.ts'
import { replyLines } from './reply-lines.ts'
import { RecoveryServer } from './server-recovery.ts'
import { answerPacket } from './server.ts'
import { ImageServer } from './server-image.ts'
import type { BoardSecret } from './secrets.ts'
import { UnitServer, UnitStorage } from './server-unit.ts'
import type { Bootloader, ImageCheck, Unwrap } from './slot-check.ts'
import type { Slots } from './swap.ts'
import type { SwapType } from './trailer.ts'
import { earlyMsOf } from './wire.ts'

export type BoardOptions = Readonly<{
  clock: Clock
  profile: BoardProfile
  serial: string
  /** Public keys built into the bootloader. */
  trust: readonly PublicKey[]
  /** How the bootloader judges an image; against `trust` unless told. Thousands of simulated boots remember their verdicts. */
  check?: ImageCheck
  /** Who may sign firmware packages for it, where its bootloader takes them; the keys of `trust` unless told. */
  anchors?: readonly TrustAnchor[]
  /** AES keys that packages for it may be encrypted with, or their keys wrapped. */
  firmwareKeys?: readonly NamedSecret[]
  /** The signed image the board came with from its factory. */
  firmware: Uint8Array
  /** Those of its other images, where it has several. */
  others?: readonly Uint8Array[]
  /** Private key for encrypted images (PKCS#8), where the profile has one. */
  secret?: BoardSecret | null
  /** Flash content of an earlier life; null or absent = fresh from the factory. Taken over, not copied. */
  content?: Uint8Array | null
  fault?: Fault | null
}>

export type BoardEvent =
  /** The application is gone; a USB port of its own would vanish now. */
  | Readonly<{ is: 'down' }>
  /** `answers` is false for firmware that hangs. */
  | Readonly<{ is: 'booted'; version: string; swapped: SwapType; answers: boolean }>
  /** The bootloader stays in serial recovery. */
  | Readonly<{ is: 'recovery' }>
  /** Nothing bootable: silent until flashed anew. */
  | Readonly<{ is: 'dead' }>
  /** The fault `unplug` struck: power and cable are gone until `powerOn`. */
  | Readonly<{ is: 'unplugged' }>

type Life =
  | Readonly<{ is: 'off' }>
  | Readonly<{ is: 'booting'; flashFromMs: number }>
  /** The bootloader waits for an upload before it starts anything. */
  | Readonly<{ is: 'listening' }>
  | Readonly<{ is: 'running'; seat: ServerSeat; running: Running; answers: boolean }>
  /** The bootloader itself answers. */
  | Readonly<{ is: 'recovery'; server: RecoveryServer }>
  | Readonly<{ is: 'dead' }>

type Waiting = Readonly<{ packet: Uint8Array; atMs: number }>

/** From the start of the firmware to its word on its self-test. */
const selfTestMs = 40
/** Power stays away that long after a `power-cut` fault. */
const powerBackMs = 500

export class Board {
  readonly serial: string
  readonly slots: Slots
  readonly flash: Flash
  readonly #options: BoardOptions
  readonly #loader: Bootloader
  readonly #factoryHash: Uint8Array
  readonly #takeOut: TakeOut | null
  readonly #decoder: LineDecoder | RawDecoder
  /** The bootloader has a receive buffer of its own. */
  readonly #recoveryDecoder: LineDecoder | RawDecoder
  /** Files and settings: they outlive a reset. */
  readonly unit = new UnitStorage()
  readonly #timers = new Set<() => void>()
  /** A request is answered, and bytes are sent, up to that much before their exact moment, so that timers need not be finer. */
  readonly #earlyMs: number
  #life: Life = { is: 'off' }
  #fault: Fault | null
  #queue: Waiting[] = []
  /** When the request in work will be answered; the board is busy until then. */
  #freeAtMs = 0
  #workFromMs = 0
  #busy = false
  /** A request asked for a reset; it happens once its answer is out and the delay over. */
  #resetDue = false
  #resetTimed = false
  /** Retained over a reset: the bootloader is to stay in recovery. */
  #recoverNext = false
  /** BOOT_SERIAL_ENTRANCE_GPIO, looked at when the bootloader starts. */
  #recoveryPin = false
  #unplugDue = false
  #transmit: (bytes: Uint8Array, fromMs: number) => void = () => {}
  #tell: (event: BoardEvent) => void = () => {}

  constructor(options: BoardOptions) {
    const { profile, firmware } = options
    this.#options = options
    this.serial = options.serial
    this.#earlyMs = earlyMsOf(options.clock)
    this.#fault = options.fault ?? null
    this.flash = new Flash(profile.flash, profile.timing, options.content ?? null)
    this.slots = layOut(this.flash, profile)
    this.#loader = bootloaderOf(this.slots, profile, options.check ?? checkAgainst(options.trust), unwrapOf(options), options.secret ?? null)
    this.#factoryHash = listedHash(firmware, profile)
    const layers = layersFor(options)
    this.#takeOut = layers === null ? null : takeOutWith(layers)
    this.#decoder = decoderFor(profile, profile.bufferBytes)
    this.#recoveryDecoder = decoderFor(profile, profile.recovery?.receiveBytes ?? profile.bufferBytes)
    if (!options.content || !couldBoot(this.#loader, this.flash, profile)) flashFactoryImage(this.slots, firmware, profile.mode, options.others)
  }

  get state(): Life['is'] {
    return this.#life.is
  }

  /** The image that runs, or null. */
  get running(): Running | null {
    return this.#life.is === 'running' ? this.#life.running : null
  }

  get fault(): Fault | null {
    return this.#fault
  }

  /** Where the board's bytes go: console lines and replies, each with the moment it may begin to leave, ms of the clock. */
  onTransmit(transmit: (bytes: Uint8Array, fromMs: number) => void): void {
    this.#transmit = transmit
  }

  onEvent(tell: (event: BoardEvent) => void): void {
    this.#tell = tell
  }

  onFlashChange(listener: FlashListener): void {
    this.flash.onChange(listener)
  }

  setFault(fault: Fault | null): void {
    this.#fault = fault
    if (this.#life.is === 'running') this.#start(this.#life.running)
  }

  /** Bytes off the wire; `atMs` is when their last bit was in. Deaf unless an application runs. */
  receive(bytes: Uint8Array, atMs: number = this.#nowMs()): void {
    const inBootloader = this.#life.is === 'recovery' || this.#life.is === 'listening'
    if (!inBootloader && (this.#life.is !== 'running' || !this.#life.answers)) return
    const decoder = inBootloader ? this.#recoveryDecoder : this.#decoder
    for (const packet of decoder.push(bytes)) {
      if (this.#life.is === 'listening') this.#recover()
      if (this.#queue.length >= this.#options.profile.queuedRequestsMax) continue
      this.#queue.push({ packet, atMs })
    }
    this.#work()
  }

  powerOn(): void {
    if (this.#life.is === 'off') this.#bootAfter(this.#options.profile.romMs, null)
  }

  /** Everything volatile is gone, and of flash work under way whatever would not have been done by now. */
  powerOff(): void {
    if (this.#life.is === 'off') return
    this.#stopWork()
    this.#life = { is: 'off' }
    this.#tell({ is: 'down' })
  }

  /** The pin that keeps the bootloader in recovery; what counts is how it stands at the next restart. */
  holdRecoveryPin(held: boolean): void {
    this.#recoveryPin = held
  }

  /** The reset pin. */
  reset(): void {
    if (this.#life.is === 'off') return
    this.powerOff()
    this.powerOn()
  }

  /** No timer is left after this. */
  close(): void {
    this.powerOff()
    this.#transmit = () => {}
    this.#tell = () => {}
  }

  #nowMs(): number {
    return this.#options.clock.monotonicMs()
  }

  #after(delayMs: number, work: () => void): void {
    const cancel = this.#options.clock.after(Math.max(0, delayMs), () => {
      this.#timers.delete(cancel)
      work()
    })
    this.#timers.add(cancel)
  }

  #stopWork(): void {
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    const from = this.#life.is === 'booting' ? this.#life.flashFromMs : this.#busy ? this.#workFromMs : null
    if (from !== null) this.flash.undoAfter(this.#nowMs() - from)
    this.#queue = []
    this.#busy = false
    this.#resetDue = false
    this.#resetTimed = false
    this.#unplugDue = false
    this.#freeAtMs = 0
    this.#decoder.reset()
    this.#recoveryDecoder.reset()
  }

  #bootAfter(delayMs: number, cut: CutPlan | null): void {
    const flashFromMs = this.#nowMs() + delayMs
    this.#life = { is: 'booting', flashFromMs: Infinity }
    this.#after(delayMs, () => this.#boot(flashFromMs, cut))
  }

  #boot(fromMs: number, cut: CutPlan | null, listened = false): void {
    const fault = this.#fault
    const planned: CutPlan | null = cut ?? (fault?.is === 'power-cut' ? { beforeStep: fault.beforeStep } : null)
    this.#life = { is: 'booting', flashFromMs: fromMs }
    if (this.#recoverNext || this.#recoveryPin) return this.#recover()
    const waitsMs = this.#options.profile.recovery?.waitsMs ?? 0
    if (waitsMs > 0 && !listened) return this.#listen(waitsMs, cut)
    this.flash.startCount(planned)
    let result: BootResult
    try {
      result = boot(this.#loader)
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error
      this.#losePower(this.flash.elapsedMs)
      return
    }
    const { elapsedMs } = this.flash
    for (const line of result.lines) this.#sayAt(fromMs + line.afterMs, line.text)
    this.#after(fromMs + elapsedMs + this.#options.profile.applicationStartMs - this.#nowMs(), () => this.#jump(result))
  }

  /** The fault `power-cut`: the flash stays as it was at that step, and the power returns by itself. */
  #losePower(elapsedMs: number): void {
    this.#fault = null
    this.#after(elapsedMs, () => {
      this.flash.endCount()
      this.#stopWork()
      this.#life = { is: 'off' }
      this.#after(powerBackMs, () => this.powerOn())
    })
  }

  #jump(result: BootResult): void {
    this.flash.endCount()
    if (result.running === null && this.#options.profile.recovery !== null) return this.#recover()
    if (result.running === null) {
      this.#life = { is: 'dead' }
      this.#tell({ is: 'dead' })
      return
    }
    this.#start(result.running)
    const { version } = this.#options.profile.info
    const answers = this.#life.is === 'running' && this.#life.answers
    // Told first: a USB port is there before the firmware writes its first line.
    this.#tell({ is: 'booted', version: result.running.version, swapped: result.swapped, answers })
    if (answers) this.#sayAt(this.#nowMs(), `*** Booting Zephyr OS build ${version} ***`)
    if (answers && this.#options.profile.unitGroups && this.#life.is === 'running') {
      this.#sayAt(this.#nowMs() + selfTestMs, `[00:00:00.${String(selfTestMs).padStart(3, '0')},000] <inf> app: self-test ${this.#life.seat.selfTestPasses ? 'passed' : 'failed: sensor 2 does not answer'}`)
    }
  }

  #listen(waitsMs: number, cut: CutPlan | null): void {
    this.#life = { is: 'listening' }
    this.#after(waitsMs, () => {
      if (this.#life.is === 'listening') this.#boot(this.#nowMs(), cut, true)
    })
  }

  #recover(): void {
    const { recovery } = this.#options.profile
    this.#recoverNext = false
    if (recovery === null) return
    const server = new RecoveryServer(this.#loader, recovery, () => { this.#resetDue = true })
    server.onUploaded = (offset, sizeBytes) => this.#uploaded(offset / sizeBytes)
    this.#life = { is: 'recovery', server }
    this.#tell({ is: 'recovery' })
  }

  #start(running: Running): void {
    const firmware = firmwareOf(running, this.#factoryHash, this.#fault)
    const startedMs = this.#nowMs()
    const image = this.#life.is === 'running' ? this.#life.seat.image : new ImageServer(this.slots, this.#options.profile, running.slot, this.#takeOut)
    image.onUploaded = (offset, sizeBytes) => this.#uploaded(offset / sizeBytes)
    const seat: ServerSeat = {
      profile: this.#options.profile,
      serial: this.serial,
      image,
      unit: new UnitServer(this.unit, firmware.selfTestPasses),
      selfTestPasses: firmware.selfTestPasses,
      uptimeMs: () => this.#nowMs() - startedMs,
      requestReset: (recovery) => {
        this.#resetDue = true
        this.#recoverNext = recovery === true
      },
      echo: firmware.echo,
    }
    this.#life = { is: 'running', seat, running, answers: firmware.answers }
  }

  /** Takes up waiting requests one after the other; each answer leaves when the flash work behind it is done. */
  #work(): void {
    while ((this.#life.is === 'running' || this.#life.is === 'recovery') && !this.#busy) {
      const next = this.#queue.shift()
      if (next === undefined) return
      const fromMs = Math.max(next.atMs, this.#freeAtMs)
      this.flash.startCount()
      const replies = this.#life.is === 'recovery' ? this.#life.server.answer(next.packet) : answerPacket(this.#life.seat, next.packet)
      const doneMs = fromMs + this.flash.elapsedMs
      this.#freeAtMs = doneMs
      this.#workFromMs = fromMs
      if (doneMs - this.#nowMs() <= this.#earlyMs) {
        this.#answer(replies, doneMs)
        continue
      }
      this.#busy = true
      this.#after(doneMs - this.#nowMs(), () => {
        this.#busy = false
        this.#answer(replies, doneMs)
        this.#work()
      })
    }
  }

  #answer(replies: readonly Uint8Array[], atMs: number): void {
    this.flash.endCount()
    if (this.#unplugDue) {
      // The cable came off while this chunk was on its way: nobody hears the answer.
      this.#fault = null
      this.powerOff()
      this.#tell({ is: 'unplugged' })
      return
    }
    const { framing } = this.#options.profile
    for (const reply of replies) this.#transmit(framing === 'raw' ? reply : replyLines(reply), atMs)
    if (!this.#resetDue || this.#resetTimed) return
    this.#resetTimed = true
    this.#after(atMs + this.#options.profile.resetDelayMs - this.#nowMs(), () => this.reset())
  }

  #uploaded(share: number): void {
    if (this.#fault?.is === 'unplug' && share >= this.#fault.atShare) this.#unplugDue = true
  }

  /** Boot chatter; it has another UART where SMP has one of its own. */
  #sayAt(atMs: number, text: string): void {
    if (this.#options.profile.framing === 'raw') return
    const bytes = utf8(`${text}\r\n`)
    const waitMs = atMs - this.#nowMs()
    if (waitMs <= this.#earlyMs) this.#transmit(bytes, atMs)
    else this.#after(waitMs, () => this.#transmit(bytes, atMs))
  }
}

function unwrapOf(options: BoardOptions): Unwrap {
  const { profile, anchors, trust, serial, clock } = options
  return unwrapWith(anchors ?? packageAnchors(trust), { hardwareType: profile.hardware, serial: utf8(serial) }, () => clock.wallMs(), layersFor(options))
}

/** A bootloader that unpacks takes off layers too; code that runs from inside its package has none. */
function layersFor({ profile, firmwareKeys = [] }: BoardOptions): LayersWorld | null {
  return profile.packages === 'unwrap' ? layersOf(firmwareKeys, profile.slot1.sizeBytes) : null
}

function decoderFor(profile: BoardProfile, bufferBytes: number): LineDecoder | RawDecoder {
  const packetBytesMax = packetBytesFor(bufferBytes, profile.framing)
  if (profile.framing === 'raw') return new RawDecoder({ packetBytesMax, hears: 'requests' })
  return new LineDecoder({ packetBytesMax, lineBytesMax: profile.receiveLineBytesMax, framesBegin: 'line-start' })
}

/** A board fresh from the factory, or as its flash content says; powered off. */
export function createBoard(options: BoardOptions): Board {
  return new Board(options)
}
