// What an engineer does beside batches: previews a recipe on the boards attached now, talks to one board, tries one again.
import { afterEach, describe, expect, test } from 'vitest'
import type { ConsoleAnswerView } from '../../main/contract/engineer.ts'
import type { ArgsOf } from '../../main/contract/api.ts'
import { Line, value } from '../scenarios/simulation.ts'
import { played } from '../smp/wound-clock.ts'

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  line = null
})

async function opened(boards: number, faults = ''): Promise<Line> {
  line = await Line.open({ seed: 29, boards, faults })
  return line
}

const preview = async (here: Line, recipe: ArgsOf<'previewRecipe'>['recipe'] = {}) => {
  const { file } = await value(here.station.sampleFile({}))
  return await value(played(here.clock, here.station.previewRecipe({ file, recipe })))
}
const consoleOf = async (here: Line, command: ArgsOf<'boardConsole'>['command'], listenSeconds = 0): Promise<ConsoleAnswerView> =>
  await value(played(here.clock, here.station.boardConsole({ port: '/sim/tty1', command, listenSeconds })))
const logged = async (here: Line, kind: string) => (await value(here.station.listLog({ kind }))).entries

describe('a preview', () => {
  test('tells each board\'s steps by its own answers, writes nothing and logs nothing', async () => {
    const here = await opened(3)
    // The sample is signed when it is first asked for.
    await value(here.station.sampleFile({}))
    const before = (await value(here.station.listLog({}))).total
    const { bays, failure, version } = await preview(here)
    expect([failure, version]).toEqual([null, '1.1.0'])
    expect(bays.map(({ bay, will, runs }) => [bay, will, runs])).toEqual([[1, 'update', '1.0.0'], [2, 'update', '1.0.0'], [3, 'update', '1.0.0']])
    expect(bays[0]?.steps.map(({ says }) => says.split(' ')[0])).toEqual(['Write', 'Mark', 'Restart', 'Prove', 'Prove', 'Prove', 'Confirm', 'Check'])
    expect((await value(here.station.listLog({}))).total).toBe(before)
    expect(here.ports.fixtures.map(({ board, isOpen }) => [board.running?.version, isOpen])).toEqual([['1.0.0', false], ['1.0.0', false], ['1.0.0', false]])
  })

  test('of what was done already says so, and the batch after a preview does what it said', async () => {
    const here = await opened(2)
    await preview(here)
    expect((await here.runBatch()).counts).toMatchObject({ confirmed: 2 })
    expect((await preview(here)).bays.map(({ will }) => will)).toEqual(['unchanged', 'unchanged'])
  })

  test('names the tests, the data and the questions of the recipe, and no secret', async () => {
    const here = await opened(1)
    const { bays: [bay] } = await preview(here, {
      tests: [{ test: 'shell', command: ['selftest'] }, { test: 'question', asks: 'Is the LED green?' }],
      unitData: [{ what: 'setting', name: 'unit/id', value: 'U-{serial}' }],
    })
    expect(bay?.steps.some(({ says }) => says.includes('unit/id'))).toBe(true)
    expect(bay?.steps.some(({ says, facts }) => says.includes('Is the LED green?') && facts['asks'] === 'Is the LED green?')).toBe(true)
    const secret = await preview(here, { unitData: [{ what: 'setting', name: 'wifi/key', value: '{key}', secret: true }] })
    expect(secret.bays[0]).toMatchObject({ will: 'refused', failure: { kind: 'no-unit-data' } })
  })

  test('of a recipe that no board may have asks no board and says why', async () => {
    const here = await opened(1)
    expect(await preview(here, { class: 'production' })).toMatchObject({ failure: { kind: 'test-key' }, bays: [] })
    expect(await preview(here, { profile: 'nobody-has-it' })).toMatchObject({ failure: { kind: 'no-such-profile' } })
  })

  test('of a board that does not answer says which, and the others are told all the same', async () => {
    const here = await opened(2)
    here.ports.fixtures[0]!.board.powerOff()
    const { bays } = await preview(here)
    expect(bays.map(({ will }) => will)).toEqual(['silent', 'update'])
    expect(bays[0]?.failure?.says.length).toBeGreaterThan(20)
  })

  test('is refused while a batch runs, and a batch waits while boards are asked', async () => {
    const here = await opened(1)
    const { file } = await value(here.station.sampleFile({}))
    const asking = here.station.previewRecipe({ file, recipe: {} })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(await here.station.startBatch({ file, recipe: {} })).toMatchObject({ kind: 'port-held' })
    await played(here.clock, asking)
    await here.begin()
    expect(await here.station.previewRecipe({ file, recipe: {} })).toMatchObject({ kind: 'batch-running' })
    await here.finish()
  })
})

