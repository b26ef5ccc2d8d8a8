// One hook's walk along a real log on disk, with a receiver that the test moves: order, doubling, giving up, restarts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import type { FactoryEvent } from '../../main/factory/event.ts'
import { errsMaxMs, firstWaitMs, HookLine, keepEveryMs, refusalsMax, waitMaxMs } from '../../main/station/hook-line.ts'
import { openAuditStore } from '../../main/store/audit.ts'
import type { AuditStore } from '../../main/store/audit.ts'
import { addHook, keepPlace, readHooks, readLetters } from '../../main/store/hooks.ts'
import type { HookPlace } from '../../main/store/hooks.ts'
import { WoundClock } from '../smp/wound-clock.ts'

const id = 'h0123456789ab'
const body = { version: 1, to: 'webhook', target: 'https://mes.example/', inside: false, since: '2026-01-01T00:00:00.000Z' } as const
const fresh: HookPlace = { next: 0, checkpoint: 0, told: 0, lost: 0, lastAt: null, tries: 0, sinceMs: null, says: null, kind: null }

let folder = ''
let clock: WoundClock
let audit: AuditStore
let line: HookLine
let got: FactoryEvent[]
let answer: (event: FactoryEvent) => Failure | null
let checkpoint: FactoryEvent | null
let stopping: AbortController

const must = <T>(value: T | Failure): T => {
  if (value instanceof Failure) throw new Error(value.says)
  return value
}
const outcome = (unit: string, run: string) => ({ kind: 'outcome', data: { run, unit, outcome: 'confirmed', says: 'It runs the new image.' } }) as const
const quiet = (unit: string) => ({ kind: 'board-attached', data: { unit, port: '/dev/ttyACM0' } }) as const

function openStore(): AuditStore {
  return must(openAuditStore(folder, { station: 'Line 3', session: `s-${Math.random()}`, clock }))
}

function openLine(place: HookPlace = fresh, behindMax = 1_000_000): HookLine {
  stopping = new AbortController()
  return new HookLine({
    id, body, place, audit, clock, checkpoint: () => checkpoint, turn: () => nextTurn(), signal: stopping.signal, behindMax,
    sink: { close: () => undefined, deliver: (event) => { const wrong = answer(event); if (wrong === null) got.push(event); return Promise.resolve(wrong) } },
  })
}

/** Lets the walk go on until nothing is left to do now. */
const rest = async () => {
  line.wake()
  for (let turns = 0; turns < 200; turns++) await nextTurn()
}
const runs = () => got.map(({ data }) => (data as { run: string }).run)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-hooks-'))
  clock = new WoundClock()
  audit = openStore()
  got = []
  answer = () => null
  checkpoint = null
  must(addHook(audit.database, { id, body, place: fresh }))
  line = openLine()
})
afterEach(async () => {
  await line.stop()
  audit.close()
  rmSync(folder, { recursive: true, force: true })
})

test('what is told is what the log has, in its order, and nothing of what is not asked for', async () => {
  must(audit.appendAll([outcome('A', 'r1'), quiet('B'), outcome('B', 'r2'), outcome('A', 'r3'), quiet('A')]))
  await rest()
  expect(got.map(({ type, entry, station }) => [type, entry, station])).toEqual([['run.ended', 0, 'Line 3'], ['run.ended', 2, 'Line 3'], ['run.ended', 3, 'Line 3']])
  expect(got[0]?.id).toBe(must(audit.list({ limit: 1, before: 1 }))[0]?.leaf)
  expect(line.place).toMatchObject({ next: 5, told: 3, lost: 0 })
})

test('a receiver that is away: events wait in their order, the waits double up to a limit, and nothing is lost', async () => {
  answer = () => new Failure('receiver-away', 'mes.example is not reached.')
  must(audit.appendAll([outcome('A', 'r1'), outcome('A', 'r2')]))
  await rest()
  const waits: number[] = []
  for (let attempt = 0; attempt < 12; attempt++) {
    const waitMs = (line.again ?? NaN) - clock.wallMs()
    waits.push(waitMs)
    await clock.wind(waitMs)
    await rest()
  }
  expect(waits.slice(0, 4)).toEqual([1, 2, 4, 8].map((times) => times * firstWaitMs))
  expect(waits.at(-1)).toBe(waitMaxMs)
  expect(line.place).toMatchObject({ next: 0, lost: 0, says: 'mes.example is not reached.' })
  answer = () => null
  await clock.wind(waitMaxMs)
  await rest()
  expect(runs()).toEqual(['r1', 'r2'])
  expect(line.place).toMatchObject({ tries: 0, says: null, told: 2 })
  expect(line.again).toBe(null)
})

