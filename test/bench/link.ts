// One link: how fast an image goes to one practice board, at several rates, over console and raw framing, with flash that
// takes a real part's time and with none; and how fast other clients are on the same board at the same pace.
// `npm run bench:link [-- --bytes 204800 --bauds 1000000,0 --peers no --keep no]`; a baud of 0 is an unpaced wire. A minute's look:
// `-- --bauds 1000000 --flash none --peers no --keep no --bytes 102400`.
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { realClock } from '../../main/base/clock.ts'
import { openSerial } from '../../main/link/serial.ts'
import { SmpClient } from '../../main/smp/client.ts'
import type { Framing } from '../../main/smp/client.ts'
import { encodeUpload } from '../../main/smp/frames.ts'
import { smpGroup } from '../../main/smp/commands.ts'
import { imageCommand } from '../../main/smp/image.ts'
import { framedBytes } from '../../main/smp/line.ts'
import { encodeMessage } from '../../main/smp/message.ts'
import { parameters } from '../../main/smp/os.ts'
import { upload, uploadWindow } from '../../main/smp/upload.ts'
import { drawLinkCurves } from './curves.ts'
import { makeImages, value } from './made.ts'
import type { Made } from './made.ts'
import type { Flash, FromBoard, LinkFigures, LinkOrder } from './link-words.ts'
import { findPeers, runPeer } from './peers.ts'
import type { Missing, Peer } from './peers.ts'
import { goFirst } from './processor.ts'
import { keepResults, machine } from './results.ts'

const { values: options } = parseArgs({
  options: {
    bytes: { type: 'string', default: '204800' },
    bauds: { type: 'string', default: '115200,921600,1000000,2000000,0' },
    flash: { type: 'string', default: 'none,nrf52840' },
    framings: { type: 'string', default: 'console,raw' },
    counts: { type: 'string', default: '4,1' },
    peers: { type: 'string', default: 'yes' },
    repeat: { type: 'string', default: '1' },
    keep: { type: 'string', default: 'yes' },
  },
})
const bufferBytes = 384
/** At 115,200 baud the whole image would take half a minute each time and say no more. */
const slowBaud = 200_000
const slowImageBytes = 49_152

export type LinkRow = LinkFigures & Readonly<{
  client: string
  baud: number | null
  framing: Framing
  flash: Flash
  /** Requests in flight at most; null where the client does not say. */
  window: number | null
  /** Image bytes a second that this line carries at most: full frames, nothing between them. Null when unpaced. */
  limitBytesPerSecond: number | null
  share: number | null
  /** The same against line rate × 93/128 less headers. */
  shareOfSimpleLimit: number | null
  /** Of a single request in flight, whose reply has to travel too: against full frames and their replies in turn, nothing between them. Null otherwise. */
  shareOfTurns: number | null
  /** What a client reaches there that looks at no answer and has every frame ready: what it misses is the way between two processes. */
  bareBytesPerSecond: number | null
  clientCpuSeconds: number
  boardCpuSeconds: number
  resent: number | null
  /** Bytes a second of every try, fastest first; the row is the fastest. */
  tries: readonly number[]
}>

type Setting = Readonly<{ baud: number | null; framing: Framing; flash: Flash; bufferCount: number }>

class BenchBoard {
  readonly #child: ChildProcess
  readonly dir: string
  port = ''

  private constructor(child: ChildProcess, dir: string) {
    this.#child = child
    this.dir = dir
  }

  static async start(setting: Setting, made: Made): Promise<BenchBoard> {
    const dir = mkdtempSync(join(tmpdir(), 'slotwright-link-'))
    const child = fork(join(import.meta.dirname, 'board.mjs'), [], { execArgv: [] })
    const board = new BenchBoard(child, dir)
    const order: LinkOrder = { ...setting, dir, bufferBytes, firmware: Buffer.from(made.factory).toString('base64'), key: Buffer.from(made.key.spki).toString('base64') }
    const ready = board.#next('ready')
    child.send(order)
    board.port = (await ready).port
    return board
  }

