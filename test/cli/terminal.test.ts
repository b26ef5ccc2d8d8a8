// What reaches a person's screen: text of boards and files is hostile, and a row wider than the screen ruins every redraw.
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import fc from 'fast-check'
import type { Call } from '../../main/cli/call.ts'
import { clipped, progressFor } from '../../main/cli/progress.ts'
import { columns, paintFor, sizeWords, washed, widthOf, writerOn } from '../../main/cli/terminal.ts'
import type { BayView } from '../../main/contract/views.ts'

test('a board whose version string holds escape codes cannot move the cursor or set the title', () => {
  const hostile = '1.0\u001b]0;owned\u0007\u001b[2J\u001b[10;10H\u009b5n\r!'
   
  expect(washed(hostile)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
})

test('only the colours of this program pass, whatever the text', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
     
    const left = washed(text).replace(/\u001b\[(0|1|2|31|32|33|36)m/g, '')
     
    expect(left).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/)
  }))
})

test('colours only on a terminal, never under NO_COLOR or on a dumb one', () => {
  expect(paintFor({ isTTY: true }, {}).bad('x')).toBe('\u001b[31mx\u001b[0m')
  expect(paintFor({ isTTY: false }, {}).bad('x')).toBe('x')
  expect(paintFor({ isTTY: true }, { NO_COLOR: '1' }).bad('x')).toBe('x')
  expect(paintFor({ isTTY: true }, { TERM: 'dumb' }).bad('x')).toBe('x')
})

test('a clipped row is never wider than the screen and keeps its colours whole', () => {
  const paint = paintFor({ isTTY: true }, {})
  fc.assert(fc.property(fc.array(fc.string({ maxLength: 20 }).map((text) => washed(text).replaceAll('\u001b', '')), { maxLength: 8 }), fc.integer({ min: 0, max: 60 }), (words, width) => {
    const row = clipped(words.map((word, i) => (i % 2 === 0 ? paint.good(word) : word)).join(' '), width)
    expect(widthOf(row)).toBeLessThanOrEqual(width)
    expect(row.split('\u001b[32m').length - 1 <= row.split('\u001b[0m').length - 1).toBe(true)
  }))
})

test('columns line up although some cells are coloured', () => {
  const paint = paintFor({ isTTY: true }, {})
  const [first, second] = columns([['a', 'long'], [paint.bad('bbbb'), 'x']]).split('\n')
  expect(widthOf((first ?? '').split('long')[0] ?? '')).toBe(widthOf((second ?? '').split('x')[0] ?? ''))
})

test('sizes read as people say them', () => {
  expect([0, 1023, 1024, 1_572_864].map(sizeWords)).toEqual(['0 B', '1023 B', '1.0 KiB', '1.5 MiB'])
})

test('a reader that goes away ends the writing, not the program', async () => {
  const stream = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough
  const writer = writerOn(stream)
  stream.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
  expect(writer.gone()).toBe(true)
  writer.words('more')
  await writer.flushed()
  expect(stream.read()).toBe(null)
})

test('any other trouble with a stream is not swallowed', () => {
  const stream = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough
  writerOn(stream)
  expect(() => stream.emit('error', Object.assign(new Error('disk'), { code: 'ENOSPC' }))).toThrow('disk')
})

test('that a board cannot go back is told before its upload, once', () => {
  const told: string[] = []
  const { show } = progressFor({ stderr: { isTTY: false }, env: {}, tell: (words: string) => told.push(words) } as unknown as Call, [])
  const bay = { bay: 2, board: 'B', outcome: null, failure: null, waitsUntil: null, note: { kind: 'cannot-go-back', says: 'This board cannot go back.', facts: {} } }
  for (const phase of ['uploading', 'uploading', 'marking'] as const) show({ ...bay, phase } as unknown as BayView)
  expect(told).toEqual(['bay 2  B  This board cannot go back.\n', 'bay 2  B  uploading\n', 'bay 2  B  marking for test\n'])
})