test('an event that the receiver will never take is put aside with a sentence, and the next ones come', async () => {
  answer = (event) => ((event.data as { run: string }).run === 'r2' ? new Failure('receiver-refuses', 'mes.example does not take this event (422).') : null)
  must(audit.appendAll([outcome('A', 'r1'), outcome('B', 'r2'), outcome('A', 'r3')]))
  await rest()
  for (let attempt = 1; attempt < refusalsMax; attempt++) {
    await clock.wind(waitMaxMs)
    await rest()
  }
  expect(runs()).toEqual(['r1', 'r3'])
  expect(line.place).toMatchObject({ lost: 1, told: 2, tries: 0 })
  const [letter] = must(readLetters(audit.database, id, 10))
  expect(letter).toMatchObject({ entry: 1, type: 'run.ended' })
  expect(letter?.says).toContain('does not take this event (422)')
  answer = () => null
  await line.rewind(1)
  await rest()
  expect(runs()).toEqual(['r1', 'r3', 'r2', 'r3'])
})

test('an event that is answered with errors for a day does not stop those after it; one that is not answered does', async () => {
  answer = (event) => ((event.data as { run: string }).run === 'r1' ? new Failure('receiver-errs', 'mes.example answers 500.') : null)
  must(audit.appendAll([outcome('A', 'r1'), outcome('A', 'r2')]))
  await rest()
  expect(line.place).toMatchObject({ next: 0, tries: 1 })
  await line.stop()
  // Nearly a day later, after some hundred attempts.
  line = openLine({ ...line.place, tries: 290, sinceMs: clock.wallMs() - errsMaxMs + waitMaxMs })
  await rest()
  expect(got).toEqual([])
  await clock.wind(waitMaxMs)
  await rest()
  expect(runs()).toEqual(['r2'])
  expect(must(readLetters(audit.database, id, 10))).toMatchObject([{ entry: 0, says: expect.stringContaining('answers 500. Put aside after 292 attempts') as string }])

  answer = () => new Failure('receiver-away', 'mes.example is not reached.')
  must(audit.appendAll([outcome('A', 'r3')]))
  await rest()
  await line.stop()
  line = openLine({ ...line.place, tries: 290, sinceMs: clock.wallMs() - 30 * errsMaxMs })
  await rest()
  await clock.wind(waitMaxMs)
  answer = () => null
  await clock.wind(waitMaxMs)
  await rest()
  expect(runs()).toEqual(['r2', 'r3'])
})

test('a line at work costs no disk flush for each event, and the place is on disk soon after', async () => {
  const stored = () => must(readHooks(audit.database))[0]?.place.next
  await clock.wind(keepEveryMs)
  for (let count = 1; count <= 10; count++) {
    must(audit.appendAll([outcome('A', `r${count}`), quiet('A')]))
    await rest()
    expect(stored()).toBe(1)
  }
  expect(line.place.next).toBe(20)
  await clock.wind(keepEveryMs)
  expect(stored()).toBe(20)
  must(audit.appendAll([outcome('A', 'r11')]))
  await rest()
  await line.drain()
  expect(stored()).toBe(21)
  await line.stop()
  expect(clock.pending).toBe(0)
})

test('a restart goes on where the last event was taken', async () => {
  must(audit.appendAll([outcome('A', 'r1'), outcome('A', 'r2')]))
  answer = (event) => ((event.data as { run: string }).run === 'r2' ? new Failure('receiver-away', 'away') : null)
  await rest()
  await line.stop()
  audit.close()
  audit = openStore()
  const [stored] = must(readHooks(audit.database))
  expect(stored?.place).toMatchObject({ next: 1, told: 1, tries: 1, says: 'away' })
  answer = () => null
  line = openLine(stored?.place)
  must(audit.appendAll([outcome('A', 'r3')]))
  await rest()
  expect(runs()).toEqual(['r1', 'r2', 'r3'])
})

