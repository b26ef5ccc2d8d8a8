// What a bay looks like, decided once: the row from the station becomes one of a dozen looks, each with its own word,
// colour and shape. Tile, panel and tally all ask here, so that they can never disagree.
import type { BayView, OutcomeName } from '../../main/contract/views.ts'

export type Look = 'empty' | 'ready' | 'working' | 'misplaced' | 'asks' | OutcomeName

/** How a bay stands. A board with an outcome keeps it until the next run begins or the board leaves. */
export function lookOf(bay: Pick<BayView, 'board' | 'phase' | 'outcome'> & Partial<Pick<BayView, 'misplaced'>>): Look {
  if (bay.misplaced !== undefined && bay.misplaced !== null) return 'misplaced'
  if (bay.outcome !== null) return bay.outcome
  if (bay.phase !== null && bay.phase !== 'attached') return 'working'
  return bay.board === null ? 'empty' : 'ready'
}

/** Key of the big word: the phase while it works, else the look. */
export function wordKeyOf(bay: Parameters<typeof lookOf>[0]): string {
  const look = lookOf(bay)
  return look === 'working' && bay.phase !== null ? `phase.${bay.phase}` : `look.${look}`
}

/** How wide a word is, in letters; Chinese ones are as wide as they are high. */
export function lettersIn(word: string): number {
  return [...word].reduce((wide, letter) => wide + (letter > '\u2e80' ? 1.5 : 1), 0)
}

export type Arrangement = Readonly<{ columns: number; rows: number; density: 'large' | 'medium' | 'small'; scrolls: boolean }>

/** Between tiles: 64 bays stand whole on 1280 by 800 beside the first steps only when they stand closer. */
export const gapPx = { large: 10, medium: 10, small: 6 } as const
// Below these a tile of that density would have to clip what it must show.
const least = { large: { width: 232, height: 196 }, medium: { width: 176, height: 120 }, small: { width: 104, height: 64 } } as const

/**
 * How `count` bays share a field of `width` × `height` px: the largest density whose tiles all fit without scrolling,
 * with the grid nearest to the field's own proportions; when even small tiles do not fit, small tiles that scroll.
 */
export function arrange(count: number, width: number, height: number): Arrangement {
  for (const density of ['large', 'medium', 'small'] as const) {
    const columnsMax = Math.max(1, Math.floor((width + gapPx[density]) / (least[density].width + gapPx[density])))
    const rowsMax = Math.max(1, Math.floor((height + gapPx[density]) / (least[density].height + gapPx[density])))
    if (columnsMax * rowsMax < count) continue
    let best = { columns: columnsMax, score: Number.POSITIVE_INFINITY }
    for (let columns = 1; columns <= columnsMax; columns++) {
      const rows = Math.ceil(count / columns)
      if (rows > rowsMax) continue
      const spare = columns * rows - count
      // A tile half as wide again as high reads best; an unfilled last row looks like missing bays.
      const proportion = (width / columns) / (height / rows)
      const score = Math.abs(Math.log(proportion / 1.5)) + 0.35 * spare
      if (score < best.score) best = { columns, score }
    }
    return { columns: best.columns, rows: Math.ceil(count / best.columns), density, scrolls: false }
  }
  const columns = Math.max(1, Math.floor((width + gapPx.small) / (least.small.width + gapPx.small)))
  return { columns, rows: Math.ceil(count / columns), density: 'small', scrolls: true }
}
