// The plan against every slot state that Zephyr's server showed while it was recorded (vectors/smp/update-*.jsonl), with
// 1.1.0+7 as the wanted image, and against the refusals that must come before the first byte.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { plan, returnTimeoutMs, situationOf } from '../../main/line/plan.ts'
import { checkImage } from '../../main/line/recipe.ts'
import { nextBoot } from '../../main/line/slots.ts'
import type { SlotSays, Step } from '../../main/line/state.ts'
import { boardWith, freshBoard, image, jobWith, newHash, oldHash, otherHash, recipe, slot } from './making.ts'

type Recorded = { response: { body: { images?: (Omit<SlotSays, 'image'> & { hash: string })[] } } | null }

function recordedStates(file: string): Map<string, SlotSays[]> {
  const states = new Map<string, SlotSays[]>()
  for (const line of readFileSync(new URL(`../vectors/smp/${file}`, import.meta.url), 'utf8').trim().split('\n')) {
    const { response } = JSON.parse(line) as Recorded
    const images = response?.body?.images
    if (images?.[0]?.hash === undefined) continue
    const slots = images.map((each) => ({ ...each, image: 0, hash: each.hash.replace('hex:', '') }))
    const words = slots.map((each) => [each.version, ...(['active', 'confirmed', 'pending', 'permanent'] as const).filter((flag) => each[flag])].join(' '))
    states.set(words.join(' | '), slots)
  }
  return states
}

const wanted = { version: { major: 1, minor: 1, revision: 0, build: 7 }, hash: 'e2bcf8cdf1c5094ab400fde3d2f4d5d2fb59ad1b1cbe364b654d55d1af987f86' }
const upload = ['upload', 'check-slot']
const tryIt = ['reset', 'await-return']
const proveIt = ['prove', 'prove', 'prove', 'confirm', 'check-confirmed']

const expected: Record<string, [string, string[]]> = {
  '1.0.0 active confirmed': ['to-be-written', [...upload, 'mark', ...tryIt, ...proveIt]],
  '1.0.0 active confirmed | 1.1.0.7': ['waits-unmarked', ['mark', ...tryIt, ...proveIt]],
  '1.0.0 active confirmed | 1.1.0.7 pending': ['waits-marked', [...tryIt, ...proveIt]],
  '1.1.0.7 active | 1.0.0 confirmed': ['runs-on-test', proveIt],
  '1.1.0.7 active confirmed | 1.0.0': ['runs-for-good', []],
  '1.1.0.7 active confirmed | 1.0.0 pending permanent': ['runs-but-other-pending', tryIt],
  '1.0.0 active confirmed | 2.0.0': ['to-be-written', [...upload, 'mark', ...tryIt, ...proveIt]],
  '1.0.0 active confirmed | 2.0.0 pending': ['other-pending', tryIt],
  '1.0.0 active confirmed | 1.0.0': ['to-be-written', [...upload, 'mark', ...tryIt, ...proveIt]],
}

for (const file of ['update-swap-move.jsonl', 'update-swap-move-image-check.jsonl']) {
  const states = recordedStates(file)
  test(`${file}: every slot state that was recorded has a row in the table`, () => {
    expect([...states.keys()].sort()).toEqual(Object.keys(expected).sort())
  })
  for (const [words, slots] of states) {
    test(`${file}: ${words}`, () => {
      const row = expected[words]
      expect(situationOf(slots, wanted.hash)).toBe(row?.[0])
      const planned = plan(boardWith(...slots), jobWith({ image: wanted }))
      expect(planned).not.toBeInstanceOf(Failure)
      const steps: readonly Step[] = 'steps' in planned ? planned.steps : []
      expect(steps.map((step) => step.do)).toEqual(row?.[1])
    })
  }
}

