// Recall: from an image, a key or a package to each unit that got it and what that unit runs now; where the log cannot know,
// it says so.
import { afterEach, expect, test } from 'vitest'
import type { EntryDraft } from '../../main/log/entry.ts'
import { recall } from '../../main/store/recall.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { hashOf, newHome, release, storeIn, value } from './fixture.ts'

afterEach(release)

const [bad, good] = [hashOf('bad image'), hashOf('good image')]
const [key, pack] = [hashOf('key'), hashOf('package file')]

function signed(imageHash: string, by: string): EntryDraft {
  return { kind: 'image-signed', data: { key: by, algorithm: 'ed25519', inputSha256: hashOf('in'), outputSha256: hashOf(`out ${imageHash}`), imageHash, version: '1.0.0', file: 'app.bin', bytes: 9 } }
}

/** A run that writes the image and ends as told; `open` ends in the middle, after the reset was asked for. */
function run(unit: string, imageHash: string, end: 'confirmed' | 'reverted' | 'open', before = good): EntryDraft[] {
  const of = { run: `${unit}-${imageHash.slice(0, 4)}`, unit, batch: 'b1' }
  const begun: EntryDraft[] = [
    { kind: 'run-started', data: { ...of, port: '/dev/ttyACM0', activeHash: before } },
    { kind: 'slot-write-intended', data: { ...of, image: 0, slot: 1, imageHash, bytes: 9 } },
    { kind: 'slot-write-done', data: { ...of, image: 0, slot: 1, imageHash, bytes: 9, slotHash: imageHash } },
    { kind: 'reset-intended', data: { ...of } },
  ]
  if (end === 'open') return begun
  const activeHash = end === 'confirmed' ? imageHash : before
  return [...begun, { kind: 'booted', data: { ...of, activeHash: imageHash, version: '1.0.0' } }, { kind: 'outcome', data: { ...of, outcome: end, says: 'It ended.', activeHash, version: '1.0.0' } }]
}

function filled(): AuditStore {
  const store = storeIn(newHome())
  value(store.appendAll([
    signed(bad, key), signed(good, hashOf('other key')),
    { kind: 'package-made', data: { packageSha256: pack, imageHash: bad, file: 'app.cms', bytes: 99 } },
    ...run('keeps', bad, 'confirmed'), ...run('went back', bad, 'reverted'), ...run('cut off', bad, 'open'),
    ...run('mended', bad, 'confirmed'), ...run('mended', good, 'confirmed', bad), ...run('never', good, 'confirmed'),
  ]))
  return store
}

const units = [['keeps', true, 'yes'], ['went back', true, 'no'], ['cut off', false, 'unknown'], ['mended', true, 'no']]

test.each([
  ['the image', { image: bad }], ['the first digits of it', { image: bad.slice(0, 10) }], ['its key', { key }], ['its package', { package: pack }], ['in capitals', { package: pack.toUpperCase() }],
])('%s leads to each unit that got it, whether it ran there and whether it still does', async (_name, wanted) => {
  const found = value(await recall(filled().database, wanted))
  expect(found.images).toEqual([bad])
  expect(found.units.map(({ unit, ran, stillRuns }) => [unit, ran, stillRuns])).toEqual(units)
})

test('a package opened here, made elsewhere, is known by its file too', async () => {
  const store = filled()
  const other = hashOf('from the supplier')
  value(store.append({ kind: 'package-opened', data: { packageSha256: other, imageHash: good, file: 'from.cms' } }))
  expect(value(await recall(store.database, { package: other })).units.map(({ unit }) => unit)).toEqual(['went back', 'mended', 'never'])
})

test('what the log does not know, and what is no hash, are said to be so', async () => {
  const { database } = filled()
  expect(await recall(database, { package: hashOf('nobody has it') })).toMatchObject({ kind: 'no-such-image' })
  expect(await recall(database, { image: bad.slice(0, 4) })).toMatchObject({ kind: 'bad-hash' })
  expect(await recall(database, { key: 'not hex at all' })).toMatchObject({ kind: 'bad-hash' })
})

// Images of other numbers: a network core beside the application.

const radio = hashOf('bad radio')
/** A run that brings both; `then` is the board's word on image 1 at the end, or none. */
function bothRun(unit: string, radioHash: string, then: { hash: string; confirmed: boolean } | null, open = false): EntryDraft[] {
  const of = { run: `${unit}-${radioHash.slice(0, 4)}`, unit, batch: 'b1' }
  const word = (hash: string, confirmed: boolean): EntryDraft => ({ kind: 'image-runs', data: { ...of, image: 1, activeHash: hash, version: '3.1.0', confirmed } })
  return [
    { kind: 'run-started', data: { ...of, port: '/dev/ttyACM0' } },
    { kind: 'slot-write-intended', data: { ...of, image: 1, slot: 1, imageHash: radioHash, bytes: 9 } },
    { kind: 'slot-write-done', data: { ...of, image: 1, slot: 1, imageHash: radioHash, bytes: 9, slotHash: radioHash } },
    { kind: 'reset-intended', data: { ...of } },
    ...(open ? [] : [
      { kind: 'booted', data: { ...of, activeHash: good, version: '1.0.0' } } as const,
      ...(then === null ? [] : [word(then.hash, then.confirmed)]),
      { kind: 'outcome', data: { ...of, outcome: 'confirmed', says: 'It ended.', activeHash: good, version: '1.0.0' } } as const,
    ]),
  ]
}

test('an image that is not the application is followed by the board\'s word on that very image', async () => {
  const store = storeIn(newHome())
  const other = hashOf('other radio')
  value(store.appendAll([
    ...bothRun('keeps', radio, { hash: radio, confirmed: true }),
    ...bothRun('mended', radio, { hash: radio, confirmed: true }), ...bothRun('mended', other, { hash: other, confirmed: true }),
    ...bothRun('cut off', radio, null, true),
    ...bothRun('never named', radio, null),
    // A later update of the application alone: what was on test may have gone back at its restart.
    ...bothRun('on test', radio, { hash: radio, confirmed: false }), ...run('on test', good, 'confirmed'),
    ...bothRun('kept since', radio, { hash: radio, confirmed: true }), ...run('kept since', good, 'confirmed'),
  ]))
  const found = value(await recall(store.database, { image: radio }))
  expect(found.units.map(({ unit, ran, stillRuns, now }) => [unit, ran, stillRuns, now.version])).toEqual([
    ['keeps', true, 'yes', '3.1.0'], ['mended', true, 'no', '3.1.0'], ['cut off', false, 'unknown', null], ['never named', false, 'unknown', null],
    ['on test', true, 'unknown', '3.1.0'], ['kept since', true, 'yes', '3.1.0'],
  ])
})
