// Self-tests and unit data against practice boards: each kind of test passes on a healthy image and reverts a faulty one,
// unit data are on the board afterwards, and a secret is found in no file of the station.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { ArgsOf } from '../../main/contract/api.ts'
import { Line, runLine, value } from './simulation.ts'

type Recipe = ArgsOf<'startBatch'>['recipe']
type Test = NonNullable<Recipe['tests']>[number]

const tests: Record<string, Test> = {
  'OS info': { test: 'os-info', format: 'srvmpi', matches: 'Zephyr 4.?.0 *' },
  statistic: { test: 'statistic', group: 'selftest', name: 'sensors_ok', min: 4, max: 4 },
  shell: { test: 'shell', command: ['selftest'], matches: '*passed' },
  console: { test: 'console', matches: '*app: self-test passed', timeoutMs: 3000 },
  file: { test: 'file', path: '/lfs/selftest.txt', matches: 'result=pass' },
}

test('a healthy image passes every kind of self-test and is confirmed', async () => {
  const { runs, wrongs } = await runLine({ seed: 21, boards: 3 }, { tests: Object.values(tests) })
  expect(wrongs).toEqual([])
  expect(runs.map((run) => run.outcome)).toEqual(['confirmed', 'confirmed', 'confirmed'])
  expect(runs[0]?.steps.filter((step) => step.step === 'Proof')).toHaveLength(Object.keys(tests).length + 3)
})

test.each(['statistic', 'shell', 'console', 'file'])('an image that fails its self-test by %s is taken back', async (name) => {
  const { runs, wrongs } = await runLine({ seed: 22, boards: 2, faults: '2:fails-proof' }, { tests: [tests[name]!], proofs: [] })
  expect(wrongs).toEqual([])
  expect(runs.map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['reverted', 'self-test-failed']])
})

test('a test that the firmware does not know fails the image in its own words', async () => {
  const { runs } = await runLine({ seed: 23, boards: 1 }, { tests: [{ test: 'file', path: '/sd/none.txt', matches: '*' }] })
  expect(runs[0]).toMatchObject({ outcome: 'reverted', kind: 'self-test-failed' })
})

describe('unit data', () => {
  let line: Line | null = null
  afterEach(async () => {
    await line?.close()
    line = null
  })

  const recipe: Recipe = {
    unitData: [
      { what: 'setting', name: 'wifi/psk', value: '{psk}', secret: true },
      { what: 'setting', name: 'unit/serial', value: '{serial}' },
      { what: 'file', name: '/lfs/cal.json', value: '{"serial":"{serial}","gain":"{gain}"}' },
    ],
  }

  async function provision(table: string, boards = 2): Promise<Line> {
    line = await Line.open({ seed: 24, boards })
    const path = join(line.home, '..', `table-${process.pid}.csv`)
    writeFileSync(path, table)
    const opened = await value(line.station.openFile({ path, purpose: 'table' }))
    const sample = await value(line.station.sampleFile({}))
    await value(line.station.startBatch({ file: sample.file, recipe, unitTable: opened.file }))
    await line.finish()
    return line
  }

  test('each unit gets its own, and they outlive a restart', async () => {
    const { ports, clock } = await provision(`serial,psk,gain\nPB-0001,first-secret-of-all,1.5\nPB-0002,second-secret-of-all,${'9'.repeat(900)}\n`)
    expect((await line!.runs()).map((run) => run.outcome)).toEqual(['confirmed', 'confirmed'])
    const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)
    for (const [index, psk] of ['first-secret-of-all', 'second-secret-of-all'].entries()) {
      const { board } = ports.fixtures[index]!
      board.reset()
      await clock.wind(2000)
      expect(text(board.unit.savedSettings.get('wifi/psk'))).toBe(psk)
      expect(text(board.unit.savedSettings.get('unit/serial'))).toBe(board.serial)
      expect(JSON.parse(text(board.unit.files.get('/lfs/cal.json')))).toMatchObject({ serial: board.serial })
    }
    expect(await line!.check()).toEqual([])
  })

  test('a secret is in no file of the station, in no event and in no view; its name is', async () => {
    const { station, home, events } = await provision('serial,psk,gain\nPB-0001,hunter2-hunter2,1\nPB-0002,hunter2-hunter2,2\n')
    const files = readdirSync(home, { recursive: true }).map((name) => join(home, String(name))).filter((path) => statSync(path).isFile())
    expect(files.length).toBeGreaterThan(2)
    for (const path of files) expect(readFileSync(path).includes('hunter2'), path).toBe(false)
    const views = JSON.stringify([events, await line!.runs(), await value(station.batch({})), await value(station.listLog({ limit: 500 }))])
    expect(views).not.toContain('hunter2')
    expect(views).toContain('wifi/psk')
  })

  test('a board that shows its secret in a self-test does not bring it into log or bay', async () => {
    line = await Line.open({ seed: 26, boards: 1 })
    const path = join(line.home, '..', `table-secret-${process.pid}.csv`)
    writeFileSync(path, 'serial,psk\nPB-0001,hunter2-hunter2\n')
    const { file: unitTable } = await value(line.station.openFile({ path, purpose: 'table' }))
    const { file } = await value(line.station.sampleFile({}))
    await value(line.station.startBatch({
      file, unitTable,
      recipe: { unitData: [{ what: 'file', name: '/lfs/psk.txt', value: '{psk}', secret: true }], tests: [{ test: 'file', path: '/lfs/psk.txt', matches: 'hunter*' }, { test: 'file', path: '/lfs/psk.txt', matches: 'other*' }] },
    }))
    await line.finish()
    expect((await line.runs())[0]).toMatchObject({ outcome: 'reverted', kind: 'self-test-failed' })
    const told = JSON.stringify([line.events, await line.runs(), await value(line.station.listLog({ limit: 500 }))])
    expect(told).toContain('•••')
    expect(told).not.toContain('hunter2')
  })

  test('a unit that is not in the table is refused before the first byte', async () => {
    await provision('serial,psk,gain\nPB-0001,x,1\n')
    expect((await line!.runs()).map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['failed', 'no-unit-data']])
    expect(line!.ports.fixtures[1]!.board.running?.version).toBe('1.0.0')
  })

  test('a value that the firmware cannot keep whole takes the image back', async () => {
    await provision(`serial,psk,gain\nPB-0001,${'x'.repeat(200)},1\n`, 1)
    expect((await line!.runs())[0]).toMatchObject({ outcome: 'reverted', kind: 'unit-data-differs', version: '1.0.0' })
  })

  test('a recipe with a secret of its own is refused', async () => {
    line = await Line.open({ seed: 25, boards: 1 })
    const sample = await value(line.station.sampleFile({}))
    expect(await line.station.startBatch({ file: sample.file, recipe: { unitData: [{ what: 'setting', name: 'wifi/psk', value: 'hunter2', secret: true }] } })).toMatchObject({ kind: 'bad-arguments' })
  })
})
