// The parent's side of a practice line in its own process: starts it, waits until its ports are there, passes commands on
// and ends it. The process ends by itself when this one dies.
import { fork } from 'node:child_process'
import { childStarter } from '../base/child.ts'
import type { Child } from '../base/child.ts'
import { Failure } from '../base/failure.ts'
import type { Fault } from './faults.ts'
import type { PracticeBoardView, PracticeLineOptions } from './line.ts'
import { orderOf } from './process-words.ts'
import type { FromLine, ToLine } from './process-words.ts'

export type PracticeProcess = Readonly<{
  dir: string
  pid: number
  boards(): readonly PracticeBoardView[]
  /** Calls back with the reason if the process ends without having been told to. */
  onLost(listener: (why: Failure<'practice-lost'>) => void): void
  setFault(bay: number, fault: Fault | null): Promise<void | Failure>
  unplug(bay: number): Promise<void | Failure>
  replug(bay: number): Promise<void | Failure>
  powerCycle(bay: number): Promise<void | Failure>
  /** Resolves when the process has ended and its ports are gone. */
  stop(): Promise<void>
}>

/**
 * Runs the practice line in a process of its own. `entry` is the built main/practice/process.ts; the executable is this
 * process's own, told to be plain Node where it is Electron. Failure kinds: those of `startPracticeLine`, `practice-lost`.
 */
export function startPracticeProcess(entry: string, options: PracticeLineOptions): Promise<PracticeProcess | Failure> {
  const child: Child = childStarter()?.(entry, 'inherit') ?? fork(entry, [], { env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' }, execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  return new Promise((resolve) => {
    const life = new ChildLife(child, options.dir)
    life.onStarted(resolve)
    life.send({ is: 'start', order: orderOf(options) })
  })
}

class ChildLife implements PracticeProcess {
  readonly dir: string
  readonly #child: Child
  readonly #waiting = new Map<number, (why: void | Failure) => void>()
  readonly #ended: Promise<void>
  #boards: readonly PracticeBoardView[] = []
  #started: ((result: PracticeProcess | Failure) => void) | null = null
  #lost: (why: Failure<'practice-lost'>) => void = () => {}
  #nextId = 1
  #stopping = false

  constructor(child: Child, dir: string) {
    this.dir = dir
    this.#child = child
    child.on('message', (word) => this.#hear(word as FromLine))
    this.#ended = new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.once('error', () => resolve())
    })
    void this.#ended.then(() => this.#gone())
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  onStarted(started: (result: PracticeProcess | Failure) => void): void {
    this.#started = started
  }

  send(word: ToLine): void {
    // A process that has just died takes no message; its end is reported by `exit`.
    if (this.#child.connected) this.#child.send(word, () => {})
  }

  boards(): readonly PracticeBoardView[] {
    return this.#boards
  }

  onLost(listener: (why: Failure<'practice-lost'>) => void): void {
    this.#lost = listener
  }

  setFault(bay: number, fault: Fault | null): Promise<void | Failure> {
    return this.#order((id) => ({ is: 'set-fault', id, bay, fault }))
  }

  unplug(bay: number): Promise<void | Failure> {
    return this.#order((id) => ({ is: 'unplug', id, bay }))
  }

  replug(bay: number): Promise<void | Failure> {
    return this.#order((id) => ({ is: 'replug', id, bay }))
  }

  powerCycle(bay: number): Promise<void | Failure> {
    return this.#order((id) => ({ is: 'power-cycle', id, bay }))
  }

  stop(): Promise<void> {
    this.#stopping = true
    this.send({ is: 'stop' })
    return this.#ended
  }

  #order(word: (id: number) => ToLine): Promise<void | Failure> {
    if (!this.#child.connected) return Promise.resolve(lost())
    const id = this.#nextId++
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.send(word(id))
    })
  }

  #hear(word: FromLine): void {
    if (word.is === 'ready' || word.is === 'boards') this.#boards = word.boards
    if (word.is === 'ready') this.#settle(this)
    if (word.is === 'failed') {
      this.#stopping = true
      this.#settle(new Failure(word.kind, word.says))
    }
    if (word.is === 'done') {
      const resolve = this.#waiting.get(word.id)
      this.#waiting.delete(word.id)
      resolve?.(word.kind === undefined ? undefined : new Failure(word.kind, word.says ?? ''))
    }
  }

  #settle(result: PracticeProcess | Failure): void {
    this.#started?.(result)
    this.#started = null
  }

  #gone(): void {
    this.#boards = []
    for (const resolve of this.#waiting.values()) resolve(lost())
    this.#waiting.clear()
    this.#settle(lost())
    if (!this.#stopping) this.#lost(lost())
  }
}

function lost(): Failure<'practice-lost'> {
  return new Failure('practice-lost', 'The practice line ended by itself. Start it again; if it happens again, look into the terminal for its last words.')
}
