// The command line as a process: joins it to `program.ts` and ends it. Nothing heavy is imported here; see `program.ts` for
// what each command loads, and `start.ts` for what comes before.
import { join } from 'node:path'
import type { Failure } from '../base/failure.ts'
import { watchInterrupts } from './interrupt.ts'
import { exitRefused, fault, runCommandLine } from './program.ts'

const { env, stdin, stdout, stderr } = process

/** A bug outside any command's own promise chain: say so in one sentence and leave. */
function onFault(error: unknown): void {
  const failure: Failure = fault(error, env)
  stderr.write(`slotwright: ${failure.says}\n`)
  process.exit(exitRefused)
}

// The runtime's own warnings are for whoever works on this program, not for whoever works with it.
process.removeAllListeners('warning')
if (env['SLOTWRIGHT_DEBUG'] === '1') process.on('warning', (warning) => stderr.write(`${warning.stack ?? warning.message}\n`))

process.on('uncaughtException', onFault)
process.on('unhandledRejection', onFault)

const signal = watchInterrupts((words) => stderr.write(words))
// Built into out/cli, beside the app's out/main.
const tokenEntry = join(import.meta.dirname, '..', 'main', 'tokens.js')
// No top-level await: a command's chunk imports this one, and would wait for it for ever.
runCommandLine(process.argv.slice(2), { env, stdin, stdout, stderr, signal, tokenEntry }).then((code) => process.exit(code), onFault)
