// Paper from the command line, on what was built: reports and labels as pages, PDF without any display, tables, and every
// refusal with nothing left behind.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { closedHome, imageHash } from '../bundle/made.ts'
import { release } from '../store/fixture.ts'
import { document, expectRefusal, folder, run } from './command.ts'

let home = ''
let place = ''

beforeAll(async () => {
  home = await closedHome()
  place = folder()
})
afterAll(release)

// No display of any kind: the PDF must not need one.
const cli = (...args: string[]) => run(args, { home, cwd: place, env: { DISPLAY: '', WAYLAND_DISPLAY: '' } })
const read = (name: string) => readFileSync(join(place, name))

test('a batch\'s report as a page, and as PDF where there is no display', async () => {
  expect(await cli('report', 'b1', '--out', 'b1.html')).toMatchObject({ code: 0 })
  expect(read('b1.html').toString()).toContain('SN-b1-11')
  const pdf = await cli('report', '--out', 'last.pdf', '--json')
  expect(document(pdf)).toMatchObject({ batch: 'b2' })
  expect(read('last.pdf').subarray(0, 5).toString()).toBe('%PDF-')
  expect(read('last.pdf').length).toBeGreaterThan(20_000)
})

test('a unit\'s label in each form, of the size that was asked for', async () => {
  for (const name of ['l.zpl', 'l.svg', 'l.pdf']) expect(await cli('label', 'SN-b1-0', '--out', name, '--mm', '60x30', '--dpi', '300'), name).toMatchObject({ code: 0 })
  expect(read('l.zpl').toString()).toMatch(/^\^XA\n\^CI28\n\^PW709\n\^LL354\n[^]*\^XZ\n$/)
  expect(read('l.svg').toString()).toContain('width="60mm" height="30mm"')
  // 60 × 30 mm in points.
  expect(read('l.pdf').toString('latin1')).toMatch(/\/MediaBox \[0 0 (169|170)[.0-9]* (84|85)[.0-9]*\]/)
})

test('recall and history leave a table beside what they say', async () => {
  expect(await cli('recall', '--image', imageHash, '--csv', 'recall.csv')).toMatchObject({ code: 0 })
  expect(read('recall.csv').toString().trim().split('\r\n')).toHaveLength(16)
  expect(await cli('recall', '--image', imageHash, '--still', '--csv', 'still.csv')).toMatchObject({ code: 0 })
  // The one that went back runs another.
  expect(read('still.csv').toString()).not.toContain('SN-b1-3')
  expect(read('still.csv').toString().trim().split('\r\n')).toHaveLength(15)
  expect(await cli('history', 'SN-b1-3', '--csv', 'unit.csv')).toMatchObject({ code: 0 })
  expect(read('unit.csv').toString().trim().split('\r\n')).toHaveLength(12)
})

test('a bundle carries the PDF of its report, unless it is not wanted', async () => {
  expect(await cli('log', 'export', 'with.zip', '--batch', 'b2', '--no-sign')).toMatchObject({ code: 0 })
  expect(read('with.zip').includes('report.pdf')).toBe(true)
  expect(await cli('log', 'export', 'without.zip', '--batch', 'b2', '--no-sign', '--no-pdf')).toMatchObject({ code: 0 })
  expect(read('without.zip').includes('report.pdf')).toBe(false)
})

test('what cannot be is refused with a sentence, and no file is left', async () => {
  expectRefusal(await cli('report', 'b99', '--out', 'no.html', '--json'), 'no-such-batch', /knows no batch/)
  expectRefusal(await cli('label', 'nobody', '--out', 'no.zpl', '--json'), 'no-such-unit', /no outcome/)
  expectRefusal(await cli('label', 'SN-b1-0', '--out', 'no.zpl', '--mm', '15x10', '--dpi', '203', '--json'), 'label-too-small', /larger label/)
  for (const args of [['report', '--out', 'no.docx'], ['label', 'SN-b1-0', '--out', 'no.png'], ['label', 'SN-b1-0', '--out', 'no.zpl', '--mm', '500x500']]) {
    expect(await cli(...args), args.join(' ')).toMatchObject({ code: 2 })
  }
  for (const name of ['no.html', 'no.zpl', 'no.docx', 'no.png']) expect(existsSync(join(place, name))).toBe(false)
})
