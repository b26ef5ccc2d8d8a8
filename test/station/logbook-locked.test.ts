// Another program holds the database: boards' entries wait for it without anything else standing still, are written when it
// lets go, and after a stated time the answer is a sentence.
import Database from 'better-sqlite3'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Clock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import { Logbook, lockedMaxMs } from '../../main/station/logbook.ts'
import { openAuditStore } from '../../main/store/audit.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'

let home = ''
let audit: AuditStore
let other: Database.Database
let nowMs = 0
let timers: { at: number; work: () => void }[] = []
let turns: (() => void)[] = []

/** Rings what is due up to `ms` from now. */
function wind(ms: number): void {
  const until = nowMs + ms
  for (;;) {
    const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0]
    if (next === undefined) break
    timers = timers.filter((timer) => timer !== next)
    nowMs = next.at
    next.work()
  }
  nowMs = until
}

const clock: Clock = {
  wallMs: () => Date.UTC(2026, 2, 1) + nowMs,
  monotonicMs: () => nowMs,
  after(delayMs, work) {
    const timer = { at: nowMs + delayMs, work }
    timers.push(timer)
    return () => {
      timers = timers.filter((one) => one !== timer)
    }
  },
}
const turn = () => turns.splice(0).forEach((work) => work())
const draft = (unit: string): EntryDraft => ({ kind: 'board-attached', data: { unit, port: '/dev/ttyACM0' } })

beforeEach(() => {
  ;[nowMs, timers, turns] = [0, [], []]
  home = mkdtempSync(join(tmpdir(), 'slotwright-locked-'))
  const opened = openAuditStore(home, { station: 'line 1', session: 's1', clock })
  if (opened instanceof Failure) throw new Error(opened.says)
  audit = opened
  other = new Database(join(home, databaseName))
})
afterEach(() => {
  other.close()
  audit.close()
  rmSync(home, { recursive: true, force: true })
})
const logbook = () => new Logbook(audit, 'ada', (work) => turns.push(work), clock)

test('entries wait while another program holds the database, and nothing stands still meanwhile', async () => {
  const log = logbook()
  other.exec('BEGIN IMMEDIATE')
  const answers: (Failure | null)[] = []
  const waiting = ['a', 'b'].map((unit) => log.recordTogether([draft(unit)]).then((answer) => answers.push(answer)))
  const began = performance.now()
  turn()
  wind(1_000)
  await Promise.resolve()
  expect(answers).toEqual([])
  // Some twenty tries of 5 ms each; SQLite's own wait of 5 s would block for all of it.
  expect(performance.now() - began).toBeLessThan(2_500)
  other.exec('ROLLBACK')
  wind(100)
  await Promise.all(waiting)
  expect(answers).toEqual([null, null])
  expect(audit.count()).toBe(2)
  expect(timers).toEqual([])
})

test('a lock that stays is told in a sentence, nothing is written, and the next entry tries anew', async () => {
  const log = logbook()
  other.exec('BEGIN IMMEDIATE')
  const waiting = log.recordTogether([draft('a')])
  turn()
  wind(lockedMaxMs + 100)
  expect(await waiting).toMatchObject({ kind: 'database-locked', says: expect.stringContaining('Close it') as string })
  other.exec('ROLLBACK')
  const next = log.recordTogether([draft('b')])
  turn()
  expect(await next).toBeNull()
  expect(audit.count()).toBe(1)
})

test('a station that closes meanwhile answers for what waits and leaves no timer behind', async () => {
  const log = logbook()
  other.exec('BEGIN IMMEDIATE')
  const waiting = log.recordTogether([draft('a')])
  turn()
  log.close()
  expect(await waiting).toMatchObject({ kind: 'database-locked' })
  expect(timers).toEqual([])
  other.exec('ROLLBACK')
})

test('more than can wait are told at once', async () => {
  const log = logbook()
  other.exec('BEGIN IMMEDIATE')
  const waiting = Array.from({ length: 1_001 }, (_, i) => log.recordTogether([draft(`u${i}`)]))
  turn()
  expect(await waiting.at(-1)).toMatchObject({ kind: 'database-locked' })
  other.exec('ROLLBACK')
  wind(100)
  expect((await Promise.all(waiting)).filter((answer) => answer === null)).toHaveLength(1_000)
})
