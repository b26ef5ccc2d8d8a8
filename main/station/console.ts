// One board's console for an engineer: one SMP command at a time, and the bytes of its line that are no SMP (boot output,
// a log, a shell's prompt) as text. A port is opened for one call and given back, so that a console never stands in a
// run's way; a restart is followed to wherever the board comes back. Commands that change the board, or may, are in the
// log before they are sent and after they were answered. What a board writes is hostile text: line.ts makes it visible.
import { toHex } from '../base/bytes.ts'
import { pause } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { ConsoleAnswerView, ConsoleCommand, ConsoleHeardView, ConsoleLineView } from '../contract/engineer.ts'
import type { BoardProfile } from '../line/profile.ts'
import type { SmpClient } from '../smp/client.ts'
import { readFile } from '../smp/files.ts'
import { imageState } from '../smp/image.ts'
import { appInfo, echo, parameters, reset } from '../smp/os.ts'
import { readSetting } from '../smp/settings.ts'
import { shellCommand } from '../smp/shell.ts'
import { readStatistics } from '../smp/statistics.ts'
import { Conversation } from './conversation.ts'
import type { Logbook } from './logbook.ts'
import { portHow } from './ports.ts'
import type { Port, Ports } from './ports.ts'
import { greet } from './steps.ts'
import { failureView } from './views.ts'

const answerTimeoutMs = 5_000
/** A shell command may take its time. */
const shellTimeoutMs = 30_000
const openTimeoutMs = 3_000
const linesMax = 500
/** What of an answer is shown: a file or a shell can give far more than anybody reads. */
const answerLinesMax = 1_000
const lineCharsMax = 400
const settingBytesMax = 1024
/** Told at once while listening; a board that writes without end would drown the window. */
const toldASecond = 50
/** Pause before a port that is just coming back is tried again. */
const retryOpenMs = 200

export type ConsoleWorld = Readonly<{
  ports: Ports
  clock: Clock
  log: Logbook
  onHeard(heard: ConsoleHeardView): void
  /** Whether a board that went away may be followed: not while a batch would take it. */
  mayFollow(): boolean
}>

/** The consoles that are open now, one a port, and how they are ended. */
export class Consoles {
  readonly #open = new Map<string, Readonly<{ stop: AbortController; ended: Promise<unknown> }>>()

  /** Runs one command and remembers it until it has ended. */
  async during<T>(path: string, work: (stop: AbortSignal) => Promise<T>): Promise<T> {
    const stop = new AbortController()
    const ended = work(stop.signal)
    this.#open.set(path, { stop, ended })
    try {
      return await ended
    } finally {
      this.#open.delete(path)
    }
  }

