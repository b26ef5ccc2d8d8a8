// The real imgtool, driven in one Python process. Where it cannot be installed the reason comes back instead, and the tests
// that need it say so and are left out.
import { spawn } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { imgtoolIn, installImgtoolIn } from './install.ts'

const cache = resolve(import.meta.dirname, '../../../node_modules/.cache')
const python = join(imgtoolIn(cache), '..', 'python')

/** One command's end. `crash` is a Python exception: imgtool fell over, which is not the same as refusing. */
export type Called = Readonly<{ code: number; output: string; crash: string | null }>

export type Opening = Readonly<{ file: string; offset: number; length: number; kind: number; value: string; key: string }>

/** Installs imgtool once; a sentence when that cannot be done here. */
export const installImgtool = (): Promise<string | null> => installImgtoolIn(cache)

/** imgtool as a command of its own. */
export const imgtoolProgram = imgtoolIn(cache)

/** imgtool, ready to be called; `close` ends its process. */
export class Imgtool {
  readonly #child: ChildProcessWithoutNullStreams
  readonly #lines: Interface
  readonly #waiting: { resolve: (answer: unknown) => void; reject: (error: Error) => void }[] = []
  #errors = ''

  constructor(folder: string) {
    this.#child = spawn(python, [join(import.meta.dirname, 'drive.py')], { cwd: folder, env: { ...process.env, PYTHONIOENCODING: 'utf-8', COLUMNS: '200' } })
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#lines.on('line', (line) => {
      const waiting = this.#waiting.shift()
      try {
        waiting?.resolve(JSON.parse(line))
      } catch {
        waiting?.reject(new Error(`imgtool's process said "${line.slice(0, 200)}"`))
      }
    })
    this.#child.stderr.on('data', (piece: Buffer) => { this.#errors = (this.#errors + piece.toString('utf8')).slice(-4000) })
    this.#child.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(`imgtool's process ended: ${this.#errors}`))
    })
  }

  /** One command line of imgtool. */
  async call(args: readonly string[]): Promise<Called> {
    return await this.#ask({ call: args }) as Called
  }

  /** SHA-256 of an encrypted image's payload, decrypted by Python's cryptography; throws where it does not open. */
  async open(opening: Opening): Promise<string> {
    const answer = await this.#ask({ open: opening }) as { sha256?: string; error?: string }
    if (answer.sha256 === undefined) throw new Error(answer.error)
    return answer.sha256
  }

  #ask(what: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#child.stdin.write(`${JSON.stringify(what)}\n`)
    })
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const ended = new Promise((done) => this.#child.once('close', done))
    this.#child.stdin.end()
    await ended
  }
}
