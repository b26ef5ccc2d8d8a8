// Whole lines from seeds: random faults on random boards over a bad wire. Whatever happens, every run ends in a stated outcome
// that the board itself bears out, the log verifies, and nothing is left open. `SLOTWRIGHT_SEEDS=1-5000` soaks longer;
// a failing seed is in the test's name and runs alone with `-t "seed 17"`.
import { expect, test } from 'vitest'
import { seededNumbers } from '../../main/practice/faults.ts'
import { runLine } from './simulation.ts'

const [first = 1, last = first] = (process.env['SLOTWRIGHT_SEEDS'] ?? '1-24').split('-').map(Number)

for (let seed = first; seed <= last; seed++) {
  const draw = seededNumbers(seed)
  const boards = 1 + Math.floor(draw() * 4)
  const noise = draw() < 0.5 ? 0 : 0.02 * draw()
  test(`seed ${seed}: ${boards} boards, noise ${noise.toFixed(4)}`, async () => {
    const { batch, runs, wrongs } = await runLine({ seed, boards, faults: 'random@40%', dropLine: noise, garbleLine: noise })
    expect(wrongs).toEqual([])
    expect(batch.status).toBe('ended')
    expect(runs.map((run) => run.bay)).toEqual(Array.from({ length: boards }, (_, index) => index + 1))
    expect(runs.every((run) => run.kind !== 'fault')).toBe(true)
    expect(Object.values(batch.counts).reduce((sum, count) => sum + count, 0)).toBe(boards)
  })
}
