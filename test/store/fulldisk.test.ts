// A disk that is full at any write: the system lets the files grow to a size and not a byte further (RLIMIT_FSIZE, set from
// outside while the store is open, so that it hits appends, checkpoints and the first opening alike), for each size in turn.
// Whatever the size: a sentence, nothing half-written, everything acknowledged still there, and the next entry goes in when
// there is room.
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { openAuditStore } from '../../main/store/audit.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { handClock, newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'
import { often, within } from './soak.ts'

/** What a person is told in either case; which one it is, is the system's choice. */
const full = /^(disk-full|disk-error)$/

/** An append writes ten pages of 4 KiB and more. */
const walBytesMax = 2_000_000

/** This process's files may not grow beyond; null lets them. Node ignores the signal that comes with it, so writes fail. */
function limitFiles(bytes: number | null): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes ?? 'unlimited'}:unlimited`])
}

afterEach(() => {
  limitFiles(null)
  release()
})

const sizeOf = (home: string, end: string) => (existsSync(join(home, databaseName + end)) ? statSync(join(home, databaseName + end)).size : 0)

async function holds(store: AuditStore, acknowledged: number): Promise<void> {
  expect(value(store.head()).size).toBe(acknowledged)
  expect(value(await store.verify())).toMatchObject({ holds: true, size: acknowledged, wrongs: [] })
}

/** These need Linux' prlimit; the seam of SQLite's own page limit is tried in database.test.ts on every system. */
describe.runIf(process.platform === 'linux')('the disk is full', () => {
  test('at any byte of a commit: it is refused in a sentence and the store goes on', { timeout: within(30_000) }, async () => {
    const home = newHome()
    const store = storeIn(home)
    value(store.appendAll(Array.from({ length: 20 }, (_, i) => outcomeDraft(`before ${i}`))))
    let acknowledged = 20
    let refused = 0
    for (let room = 0; room < 60_000; room += often(4_900, 97)) {
      store.tidy()
      // The write-ahead log begins anew after `tidy`, so it is filled until it has to grow. It grows by every round; one
      // that has become so long that some hundred entries do not fill it is cut off first.
      if (sizeOf(home, '-wal') > walBytesMax) store.database.sql.pragma('wal_checkpoint(TRUNCATE)')
      const from = sizeOf(home, '-wal')
      limitFiles(from + room)
      let answer: unknown
      for (let i = 0; i < 200; i++) {
        answer = store.append(outcomeDraft(`room ${room} ${i}`, { says: 'x'.repeat(900) }))
        if (answer instanceof Failure) break
        acknowledged += 1
      }
      expect(answer).toBeInstanceOf(Failure)
      const { kind, says } = answer as Failure
      expect(kind).toMatch(full)
      expect(says).toContain(join(home, databaseName))
      refused += 1
      expect(value(store.head()).size).toBe(acknowledged)
      limitFiles(null)
      value(store.append(outcomeDraft('there is room again')))
      acknowledged += 1
    }
    expect(refused).toBeGreaterThan(10)
    await holds(store, acknowledged)
    store.close()
    const again = storeIn(home, { session: 's2' })
    await holds(again, acknowledged)
  })

  test('while the write-ahead log moves into the database, and while a checkpoint is signed: nothing is lost', { timeout: within(30_000) }, async () => {
    const home = newHome()
    let store = storeIn(home)
    let acknowledged = 0
    for (let round = 0; round < often(8, 400); round++) {
      value(store.appendAll(Array.from({ length: 30 }, (_, i) => outcomeDraft(`r${round} ${i}`, { says: 'y'.repeat(500) }))))
      acknowledged += 30
      limitFiles(Math.max(1, sizeOf(home, '') + ((round * 4_096 * 3) % 40_000) - 8_000))
      store.tidy()
      const signed = await store.checkpoint()
      if (signed instanceof Failure) expect(signed.kind).toMatch(full)
      expect(value(store.head()).size).toBe(acknowledged)
      // Every other time the station ends while the disk is still full.
      if (round % 2 === 0) {
        store.close()
        limitFiles(null)
        store = storeIn(home, { session: `s${round}` })
      }
      limitFiles(null)
      await holds(store, acknowledged)
    }
    value(store.append(outcomeDraft('not signed yet')))
    acknowledged += 1
    limitFiles(10)
    expect(await store.checkpoint()).toMatchObject({ kind: expect.stringMatching(full) as string })
    limitFiles(null)
    value(await store.checkpoint())
    expect(readdirSync(join(home, 'checkpoints')).filter((name) => name.endsWith('.new'))).toEqual([])
    await holds(store, acknowledged)
  })

  test('at the first opening: a sentence, and the next opening makes the log', { timeout: within(30_000) }, () => {
    let refused = 0
    for (let room = 0; room < 200_000; room += often(21_000, 512)) {
      const home = newHome()
      limitFiles(room)
      const answer = openAuditStore(home, { station: 'line 1', session: 's1', clock: handClock() })
      limitFiles(null)
      if (answer instanceof Failure) {
        expect(answer.kind).toMatch(full)
        refused += 1
      } else answer.close()
      const store = value(openAuditStore(home, { station: 'line 1', session: 's2', clock: handClock() }))
      expect(value(store.append(outcomeDraft('first'))).seq).toBe(0)
      store.close()
    }
    expect(refused).toBeGreaterThan(3)
  })
})