  async figures(): Promise<{ figures: LinkFigures; cpuSeconds: number }> {
    const heard = this.#next('figures')
    this.#child.send('figures')
    const { figures, cpuSeconds } = await heard
    if (figures === null) throw new Error('the board heard no upload')
    return { figures, cpuSeconds }
  }

  async stop(): Promise<void> {
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    this.#child.send('stop')
    await gone
    rmSync(this.dir, { recursive: true, force: true })
  }

  #next<K extends FromBoard['is']>(is: K): Promise<Extract<FromBoard, { is: K }>> {
    return new Promise((resolve, reject) => {
      const gone = () => reject(new Error('the board process ended'))
      const hear = (word: unknown) => {
        if ((word as FromBoard).is !== is) return
        this.#child.off('message', hear)
        this.#child.off('exit', gone)
        resolve(word as Extract<FromBoard, { is: K }>)
      }
      this.#child.on('message', hear)
      this.#child.once('exit', gone)
    })
  }
}

type Sent = Readonly<{ client: string; window: number | null; cpuSeconds: number; resent: number | null }>

async function sendOurs(board: BenchBoard, { baud, framing }: Setting, image: Uint8Array): Promise<Sent> {
  const link = value(await openSerial({ path: board.port, baudRate: baud ?? 1_000_000 }))
  const client = new SmpClient(link, realClock, { framing })
  const told = value(await client.request(parameters, {}))
  const before = process.cpuUsage()
  const frames = value(encodeUpload(image, { bufferBytes: told.bufferBytes, framing }))
  const window = uploadWindow(told.bufferCount)
  const done = value(await upload(client, realClock, frames, { windowMax: window }))
  const { user, system } = process.cpuUsage(before)
  client.close()
  await link.close()
  return { client: 'slotwright', window, cpuSeconds: (user + system) / 1e6, resent: done.resent }
}

/** A client that takes no time: whatever answer comes, the next frame goes out. */
async function sendBare(board: BenchBoard, { baud, framing }: Setting, image: Uint8Array): Promise<Sent> {
  const link = value(await openSerial({ path: board.port, baudRate: baud ?? 1_000_000 }))
  const frames = value(encodeUpload(image, { bufferBytes, framing }))
  const ready: Uint8Array[] = []
  for (const [number, offset] of frames.offsets().entries()) ready.push(frames.frame(offset, number & 0xff).slice())
  const before = process.cpuUsage()
  await new Promise<void>((resolve) => {
    let next = 0
    const writeNext = () => (next === ready.length ? resolve() : void link.write(ready[next++]!))
    // Over a console an answer is one short line that begins with 06 09; what the board says else does not count.
    link.onBytes((bytes) => {
      if (framing === 'raw' || bytes.includes(0x06)) writeNext()
    })
    writeNext()
  })
  const { user, system } = process.cpuUsage(before)
  await link.close()
  return { client: 'bare', window: 1, cpuSeconds: (user + system) / 1e6, resent: null }
}

/** Sends with whatever `send` is and reads off what the board heard. */
async function measure(setting: Setting, made: Made, send: (board: BenchBoard) => Promise<Sent>): Promise<LinkRow> {
  const board = await BenchBoard.start(setting, made)
  try {
    const { client, window, cpuSeconds, resent } = await send(board)
    const { figures, cpuSeconds: boardCpuSeconds } = await board.figures()
    const { limit, simple, turns } = limits(setting, made.update)
    return {
      ...figures, client, baud: setting.baud, framing: setting.framing, flash: setting.flash, window,
      limitBytesPerSecond: limit,
      share: limit === null ? null : figures.bytesPerSecond / limit,
      shareOfSimpleLimit: simple === null ? null : figures.bytesPerSecond / simple,
      shareOfTurns: turns === null || window !== 1 ? null : figures.bytesPerSecond / turns,
      bareBytesPerSecond: null,
      clientCpuSeconds: cpuSeconds, boardCpuSeconds, resent, tries: [figures.bytesPerSecond],
    }
  } finally {
    await board.stop()
  }
}

