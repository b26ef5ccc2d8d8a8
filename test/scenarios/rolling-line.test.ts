// A line that does not stand still: boards come and go while the batch goes on, the quota counts good ones only, too many
// failures in a row end it, and a unit's run waits for the serial number that somebody scans.
import { afterEach, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import type { BatchView } from '../../main/contract/views.ts'
import { Line, value } from './simulation.ts'

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  line = null
})

async function opened(boards: number, faults = ''): Promise<Line> {
  line = await Line.open({ seed: 11, boards, faults })
  return line
}

const batchOf = async (here: Line): Promise<BatchView> => (await value(here.station.batch({})))!

/** Winds until the batch fits, at most two minutes of its own time. */
async function until(here: Line, fits: (batch: BatchView) => boolean): Promise<BatchView> {
  for (let second = 0; second < 120; second++) {
    const batch = await batchOf(here)
    if (fits(batch)) return batch
    await here.clock.wind(1_000)
  }
  throw new Error(`the batch never came there: ${JSON.stringify((await batchOf(here)).counts)}`)
}

test('a rolling batch begins with no board, takes each as it comes, and ends when the quota of good ones is full', async () => {
  const here = await opened(3, '1:fails-proof')
  for (const fixture of here.ports.fixtures) fixture.unplug()
  await here.clock.wind(1_000)
  await here.begin({ rolling: true, quota: 2 })
  expect(await batchOf(here)).toMatchObject({ status: 'running', boards: 0 })
  here.ports.fixtures[0]!.plug()
  const after = await until(here, (batch) => batch.counts.reverted === 1)
  // A board that went back is no piece of the quota.
  expect(after).toMatchObject({ status: 'running', badInARow: 1 })
  here.ports.fixtures[1]!.plug()
  here.ports.fixtures[2]!.plug()
  const ended = await until(here, (batch) => batch.status === 'ended')
  expect(ended.counts).toMatchObject({ confirmed: 2, reverted: 1 })
  expect(ended.figures.firstPassYield).toBeCloseTo(2 / 3)
  expect(ended.recent.map((each) => each.outcome)).toEqual(['reverted', 'confirmed', 'confirmed'])
  expect(await here.check()).toEqual([])
})

test('a quota of one with three boards attached: when the first one fails the next takes its place', async () => {
  const here = await opened(3, '1:fails-proof,2:fails-proof')
  await here.begin({ quota: 1 })
  const ended = await until(here, (batch) => batch.status === 'ended')
  expect(ended.counts).toMatchObject({ confirmed: 1, reverted: 2 })
})

test('a failed board that is taken out of a rolling line and put back is tried again, and not for ever', async () => {
  const here = await opened(1, '1:fails-proof')
  await here.begin({ rolling: true })
  for (let turn = 1; turn <= 3; turn++) {
    await until(here, (batch) => batch.counts.reverted === turn)
    here.ports.fixtures[0]!.unplug()
    await here.clock.wind(1_000)
    here.ports.fixtures[0]!.plug()
    await here.clock.wind(2_000)
  }
  expect(await batchOf(here)).toMatchObject({ boards: 3, status: 'running' })
  await value(here.station.stopBatch({}))
  expect(await batchOf(here)).toMatchObject({ status: 'ended', because: null })
})

test('two failures in a row stop the batch by itself; no other board is begun, and screen and log say why', async () => {
  const here = await opened(3, '1:fails-proof,2:fails-proof')
  here.ports.fixtures[2]!.unplug()
  await here.clock.wind(1_000)
  await here.begin({ rolling: true, stopAfterFailures: 2 })
  const ended = await until(here, (batch) => batch.status === 'ended')
  expect(ended.because).toMatchObject({ kind: 'too-many-failures' })
  here.ports.fixtures[2]!.plug()
  await here.clock.wind(5_000)
  expect((await batchOf(here)).boards).toBe(2)
  const { entries } = await value(here.station.listLog({ kind: 'batch-ended' }))
  expect(entries[0]?.data).toMatchObject({ reason: 'stopped', says: expect.stringContaining('2 boards in a row') })
})

test('a good board between two bad ones begins the count anew', async () => {
  const here = await opened(3, '1:fails-proof,3:fails-proof')
  for (const at of [1, 2]) here.ports.fixtures[at]!.unplug()
  await here.clock.wind(1_000)
  await here.begin({ rolling: true, stopAfterFailures: 2 })
  await until(here, (batch) => batch.counts.reverted === 1)
  here.ports.fixtures[1]!.plug()
  await until(here, (batch) => batch.counts.confirmed === 1)
  here.ports.fixtures[2]!.plug()
  expect(await until(here, (batch) => batch.counts.reverted === 2)).toMatchObject({ because: null, badInARow: 1, status: 'running' })
})

test('units wait for their serial numbers: wrong looks and used numbers are refused, and the log has each', async () => {
  const here = await opened(2)
  const recipe = { serials: { format: 'SN-[0-9]{4}' } }
  await here.begin(recipe)
  expect((await batchOf(here)).waiting.map((each) => each.bay)).toEqual([1, 2])
  const scan = (serial: string, bay: number | null = null) => here.station.nameUnit({ serial, bay })
  expect(await scan('4711')).toMatchObject({ kind: 'serial-format' })
  expect(await scan('SN-0001', 3)).toMatchObject({ kind: 'no-board' })
  await value(scan('SN-0001', 2))
  expect(await scan('SN-0001')).toMatchObject({ kind: 'serial-used' })
  await value(scan('SN-0002'))
  const ended = await until(here, (batch) => batch.status === 'ended')
  expect(ended.counts.confirmed).toBe(2)
  const { entries } = await value(here.station.listLog({ kind: 'unit-named' }))
  expect(entries.map((entry) => [entry.unit, entry.data['serial']]).sort()).toEqual([['PB-0001', 'SN-0002'], ['PB-0002', 'SN-0001']])

  // The next batch knows them: the same unit may bear its number again, another may not.
  await here.begin(recipe)
  expect(await scan('SN-0001', 1)).toMatchObject({ kind: 'serial-used' })
  await value(scan('SN-0001', 2))
  await value(here.station.stopBatch({}))
  expect(await here.check()).toEqual([])
})

test('a number scanned before its board is there goes to the next one; an unplugged board waits no longer', async () => {
  const here = await opened(2)
  here.ports.fixtures[1]!.unplug()
  await here.clock.wind(1_000)
  await here.begin({ serials: { format: '[0-9]+' }, rolling: true, quota: 2 })
  here.ports.fixtures[0]!.unplug()
  await here.clock.wind(1_000)
  expect((await batchOf(here)).waiting).toEqual([])
  expect(await value(here.station.nameUnit({ serial: '77', bay: null }))).toMatchObject({ nextSerial: '77' })
  expect(await here.station.nameUnit({ serial: '77', bay: null })).toBeInstanceOf(Failure)
  here.ports.fixtures[1]!.plug()
  await until(here, (batch) => batch.counts.confirmed === 1)
  expect(await batchOf(here)).toMatchObject({ nextSerial: null, boards: 1 })
})
