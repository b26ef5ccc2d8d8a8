// What the auditor asks of a log: found sets that are right at any place and grow with the log, proofs, figures against
// counting by hand, recall as a table, and a batch's report on paper.
import { createHash, generateKeyPairSync } from 'node:crypto'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { fromHex } from '../../main/base/bytes.ts'
import { Failure, failed } from '../../main/base/failure.ts'
import { recallTable } from '../../main/bundle/recall-table.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import { verifyInclusion } from '../../main/log/proof.ts'
import { entryProof, logBatches, logFigures, logKeys, recallAll, recallChoices, recallUnits } from '../../main/station/auditing.ts'
import { recallableIn } from '../../main/station/recall-file.ts'
import { batchReport, historyTable, labelFacts } from '../../main/station/reports.ts'
import { Searches } from '../../main/station/searches.ts'
import { conditionOf } from '../../main/store/audit.ts'
import { imageHash, keyHash, madeHome, runDrafts } from '../bundle/made.ts'
import { hashOf, newHome, outcomeDraft, release, storeIn, value } from '../store/fixture.ts'

afterEach(release)
const noFilter = { kind: null, text: '', unit: null, person: null, batch: null, key: null, outcome: null, since: null, until: null }

test('every place of a found set holds what the database says, whatever the filter', async () => {
  const { store } = await madeHome()
  const searches = new Searches(store)
  const filters = fc.record({
    kind: fc.constantFrom(null, 'outcome', 'booted'), text: fc.constantFrom('', 'SN-b1-1', 'unplugged', 'nothing like it'), unit: fc.constantFrom(null, 'SN-b1-3', 'SN-b2-0'),
    outcome: fc.constantFrom(null, 'confirmed', 'failed'), batch: fc.constantFrom(null, 'b2'), key: fc.constantFrom(null, keyHash),
  })
  await fc.assert(fc.asyncProperty(filters, async (some) => {
    const filter = { ...noFilter, ...some }
    const { where, values } = conditionOf(filter)
    const wanted = store.database.sql.prepare(`SELECT seq FROM entries ${where} ORDER BY seq DESC`).pluck().all(...values)
    const found = value(await searches.find(filter))
    expect(found.total).toBe(wanted.length)
    const all: number[] = []
    for (let at = 0; at < found.total; at += 7) all.push(...value(searches.entries(found.find, at, 7)).map(({ seq }) => seq))
    expect(all).toEqual(wanted)
    for (const [place, seq] of wanted.entries()) expect(value(searches.place(found.find, Number(seq)))).toEqual({ at: place })
  }), { numRuns: 60 })
})

test('a found set takes in what is written later, and a search that was given up says so', async () => {
  const store = storeIn(newHome())
  value(store.appendAll([outcomeDraft('a'), outcomeDraft('b')]))
  const searches = new Searches(store)
  const first = value(await searches.find({ ...noFilter, unit: 'a' }))
  expect(first.total).toBe(1)
  value(store.appendAll([outcomeDraft('b'), outcomeDraft('a')]))
  const again = value(await searches.find({ ...noFilter, unit: 'a' }))
  expect(again).toMatchObject({ find: first.find, total: 2, size: 4 })
  expect(value(searches.entries(first.find, 0, 5)).map(({ seq }) => seq)).toEqual([3, 0])
  for (let i = 0; i < 8; i++) value(await searches.find({ ...noFilter, unit: `other ${i}` }))
  expect(searches.entries(first.find, 0, 5)).toMatchObject({ kind: 'no-such-find' })
  expect(value(searches.place(value(await searches.find(noFilter)).find, 99))).toEqual({ at: null })
})

