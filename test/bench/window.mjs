// How smoothly the window draws while 64 boards are at work: the real Electron under a display of its own, the practice line
// in its own process, frames counted by the page itself. `npm run bench:window [-- BOARDS BAUD]`. Needs `npm run build`.
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, setPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { _electron } from 'playwright'
import { hasDisplay, ownDisplay, sandboxArguments } from '../../scripts/setup/display.mjs'

const root = join(import.meta.dirname, '..', '..')
const results = join(import.meta.dirname, 'results')
const [boards = 64, baud = 115_200] = process.argv.slice(2).map(Number)
const batchMaxMs = 180_000

/** In the page: every time between two frames until the batch has ended. */
async function countFrames({ batchMaxMs: limitMs }) {
  const api = window.slotwright
  const batchOver = new Promise((resolve) => {
    const stop = api.subscribe((event) => {
      if (event.is !== 'batch' || event.batch?.status !== 'ended') return
      stop()
      resolve(event.batch)
    })
  })
  const file = await api.call('sampleFile', {})
  const started = await api.call('startBatch', { file: file.value.file, recipe: { mode: 'upload-only' } })
  if (!started.ok) return { error: started.failure?.says ?? JSON.stringify(started) }
  const times = []
  let last = performance.now()
  let going = true
  const frame = (now) => {
    times.push(now - last)
    last = now
    if (going) requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
  const batch = await Promise.race([batchOver, new Promise((resolve) => setTimeout(() => resolve(null), limitMs))])
  going = false
  return { times: times.slice(1), batch }
}

try {
  setPriority(-10)
} catch {
  console.log('only root may raise priorities: figures suffer from whatever else runs')
}
const display = hasDisplay() ? null : await ownDisplay()
const home = mkdtempSync(join(tmpdir(), 'slotwright-window-bench-'))
const env = { ...process.env, ...(display === null ? {} : { DISPLAY: display.display }) }
delete env.ELECTRON_RUN_AS_NODE
const executablePath = readFileSync(join(root, '.runtime', 'electron-path'), 'utf8').trim()
let app = null
try {
  app = await _electron.launch({ executablePath, args: [...sandboxArguments(), root, '--home', home], env })
  const page = await app.firstWindow()
  await page.waitForFunction(() => window.slotwright !== undefined)
  const began = await page.evaluate(({ boards: count, baud: rate }) => window.slotwright.call('startPractice', { boards: count, baud: rate }), { boards, baud })
  if (!began.ok) throw new Error(JSON.stringify(began))
  await page.locator('[data-bay][data-look=ready]').nth(boards - 1).waitFor({ timeout: 60_000 })
  // The next look counts processor time from here.
  await app.evaluate(({ app: shell }) => void shell.getAppMetrics())
  const { times, batch, error } = await page.evaluate(countFrames, { batchMaxMs })
  if (error !== undefined) throw new Error(error)
  const usage = await app.evaluate(({ app: shell }) => shell.getAppMetrics().map(({ type, cpu, memory }) => ({ type, cpuPercent: cpu.percentCPUUsage, memoryMiB: memory.workingSetSize / 1024 })))
  await page.screenshot({ path: join(root, 'test-results', 'bench-window.png') })
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  const seconds = times.reduce((a, b) => a + b, 0) / 1000
  const figures = {
    measuredAt: new Date().toISOString(), processor: cpus()[0]?.model.trim(), cores: availableParallelism(), load: Number(loadavg()[0].toFixed(2)),
    command: `npm run bench:window -- ${boards} ${baud}`, boards, baud, frames: times.length, seconds, framesPerSecond: times.length / seconds,
    frameMs: { median: at(0.5), p99: at(0.99), longest: sorted.at(-1) }, framesOver33ms: times.filter((ms) => ms > 1000 / 30).length, counts: batch?.counts, usage,
  }
  console.log(`${boards} boards at ${baud}: ${figures.framesPerSecond.toFixed(1)} frames/s over ${seconds.toFixed(1)} s, frame median ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms, longest ${figures.frameMs.longest.toFixed(0)} ms, ${figures.framesOver33ms} of ${times.length} over 33 ms`)
  console.log(usage.map(({ type, cpuPercent, memoryMiB }) => `${type} ${cpuPercent.toFixed(0)} % ${memoryMiB.toFixed(0)} MiB`).join(', '), JSON.stringify(batch?.counts))
  mkdirSync(results, { recursive: true })
  writeFileSync(join(results, `window-${boards}-${baud}.json`), `${JSON.stringify(figures, (_, figure) => (typeof figure === 'number' ? Number(figure.toPrecision(6)) : figure), 1)}\n`)
} finally {
  await app?.close()
  await display?.close()
  rmSync(home, { recursive: true, force: true })
}
