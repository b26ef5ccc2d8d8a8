// The line as an operator sees it, simulated: eight boards, each with its own luck. The log verifies after each scenario,
// what it says of a board is what the board runs, and nothing stays open.
import { expect, test } from 'vitest'
import { runLine } from './simulation.ts'

test('eight boards are confirmed, and the log says so', async () => {
  const { batch, runs, wrongs } = await runLine({ seed: 1, boards: 8 })
  expect(wrongs).toEqual([])
  expect(batch).toMatchObject({ status: 'ended', boards: 8, counts: { confirmed: 8 } })
  expect(runs.map((run) => run.outcome)).toEqual(Array.from({ length: 8 }, () => 'confirmed'))
  expect(runs[0]?.steps.map((step) => `${step.step} ${step.result}`)).toEqual([
    'Attached begun', 'Upload begun', 'Upload done', 'Mark begun', 'Mark done', 'Restart begun', 'Restart done', 'Return done',
    'Proof done', 'Proof done', 'Proof done', 'Confirm begun', 'Confirm done', 'Outcome done',
  ])
})