test('a newer search stops the one before, and neither answers for the other', async () => {
  const store = storeIn(newHome())
  value(store.appendAll(Array.from({ length: 9_000 }, (_, i) => outcomeDraft(`u${i % 3}`))))
  const searches = new Searches(store)
  const [slow, quick] = await Promise.all([searches.find({ ...noFilter, text: 'u1' }), searches.find({ ...noFilter, text: 'u2' })])
  expect(slow).toMatchObject({ kind: 'stopped' })
  expect(value(quick).total).toBe(3_000)
  expect(value(await searches.find({ ...noFilter, text: 'u1' })).total).toBe(3_000)
})

test('the proof beside an entry verifies, and an entry no checkpoint covers is not called proven', async () => {
  const { store } = await madeHome()
  const head = value(store.head())
  for (const seq of [0, 1, 17, head.size - 1]) {
    const proof = value(entryProof(store, seq))
    const leaf = fromHex(proof.leaf)
    const covered = proof.covered
    if (covered === null || leaf === null) throw new Error('it is covered')
    expect(covered.holds).toBe(true)
    expect(verifyInclusion(leaf, seq, { size: covered.size, root: fromHex(covered.root) ?? leaf }, covered.hashes.map((hash) => fromHex(hash) ?? leaf))).toBe(true)
    expect(covered.note).toContain(String(covered.size))
    expect(JSON.parse(proof.raw)).toMatchObject({ seq })
  }
  value(store.append(outcomeDraft('late')))
  expect(value(entryProof(store, head.size)).covered).toBeNull()
  expect(entryProof(store, 99_999)).toMatchObject({ kind: 'no-such-entry' })
})

test('figures say what counting by hand says', async () => {
  const { store } = await madeHome()
  const figures = value(await logFigures(store, { batch: 'b1', since: null, until: null }))
  expect(figures.counts).toEqual({ confirmed: 10, reverted: 1, failed: 1 })
  expect(figures.bays).toHaveLength(12)
  expect(figures.bays[5]).toEqual({ of: 6, counts: { failed: 1 } })
  expect(figures.failures).toEqual([{ kind: 'unplugged', count: 1, bays: [{ bay: 6, count: 1 }] }])
  expect(figures.times.map(({ of }) => of)).toEqual(['2026-03-01T08:00:00.000Z'])
  // A run writes ten entries a second apart.
  expect([figures.medianSeconds, figures.units, figures.firstPass]).toEqual([9, 12, 10])
  expect(figures.cycles.reduce((sum, { count }) => sum + count, 0)).toBe(10)
  const whole = value(await logFigures(store, { batch: null, since: null, until: null }))
  expect(whole.counts).toEqual({ confirmed: 13, reverted: 1, failed: 1 })
  expect(value(await logFigures(store, { batch: null, since: '2030', until: null }))).toMatchObject({ counts: {}, medianSeconds: null, cycles: [] })
})

test('figures over months go by days, and a second try that went well is no first pass', async () => {
  const { store, clock } = await madeHome()
  for (let day = 0; day < 60; day++) {
    clock.wall += 24 * 3_600_000
    clock.mono += 24 * 3_600_000
    value(store.appendAll(runDrafts(`d${day}`, day === 59 ? 'SN-b1-5' : `SN-d${day}`, 'confirmed', 1)))
  }
  const figures = value(await logFigures(store, { batch: null, since: null, until: null }))
  expect(figures.step).toBe('day')
  expect(figures.times).toHaveLength(61)
  expect(figures.units - figures.firstPass).toBe(2)
})

test('keys and batches of the log are named, the latest first', async () => {
  const { store } = await madeHome()
  expect(value(logKeys(store))).toEqual([{ fingerprint: keyHash, name: 'line' }])
  expect(value(logBatches(store)).map(({ batch }) => batch)).toEqual(['b2', 'b1'])
})

