// The trailer against what MCUboot itself left in flash (vectors/mcuboot), imgtool's padded images, and the table of
// bootutil_public.c row by row.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, filled, fromHex } from '../../main/base/bytes.ts'
import { parseImage } from '../../main/image/format.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import { decideSwap, decodeTrailer, encodeTrailer, erasedTrailer, largestImage, maxAligns, trailerBytes, trailerOffsets, writeAligns } from '../../main/image/trailer.ts'
import type { TrailerState } from '../../main/image/trailer.ts'
import { fileOf, good, index, outputOf } from './vectors.ts'

type Flash = { stages: { stage: string; slot0: { last_64_bytes: string; version?: string }; slot1: { last_64_bytes: string } }[] }
const flash = (name: string) => JSON.parse(readFileSync(join(import.meta.dirname, '..', 'vectors', 'mcuboot', name), 'utf8')) as Flash
const state = (slot: { last_64_bytes: string }) => decodeTrailer(fromHex(slot.last_64_bytes) ?? new Uint8Array(0), { maxAlign: 8 })

describe.each(['flash-swap-move.json', 'flash-swap-scratch.json'])('what MCUboot left in flash, %s', (name) => {
  const { stages } = flash(name)
  const at = (stage: string) => {
    const found = stages.find((one) => one.stage.startsWith(stage))
    if (found === undefined) throw new Error(`no stage ${stage}`)
    return { swap: decideSwap(state(found.slot0), state(found.slot1)), primary: state(found.slot0), version: found.slot0.version }
  }

  test('we decide as MCUboot then did', () => {
    expect(at('start').swap).toBe('none')
    expect(at('1.1.0 uploaded').swap).toBe('none')
    expect(at('1.1.0 marked for test').swap).toBe('test')
    // a test run that nobody confirmed goes back at the next boot
    expect(at('after swap: 1.1.0').swap).toBe('revert')
    expect(at('after swap: 1.1.0').primary).toMatchObject({ magic: 'good', imageOk: 'unset', copyDone: 'set' })
    expect(at('after revert').swap).toBe('none')
    expect(at('confirmed 1.1.0').swap).toBe('none')
    expect(at('confirmed 1.1.0').primary.imageOk).toBe('set')
    expect(at('1.0.0 in slot1 marked permanent').swap).toBe('perm')
    expect(at('after the permanent swap').swap).toBe('none')
  })

  test('what we encode from a decoded trailer is what was there', () => {
    for (const { slot0, slot1 } of stages) {
      for (const slot of [slot0, slot1]) {
        const bytes = fromHex(slot.last_64_bytes) ?? new Uint8Array(0)
        const read = state(slot)
        const fields = {
          magic: read.magic === 'good', imageOk: read.imageOk === 'set', copyDone: read.copyDone === 'set',
          ...(bytes[64 - 40] === 0xff ? {} : { swapType: read.swapType, imageNumber: read.imageNumber }),
          ...(read.swapSizeBytes === null ? {} : { swapSizeBytes: read.swapSizeBytes }),
        }
        const made = encodeTrailer(fields, { align: 1, maxAlign: 8 })
        expect(Buffer.from(made.subarray(-48)).toString('hex')).toBe(slot.last_64_bytes.slice(32))
      }
    }
  })
})

test('imgtool’s padded images cause the swap they were made for', () => {
  const swapOf = (name: string) => good(inspectImage(outputOf(index.vectors.find((row) => row.name === name) ?? index.vectors[0]!))).trailer
  expect(swapOf('pad-align8')).toMatchObject({ swap: 'test', maxAlign: 8 })
  expect(swapOf('pad-test-align4')).toMatchObject({ swap: 'test' })
  expect(swapOf('pad-confirm-align8')).toMatchObject({ swap: 'perm', imageOk: 'set' })
  expect(swapOf('pad-confirm-align32')).toMatchObject({ swap: 'perm', maxAlign: 32 })
  expect(swapOf('pad-erased-0')).toMatchObject({ swap: 'test', imageOk: 'unset', copyDone: 'unset' })
  expect(swapOf('ed25519')).toBeNull()
  expect(good(parseImage(fileOf('images/pad-align8.bin'))).rest.length).toBe(131072 - 5656)
})