/**
 * What full frames behind each other carry; line rate × 93/128 less the headers in each message; and what frames and their
 * replies carry in turn, each byte of either at the line rate and nothing between them.
 */
function limits({ baud, framing }: Setting, image: Uint8Array): Readonly<Record<'limit' | 'simple' | 'turns', number | null>> {
  if (baud === null) return { limit: null, simple: null, turns: null }
  const frames = value(encodeUpload(image, { bufferBytes, framing }))
  const offset = frames.endOf(frames.firstChunkBytes)
  const dataBytes = frames.endOf(offset) - offset
  const lineBytesPerSecond = baud / 10
  const payloadShare = dataBytes / bufferBytes
  const frameBytes = frames.frame(offset, 0).length
  return {
    limit: (lineBytesPerSecond * dataBytes) / frameBytes,
    simple: lineBytesPerSecond * payloadShare * (framing === 'console' ? 93 / 128 : 1),
    turns: (lineBytesPerSecond * dataBytes) / (frameBytes + replyBytes(framing, image.length)),
  }
}

/** Wire bytes of an upload's reply, as Zephyr's server writes it, with an offset in the middle of the image. */
function replyBytes(framing: Framing, imageBytes: number): number {
  const packet = encodeMessage({ op: 'write-rsp', version: 1, group: smpGroup.image, command: imageCommand.upload, seq: 0, body: { off: Math.floor(imageBytes / 2) } }, { lengths: 'indefinite' })
  return framing === 'raw' ? packet.length : framedBytes(packet.length)
}

const percent = (share: number | null) => (share === null ? '     —' : `${(share * 100).toFixed(1)} %`.padStart(7))

function say(row: LinkRow): void {
  const pace = row.baud === null ? 'unpaced' : `${row.baud}`
  console.log([
    row.client.padEnd(22), pace.padStart(8), row.framing.padEnd(7), row.flash.padEnd(8), `window ${row.window ?? '?'}`,
    `${Math.round(row.bytesPerSecond)} B/s`.padStart(12), percent(row.share), `whole ${row.wholeSeconds.toFixed(2)} s`, `first ${row.firstSeconds.toFixed(2)} s`,
    `chunk ${row.chunkBytes}`, `cpu ${row.clientCpuSeconds.toFixed(2)}/${row.boardCpuSeconds.toFixed(2)} s`, ...(row.shareOfTurns === null ? [] : [`in turn ${percent(row.shareOfTurns).trim()}`]), ...(row.bareBytesPerSecond === null ? [] : [`a bare client ${Math.round(row.bareBytesPerSecond)} B/s`]), ...(row.resent ? [`${row.resent} sent again`] : []), ...(row.complete ? [] : ['INCOMPLETE']),
  ].join('  '))
}

async function sendPeer(board: BenchBoard, peer: Peer, way: Peer['ways'][number], setting: Setting, image: string): Promise<Sent> {
  const args = way.args({ port: board.port, baud: setting.baud ?? 1_000_000, image, bufferBytes })
  const ran = await runPeer(peer.program, args, 180_000)
  if (!ran.ok) throw new Error(`${way.name}: ${ran.says}`)
  return { client: way.name, window: null, cpuSeconds: ran.cpuSeconds, resent: null }
}

const numbers = (text: string) => text.split(',').filter((part) => part !== '').map(Number)
const rows: LinkRow[] = []
const troubles: string[] = []
let missing: Missing[] = []
let peers: Peer[] = []
const folder = mkdtempSync(join(tmpdir(), 'slotwright-bench-link-'))

