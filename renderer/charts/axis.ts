// Round steps for the side of a chart.

/** Round values from 0 to at least `top`, four or five of them; counts stay whole. */
export function ticksTo(top: number): number[] {
  const step = Math.max(1, roundUp(top / 4))
  const ticks = [0]
  while ((ticks.at(-1) ?? 0) < top && ticks.length < 8) ticks.push((ticks.at(-1) ?? 0) + step)
  return ticks
}

function roundUp(least: number): number {
  for (let unit = 1; unit < 1e12; unit *= 10) for (const factor of [1, 2, 5]) if (unit * factor >= least) return unit * factor
  return least
}

/** Every how many columns a name fits under them. */
export function everyNth(columns: number, namePx: number, widthPx: number): number {
  return Math.max(1, Math.ceil((columns * namePx) / Math.max(1, widthPx)))
}
