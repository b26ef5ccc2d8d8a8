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

  /** The far side is gone; the first reason stays. Told in a turn of its own: a write that finds it out returns first. */
  lose(why: Failure): void {
    if (this.#gone !== null) return
    this.#gone = why
    queueMicrotask(() => {
      for (const listener of this.#ends) listener(why)
      this.#ends.clear()
    })
  }

  /** No further piece is handed on. */
  deafen(): void {
    this.#pieces.clear()
  }
}
