// Boards that answer wrongly: their replies are taken apart and put together as something else. What such a board really
// runs nobody can know; the station must end its run all the same, and log what the board said, not what it hoped for.
import { failed } from '../../../main/base/failure.ts'
import { fromHex } from '../../../main/base/bytes.ts'
import { replyLines } from '../../../main/practice/reply-lines.ts'
import { LineDecoder } from '../../../main/smp/line.ts'
import { decodeMessage, encodeMessage } from '../../../main/smp/message.ts'
import type { CborMap, SmpMessage } from '../../../main/smp/message.ts'

type Lie = (message: SmpMessage, draw: () => number, wantedHash: Uint8Array) => SmpMessage | Uint8Array

const isState = (message: SmpMessage) => message.group === 1 && message.command === 0
const isUpload = (message: SmpMessage) => message.group === 1 && message.command === 1
const images = (message: SmpMessage): CborMap[] => (Array.isArray(message.body['images']) ? (message.body['images'] as CborMap[]) : [])
const withImages = (message: SmpMessage, change: (slot: CborMap) => CborMap): SmpMessage => ({ ...message, body: { ...message.body, images: images(message).map(change) } })

const anError = (group: number, draw: () => number): CborMap => (draw() < 0.5 ? { rc: 1 + Math.floor(draw() * 12) } : { err: { group, rc: Math.floor(draw() * 40) } })

const lies: Readonly<Record<string, Lie>> = {
  'runs-the-new-one': (message, _draw, hash) => (isState(message) ? withImages(message, (slot) => ({ ...slot, hash })) : message),
  'all-confirmed': (message) => (isState(message) ? withImages(message, (slot) => ({ ...slot, confirmed: true, pending: false })) : message),
  'nothing-runs': (message, draw) => (isState(message) && draw() < 0.5 ? { ...message, body: { images: [] } } : message),
  'two-active': (message) => (isState(message) ? withImages(message, (slot) => ({ ...slot, active: true })) : message),
  'no-hashes': (message) => (isState(message) ? withImages(message, ({ hash: _hash, ...slot }) => slot) : message),
  'wrong-types': (message, draw) => (draw() < 0.2 ? { ...message, body: Object.fromEntries(Object.keys(message.body).map((key) => [key, 'seven'] as const)) } : message),
  'offset-ahead': (message, draw) => (isUpload(message) ? { ...message, body: { ...message.body, off: Math.floor(draw() * 9_000) } } : message),
  'offset-stuck': (message) => (isUpload(message) ? { ...message, body: { ...message.body, off: 0 } } : message),
  'offset-huge': (message) => (isUpload(message) ? { ...message, body: { ...message.body, off: 2 ** 40 } } : message),
  'no-match': (message) => (isUpload(message) ? { ...message, body: { ...message.body, match: false } } : message),
  'random-errors': (message, draw) => (draw() < 0.15 ? { ...message, body: anError(message.group, draw) } : message),
  'other-number': (message, draw) => (draw() < 0.2 ? { ...message, seq: (message.seq + 1) & 0xff } : message),
  'other-group': (message, draw) => (draw() < 0.2 ? { ...message, group: 63 } : message),
  'echoes-otherwise': (message) => (message.group === 0 && message.command === 0 ? { ...message, body: { r: 'something else' } } : message),
  'long-answer': (message, draw) => (draw() < 0.1 ? { ...message, body: { ...message.body, more: 'x'.repeat(9_000) } } : message),
  'no-cbor': (_message, draw) => Uint8Array.from({ length: 60 }, () => Math.floor(draw() * 256)),
}

export const lieNames = Object.keys(lies)
export type LieName = string

/** Turns what a board sends into lies of that kind; chatter stays as it is. */
export function liar(name: LieName, draw: () => number, wantedHash: string): (bytes: Uint8Array) => Uint8Array[] {
  const lie = lies[name]!
  const hash = fromHex(wantedHash)!
  return (bytes) => {
    const packets = new LineDecoder({ packetBytesMax: 16_384 }).push(bytes)
    if (packets.length === 0) return [bytes]
    return packets.map((packet) => {
      const message = decodeMessage(packet)
      if (failed(message)) return bytes
      const said = name === 'no-cbor' && draw() > 0.2 ? message : lie(message, draw, hash)
      return replyLines(said instanceof Uint8Array ? said : encodeMessage(said, { lengths: 'indefinite' }))
    })
  }
}
