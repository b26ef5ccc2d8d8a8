// Small charts as SVG text: they print, need no script and carry their figures as text, so that a reader who cannot see
// colours, or sees the page in black and white, loses nothing. A column chart is drawn 400 wide, about what it has on half a
// sheet of A4, so that its words are printed in the size they are written in.

/** Text as it may stand in HTML and in attributes. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`).replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

export type Share = Readonly<{ name: string; count: number; tone: string }>

/** One bar cut into shares, with a legend below; empty when there is nothing to share. */
export function shareBar(shares: readonly Share[]): string {
  const total = shares.reduce((sum, { count }) => sum + count, 0)
  if (total === 0) return ''
  let at = 0
  const parts = shares.filter(({ count }) => count > 0).map(({ name, count, tone }) => {
    const width = (count / total) * 640
    const part = `<rect class="${tone}" x="${at.toFixed(2)}" y="0" width="${Math.max(0, width - 1.5).toFixed(2)}" height="26" rx="3"><title>${escaped(name)}: ${count}</title></rect>`
    at += width
    return part
  })
  const legend = shares.filter(({ count }) => count > 0).map(({ name, count, tone }) =>
    `<li><i class="${tone}"></i><b>${count}</b> ${escaped(name)} <span>${((count / total) * 100).toFixed(1)} %</span></li>`)
  return `<svg class="bar" viewBox="0 0 640 26" preserveAspectRatio="none" role="img" aria-label="Outcomes">${parts.join('')}</svg><ul class="legend">${legend.join('')}</ul>`
}

/** Columns with a label each; at most `columnsMax` are drawn. */
export function columnChart(label: string, columns: readonly Readonly<{ name: string; shares: readonly Share[] }>[]): string {
  const shown = columns.slice(0, columnsMax)
  const top = Math.max(1, ...shown.map(({ shares }) => shares.reduce((sum, { count }) => sum + count, 0)))
  // A letter is about 6.5 wide; a few columns stand as far apart as their names need, many have a name now and then.
  const nameWidth = 8 + 6.5 * Math.max(1, ...shown.map(({ name }) => name.length))
  const step = chartWidth / Math.max(shown.length, Math.min(8, Math.floor(chartWidth / nameWidth)), 1)
  const every = Math.ceil(nameWidth / step)
  const wide = Math.min(step * 0.76, 38)
  const drawn = shown.map(({ name, shares }, i) => {
    const total = shares.reduce((sum, { count }) => sum + count, 0)
    let y = 110
    const parts = shares.filter(({ count }) => count > 0).map(({ name: of, count, tone }) => {
      const height = (count / top) * 92
      y -= height
      return `<rect class="${tone}" x="${(i * step + (step - wide) / 2).toFixed(2)}" y="${y.toFixed(2)}" width="${wide.toFixed(2)}" height="${Math.max(0.5, height - 0.8).toFixed(2)}"><title>${escaped(`${name}, ${of}: ${count}`)}</title></rect>`
    })
    const middle = (i * step + step / 2).toFixed(2)
    const foot = i % every === 0 ? `<text x="${middle}" y="125">${escaped(name)}</text>` : ''
    return `${parts.join('')}${total > 0 && shown.length <= 16 ? `<text x="${middle}" y="${(y - 4).toFixed(2)}">${total}</text>` : ''}${foot}`
  })
  const more = columns.length > shown.length ? `<p class="more">The first ${shown.length} of ${columns.length} are drawn.</p>` : ''
  return `<svg class="columns" viewBox="0 0 ${chartWidth} 130" role="img" aria-label="${escaped(label)}"><line x1="0" y1="110.5" x2="${chartWidth}" y2="110.5"/>${drawn.join('')}</svg>${more}`
}

const columnsMax = 96
const chartWidth = 400
