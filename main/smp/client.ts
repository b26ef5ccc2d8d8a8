// One conversation with one board over a Link. A stated number of requests in flight, one deadline for each exchange,
// answers matched by sequence number, group, command and operation, late ones dropped. Nothing is sent twice: a retry
// is the run's choice. Surprises: Zephyr answers in the order it was asked; after a long flash erase it answers
// everything that was asked meanwhile, so a sequence number whose answer is still owed must not be used again soon.
import { Failure, assert } from '../base/failure.ts'
import type { Clock } from '../base/clock.ts'
import type { SmpCommand } from './commands.ts'
import { errorFromReply } from './errors.ts'
import { LineDecoder, encodeLines } from './line.ts'
import type { Link } from './link.ts'
import { decodeHeader, decodeMessage, encodeMessage, replyOp } from './message.ts'
import type { CborMap, SmpVersion } from './message.ts'
import { RawDecoder } from './raw.ts'

export type Framing = 'console' | 'raw'

export type ClientOptions = Readonly<{
  /** Base64 lines (default) or packets as they are. */
  framing?: Framing
  /** Header version of requests; 1 (default) asks for errors as `err {group, rc}`. */
  version?: SmpVersion
  /** Deadline of an exchange that states none. Default 5000. */
  replyTimeoutMs?: number
  /** Requests in flight at most; others wait their turn. Default 8. */
  windowMax?: number
  /** Largest reply taken, header and body. Default 8192. */
  replyBytesMax?: number
}>

/** How an exchange can go wrong. `refused` carries `rc`, `reason` and perhaps `group`. */
export type ExchangeFailureKind = 'timeout' | 'unplugged' | 'refused' | 'garbled' | 'stopped'

/** What `send` needs to know of a request beyond its bytes. */
export type Asked = Readonly<{ name: string; group: number; command: number; op: 'read' | 'write' }>

type Exchange = {
  asked: Asked
  seq: number
  timeoutMs: number
  frame: (seq: number) => Uint8Array
  settle: (answer: CborMap | Failure) => void
  cancelTimer: () => void
}

const waitingMax = 256
const owedMax = 64

export class SmpClient {
  readonly framing: Framing
  readonly version: SmpVersion
  readonly windowMax: number
  readonly #link: Link
  readonly #clock: Clock
  readonly #replyTimeoutMs: number
  readonly #decoder: LineDecoder | RawDecoder
  readonly #noiseListeners = new Set<(line: string) => void>()
  readonly #inFlight = new Map<number, Exchange>()
  readonly #waiting: Exchange[] = []
  /** Sequence numbers whose answer may still come, oldest first. */
  readonly #owed = new Set<number>()
  #nextSeq = 0
  #lateAnswers = 0
  /** Why nothing can be asked any more. */
  #ended: Failure | null = null
  readonly #stopListening: (() => void)[] = []

