// Processes of their own, started as Electron's utility processes: what a customer's package has instead of Node's fork,
// since there no one can run this program as Node (the RunAsNode fuse). They are plain Node inside, without a window and
// without Chromium's sandbox, as their work (native modules, pseudo-terminals) needs.
import { app, utilityProcess } from 'electron'
import type { UtilityProcess } from 'electron'
import { EventEmitter } from 'node:events'
import type { Child } from '../base/child.ts'

class Utility extends EventEmitter implements Child {
  #process: UtilityProcess | null = null
  readonly #unsent: { word: object; sent: () => void }[] = []
  #ended = false

  constructor(entry: string, words: 'ignore' | 'inherit') {
    super()
    // Chromium starts processes only once it is ready itself; words wait until then.
    void app.whenReady().then(() => this.#start(entry, words))
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  get connected(): boolean {
    return !this.#ended
  }

  send(word: object, sent: () => void): void {
    if (this.#process === null && !this.#ended) {
      this.#unsent.push({ word, sent })
      return
    }
    this.#process?.postMessage(word)
    sent()
  }

  kill(): void {
    const pid = this.#process?.pid
    this.#ended = true
    // Electron's own kill asks politely, and a module that hangs does not listen.
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
  }

  #start(entry: string, words: 'ignore' | 'inherit'): void {
    if (this.#ended) {
      this.emit('exit')
      return
    }
    const started = utilityProcess.fork(entry, [], { stdio: words, serviceName: 'Slotwright' })
    this.#process = started
    started.on('message', (word: unknown) => this.emit('message', word))
    started.once('exit', () => {
      this.#ended = true
      this.#process = null
      this.emit('exit')
    })
    for (const { word, sent } of this.#unsent.splice(0)) this.send(word, sent)
  }
}

/** Starts `entry` as a utility process. */
export function startUtility(entry: string, words: 'ignore' | 'inherit'): Child {
  return new Utility(entry, words)
}
