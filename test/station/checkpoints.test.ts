// When the station signs its log, and that a copy leaves the house.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { Failure } from '../../main/base/failure.ts'
import { keepCheckpoints } from '../../main/station/checkpoints.ts'
import type { CheckpointSettings } from '../../main/station/checkpoints.ts'
import { handClock, newHome, outcomeDraft, release, storeIn, value } from '../store/fixture.ts'

afterEach(release)

function keeping(settings: Partial<CheckpointSettings> = {}) {
  const home = newHome()
  const timers = new Map<() => void, number>()
  const clock = { ...handClock(), after: (delayMs: number, work: () => void) => {
    timers.set(work, delayMs)
    return () => void timers.delete(work)
  } }
  const store = storeIn(home, { clock })
  const troubles: Failure[] = []
  const keeper = keepCheckpoints(store, clock, { everyEntries: 10, everyMinutes: 5, copyTo: null, ...settings }, (failure) => troubles.push(failure))
  const append = (count: number) => { for (let i = 0; i < count; i++) value(store.append(outcomeDraft(`u${i}`))) }
  const sizes = () => (existsSync(join(home, 'checkpoints')) ? readdirSync(join(home, 'checkpoints')).map((name) => Number.parseInt(name, 10)) : [])
  return { home, store, keeper, timers, troubles, append, sizes }
}

test('after so many entries, and not before', async () => {
  const { keeper, append, sizes } = keeping()
  append(9)
  expect(sizes()).toEqual([])
  append(1)
  await keeper.close()
  expect(sizes()).toEqual([10])
})

test('when entries have waited so long; no timer runs while nothing is unsigned', async () => {
  const { keeper, append, sizes, timers } = keeping()
  expect(timers.size).toBe(0)
  append(2)
  expect([...timers.values()]).toEqual([300_000])
  for (const due of timers.keys()) due()
  await keeper.close()
  expect(sizes()).toEqual([2])
  expect(timers.size).toBe(0)
})

test('each is copied under the log’s name, byte for byte', async () => {
  const share = newHome()
  const { home, keeper, append } = keeping({ copyTo: share })
  append(3)
  await keeper.sign()
  const [log = ''] = readdirSync(share)
  const [name = ''] = readdirSync(join(share, log))
  expect(readFileSync(join(share, log, name), 'utf8')).toBe(readFileSync(join(home, 'checkpoints', name), 'utf8'))
  expect(log).toMatch(/^slotwright-log-[0-9a-f]{16}$/)
})

test('a folder that is gone is told once, stops nothing, and is forgiven when it is back', async () => {
  const share = join(newHome(), 'share')
  writeFileSync(share, 'a file stands there')
  const { store, keeper, append, troubles } = keeping({ copyTo: share })
  for (let i = 0; i < 3; i++) {
    append(1)
    await keeper.sign()
  }
  expect(troubles.map(({ kind }) => kind)).toEqual(['checkpoint-not-copied'])
  expect(value(await store.verify())).toMatchObject({ holds: true, checkpointsHeld: 3 })
  rmSync(share)
  append(1)
  await keeper.sign()
  expect(readdirSync(share)).toHaveLength(1)
})
