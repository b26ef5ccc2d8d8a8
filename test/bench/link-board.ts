// The board of the link bench in a process of its own: a practice board whose wire is tapped, so that every client, ours or
// another's, is measured by the same clock at the same place. Rates are counted from request to request as the
// board's UART hears them: neither a client's start-up nor what it prints afterwards counts for or against it.
import { failed } from '../../main/base/failure.ts'
import { viewOf } from '../../main/base/bytes.ts'
import { publicKeyFromSpki } from '../../main/image/publickey.ts'
import { startPracticeLine } from '../../main/practice/line.ts'
import { practiceProfile, profiles } from '../../main/practice/profiles.ts'
import type { BoardProfile } from '../../main/practice/profiles.ts'
import { packetBytesFor } from '../../main/smp/frames.ts'
import { LineDecoder, framedBytes } from '../../main/smp/line.ts'
import { decodeMessage } from '../../main/smp/message.ts'
import { RawDecoder } from '../../main/smp/raw.ts'
import { fineClock } from './fine-clock.ts'
import type { Flash, LinkFigures, LinkOrder } from './link-words.ts'

const timings: Readonly<Record<Flash, BoardProfile['timing']>> = { none: { eraseSectorMs: 0, writeWordUs: 0 }, nrf52840: profiles['nrf52840']!.timing }

/** An upload request as it came in. */
type Heard = Readonly<{ off: number; dataBytes: number; wireBytes: number; atMs: number }>

/** Listens to requests without touching them, and reads what it heard when the upload is over: reading would hold up the board's answer. */
class Tap {
  readonly #decoder: LineDecoder | RawDecoder
  readonly #raw: boolean
  readonly #pieces: Readonly<{ bytes: Uint8Array; atMs: number }>[] = []

  constructor(profile: BoardProfile) {
    this.#raw = profile.framing === 'raw'
    const packetBytesMax = packetBytesFor(profile.bufferBytes, profile.framing)
    this.#decoder = this.#raw ? new RawDecoder({ packetBytesMax, hears: 'requests' }) : new LineDecoder({ packetBytesMax, framesBegin: 'line-start' })
  }

  /** The bytes are not copied: nobody writes into what the wire handed on. */
  hear(bytes: Uint8Array, atMs: number): void {
    this.#pieces.push({ bytes, atMs })
  }

  #read(): { heard: Heard[]; imageBytes: number } {
    const heard: Heard[] = []
    let imageBytes = 0
    for (const { bytes, atMs } of this.#pieces.splice(0)) {
      for (const packet of this.#decoder.push(bytes)) {
        const message = decodeMessage(packet)
        if (failed(message) || message.group !== 1 || message.command !== 1) continue
        const { off, data, len } = message.body
        if (typeof off !== 'number' || !(data instanceof Uint8Array)) continue
        if (typeof len === 'number') imageBytes = len
        heard.push({ off, dataBytes: data.length, wireBytes: this.#raw ? packet.length : framedBytes(packet.length), atMs })
      }
    }
    return { heard, imageBytes }
  }

  figures(baud: number | null): LinkFigures | null {
    const { heard, imageBytes } = this.#read()
    const [first, second] = heard
    const last = heard.at(-1)
    if (first === undefined || second === undefined || last === undefined || last === second) return null
    const msPerByte = baud === null ? 0 : 10_000 / baud
    const startMs = first.atMs - first.wireBytes * msPerByte
    const streamed = heard.slice(2).reduce((sum, { dataBytes }) => sum + dataBytes, 0)
    return {
      imageBytes,
      complete: last.off + last.dataBytes === imageBytes,
      requests: heard.length,
      chunkBytes: second.dataBytes,
      wireBytes: heard.reduce((sum, { wireBytes }) => sum + wireBytes, 0),
      wholeSeconds: (last.atMs - startMs) / 1000,
      firstSeconds: (second.atMs - second.wireBytes * msPerByte - first.atMs) / 1000,
      bytesPerSecond: (streamed * 1000) / (last.atMs - second.atMs),
    }
  }
}

async function serve(order: LinkOrder): Promise<void> {
  const profile: BoardProfile = { ...practiceProfile, name: 'bench', framing: order.framing, timing: timings[order.flash], bufferBytes: order.bufferBytes, bufferCount: order.bufferCount }
  const key = publicKeyFromSpki(new Uint8Array(Buffer.from(order.key, 'base64')))
  if (failed(key) || key.algorithm === 'x25519') throw new Error('the bench makes keys that sign')
  const line = await startPracticeLine({ dir: order.dir, boards: 1, baud: order.baud, firmware: new Uint8Array(Buffer.from(order.firmware, 'base64')), trust: [key], profile, clock: fineClock() })
  if (failed(line)) throw new Error(line.says)
  const board = line.board(1)!
  // An older image lies in the slot, as on any board in the field: a word in each sector has to be erased.
  const { area } = board.slots.secondary
  const word = new Uint8Array(4)
  viewOf(word).setUint32(0, 0x5107_0001)
  for (let at = 0; at < area.sizeBytes; at += area.sectorBytes) area.write(at, word)
  const tap = new Tap(profile)
  const receive = board.receive.bind(board)
  board.receive = (bytes, atMs) => {
    if (atMs !== undefined) tap.hear(bytes, atMs)
    receive(bytes, atMs)
  }
  let before = process.cpuUsage()
  line.onEvent((_, event) => {
    if (event.is === 'booted') process.send?.({ is: 'ready', port: line.boards()[0]!.port })
    before = process.cpuUsage()
  })
  process.on('message', (word_) => {
    const { user, system } = process.cpuUsage(before)
    if (word_ === 'figures') process.send?.({ is: 'figures', figures: tap.figures(order.baud), cpuSeconds: (user + system) / 1e6 })
    if (word_ === 'stop') void line.stop().then(() => process.disconnect())
  })
  process.on('disconnect', () => void line.stop())
}

process.once('message', (order) => void serve(order as LinkOrder))
