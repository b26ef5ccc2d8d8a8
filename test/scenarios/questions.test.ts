// The operator question, a proof of last resort: asked after all that a board can tell by itself, only yes is yes, and it
// never outlives its run.
import { afterEach, expect, test } from 'vitest'
import type { QuestionView, StationEvent } from '../../main/contract/views.ts'
import { Line, runLine, value } from './simulation.ts'

const led = { test: 'question', asks: 'Does the LED blink green?', timeoutMs: 30_000 } as const

let line: Line | null = null
afterEach(async () => {
  await line?.close()
  expect(line?.leftovers ?? { timers: 0, listeners: 0 }).toEqual({ timers: 0, listeners: 0 })
  line = null
})

/** Answers each question as it is asked, by the bay it is asked in. */
function answering(at: Line, answers: Readonly<Record<number, boolean>>): QuestionView[] {
  const asked: QuestionView[] = []
  at.station.subscribe((event: StationEvent) => {
    if (event.is !== 'questions') return
    for (const question of event.questions) {
      const yes = answers[question.bay]
      if (asked.some((each) => each.question === question.question)) continue
      asked.push(question)
      if (yes !== undefined) void at.station.answerQuestion({ question: question.question, yes })
    }
  })
  return asked
}

test('yes confirms, no takes the image back, and the log names who said so', async () => {
  line = await Line.open({ seed: 71, boards: 2 })
  const asked = answering(line, { 1: true, 2: false })
  await line.runBatch({ tests: [led] })
  expect((await line.runs()).map((run) => [run.outcome, run.kind])).toEqual([['confirmed', null], ['reverted', 'self-test-failed']])
  expect(asked.map(({ bay, asks }) => [bay, asks]).sort()).toEqual([[1, led.asks], [2, led.asks]])
  const says = (await line.runs()).map((run) => run.steps.find((step) => step.says.includes(led.asks))?.says ?? '')
  expect(says[0]).toContain('"yes" by tester')
  expect(says[1]).toContain('"no" by tester')
  expect(await value(line.station.questions({}))).toEqual([])
  expect(await line.check()).toEqual([])
})

test('nobody answers in time: the image goes back', async () => {
  const { runs, wrongs } = await runLine({ seed: 72, boards: 1 }, { tests: [led] })
  expect(wrongs).toEqual([])
  expect(runs[0]).toMatchObject({ outcome: 'reverted', kind: 'self-test-failed' })
  expect(runs[0]?.says).toContain('is not answered within 30 s')
})

test('nobody is called to a board that fails by itself, whatever the order in the recipe', async () => {
  line = await Line.open({ seed: 73, boards: 2, faults: '2:fails-proof' })
  const asked = answering(line, { 1: true, 2: true })
  await line.runBatch({ tests: [led, { test: 'shell', command: ['selftest'], matches: '*passed' }] })
  expect((await line.runs()).map((run) => run.outcome)).toEqual(['confirmed', 'reverted'])
  expect(asked.map(({ bay }) => bay)).toEqual([1])
})

test('a board that is unplugged while its question is open ends at once, and its question with it', async () => {
  line = await Line.open({ seed: 74, boards: 1 })
  const asked = answering(line, {})
  await line.begin({ tests: [led] })
  await line.clock.wind(15_000)
  expect(asked).toHaveLength(1)
  line.ports.fixtures[0]!.unplug()
  await line.clock.wind(1_000)
  expect((await line.runs())[0]).toMatchObject({ outcome: 'failed', kind: 'unplugged' })
  expect(await line.station.answerQuestion({ question: asked[0]!.question, yes: true })).toMatchObject({ kind: 'no-such-question' })
  await line.finish()
})

test('a batch that is stopped takes its questions back', async () => {
  line = await Line.open({ seed: 75, boards: 1 })
  await line.begin({ tests: [led] })
  await line.clock.wind(15_000)
  const open = await value(line.station.questions({}))
  expect(open).toMatchObject([{ bay: 1, asks: led.asks }])
  expect(open[0]!.secondsLeft).toBeLessThan(30)
  await line.clock.settle(line.station.stopBatch({}))
  expect(await value(line.station.questions({}))).toEqual([])
  expect((await line.runs())[0]).toMatchObject({ outcome: 'stopped' })
})
