import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { bytesText, groupedHash, lastPart, ofBytesText, secondsText, shareDone, shortHash, sinceText, tookText, versionText } from '../../renderer/figures.ts'
import { arrange, lookOf, wordKeyOf } from '../../renderer/line/state.ts'
import { keyNameWrong, passphraseWrong } from '../../renderer/keys/rules.ts'
import { numberOf, versionHolds } from '../../renderer/stores/desk.ts'

test('sizes that round up over their unit', () => {
  expect([0, 1, 1023, 1024, 1536, 102_348, 1_048_000, 1_048_576, 1e12].map(bytesText)).toEqual(['0 B', '1 B', '1023 B', '1.00 KiB', '1.50 KiB', '99.9 KiB', '1.00 MiB', '1.00 MiB', '931 GiB'])
  expect(bytesText(Number.NaN)).toBe('–')
  expect(ofBytesText(20_480, 65_536)).toBe('20.0 / 64.0 KiB')
})

test('times at the edges of their units', () => {
  expect([0.008, 0.4].map(tookText)).toEqual(['8 ms', '0.4 s'])
  expect([0, 0.008, 0.4, 9.94, 12.4, 59.4, 59.6, 187, 3599.7, 3750].map(secondsText)).toEqual(['0.0 s', '0.0 s', '0.4 s', '9.9 s', '12 s', '59 s', '1:00', '3:07', '1:00:00', '1:02:30'])
  expect([0, 12.43, 59.97, 187].map(sinceText)).toEqual(['+0.0 s', '+12.4 s', '+1:00', '+3:07'])
})

test('any size and any time gives a short text without NaN', () => {
  fc.assert(fc.property(fc.double(), (value) => {
    for (const text of [bytesText(value), secondsText(value)]) {
      expect(text.length).toBeLessThan(330)
      expect(text).not.toMatch(/NaN|undefined|Infinity/)
    }
    expect(shareDone(value, 10)).toBeGreaterThanOrEqual(0)
  }), { examples: [[Number.NaN], [Number.POSITIVE_INFINITY], [-1]] })
})

test('a build number of nought is noise, any other is not', () => {
  expect(['1.1.0+0', '1.1.0', '1.1.0+10', '1.1.0+100'].map(versionText)).toEqual(['1.1.0', '1.1.0', '1.1.0+10', '1.1.0+100'])
})

test('hashes and paths', () => {
  expect(shortHash('0123456789abcdef0123456789abcdef')).toBe('01234567…89abcdef')
  expect(groupedHash('0123456789abcdef')).toBe('01234567 89abcdef')
  expect(['/dev/ttyUSB0', 'COM3', 'C:\\out\\a.bin', '/'].map(lastPart)).toEqual(['ttyUSB0', 'COM3', 'a.bin', '/'])
})

test('a bay that ended keeps its outcome, even with its board unplugged', () => {
  expect(lookOf({ board: null, phase: 'ended', outcome: 'confirmed' })).toBe('confirmed')
  expect(lookOf({ board: null, phase: null, outcome: null })).toBe('empty')
  expect(lookOf({ board: 'B', phase: 'attached', outcome: null })).toBe('ready')
  expect(lookOf({ board: 'B', phase: 'uploading', outcome: null })).toBe('working')
  expect(wordKeyOf({ board: 'B', phase: 'waiting', outcome: null })).toBe('phase.waiting')
})

test('eight bays fit into 1280 × 800 without scrolling, and large; sixty-four fit too', () => {
  const eight = arrange(8, 1144, 595)
  expect(eight).toMatchObject({ columns: 4, rows: 2, density: 'large', scrolls: false })
  expect(arrange(64, 1144, 595)).toMatchObject({ scrolls: false, density: 'small' })
  // Beside the first steps and the word on practice boards.
  expect(arrange(64, 1144, 488)).toMatchObject({ scrolls: false, density: 'small' })
  expect(arrange(8, 744, 595).scrolls).toBe(false)
})

test('every bay has its place, whatever the window', () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1024 }), fc.integer({ min: 1, max: 6000 }), fc.integer({ min: 1, max: 4000 }), (count, width, height) => {
    const { columns, rows, scrolls } = arrange(count, width, height)
    expect(columns).toBeGreaterThanOrEqual(1)
    expect(columns * rows).toBeGreaterThanOrEqual(count)
    if (!scrolls && count > 0) expect(columns * (rows - 1)).toBeLessThan(count)
  }))
})

test('versions that do not fit MCUboot\'s field', () => {
  for (const good of ['0.0.0', '1.2.3', '1.2.3+4', '255.255.65535+4294967295']) expect(versionHolds(good), good).toBe(true)
  for (const bad of ['', '1', '1.2', '1.2.3.4', 'v1.2.3', '1.2.3+', '256.0.0', '0.256.0', '0.0.65536', '1.2.3+4294967296', '1.2.3 ', '-1.0.0', '1.2.3-rc1', '١.٢.٣']) expect(versionHolds(bad), bad).toBe(false)
})

test('numbers that are none, or out of bounds', () => {
  expect(numberOf('0x200', 32, 0x10000)).toBe(512)
  expect(numberOf(' 512 ', 32, 0x10000)).toBe(512)
  for (const bad of ['', '0x', '31', '65537', '1e3', '12.5', '0x1000000000', 'abc', '-32']) expect(numberOf(bad, 32, 0x10000), bad).toBeNull()
})

test('key names and passphrases that would be refused', () => {
  expect(keyNameWrong('release-2026', [])).toBeNull()
  expect(keyNameWrong('release-2026', ['release-2026'])).toBe('keys.nameTaken')
  for (const bad of ['../key', '.hidden', 'a b', 'x'.repeat(65), '']) expect(keyNameWrong(bad, []), bad).toBe('keys.nameWrong')
  expect(passphraseWrong('', '', 'production')).toBe('keys.needPassphrase')
  expect(passphraseWrong('', '', 'test')).toBeNull()
  expect(passphraseWrong('a', 'b', 'test')).toBe('keys.differs')
})
