// Where figures go: JSON with the machine they were measured on, and curves, under test/bench/results.
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'

export type Drawing = Readonly<{ name: string; svg: string }>

/** What a reader must know to judge the figures. */
export function machine(): Readonly<Record<string, string | number>> {
  const { electron, node } = process.versions as Record<string, string | undefined>
  return {
    measuredAt: new Date().toISOString(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    runtime: electron === undefined ? `Node ${node}` : `Electron ${electron} as Node ${node}`,
    loadBefore: Number((loadavg()[0] ?? 0).toFixed(2)),
    command: `npm run bench:${process.env['SLOTWRIGHT_BENCH_NAME'] ?? ''}${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(' ')}` : ''}`,
  }
}

/** Writes NAME.json and the drawings. */
export function keepResults(name: string, figures: object, drawings: readonly Drawing[]): void {
  const folder = join(process.env['SLOTWRIGHT_BENCH_ROOT'] ?? '.', 'test', 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(figures, (_, figure: unknown) => (typeof figure === 'number' ? Number(figure.toPrecision(6)) : figure), 1)}\n`)
  for (const drawing of drawings) writeFileSync(join(folder, `${drawing.name}.svg`), drawing.svg)
  console.log(`kept in ${folder}`)
}
