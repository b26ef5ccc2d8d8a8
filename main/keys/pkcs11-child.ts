// The station's side of a PKCS#11 module's process: started on the first ask, asked one thing at a time, and ended by force when
// it does not answer within its time, because native code that hangs cannot be stopped in any other way. A process and not a
// thread: a thread inside a hanging module would keep this program from ending, and one that crashes would take it along.
import { fork } from 'node:child_process'
import { childStarter } from '../base/child.ts'
import type { Child } from '../base/child.ts'
import { Failure } from '../base/failure.ts'
import type { AnswerTo, Ask, FromToken, ToToken } from './pkcs11-words.ts'

/** How long each ask may take before the module counts as hanging. RSA keys made in a smart card take a minute. */
export const answerTimeoutsMs: Readonly<Record<Ask['is'], number>> = { tokens: 20_000, keys: 30_000, unlock: 30_000, lock: 5_000, key: 20_000, sign: 30_000, generate: 180_000 }
/** What a process that has just been started may take besides: it is a whole runtime, and some modules look for their hardware first. */
const startTimeoutMs = 10_000
/** A person walks to the reader and types there. */
const readerTimeoutMs = 120_000
const asksWaitingMax = 1000
const endTimeoutMs = 2_000

type Waiting = { readonly id: number; readonly ask: Ask; readonly timeoutMs: number; settle(result: unknown): void; settled: boolean }

/** Processes that must not outlive this one, whatever they hang in. */
const alive = new Set<Child>()
let watchingExit = false

export class ModuleProcess {
  readonly modulePath: string
  readonly #entry: string
  readonly #timeoutsMs: Readonly<Record<Ask['is'], number>>
  #child: Child | null = null
  #asked: Waiting | null = null
  #deadline: NodeJS.Timeout | null = null
  readonly #queue: Waiting[] = []
  #nextId = 1
  #closed = false

  /** `entry` is the built main/keys/pkcs11-process.ts; `timeoutsMs` is for tests that will not wait so long. */
  constructor(entry: string, modulePath: string, timeoutsMs: Partial<Record<Ask['is'], number>> = {}) {
    this.#entry = entry
    this.modulePath = modulePath
    this.#timeoutsMs = { ...answerTimeoutsMs, ...timeoutsMs }
  }

  /**
   * Asks and waits for its turn. Kinds besides those of the module's own answers: `token-timeout`, `module-crashed`,
   * `token-busy`, `stopped` (the signal; what has begun in the token goes on there, and its answer is dropped).
   */
  ask<A extends Ask>(ask: A, signal?: AbortSignal): Promise<AnswerTo[A['is']] | Failure> {
    const stopped = () => new Failure('stopped', 'It was stopped before the token had answered.')
    if (signal?.aborted === true || this.#closed) return Promise.resolve(stopped())
    if (this.#queue.length >= asksWaitingMax) return Promise.resolve(new Failure('token-busy', `${asksWaitingMax} questions wait for this token already. Wait until it has answered.`))
    return new Promise((resolve) => {
      const onStop = () => waiting.settle(stopped())
      const waiting: Waiting = {
        id: this.#nextId++, ask, timeoutMs: ask.is === 'unlock' && ask.pin === null ? readerTimeoutMs : this.#timeoutsMs[ask.is], settled: false,
        settle(result) {
          if (waiting.settled) return
          waiting.settled = true
          signal?.removeEventListener('abort', onStop)
          resolve(result as AnswerTo[A['is']] | Failure)
        },
      }
      signal?.addEventListener('abort', onStop, { once: true })
      this.#queue.push(waiting)
      this.#next()
    })
  }

  /** Whether a process runs now; one that ended takes its logins with it. */
  get isRunning(): boolean {
    return this.#child !== null
  }

  /** Ends the process and with it every copy of a PIN in it; the next ask starts another. Hanging ones are ended by force. */
  async end(): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#child = null
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    const timer = setTimeout(() => child.kill('SIGKILL'), this.#asked === null ? endTimeoutMs : 0)
    if (child.connected) child.send({ is: 'end' } satisfies ToToken, () => {})
    await ended
    clearTimeout(timer)
  }

  /** Ends for good: what waits is answered with `stopped`. */
  async close(): Promise<void> {
    this.#closed = true
    const stopped = new Failure('stopped', 'The station was closed before the token had answered.')
    for (const waiting of this.#queue.splice(0)) waiting.settle(stopped)
    this.#asked?.settle(stopped)
    await this.end()
  }

  #next(): void {
    if (this.#asked !== null) return
    const waiting = this.#queue.shift()
    if (waiting === undefined) return
    if (waiting.settled) return this.#next()
    this.#asked = waiting
    const startMs = this.#child === null ? startTimeoutMs : 0
    const child = (this.#child ??= this.#start())
    this.#deadline = setTimeout(() => this.#tooLate(waiting), waiting.timeoutMs + startMs)
    const word: ToToken = { is: 'ask', id: waiting.id, ask: waiting.ask }
    child.send(word, () => {
      // Our copy of the PIN has left; the process has its own.
      if (waiting.ask.is === 'unlock') waiting.ask.pin?.fill(0)
    })
  }

  #start(): Child {
    // Its own words go nowhere: a module that logs may log the PIN, and stdout belongs to the command line's answer.
    const child: Child = childStarter()?.(this.#entry, 'ignore') ?? fork(this.#entry, [], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' }, execArgv: [], serialization: 'advanced', stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
    alive.add(child)
    if (!watchingExit) process.once('exit', () => { for (const one of alive) one.kill('SIGKILL') })
    watchingExit = true
    child.on('message', (word) => this.#hear(child, word as FromToken))
    child.once('error', () => this.#gone(child))
    child.once('exit', () => this.#gone(child))
    child.send({ is: 'load', modulePath: this.modulePath } satisfies ToToken, () => {})
    return child
  }

  #hear(child: Child, word: FromToken): void {
    const asked = this.#asked
    if (child !== this.#child || asked === null || word.id !== asked.id) return
    this.#done()
    asked.settle(word.is === 'answer' ? word.value : new Failure(word.failure.kind, word.failure.says, word.failure.facts))
    this.#next()
  }

  #done(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline)
    this.#deadline = null
    this.#asked = null
  }

  #tooLate(waiting: Waiting): void {
    const child = this.#child
    this.#child = null
    this.#done()
    child?.kill('SIGKILL')
    waiting.settle(new Failure('token-timeout', `The token did not answer within ${waiting.timeoutMs / 1000} seconds, so its module was ended. Check the token and its cable or network, then do it again; its PIN will be asked for again.`, { timeoutMs: waiting.timeoutMs }))
    this.#next()
  }

  #gone(child: Child): void {
    alive.delete(child)
    if (child !== this.#child) return
    this.#child = null
    const asked = this.#asked
    this.#done()
    asked?.settle(new Failure('module-crashed', `The PKCS#11 module ${this.modulePath} crashed; the station goes on without harm. Do it again; if it happens again, ask the token's maker for a newer module.`, { modulePath: this.modulePath }))
    this.#next()
  }
}
