// Power cuts at the level of files: after a cut, of everything written since the last flush any 512-byte sector may be there
// or not. SQLite's write-ahead log (sqlite.org/walformat.html) flushes at two places only: a commit writes to -wal alone, and a
// checkpoint, later, to the database alone. So the files as they stand after each step, and the sectors that differ from one
// step to the next, give every state a cut can leave; the shared index (-shm) is stale or gone. Each is opened as at the
// next start: the log holds, has everything that was acknowledged, no half of a group, and goes on.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { AuditStore } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'
import { often, within } from './soak.ts'

const sectorBytes = 512
const frameHeaderBytes = 24
const walHeaderBytes = 32
const pageBytes = 4096

type Files = Readonly<{ db: Buffer; wal: Buffer; shm: Buffer }>
/** `least` entries were acknowledged before the step, `most` are there when it is through. */
type Step = Readonly<{ what: 'commit' | 'checkpoint'; before: Files; after: Files; least: number; most: number }>

afterAll(release)

function filesOf(home: string): Files {
  const read = (end: string) => (existsSync(join(home, databaseName + end)) ? readFileSync(join(home, databaseName + end)) : Buffer.alloc(0))
  return { db: read(''), wal: read('-wal'), shm: read('-shm') }
}

/** The home's files after a cut, in a folder used again and again. */
function layOut(home: string, { db, wal, shm }: Files, { staleIndex = false } = {}): void {
  rmSync(home, { recursive: true, force: true })
  mkdirSync(home)
  writeFileSync(join(home, databaseName), db)
  writeFileSync(join(home, `${databaseName}-wal`), wal)
  if (staleIndex) writeFileSync(join(home, `${databaseName}-shm`), shm)
}

/** `before`, with those sectors of `after` that came to the disk. A file that grew may have its length and lack its bytes. */
function torn(before: Buffer, after: Buffer, came: (sector: number) => boolean, size = Math.max(before.length, after.length)): Buffer {
  const image = Buffer.alloc(Math.max(before.length, after.length))
  before.copy(image)
  for (let at = 0; at < after.length; at += sectorBytes) {
    const end = Math.min(at + sectorBytes, after.length)
    if (before.compare(after, at, end, Math.min(at, before.length), Math.min(end, before.length)) !== 0 && came(at / sectorBytes)) after.copy(image, at, at, end)
  }
  return image.subarray(0, size)
}

const headerOf = (wal: Buffer): Buffer => wal.subarray(0, walHeaderBytes)

const firstDifference = (a: Buffer, b: Buffer): number => {
  let at = 0
  while (at < a.length && at < b.length && a[at] === b[at]) at++
  return at
}

/** A life of a store: single entries, groups, long texts, checkpoints of the write-ahead log between them and after them. */
function live(): Step[] {
  const home = newHome()
  const store = storeIn(home)
  const steps: Step[] = []
  const commit = (count: number, textLength: number) => step('commit', () => value(store.appendAll(Array.from({ length: count }, (_, i) => outcomeDraft(`u${i}`, { says: 'x'.repeat(1 + textLength) })))))
  const step = (what: Step['what'], work: () => void) => {
    const [before, least] = [filesOf(home), value(store.head()).size]
    work()
    steps.push({ what, before, after: filesOf(home), least, most: value(store.head()).size })
  }
  for (let round = 0; round < 4; round++) {
    for (const [count, length] of [[1, 10], [16, 40], [1, 999], [40, 300], [3, round * 90]] as const) commit(count, length)
    step('checkpoint', () => store.tidy())
    // The first commit after it begins the write-ahead log anew, over the old one.
    commit(2, 50)
  }
  store.close()
  return steps
}

async function holdsAfter(home: string, step: Step): Promise<AuditStore> {
  const store = storeIn(home, { session: 'after the cut' })
  const { size } = value(store.head())
  expect([step.least, step.most]).toContain(size)
  expect(value(await store.verify())).toMatchObject({ holds: true, size, wrongs: [] })
  expect(value(store.append(outcomeDraft('after the cut'))).seq).toBe(size)
  return store
}

const steps = live()
const commits = steps.filter(({ what }) => what === 'commit')
const checkpoints = steps.filter(({ what }) => what === 'checkpoint')

test('a commit writes nothing but the write-ahead log, a checkpoint nothing but the database: the cuts below are all there are', () => {
  for (const { before, after } of commits) expect(after.db.equals(before.db)).toBe(true)
  for (const { before, after } of checkpoints) {
    expect(after.wal.equals(before.wal)).toBe(true)
    expect(after.db.equals(before.db)).toBe(false)
  }
  expect([commits.length, checkpoints.length]).toEqual([24, 4])
  const { sql } = storeIn(newHome()).database
  const pragmas = ['journal_mode', 'synchronous', 'fullfsync', 'checkpoint_fullfsync'].map((name) => sql.pragma(name, { simple: true }))
  expect(pragmas).toEqual(['wal', 2, 1, 1])
})

