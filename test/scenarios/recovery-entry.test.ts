// The ways into serial recovery that need no help from the firmware: DTR and RTS wired to reset and recovery pin, and a
// question that falls into the moment in which the bootloader listens. The simulated fixture wires the lines; real
// pseudo-terminals have none, so over those only the catching is played.
import { afterEach, expect, test } from 'vitest'
import { profiles } from '../../main/practice/profiles.ts'
import { expectPairConfirmed } from './pty-pair.ts'
import { Line, value } from './simulation.ts'

const single = profiles['practice-single-slot']!
const waits = profiles['practice-waits']!

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  line = null
})

test('a single-slot board is brought into recovery by its lines, which are let go again', async () => {
  line = await Line.open({ seed: 61, boards: 2, profile: single })
  await line.runBatch({ profile: 'recovery-lines' })
  expect((await line.runs()).map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['confirmed', null]])
  expect(line.ports.fixtures.map(({ board }) => board.running?.version)).toEqual(['1.1.0', '1.1.0'])
  expect(await line.check()).toEqual([])
})

test('firmware that hangs is got past by the lines', async () => {
  line = await Line.open({ seed: 62, boards: 1, profile: single, faults: '1:hangs' })
  const { board } = line.ports.fixtures[0]!
  await line.runBatch({ profile: 'recovery-lines' })
  expect((await line.runs())[0]).toMatchObject({ outcome: 'failed', kind: 'no-return' })
  const { id } = await line.begin({ profile: 'recovery-lines' })
  await line.clock.wind(9_000)
  board.setFault(null)
  await line.finish()
  const last = (await value(line.station.listRuns({ batch: id })))[0]!
  expect([last.outcome, last.kind], last.says).toEqual(['confirmed', null])
  expect(await line.check()).toEqual([])
})

test('without the profile the same silent board is left alone, with what to do', async () => {
  line = await Line.open({ seed: 63, boards: 1, profile: single, faults: '1:hangs' })
  await line.runBatch()
  const { id } = await line.runBatch()
  expect((await value(line.station.listRuns({ batch: id })))[0]).toMatchObject({ outcome: 'failed', kind: 'no-answer' })
})

test('a board told to restart is caught while its bootloader listens', async () => {
  line = await Line.open({ seed: 64, boards: 2, profile: { ...waits, mode: 'single-slot' } })
  await line.runBatch({ profile: 'recovery-catch' })
  expect((await line.runs()).map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['confirmed', null]])
  expect(await line.check()).toEqual([])
})

test('a silent board is caught when somebody presses its reset button, and the bay asks for just that', async () => {
  line = await Line.open({ seed: 65, boards: 1, profile: waits })
  const fixture = line.ports.fixtures[0]!
  fixture.board.powerOff()
  await line.begin({ profile: 'recovery-catch' })
  await line.clock.wind(20_000)
  expect((await line.bays())[0]?.says).toContain('press the board\'s reset button')
  fixture.board.powerOn()
  await line.finish()
  expect((await line.runs())[0]).toMatchObject({ outcome: 'confirmed' })
  expect(await line.check()).toEqual([])
})

test('nobody presses it: the run ends with what to do, and the port is given back', async () => {
  line = await Line.open({ seed: 66, boards: 1, profile: waits })
  line.ports.fixtures[0]!.board.powerOff()
  await line.runBatch({ profile: 'recovery-catch' })
  const run = (await line.runs())[0]!
  expect(run).toMatchObject({ outcome: 'failed', kind: 'no-recovery' })
  expect(run.says).toContain('reset button')
  expect(await line.check()).toEqual([])
})

test('a bootloader that waits for an upload is not kept by the station\'s own questions: the profile keeps it quiet', async () => {
  line = await Line.open({ seed: 67, boards: 2, profile: waits })
  await value(line.station.saveProfile({ profile: { name: 'quiet', quietAfterResetMs: 1_500 } }))
  await line.runBatch({ profile: 'quiet' })
  expect((await line.runs()).map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['confirmed', null]])
  const seconds = (await line.runs())[0]!.seconds
  // Without the profile the first question is taken for an upload; that is noticed, and the board restarted once more in quiet.
  await line.close()
  line = await Line.open({ seed: 68, boards: 2, profile: waits, faults: '2:fails-proof' })
  await line.runBatch()
  const runs = await line.runs()
  expect(runs.map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['reverted', 'proof-failed']])
  expect(runs[0]!.seconds).toBeGreaterThan(seconds)
  expect(await line.check()).toEqual([])
})

test('a profile that wants the board reset at the opening has it reset once a run, and no other profile does', async () => {
  const boots = async (profile: string | undefined): Promise<string[]> => {
    line = await Line.open({ seed: 70, boards: 1 })
    await value(line.station.saveProfile({ profile: { name: 'fresh', openSteps: [{ dtr: false, rts: true, holdMs: 50 }, { rts: false, holdMs: 300 }] } }))
    const heard: string[] = []
    line.ports.fixtures[0]!.board.onEvent(({ is }) => heard.push(is))
    await line.runBatch({ mode: 'upload-only', ...(profile === undefined ? {} : { profile }) })
    expect((await line.runs())[0]).toMatchObject({ outcome: 'uploaded' })
    const untilThen = [...heard]
    await line.close()
    return untilThen
  }
  expect(await boots(undefined)).toEqual([])
  expect(await boots('fresh')).toEqual(['down', 'booted'])
})

test('a batch by a profile that is not there is refused, and the refusal is in the log', async () => {
  line = await Line.open({ seed: 69, boards: 1 })
  const { file } = await value(line.station.sampleFile({}))
  expect(await line.station.startBatch({ file, recipe: { profile: 'nosuch' } })).toMatchObject({ kind: 'no-such-profile' })
  expect((await value(line.station.listLog({ kind: 'refusal' }))).total).toBe(1)
})

test('over real pseudo-terminals boards are caught on their way back, and brought to life when nothing in them boots', async () => {
  await expectPairConfirmed({
    profile: { ...waits, mode: 'single-slot' }, recipe: { profile: 'recovery-catch' },
    prepare(boards) {
      const area = boards.board(2)!.slots.primary.area
      area.erase(0, area.sizeBytes)
      boards.powerCycle(2)
    },
  })
}, 60_000)