  /** Ends the listening on that port, or on all; false when nobody listened. Resolves when the ports are given back. */
  async hush(path: string | null = null): Promise<boolean> {
    const some = path === null ? [...this.#open.values()] : [this.#open.get(path)].filter((each) => each !== undefined)
    for (const { stop } of some) stop.abort()
    await Promise.allSettled(some.map(({ ended }) => ended))
    return some.length > 0
  }
}

/** Does one command. Failures are those of the log; what the port or the board refuses is part of the answer. */
export async function runConsole(world: ConsoleWorld, port: Port, profile: BoardProfile, command: ConsoleCommand, listenSeconds: number, stop: AbortSignal): Promise<ConsoleAnswerView | Failure> {
  const { clock, ports, log } = world
  const noted = note(log, port, command)
  if (failed(noted)) return noted
  // Lines that a run pulls when it opens the port can restart a board; here only the engineer restarts it.
  const talk = new Conversation(port.unit, ports, clock, profile.framing ?? 'console', portHow({ ...profile, openSteps: [] }))
  const beganMs = clock.monotonicMs()
  const seconds = () => (clock.monotonicMs() - beganMs) / 1000
  const heard: ConsoleLineView[] = []
  const tell = teller(clock, (line) => world.onHeard({ port: port.path, line }))
  const stopHearing = talk.onLine((text) => {
    const line = { seconds: seconds(), text: text.slice(0, lineCharsMax) }
    heard.push(line)
    if (heard.length > linesMax) heard.shift()
    tell(line)
  })
  try {
    const answer = await asked(talk, profile, command, clock, stop)
    const answeredSeconds = seconds()
    const after = noteEnd(log, port, command, answer)
    if (failed(after)) return after
    if (!failed(answer)) await listen(talk, world, listenSeconds * 1000, stop)
    return {
      port: talk.port?.path ?? port.path, answer: failed(answer) ? [] : answer.slice(0, answerLinesMax).map((line) => line.slice(0, lineCharsMax)),
      answeredSeconds, failure: failed(answer) ? failureView(answer) : null, heard, seconds: seconds(),
    }
  } finally {
    stopHearing()
    await talk.hangUp()
  }
}

async function asked(talk: Conversation, profile: BoardProfile, command: ConsoleCommand, clock: Clock, stop: AbortSignal): Promise<readonly string[] | Failure> {
  const opening = new AbortController()
  const cancel = clock.after(openTimeoutMs, () => opening.abort())
  const opened = await talk.client(AbortSignal.any([opening.signal, stop]))
  cancel()
  if (failed(opened)) return opened
  if (command.do === 'listen') return []
  // Finds out in which framing it speaks; a board that knows no parameters has answered too.
  const greeted = await greet(talk, stop, profile)
  if (failed(greeted)) return greeted
  const client = await talk.client(stop)
  return failed(client) ? client : await carryOut(client, command)
}

/** Listens for so long, also to a board that goes away and comes back under another port's name. */
async function listen(talk: Conversation, { clock, mayFollow }: ConsoleWorld, forMs: number, stop: AbortSignal): Promise<void> {
  if (forMs === 0 || stop.aborted) return
  const end = new AbortController()
  const cancel = clock.after(forMs, () => end.abort())
  const until = AbortSignal.any([end.signal, stop])
  try {
    while (!until.aborted) {
      const client = await talk.client(until)
      // A port that is just coming back may be held or missing for a moment.
      if (failed(client)) await pause(clock, retryOpenMs, until)
      else {
        const here = talk.untilLost(until)
        await ended(here.signal)
        here.done()
        if (!mayFollow()) return
      }
    }
  } finally {
    cancel()
  }
}

function ended(signal: AbortSignal): Promise<void> {
  return signal.aborted ? Promise.resolve() : new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

/** Lets so many lines a second through; the answer at the end has them all, up to its own limit. */
function teller(clock: Clock, tell: (line: ConsoleLineView) => void): (line: ConsoleLineView) => void {
  let sinceMs = -Infinity
  let told = 0
  return (line) => {
    const nowMs = clock.monotonicMs()
    if (nowMs - sinceMs >= 1000) {
      sinceMs = nowMs
      told = 0
    }
    if (++told <= toldASecond) tell(line)
  }
}

async function carryOut(client: SmpClient, command: ConsoleCommand): Promise<readonly string[] | Failure> {
  const options = { timeoutMs: command.do === 'shell' ? shellTimeoutMs : answerTimeoutMs }
  switch (command.do) {
    case 'echo': return answered(await client.request(echo, { text: command.text }, options), ({ text }) => [text])
    case 'params': return answered(await client.request(parameters, {}, options), ({ bufferBytes, bufferCount }) => [`${bufferCount} × ${bufferBytes} bytes`])
    case 'info': return answered(await client.request(appInfo, { format: command.format }, options), ({ output }) => lines(output))
    case 'images': return answered(await client.request(imageState, {}, options), ({ slots }) => slots.map(({ image, slot, version, hash, ...flags }) =>
      [`image ${image} slot ${slot}`, version, hash === null ? 'no hash' : toHex(hash), ...(['active', 'confirmed', 'pending', 'permanent', 'bootable'] as const).filter((flag) => flags[flag])].join('  ')))
    case 'statistics': return answered(await client.request(readStatistics, { group: command.group }, options), ({ fields }) => [...fields].map(([name, value]) => `${name} = ${value}`))
    case 'setting': return answered(await client.request(readSetting, { name: command.name, maxBytes: settingBytesMax }, options), ({ value }) => [...lines(new TextDecoder().decode(value)), `hex ${toHex(value)}`])
    case 'file': return answered(await readFile(client, command.path, options), (bytes) => [`${bytes.length} bytes`, ...lines(new TextDecoder().decode(bytes))])
    case 'shell': return answered(await client.request(shellCommand, { argv: command.argv }, options), ({ output, returned }) => [...lines(output), `returned ${returned}`])
    case 'reset': return answered(await client.request(reset, {}, options), () => ['the board acknowledged the restart'])
    case 'listen': return []
  }
}

function answered<T>(reply: T | Failure, words: (reply: T) => readonly string[]): readonly string[] | Failure {
  return failed(reply) ? reply : words(reply).map(visible)
}

/** Control characters, and those that turn the writing direction or have no width, stand as `·`. */
function visible(text: string): string {
  return text.replace(/\t/g, '  ').replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]/gu, '·')
}

function lines(text: string): string[] {
  const all = text.replace(/\r\n?/g, '\n').split('\n')
  return all.at(-1) === '' ? all.slice(0, -1) : all
}

/** What a command that changes the board, or may, is called in the log; null for one that only asks. */
function acted(command: ConsoleCommand): string | null {
  if (command.do === 'reset') return 'reset'
  return command.do === 'shell' ? `shell: ${command.argv.join(' ')}` : null
}

function note(log: Logbook, { unit }: Port, command: ConsoleCommand): number | null | Failure {
  const what = acted(command)
  return what === null ? null : log.recordAct({ kind: 'console-intended', data: { unit, command: what.slice(0, 1000) } }, 'engineer')
}

/** Notes how it went; null, or why that could not be written. */
function noteEnd(log: Logbook, { unit }: Port, command: ConsoleCommand, answer: readonly string[] | Failure): Failure | null {
  const what = acted(command)
  if (what === null) return null
  const says = failed(answer) ? answer.says : answer.join('\n')
  const noted = log.recordAct({ kind: 'console-done', data: { unit, command: what.slice(0, 1000), says: says.slice(0, 1000), ...(failed(answer) ? { failure: answer.kind.slice(0, 64) } : {}) } }, 'engineer')
  return failed(noted) ? noted : null
}

/** Whether it changes the board, or may. */
export function changesBoard(command: ConsoleCommand): boolean {
  return acted(command) !== null
}
