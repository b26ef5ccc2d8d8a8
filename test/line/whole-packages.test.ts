// Packages that go to the board as they are and are unpacked there: both they and their image need room, and a board that
// cannot unpack them says so by listing nothing, which is no fault of cable or flash.
import { expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { todoOf } from '../../main/line/failures.ts'
import { plan } from '../../main/line/plan.ts'
import { freshBoard, jobWith, oldHash, slot, walk } from './making.ts'

const whole = { bytes: 60_000, imageBytes: 180_000, unpackedBytes: 120_000 }

test('package and image must both fit, and the sentence says both', () => {
  expect(failed(plan(freshBoard, jobWith({ image: whole })))).toBe(false)
  const planned = plan(freshBoard, jobWith({ image: { bytes: 250_000, imageBytes: 500_000, unpackedBytes: 250_001 } }))
  expect(planned).toMatchObject({ kind: 'image-too-large', says: expect.stringMatching(/package has 249999 bytes and the image in it 250001.*Let the recipe send the image/) as string })
})

test('a board that sees no image in it is told apart from a slot that holds something else', () => {
  const lists = (...more: ReturnType<typeof slot>[]) => (step: { do: string }) => (step.do === 'check-slot' ? { is: 'stepDone' as const, said: { of: 'slots' as const, slots: [slot(0, '1.0.0', oldHash, 'active', 'confirmed'), ...more] }, tookMs: 1 } : undefined)
  const blind = walk(jobWith({ image: whole }), freshBoard, lists())
  expect(blind.state.ending).toMatchObject({ outcome: 'failed', failure: { kind: 'not-unpacked' } })
  expect(blind.steps.filter((step) => step.do === 'identify')).toHaveLength(1)
  // What may be damage on the way is worth asking again.
  for (const walked of [walk(jobWith({ image: whole }), freshBoard, lists(slot(1, '0.9.0', 'ff'.repeat(32)))), walk(jobWith(), freshBoard, lists())]) expect(walked.steps.filter((step) => step.do === 'identify').length).toBeGreaterThan(1)
})

test('a board that must not have the package is not simply to be run again', () => {
  for (const kind of ['wrong-hardware', 'stale-package', 'not-in-community', 'missing-dependency', 'wrong-dependency-version', 'breaks-dependency', 'not-unpacked']) expect(todoOf(kind)).not.toMatch(/run (the board|it) again/i)
})