/** The fastest of so many tries, the same for every client: what else the machine did only ever makes one slower. */
async function fastest(setting: Setting, made: Made, send: (board: BenchBoard) => Promise<Sent>): Promise<LinkRow> {
  const tries: LinkRow[] = []
  for (let i = 0; i < Number(options.repeat); i++) tries.push(await measure(setting, made, send))
  tries.sort((a, b) => b.bytesPerSecond - a.bytesPerSecond)
  return { ...tries[0]!, tries: tries.map(({ bytesPerSecond }) => bytesPerSecond) }
}

function keep(row: LinkRow): void {
  rows.push(row)
  say(row)
}

try {
  if (options.peers !== 'no') ({ peers, missing } = await findPeers(join(process.env['SLOTWRIGHT_BENCH_ROOT'] ?? '.', 'node_modules', '.cache')))
  const first = goFirst()
  console.log(first ? 'clients and boards run at raised priority' : 'only root may raise priorities: figures suffer from whatever else runs')
  for (const { name, why } of missing) console.log(`left out: ${name}: ${why}`)
  for (const baud of numbers(options.bauds).map((number) => (number === 0 ? null : number))) {
    const bytes = Number(options.bytes)
    const made = await makeImages(baud !== null && baud < slowBaud ? Math.min(bytes, slowImageBytes) : bytes)
    const image = join(folder, 'update.bin')
    writeFileSync(image, made.update)
    for (const flash of options.flash.split(',') as Flash[]) {
      for (const framing of options.framings.split(',') as Framing[]) {
        for (const bufferCount of numbers(options.counts)) {
          const setting: Setting = { baud, framing, flash, bufferCount }
          const ours = await fastest(setting, made, (board) => sendOurs(board, setting, made.update))
          const bare = bufferCount === 1 ? await fastest(setting, made, (board) => sendBare(board, setting, made.update)) : null
          keep({ ...ours, bareBytesPerSecond: bare?.bytesPerSecond ?? null })
        }
      }
      for (const peer of peers) {
        for (const way of peer.ways) {
          const setting: Setting = { baud, framing: way.framing ?? 'console', flash, bufferCount: 4 }
          try {
            keep(await fastest(setting, made, (board) => sendPeer(board, peer, way, setting, image)))
          } catch (error) {
            troubles.push(`${way.name} at ${baud ?? 'no pace'}, flash ${flash}: ${(error as Error).message}`)
            console.log(troubles.at(-1))
          }
        }
      }
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Ours against the best of the others on the same board at the same pace. */
const ratios = rows
  .filter((row) => row.client === 'slotwright' && row.window !== 1)
  .flatMap((ours) => {
    const others = rows.filter((row) => row.client !== 'slotwright' && row.baud === ours.baud && row.flash === ours.flash && row.framing === ours.framing && row.complete)
    const best = others.sort((a, b) => b.bytesPerSecond - a.bytesPerSecond)[0]
    if (best === undefined) return []
    return [{ baud: ours.baud, framing: ours.framing, flash: ours.flash, peer: best.client, stream: ours.bytesPerSecond / best.bytesPerSecond, whole: best.wholeSeconds / ours.wholeSeconds }]
  })
for (const { baud, framing, flash, peer, stream, whole } of ratios) {
  console.log(`ratio at ${baud ?? 'no pace'}, ${framing}, flash ${flash}: ${stream.toFixed(2)} × ${peer} (whole upload ${whole.toFixed(2)} ×)`)
}
const named = rows.find((row) => row.client === 'slotwright' && row.baud === 1_000_000 && row.framing === 'console' && row.flash === 'none' && row.window !== 1 && Math.abs(row.imageBytes - 204_800) < 8)
if (named !== undefined) {
  console.log(`200 KiB at 1,000,000 baud: ${Math.round(named.bytesPerSecond)} bytes/s, ${percent(named.share).trim()} of the framing limit (${percent(named.shareOfSimpleLimit).trim()} of line rate × 93/128 less headers)`)
}
if (options.keep !== 'no') keepResults('link', { ...machine(), rows, ratios, missing, troubles }, drawLinkCurves(rows))
