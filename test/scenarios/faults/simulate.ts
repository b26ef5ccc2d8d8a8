// `npm run simulate -- --seed 4711` replays one world and tells it as it goes; `-- --seeds 1-100000` soaks, on all cores but none to
// spare: `--workers N` says how many processes. Ends with 1 when any promise was broken, and names the seeds.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { told } from './scenario.ts'
import { makeStock } from './stock.ts'
import { runWorld } from './world.ts'
import type { WorldReport } from './world.ts'

const failuresToldMax = 20

type Told = Readonly<{ seed: number; wrongs: readonly string[]; outcomes: readonly string[]; told: string }>

function option(name: string): string | null {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? null : (process.argv[at + 1] ?? null)
}

function rangeOf(text: string): [number, number] {
  const match = /^([0-9]{1,9})(?:-([0-9]{1,9}))?$/.exec(text)
  if (match === null) {
    console.error('usage: npm run simulate -- --seed N   or   -- --seeds FIRST-LAST [--workers N]')
    process.exit(2)
  }
  return [Number(match[1]), Number(match[2] ?? match[1])]
}

const shown = (report: WorldReport): Told => ({ seed: report.seed, wrongs: report.wrongs, outcomes: report.outcomes, told: told(report.scenario) })

async function one(seed: number): Promise<void> {
  const report = await runWorld(seed, await makeStock(), (line) => console.log(line))
  console.log(`seed ${seed}: ${told(report.scenario)}`)
  console.log(`outcomes: ${report.outcomes.join(', ')}`)
  console.log(`${report.fingerprint}; ${report.wrongs.length === 0 ? 'every promise held' : `broken:\n  ${report.wrongs.join('\n  ')}`}`)
  process.exitCode = report.wrongs.length === 0 ? 0 : 1
}

/** A worker: its share of the seeds, each reported to the parent. */
async function share(first: number, last: number, step: number): Promise<void> {
  const stock = await makeStock()
  for (let seed = first; seed <= last; seed += step) process.send?.(shown(await runWorld(seed, stock)))
  process.disconnect?.()
}

async function many(first: number, last: number, workers: number): Promise<void> {
  const started = performance.now()
  const outcomes = new Map<string, number>()
  const bad: number[] = []
  let done = 0
  const hear = (report: Told) => {
    done++
    for (const outcome of report.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    if (report.wrongs.length === 0) return
    bad.push(report.seed)
    if (bad.length <= failuresToldMax) console.log(`seed ${report.seed}: ${report.told}\n  ${report.wrongs.join('\n  ')}`)
  }
  const ends = Array.from({ length: workers }, (_, i) => new Promise<number>((resolve) => {
    const child = fork(process.argv[1]!, ['--share', `${first + i}-${last}`, '--step', String(workers)])
    child.on('message', hear)
    child.on('exit', (code) => resolve(code ?? 1))
  }))
  const codes = await Promise.all(ends)
  const seconds = (performance.now() - started) / 1000
  const sorted = [...outcomes].sort((a, b) => b[1] - a[1]).map(([outcome, count]) => `${outcome} ${count}`)
  console.log(`${done} of ${last - first + 1} seeds in ${seconds.toFixed(1)} s (${workers} processes), ${bad.length} broke a promise${bad.length === 0 ? '' : `: ${bad.sort((a, b) => a - b).slice(0, 200).join(' ')}`}`)
  console.log(`runs ended as: ${sorted.join(', ')}`)
  if (done < last - first + 1) console.log(`${last - first + 1 - done} worlds were not run: a process ended early`)
  process.exitCode = bad.length === 0 && codes.every((code) => code === 0) && done === last - first + 1 ? 0 : 1
}

const seed = option('seed')
const mine = option('share')
if (mine !== null) await share(...rangeOf(mine), Number(option('step') ?? 1))
else if (seed !== null) await one(rangeOf(seed)[0])
else await many(...rangeOf(option('seeds') ?? '1-10000'), Number(option('workers') ?? availableParallelism()))
