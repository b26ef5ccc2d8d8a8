// A range of seeds as one test: thousands of tests of their own would cost more than the worlds. A failing seed is named with
// its scenario and runs alone with `npm run simulate -- --seed N`.
import { expect, test } from 'vitest'
import { told } from './scenario.ts'
import { makeStock } from './stock.ts'
import { runWorld } from './world.ts'

const seedsAll = Number(process.env['SLOTWRIGHT_WORLDS'] ?? 10_000)
/** A world takes some 40 ms; a machine that is busy with other things may need ten times that. */
const msASeedMax = 400
const failuresToldMax = 10

/** Declares the test for every seed that leaves that rest. */
export function worldsOf(rest: number, of: number): void {
  test(`simulated worlds ${rest + 1}, ${rest + 1 + of} … ${seedsAll}: every promise holds in each`, async () => {
    const stock = await makeStock()
    const broken: string[] = []
    let runs = 0
    for (let seed = rest + 1; seed <= seedsAll; seed += of) {
      const report = await runWorld(seed, stock)
      runs += report.outcomes.length
      if (report.wrongs.length > 0) broken.push(`seed ${seed} (npm run simulate -- --seed ${seed}): ${report.wrongs.join('; ')} — ${told(report.scenario)}`)
      if (broken.length >= failuresToldMax) break
    }
    stock.close()
    expect(broken).toEqual([])
    expect(runs).toBeGreaterThan(seedsAll / of)
  }, 60_000 + (seedsAll / of) * msASeedMax)
}
