// Writes an image into a board's upgrade slot: SMP image upload with several requests in flight (facts from Zephyr
// subsys/mgmt/mcumgr/grp/img_mgmt and MCUboot boot/boot_serial). The board's word is always the offset it wants next, so a
// repeat, a chunk from ahead and a board that forgot everything are one case: go on from there. Answers come in the
// order of the requests, so an answer to a later request proves that an earlier one was lost, without waiting.
// Sending again is part of this protocol, bounded and counted in the result.
import { Failure, assert } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import type { SmpClient } from './client.ts'
import type { UploadFrames } from './frames.ts'
import { upload as uploadCommand } from './image.ts'
import type { UploadReply } from './image.ts'
import { encodeMessage } from './message.ts'
import type { CborMap } from './message.ts'
import { echo } from './os.ts'

export type UploadOptions = Readonly<{
  /** Requests in flight at most; see `uploadWindow`. Lowered while frames get lost. Default 2. */
  windowMax?: number
  /** Deadline of the first chunk's reply, which may come after erasing the whole slot; see `firstReplyTimeoutMs`. */
  firstReplyTimeoutMs?: number
  /** Deadline of any other chunk's reply. Default 5000. */
  replyTimeoutMs?: number
  /** After this long without the first reply an echo is sent: its answer alone proves that the first chunk was lost. Default 2500. */
  probeAfterMs?: number
  /** Losses in a row, without a byte of progress, after which the upload is given up. Default 6. */
  stallsMax?: number
  /** How often the board may forget everything (a reset, or a lost reply to the last chunk) and start over. Default 2. */
  restartsMax?: number
  signal?: AbortSignal
  /** Bytes the board has acknowledged, called at each acknowledgement. */
  onProgress?: (ackedBytes: number) => void
}>

export type UploadResult = Readonly<{
  /** Image bytes the board has, all of them. */
  bytes: number
  /** Image bytes sent, repeats included; less than `bytes` after a resume. */
  sentBytes: number
  /** Chunks sent again. */
  resent: number
  /** How often the board did not take a chunk and named an earlier offset. */
  rewinds: number
  /** How often the board forgot everything and was sent the image from its first byte again. */
  restarts: number
  /** Where the board stood from an earlier attempt; 0 for a fresh start. */
  resumedFrom: number
  /** The board had the image already and took no byte. */
  skipped: boolean
  /** The board's own comparison with the SHA-256; null where it makes none. */
  matched: boolean | null
  /** Requests in flight allowed at the end. */
  window: number
  /** By the clock handed in. */
  seconds: number
}>

/** Requests that a board with that many net buffers can hold: one is left for its reply, and never more than four, which gain nothing. */
export function uploadWindow(bufferCount: number): number {
  if (bufferCount <= 1) return 1
  return Math.min(4, Math.max(2, bufferCount - 1))
}

/** Time for erasing `slotBytes` of flash before the first reply, taken as twice what the part needs, and 10 s of grace. nRF52840: 85 ms a 4 KiB page. */
export function firstReplyTimeoutMs(slotBytes: number, flash: Readonly<{ sectorBytes: number; eraseSectorMs: number }> = { sectorBytes: 4096, eraseSectorMs: 85 }): number {
  return 10_000 + Math.ceil(slotBytes / flash.sectorBytes) * flash.eraseSectorMs * 2
}

/** Clean acknowledgements after which a lowered window is raised by one; four times as many after each lowering. */
const cleanBeforeRaise = 64

type Flight = { offset: number; end: number; generation: number; forget: () => void }

/**
 * Uploads over an open conversation. Failure kinds: those of an exchange (`unplugged`, `refused`, `stopped`,
 * `garbled`), `stalled` when nothing moves any more, `mismatch` when the board's hash of the upload differs.
 * Facts carry `ackedBytes`.
 */
export function upload(client: SmpClient, clock: Clock, frames: UploadFrames, options: UploadOptions = {}): Promise<UploadResult | Failure> {
  assert(client.framing === frames.framing && client.version === frames.version, 'frames were encoded for this conversation')
  return new Promise((resolve) => {
    const running = new Upload(client, clock, frames, options, resolve)
    running.start()
  })
}

