// Half of a simulated world's time would go into the same Ed25519 signatures being verified by script. Here the runtime's
// own verification stands in, by the same rules (RFC 8032); the script's is tested where it belongs (test/log, test/image).
import { createPublicKey, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const keys = new Map<string, KeyObject>()
const keysMax = 1_000

function keyOf(publicKey: Uint8Array): KeyObject {
  const name = Buffer.from(publicKey).toString('base64')
  let key = keys.get(name)
  if (key === undefined) {
    key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' })
    if (keys.size >= keysMax) keys.clear()
    keys.set(name, key)
  }
  return key
}

/** The module as it is, with `ed25519.verify` done by the runtime. */
export function quickened<M extends { ed25519: object }>(noble: M): M {
  return { ...noble, ed25519: { ...noble.ed25519, verify: (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => verify(null, message, keyOf(publicKey), signature) } }
}
