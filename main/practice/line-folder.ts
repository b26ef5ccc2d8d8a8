// The folder of a practice line: ttyP0, ttyP1 … are links to the pseudo-terminals, boards.json says which board is at
// which. The file names the process that owns the folder, so that two lines never share one and the leavings of a killed
// line are swept away. It is written aside and renamed, so a reader sees the old or the new list, never half of one.
import { existsSync, lstatSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Failure } from '../base/failure.ts'

export type AnnouncedBoard = Readonly<{ bay: number; serial: string; port: string | null }>

const listName = 'boards.json'
const portName = /^ttyP[0-9]{1,5}$/

export class LineFolder {
  readonly #dir: string
  readonly #numbers = new Set<number>()
  #lastGivenUp = -1

  constructor(dir: string) {
    this.#dir = dir
  }

  portPath(number: number): string {
    return join(this.#dir, `ttyP${number}`)
  }

  /** Links the device under the lowest free number that was not given up last. */
  addPort(device: string): number {
    let number = 0
    while (this.#numbers.has(number) || number === this.#lastGivenUp) number++
    this.#numbers.add(number)
    this.#lastGivenUp = -1
    symlinkSync(device, this.portPath(number))
    return number
  }

  removePort(number: number): void {
    this.#numbers.delete(number)
    this.#lastGivenUp = number
    rmSync(this.portPath(number), { force: true })
  }

  announce(boards: readonly AnnouncedBoard[]): void {
    const path = join(this.#dir, listName)
    const aside = `${path}.${process.pid}`
    writeFileSync(aside, `${JSON.stringify({ version: 1, pid: process.pid, boards })}\n`)
    renameSync(aside, path)
  }

  /** Takes list and ports away; flash files stay. */
  release(): Promise<void> {
    rmSync(join(this.#dir, listName), { force: true })
    for (const number of this.#numbers) rmSync(this.portPath(number), { force: true })
    this.#numbers.clear()
    claimed.delete(this.#dir)
    return Promise.resolve()
  }
}

/** Folders of lines in this very process, which the process number alone would not tell apart. */
const claimed = new Set<string>()

/** Takes the folder over, sweeping away what a dead line left. Failure kinds: `folder-in-use`, `bad-folder`. */
export function claimFolder(dir: string): LineFolder | Failure<'folder-in-use' | 'bad-folder'> {
  try {
    const owner = liveOwner(dir)
    if (owner !== null) {
      return new Failure('folder-in-use', `Another practice line (process ${owner}) runs in ${dir}. Stop it, or choose another folder.`, { pid: owner })
    }
    for (const name of readdirSync(dir)) {
      const path = join(dir, name)
      if (portName.test(name) && lstatSync(path).isSymbolicLink()) unlinkSync(path)
      else if (name.startsWith(`${listName}.`)) unlinkSync(path)
    }
    rmSync(join(dir, listName), { force: true })
    // Fails here, with a sentence, rather than at the first announcement.
    const folder = new LineFolder(dir)
    claimed.add(dir)
    folder.announce([])
    return folder
  } catch (error) {
    claimed.delete(dir)
    return new Failure('bad-folder', `The folder ${dir} cannot be used for practice boards: ${(error as Error).message}.`)
  }
}

/** The process that runs a line in that folder, or null. A process number may have been given to a stranger since: then no port of the list is left. */
function liveOwner(dir: string): number | null {
  let list: { pid?: unknown; boards?: unknown }
  try {
    list = JSON.parse(readFileSync(join(dir, listName), 'utf8')) as { pid?: unknown; boards?: unknown }
  } catch {
    return null
  }
  const { pid } = list
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return null
  if (pid === process.pid) return claimed.has(dir) ? pid : null
  const ports = Array.isArray(list.boards) ? (list.boards as { port?: unknown }[]).map(({ port }) => port) : []
  const anyPort = ports.some((port) => typeof port === 'string' && existsSync(port))
  return anyPort && isAlive(pid) ? pid : null
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
