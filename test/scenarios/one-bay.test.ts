// One bay, one board after the other: whatever is plugged into the same socket is that bay's, its run begins by itself, and
// what the bay showed of the board before is gone with it.
import { afterEach, expect, test } from 'vitest'
import { Line, value } from './simulation.ts'

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  line = null
})

test('four boards through one socket: each begins when it is plugged and is taken out as soon as its bay shows how it ended', async () => {
  const here = await Line.open({ seed: 95, boards: 4, faults: '3:fails-proof' })
  line = here
  const { fixtures } = here.ports
  for (const fixture of fixtures) {
    fixture.unplug()
    fixture.port = { ...fixture.port, bay: null, place: '1-4.2', path: '/sim/ttyACM0' }
  }
  await here.clock.wind(1_000)
  await here.begin({ rolling: true })
  const shown: string[] = []
  for (const fixture of fixtures) {
    fixture.plug()
    let bay = (await here.bays()).find((row) => row.board !== null)
    for (let turn = 0; turn < 2_000 && (bay?.board !== fixture.port.unit || bay.outcome === null); turn++) {
      await here.clock.wind(50)
      bay = (await here.bays()).find((row) => row.board !== null)
    }
    shown.push(`${bay?.bay} ${bay?.board} ${bay?.outcome}`)
    fixture.unplug()
    await here.clock.wind(1_000)
  }
  await here.clock.settle(here.station.stopBatch({}))
  const first = shown[0]!.split(' ')[0]
  expect(shown).toEqual([1, 2, 3, 4].map((n) => `${first} PB-000${n} ${n === 3 ? 'reverted' : 'confirmed'}`))
  expect((await value(here.station.listRuns({ batch: null }))).map((run) => run.bay)).toEqual([first, first, first, first].map(Number))
  // On the shelf, with power, each runs what the log says of it.
  for (const { board } of fixtures) board.powerOn()
  await here.clock.wind(2_000)
  expect(await here.check()).toEqual([])
})

test('two boards that swap their sockets between two runs keep their names, and the bays go with the sockets', async () => {
  const here = await Line.open({ seed: 96, boards: 2 })
  line = here
  const { fixtures } = here.ports
  const [one, two] = [fixtures[0]!, fixtures[1]!]
  const place = (at: number) => ({ bay: null, place: `1-4.${at}`, path: `/sim/ttyACM${at}` })
  const plugged = async (first: number, second: number) => {
    for (const fixture of fixtures) fixture.unplug()
    await here.clock.wind(1_000)
    one.port = { ...one.port, ...place(first) }
    two.port = { ...two.port, ...place(second) }
    for (const fixture of fixtures) fixture.plug()
    await here.clock.wind(1_000)
  }
  await plugged(0, 1)
  const before = new Map((await here.bays()).filter((row) => row.board !== null).map((row) => [row.board, row.bay]))
  await here.runBatch({ mode: 'upload-only' })
  await plugged(1, 0)
  const { id } = await here.runBatch()
  const runs = await value(here.station.listRuns({ batch: id }))
  expect(new Map(runs.map((run) => [run.board, run.bay]))).toEqual(new Map([['PB-0001', before.get('PB-0002')], ['PB-0002', before.get('PB-0001')]]))
  expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'confirmed'])
  expect(await here.check()).toEqual([])
})
