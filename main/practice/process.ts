// Entry of the practice line's own process: gets its order over IPC, runs the line, and stops by itself when the parent
// goes away, so that no ports are left behind.
import { parentOf } from '../base/child.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { startPracticeLine } from './line.ts'
import type { PracticeLine } from './line.ts'
import { optionsOf } from './process-words.ts'
import type { FromLine, LineOrder, ToLine } from './process-words.ts'

const parent = parentOf(process)
let line: PracticeLine | null = null
let ending = false

function say(word: FromLine): void {
  parent.say(word)
}

async function start(order: LineOrder): Promise<void> {
  const options = optionsOf(order)
  const started = failed(options) ? options : await startPracticeLine(options)
  if (failed(started)) {
    say({ is: 'failed', kind: started.kind, says: started.says })
    return end()
  }
  line = started
  // The parent may have gone, or changed its mind, while the ports were opened.
  if (ending) return end()
  line.onChange((boards) => say({ is: 'boards', boards }))
  say({ is: 'ready', boards: line.boards() })
}

async function carryOut(word: Exclude<ToLine, { is: 'start' | 'stop' }>): Promise<void | Failure> {
  if (line === null) return
  switch (word.is) {
    case 'set-fault': return line.setFault(word.bay, word.fault)
    case 'unplug': return line.unplug(word.bay)
    case 'replug': return line.replug(word.bay)
    case 'power-cycle': return line.powerCycle(word.bay)
  }
}

async function obey(word: ToLine): Promise<void> {
  if (word.is === 'start') return start(word.order)
  if (word.is === 'stop') return end()
  const why = await carryOut(word)
  say(why ? { is: 'done', id: word.id, kind: why.kind, says: why.says } : { is: 'done', id: word.id })
}

async function end(): Promise<void> {
  ending = true
  await line?.stop()
  line = null
  parent.leave()
}

parent.listen((word) => void obey(word as ToLine), () => void end())
process.on('SIGTERM', () => void end())
// Ctrl+C in a terminal reaches the whole group; the parent decides when the line ends.
process.on('SIGINT', () => {})