describe('the console', () => {
  test.each<[ArgsOf<'boardConsole'>['command'], RegExp]>([
    [{ do: 'echo', text: 'hello' }, /^hello$/],
    [{ do: 'params' }, /^\d+ × \d+ bytes$/],
    [{ do: 'info' }, /./],
    [{ do: 'images' }, /^image 0 slot 0 {2}1\.0\.0 {2}[0-9a-f]{64} {2}active {2}confirmed/m],
    [{ do: 'file', path: '/lfs/selftest.txt' }, /result=pass/],
    [{ do: 'shell', argv: ['selftest'] }, /returned \d/],
  ])('asks %o', async (command, wanted) => {
    const here = await opened(1)
    const { answer, failure } = await consoleOf(here, command)
    expect(failure).toBeNull()
    expect(answer.join('\n')).toMatch(wanted)
    expect(here.ports.fixtures[0]!.isOpen).toBe(false)
  })

  test('a board\'s answer cannot colour, hide or turn round what stands beside it', async () => {
    const here = await opened(1)
    const { answer } = await consoleOf(here, { do: 'echo', text: 'a\u001b[31mb\u202ec\u200bd\u0000\re' })
    expect(answer).toEqual(['a·[31mb·c·d··e'])
  })

  test('what a board refuses is its answer, with the code\'s meaning', async () => {
    const here = await opened(1)
    expect(await consoleOf(here, { do: 'file', path: '/lfs/none' })).toMatchObject({ answer: [], failure: { kind: 'refused', facts: { group: 8, rc: 3 } } })
    expect(await consoleOf(here, { do: 'setting', name: 'unit/none' })).toMatchObject({ failure: { facts: { group: 3, rc: 3 } } })
  })

  test('a restart is logged before and after, and its boot output is heard, line by line', async () => {
    const here = await opened(1)
    const { heard } = await consoleOf(here, { do: 'reset' }, 20)
    expect(heard.length).toBeGreaterThan(1)
    expect(heard.map(({ text }) => text).join('\n')).toMatch(/boot/i)
    expect(here.events.filter((event) => event.is === 'console').length).toBe(heard.length)
    expect((await logged(here, 'console-intended')).map(({ unit, data }) => [unit, data['command']])).toEqual([['PB-0001', 'reset']])
    expect((await logged(here, 'console-done')).map(({ data }) => data['says'])).toEqual(['the board acknowledged the restart'])
    expect(here.ports.fixtures[0]!.isOpen).toBe(false)
  })

  test('a shell command is logged with its words, a question is not', async () => {
    const here = await opened(1)
    await consoleOf(here, { do: 'params' })
    await consoleOf(here, { do: 'shell', argv: ['kernel', 'version'] })
    expect((await logged(here, 'console-intended')).map(({ data }) => data['command'])).toEqual(['shell: kernel version'])
  })

  test('listening ends when it is hushed, and a batch that begins takes the port', async () => {
    const here = await opened(1)
    const listening = here.station.boardConsole({ port: '/sim/tty1', command: { do: 'listen' }, listenSeconds: 120 })
    await here.clock.wind(100)
    expect(await value(played(here.clock, here.station.hushConsole({ port: '/sim/tty1' })))).toEqual({ hushed: true })
    expect((await value(listening)).seconds).toBeLessThan(10)
    const again = here.station.boardConsole({ port: '/sim/tty1', command: { do: 'listen' }, listenSeconds: 120 })
    await here.clock.wind(100)
    await played(here.clock, here.begin())
    await value(again)
    expect((await here.finish()).counts).toMatchObject({ confirmed: 1 })
    expect(await here.check()).toEqual([])
  })

  test('is refused while a run has the port, and changes no board while a batch runs', async () => {
    const here = await opened(1)
    await here.begin({ rolling: true, quota: 2 })
    await here.clock.wind(1_000)
    expect(await here.station.boardConsole({ port: '/sim/tty1', command: { do: 'params' } })).toMatchObject({ kind: 'port-held' })
    for (let second = 0; second < 120 && (await value(here.station.batch({})))?.counts.confirmed !== 1; second++) await here.clock.wind(1_000)
    expect((await consoleOf(here, { do: 'params' })).failure).toBeNull()
    expect(await here.station.boardConsole({ port: '/sim/tty1', command: { do: 'reset' } })).toMatchObject({ kind: 'batch-running' })
    await played(here.clock, here.station.stopBatch({}))
  })

  test('of a board that is gone says so', async () => {
    const here = await opened(1)
    expect(await here.station.boardConsole({ port: '/sim/none', command: { do: 'params' } })).toMatchObject({ kind: 'no-such-port' })
    here.ports.fixtures[0]!.board.powerOff()
    expect((await consoleOf(here, { do: 'params' })).failure).toMatchObject({ kind: 'timeout' })
  })
})

