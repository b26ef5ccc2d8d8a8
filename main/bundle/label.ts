// A unit's label: its name, what it runs, and a QR code that a scanner or a telephone reads. Drawn twice from one layout:
// as SVG in millimetres (for looking, PDF and any printer), and in ZPL II for label printers (Zebra's ZPL II Programming
// Guide: ^BQ, ^FH, ^CI28). Surprise: in ZPL the QR field's text begins with its error level and `A,` (`MA,`), and ^ and ~
// inside a text are commands, so every byte that is not plain goes as hex.
import encodeQR from 'qr'
import { toHex, utf8 } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import { escaped } from './charts.ts'

export type LabelSize = Readonly<{ widthMm: number; heightMm: number; dpi: number }>

export type LabelFacts = Readonly<{
  unit: string
  version: string | null
  /** What the unit said it runs, hex; null when it never did. */
  imageHash: string | null
  outcome: string | null
  /** ISO 8601. */
  at: string
  batch: string | null
  /** The entry that tells the outcome. */
  entry: number
}>

export const labelSizeAtFirst = { widthMm: 50, heightMm: 25, dpi: 203 } as const

/** Smaller squares than this are not read by common scanners (and many printers smear them). */
const moduleMmMin = 0.2
const marginMm = 1.5
const gapMm = 1.5
/** ZPL magnifies a QR code 1 to 10 times. */
const magnifyMax = 10
const hashDigits = 32

type Line = Readonly<{ text: string; sizeMm: number; bold: boolean }>
type Layout = Readonly<{ codeMm: number; textLeftMm: number; lines: readonly Line[]; modules: boolean[][] }>

/** What the code says: the unit, what it runs and the entry that proves it. */
export function labelCode({ unit, version, imageHash, entry }: LabelFacts): string {
  return ['slotwright', unit, (version ?? '').replace(/\+0$/, ''), (imageHash ?? '').slice(0, hashDigits), String(entry)].map((part) => part.replaceAll('|', '/')).join('|')
}

/** The lines beside the code, the first one large. */
export function labelLines({ unit, version, outcome, imageHash, at, batch }: LabelFacts): string[] {
  const runs = [version === null ? '' : `v${version.replace(/\+0$/, '')}`, outcome ?? ''].filter((part) => part !== '').join(' ')
  return [unit, runs, imageHash === null ? '' : imageHash.slice(0, 12), `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`, batch === null ? '' : batch.slice(0, 10)].filter((line) => line !== '')
}

/** Widths of letters are not known here: a letter is taken to be 0.6 as wide as high, which is more than most. */
const letterShare = 0.6

function layOut(facts: LabelFacts, { widthMm, heightMm }: LabelSize): Layout | Failure {
  // The maker wants a border of one at least; the label has its own.
  const modules = encodeQR(labelCode(facts), 'raw', { ecc: 'medium', border: 1 }).slice(1, -1).map((row) => row.slice(1, -1))
  const codeMm = Math.min(heightMm - 2 * marginMm, (widthMm - 2 * marginMm - gapMm) * 0.5)
  if (codeMm / modules.length < moduleMmMin) {
    return new Failure('label-too-small', `A label of ${widthMm} × ${heightMm} mm is too small for the code of "${facts.unit.slice(0, 60)}": its squares would be ${(codeMm / modules.length).toFixed(2)} mm wide. Set a larger label.`)
  }
  const textLeftMm = marginMm + codeMm + gapMm
  const roomMm = widthMm - marginMm - textLeftMm
  const lines = labelLines(facts)
  const rowMm = (heightMm - 2 * marginMm) / (lines.length + 0.6)
  const [name = '', ...others] = lines
  // The lines below the name share one size, that of the longest.
  const othersMm = others.reduce((least, text) => Math.min(least, fit(text, rowMm * 0.8, roomMm, false).sizeMm), rowMm * 0.8)
  return { codeMm, textLeftMm, modules, lines: [fit(name, rowMm * 1.3, roomMm, true), ...others.map((text) => fit(text, othersMm, roomMm, false))] }
}

/** Smaller letters for a long text, down to 1.6 mm; what is longer still is cut in its middle. */
function fit(text: string, sizeMm: number, roomMm: number, bold: boolean): Line {
  const letters = [...text]
  const fitting = roomMm / (letters.length * letterShare)
  const size = Math.max(1.6, Math.min(sizeMm, fitting, 6))
  const max = Math.max(3, Math.floor(roomMm / (size * letterShare) + 0.001))
  const cut = letters.length <= max ? text : `${letters.slice(0, Math.ceil((max - 1) / 2)).join('')}…${letters.slice(letters.length - Math.floor((max - 1) / 2)).join('')}`
  return { text: cut, sizeMm: size, bold }
}

