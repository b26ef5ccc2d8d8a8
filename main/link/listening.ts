// Who listens to a link, whatever carries its bytes: each piece goes to all of them, and the end is told once, also to those
// who come after it.
import type { Failure } from '../base/failure.ts'

export class Listening {
  readonly #pieces = new Set<(bytes: Uint8Array) => void>()
  readonly #ends = new Set<(why: Failure) => void>()
  #gone: Failure | null = null

  /** Why the far side is gone; null while it is there. */
  get gone(): Failure | null {
    return this.#gone
  }

  onBytes(listener: (bytes: Uint8Array) => void): () => void {
    this.#pieces.add(listener)
    return () => this.#pieces.delete(listener)
  }

  onClosed(listener: (why: Failure) => void): () => void {
    if (this.#gone !== null) {
      listener(this.#gone)
      return () => {}
    }
    this.#ends.add(listener)
    return () => this.#ends.delete(listener)
  }

  hear(bytes: Uint8Array): void {
    for (const listener of this.#pieces) listener(bytes)
  }

  /** The far side is gone; the first reason stays. */
  lose(why: Failure): void {
    if (this.#gone !== null) return
    this.#gone = why
    const listeners = [...this.#ends]
    this.#ends.clear()
    for (const listener of listeners) listener(why)
  }

  /** No further piece is handed on. */
  deafen(): void {
    this.#pieces.clear()
  }
}
