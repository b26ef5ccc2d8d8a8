// Self-tests and unit data as decisions: what counts as measured well, what a table may look like, and that a secret is
// told to the board and to nobody else.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { matches } from '../../main/line/pattern.ts'
import { plan } from '../../main/line/plan.ts'
import { judge } from '../../main/line/selftest.ts'
import type { SelfTest } from '../../main/line/selftest.ts'
import { parseTable, unitDataFor } from '../../main/line/unit-data.ts'
import { boardWith, freshBoard, jobWith, newHash, oldHash, slot, walk } from './making.ts'

const toRegExp = (pattern: string) => new RegExp(`^${[...pattern].map((letter) => (letter === '*' ? '[^]*' : letter === '?' ? '[^]' : letter.replace(/[\\^$.|+()[\]{}]/g, '\\$&'))).join('')}$`)

test('patterns match as the same expression would, spelled out', () => {
  const letters = fc.constantFrom('a', 'b', '*', '?', '.')
  fc.assert(fc.property(fc.string({ unit: letters, maxLength: 8 }), fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 10 }), (pattern, text) => {
    expect(matches(pattern, text)).toBe(toRegExp(pattern).test(text))
  }), { numRuns: 2000 })
})

test('a pattern and a text made to hold an expression up for minutes take a moment', () => {
  const began = performance.now()
  expect(matches('*a'.repeat(100), 'a'.repeat(8000) + 'b')).toBe(false)
  expect(performance.now() - began).toBeLessThan(1000)
})

const shell: SelfTest = { test: 'shell', command: ['selftest'], returns: 0, matches: '*passed', timeoutMs: 1000 }

test.each([
  [shell, { of: 'shell', returned: 0, output: 'sensor ok\nself-test passed\n' }, true],
  [shell, { of: 'shell', returned: 0, output: 'self-test failed\n' }, false],
  [shell, { of: 'shell', returned: 1, output: 'self-test passed\n' }, false],
  [{ test: 'statistic', group: 'g', name: 'n', min: 3, max: 4, timeoutMs: 1 }, { of: 'number', value: 4 }, true],
  [{ test: 'statistic', group: 'g', name: 'n', min: 3, max: 4, timeoutMs: 1 }, { of: 'number', value: 5 }, false],
  [{ test: 'statistic', group: 'g', name: 'n', min: 3, max: 4, timeoutMs: 1 }, { of: 'number', value: null }, false],
  [{ test: 'statistic', group: 'g', name: 'n', min: 3, max: 4, timeoutMs: 1 }, { of: 'number', value: Number.NaN }, false],
  [{ test: 'os-info', format: 'a', matches: 'Zephyr*4.?.0*', timeoutMs: 1 }, { of: 'text', text: 'Zephyr PB-1 4.2.0 v4.2.0' }, true],
  [{ test: 'console', matches: '*passed', timeoutMs: 1 }, { of: 'line', line: null }, false],
  [{ test: 'file', path: '/lfs/a', matches: null, sha256: 'aa'.repeat(32), timeoutMs: 1 }, { of: 'file', text: '', sha256: 'ab'.repeat(32) }, false],
] as const)('%j measured as %j: %s', (asked, measured, holds) => {
  expect(judge(asked, measured).holds).toBe(holds)
})

test('a failed self-test reverts the image, and a hash proof follows tests even where the recipe asks for none', () => {
  const walked = walk(jobWith({ recipe: { tests: [shell], proofs: [] } }), freshBoard, (step) => (step.do === 'self-test' ? { is: 'stepDone', said: { of: 'measured', measured: { of: 'shell', returned: 1, output: 'sensor 2 does not answer' } }, tookMs: 1 } : undefined))
  expect(walked.state.ending).toMatchObject({ outcome: 'reverted', failure: { kind: 'self-test-failed' } })
  expect(walked.state.ending.says).toContain('sensor 2 does not answer')
  const planned = plan(freshBoard, jobWith({ recipe: { tests: [shell], proofs: [] } }))
  expect('steps' in planned ? planned.steps.map((step) => step.do).slice(-4) : planned).toEqual(['self-test', 'prove', 'confirm', 'check-confirmed'])
})

test('a console test on an image that was started before anybody listened begins with a restart', () => {
  const onTest = boardWith(slot(0, '1.1.0', newHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed'))
  expect(plan(onTest, jobWith({ recipe: { tests: [{ test: 'console', matches: '*', timeoutMs: 1 }] } }))).toMatchObject({ is: 'clear' })
})

const value = <T>(answer: T | Failure): T => {
  if (answer instanceof Failure) throw new Error(answer.says)
  return answer
}

test('a table with quotes, commas, line breaks and Windows line ends is read as it was meant', () => {
  const table = value(parseTable('\ufeffserial,psk,note\r\nPB-0001,"a,""b""","two\nlines"\r\n\r\nPB-0002,c,\r\n'))
  expect(Object.fromEntries(table.get('PB-0001') ?? [])).toEqual({ serial: 'PB-0001', psk: 'a,"b"', note: 'two\nlines' })
  expect(table.get('PB-0002')?.get('note')).toBe('')
})

test.each([
  ['no serial column', 'name,psk\na,b\n'],
  ['a short row', 'serial,psk\nPB-1\n'],
  ['a serial number twice', 'serial,psk\nPB-1,a\nPB-1,b\n'],
  ['an open quote', 'serial,psk\nPB-1,"hunter2\n'],
  ['a column twice', 'serial,psk,psk\n'],
])('a table with %s is refused without telling a cell', (_what, text) => {
  const read = parseTable(text)
  expect(read).toBeInstanceOf(Failure)
  expect(JSON.stringify(read)).not.toContain('hunter2')
})

test('a unit that the table lacks gets nothing, not even the image', () => {
  const templates = [{ what: 'setting', name: 'wifi/psk', value: '{psk}', secret: true }] as const
  const table = value(parseTable('serial,psk\nPB-0001,hunter2\n'))
  expect(unitDataFor('PB-0001', templates, table)).toMatchObject([{ value: 'hunter2' }])
  const lacking = unitDataFor('PB-0009', templates, table)
  expect(lacking).toMatchObject({ kind: 'no-unit-data' })
  expect(plan(freshBoard, { ...jobWith(), unitData: lacking })).toMatchObject({ kind: 'no-unit-data' })
  expect(unitDataFor('PB-0009', [{ what: 'file', name: '/lfs/id', value: 'unit {serial}', secret: false }], null)).toMatchObject([{ value: 'unit PB-0009' }])
})
