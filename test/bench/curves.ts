// Curves as SVG, with nothing but text: axes with round numbers, one line for each series, its name at its end.
import type { LineRow } from './line.ts'
import type { LinkRow } from './link.ts'
import type { PeerFigures } from './line-words.ts'
import type { Drawing } from './results.ts'

export type Series = Readonly<{ name: string; points: readonly (readonly [x: number, y: number])[]; dashed?: boolean }>

export type Chart = Readonly<{
  title: string
  x: string
  y: string
  /** Both axes by powers, or straight. */
  scale: 'log' | 'log-x' | 'linear'
  yMax?: number
  series: readonly Series[]
}>

const size = { width: 860, height: 480, left: 80, right: 220, top: 48, bottom: 56 }
const colours = ['#0b6bcb', '#c4320a', '#0f7b3f', '#7a3fb5', '#946200', '#3f4b5b', '#c21d6b', '#0b7285']

const escaped = (text: string) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`)
const short = (figure: number) => (figure >= 1e6 ? `${figure / 1e6} M` : figure >= 1e3 ? `${figure / 1e3} k` : `${Number(figure.toPrecision(3))}`)

/** Positions on an axis: 1, 2, 5 × powers of ten between the ends, or five even steps. */
function marks(from: number, to: number, log: boolean): number[] {
  if (!log) {
    const rough = (to - from) / 5
    const power = 10 ** Math.floor(Math.log10(rough))
    const step = [1, 2, 5, 10].map((factor) => factor * power).find((wide) => wide >= rough) ?? rough
    return Array.from({ length: Math.floor((to - from) / step + 1e-9) + 1 }, (_, i) => from + i * step)
  }
  const found: number[] = []
  for (let power = 10 ** Math.floor(Math.log10(from)); power <= to; power *= 10) for (const factor of [1, 2, 5]) if (factor * power >= from * 0.999 && factor * power <= to * 1.001) found.push(factor * power)
  return found
}

function axis(values: readonly number[], log: boolean, least: number | null, most: number | undefined) {
  const low = log ? Math.min(...values) / 1.15 : (least ?? Math.min(...values))
  const high = most ?? (log ? Math.max(...values) * 1.15 : Math.max(...values) * 1.08 || 1)
  const at = (figure: number) => (log ? Math.log(figure / low) / Math.log(high / low) : (figure - low) / (high - low))
  return { at, marks: marks(low, high, log) }
}

/** The chart as an SVG document. Series without points are left out. */
export function draw(chart: Chart): string {
  const series = chart.series.filter(({ points }) => points.length > 0)
  const all = series.flatMap(({ points }) => points)
  if (all.length === 0) return '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>\n'
  const x = axis(all.map(([figure]) => figure), chart.scale !== 'linear', 0, undefined)
  const y = axis(all.map(([, figure]) => figure), chart.scale === 'log', 0, chart.yMax)
  const toX = (figure: number) => Number((size.left + x.at(figure) * (size.width - size.left - size.right)).toFixed(1))
  const toY = (figure: number) => Number((size.height - size.bottom - y.at(figure) * (size.height - size.top - size.bottom)).toFixed(1))
  const right = size.width - size.right
  const bottom = size.height - size.bottom
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="13">`,
    `<rect width="100%" height="100%" fill="#fff"/><text x="${size.left}" y="26" font-size="16" font-weight="bold">${escaped(chart.title)}</text>`,
    ...x.marks.map((mark) => `<path d="M${toX(mark)} ${size.top}V${bottom}" stroke="#e3e6ea"/><text x="${toX(mark)}" y="${bottom + 18}" text-anchor="middle" fill="#445">${short(mark)}</text>`),
    ...y.marks.map((mark) => `<path d="M${size.left} ${toY(mark)}H${right}" stroke="#e3e6ea"/><text x="${size.left - 8}" y="${toY(mark) + 4}" text-anchor="end" fill="#445">${short(mark)}</text>`),
    `<text x="${(size.left + right) / 2}" y="${size.height - 14}" text-anchor="middle">${escaped(chart.x)}</text>`,
    `<text transform="translate(18 ${(size.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(chart.y)}</text>`,
  ]
  // Names stand at the ends of their lines, moved apart where they would cover each other.
  const ends = series.map((one, i) => ({ i, at: toY(one.points.at(-1)![1]) })).sort((a, b) => a.at - b.at)
  ends.forEach((end, n) => {
    if (n > 0) end.at = Math.max(end.at, ends[n - 1]!.at + 17)
  })
  for (const [i, { name, points, dashed }] of series.entries()) {
    const colour = colours[i % colours.length]
    const path = points.map(([px, py], n) => `${n === 0 ? 'M' : 'L'}${toX(px)} ${toY(py)}`).join('')
    lines.push(`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dashed === true ? ' stroke-dasharray="6 4"' : ''}/>`)
    if (dashed !== true) lines.push(...points.map(([px, py]) => `<circle cx="${toX(px)}" cy="${toY(py)}" r="3.5" fill="${colour}"/>`))
    const end = ends.find((each) => each.i === i)!
    lines.push(`<text x="${toX(points.at(-1)![0]) + 10}" y="${end.at + 4}" fill="${colour}">${escaped(name)}</text>`)
  }
  return `${lines.join('\n')}\n</svg>\n`
}

