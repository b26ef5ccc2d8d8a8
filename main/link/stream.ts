// A Link over serialport's stream, for systems whose ports are no descriptors (Windows).
import type { SerialPort } from 'serialport'
import type { Failure } from '../base/failure.ts'
import type { Link, PortLines } from '../smp/link.ts'
import { stopped, unplugged } from './ended.ts'
import { LineState } from './lines.ts'
import { Listening } from './listening.ts'

export class StreamLink implements Link {
  readonly name: string
  readonly #port: SerialPort
  readonly #listening = new Listening()
  readonly #lines = new LineState()
  #closing: Promise<void> | null = null

  /** Takes a port that is open. */
  constructor(name: string, port: SerialPort) {
    this.name = name
    this.#port = port
    port.on('data', (bytes: Uint8Array) => this.#listening.hear(bytes))
    for (const event of ['close', 'end', 'error']) port.on(event, () => this.#lose())
  }

  write(bytes: Uint8Array): Promise<void | Failure> {
    if (this.#listening.gone || this.#closing) return Promise.resolve(this.#listening.gone ?? stopped(this.name))
    return new Promise((resolve) => {
      this.#port.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), (error) => {
        if (error) this.#lose()
        resolve(error ? unplugged(this.name) : undefined)
      })
    })
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    return this.#listening.onBytes(listener)
  }

  onClosed(listener: (why: Failure) => void): () => void {
    return this.#listening.onClosed(listener)
  }

  setLines(lines: PortLines): Promise<void | Failure> {
    if (this.#listening.gone || this.#closing) return Promise.resolve(this.#listening.gone ?? stopped(this.name))
    return this.#lines.set(this.name, lines, (all) => new Promise((resolve, reject) => this.#port.set(all, (error) => (error ? reject(error) : resolve()))))
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      this.#listening.deafen()
      if (this.#port.isOpen) this.#port.close(() => resolve())
      else resolve()
    })
    return this.#closing
  }

  #lose(): void {
    if (this.#listening.gone || this.#closing) return
    void this.close()
    this.#listening.lose(unplugged(this.name))
  }
}