class Upload {
  readonly #client: SmpClient
  readonly #clock: Clock
  readonly #frames: UploadFrames
  readonly #options: UploadOptions
  readonly #resolve: (result: UploadResult | Failure) => void
  readonly #length: number
  readonly #startedMs: number
  /** In the order of sending. */
  #flights: Flight[] = []
  #acked = 0
  /** Highest acknowledgement since the board last started over: only passing it counts as progress. */
  #highest = 0
  /** Highest offset sent so far: what goes out below it is a repeat. */
  #sentTo = 0
  #next = 0
  #lastSeq = 0
  /** Rises with each change of course; answers to earlier flights are then no news. */
  #generation = 0
  #window: number
  #clean = 0
  #cleanWanted = cleanBeforeRaise
  #stalls = 0
  #restarts = 0
  #resent = 0
  #rewinds = 0
  #sentBytes = 0
  #matched: boolean | null = null
  #resumedFrom = 0
  #skipped = false
  #done = false
  #stopProbe = () => {}

  constructor(client: SmpClient, clock: Clock, frames: UploadFrames, options: UploadOptions, resolve: (result: UploadResult | Failure) => void) {
    this.#client = client
    this.#clock = clock
    this.#frames = frames
    this.#options = options
    this.#resolve = resolve
    this.#length = frames.image.length
    this.#window = Math.max(1, Math.min(options.windowMax ?? 2, client.windowMax))
    this.#startedMs = clock.monotonicMs()
  }

  start(): void {
    const { signal } = this.#options
    if (signal?.aborted) return this.#stop()
    signal?.addEventListener('abort', this.#stop, { once: true })
    this.#client.alignSequence(0)
    this.#pump()
  }

  readonly #stop = (): void => {
    this.#end(new Failure('stopped', `The upload to the board on ${this.#client.boardName} was stopped after ${this.#acked} of ${this.#length} bytes.`, this.#facts()))
  }