test('the write-ahead log ends anywhere in what was not flushed: at each frame, and within frames', { timeout: within(60_000) }, async () => {
  const home = newHome()
  let tried = 0
  for (const [i, step] of commits.entries()) {
    const { before, after } = step
    const from = firstDifference(before.wal, after.wal)
    const frames = Array.from({ length: Math.ceil(after.wal.length / (pageBytes + frameHeaderBytes)) }, (_, k) => walHeaderBytes + k * (pageBytes + frameHeaderBytes)).filter((at) => at >= from && at <= after.wal.length)
    expect(frames.length).toBeGreaterThan(0)
    for (const [k, frame] of frames.entries()) {
      // In the suite each seventeenth frame; which ones moves on from commit to commit.
      if (often((i + k) % 17, 0) !== 0) continue
      for (const end of [frame, frame + 11, frame + frameHeaderBytes, frame + 2_000].filter((at) => at <= after.wal.length)) {
        // Frames are written in order after the header; where the old log was longer its frames still follow.
        const cut = Buffer.concat([after.wal.subarray(0, end), before.wal.subarray(end)])
        layOut(home, { ...before, wal: cut }, { staleIndex: k % 2 === 0 })
        ;(await holdsAfter(home, step)).close()
        tried += 1
      }
    }
  }
  expect(tried).toBeGreaterThan(often(30, 1_000))
})

test('the write-ahead log begins anew: its header came, or not, or as rubbish, before any frame is written over the old ones', async () => {
  const home = newHome()
  const anew = commits.filter(({ before, after }) => headerOf(before.wal).length > 0 && !headerOf(before.wal).equals(headerOf(after.wal)))
  expect(anew).toHaveLength(4)
  for (const step of anew) {
    for (const header of [headerOf(step.before.wal), headerOf(step.after.wal), Buffer.alloc(walHeaderBytes, 0xa5)]) {
      layOut(home, { ...step.before, wal: Buffer.concat([header, step.before.wal.subarray(walHeaderBytes)]) })
      ;(await holdsAfter(home, step)).close()
    }
  }
})

test('any sectors of a commit came to the disk and others did not, or came as rubbish', { timeout: within(60_000) }, async () => {
  const home = newHome()
  await fc.assert(
    fc.asyncProperty(fc.nat(commits.length - 1), fc.array(fc.boolean(), { minLength: 1, maxLength: 97 }), fc.nat(), fc.boolean(), fc.boolean(), async (which, came, rubbishAt, rubbish, staleIndex) => {
      const step = commits[which]
      if (step === undefined) throw new Error('there is such a commit')
      const { after } = step
      // A new header is flushed before the first frame is written: SQLite's own answer to frames that come before it.
      const before = Buffer.concat([headerOf(after.wal), step.before.wal.subarray(walHeaderBytes)])
      const wal = torn(before, after.wal, (sector) => came[sector % came.length] === true)
      // Only what was being written can be rubbish, not what was flushed before, be it in the same sector: that is what SQLite
      // expects of a disk (sqlite.org/psow.html).
      const written = Array.from({ length: Math.ceil(after.wal.length / sectorBytes) }, (_, i) => i * sectorBytes).filter((at) => at > 0 && !before.subarray(at, at + sectorBytes).equals(after.wal.subarray(at, at + sectorBytes)))
      const spoiled = written[rubbishAt % written.length]
      if (rubbish && spoiled !== undefined) wal.fill(0xa5, spoiled + firstDifference(before.subarray(spoiled), after.wal.subarray(spoiled)), Math.min(wal.length, spoiled + sectorBytes))
      layOut(home, { ...step.before, wal }, { staleIndex })
      ;(await holdsAfter(home, step)).close()
    }),
    { numRuns: often(40, 10_000) },
  )
})

test('a checkpoint is cut: any sectors of the database are old, others new, the file of either length; the write-ahead log mends it', { timeout: within(60_000) }, async () => {
  const home = newHome()
  await fc.assert(
    fc.asyncProperty(fc.nat(checkpoints.length - 1), fc.array(fc.boolean(), { minLength: 1, maxLength: 97 }), fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), async (which, came, share, staleIndex) => {
      const step = checkpoints[which]
      if (step === undefined) throw new Error('there is such a checkpoint')
      const { before, after } = step
      const size = before.db.length + Math.floor(share * (after.db.length - before.db.length))
      const db = torn(before.db, after.db, (sector) => came[sector % came.length] === true, size)
      layOut(home, { ...before, db }, { staleIndex })
      ;(await holdsAfter(home, step)).close()
    }),
    { numRuns: often(40, 10_000) },
  )
})

test('what was acknowledged is on disk: with the last flushed frame taken away the log is shorter, so these tests can see a loss', () => {
  const step = commits[1]
  if (step === undefined) throw new Error('there is such a commit')
  const home = newHome()
  layOut(home, { ...step.after, wal: step.after.wal.subarray(0, step.after.wal.length - 1) })
  const store = storeIn(home, { session: 'after the cut' })
  expect(value(store.head()).size).toBe(step.least)
  store.close()
})