/** The label as SVG, its size in millimetres. Fails with `label-too-small`. */
export function labelSvg(facts: LabelFacts, size: LabelSize): string | Failure {
  const layout = layOut(facts, size)
  if (layout instanceof Failure) return layout
  const { codeMm, textLeftMm, modules, lines } = layout
  const step = codeMm / modules.length
  const squares = modules.flatMap((row, y) => runsOf(row).map(([x, length]) => `M${mm(marginMm + x * step)} ${mm((size.heightMm - codeMm) / 2 + y * step)}h${mm(length * step)}v${mm(step)}h-${mm(length * step)}z`))
  let y = marginMm
  const texts = lines.map(({ text, sizeMm, bold }) => {
    y += sizeMm * 1.2
    return `<text x="${mm(textLeftMm)}" y="${mm(y - sizeMm * 0.25)}" font-size="${mm(sizeMm)}"${bold ? ' font-weight="700"' : ''}>${escaped(text)}</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${size.widthMm}mm" height="${size.heightMm}mm" viewBox="0 0 ${size.widthMm} ${size.heightMm}" role="img" aria-label="${escaped(facts.unit)}"><rect width="${size.widthMm}" height="${size.heightMm}" fill="#fff"/><path d="${squares.join('')}" fill="#000" shape-rendering="crispEdges"/><g fill="#000" font-family="'DejaVu Sans Mono',Consolas,Menlo,monospace">${texts.join('')}</g></svg>`
}

/** The page a PDF of it is made from. */
export function labelHtml(facts: LabelFacts, size: LabelSize): string | Failure {
  const svg = labelSvg(facts, size)
  if (svg instanceof Failure) return svg
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${escaped(facts.unit)}</title><style>@page{size:${size.widthMm}mm ${size.heightMm}mm;margin:0}html,body{margin:0}svg{display:block}</style></head><body>${svg}</body></html>`
}

/** The label for a ZPL II printer. Fails with `label-too-small`. */
export function labelZpl(facts: LabelFacts, size: LabelSize): string | Failure {
  const layout = layOut(facts, size)
  if (layout instanceof Failure) return layout
  const dots = (millimetres: number) => Math.round((millimetres * size.dpi) / 25.4)
  const magnify = Math.min(magnifyMax, Math.floor(dots(layout.codeMm) / layout.modules.length))
  if (magnify < 1 || (magnify * 25.4) / size.dpi < moduleMmMin * 0.6) return new Failure('label-too-small', `At ${size.dpi} dots per inch the code does not fit a label of ${size.widthMm} × ${size.heightMm} mm. Set a larger label.`)
  const codeDots = magnify * layout.modules.length
  let y = dots(marginMm)
  const texts = layout.lines.map(({ text, sizeMm }) => {
    const line = `^FO${dots(layout.textLeftMm)},${y}^A0N,${dots(sizeMm)},${dots(sizeMm)}^FH\\^FD${zplText(text)}^FS`
    y += dots(sizeMm * 1.2)
    return line
  })
  return [
    '^XA', '^CI28', `^PW${dots(size.widthMm)}`, `^LL${dots(size.heightMm)}`, '^LH0,0',
    `^FO${dots(marginMm)},${Math.max(0, Math.round((dots(size.heightMm) - codeDots) / 2))}^BQN,2,${magnify}^FH\\^FDMA,${zplText(labelCode(facts))}^FS`,
    ...texts, '^PQ1', '^XZ', '',
  ].join('\n')
}

/** A text for ^FH\\^FD: UTF-8, with every byte that is no plain letter, figure or mark as \\hex. */
function zplText(text: string): string {
  return [...utf8(text)].map((byte) => (byte >= 0x20 && byte < 0x7f && !'^~\\_'.includes(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `\\${toHex(Uint8Array.of(byte)).toUpperCase()}`)).join('')
}

function runsOf(row: readonly boolean[]): [start: number, length: number][] {
  const runs: [number, number][] = []
  for (let x = 0; x < row.length; x++) {
    if (row[x] !== true) continue
    const start = x
    while (row[x + 1] === true) x++
    runs.push([start, x - start + 1])
  }
  return runs
}

function mm(value: number): string {
  return String(Number(value.toFixed(3)))
}
