// Carries out one self-test of a recipe: asks the board, brings back what was measured, judges nothing. Each has one
// deadline for all it does. Console lines count from the restart on, also those that came before anybody looked.
import { createHash } from 'node:crypto'
import { Failure, failed } from '../base/failure.ts'
import { matches } from '../line/pattern.ts'
import type { Measured, SelfTest } from '../line/selftest.ts'
import { readFile } from '../smp/files.ts'
import { appInfo } from '../smp/os.ts'
import { shellCommand } from '../smp/shell.ts'
import { readStatistics } from '../smp/statistics.ts'
import type { Conversation } from './conversation.ts'
import type { Answered } from './questions.ts'

/** Asks the person at the fixture; null when nobody answers in time. */
export type AskOperator = (asks: string, timeoutMs: number, signal: AbortSignal) => Promise<Answered | Failure>

/** What the board answers to that test. Failures: those of an exchange; a test that only measured badly is no failure. */
export async function measure(test: SelfTest, talk: Conversation, askOperator: AskOperator, signal: AbortSignal): Promise<Measured | Failure> {
  const options = { timeoutMs: test.timeoutMs, signal }
  switch (test.test) {
    case 'os-info': {
      const info = await talk.ask(appInfo, { format: test.format }, options)
      return failed(info) ? info : { of: 'text', text: info.output }
    }
    case 'statistic': {
      const group = await talk.ask(readStatistics, { group: test.group }, options)
      return failed(group) ? group : { of: 'number', value: group.fields.get(test.name) ?? null }
    }
    case 'shell': {
      const done = await talk.ask(shellCommand, { argv: test.command }, options)
      return failed(done) ? done : { of: 'shell', returned: done.returned, output: done.output }
    }
    case 'console':
      return await consoleLine(test.matches, test.timeoutMs, talk, signal)
    case 'question': {
      const here = talk.untilLost(signal)
      const answer = await askOperator(test.asks, test.timeoutMs, here.signal)
      here.done()
      if (!failed(answer)) return { of: 'answer', answer }
      return here.signal.aborted && !signal.aborted ? new Failure('unplugged', `The board ${talk.unit} is not attached any more. Plug it in again.`) : answer
    }
    case 'file': {
      const client = await talk.client(signal)
      if (failed(client)) return client
      const content = await readFile(client, test.path, options)
      return failed(content) ? content : { of: 'file', text: new TextDecoder().decode(content), sha256: createHash('sha256').update(content).digest('hex') }
    }
  }
}

/** The first line since the restart that covers the pattern, or null when none came in time. */
async function consoleLine(pattern: string, timeoutMs: number, talk: Conversation, signal: AbortSignal): Promise<Measured | Failure> {
  const client = await talk.client(signal)
  if (failed(client)) return client
  const heard = talk.lines.find((line) => matches(pattern, line))
  if (heard !== undefined) return { of: 'line', line: heard }
  return await new Promise((resolve) => {
    const settle = (answer: Measured | Failure) => {
      stopListening()
      cancel()
      signal.removeEventListener('abort', stop)
      resolve(answer)
    }
    const stop = () => settle(new Failure('stopped', 'The wait for a line on the console was stopped.'))
    const stopListening = client.onNoise((line) => {
      if (matches(pattern, line)) settle({ of: 'line', line })
    })
    const cancel = talk.clock.after(timeoutMs, () => settle({ of: 'line', line: null }))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}
