// A scanner told from a person by the speed of its keys: its Enter presses nothing, a person's does.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { feed, gapMaxMs, noBurst, readCode } from '../../renderer/operator/scanner.ts'

/** All codes heard and the keys that went through to the page. */
function typed(keys: readonly string[], everyMs: number, fromMs = 1_000): { codes: string[]; through: string[] } {
  const [codes, through]: [string[], string[]] = [[], []]
  let burst = noBurst
  for (const [at, key] of keys.entries()) {
    const fed = feed(burst, key, fromMs + at * everyMs)
    burst = fed.burst
    if (fed.code !== null) codes.push(fed.code)
    if (!fed.swallow) through.push(key)
  }
  return { codes, through }
}

test('a scanned code comes whole, and its Enter presses no button', () => {
  const { codes, through } = typed([...'SN 0001', 'Enter'], 8)
  expect(codes).toEqual(['SN 0001'])
  expect(through).toEqual(['S'])
})

test('a person who types slowly, or presses Enter or Space alone, is no scanner', () => {
  expect(typed([...'SN-0001', 'Enter'], gapMaxMs + 1)).toEqual({ codes: [], through: [...'SN-0001', 'Enter'] })
  expect(typed(['Enter'], 5)).toEqual({ codes: [], through: ['Enter'] })
  expect(typed([' ', 'Enter'], 5).codes).toEqual([])
})

test('Shift between the letters belongs to the scanner, and codes after one another stay apart', () => {
  expect(typed(['Shift', 'S', 'Shift', 'N', '1', '2', 'Enter', 'A', 'B', 'C', 'D', 'Enter'], 5).codes).toEqual(['SN12', 'ABCD'])
})

test('a code that was torn in two by a busy machine is refused, not taken for a shorter one', () => {
  let burst = noBurst
  const times = [0, 5, 10, 400, 405, 410, 415, 420]
  for (const [at, key] of [...'40063813'].entries()) burst = feed(burst, key, times[at]!).burst
  expect(feed(burst, 'Enter', 425)).toMatchObject({ code: null, broken: true, swallow: true })
  // The next scan is whole again.
  expect(typed([...'40063813', 'Enter'], 5, 600).codes).toEqual(['40063813'])
})

test('a letter from long before is not part of the code and does not spoil it', () => {
  let burst = feed(noBurst, 'x', 0).burst
  for (const [at, key] of [...'SN01'].entries()) burst = feed(burst, key, 5_000 + at * 5).burst
  expect(feed(burst, 'Enter', 5_020)).toMatchObject({ code: 'SN01', broken: false })
})

test('whatever keys come at whatever times, nothing grows and no code is longer than a label', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.oneof(fc.string({ minLength: 1, maxLength: 2, unit: 'binary' }), fc.constantFrom('Enter', 'Shift', 'Tab')), fc.nat(80)), { maxLength: 600 }), (keys) => {
    let burst = noBurst
    let now = 0
    for (const [key, waitMs] of keys) {
      const fed = feed(burst, key, (now += waitMs))
      burst = fed.burst
      expect(burst.text.length).toBeLessThanOrEqual(201)
      expect(fed.code === null || (fed.code.length >= 4 && fed.code.length <= 200)).toBe(true)
    }
  }))
})

test.each([
  ['recipe:Sensor board', { is: 'recipe', name: 'Sensor board' }], ['ANSWER:YES', { is: 'answer', yes: true }], ['answer:no', { is: 'answer', yes: false }],
  ['command:stop', { is: 'command', command: 'stop' }], ['answer:perhaps', { is: 'other', text: 'answer:perhaps' }], ['SN-0001 ', { is: 'other', text: 'SN-0001' }],
])('the card %j', (text, code) => {
  expect(readCode(text)).toEqual(code)
})