  #pump(): void {
    while (!this.#done && this.#next < this.#length && this.#mayLaunch()) {
      // The first chunk goes alone: its reply may name a place to resume, and may wait for a slot to be erased.
      if (this.#next === 0 && this.#flights.length > 0) return
      if (this.#flights[0]?.offset === 0) return
      this.#launch(this.#next)
    }
    // While the wire carries what was sent, the next frame is made: with one in flight that is a turn's only idle moment.
    if (!this.#done && this.#next < this.#length) this.#frames.prepare(this.#next, (this.#lastSeq + 1) & 0xff)
  }

  /** Flights of an old course hold their place in the board's queue, but one of the new course may always go. */
  #mayLaunch(): boolean {
    return this.#flights.length < this.#window || this.#flights.every((flight) => flight.generation !== this.#generation)
  }

  #launch(offset: number): void {
    const frames = this.#frames
    const end = frames.endOf(offset)
    const flight: Flight = { offset, end, generation: this.#generation, forget: () => {} }
    const timeoutMs =
      offset === 0 ? (this.#options.firstReplyTimeoutMs ?? firstReplyTimeoutMs(this.#length)) : (this.#options.replyTimeoutMs ?? 5000)
    if (offset < this.#sentTo) this.#resent++
    this.#sentTo = Math.max(this.#sentTo, end)
    this.#sentBytes += end - offset
    this.#next = end
    this.#flights.push(flight)
    flight.forget = this.#client.send(uploadCommand, (seq) => this.#frameFor(offset, seq), timeoutMs, (answer) => this.#answered(flight, answer))
    if (offset === 0) this.#probeLater(flight, timeoutMs)
  }

  #frameFor(offset: number, seq: number): Uint8Array {
    this.#lastSeq = seq
    return this.#frames.frame(offset, seq)
  }

  /** A lost first chunk would cost its long deadline; any answer to a later request proves the loss at once. */
  #probeLater(first: Flight, timeoutMs: number): void {
    const probeAfterMs = this.#options.probeAfterMs ?? 2500
    if (probeAfterMs >= timeoutMs) return
    let forget = () => {}
    const cancel = this.#clock.after(probeAfterMs, () => {
      const { op, group, command } = echo
      const body = echo.encode({ text: '' })
      const frame = (seq: number) => this.#client.frame(encodeMessage({ op, version: this.#client.version, group, command, seq, body }))
      forget = this.#client.send(echo, frame, timeoutMs - probeAfterMs, (answer) => {
        const wasAnswered = !(answer instanceof Failure) || answer.kind === 'refused'
        if (wasAnswered && this.#flights.includes(first)) this.#lost(this.#acked)
      })
    })
    this.#stopProbe = () => {
      cancel()
      forget()
      this.#stopProbe = () => {}
    }
  }

  #answered(flight: Flight, answer: CborMap | Failure): void {
    if (this.#done) return
    const place = this.#flights.indexOf(flight)
    assert(place >= 0, 'a forgotten flight is not answered')
    if (flight.offset === 0) this.#stopProbe()
    if (answer instanceof Failure) {
      this.#flights.splice(place, 1)
      return this.#failed(flight, answer)
    }
    const reply = uploadCommand.decode(answer)
    if (reply instanceof Failure) return this.#lost(this.#acked)
    // Whatever was asked before this and has no answer will get none.
    for (const earlier of this.#flights.splice(0, place + 1)) if (earlier !== flight) earlier.forget()
    this.#heed(flight, reply)
  }

  #failed(flight: Flight, failure: Failure): void {
    // A garbled reply tells no more than a lost one; everything else ends the upload.
    if (failure.kind === 'timeout' || failure.kind === 'garbled') {
      return flight.generation === this.#generation ? this.#lost(this.#acked) : this.#pump()
    }
    this.#end(new Failure(failure.kind, failure.says, { ...failure.facts, ...this.#facts() }))
  }

  #heed(flight: Flight, { off, match }: UploadReply): void {
    if (off > this.#length) {
      return this.#end(
        new Failure('garbled', `The board wants offset ${off} of an image of ${this.#length} bytes. Reset the board and try again.`, this.#facts()),
      )
    }
    if (match !== null) this.#matched = match
    if (off < flight.end) {
      // It did not take the chunk. If the course was already changed since, this is old news.
      if (flight.generation === this.#generation) {
        this.#rewinds++
        const partly = off > flight.offset
        if (partly) this.#advance(off)
        this.#lost(off, partly ? 'shortened' : 'not-taken')
      } else this.#pump()
      return
    }
    if (off > flight.end) {
      // It is ahead of us: it remembers an earlier attempt, or a reply to a repeated chunk was lost.
      if (flight.offset === 0) {
        this.#resumedFrom = off
        this.#skipped = off === this.#length && this.#highest === 0
      }
      this.#next = Math.max(this.#next, off)
    }
    this.#advance(off)
    if (this.#acked === this.#length) return this.#complete()
    this.#pump()
  }

  #advance(off: number): void {
    if (off > this.#acked) this.#acked = off
    if (this.#acked > this.#highest) {
      this.#highest = this.#acked
      this.#stalls = 0
    }
    if (++this.#clean >= this.#cleanWanted && this.#window < Math.min(this.#options.windowMax ?? 2, this.#client.windowMax)) {
      this.#window++
      this.#clean = 0
    }
    this.#options.onProgress?.(this.#acked)
  }

  /** Goes on from `off`. Flights of the old course stay known, since their answers are still owed, but say nothing new. */
  #lost(off: number, why: 'silence' | 'not-taken' | 'shortened' = 'silence'): void {
    if (why !== 'shortened') {
      this.#stalls++
      this.#window = Math.max(1, this.#window - 1)
      this.#clean = 0
      this.#cleanWanted = Math.min(this.#cleanWanted * 4, 1 << 20)
    }
    if (off === 0 && this.#acked > 0) {
      this.#restarts++
      this.#highest = 0
    }
    if (this.#stalls > (this.#options.stallsMax ?? 6) || this.#restarts > (this.#options.restartsMax ?? 2)) {
      return this.#end(
        new Failure(
          'stalled',
          `The board on ${this.#client.boardName} stopped taking the image at ${this.#acked} of ${this.#length} bytes. Check the cable and the baud rate, reset the board, and start again; the upload resumes where it stands.`,
          this.#facts(),
        ),
      )
    }
    this.#generation++
    this.#acked = off
    this.#next = off
    if (why === 'silence' || off === 0) {
      for (const flight of this.#flights.splice(0)) flight.forget()
      this.#stopProbe()
    }
    this.#pump()
  }

  #complete(): void {
    if (this.#matched === false) {
      return this.#end(
        new Failure('mismatch', 'The board received the whole image but its hash differs from the file. Start the upload again; if it stays, set the board aside.', this.#facts()),
      )
    }
    this.#end({
      bytes: this.#length,
      sentBytes: this.#sentBytes,
      resent: this.#resent,
      rewinds: this.#rewinds,
      restarts: this.#restarts,
      resumedFrom: this.#resumedFrom,
      skipped: this.#skipped,
      matched: this.#matched,
      window: this.#window,
      seconds: (this.#clock.monotonicMs() - this.#startedMs) / 1000,
    })
  }

  #end(result: UploadResult | Failure): void {
    if (this.#done) return
    this.#done = true
    this.#options.signal?.removeEventListener('abort', this.#stop)
    this.#stopProbe()
    for (const flight of this.#flights.splice(0)) flight.forget()
    this.#resolve(result)
  }

  #facts() {
    return { ackedBytes: this.#acked, imageBytes: this.#length, resent: this.#resent, rewinds: this.#rewinds }
  }
}