test('a bad flag is neither set nor unset, and a good secondary magic with a bad image_ok swaps nothing', () => {
  const good8: TrailerState = { ...erasedTrailer, magic: 'good' }
  expect(decideSwap(erasedTrailer, { ...good8, imageOk: 'bad' })).toBe('none')
  expect(decideSwap({ ...good8, copyDone: 'set', imageOk: 'bad' }, erasedTrailer)).toBe('none')
  expect(decideSwap({ ...good8, copyDone: 'set' }, { ...erasedTrailer, magic: 'bad' })).toBe('revert')
  expect(decideSwap({ ...good8, copyDone: 'set', imageOk: 'set' }, erasedTrailer)).toBe('none')
  // swap-offset keeps its own row before the others
  expect(decideSwap(erasedTrailer, { ...good8, copyDone: 'set' }, { swapOffset: true })).toBe('revert')
  expect(decideSwap(erasedTrailer, { ...good8, copyDone: 'set' })).toBe('test')
})

const trailerOptions = fc.record({
  align: fc.constantFrom(...writeAligns), maxAlign: fc.constantFrom(...maxAligns), maxSectors: fc.integer({ min: 1, max: 512 }), swapOffset: fc.boolean(), keySlotBytes: fc.constantFrom(0, 16, 32),
})
const fieldValues = fc.record({
  magic: fc.boolean(), imageOk: fc.boolean(), copyDone: fc.boolean(), swapType: fc.constantFrom('none', 'test', 'perm', 'revert' as const), imageNumber: fc.integer({ min: 0, max: 3 }), swapSizeBytes: fc.nat(0xfffffe),
})

test('whatever is written reads back, for either erased value and byte order', () => {
  fc.assert(fc.property(trailerOptions, fieldValues, fc.constantFrom(0, 0xff), fc.constantFrom('little', 'big' as const), (options, fields, erasedValue, endian) => {
    // the swap size 0 cannot be told from erased flash whose erased bytes are 0
    fc.pre(!(erasedValue === 0 && fields.swapSizeBytes === 0))
    const bytes = encodeTrailer(fields, options, erasedValue, endian)
    expect(bytes.length).toBe(trailerBytes(options))
    const read = decodeTrailer(concat(filled(1000, erasedValue), bytes), { maxAlign: options.maxAlign, erasedValue, endian, swapOffset: options.swapOffset })
    expect(read).toEqual({
      magic: fields.magic ? 'good' : 'unset', imageOk: fields.imageOk ? 'set' : 'unset', copyDone: fields.copyDone ? 'set' : 'unset',
      swapType: fields.swapType, imageNumber: fields.imageNumber, swapSizeBytes: fields.swapSizeBytes,
    })
  }))
})

test('fields never overlap and lie inside the trailer', () => {
  fc.assert(fc.property(trailerOptions, (options) => {
    const at = trailerOffsets(0x80000, options)
    const fields = [at.status, at.swapSize, ...(at.tlvSizes === undefined ? [] : [at.tlvSizes]), at.swapInfo, at.copyDone, at.imageOk, at.magic, 0x80000]
    for (let i = 1; i < fields.length; i++) expect(fields[i]! - fields[i - 1]!).toBeGreaterThanOrEqual(i === 1 ? 0 : 8)
  }))
})

test('the largest image of each mode', () => {
  const slots = { primaryBytes: 0x69000, secondaryBytes: 0x69000, sectorBytes: 4096, align: 1, maxAlign: 8 } as const
  const trailer = trailerBytes(slots)
  expect(trailer).toBe(128 * 3 + 4 * 8 + 16)
  // imgtool 2.4.0 took 0x67bf7 bytes in this slot, and MCUboot with swap-move refused it
  expect(largestImage('swap-move', slots)).toBe(0x67000)
  expect(largestImage('swap-move', slots)).toBeLessThan(0x67bf7)
  expect(largestImage('swap-offset', slots)).toBe(0x67000)
  // scratch's own trailer (3 + 48 bytes) fits beside the slot's in the last sector
  expect(largestImage('swap-scratch', slots)).toBe(0x69000 - trailer)
  expect(largestImage('overwrite', slots)).toBe(0x69000 - 16 - 3 * 8)
  expect(largestImage('single', slots)).toBe(0x69000 - 48)
  expect(largestImage('swap-move', { ...slots, primaryBytes: 4096 })).toBe(0)
  expect(largestImage('swap-move', { ...slots, secondaryBytes: 0x40000 })).toBe(0x3f000)
})