test('a checkpoint is told behind the entries that it covers, and before those it does not', async () => {
  must(audit.appendAll([outcome('A', 'r1'), quiet('A')]))
  checkpoint = { id: 'checkpoint-2-aa', type: 'checkpoint', timestamp: '', station: 'Line 3', entry: 2, person: '', kind: 'checkpoint', data: {} }
  must(audit.appendAll([outcome('A', 'r2')]))
  await rest()
  expect(got.map(({ type, entry }) => [type, entry])).toEqual([['run.ended', 0], ['checkpoint', 2], ['run.ended', 2]])
  await line.rewind(0)
  await rest()
  expect(got.filter(({ type }) => type === 'checkpoint')).toHaveLength(1)
})

test('a hook far behind gives the oldest up in one sentence, and the log still has them', async () => {
  line = openLine(fresh, 500)
  answer = () => new Failure('receiver-away', 'away')
  must(audit.appendAll([outcome('A', 'r1')]))
  await rest()
  must(audit.appendAll([...Array.from({ length: 600 }, () => quiet('A')), outcome('A', 'r2')]))
  answer = () => null
  await clock.wind(waitMaxMs)
  await rest()
  expect(runs()).toEqual(['r2'])
  expect(line.place).toMatchObject({ lost: 1, told: 1, next: 602 })
  expect(must(readLetters(audit.database, id, 1))[0]?.says).toMatch(/^1 events of the entries 0 to 111 were given up/)
  expect(await line.rewind(0)).toMatchObject({ kind: 'too-far-back' })
  expect(await line.rewind(200)).toBe(null)
  await rest()
  expect(runs()).toEqual(['r2', 'r2'])
})

test('a receiver that hangs does not hold up a hook that is removed, nor the station\'s end', async () => {
  let begun = 0
  line = new HookLine({
    id, body, place: fresh, audit, clock, checkpoint: () => null, turn: () => nextTurn(), signal: new AbortController().signal,
    sink: { close: () => undefined, deliver: (_event, signal) => new Promise((resolve) => { begun += 1; signal.addEventListener('abort', () => resolve(new Failure('receiver-away', 'broken off'))) }) },
  })
  must(audit.appendAll([outcome('A', 'r1')]))
  await rest()
  expect(begun).toBe(1)
  await line.stop()
  expect(line.place).toMatchObject({ next: 0, told: 0, lost: 0 })
})

test('whatever a receiver answers and whenever the station restarts, each event comes or is told lost, and each unit in order', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('take', 'away', 'errs', 'refuses', 'restart', 'append'), { maxLength: 40 }), async (script) => {
    await line.stop()
    got = []
    const place = { ...fresh, next: must(audit.head()).size }
    must(keepPlace(audit.database, id, place))
    line = openLine(place)
    const answers = script.filter((step) => step !== 'restart' && step !== 'append')
    answer = () => {
      const step = answers.shift() ?? 'take'
      return step === 'take' ? null : new Failure(`receiver-${step}`, 'no')
    }
    let made = 0
    const append = () => must(audit.appendAll(Array.from({ length: 3 }, () => outcome(`U${made % 2}`, `r${made++}`))))
    append()
    for (const step of script) {
      if (step === 'append') append()
      if (step === 'restart') {
        await line.stop()
        line = openLine(must(readHooks(audit.database))[0]?.place)
      }
      line.wake()
      await clock.wind(waitMaxMs)
    }
    // Each bad answer costs one wait at most.
    for (let waits = 0; waits <= script.length + 1; waits++) {
      line.wake()
      await clock.wind(waitMaxMs)
    }
    const firsts = [...new Set(got.map(({ entry }) => entry))]
    expect(firsts).toEqual([...firsts].sort((a, b) => a - b))
    expect(firsts.length + line.place.lost).toBeGreaterThanOrEqual(made)
    expect(line.place.next).toBe(must(audit.head()).size)
  }), { numRuns: 15 })
})
