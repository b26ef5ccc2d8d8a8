// Hostile trailers and Intel HEX: what MCUboot and imgtool wrote, mutated from a seed, with HEX checksums mended half of the
// time so that the change is met behind them. Only values and Failures may come out, within the memory stated here: HEX takes
// at most its own length ten times, and 16 MiB for what it leaves out.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { concat, fromHex } from '../../main/base/bytes.ts'
import { Failure, failed } from '../../main/base/failure.ts'
import { HEX_GAPS_MAX, readHex, writeHex } from '../../main/image/hex.ts'
import { parseImage } from '../../main/image/format.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import { decideSwap, decodeTrailer, encodeTrailer, maxAligns } from '../../main/image/trailer.ts'
import type { TrailerState } from '../../main/image/trailer.ts'
import { dice, fuzzRounds, fuzzSeed, fuzzTimeoutMs } from './dice.ts'
import { good, index, outputOf } from './vectors.ts'

type Flash = { stages: { slot0: { last_64_bytes: string }; slot1: { last_64_bytes: string } }[] }

/** Ends of slots as real bootloaders left them, and as we would write them for every alignment. */
const trailers: readonly Uint8Array[] = [
  ...['flash-swap-move.json', 'flash-swap-scratch.json'].flatMap((name) => {
    const { stages } = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'vectors', 'mcuboot', name), 'utf8')) as Flash
    return stages.flatMap(({ slot0, slot1 }) => [slot0, slot1].map((slot) => fromHex(slot.last_64_bytes) ?? new Uint8Array(0)))
  }),
  ...maxAligns.map((align) => encodeTrailer({ magic: true, imageOk: true }, { align, maxAlign: align, maxSectors: 4 })),
]
const flags = [0x01, 0x02, 0x03, 0x04, 0x05, 0x7f, 0xfe, 0xff, 0x00]

test(`${fuzzRounds} mutated trailers are judged or refused, and never cause a swap of a kind that there is not`, () => {
  const roll = dice(fuzzSeed)
  const swaps = new Set<string>()
  const began = performance.now()
  let before: TrailerState | null = null
  for (let round = 0; round < fuzzRounds; round++) {
    let bytes = concat(trailers[roll(trailers.length)] ?? new Uint8Array(0))
    for (let changes = 1 + roll(4); changes > 0 && bytes.length > 0; changes--) {
      const at = roll(3) === 0 ? roll(bytes.length) : Math.max(0, bytes.length - 1 - roll(64))
      if (roll(8) === 0) bytes = bytes.subarray(roll(2) === 0 ? at : 0, roll(2) === 0 ? bytes.length : at)
      else bytes[at] = roll(2) === 0 ? flags[roll(flags.length)] ?? 0 : roll(256)
    }
    const options = { ...(roll(2) === 0 ? {} : { maxAlign: maxAligns[roll(maxAligns.length)] }), erasedValue: roll(2) * 0xff, endian: roll(2) === 0 ? 'little' as const : 'big' as const, swapOffset: roll(2) === 0 }
    const state = decodeTrailer(bytes, options)
    expect(['good', 'unset', 'bad']).toContain(state.magic)
    if (before !== null) swaps.add(decideSwap(before, state, { swapOffset: options.swapOffset }))
    before = state
  }
  console.log(`${fuzzRounds} mutated trailers in ${((performance.now() - began) / 1000).toFixed(1)} s`)
  // The mutations reach every decision of bootutil's table.
  expect([...swaps].sort()).toEqual(['none', 'perm', 'revert', 'test'])
}, fuzzTimeoutMs)

test('a padded image whose trailer was changed still says what is in it', () => {
  const roll = dice(fuzzSeed + 7)
  const padded = index.vectors.filter(({ name, output }) => /^pad-/.test(name) && output.endsWith('.bin')).slice(0, 4).map((row) => outputOf(row))
  expect(padded.length).toBeGreaterThan(0)
  for (let round = 0; round < 300; round++) {
    const bytes = concat(padded[roll(padded.length)] ?? new Uint8Array(0))
    bytes[bytes.length - 1 - roll(80)] = roll(256)
    expect(good(inspectImage(bytes)).rest.is).toMatch(/^(padding|trailer|other)$/)
  }
})

