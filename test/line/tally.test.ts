// What a batch's endings add up to, and the rule for scanned serial numbers.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkSerial, formatTrouble } from '../../main/line/serial-rule.ts'
import { recentMax, Tally } from '../../main/line/tally.ts'
import type { TallyEnding } from '../../main/line/tally.ts'

const outcomes = ['confirmed', 'unchanged', 'uploaded', 'tested', 'reverted', 'failed', 'stopped'] as const

test('a unit that is good at its second try is a good unit and no first pass', () => {
  const tally = new Tally()
  tally.add({ unit: 'A', outcome: 'failed', seconds: 5, atSeconds: 5 })
  tally.add({ unit: 'B', outcome: 'confirmed', seconds: 10, atSeconds: 12 })
  tally.add({ unit: 'A', outcome: 'confirmed', seconds: 20, atSeconds: 30 })
  expect(tally.goodCount).toBe(2)
  expect(tally.figures(30)).toEqual({ cycleSeconds: 15, unitsPerHour: 240, firstPassYield: 0.5 })
})

test('nothing is made up before there is something to say', () => {
  expect(new Tally().figures(0)).toEqual({ cycleSeconds: null, unitsPerHour: null, firstPassYield: null })
  const stopped = new Tally()
  stopped.add({ unit: 'A', outcome: 'stopped', seconds: 1, atSeconds: 1 })
  expect(stopped.figures(100)).toEqual({ cycleSeconds: null, unitsPerHour: null, firstPassYield: null })
  expect(stopped.badInARow).toBe(0)
})

test('the rate forgets what is older than ten minutes', () => {
  const tally = new Tally()
  tally.add({ unit: 'A', outcome: 'confirmed', seconds: 5, atSeconds: 5 })
  tally.add({ unit: 'B', outcome: 'confirmed', seconds: 5, atSeconds: 900 })
  expect(tally.figures(1_000).unitsPerHour).toBe(6)
})

test('whatever comes in, counts add up, yields are shares, and what is kept is bounded', () => {
  const ending = fc.record({ unit: fc.constantFrom('A', 'B', 'C', 'D'), outcome: fc.constantFrom(...outcomes), seconds: fc.nat(100), atSeconds: fc.nat(1_000) })
  fc.assert(fc.property(fc.array(ending, { maxLength: 300 }), (endings: TallyEnding[]) => {
    const tally = new Tally()
    for (const each of endings) tally.add(each)
    expect(Object.values(tally.counts).reduce((sum, count) => sum + count, 0)).toBe(endings.length)
    expect(tally.recent.length).toBe(Math.min(endings.length, recentMax))
    const { firstPassYield } = tally.figures(1_000)
    expect(firstPassYield === null || (firstPassYield >= 0 && firstPassYield <= 1)).toBe(true)
    const lastGood = endings.findLastIndex((each) => ['confirmed', 'unchanged', 'uploaded', 'tested'].includes(each.outcome))
    expect(tally.badInARow).toBe(endings.slice(lastGood + 1).filter((each) => each.outcome !== 'stopped').length)
  }))
})

describe('serial numbers', () => {
  test.each(['', '(a+)+', '(a|b)*c', '(a){2}', '\\1', 'a*b*c*', '[', 'x'.repeat(121)])('the format %j is refused', (format) => {
    expect(formatTrouble(format)).not.toBeNull()
  })

  test.each(['SN-[0-9]{4}', '[A-Z]{2}\\d+', '(A|B)[0-9]{6}', '.*'])('the format %j is taken', (format) => {
    expect(formatTrouble(format)).toBeNull()
  })

  test('the whole text must fit, and control characters never do', () => {
    expect(checkSerial('SN-00011', 'SN-[0-9]{4}', null, null)?.kind).toBe('serial-format')
    expect(checkSerial('SN-0001', 'SN-[0-9]{4}', null, null)).toBeNull()
    expect(checkSerial('a\nb', '.*', null, null)?.kind).toBe('serial-format')
    expect(checkSerial('x'.repeat(65), '.*', null, null)?.kind).toBe('serial-format')
  })

  test('a number that another unit has is refused, and the unit may bear its own again', () => {
    expect(checkSerial('1', '.', 'A', 'B')?.kind).toBe('serial-used')
    expect(checkSerial('1', '.', 'A', 'A')).toBeNull()
  })

  test('a format that was taken answers at once, whatever is scanned', () => {
    fc.assert(fc.property(fc.string({ maxLength: 40 }), fc.string({ maxLength: 64 }), (format, serial) => {
      if (formatTrouble(format) !== null) return
      const before = performance.now()
      checkSerial(serial, format, null, null)
      expect(performance.now() - before).toBeLessThan(200)
    }))
  })
})
