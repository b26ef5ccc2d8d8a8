// The station's side of the line bench, in a process of its own for each case, so that memory and processor time are those of
// one batch and nothing else. It is the whole station: log on disk, runs, rows for the window.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { realClock } from '../../main/base/clock.ts'
import { Failure, failed } from '../../main/base/failure.ts'
import { openSerial } from '../../main/link/serial.ts'
import { startPracticeProcess } from '../../main/practice/child.ts'
import { SmpClient } from '../../main/smp/client.ts'
import { encodeUpload } from '../../main/smp/frames.ts'
import { parameters } from '../../main/smp/os.ts'
import type { BoardParameters } from '../../main/smp/os.ts'
import { upload, uploadWindow } from '../../main/smp/upload.ts'
import { openStation } from '../../main/station/station.ts'
import type { PracticeHost } from '../../main/station/practice.ts'
import type { Cores, EncodeFigures, LineCase, LineFigures } from './line-words.ts'
import { firmwareOf, makeImages, value } from './made.ts'
import { cpuSecondsOf, pin } from './processor.ts'

/** Node's histogram holds the time from one sample to the next; what is more than this is delay. */
const sampleMs = 1
const memoryEveryMs = 100
const bootTriesMax = 60
const MiB = 1 << 20

/** Watches memory and the event loop until ended. */
function watch(): () => { delayP99Ms: number; delayMaxMs: number; peakBytes: number; cpuSeconds: number; seconds: number } {
  const delays = monitorEventLoopDelay({ resolution: sampleMs })
  let peakBytes = process.memoryUsage.rss()
  const timer = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss())
  }, memoryEveryMs)
  const before = process.cpuUsage()
  const began = performance.now()
  delays.enable()
  return () => {
    delays.disable()
    clearInterval(timer)
    const { user, system } = process.cpuUsage(before)
    const beyond = (ns: number) => Math.max(0, ns / 1e6 - sampleMs)
    return {
      delayP99Ms: beyond(delays.percentile(99)), delayMaxMs: beyond(delays.max), peakBytes,
      cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - began) / 1000,
    }
  }
}

const median = (figures: readonly number[]) => [...figures].sort((a, b) => a - b)[Math.floor(figures.length / 2)] ?? 0

/** One batch of the station over so many boards. */
async function runBatch({ boards, baud, bytes, cores }: LineCase): Promise<LineFigures> {
  const home = mkdtempSync(join(tmpdir(), 'slotwright-line-'))
  let boardsPid = 0
  const practiceHost: PracticeHost = {
    async start(order) {
      const child = await startPracticeProcess(join(import.meta.dirname, 'practice.mjs'), { ...order, dir: order.folder })
      if (failed(child)) return child
      boardsPid = child.pid
      pin(boardsPid, cores.boards)
      return { stop: () => child.stop(), onLost: (listener) => child.onLost(() => listener()) }
    },
  }
  const station = value(await openStation({ home, version: '0.0.0-bench', ports: [], person: 'bench', practiceHost }))
  try {
    let rows = 0
    station.subscribe((event) => {
      if (event.is === 'bay') rows++
    })
    value(await station.sampleFile({})) // makes the practice key
    const source = join(home, 'update.bin')
    writeFileSync(source, firmwareOf(bytes, '1.1.0'))
    const { file: firmware } = value(await station.openFile({ path: source, purpose: 'firmware' }))
    const saveAs = join(home, 'update.signed.bin')
    value(await station.sign({ file: firmware, key: 'practice', passphrase: null, options: { version: '1.1.0' }, saveAs }))
    const { file } = value(await station.openFile({ path: saveAs, purpose: 'image' }))
    global.gc?.()
    const beforeBytes = process.memoryUsage.rss()
    value(await station.startPractice({ boards, baud }))
    // The ports are there before the last bootloader has checked its image.
    for (const { port } of value(await station.bays({}))) {
      for (let asked: unknown = new Failure('unasked', ''); asked instanceof Failure; ) asked = await station.askBoard({ port: port ?? '' })
    }
    const boardsCpu = cpuSecondsOf(boardsPid)
    const end = watch()
    value(await station.startBatch({ file, recipe: { mode: 'upload-only' } }))
    await station.batchEnded()
    const { delayP99Ms, delayMaxMs, peakBytes, cpuSeconds, seconds } = end()
    const boardsCpuSeconds = cpuSecondsOf(boardsPid) - boardsCpu
    const runs = value(await station.listRuns({ batch: null }))
    const rates = runs.filter((run) => run.outcome === 'uploaded').map((run) => run.bytesPerSecond)
    return {
      boards, baud, bytes, seconds, uploaded: rates.length, failures: runs.flatMap((run) => (run.outcome === 'uploaded' ? [] : [run.says])).slice(0, 3),
      medianBytesPerSecond: median(rates), leastBytesPerSecond: Math.min(...rates), totalBytesPerSecond: (rates.length * bytes) / seconds,
      stationCpuShare: cpuSeconds / seconds, boardsCpuShare: boardsCpuSeconds / seconds, stationCpuSeconds: cpuSeconds,
      delayP99Ms, delayMaxMs, memoryMiBPerBoard: (peakBytes - beforeBytes) / MiB / boards, peakMiB: peakBytes / MiB, rowsPerSecond: rows / seconds,
    }
  } finally {
    await station.close()
    rmSync(home, { recursive: true, force: true })
  }
}

