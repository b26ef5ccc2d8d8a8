// Long readings of the log go on in pieces: boards are written by the same process, and what holds its event loop up shows
// as a stalled line. Turns of the loop are counted, not milliseconds. And they come to an end over a log whose numbers
// somebody has torn apart.
import Database from 'better-sqlite3'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { openAuditStoreForReading } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { emptyFound, extendFound, listFound } from '../../main/store/find.ts'
import { recall } from '../../main/store/recall.ts'
import { readRuns } from '../../main/station/history.ts'
import { batchReport, historyTable } from '../../main/station/reports.ts'
import { runDrafts, imageHash, madeHome } from '../bundle/made.ts'
import { hashOf, newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

afterEach(release)

/** What came of it, and how often other work had its turn meanwhile. */
async function turnsIn<T>(work: () => Promise<T>): Promise<{ answer: T; turns: number }> {
  let [turns, over] = [0, false]
  const turn = () => {
    turns += 1
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  const answer = await work()
  over = true
  return { answer, turns }
}

test('a recall, a list, runs, a history and a report let other work have its turn', async () => {
  const { store } = await madeHome()
  for (let i = 0; i < 600; i++) value(store.appendAll(runDrafts('b9', `SN-b9-${i}`, 'confirmed', 1)))
  value(store.appendAll(Array.from({ length: 2_000 }, (_, i) => outcomeDraft('busy', { run: `busy-${i}` }))))
  value(await store.checkpoint())
  const readings: readonly (readonly [name: string, least: number, work: () => Promise<unknown>])[] = [
    ['recall', 5, () => recall(store.database, { image: imageHash })],
    ['list', 3, () => listFound(store, { text: 'SN-b9' })],
    ['runs', 50, () => readRuns(store, 'b9')],
    ['history', 8, () => historyTable(store, 'busy')],
    ['report', 20, () => batchReport({ audit: store, version: '1.0.0', wallMs: () => 0 }, 'b9')],
  ]
  for (const [name, least, work] of readings) {
    const { answer, turns } = await turnsIn(work)
    expect(failed(answer), name).toBe(false)
    expect(turns, name).toBeGreaterThanOrEqual(least)
  }
})

test('a recall and a list that are stopped say so', async () => {
  const store = storeIn(newHome())
  value(store.append(outcomeDraft('u')))
  const signal = AbortSignal.abort()
  expect(await recall(store.database, { image: hashOf('image') }, signal)).toMatchObject({ kind: 'stopped' })
  expect(await listFound(store, {}, signal)).toMatchObject({ kind: 'stopped' })
})

test('a list in pieces is the list in one go, whatever is looked for', async () => {
  const store = storeIn(newHome())
  value(store.appendAll(Array.from({ length: 5_000 }, (_, i) => outcomeDraft(`u${i % 70}`, { run: `r${i}`, outcome: i % 9 === 0 ? 'reverted' : 'confirmed' }))))
  const filter = fc.record({
    before: fc.option(fc.integer({ min: 0, max: 5_200 })), limit: fc.integer({ min: 1, max: 900 }), kind: fc.constantFrom(null, 'outcome', 'image-signed'), unit: fc.constantFrom(null, 'u3', 'nobody'),
    outcome: fc.constantFrom(null, 'reverted'), text: fc.constantFrom(null, '', 'r49', 'RUNS THE'),
  })
  await fc.assert(fc.asyncProperty(filter, async (looked) => {
    const { entries, total } = value(await listFound(store, looked))
    expect(entries).toEqual(value(store.list(looked)))
    expect(total).toBe(value(store.count(looked)))
  }), { numRuns: 40 })
  expect(value(await listFound(store, { limit: 3_500 })).entries.map(({ seq }) => seq)).toEqual(Array.from({ length: 3_500 }, (_, i) => 4_999 - i))
})

test('numbers that were torn far apart do not keep a reading busy for ever', async () => {
  const home = newHome()
  const filled = storeIn(home)
  value(filled.appendAll(Array.from({ length: 300 }, (_, i) => outcomeDraft(`u${i}`))))
  filled.close()
  const far = 9_000_000_000_000_000
  const sql = new Database(join(home, databaseName))
  sql.exec(`DROP TRIGGER entries_stay; UPDATE entries SET seq = ${far} WHERE seq = 299; UPDATE outcomes SET seq = ${far} WHERE seq = 299; UPDATE head SET size = ${far} + 1`)
  sql.close()
  const store = value(openAuditStoreForReading(home))
  expect(value(await listFound(store, { kind: 'outcome' })).total).toBe(300)
  expect(value(await recall(store.database, { image: hashOf('image') })).units).toHaveLength(300)
  const found = emptyFound({ text: 'u2' })
  expect(await extendFound(store, found, new AbortController().signal)).toBeNull()
  expect(found.seqs.at(-1)).toBe(far)
  store.close()
})
