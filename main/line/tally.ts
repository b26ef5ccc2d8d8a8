// What a batch's endings add up to: counts, failures in a row, and the figures a line is led by (cycle time, units an hour,
// first-pass yield). Times come in; nothing here looks at a clock. What surprised us: a unit that goes well at its second
// try is a good unit and no first pass, so the two are counted apart.
import type { Outcome } from './state.ts'

/** One run's end. `atSeconds` counts from the batch's start, `seconds` is the run's own length. */
export type TallyEnding = Readonly<{ unit: string; outcome: Outcome; seconds: number; atSeconds: number }>

export type Figures = Readonly<{
  /** Median length of the last good runs; null before the first. */
  cycleSeconds: number | null
  /** Good units in the last ten minutes (or since the start), stretched to an hour; null before the first. */
  unitsPerHour: number | null
  /** Units whose first run was good, of all whose first run ended by itself, 0 to 1; null before the first. */
  firstPassYield: number | null
}>

const good: ReadonlySet<Outcome> = new Set(['confirmed', 'unchanged', 'uploaded', 'tested'])
/** Endings kept for the chart. */
export const recentMax = 120
const cyclesMax = 50
const rateWindowSeconds = 600
const rateEndingsMax = 4_096
/** A rate over less than this is a guess that jumps about. */
const rateFromSeconds = 10

export function isGood(outcome: Outcome): boolean {
  return good.has(outcome)
}

export class Tally {
  readonly #counts: Record<Outcome, number> = { confirmed: 0, reverted: 0, unchanged: 0, uploaded: 0, tested: 0, failed: 0, stopped: 0 }
  #recent: TallyEnding[] = []
  #cycles: number[] = []
  #goodAt: number[] = []
  readonly #seen = new Set<string>()
  #firstGood = 0
  #badInARow = 0

  add(ending: TallyEnding): void {
    const { outcome, unit, seconds, atSeconds } = ending
    this.#counts[outcome] += 1
    this.#recent = [...this.#recent, ending].slice(-recentMax)
    // A person who stops a run says nothing about the board.
    if (outcome === 'stopped') return
    if (!this.#seen.has(unit)) {
      this.#seen.add(unit)
      if (good.has(outcome)) this.#firstGood += 1
    }
    if (!good.has(outcome)) {
      this.#badInARow += 1
      return
    }
    this.#badInARow = 0
    // A board that had the image already took no time worth an average.
    if (outcome !== 'unchanged') this.#cycles = [...this.#cycles, seconds].slice(-cyclesMax)
    this.#goodAt = [...this.#goodAt, atSeconds].slice(-rateEndingsMax)
  }

  get counts(): Readonly<Record<Outcome, number>> {
    return { ...this.#counts }
  }

  get goodCount(): number {
    return this.#goodSum()
  }

  get badInARow(): number {
    return this.#badInARow
  }

  get recent(): readonly TallyEnding[] {
    return this.#recent
  }

  /** As of `nowSeconds` after the batch's start. */
  figures(nowSeconds: number): Figures {
    const span = Math.min(nowSeconds, rateWindowSeconds)
    const inSpan = this.#goodAt.filter((at) => at >= nowSeconds - span).length
    return {
      cycleSeconds: median(this.#cycles),
      unitsPerHour: this.#goodAt.length === 0 || nowSeconds < rateFromSeconds ? null : (inSpan * 3600) / span,
      firstPassYield: this.#seen.size === 0 ? null : this.#firstGood / this.#seen.size,
    }
  }

  #goodSum(): number {
    return [...good].reduce((sum, name) => sum + this.#counts[name], 0)
  }
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1], sorted[middle]]
  if (high === undefined) return null
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2
}
