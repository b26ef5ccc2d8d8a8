// The line to one board for as long as a run lasts: the open port and the SMP conversation on it, reopened when the board
// comes back from a reset under the same or another port name. It holds what must be closed and nothing else.
import { pause } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { utf8 } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { LineStep } from '../line/profile.ts'
import { SmpClient } from '../smp/client.ts'
import type { Framing } from '../smp/client.ts'
import type { SmpCommand } from '../smp/commands.ts'
import type { Link, PortLines } from '../smp/link.ts'
import { portOf } from './ports.ts'
import type { Port, PortHow, Ports } from './ports.ts'

/** Console lines kept since the last restart, and how long each may be. */
const linesMax = 200
const lineCharsMax = 256

type Open = { link: Link; client: SmpClient; lost: boolean; port: Port; stopListening: () => void }

export class Conversation {
  readonly unit: string
  readonly clock: Clock
  readonly #ports: Pick<Ports, 'list' | 'onChange' | 'open'>
  #open: Open | null = null
  #lines: string[] = []
  readonly #lineListeners = new Set<(line: string) => void>()
  #framing: Framing
  readonly #how: PortHow
  /** The board was reset, or whatever its profile wants, when its port was first opened. */
  #stepped = false

  constructor(unit: string, ports: Pick<Ports, 'list' | 'onChange' | 'open'>, clock: Clock, framing: Framing = 'console', how: PortHow = {}) {
    this.unit = unit
    this.#ports = ports
    this.clock = clock
    this.#framing = framing
    this.#how = how
  }

  /** How the board is spoken to, now and after each reopening. */
  get framing(): Framing {
    return this.#framing
  }

  /** Goes on in this framing, on the open line too; what was asked in the other ends as `stopped`. */
  speak(framing: Framing): void {
    this.#framing = framing
    const open = this.#open
    if (open === null || open.client.framing === framing) return
    open.client.close()
    open.client = new SmpClient(open.link, this.clock, { framing })
    open.client.onNoise((line) => this.#heard(line))
    // Raw bytes that a console has taken for the beginning of a line would hide the frame behind them. A link that is
    // gone says so to the next question.
    if (framing === 'console' && !open.lost) void open.link.write(utf8('\n'))
  }

  /** What the board wrote on its console since `forgetLines`, the oldest first; only so many are kept. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /** Hears each line as it comes, on this port and those after it. The returned function ends it. */
  onLine(listener: (line: string) => void): () => void {
    this.#lineListeners.add(listener)
    return () => this.#lineListeners.delete(listener)
  }

  /** Lines from now on count: the board is about to restart. */
  forgetLines(): void {
    this.#lines = []
  }

  #heard(line: string): void {
    for (const listener of this.#lineListeners) listener(line.slice(0, lineCharsMax))
    this.#lines.push(line.slice(0, lineCharsMax))
    if (this.#lines.length > linesMax) this.#lines.shift()
  }

  /** The port in use, or last in use. */
  get port(): Port | null {
    return this.#open?.port ?? null
  }

  /**
   * The conversation, opened where the board is attached now. While it is not attached, waits for it up to the signal.
   * Failures: those of opening a port, `unplugged` when the signal ends the waiting.
   */
  async client(signal: AbortSignal): Promise<SmpClient | Failure> {
    if (this.#open !== null && !this.#open.lost) return this.#open.client
    await this.hangUp()
    const found = await this.#openPort(signal)
    if (failed(found)) return found
    const { port, link } = found
    const open: Open = { link, client: new SmpClient(link, this.clock, { framing: this.#framing }), lost: false, port, stopListening: () => {} }
    open.stopListening = link.onClosed(() => {
      open.lost = true
    })
    open.client.onNoise((line) => this.#heard(line))
    this.#open = open
    const stepped = this.#stepped || this.#how.steps === undefined ? undefined : await this.#doSteps(this.#how.steps, signal)
    if (!failed(stepped)) return open.client
    await this.hangUp()
    return stepped
  }

  /** Opens the port that has the board, wherever it turns up meanwhile. */
  async #openPort(signal: AbortSignal): Promise<{ port: Port; link: Link } | Failure> {
    do {
      const port = await portOf(this.#ports, this.unit, signal)
      if (port === null) break
      const link = await this.#ports.open(port.path, this.#how, this.unit)
      if (!failed(link)) return { port, link }
      // After `not-there` the list is right again: the board is at another name by now, or awaited.
      if (link.kind !== 'not-there') return link
    } while (!signal.aborted)
    return new Failure('unplugged', `The board ${this.unit} is not attached. Plug it in again.`)
  }

  /** A pseudo-terminal has no lines, and a practice board nothing wired to them. */
  async #doSteps(steps: readonly LineStep[], signal: AbortSignal): Promise<void | Failure> {
    this.#stepped = true
    for (const { holdMs, ...lines } of steps) {
      const set = await this.setLines(lines)
      if (failed(set) && !(set.kind === 'no-lines' && this.#open?.port.practice === true)) return set
      await pause(this.clock, holdMs, signal)
    }
  }

  /** Sets DTR and RTS of the open port. Failure kinds: `no-lines`, `unplugged`. */
  async setLines(lines: PortLines): Promise<void | Failure> {
    if (this.#open === null || this.#open.lost) return new Failure('unplugged', `The board ${this.unit} is not attached any more. Plug it in again.`)
    const { link } = this.#open
    return link.setLines === undefined ? new Failure('no-lines', `${link.name} has no DTR and RTS that could be set.`) : await link.setLines(lines)
  }

  /** One exchange on the open line; `unplugged` when there is none. */
  async ask<Args, Reply>(command: SmpCommand<Args, Reply>, args: Args, options: { timeoutMs: number; signal?: AbortSignal }): Promise<Reply | Failure> {
    if (this.#open === null || this.#open.lost) return new Failure('unplugged', `The board ${this.unit} is not attached any more. Plug it in again.`)
    return await this.#open.client.request(command, args, options)
  }

  /** Ends with the given signal, and also when the open port is gone; `done` takes the listening away. */
  untilLost(signal: AbortSignal): { signal: AbortSignal; done: () => void } {
    const lost = new AbortController()
    const stopListening = this.#open?.link.onClosed(() => lost.abort()) ?? (() => {})
    return { signal: AbortSignal.any([signal, lost.signal]), done: stopListening }
  }

  /** Ends the conversation and gives the port back; safe to call twice. */
  async hangUp(): Promise<void> {
    const open = this.#open
    this.#open = null
    if (open === null) return
    open.stopListening()
    open.client.close()
    await open.link.close()
  }
}
