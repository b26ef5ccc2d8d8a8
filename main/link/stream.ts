// A Link over serialport's stream, for systems whose ports are no descriptors (Windows).
import type { SerialPort } from 'serialport'
import { Failure } from '../base/failure.ts'
import type { Link, PortLines } from '../smp/link.ts'
import { unplugged } from './descriptor.ts'
import { LineState } from './lines.ts'

export class StreamLink implements Link {
  readonly name: string
  readonly #port: SerialPort
  readonly #bytesListeners = new Set<(bytes: Uint8Array) => void>()
  readonly #closedListeners = new Set<(why: Failure) => void>()
  readonly #lines = new LineState()
  #gone: Failure | null = null
  #closing: Promise<void> | null = null

  /** Takes a port that is open. */
  constructor(name: string, port: SerialPort) {
    this.name = name
    this.#port = port
    port.on('data', (bytes: Uint8Array) => {
      for (const listener of this.#bytesListeners) listener(bytes)
    })
    for (const event of ['close', 'end', 'error']) port.on(event, () => this.#lose())
  }

  write(bytes: Uint8Array): Promise<void | Failure> {
    if (this.#gone || this.#closing) return Promise.resolve(this.#gone ?? new Failure('stopped', `${this.name} was closed by this station.`))
    return new Promise((resolve) => {
      this.#port.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (error) => {
        if (error) this.#lose()
        resolve(error ? unplugged(this.name) : undefined)
      })
    })
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#bytesListeners.add(listener)
    return () => this.#bytesListeners.delete(listener)
  }

  onClosed(listener: (why: Failure) => void): () => void {
    if (this.#gone) {
      listener(this.#gone)
      return () => {}
    }
    this.#closedListeners.add(listener)
    return () => this.#closedListeners.delete(listener)
  }

  setLines(lines: PortLines): Promise<void | Failure> {
    if (this.#gone || this.#closing) return Promise.resolve(this.#gone ?? new Failure('stopped', `${this.name} was closed by this station.`))
    return this.#lines.set(this.name, lines, (all) => new Promise((resolve, reject) => this.#port.set(all, (error) => (error ? reject(error) : resolve()))))
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#bytesListeners.clear()
      if (this.#port.isOpen) this.#port.close(() => resolve())
      else resolve()
    })
    return this.#closing
  }

  #lose(): void {
    if (this.#gone || this.#closing) return
    this.#gone = unplugged(this.name)
    void this.close()
    const listeners = [...this.#closedListeners]
    this.#closedListeners.clear()
    for (const listener of listeners) listener(this.#gone)
  }
}
