// Many images in one process, since starting a program is most of what signing one image costs. Either a list, whose lines
// are the words of one `sign` each with the call's own options as defaults, or many files with the same options into one
// folder. One image that is refused does not stop the others.
import { basename, join, resolve } from 'node:path'
import { Command, CommanderError } from 'commander'
import { Failure, attempt, failed, refuse } from '../base/failure.ts'
import { usageKind } from './call.ts'
import type { Answer, Call } from './call.ts'
import { readInput } from './files.ts'
import { joinPairs } from './numbers.ts'

/** One image: the two names, and the options as commander gives them. */
export type Order<F> = Readonly<{ input: string; output: string; flags: F }>

const listBytesMax = 4 * 1024 * 1024
const ordersMax = 10_000

/** The orders in a list. Kinds: of reading the file, `usage` for a line that `sign` would not take (fact `line`). */
export async function ordersInList<F extends object>(path: string, given: Command, declareOptions: (command: Command) => void): Promise<Order<F>[] | Failure> {
  const bytes = await readInput(path, 'batch list', listBytesMax)
  if (failed(bytes)) return bytes
  return attempt(() => {
    const orders: Order<F>[] = []
    for (const [at, text] of new TextDecoder().decode(bytes).split(/\r?\n/).entries()) {
      if (/^\s*(#|$)/.test(text)) continue
      const bad = (says: string): never => refuse(usageKind, `${path}, line ${at + 1}: ${says}`, { line: at + 1 })
      if (orders.length === ordersMax) bad(`a batch has at most ${ordersMax} images. Make two of it.`)
      orders.push(orderOf<F>(wordsOf(text) ?? bad('a quotation mark is not closed.'), given, declareOptions, bad))
    }
    if (orders.length === 0) refuse(usageKind, `${path} names no image. Each line is what would follow the word sign: IN OUT and options.`)
    refuseSameOutput(orders)
    return orders
  })
}

/** Files into a folder, `app.bin` as `app.signed.bin`. Kind `usage` when two would have one name. */
export function ordersIntoFolder<F>(inputs: readonly string[], folder: string, flags: F): Order<F>[] | Failure {
  return attempt(() => {
    if (inputs.length === 0) refuse(usageKind, 'Name the firmware files that are to be signed.')
    const orders = inputs.map((input) => ({ input, output: join(folder, signedName(basename(input))), flags }))
    refuseSameOutput(orders)
    return orders
  })
}

function signedName(name: string): string {
  const dot = name.lastIndexOf('.')
  return dot > 0 ? `${name.slice(0, dot)}.signed${name.slice(dot)}` : `${name}.signed`
}

function refuseSameOutput(orders: readonly Order<unknown>[]): void {
  const seen = new Set<string>()
  for (const { output } of orders) {
    if (seen.has(resolve(output))) refuse(usageKind, `${output} is named twice; the second image would replace the first.`)
    seen.add(resolve(output))
  }
}

function orderOf<F extends object>(words: readonly string[], given: Command, declareOptions: (command: Command) => void, bad: (says: string) => never): Order<F> {
  const command = new Command('sign').argument('<in>').argument('<out>').exitOverride().helpOption(false).configureOutput({ writeErr: () => {} })
  declareOptions(command)
  for (const option of command.options) {
    const name = option.attributeName()
    if (given.getOptionValueSource(name) === 'cli') command.setOptionValueWithSource(name, given.getOptionValue(name), 'config')
  }
  try {
    command.parse(joinPairs(words), { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return bad(`${error.message.replace(/^error: /, '')}.`)
    throw error
  }
  const [input = '', output = ''] = command.args
  return { input, output, flags: command.opts<F>() }
}

/** Words between blanks; quotes hold them together, and a backslash is only itself, for paths. Null for a quote left open. */
function wordsOf(line: string): string[] | null {
  const words: string[] = []
  let word: string | null = null
  let quote = ''
  for (const sign of line) {
    if (quote !== '') {
      if (sign === quote) quote = ''
      else word = `${word ?? ''}${sign}`
    } else if (sign === '"' || sign === '\'') {
      quote = sign
      word ??= ''
    } else if (/\s/.test(sign)) {
      if (word !== null) words.push(word)
      word = null
    } else word = `${word ?? ''}${sign}`
  }
  if (word !== null) words.push(word)
  return quote === '' ? words : null
}

/** Makes one image after the other; exit 1 when one was refused, whatever became of the rest. */
export async function inTurn<F>(call: Call, orders: readonly Order<F>[], make: (order: Order<F>) => Promise<Answer | Failure>): Promise<Answer> {
  const images: unknown[] = []
  const lines: string[] = []
  let refused = 0
  for (const order of orders) {
    const made = call.signal.aborted ? new Failure('stopped', 'Stopped before its turn.') : await make(order)
    if (failed(made)) {
      refused++
      call.tell(`${call.paint.bold(order.output)}: ${made.says}\n`)
      images.push({ file: order.output, input: order.input, failure: { kind: made.kind, says: made.says, facts: made.facts } })
    } else {
      images.push(made.document)
      lines.push(made.words?.split('\n', 1)[0] ?? '')
    }
  }
  const done = orders.length - refused
  lines.push(`${done} of ${orders.length} done${refused === 0 ? '' : `, ${refused} refused`}`)
  return { document: { images, done, refused }, words: lines.join('\n'), good: refused === 0 }
}
