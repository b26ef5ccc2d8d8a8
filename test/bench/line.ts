// A line of boards: what each board still gets of the rate it has alone, what the station spends on it, and what N copies of
// another client do on the same boards. The boards are on one core and the clients on the other.
// `npm run bench:line [-- --boards 1,8,64 --bauds 115200,1000000 --peers no --copies 1,8 --keep no]`
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startPracticeProcess } from '../../main/practice/child.ts'
import { drawLineCurves } from './curves.ts'
import { makeImages, value } from './made.ts'
import type { Cores, EncodeFigures, LineCase, LineFigures, PeerFigures } from './line-words.ts'
import { findPeers, runPeer } from './peers.ts'
import type { Missing, Peer } from './peers.ts'
import { goFirst, pin } from './processor.ts'
import { keepResults, machine } from './results.ts'

const { values: options } = parseArgs({
  options: {
    boards: { type: 'string', default: '1,8,16,32,64,128' },
    bauds: { type: 'string', default: '115200,1000000' },
    bytes: { type: 'string', default: '204800' },
    peers: { type: 'string', default: 'yes' },
    copies: { type: 'string', default: '1,8,16' },
    encode: { type: 'string', default: '64' },
    keep: { type: 'string', default: 'yes' },
  },
})
const slowBaud = 200_000
const slowImageBytes = 49_152
const cores: Cores = availableParallelism() > 1 ? { boards: 0, station: 1 } : { boards: null, station: null }
const numbers = (text: string) => text.split(',').filter((part) => part !== '' && part !== '0').map(Number)
const bytesAt = (baud: number) => (baud < slowBaud ? Math.min(Number(options.bytes), slowImageBytes) : Number(options.bytes))

export type LineRow = LineFigures & Readonly<{ /** The median board's rate against the single board's of this run. */ share: number; leastShare: number }>

function carryOut<T>(order: LineCase): Promise<T> {
  const child = fork(join(import.meta.dirname, 'station.mjs'), [], { execArgv: ['--expose-gc'] })
  return new Promise((resolve, reject) => {
    child.once('message', (word) => {
      const { figures, error } = word as { figures?: T; error?: string }
      if (figures === undefined) reject(new Error(error))
      else resolve(figures)
    })
    child.once('exit', (code) => reject(new Error(`the station process ended with ${code}`)))
    child.send(order)
  })
}

function say(row: LineRow): void {
  console.log([
    `${row.boards} boards`.padStart(10), `${row.baud} baud`.padStart(12), `${Math.round(row.medianBytesPerSecond)} B/s each`.padStart(16), `${(row.share * 100).toFixed(1)} % (least ${(row.leastShare * 100).toFixed(1)} %)`,
    `${(row.totalBytesPerSecond / 1000).toFixed(0)} kB/s in all`, `station ${(row.stationCpuShare * 100).toFixed(0)} %, boards ${(row.boardsCpuShare * 100).toFixed(0)} % of a core`,
    `delay p99 ${row.delayP99Ms.toFixed(1)} ms, max ${row.delayMaxMs.toFixed(0)}`, `${row.memoryMiBPerBoard.toFixed(2)} MiB a board`, ...(row.uploaded === row.boards ? [] : [`ONLY ${row.uploaded} UPLOADED: ${row.failures[0]}`]),
  ].join('  '))
}

/** N copies side by side, as somebody without a station does it. */
async function sideBySide(peer: Peer, boards: number, baud: number): Promise<PeerFigures> {
  const bytes = bytesAt(baud)
  const made = await makeImages(bytes)
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-copies-'))
  const line = value(await startPracticeProcess(join(import.meta.dirname, 'practice.mjs'), { dir, boards, baud, firmware: made.factory, trust: [made.key] }))
  try {
    pin(line.pid, cores.boards)
    const image = join(dir, 'update.bin')
    writeFileSync(image, made.update)
    // The quickest of its settings.
    const way = peer.ways.filter(({ framing }) => framing === undefined).at(-1)!
    const began = performance.now()
    const ran = await Promise.all(line.boards().map(({ port }) => runPeer(peer.program, way.args({ port: port ?? '', baud, image, bufferBytes: 384 }), 300_000, cores.station)))
    const seconds = (performance.now() - began) / 1000
    const done = ran.filter(({ ok }) => ok).length
    return { client: way.name, boards, baud, bytes, seconds, done, totalBytesPerSecond: (done * bytes) / seconds, clientCpuSeconds: ran.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) }
  } finally {
    await line.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

const rows: LineRow[] = []
const copies: (PeerFigures & Readonly<{ stationTotalBytesPerSecond: number | null }>)[] = []
const encode: EncodeFigures[] = []
let missing: Missing[] = []
let peers: Peer[] = []
console.log(goFirst() ? 'station, clients and boards run at raised priority' : 'only root may raise priorities: figures suffer from whatever else runs')
if (options.peers !== 'no') ({ peers, missing } = await findPeers(join(process.env['SLOTWRIGHT_BENCH_ROOT'] ?? '.', 'node_modules', '.cache')))
for (const { name, why } of missing) console.log(`left out: ${name}: ${why}`)
for (const baud of numbers(options.bauds)) {
  let alone = 0
  for (const boards of numbers(options.boards)) {
    const figures = await carryOut<LineFigures>({ is: 'batch', boards, baud, bytes: bytesAt(baud), cores })
    alone ||= figures.medianBytesPerSecond
    rows.push({ ...figures, share: figures.medianBytesPerSecond / alone, leastShare: figures.leastBytesPerSecond / alone })
    say(rows.at(-1)!)
  }
  for (const peer of peers) {
    for (const boards of numbers(options.copies)) {
      const figures = await sideBySide(peer, boards, baud)
      const ours = rows.find((row) => row.boards === boards && row.baud === baud)?.totalBytesPerSecond ?? null
      copies.push({ ...figures, stationTotalBytesPerSecond: ours })
      console.log(`${boards} × ${figures.client} at ${baud}: ${figures.done} done in ${figures.seconds.toFixed(1)} s, ${(figures.totalBytesPerSecond / 1000).toFixed(1)} kB/s in all, ${figures.clientCpuSeconds.toFixed(1)} s of processor time; the station is ${ours === null ? 'not measured' : `${(ours / figures.totalBytesPerSecond).toFixed(2)} × as fast`}`)
    }
  }
}
for (const boards of numbers(options.encode)) {
  for (const is of ['encode-once', 'encode-each'] as const) {
    const figures = await carryOut<EncodeFigures>({ is, boards, baud: 1_000_000, bytes: Number(options.bytes), cores })
    encode.push(figures)
    console.log(`frames encoded ${is === 'encode-once' ? 'once for all' : 'by each board'}: ${boards} boards, ${figures.encodedFrames} encoded for ${figures.chunks} chunks, ${figures.cpuSeconds.toFixed(2)} s of processor time, ${figures.memoryMiBPerBoard.toFixed(2)} MiB a board`)
  }
}
if (options.keep !== 'no') keepResults('line', { ...machine(), cores, rows, copies, encode, missing }, drawLineCurves(rows, copies))
