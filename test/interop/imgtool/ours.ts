// Our command line inside this process: the very words that imgtool gets, with a home of its own, so that parsing, signing,
// writing and the log are all part of the comparison.
import { PassThrough } from 'node:stream'
import { runCommandLine } from '../../../main/cli/program.ts'

export type Ended = Readonly<{ code: number; document: Record<string, unknown>; stderr: string }>

/** Runs `slotwright WORDS --json`. */
export async function slotwright(words: readonly string[], home: string): Promise<Ended> {
  const pieces = { out: '', err: '' }
  const sink = (name: 'out' | 'err') => {
    const stream = new PassThrough()
    stream.on('data', (piece: Buffer) => { pieces[name] += piece.toString('utf8') })
    return stream as unknown as NodeJS.WriteStream
  }
  const around = { env: {}, stdin: new PassThrough() as unknown as NodeJS.ReadStream, stdout: sink('out'), stderr: sink('err'), signal: new AbortController().signal }
  const code = await runCommandLine([...words, '--json', '--home', home], around)
  return { code, document: pieces.out === '' ? {} : JSON.parse(pieces.out) as Record<string, unknown>, stderr: pieces.err }
}
