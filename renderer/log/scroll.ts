// Scrolling through more rows than a page can be tall. Chromium lays out no more than 33 million pixels and places things
// exactly up to 16 million, while a million rows are 40 million: so the scroll bar goes over a shorter track, and what is
// shown follows from where the bar stands. Wheel and keys move by rows, exactly, whatever the track's scale.

export const rowPx = 40
/** Tallest track. */
export const trackPxMax = 12_000_000

/** Height of the track for so many rows. */
export function trackPx(rows: number): number {
  return Math.min(rows * rowPx, trackPxMax)
}

/** Rows (with fractions) above the window's top edge when the bar stands at `scrollPx`. */
export function topOf(scrollPx: number, rows: number, viewPx: number): number {
  const room = trackPx(rows) - viewPx
  const lastTop = rows - viewPx / rowPx
  return room <= 0 || lastTop <= 0 ? 0 : Math.min(lastTop, Math.max(0, (scrollPx / room) * lastTop))
}

/** Where the bar stands when so many rows are above the top edge. */
export function scrollOf(top: number, rows: number, viewPx: number): number {
  const room = trackPx(rows) - viewPx
  const lastTop = rows - viewPx / rowPx
  return room <= 0 || lastTop <= 0 ? 0 : Math.min(room, Math.max(0, (top / lastTop) * room))
}

/** Top after a wheel turn of so many pixels, one for one. */
export function wheeled(top: number, deltaPx: number, rows: number, viewPx: number): number {
  return Math.min(Math.max(0, rows - viewPx / rowPx), Math.max(0, top + deltaPx / rowPx))
}
