// A scroll bar over more rows than a page can be tall: every row must be reachable, and none may be skipped by the wheel.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { rowPx, scrollOf, topOf, trackPx, trackPxMax, wheeled } from '../../renderer/log/scroll.ts'

const rows = fc.integer({ min: 1, max: 50_000_000 })
const view = fc.integer({ min: 200, max: 2_000 })

test('the first and the last row are at the ends of the bar, however many there are', () => {
  fc.assert(fc.property(rows, view, (count, viewPx) => {
    expect(topOf(0, count, viewPx)).toBe(0)
    const end = topOf(Math.max(0, trackPx(count) - viewPx), count, viewPx)
    expect(end + viewPx / rowPx).toBeGreaterThanOrEqual(Math.min(count, viewPx / rowPx) - 0.001)
    if (count * rowPx > viewPx) expect(end + viewPx / rowPx).toBeCloseTo(count, 3)
    expect(trackPx(count)).toBeLessThanOrEqual(trackPxMax)
  }))
})

test('a place that is gone to is the place that is shown', () => {
  fc.assert(fc.property(rows, view, fc.double({ min: 0, max: 1, noNaN: true }), (count, viewPx, share) => {
    const top = share * Math.max(0, count - viewPx / rowPx)
    expect(topOf(scrollOf(top, count, viewPx), count, viewPx)).toBeCloseTo(top, 3)
  }))
})

test('a turn of the wheel moves by as many rows in a million as in a hundred', () => {
  expect(wheeled(500_000, 120, 1_000_000, 600)).toBe(500_003)
  expect(wheeled(0, -120, 1_000_000, 600)).toBe(0)
  expect(wheeled(999_990, 4_000, 1_000_000, 600)).toBe(1_000_000 - 15)
})