/** Bytes a second by line rate, for each kind of flash: the limit, ours, theirs. */
export function drawLinkCurves(rows: readonly LinkRow[]): Drawing[] {
  return (['none', 'nrf52840'] as const).flatMap((flash) => {
    const here = rows.filter((row) => row.flash === flash && row.baud !== null)
    if (here.length === 0) return []
    const names = [...new Set(here.map(nameOf))]
    const points = (of: readonly LinkRow[], figure: (row: LinkRow) => number) => of.map((row) => [row.baud ?? 0, figure(row)] as const).sort((a, b) => a[0] - b[0])
    const series: Series[] = names.map((name) => ({ name, points: points(here.filter((row) => nameOf(row) === name), (row) => row.bytesPerSecond) }))
    for (const framing of ['console', 'raw'] as const) {
      const ours = here.filter((row) => row.framing === framing && row.client === 'slotwright' && row.window !== 1)
      series.push({ name: `limit of ${framing} framing`, dashed: true, points: points(ours, (row) => row.limitBytesPerSecond ?? 0) })
    }
    const title = flash === 'none' ? 'Upload to one board whose flash takes no time' : 'Upload to one board with the flash of an nRF52840'
    return [{ name: `link-${flash}`, svg: draw({ title, x: 'line rate, baud', y: 'image bytes a second', scale: 'log', series }) }]
  })
}

function nameOf({ client, framing, window }: LinkRow): string {
  return client === 'slotwright' ? `Slotwright, ${framing}${window === 1 ? ', one in flight' : ''}` : client
}

/** What each board keeps of its rate, and what all get together, by the number of boards. */
export function drawLineCurves(rows: readonly LineRow[], copies: readonly PeerFigures[]): Drawing[] {
  const bauds = [...new Set(rows.map(({ baud }) => baud))]
  const of = (baud: number, figure: (row: LineRow) => number) => rows.filter((row) => row.baud === baud).map((row) => [row.boards, figure(row)] as const)
  const clients = [...new Set(copies.map(({ client, baud }) => `${client} at ${baud}`))]
  return [
    {
      name: 'line-share',
      svg: draw({ title: 'What each board keeps of the rate it has alone', x: 'boards', y: 'percent', scale: 'log-x', yMax: 110, series: bauds.map((baud) => ({ name: `${baud} baud`, points: of(baud, (row) => row.share * 100) })) }),
    },
    {
      name: 'line-total',
      svg: draw({
        title: 'All boards together, from the order to the last outcome', x: 'boards', y: 'image bytes a second', scale: 'log',
        series: [
          ...bauds.map((baud) => ({ name: `Slotwright at ${baud}`, points: of(baud, (row) => row.totalBytesPerSecond) })),
          ...clients.map((name) => ({ name: `copies of ${name}`, points: copies.filter(({ client, baud }) => `${client} at ${baud}` === name).map((row) => [row.boards, row.totalBytesPerSecond] as const) })),
        ],
      }),
    },
    {
      name: 'line-processor',
      svg: draw({
        title: 'Processor: station on one core, boards on the other', x: 'boards', y: 'percent of a core', scale: 'log-x', yMax: 110,
        series: bauds.flatMap((baud) => [
          { name: `station, ${baud} baud`, points: of(baud, (row) => row.stationCpuShare * 100) },
          { name: `boards, ${baud} baud`, dashed: true, points: of(baud, (row) => row.boardsCpuShare * 100) },
        ]),
      }),
    },
  ]
}
