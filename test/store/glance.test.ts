// Entries read where they lie, without SQLite: they must be those that SQLite reads, whatever a station does meanwhile; not
// a byte may change; and a file that is damaged or not ours is given up in silence, since the copy's opening says it.
import { appendFileSync, copyFileSync, readdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { databaseName } from '../../main/store/database.ts'
import { openGlance } from '../../main/store/glance.ts'
import type { Glance } from '../../main/store/glance.ts'
import { newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

const glances: Glance[] = []
afterEach(() => {
  for (const glance of glances.splice(0)) glance.close()
  release()
})

function glanceAt(home: string): Glance {
  const glance = openGlance(join(home, databaseName))
  if (glance === null) throw new Error('it could not be glanced at')
  glances.push(glance)
  return glance
}

const filled = (home: string, entries: number) => {
  const store = storeIn(home)
  value(store.appendAll(Array.from({ length: entries }, (_, i) => outcomeDraft(`u${i}`, { says: 'x'.repeat((i * 7) % 1_000) }))))
  return store
}

const all = (size: number) => Array.from({ length: size }, (_, i) => size - 1 - i)
const stateOf = (home: string) => readdirSync(home).map((name) => [name, statSync(join(home, name)).mtimeMs, statSync(join(home, name)).ctimeMs, readFileSync(join(home, name)).toString('base64')])

test('entries that lie in the file, in the write-ahead log or in both are those that SQLite reads, and no byte changes', () => {
  const home = newHome()
  const store = filled(home, 700)
  for (const state of ['in the write-ahead log', 'in both', 'closed'] as const) {
    if (state === 'in both') {
      store.tidy()
      value(store.appendAll(Array.from({ length: 50 }, (_, i) => outcomeDraft(`later ${i}`))))
    }
    const wanted = state === 'closed' ? null : value(store.list({ limit: 1_000 }))
    if (state === 'closed') store.close()
    const before = stateOf(home)
    const glance = glanceAt(home)
    expect(glance.size, state).toBe(state === 'in the write-ahead log' ? 700 : 750)
    const read = glance.entries(all(glance.size))
    expect(read?.map(({ seq }) => seq), state).toEqual(all(glance.size))
    if (wanted !== null) expect(read, state).toEqual(wanted)
    expect(glance.entries([0, glance.size])).toBeNull()
    expect(stateOf(home), state).toEqual(before)
  }
})

test('a station that writes on and moves its pages does not change what is read', () => {
  const home = newHome()
  const store = filled(home, 300)
  const glance = glanceAt(home)
  const before = glance.entries(all(300))
  for (let round = 0; round < 5; round++) {
    value(store.appendAll(Array.from({ length: 200 }, (_, i) => outcomeDraft(`r${round} ${i}`, { says: 'y'.repeat(i * 5) }))))
    store.tidy()
    // A write-ahead log that is begun anew.
    value(store.append(outcomeDraft(`after ${round}`)))
    expect(glance.entries(all(300))).toEqual(before)
  }
  expect(glance.size).toBe(300)
})

test('another file in its place, a cut one and a closed glance give nothing', () => {
  const home = newHome()
  filled(home, 400).close()
  const path = join(home, databaseName)
  const glance = glanceAt(home)
  expect(glance.entries([5])).toHaveLength(1)
  copyFileSync(path, `${path}.kept`)
  truncateSync(path, 8_192)
  expect(glance.entries([5])).toBeNull()
  renameSync(`${path}.kept`, path)
  glance.close()
  expect(glance.entries([5])).toBeNull()
  writeFileSync(path, 'SQLite format 3\0'.padEnd(8_192, 'x'))
  expect(openGlance(path)).toBeNull()
  expect(openGlance(join(home, 'nowhere'))).toBeNull()
  expect(openGlance(home)).toBeNull()
})

test('bytes changed anywhere, in the file or its write-ahead log: entries or nothing, never a fault', () => {
  const home = newHome()
  const store = filled(home, 200)
  store.tidy()
  value(store.appendAll(Array.from({ length: 20 }, (_, i) => outcomeDraft(`later ${i}`))))
  const [whole, beside] = ['', '-wal'].map((end) => readFileSync(join(home, databaseName + end)))
  if (whole === undefined || beside === undefined) throw new Error('both are there')
  const broken = newHome()
  const path = join(broken, databaseName)
  const change = fc.record({ beside: fc.boolean(), at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), to: fc.integer({ min: 0, max: 255 }) })
  fc.assert(fc.property(fc.array(change, { minLength: 1, maxLength: 40 }), fc.boolean(), (changes, longer) => {
    const files = [Buffer.from(whole), Buffer.from(beside)]
    for (const one of changes) {
      const bytes = files[one.beside ? 1 : 0]
      // The first pages hold what leads to all others.
      if (bytes !== undefined) bytes[Math.floor(one.at ** 3 * bytes.length)] = one.to
    }
    writeFileSync(path, files[0] ?? '')
    writeFileSync(`${path}-wal`, files[1] ?? '')
    if (longer) appendFileSync(path, Buffer.alloc(100, 7))
    const glance = openGlance(path)
    const read = glance?.entries([0, 100, 199])
    glance?.close()
    expect(read === null || read === undefined || read.length === 3).toBe(true)
  }), { numRuns: 150 })
})