test('another image on test is restarted away before anything is sent', () => {
  const planned = plan(boardWith(slot(0, '1.0.5', otherHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed')), jobWith())
  expect(planned).toMatchObject({ is: 'clear', steps: [{ do: 'reset', purpose: 'clear' }, { do: 'await-return' }] })
})

test('upload-only needs no step more when the image already lies in the slot', () => {
  const board = boardWith(slot(0, '1.0.0', oldHash, 'active', 'confirmed'), slot(1, '1.1.0', newHash))
  expect(plan(board, jobWith({ recipe: { mode: 'upload-only' } }))).toMatchObject({ is: 'update', steps: [] })
})

const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : null)

test('a board that names no running image is refused rather than guessed at', () => {
  expect(kindOf(plan(boardWith(), jobWith()))).toBe('nothing-runs')
})

test('an image that swap-move would throw away is refused although imgtool signs it', () => {
  // 0x67bf7 bytes in a slot of 0x69000: listed and marked by the server, then erased by MCUboot (facts section 15).
  const tooLarge = jobWith({ image: { imageBytes: 0x67bf7, bytes: 0x67bf7 } })
  expect(kindOf(plan(freshBoard, tooLarge))).toBe('image-too-large')
  expect(kindOf(plan(freshBoard, jobWith({ image: { imageBytes: 0x67000 } })))).toBe(null)
  expect(kindOf(plan(freshBoard, jobWith({ image: { imageBytes: 0x67001 } })))).toBe('image-too-large')
})

test('the slot sizes that a board tells count for more than its profile', () => {
  const small = { ...freshBoard, slotBytes: [{ image: 0, slot: 0, bytes: 0x10000 }, { image: 0, slot: 1, bytes: 0x10000 }] }
  expect(kindOf(plan(small, jobWith()))).toBe('image-too-large')
  expect(kindOf(plan({ ...freshBoard, maxImageBytes: 82_999 }, jobWith()))).toBe('image-too-large')
})

test('a board that runs something newer is left alone unless the recipe allows the step back', () => {
  const newer = boardWith(slot(0, '2.0.0', oldHash, 'active', 'confirmed'))
  expect(kindOf(plan(newer, jobWith()))).toBe('downgrade')
  expect(kindOf(plan(newer, jobWith({ recipe: { allowDowngrade: true } })))).toBe(null)
  expect(kindOf(plan({ ...newer, noDowngrade: true }, jobWith({ recipe: { allowDowngrade: true } })))).toBe('downgrade-prevented')
})

test('a mode without an upgrade slot is refused with its name', () => {
  expect(kindOf(plan({ ...freshBoard, mode: 'firmware-loader' }, jobWith()))).toBe('mode-unsupported')
})

test('a test key stays off real boards unless the recipe names it', () => {
  const key = { name: 'practice', fingerprint: 'f5'.repeat(32), class: 'test', retired: false } as const
  expect(kindOf(plan(freshBoard, jobWith({ practice: false, image: { key } })))).toBe('test-key')
  expect(kindOf(plan(freshBoard, jobWith({ practice: true, image: { key } })))).toBe(null)
  expect(kindOf(plan(freshBoard, jobWith({ practice: false, image: { key }, recipe: { allowedKeys: [key.fingerprint] } })))).toBe(null)
})

test.each([
  ['hash-wrong', { hashHolds: false }],
  ['not-bootable', { bootable: false }],
  ['has-trailer', { hasTrailer: true }],
  ['unsigned', { signature: 'unsigned', keyHash: null, key: null }],
  ['signature-invalid', { signature: 'invalid' }],
  ['unknown-key', { signature: 'unknown-key', key: null }],
  ['key-retired', { key: { name: 'old', fingerprint: 'd4'.repeat(32), class: 'production', retired: true } }],
] as const)('an image is refused before any board is asked: %s', (kind, changes) => {
  expect(kindOf(checkImage({ ...image, ...changes }, recipe))).toBe(kind)
})

test('an image signed with a key that the recipe does not list is refused', () => {
  expect(kindOf(checkImage(image, { ...recipe, allowedKeys: ['00'.repeat(32)] }))).toBe('key-not-allowed')
  expect(checkImage(image, { ...recipe, allowedKeys: [image.keyHash ?? ''] })).toBe(null)
  // The same key under another hash, or whole in the image: the ring's own fingerprint names it all the same.
  const key = { name: 'line', fingerprint: 'd4'.repeat(32), class: 'production', retired: false } as const
  for (const keyHash of ['ab'.repeat(48), 'ab'.repeat(64), null]) {
    expect(checkImage({ ...image, keyHash, key }, { ...recipe, allowedKeys: [key.fingerprint] })).toBe(null)
    expect(kindOf(checkImage({ ...image, keyHash, key }, { ...recipe, allowedKeys: ['00'.repeat(32)] }))).toBe('key-not-allowed')
  }
  expect(checkImage({ ...image, keyHash: 'ab'.repeat(64), key }, { ...recipe, allowedKeys: ['ab'.repeat(64)] })).toBe(null)
})

test('the wait for a swap of 380 kB on an nRF52840 (24 s of silence) is never cut short', () => {
  expect(returnTimeoutMs(5_000)).toBeGreaterThan(24_000)
  expect(returnTimeoutMs(380_000)).toBeGreaterThan(2 * 24_000)
})

test('a unit left half-way says what it will do at its next restart', () => {
  expect(nextBoot(freshBoard.slots)).toBe('')
  expect(nextBoot([slot(0, '1.1.0', newHash, 'active'), slot(1, '1.0.0', oldHash, 'confirmed')])).toContain('1.0.0')
  expect(nextBoot([slot(0, '1.0.0', oldHash, 'active', 'confirmed'), slot(1, '1.1.0', newHash, 'pending')])).toContain('try 1.1.0')
})
