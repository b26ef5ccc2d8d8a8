// What the images of one call share: memory, and the keys, each opened once however many images it signs. A passphrase or a
// PIN is asked for once, and a wrong one is not tried again for the next image, which on a token would cost a try.
import { toHex } from '../base/bytes.ts'
import type { Failure } from '../base/failure.ts'
import { failed } from '../base/failure.ts'
import { Room } from '../base/room.ts'
import type { PublicKey } from '../base/signer.ts'
import type { Call } from './call.ts'
import { openSigningKey } from './keys.ts'
import type { KeyOptions, SigningKey } from './keys.ts'

export class KeyShelf {
  /** Memory for one firmware and one image at a time. */
  readonly firmware = new Room()
  readonly image = new Room()
  readonly #call: Call
  readonly #opened = new Map<string, Promise<SigningKey | Failure>>()
  readonly #met = new Set<string>()

  constructor(call: Call) {
    this.#call = call
  }

  /** The key, or why it did not open when it was first wanted. Kinds: of `openSigningKey`. */
  open(text: string, flags: KeyOptions): Promise<SigningKey | Failure> {
    const id = JSON.stringify([text, flags.passphraseFile ?? null, flags.pinFile ?? null])
    const known = this.#opened.get(id)
    if (known !== undefined) return known
    const opening = openSigningKey(this.#call, text, flags)
    this.#opened.set(id, opening)
    return opening
  }

  /** True the first time that this public key is met. */
  meets(key: PublicKey): boolean {
    const spki = toHex(key.spki)
    if (this.#met.has(spki)) return false
    this.#met.add(spki)
    return true
  }

  /** Wipes file keys and locks tokens. */
  async close(): Promise<void> {
    for (const opening of this.#opened.values()) {
      const key = await opening
      if (!failed(key)) await key.close()
    }
    this.#opened.clear()
  }
}
