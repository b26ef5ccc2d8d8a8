// The command line of an installed program. A customer's package cannot be run as Node, so its `slotwright` starts the
// program itself with `-- command-line ARGUMENTS…` and Chromium's headless platform: no window, no display, no renderer.
// All arguments stand behind `--`, where Chromium does not look (`keygen --type` would be a switch of its own otherwise).
import { app } from 'electron'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const mark = 'command-line'

/** What stands behind the mark; null when this start is for a window. */
export function commandLineIn(argv: readonly string[]): readonly string[] | null {
  const at = argv.indexOf('--')
  return at >= 0 && argv[at + 1] === mark ? argv.slice(at + 2) : null
}

/** Becomes the command line: the same built file that Node runs in development, which ends the process by itself. */
export function runCommandLine(args: readonly string[]): void {
  const start = join(app.getAppPath(), 'out', 'cli', 'start.js')
  process.argv = [process.execPath, start, ...args]
  // Electron would end a program that has no window; this one never had any.
  app.on('window-all-closed', () => undefined)
  // Ctrl+C and the system's other signals reach Chromium first, which would quit; the commands end in their own way.
  app.on('before-quit', (event) => {
    event.preventDefault()
    process.emit('SIGINT', 'SIGINT')
  })
  createRequire(import.meta.url)(start)
}