test('a recall begins with what the log knows, or with a file, and nobody types a hash', async () => {
  const { store } = await madeHome()
  expect(value(recallChoices(store))).toEqual([expect.objectContaining({ what: 'image', hash: imageHash, version: '2.0.0', file: 'app.bin' })])
  const folder = newHome()
  const file = (name: string, bytes: Uint8Array | string) => {
    const path = join(folder, name)
    writeFileSync(path, bytes)
    return path
  }
  const vectors = join(import.meta.dirname, '..', 'vectors', 'imgtool')
  const images = readdirSync(vectors, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.bin')).sort()
  let read = 0
  for (const name of images) {
    const bytes = readFileSync(join(vectors, name))
    const report = inspectImage(bytes)
    if (failed(report) || report.hash === null) continue
    read += 1
    expect(await recallableIn(join(vectors, name))).toEqual({ what: 'image', hash: report.hash.claimed, file: basename(name), version: report.version, at: null })
  }
  expect(read).toBeGreaterThan(3)
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = publicKey.export({ format: 'der', type: 'spki' })
  expect(await recallableIn(file('k.pem', publicKey.export({ format: 'pem', type: 'spki' })))).toMatchObject({ what: 'key', hash: createHash('sha256').update(spki).digest('hex') })
  expect(await recallableIn(file('app.bin', new Uint8Array(4096).fill(7)))).toMatchObject({ kind: 'not-recallable', says: expect.stringContaining('app.bin is no signed image') as string })
  expect(await recallableIn(file('k2.pem', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'))).toMatchObject({ kind: 'not-recallable' })
  expect(await recallableIn(folder)).toMatchObject({ kind: 'is-folder' })
})

test('recall finds who still runs it, by image, key or a beginning of either, and its table holds no formula', async () => {
  const { store } = await madeHome()
  for (const args of [{ what: 'image', hash: imageHash }, { what: 'image', hash: imageHash.slice(0, 8) }, { what: 'key', hash: keyHash }] as const) {
    expect(value(await recallUnits(store, args))).toMatchObject({ total: 15, images: [imageHash], counts: { yes: 13, no: 1, unknown: 1 } })
  }
  expect(await recallUnits(store, { what: 'image', hash: hashOf('never seen') })).toMatchObject({ kind: 'no-such-image' })
  const table = recallTable([{ ...value(await recallAll(store, { what: 'image', hash: imageHash })).units[0]!, unit: '=HYPERLINK("x")' }])
  expect(table.split('\r\n')[1]).toMatch(/^"'=HYPERLINK\(""x""\)",/)
})

test('a unit\'s history as a table has its entries and the signature behind its image', async () => {
  const { store } = await madeHome()
  const lines = value(await historyTable(store, 'SN-b1-3')).trim().split('\r\n')
  expect(lines).toHaveLength(1 + 10 + 1)
  expect(lines[1]).toContain('image-signed')
  expect(await historyTable(store, 'nobody')).toMatchObject({ kind: 'no-such-unit' })
  expect(value(labelFacts(store, 'SN-b1-3'))).toMatchObject({ outcome: 'reverted', version: '1.0.0', imageHash: hashOf('old image') })
  expect(labelFacts(store, 'nobody')).toMatchObject({ kind: 'no-such-unit' })
})

test('a batch\'s report tells of that batch alone and carries the checkpoint over it', async () => {
  const { store } = await madeHome()
  const desk = { audit: store, version: '9.9.9', wallMs: () => Date.UTC(2026, 2, 2) }
  const page = value(await batchReport(desk, 'b1'))
  expect(page).toContain('SN-b1-11')
  expect(page).not.toContain('SN-b2-0')
  expect(page).toContain(imageHash)
  expect(page).toContain(keyHash)
  expect(page).toContain('unplugged')
  expect(page).toMatch(/<svg[^>]*viewBox/)
  expect(page).not.toContain('<script')
  expect(page).not.toContain('danger <b>')
  expect(await batchReport(desk, 'b9')).toMatchObject({ kind: 'no-such-batch' })
  value(store.appendAll(runDrafts('b3', 'SN-late', 'confirmed', 1)))
  expect(await batchReport(desk, 'b3')).toBeInstanceOf(Failure)
  expect(await batchReport(desk, 'b3')).toMatchObject({ kind: 'no-checkpoint' })
})