/** Every line a record, as bytes without the checksum; mutated as such, it goes back with a right or a wrong one. */
const hexSources: readonly (readonly Uint8Array[])[] = [
  readFileSync(join(import.meta.dirname, '..', 'vectors', 'imgtool', 'images', 'hex-out.hex'), 'utf8').split('\n').slice(0, 12).concat(':00000001FF').join('\n'),
  writeHex([{ address: 0xfff8, bytes: new Uint8Array(40).fill(7) }, { address: 0x0801_0000, bytes: new Uint8Array(33) }].slice(0, 1)),
  writeHex([{ address: 0x0801_fff0, bytes: new Uint8Array(64).fill(1) }, { address: 0x0802_4000, bytes: new Uint8Array(16) }]),
].map((text) => text.split('\n').filter((line) => line !== '').map((line) => (fromHex(line.slice(1)) ?? new Uint8Array(0)).slice(0, -1)))

function lineOf(record: Uint8Array, mend: boolean): string {
  const sum = record.reduce((total, byte) => total + byte, 0)
  return `:${Buffer.from(record).toString('hex')}${(mend ? -sum & 0xff : (1 - sum) & 0xff).toString(16).padStart(2, '0')}`.toUpperCase()
}

function mutatedHex(roll: (below: number) => number): string {
  const records = [...hexSources[roll(hexSources.length)] ?? []]
  for (let changes = 1 + roll(3); changes > 0; changes--) {
    const at = roll(records.length)
    const record = concat(records[at] ?? new Uint8Array(0))
    switch (roll(6)) {
      case 0: records.splice(at, 1); break
      case 1: records.splice(roll(records.length), 0, record); break
      case 2: record[roll(Math.max(1, record.length))] = roll(256); records[at] = record; break
      case 3: record[3] = roll(8); records[at] = record; break
      case 4: record[0] = roll(256); records[at] = record; break
      default: records[at] = roll(2) === 0 ? record.subarray(0, roll(record.length + 1)) : concat(record, Uint8Array.from({ length: roll(8) }, () => roll(256)))
    }
  }
  const text = records.map((record) => lineOf(record, roll(16) > 0)).join(roll(4) === 0 ? '\r\n' : '\n')
  if (roll(4) > 0) return text
  const at = roll(text.length + 1)
  return `${text.slice(0, at)}${String.fromCharCode(roll(300))}${text.slice(at + roll(3))}`
}

test(`${fuzzRounds} mutated HEX files become bytes or a Failure that names a line`, () => {
  const roll = dice(fuzzSeed)
  const began = performance.now()
  let [read, refused] = [0, 0]
  for (let round = 0; round < fuzzRounds; round++) {
    const text = mutatedHex(roll)
    const image = readHex(roll(2) === 0 ? text : Buffer.from(text, 'latin1'))
    if (failed(image)) {
      refused++
      expect(['bad-hex', 'empty-firmware', 'too-large']).toContain(image.kind)
      continue
    }
    read++
    expect(image.bytes.length).toBeLessThanOrEqual(text.length + HEX_GAPS_MAX)
    if (round % 64 === 0) parseImage(image.bytes)
    // What was read is written and read again the same, gaps and all.
    if (round % 256 === 0 && image.bytes.length < 100_000) expect(good(readHex(writeHex([{ address: image.baseAddress, bytes: image.bytes }])))).toEqual(image)
  }
  console.log(`${fuzzRounds} mutated HEX files in ${((performance.now() - began) / 1000).toFixed(1)} s, ${refused} refused`)
  expect(read).toBeGreaterThan(fuzzRounds / 50)
  expect(refused).toBeGreaterThan(fuzzRounds / 4)
}, fuzzTimeoutMs)

test('a few bytes of HEX do not take the memory of a whole flash: what is left out is bounded', () => {
  const apart = (gap: number) => readHex(writeHex([{ address: 0, bytes: new Uint8Array(1) }, { address: gap + 1, bytes: new Uint8Array(1) }]))
  expect(good(apart(HEX_GAPS_MAX)).bytes.length).toBe(HEX_GAPS_MAX + 2)
  expect(apart(HEX_GAPS_MAX + 1)).toBeInstanceOf(Failure)
  expect(apart(0xffff_fff0)).toMatchObject({ kind: 'too-large' })
})
