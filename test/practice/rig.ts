// A practice board under a hand-wound clock, with the images and keys of the recorded story.
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { failed } from '../../main/base/failure.ts'
import type { PublicKey } from '../../main/base/signer.ts'
import { publicKeyFromSpki } from '../../main/image/publickey.ts'
import { createBoard } from '../../main/practice/board.ts'
import type { Board, BoardOptions } from '../../main/practice/board.ts'
import { recordedRig } from '../../main/practice/profiles.ts'
import { LineDecoder, encodeLines } from '../../main/smp/line.ts'
import { decodeMessage, encodeMessage } from '../../main/smp/message.ts'
import type { CborMap, SmpMessage } from '../../main/smp/message.ts'
import { WoundClock } from '../smp/wound-clock.ts'

export type SignedBy = 'ecdsa-p256' | 'ed25519'

function vector(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../vectors/${path}`, import.meta.url)))
}

export const imageA = (by: SignedBy): Uint8Array => vector(`mcuboot/images/a-1.0.0-${by}.signed.bin`)
export const imageB = (by: SignedBy): Uint8Array => vector(`mcuboot/images/b-1.1.0-${by}.signed.bin`)
export const payloadA = (): Uint8Array => vector('imgtool/inputs/app-5000.bin')

export function publicKey(name: string): PublicKey {
  const keys = JSON.parse(new TextDecoder().decode(vector('mcuboot/keys.json'))) as Record<string, { der_base64: string }>
  const der = Buffer.from(keys[`${name}.pem`]!.der_base64, 'base64')
  const spki = createPublicKey(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })).export({ type: 'spki', format: 'der' })
  const key = publicKeyFromSpki(new Uint8Array(spki))
  if (failed(key) || key.algorithm === 'x25519') throw new Error(`${name} is no signing key`)
  return key
}

export type Rig = {
  clock: WoundClock
  board: Board
  /** Everything the board sent since the last `take`. */
  take(): Uint8Array
  /** Console lines that were no frames. */
  noise: string[]
  /** Sends one request and winds until it is answered; null after that long a silence. */
  ask(message: Partial<SmpMessage> & { group: number; command: number }, windMs?: number): Promise<SmpMessage | null>
  /** Uploads a file in chunks of that many bytes, winding after each; the last reply. */
  upload(image: Uint8Array, chunkBytes?: number, windMs?: number): Promise<CborMap>
  /** Takes what the board sent, as messages. */
  replies(): SmpMessage[]
}

export async function rigWith(options: Partial<BoardOptions> = {}): Promise<Rig> {
  const clock = new WoundClock()
  const board = createBoard({
    clock,
    profile: recordedRig,
    serial: 'PB-0001',
    trust: [publicKey('board-ecdsa-p256')],
    firmware: imageA('ecdsa-p256'),
    ...options,
  })
  let sent: number[] = []
  const noise: string[] = []
  board.onTransmit((bytes) => sent.push(...bytes))
  board.powerOn()
  let seq = 0
  const rig: Rig = {
    clock,
    board,
    noise,
    take() {
      const bytes = Uint8Array.from(sent)
      sent = []
      return bytes
    },
    async ask(message, windMs = 0) {
      rig.take()
      seq = (seq + 1) & 255
      board.receive(encodeLines(encodeMessage({ op: 'write', version: 1, seq, body: {}, ...message })))
      await clock.wind(windMs)
      return rig.replies().at(-1) ?? null
    },
    replies() {
      const decoder = new LineDecoder({ onNoise: (line) => noise.push(line) })
      return decoder.push(rig.take()).map((packet) => {
        const message = decodeMessage(packet)
        if (failed(message)) throw new Error(message.says)
        return message
      })
    },
    async upload(image, chunkBytes = 256, windMs = 0) {
      let last: CborMap = {}
      for (let off = 0; off < image.length; off += chunkBytes) {
        const data = image.subarray(off, off + chunkBytes)
        const reply = await rig.ask({ group: 1, command: 1, body: off === 0 ? { off, data, len: image.length } : { off, data } }, windMs)
        last = reply?.body ?? {}
      }
      return last
    },
  }
  await clock.wind(1000)
  rig.take()
  return rig
}
