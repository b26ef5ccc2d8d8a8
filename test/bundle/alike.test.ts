// Names that look alike are told; names in other scripts, and pairs that every factory has, are not.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { alikeAmong, looksLike, spelt } from '../../main/bundle/alike.ts'

test.each([
  ['a Cyrillic A', ['SN-A1', 'SN-\u04101'], ['SN-A1', 'SN-[U+0410]1']],
  ['a Greek O', ['UNIT-O', 'UNIT-\u039f'], ['UNIT-O', 'UNIT-[U+039F]']],
  ['full-width letters', ['SN-1', '\uff33\uff2e\uff0d\uff11'], ['SN-1', '[U+FF33][U+FF2E][U+FF0D][U+FF11]']],
  ['another dash', ['SN-1', 'SN\u20131'], ['SN-1', 'SN[U+2013]1']],
  ['a letter that cannot be seen', ['SN-1', 'SN-\u200b1'], ['SN-1', 'SN-[U+200B]1']],
  ['two of another script, and none of ours', ['\u0410\u0412', '\u0391\u0392'], ['[U+0410][U+0412]', '[U+0391][U+0392]']],
  ['two ways to write one letter', ['Ren\u00e9', 'Rene\u0301'], ['Ren[U+00E9]', 'Rene[U+0301]']],
])('%s', (_name, names, group) => {
  expect(alikeAmong(names)).toEqual([group])
})

test('a name that turns the writing round is told alone', () => {
  expect(alikeAmong(['SN-\u202e001'])).toEqual([['SN-[U+202E]001']])
})

test.each([[['SN-O1', 'SN-01', 'SN-l', 'SN-I']], [['Жанна', 'Мария', '李雷', '韩梅梅', 'Łukasz', 'Jürgen', 'Jurgen']], [[]]])('%j is left alone', (names) => {
  expect(alikeAmong(names)).toEqual([])
})

test('plain names are never accused, and what a name looks like is said of any', () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: 'grapheme-ascii', maxLength: 12 }), { maxLength: 6 }), (names) => alikeAmong(names).length === 0))
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => looksLike(name).length >= 0 && /^[\x20-\x7e]*$/.test(spelt(name))))
})
