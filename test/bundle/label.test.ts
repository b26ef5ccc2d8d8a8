// A unit's label. ZPL is read back by a strict reader of the commands it may use (ZPL II Programming Guide), since a label
// printer says nothing of a command it does not know; boards choose their own names, so names are hostile.
import * as fc from 'fast-check'
import decodeQR from 'qr/decode.js'
import { expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { labelCode, labelHtml, labelSvg, labelZpl } from '../../main/bundle/label.ts'
import type { LabelFacts } from '../../main/bundle/label.ts'

const facts: LabelFacts = { unit: 'PB-0003', version: '1.1.0+0', imageHash: '9c820ab0'.repeat(8), outcome: 'confirmed', at: '2026-03-09T14:03:27.000Z', batch: 'b-579e357a-69a8', entry: 124 }
const size = { widthMm: 50, heightMm: 25, dpi: 203 } as const
const hostile = fc.string({ unit: 'binary', minLength: 1, maxLength: 128 })

function made<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(answer.says)
  return answer
}

type Field = Readonly<{ x: number; y: number; text: string; font: number | null; code: number | null }>

/** Reads a label as a printer would and refuses whatever a label of ours never has. */
function readZpl(zpl: string): { width: number; height: number; fields: Field[] } {
  expect(zpl).toMatch(/^[\x20-\x7e\n]*$/)
  expect(zpl).not.toContain('~')
  const commands = zpl.replace(/\n/g, '').split('^').slice(1)
  expect(commands.shift()).toBe('XA')
  expect(commands.pop()).toBe('XZ')
  expect(commands.shift()).toBe('CI28')
  const number = (of: string, text: string | undefined) => Number(new RegExp(`^${of}([0-9]{1,5})$`).exec(text ?? '')?.[1] ?? NaN)
  const width = number('PW', commands.shift())
  const height = number('LL', commands.shift())
  expect(commands.shift()).toBe('LH0,0')
  const fields: Field[] = []
  while (commands[0]?.startsWith('FO') === true) {
    const [, x, y] = /^FO([0-9]{1,4}),([0-9]{1,4})$/.exec(commands.shift() ?? '') ?? []
    const kind = commands.shift() ?? ''
    const font = /^A0N,([0-9]{1,4}),\1$/.exec(kind)?.[1]
    const code = /^BQN,2,([1-9]|10)$/.exec(kind)?.[1]
    expect(font ?? code, kind).toBeDefined()
    expect(commands.shift()).toBe('FH\\')
    const data = commands.shift() ?? ''
    expect(data.startsWith('FD')).toBe(true)
    expect(data.slice(2)).toMatch(/^(?:\\[0-9A-F]{2}|[^\\_])*$/)
    const bytes = data.slice(2).replace(/\\([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
    expect(commands.shift()).toBe('FS')
    fields.push({ x: Number(x), y: Number(y), text: new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))), font: font === undefined ? null : Number(font), code: code === undefined ? null : Number(code) })
  }
  expect(commands).toEqual(['PQ1'])
  return { width, height, fields }
}

test('a label in ZPL has its size in dots, the code with its error level and a line for each fact', () => {
  const { width, height, fields } = readZpl(made(labelZpl(facts, size)))
  expect([width, height]).toEqual([400, 200])
  expect(fields[0]).toMatchObject({ code: 5, text: `MA,${labelCode(facts)}` })
  expect(fields.slice(1).map(({ text }) => text)).toEqual(['PB-0003', 'v1.1.0 confirmed', '9c820ab09c82', '2026-03-09 14:03 UTC', 'b-579e357a'])
  for (const { x, y } of fields) expect(x < width && y < height).toBe(true)
  expect(readZpl(made(labelZpl(facts, { ...size, dpi: 600 }))).width).toBe(1181)
})

test('no name of a unit becomes a command of the printer or an element of the page', () => {
  fc.assert(fc.property(hostile, fc.option(hostile), (unit, version) => {
    const named = { ...facts, unit, version }
    const zpl = labelZpl(named, { widthMm: 100, heightMm: 100, dpi: 300 })
    if (!(zpl instanceof Failure)) expect(readZpl(zpl).fields[0]?.text).toBe(`MA,${new TextDecoder().decode(new TextEncoder().encode(labelCode(named)))}`)
    const svg = labelSvg(named, { widthMm: 100, heightMm: 100, dpi: 300 })
    if (svg instanceof Failure) return
    expect(svg.match(/<[a-z]+/g)?.every((tag) => ['<svg', '<rect', '<path', '<g', '<text'].includes(tag))).toBe(true)
    expect(svg.match(/<text/g)?.length).toBeLessThanOrEqual(5)
  }), { numRuns: 300 })
})

test('a scanner reads from the drawing what the code is to say', () => {
  const svg = made(labelSvg(facts, size))
  const dots = 16
  const [width, height] = [size.widthMm * dots, size.heightMm * dots]
  const data = new Uint8Array(width * height * 4).fill(255)
  for (const [, x = '', y = '', w = '', h = ''] of svg.matchAll(/M([0-9.]+) ([0-9.]+)h([0-9.]+)v([0-9.]+)h-/g)) {
    for (let row = Math.round(Number(y) * dots); row < Math.round((Number(y) + Number(h)) * dots); row++) {
      for (let column = Math.round(Number(x) * dots); column < Math.round((Number(x) + Number(w)) * dots); column++) data.set([0, 0, 0], (row * width + column) * 4)
    }
  }
  expect(decodeQR({ width, height, data })).toBe(labelCode(facts))
})

test('a label that no scanner would read is refused with what to do, and is not printed small', () => {
  for (const make of [labelZpl, labelSvg, labelHtml]) {
    const refused = make({ ...facts, unit: 'x'.repeat(120) }, { widthMm: 15, heightMm: 10, dpi: 203 })
    expect(refused).toBeInstanceOf(Failure)
    expect(refused).toMatchObject({ kind: 'label-too-small' })
  }
})

test('a PDF page of a label is as large as the label', () => {
  expect(made(labelHtml(facts, size))).toContain('@page{size:50mm 25mm;margin:0}')
})
