// Canonical JSON: one value has one text, and no other text is taken for it.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import { canonicalBytes, canonicalText, nestingMax, parseCanonical } from '../../main/log/canonical.ts'

const refused = { kind: 'not-canonical' }

test('keys are sorted by UTF-16 code units as RFC 8785 section 3.2.3 shows', () => {
  const names = { '€': 'Euro Sign', '\r': 'Carriage Return', '\ufb33': 'Hebrew Letter', '1': 'One', '😀': 'Emoji', '\u0080': 'Control', 'ö': 'O umlaut' }
  const text = canonicalText(names) as string
  expect(Object.values(JSON.parse(text) as object).length).toBe(7)
  expect([...text.matchAll(/":"([A-Za-z ]+)"/g)].map((match) => match[1])).toEqual(['Carriage Return', 'One', 'Control', 'O umlaut', 'Euro Sign', 'Emoji', 'Hebrew Letter'])
})

test('texts are escaped as RFC 8785 section 3.2.2.2 asks', () => {
  expect(canonicalText('\u20ac$\u000f\nA\'B"\\"/\u007f')).toBe('"€$\\u000f\\nA\'B\\"\\\\\\"/\u007f"')
})

test.each([
  ['a fraction', 0.5], ['beyond 2^53', 2 ** 53], ['not a number', Number.NaN], ['minus zero', -0], ['half a character', '\ud800'],
  ['half a character as key', { '\udc00': 1 }], ['a date', new Date(0)], ['bytes', new Uint8Array(1)], ['undefined', undefined], ['a bigint', 1n],
])('%s has no canonical form', (_name, value) => {
  expect(canonicalText(value)).toMatchObject(refused)
})

test('nesting has an end, both ways', () => {
  let deep: unknown = 1
  for (let i = 0; i <= nestingMax; i++) deep = [deep]
  expect(canonicalText(deep)).toMatchObject(refused)
  expect(parseCanonical(utf8(`${'['.repeat(20_000)}${']'.repeat(20_000)}`))).toBeInstanceOf(Failure)
})

describe('bytes that mean the same but are written otherwise are refused', () => {
  test.each(['{"b":1,"a":2}', '{"a": 1}', '{"a":1}\n', '{"a":1,"a":2}', '"\\u0041"', '"\\/"', '1.0', '1e2', '-0', '\ufeff{}', '{"a":"\\ud800"}', '', '{'])('%j', (text) => {
    expect(parseCanonical(utf8(text))).toMatchObject(refused)
  })
  test('not UTF-8', () => expect(parseCanonical(Uint8Array.of(0x22, 0xff, 0x22))).toMatchObject(refused))
})

test('keys that look like numbers are sorted as text', () => {
  const text = '{"":0,"1":1,"10":2,"2":3,"a":4}'
  expect(canonicalText(JSON.parse(text))).toBe(text)
  expect(parseCanonical(utf8(text))).toEqual(JSON.parse(text))
  expect(parseCanonical(utf8('{"":0,"1":1,"2":3,"10":2,"a":4}'))).toMatchObject(refused)
})

test('nesting as deep as allowed is read, one level more is not', () => {
  const nested = (levels: number) => utf8(`${'['.repeat(levels)}1${']'.repeat(levels)}`)
  expect(parseCanonical(nested(nestingMax))).not.toBeInstanceOf(Failure)
  expect(parseCanonical(nested(nestingMax + 1))).toMatchObject(refused)
})

test('a whole character written as an escape is refused, a backslash before ud is not', () => {
  expect(parseCanonical(utf8('"\\ud83d\\ude00"'))).toMatchObject(refused)
  expect(parseCanonical(utf8('"\\\\ud800"'))).toBe('\\ud800')
})

test('a key called __proto__ is a key like any other', () => {
  expect(canonicalText(JSON.parse('{"__proto__":1,"a":2}'))).toBe('{"__proto__":1,"a":2}')
  expect(parseCanonical(utf8('{"__proto__":{"x":1}}'))).toEqual(JSON.parse('{"__proto__":{"x":1}}'))
})

const json = fc.letrec((tie) => ({
  value: fc.oneof({ depthSize: 'small', maxDepth: 4 }, fc.string({ unit: 'binary' }), fc.maxSafeInteger().filter((n) => !Object.is(n, -0)), fc.boolean(), fc.constant(null), fc.array(tie('value')), fc.dictionary(fc.string({ unit: 'binary' }), tie('value'))),
})).value

test('what is written is read back, whatever the order of keys', () => {
  fc.assert(
    fc.property(json, (value) => {
      const bytes = canonicalBytes(value)
      if (bytes instanceof Failure) throw new Error(bytes.says)
      expect(JSON.stringify(parseCanonical(bytes))).toBe(new TextDecoder().decode(bytes))
      expect(canonicalText(shuffled(value))).toBe(new TextDecoder().decode(bytes))
    }),
  )
})

function shuffled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shuffled)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).reverse().map(([key, member]) => [key, shuffled(member)]))
}