/** Asks until the board has booted. */
async function greet(client: SmpClient): Promise<BoardParameters> {
  for (let tries = 0; tries < bootTriesMax; tries++) {
    const told = await client.request(parameters, {}, { timeoutMs: 500 })
    if (!failed(told)) return told
  }
  throw new Error(`${client.boardName} never answered`)
}

/** The same upload to every board at once, with frames encoded once for all or by each for itself; no station around it. */
async function encodeOnce({ boards, baud, bytes, cores }: LineCase, shared: boolean): Promise<EncodeFigures> {
  const made = await makeImages(bytes)
  const dir = mkdtempSync(join(tmpdir(), 'slotwright-encode-'))
  const line = value(await startPracticeProcess(join(import.meta.dirname, 'practice.mjs'), { dir, boards, baud, firmware: made.factory, trust: [made.key] }))
  try {
    pin(line.pid, cores.boards)
    const clients = await Promise.all(line.boards().map(async ({ port }) => {
      const link = value(await openSerial({ path: port ?? '', baudRate: baud }))
      return { link, client: new SmpClient(link, realClock) }
    }))
    const told = await Promise.all(clients.map(({ client }) => greet(client)))
    const { bufferBytes, bufferCount } = told[0]!
    global.gc?.()
    const beforeBytes = process.memoryUsage.rss()
    const end = watch()
    const one = value(encodeUpload(made.update, { bufferBytes }))
    const all = clients.map(() => (shared ? one : value(encodeUpload(made.update, { bufferBytes }))))
    const done = await Promise.all(clients.map(({ client }, i) => upload(client, realClock, all[i]!, { windowMax: uploadWindow(bufferCount) })))
    const { cpuSeconds, seconds, peakBytes } = end()
    const bad = done.find((each) => each instanceof Failure)
    if (bad !== undefined) value(bad)
    for (const { client, link } of clients) {
      client.close()
      await link.close()
    }
    const encodedFrames = [...new Set(all)].reduce((sum, frames) => sum + frames.encodedFrames, 0)
    return { shared, boards, baud, bytes, seconds, cpuSeconds, encodedFrames, chunks: one.offsets().length, memoryMiBPerBoard: (peakBytes - beforeBytes) / MiB / boards }
  } finally {
    await line.stop()
    rmSync(dir, { recursive: true, force: true })
  }
}

process.once('message', (word) => {
  const order = word as LineCase
  const cores: Cores = order.cores
  pin(process.pid, cores.station)
  const work = order.is === 'batch' ? runBatch(order) : encodeOnce(order, order.is === 'encode-once')
  work.then(
    (figures) => process.send?.({ figures }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  ).finally(() => process.disconnect())
})
