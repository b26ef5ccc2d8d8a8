import { test } from 'vitest'
import { profiles } from '../../main/practice/profiles.ts'
import { runLine } from './simulation.ts'
test('dbg', async () => {
  const { runs } = await runLine({ seed: 31, boards: 1, profile: profiles['practice-single-slot']! })
  for (const step of runs[0]!.steps) console.log(step.seconds, step.step, step.result, step.says)
  console.log(runs[0]!.outcome, runs[0]!.kind, runs[0]!.says)
})