describe('trying one bay again', () => {
  test('after the batch has ended is a new batch by the same order for that bay alone, and the log says who asked', async () => {
    const here = await opened(2, '1:unplug@40%')
    const first = await here.runBatch({ quota: null })
    expect(first.counts).toMatchObject({ confirmed: 1, failed: 1 })
    here.ports.fixtures[0]!.plug()
    await here.clock.wind(1_000)
    const begun = await value(played(here.clock, here.station.retryBay({ bay: 1 })))
    expect(begun).toMatchObject({ boards: 1, image: { hash: first.image.hash } })
    expect(begun.id).not.toBe(first.id)
    expect((await here.finish()).counts).toMatchObject({ confirmed: 1, failed: 0 })
    expect((await logged(here, 'retry-asked')).map(({ person, unit, batch }) => [person, unit, batch])).toEqual([['tester', 'PB-0001', first.id]])
    expect(await here.check()).toEqual([])
  })

  test('while the batch runs is another run in it; a failure is no piece of the quota', async () => {
    const here = await opened(1, '1:fails-proof')
    await here.begin({ rolling: true, quota: 1 })
    const until = async (reverted: number) => {
      for (let second = 0; second < 200 && (await value(here.station.batch({})))?.counts.reverted !== reverted; second++) await here.clock.wind(1_000)
    }
    await until(1)
    const batch = await value(here.station.retryBay({ bay: 1 }))
    expect(batch).toMatchObject({ status: 'running', boards: 2 })
    await until(2)
    expect((await here.runs()).map(({ batch: of }) => of)).toEqual([batch.id, batch.id])
    await played(here.clock, here.station.stopBatch({}))
    expect(await here.check()).toEqual([])
  })

  test('is for boards that failed, and for nobody else', async () => {
    const here = await opened(1)
    expect(await here.station.retryBay({ bay: 1 })).toMatchObject({ kind: 'no-batch' })
    await here.runBatch()
    expect(await here.station.retryBay({ bay: 1 })).toMatchObject({ kind: 'not-failed' })
    expect(await here.station.retryBay({ bay: 7 })).toMatchObject({ kind: 'no-board' })
    expect(await logged(here, 'retry-asked')).toEqual([])
  })
})
