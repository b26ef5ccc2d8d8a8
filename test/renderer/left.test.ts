// Time left: told from how it went, never before there is something to tell it from.
import { expect, test } from 'vitest'
import { timeLeft } from '../../renderer/stores/left.ts'

test('nothing is told at the first word, nor before it went on for a while', () => {
  const left = timeLeft()
  expect(left(10, 100, 1_000)).toBeNull()
  expect(left(20, 100, 1_100)).toBeNull()
  expect(left(50, 100, 3_000)).toBeCloseTo(2.5)
})

test('what was done before the first word does not count as quick', () => {
  const left = timeLeft()
  left(90, 100, 0)
  expect(left(91, 100, 1_000)).toBeCloseTo(9)
})

test('it stands still: no time is better than a wrong one, and none is infinite', () => {
  const left = timeLeft()
  left(5, 10, 0)
  expect(left(5, 10, 10_000)).toBeNull()
})

test('other work begins anew', () => {
  const left = timeLeft()
  left(0, 10, 0)
  left(9, 10, 9_000)
  expect(left(1, 10, 9_100)).toBeNull()
  expect(left(2, 10, 10_100)).toBeCloseTo(8)
  expect(left(3, 99, 11_000)).toBeNull()
})
