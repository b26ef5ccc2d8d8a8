// A Link over an open terminal descriptor: one read when the system says there is something, writes handed over at once. It reads by
// itself where nobody reads for it (see terminal-reader.ts). The serialport package opens and sets up the port, but its own read and write loops are not used on Unix: they take a
// thread-pool turn for each read and write, its read loop spins for ever when a hung-up terminal answers every read
// with nothing, and asking its poller for "readable" drops a pending wish for "writable". So every wish is stated each time.
import { readSync, writeSync } from 'node:fs'
import { Failure } from '../base/failure.ts'
import type { Link, PortLines } from '../smp/link.ts'
import { stopped, unplugged } from './ended.ts'
import { LineState } from './lines.ts'
import { Listening } from './listening.ts'
import type { AllLines } from './lines.ts'

/** What an open port of `@serialport/bindings-cpp` offers on Linux and macOS. */
export type OpenDescriptor = {
  readonly fd: number | null
  readonly poller: {
    on(event: 'readable' | 'writable', listener: (error: Error | null) => void): unknown
    removeListener(event: 'readable' | 'writable', listener: (error: Error | null) => void): unknown
    poll(events: number): void
  }
  /** Sets all lines at once: what is left out becomes its default. */
  set(lines: AllLines): Promise<void>
  close(): Promise<void>
}

const wishReadable = 1
const wishWritable = 2
const readBytesMax = 65_536
/** More than this waiting for a port that takes nothing means that somebody lost count of his requests. */
const waitingBytesMax = 1 << 20

type PendingWrite = { bytes: Uint8Array; from: number; done: (result: void | Failure) => void }

/** Reads for a link until the returned function is called. */
export type Reading = (heard: (bytes: Uint8Array) => void, lost: () => void) => (() => void) | null

export class DescriptorLink implements Link {
  readonly name: string
  readonly isPseudoTerminal: boolean
  readonly #port: OpenDescriptor
  readonly #fd: number
  #buffer: Uint8Array | null = null
  readonly #listening = new Listening()
  readonly #pending: PendingWrite[] = []
  #pendingBytes = 0
  readonly #lines = new LineState()
  #closing: Promise<void> | null = null
  readonly #stopReading: (() => void) | null

  /** Takes a port that is open; `read` may read from it, and where it gives null the port's own poller is asked. */
  constructor(name: string, port: OpenDescriptor, isPseudoTerminal = false, read: Reading = () => null) {
    this.name = name
    this.isPseudoTerminal = isPseudoTerminal
    this.#port = port
    this.#fd = port.fd ?? -1
    port.poller.on('readable', this.#readable)
    port.poller.on('writable', this.#writable)
    this.#stopReading = read(
      (bytes) => {
        if (!this.#closing) this.#listening.hear(bytes)
      },
      () => void this.#lose(),
    )
    this.#wish()
  }

  write(bytes: Uint8Array): Promise<void | Failure> {
    if (this.#closing) return Promise.resolve(this.#listening.gone ?? stopped(this.name))
    if (this.#pendingBytes + bytes.length > waitingBytesMax) {
      return Promise.resolve(new Failure('port-stuck', `${this.name} takes no more bytes. Check that the board runs and that flow control is off, then unplug it and plug it in again.`))
    }
    const from = this.#pending.length === 0 ? this.#tryWrite(bytes, 0) : 0
    if (from instanceof Failure) return Promise.resolve(from)
    if (from === bytes.length) return Promise.resolve()
    return new Promise((done) => {
      this.#pending.push({ bytes, from, done })
      this.#pendingBytes += bytes.length
      this.#wish()
    })
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    return this.#listening.onBytes(listener)
  }

  onClosed(listener: (why: Failure) => void): () => void {
    return this.#listening.onClosed(listener)
  }

  setLines(lines: PortLines): Promise<void | Failure> {
    if (this.#closing) return Promise.resolve(this.#listening.gone ?? stopped(this.name))
    return this.#lines.set(this.name, lines, (all) => this.#port.set(all))
  }

  close(): Promise<void> {
    this.#closing ??= this.#release(stopped(this.name))
    return this.#closing
  }

  #wish(): void {
    if (this.#closing) return
    const wishes = (this.#pending.length > 0 ? wishWritable : 0) | (this.#stopReading === null ? wishReadable : 0)
    if (wishes !== 0) this.#port.poller.poll(wishes)
  }

  readonly #readable = (error: Error | null): void => {
    if (this.#closing) return
    const buffer = (this.#buffer ??= new Uint8Array(readBytesMax))
    let count: number
    try {
      count = readSync(this.#fd, buffer, 0, readBytesMax, null)
    } catch (thrown) {
      if (!isBusy(thrown) || error) this.#lose()
      else this.#wish()
      return
    }
    // A terminal in raw mode with VMIN 1 gives nothing only after a hangup.
    if (count === 0) {
      this.#lose()
      return
    }
    this.#listening.hear(buffer.slice(0, count))
    if (error) this.#lose()
    else this.#wish()
  }

  readonly #writable = (error: Error | null): void => {
    if (this.#closing) return
    if (error) {
      this.#lose()
      return
    }
    for (let next = this.#pending[0]; next; next = this.#pending[0]) {
      const from = this.#tryWrite(next.bytes, next.from)
      if (from instanceof Failure) return
      next.from = from
      if (from < next.bytes.length) break
      this.#pending.shift()
      this.#pendingBytes -= next.bytes.length
      next.done()
    }
    this.#wish()
  }

  /** Where the next byte to write is. */
  #tryWrite(bytes: Uint8Array, from: number): number | Failure {
    try {
      return from + writeSync(this.#fd, bytes, from, bytes.length - from)
    } catch (thrown) {
      if (isBusy(thrown)) return from
      return this.#lose()
    }
  }

  #lose(): Failure {
    const why = unplugged(this.name)
    if (this.#closing) return this.#listening.gone ?? why
    this.#closing = this.#release(why)
    this.#listening.lose(why)
    return why
  }

  async #release(why: Failure): Promise<void> {
    this.#port.poller.removeListener('readable', this.#readable)
    this.#port.poller.removeListener('writable', this.#writable)
    for (const write of this.#pending.splice(0)) write.done(why)
    this.#listening.deafen()
    this.#stopReading?.()
    try {
      await this.#port.close()
    } catch {
      // The descriptor of a vanished device may refuse to be closed in order; it is gone either way.
    }
  }
}

function isBusy(thrown: unknown): boolean {
  const code = (thrown as NodeJS.ErrnoException).code
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EINTR'
}
