// The station's end of a simulated wire: what is written goes to the wire, what the wire delivers or loses reaches whoever
// listens. It counts its listeners, since a world ends with none left.
import { Failure } from '../../main/base/failure.ts'
import type { Link } from '../../main/smp/link.ts'

export class LinkEnd implements Link {
  readonly name: string
  readonly #send: (bytes: Uint8Array) => void
  readonly #closed: () => void
  readonly #bytesListeners = new Set<(bytes: Uint8Array) => void>()
  readonly #closedListeners = new Set<(why: Failure) => void>()
  #lost: Failure | null = null
  #shut = false

  constructor(name: string, send: (bytes: Uint8Array) => void, closed: () => void) {
    this.name = name
    this.#send = send
    this.#closed = closed
  }

  /** Why the far side is gone; null while it is there. */
  get lost(): Failure | null {
    return this.#lost
  }

  /** Listeners that nobody took away. */
  get listeners(): number {
    return this.#bytesListeners.size + this.#closedListeners.size
  }

  async write(bytes: Uint8Array): Promise<void | Failure> {
    if (this.#lost !== null) return this.#lost
    if (this.#shut) return new Failure('stopped', `${this.name} was closed.`)
    this.#send(bytes)
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#bytesListeners.add(listener)
    return () => this.#bytesListeners.delete(listener)
  }

  onClosed(listener: (why: Failure) => void): () => void {
    if (this.#lost !== null) listener(this.#lost)
    else this.#closedListeners.add(listener)
    return () => this.#closedListeners.delete(listener)
  }

  async close(): Promise<void> {
    if (this.#shut) return
    this.#shut = true
    this.#closed()
  }

  deliver(bytes: Uint8Array): void {
    for (const listener of [...this.#bytesListeners]) listener(bytes)
  }

  lose(why: Failure): void {
    this.#lost = why
    for (const listener of [...this.#closedListeners]) listener(why)
  }
}