  constructor(link: Link, clock: Clock, options: ClientOptions = {}) {
    this.framing = options.framing ?? 'console'
    this.version = options.version ?? 1
    this.windowMax = options.windowMax ?? 8
    assert(this.windowMax >= 1 && this.windowMax <= 64, 'a window of 1 to 64 requests')
    this.#link = link
    this.#clock = clock
    this.#replyTimeoutMs = options.replyTimeoutMs ?? 5000
    const decoderOptions = { packetBytesMax: options.replyBytesMax ?? 8192, onNoise: (line: string) => this.#tellNoise(line) }
    this.#decoder = this.framing === 'console' ? new LineDecoder(decoderOptions) : new RawDecoder(decoderOptions)
    this.#stopListening.push(link.onBytes((bytes) => this.#hear(bytes)))
    // A link that is closed already says so before this returns.
    const stopClosed = link.onClosed((why) => this.#end(why))
    if (this.#ended) stopClosed()
    else this.#stopListening.push(stopClosed)
  }

  /** Answers that came too late or were never asked for. */
  get lateAnswers(): number {
    return this.#lateAnswers
  }

  /** How the board is called in sentences. */
  get boardName(): string {
    return this.#link.name
  }

  /**
   * Asks once and waits for the answer. Failure kinds: see `ExchangeFailureKind`. The deadline runs from the moment the
   * request goes out; while the window is full it waits its turn.
   */
  request<Args, Reply>(
    command: SmpCommand<Args, Reply>,
    args: Args,
    options: { timeoutMs?: number; signal?: AbortSignal } = {},
  ): Promise<Reply | Failure> {
    return new Promise((resolve) => {
      const { signal } = options
      if (signal?.aborted) return resolve(this.#stopped(command.name))
      const body = command.encode(args)
      const { op, group, command: number } = command
      const frame = (seq: number) => this.frame(encodeMessage({ op, version: this.version, group, command: number, seq, body }))
      const forget = this.send(command, frame, options.timeoutMs ?? this.#replyTimeoutMs, (answer) => {
        signal?.removeEventListener('abort', abort)
        resolve(answer instanceof Failure ? answer : command.decode(answer))
      })
      const abort = () => {
        forget()
        resolve(this.#stopped(command.name))
      }
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** Bytes on the wire for one packet. */
  frame(packet: Uint8Array): Uint8Array {
    return this.framing === 'console' ? encodeLines(packet) : packet
  }

  /**
   * The door below `request`, for frames encoded beforehand. `frame` is called once, when the request goes out, and must
   * give whole wire bytes with that sequence number. `settle` is called once, never before `send` returned, with the
   * reply's body (already known to carry no error) or the failure. The returned function forgets the exchange: `settle`
   * is then not called.
   */
  send(asked: Asked, frame: (seq: number) => Uint8Array, timeoutMs: number, settle: (answer: CborMap | Failure) => void): () => void {
    const exchange: Exchange = { asked, seq: -1, timeoutMs, frame, settle, cancelTimer: () => {} }
    if (this.#ended) {
      const why = this.#ended
      let forgotten = false
      queueMicrotask(() => {
        if (!forgotten) settle(why)
      })
      return () => {
        forgotten = true
      }
    }
    if (this.#inFlight.size < this.windowMax) this.#launch(exchange)
    else {
      assert(this.#waiting.length < waitingMax, `at most ${waitingMax} requests wait for their turn`)
      this.#waiting.push(exchange)
    }
    return () => this.#forget(exchange)
  }

  /** Lets the next request carry this sequence number, or the first free one after it. Boards that upload the same image then write the same frames. */
  alignSequence(seq: number): void {
    this.#nextSeq = seq & 0xff
  }

  /** Calls back with each console line that is no SMP (boot chatter, logs). The returned function ends it. */
  onNoise(listener: (line: string) => void): () => void {
    this.#noiseListeners.add(listener)
    return () => this.#noiseListeners.delete(listener)
  }

  /** Forgets half-received bytes, as after a reset of the board. */
  dropPartial(): void {
    this.#decoder.reset()
  }

  /** Ends the conversation: open requests fail as `stopped`, no timer and no listener stays. The Link stays open. */
  close(): void {
    this.#end(new Failure('stopped', `The conversation with the board on ${this.#link.name} was ended.`))
    this.#noiseListeners.clear()
  }

  #launch(exchange: Exchange): void {
    const seq = this.#takeSeq()
    exchange.seq = seq
    this.#inFlight.set(seq, exchange)
    const written = this.#link.write(exchange.frame(seq))
    // Set once the bytes are on their way: with one request in flight the wire stands still until then.
    if (this.#inFlight.get(seq) === exchange) exchange.cancelTimer = this.#clock.after(exchange.timeoutMs, () => this.#timeOut(exchange))
    written.then(
      (failure) => {
        if (failure instanceof Failure && this.#inFlight.get(seq) === exchange) this.#finish(exchange, failure)
      },
      (error: unknown) => {
        // A Link promises to return its failures; make the bug visible where the request is waited for.
        this.#finish(exchange, new Failure('unplugged', `Writing to ${this.#link.name} failed: ${String(error)}`))
      },
    )
  }

  #takeSeq(): number {
    for (let tried = 0; tried < 256; tried++) {
      const seq = this.#nextSeq
      this.#nextSeq = (seq + 1) & 0xff
      if (!this.#inFlight.has(seq) && !this.#owed.has(seq)) return seq
    }
    throw new Error('broken promise: fewer than 256 sequence numbers are in use')
  }

  #hear(bytes: Uint8Array): void {
    for (const packet of this.#decoder.push(bytes)) this.#take(packet)
  }

  #take(packet: Uint8Array): void {
    const header = decodeHeader(packet)
    const exchange = header ? this.#inFlight.get(header.seq) : undefined
    if (!header || !exchange || header.group !== exchange.asked.group || header.command !== exchange.asked.command || header.op !== replyOp(exchange.asked.op)) {
      this.#lateAnswers++
      if (header && !exchange) this.#owed.delete(header.seq)
      return
    }
    const message = decodeMessage(packet)
    this.#finish(exchange, message instanceof Failure ? message : (errorFromReply(message.body, exchange.asked.name) ?? message.body))
  }

  #timeOut(exchange: Exchange): void {
    // Half a packet that waits for its rest would swallow the next answer on a raw line.
    if (this.framing === 'raw') this.#decoder.reset()
    this.#owe(exchange.seq)
    const seconds = exchange.timeoutMs / 1000
    this.#finish(
      exchange,
      new Failure(
        'timeout',
        `The board on ${this.#link.name} did not answer "${exchange.asked.name}" within ${seconds} s. Check its power, the cable and the baud rate, then try again.`,
        { asked: exchange.asked.name, timeoutMs: exchange.timeoutMs },
      ),
    )
  }

  #owe(seq: number): void {
    this.#owed.add(seq)
    if (this.#owed.size <= owedMax) return
    const [oldest] = this.#owed
    this.#owed.delete(oldest!)
  }

  #finish(exchange: Exchange, answer: CborMap | Failure): void {
    if (this.#inFlight.get(exchange.seq) !== exchange) return
    this.#inFlight.delete(exchange.seq)
    // The answer often has the next request written at once; the timer can wait for that.
    try {
      exchange.settle(answer)
    } finally {
      exchange.cancelTimer()
    }
    this.#launchWaiting()
  }

  #forget(exchange: Exchange): void {
    const place = this.#waiting.indexOf(exchange)
    if (place >= 0) this.#waiting.splice(place, 1)
    if (this.#inFlight.get(exchange.seq) !== exchange) return
    this.#inFlight.delete(exchange.seq)
    exchange.cancelTimer()
    this.#owe(exchange.seq)
    this.#launchWaiting()
  }

  #launchWaiting(): void {
    while (!this.#ended && this.#inFlight.size < this.windowMax) {
      const next = this.#waiting.shift()
      if (!next) return
      this.#launch(next)
    }
  }

  #end(why: Failure): void {
    if (this.#ended) return
    this.#ended = why
    for (const stop of this.#stopListening) stop()
    const open = [...this.#inFlight.values(), ...this.#waiting.splice(0)]
    this.#inFlight.clear()
    for (const exchange of open) exchange.cancelTimer()
    for (const exchange of open) exchange.settle(why)
  }

  #stopped(name: string): Failure<'stopped'> {
    return new Failure('stopped', `"${name}" to the board on ${this.#link.name} was stopped.`)
  }

  #tellNoise(line: string): void {
    for (const listener of this.#noiseListeners) listener(line)
  }
}
