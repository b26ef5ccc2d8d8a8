// Texts that boards, scanners and recipes choose, on their way to a terminal and a table (labels and reports: test/bundle):
// none may be a command there, turn the writing round, or take for ever to be compared.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csvCell } from '../../main/bundle/csv.ts'
import { washed } from '../../main/cli/terminal.ts'
import { plainWords } from '../../main/cms/attributes.ts'
import { checkSerial, formatTrouble } from '../../main/line/serial-rule.ts'
import { concat } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import { takeText } from '../../main/smp/body.ts'
import { decodeBody, encodeBody } from '../../main/smp/message.ts'
import { readStatistics } from '../../main/smp/statistics.ts'

/** Turns the writing direction: what follows `evil\u202Egpj.exe` reads as something else. */
const turning = ['\u061c', '\u200e', '\u200f', '\u202a', '\u202b', '\u202d', '\u202e', '\u2066', '\u2067', '\u2068', '\u2069']

describe('what a board says', () => {
  test('has no control character, no line end, nothing that turns the writing or has no width', () => {
    for (const letter of [...turning, '\u001b', '\u0000', '\u0007', '\n', '\r', '\u009b', '\u200b', '\ufeff', '\u00ad', '\u2028', '\ud800', '\u{e0041}']) {
      expect(takeText({ version: `1.0${letter}0` }, 'version', 32), `U+${letter.codePointAt(0)?.toString(16)}`).toMatch(/^1\.0·+0$/)
    }
    expect(takeText({ name: 'Größe 10 µm 温度' }, 'name', 32)).toBe('Größe 10 µm 温度')
  })

  test('is short and plain also where it is only repeated in a sentence about it', () => {
    const evil = `\u202e\u001b[31m${'x'.repeat(60_000)}`
    const doubled = decodeBody(concat(Uint8Array.of(0xa2), encodeBody(evil), Uint8Array.of(0), encodeBody(evil), Uint8Array.of(0)))
    const noNumber = readStatistics.decode({ fields: { [evil]: 'text' } })
    const named = readStatistics.decode({ fields: { [evil]: 1 } })
    for (const wrong of [doubled, noNumber]) {
      expect(wrong).toBeInstanceOf(Failure)
      expect((wrong as Failure).says).not.toMatch(/[\u0000-\u001f\u202e]/)
      expect((wrong as Failure).says.length).toBeLessThan(400)
    }
    expect([...(named instanceof Failure ? [] : named.fields.keys())]).toEqual([`··[31m${'x'.repeat(194)}`])
  })

  test('keeps its lines where a command has several, and still nothing else', () => {
    expect(takeText({ o: 'one\ntwo\r\u001b[2J\u202e' }, 'o', 100, 'several')).toBe('one\ntwo··[2J·')
  })
})

test('a terminal gets no command but our own colours, and no text that runs the other way', () => {
  const left = washed(`a\u001b]0;title\u0007b\u001b[2Jc\u001b[32mgood\u001b[0m\u009b31m${turning.join('')}\u0008\rd\te\n`)
  expect(left.replace(/\u001b\[(32|0)m/g, '')).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/)
  expect(left).toContain('\u001b[32mgood\u001b[0m')
})

describe('a table', () => {
  /** The cells that a program sees which takes this character for the separator, quotes or not. */
  const cells = (text: string, separator: string) => text.replace(/^\ufeff/, '').split(/\r?\n|\r/).flatMap((line) => line.split(separator)).map((cell) => cell.replace(/^[\s"]+/, ''))

  test('has no formula in any cell, also where a semicolon, a tab or a line end begins one', () => {
    const part = fc.constantFrom('=', '+', '-', '@', '＝', ';', '\t', '\n', '\r', '"', ' ', ',', 'cmd|\' /C calc\'!A0', 'HYPERLINK("http://x","y")', '1')
    fc.assert(fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
      const cell = csvCell(parts.join(''))
      for (const separator of [';', '\t']) for (const one of cells(cell, separator)) expect(one, JSON.stringify(cell)).not.toMatch(/^[=+\-@\uff0b\uff0d\uff1d\uff20]/)
    }), { numRuns: 500 })
  })

  test('leaves plain texts as they are', () => {
    for (const text of ['PB-0001', 'v1.2.0+3', 'a; b', '2026-11-23T10:00:00Z', 'Größe = 5', 'x=1;y=2', 'a - b', '']) expect(csvCell(text)).toBe(text)
    expect(csvCell(-5)).toBe('-5')
  })
})

describe('a format for serial numbers', () => {
  test.each(['a{0,9}'.repeat(8), 'a{0,64}a{0,64}a{0,64}a{0,64}', '(a|a)'.repeat(22), `${'a?'.repeat(30)}${'a'.repeat(30)}`, '(a|aa|)'.repeat(12), 'a{0,1000}a{0,1000}a{0,1000}', '[a-z]{1,64}[a-z]{1,64}[a-z]{1,64}!', 'a+?a{1,60}a{1,60}'])(
    'that leaves so much open that a scan could hold the station is refused: %s', (format) => expect(formatTrouble(format)).not.toBeNull())

  test.each(['[A-Z]{2}[0-9]{4,8}(-[0-9]{1,2})?', '(?:SN|PN)-\\d{6}', '[?*+|]{4}', '\\?\\*\\|{3}', '(?<year>\\d{2})(?<week>\\d{2})\\d{5}', '.*-.*', '\\p{Lu}{3}'])('of an ordinary kind is taken: %s', (format) => expect(formatTrouble(format)).toBeNull())

  test('that is taken answers within a moment, on the text that is worst for it', () => {
    const atom = fc.constantFrom('a', '[ab]', '.', '(a|a)', '(a|b|)')
    const repeat = fc.constantFrom('', '?', '*', '+', '{0,9}', '{1,64}', '{3}', '*?')
    fc.assert(fc.property(fc.array(fc.tuple(atom, repeat), { minLength: 1, maxLength: 20 }), (parts) => {
      const format = parts.map(([one, times]) => one + (one.startsWith('(') ? '' : times)).join('')
      if (formatTrouble(format) !== null) return
      const before = performance.now()
      checkSerial(`${'a'.repeat(63)}!`, format, null, null)
      expect(performance.now() - before, format).toBeLessThan(3_000)
    }), { numRuns: 300 })
  })
})

test('a package\'s own words neither colour nor turn round what stands beside them', () => {
  expect(plainWords('safe\u202efirmware\u001b[32m\u200b 温度')).toBe('safe?firmware?[32m? 温度')
  expect(plainWords(null)).toBeNull()
})
