// What a run asks the operator, on the command line: the person at the terminal presses y or n for the oldest open question,
// or `--answers` has said it beforehand for all. Without either the question's own time runs out, which is a no.
import type { QuestionView } from '../contract/views.ts'
import type { Call } from './call.ts'
import type { CalledStation } from './station-call.ts'

/** Follows the station's questions until the returned function is called, which gives the terminal back. */
export function answerQuestions(call: Call, station: CalledStation, answers: 'yes' | 'no' | null, note: (words: string) => void): () => void {
  const told = new Set<string>()
  let open: readonly QuestionView[] = []
  const atTerminal = answers === null && call.stdin.isTTY && call.stderr.isTTY
  const stopKeys = atTerminal ? watchKeys(call, (yes) => {
    const [first] = open
    if (first !== undefined) void say(first, yes)
  }) : () => {}
  const say = async (question: QuestionView, yes: boolean) => {
    open = open.filter((each) => each.question !== question.question)
    await station.answerQuestion({ question: question.question, yes })
    note(`bay ${question.bay}  ${question.board}  ${question.asks} ${yes ? 'yes' : 'no'}`)
    if (open[0] !== undefined && atTerminal) note(asking(open[0], true))
  }
  const stopListening = station.subscribe((event) => {
    if (event.is !== 'questions') return
    const wasQuiet = open.length === 0
    open = event.questions
    for (const question of open.filter((each) => !told.has(each.question))) {
      told.add(question.question)
      if (answers !== null) void say(question, answers === 'yes')
      else if (!atTerminal) note(`${asking(question, false)} Nobody can answer here: run this in a terminal, or give --answers yes.`)
      else if (wasQuiet && question === open[0]) note(asking(question, true))
    }
  })
  return () => {
    stopListening()
    stopKeys()
  }
}

function asking({ bay, board, asks }: QuestionView, keys: boolean): string {
  return `bay ${bay}  ${board}  ${asks}${keys ? '  Press y or n.' : ''}`
}

/** Single keys, unechoed; Ctrl+C still means what it means. */
function watchKeys({ stdin }: Call, pressed: (yes: boolean) => void): () => void {
  const heard = (keys: Buffer) => {
    for (const key of keys.toString('latin1').toLowerCase()) {
      if (key === 'y' || key === 'n') pressed(key === 'y')
      else if (key === '\u0003') process.kill(process.pid, 'SIGINT')
    }
  }
  stdin.setRawMode(true)
  stdin.on('data', heard)
  stdin.resume()
  return () => {
    stdin.off('data', heard)
    stdin.setRawMode(false)
    stdin.pause()
  }
}
