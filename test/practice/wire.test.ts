// The line is as fast as its baud rate says and no faster, however coarse the timers are.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { concat } from '../../main/base/bytes.ts'
import { PacedWire } from '../../main/practice/wire.ts'
import { WoundClock } from '../smp/wound-clock.ts'

/** A clock whose timers ring up to that much late, as an event loop's do. */
class LateClock extends WoundClock {
  readonly #lateMs: number
  constructor(lateMs: number) {
    super()
    this.#lateMs = lateMs
  }

  override after(delayMs: number, work: () => void): () => void {
    return super.after(Math.ceil(delayMs) + this.#lateMs, work)
  }
}

test('a byte takes ten bit times, counted from the moment the sender had it', async () => {
  const clock = new WoundClock()
  const arrived: number[] = []
  const wire = new PacedWire(clock, 1000, (_, atMs) => arrived.push(atMs))
  wire.push(Uint8Array.of(1, 2, 0x0a, 4))
  wire.push(Uint8Array.of(5), 100)
  await clock.wind(1000)
  expect(arrived).toEqual([30, 40, 110])
})

test('late timers delay bytes but leave no gap on a line that is kept full', async () => {
  const clock = new LateClock(3)
  let lastMs = 0
  let bytes = 0
  const wire = new PacedWire(clock, 1_000_000, (piece, atMs) => {
    bytes += piece.length
    lastMs = atMs
  })
  for (let sent = 0; sent < 200_000; sent += 2000) {
    wire.push(new Uint8Array(2000))
    while (wire.backlogMs > 10) await clock.wind(5)
  }
  await clock.wind(100)
  expect(bytes).toBe(200_000)
  expect(lastMs / 2000).toBeGreaterThan(0.999)
  expect(lastMs / 2000).toBeLessThan(1.01)
})

test('all bytes arrive in order, never early by more than half a millisecond, whatever the pieces', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 12 }), async (pieces) => {
    const clock = new WoundClock()
    const heard: Uint8Array[] = []
    const wire = new PacedWire(clock, 115_200, (bytes, atMs) => {
      expect(atMs - clock.monotonicMs()).toBeLessThanOrEqual(0.5)
      heard.push(bytes)
    })
    for (const piece of pieces) wire.push(piece)
    await clock.wind(2000)
    expect(concat(...heard)).toEqual(concat(...pieces))
  }), { numRuns: 30 })
})

test('what was on the line when the cable came off never arrives', async () => {
  const clock = new WoundClock()
  let heard = 0
  const wire = new PacedWire(clock, 1000, (bytes) => (heard += bytes.length))
  wire.push(new Uint8Array(100).fill(0x0a))
  await clock.wind(255)
  wire.clear()
  await clock.wind(10_000)
  expect(heard).toBe(25)
  expect(clock.pending).toBe(0)
})

test('without a baud rate nothing waits', () => {
  const clock = new WoundClock()
  let heard = 0
  new PacedWire(clock, null, (bytes) => (heard += bytes.length)).push(new Uint8Array(1000))
  expect(heard).toBe(1000)
})
