// What Electron starts: the program with a window, or one that only looks at a log, unless this start is the installed
// command line's, or a print job of its. They share next to nothing, so each is loaded only where it is wanted. Processes of their own are utility processes
// in all of them: a customer's package can start no others.
import { startChildrenBy } from '../base/child.ts'
import { namedAuditor } from './arguments.ts'
import { commandLineIn, runCommandLine } from './command-line.ts'
import { printJobIn, runPrintJob } from './print-job.ts'
import { startUtility } from './utility.ts'

startChildrenBy(startUtility)
const words = commandLineIn(process.argv)
const job = words === null ? printJobIn(process.argv) : null
if (words !== null) runCommandLine(words)
else if (job === null) await (namedAuditor(process.argv) === null ? import('./app.ts') : import('./auditor-app.ts'))
else void runPrintJob(job).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
})
