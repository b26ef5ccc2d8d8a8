// How outcomes are told apart in charts: by colour, by pattern and by word, so that neither a colour-blind reader nor a
// black-and-white print loses anything. Order is from good to bad and is the same in every chart.
import type { OutcomeName } from '../../main/contract/views.ts'
import type { CountsView } from '../../main/contract/log-views.ts'

export type Series = OutcomeName | 'unknown'

export const seriesOrder: readonly Series[] = ['confirmed', 'unchanged', 'uploaded', 'tested', 'reverted', 'stopped', 'failed', 'unknown']

const goodOnes: ReadonlySet<Series> = new Set(['confirmed', 'unchanged', 'uploaded', 'tested'])

/** Lines drawn over a series' colour, in a square of 8 by 8; empty leaves it plain. */
export const patternLines: Readonly<Record<Series, string>> = {
  confirmed: '',
  unchanged: 'M0 4h8',
  uploaded: 'M4 0v8',
  tested: 'M2 2h1M6 6h1',
  reverted: 'M0 8L8 0M-2 2L2 -2M6 10L10 6',
  stopped: 'M0 4h8M4 0v8',
  failed: 'M0 0L8 8M-2 6L2 10M6 -2L10 2',
  unknown: 'M0 2h3M4 6h3',
}

export function totalOf(counts: CountsView): number {
  return seriesOrder.reduce((sum, name) => sum + (counts[name] ?? 0), 0)
}

/** Share of good outcomes, 0 to 1; null where there is none to share. */
export function yieldOf(counts: CountsView): number | null {
  const total = totalOf(counts)
  return total === 0 ? null : seriesOrder.reduce((sum, name) => sum + (goodOnes.has(name) ? counts[name] ?? 0 : 0), 0) / total
}

/** Series that occur, in order. */
export function seriesIn(all: readonly CountsView[]): Series[] {
  return seriesOrder.filter((name) => all.some((counts) => (counts[name] ?? 0) > 0))
}
