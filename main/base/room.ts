// Memory that is used again for one large thing after another. Fresh memory costs more than what is done with it: the system
// hands out 1 MiB in 256 cleared pages, which takes as long as hashing it.

/** Room for one thing at a time: what was taken before is overwritten by what is taken next. */
export class Room {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0)

  /** So many bytes, with whatever was in them before. */
  take(bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes > this.#bytes.length) this.#bytes = new Uint8Array(bytes)
    return this.#bytes.subarray(0, bytes)
  }
}
