// Faults told in words: what is understood, what is refused with which sentence, and that a seed means what it meant.
import { expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { parseFaults } from '../../main/practice/faults.ts'

function plan(text: string, boards = 8, seed = 1): Record<number, unknown> {
  const faults = parseFaults(text, boards, seed)
  if (failed(faults)) throw new Error(faults.says)
  return Object.fromEntries(faults)
}

test('each fault is read with its argument, blanks and empty words do not matter', () => {
  expect(plan(' 3:fails-proof, 5:unplug@40% ,6:hangs,, 7:power-cut@25')).toEqual({
    3: { is: 'fails-proof' }, 5: { is: 'unplug', atShare: 0.4 }, 6: { is: 'hangs' }, 7: { is: 'power-cut', beforeStep: 25 },
  })
  expect(plan('')).toEqual({})
})

test('a star means every bay, and the last word on a bay holds', () => {
  expect(plan('*:hangs,2:fails-proof', 3)).toEqual({ 1: { is: 'hangs' }, 2: { is: 'fails-proof' }, 3: { is: 'hangs' } })
})

test.each([
  ['hangs', 'names no bay'],
  ['0:hangs', 'the bays are 1 to 8'],
  ['9:hangs', 'the bays are 1 to 8'],
  ['3:explodes', 'no fault called "explodes"'],
  ['3:hangs@2', 'takes no argument'],
  ['3:unplug@140%', 'percentage'],
  ['3:unplug@4', 'percentage'],
  ['3:power-cut', 'number of a flash step'],
  ['3:power-cut@0', 'number of a flash step'],
  ['3:unplug@1%@2%', 'two arguments'],
  ['random@101%', 'percentage'],
])('"%s" is refused, and the sentence says why', (text, why) => {
  const refused = parseFaults(text, 8, 1)
  expect(refused).toMatchObject({ kind: 'bad-faults' })
  expect((refused as { says: string }).says).toContain(why)
})

test('random faults follow from the seed alone, and about as many boards fail as asked', () => {
  expect(plan('random@50%', 128, 7)).toEqual(plan('random@50%', 128, 7))
  expect(plan('random@50%', 128, 7)).not.toEqual(plan('random@50%', 128, 8))
  const share = Object.keys(plan('random@25%', 128, 3)).length / 128
  expect(share).toBeGreaterThan(0.1)
  expect(share).toBeLessThan(0.4)
  expect(plan('random@0%', 128)).toEqual({})
  expect(Object.keys(plan('random@100%', 128))).toHaveLength(128)
})
