// `npm start`: does what set-up is missing, then opens the window. Arguments go on to the app (npm start -- --home DIR).
// Without a display there is no window; the main job then runs in this terminal, on practice boards.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { checkSandbox, hasDisplay, sandboxArguments } from './setup/display.mjs'
import { root, say } from './setup/words.mjs'
import { orStop, setUp } from './setup.mjs'

/** Runs a program in this terminal; ends when it ends, with its exit code. */
function inThisTerminal(command, args, env) {
  const child = spawn(command, args, { stdio: 'inherit', env })
  // Ctrl+C reaches the child by itself; this process has only to outlive it, and to hand on what kill sends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => (signal === 'SIGINT' ? undefined : child.kill(signal)))
  child.on('error', (error) => {
    say(`${command} does not start: ${error.message}`)
    process.exitCode = 1
  })
  child.on('close', (code) => {
    process.exitCode = code ?? 1
  })
}

const args = process.argv.slice(2)
const runtime = await orStop(() => setUp())
const env = { ...process.env }
if (hasDisplay()) {
  await orStop(() => checkSandbox(runtime))
  delete env.ELECTRON_RUN_AS_NODE
  if (runtime.kind === 'registry') say(`running on the registry runtime (Electron ${runtime.version} instead of ${runtime.wanted}): for development and tests only`)
  inThisTerminal(runtime.executable, [...sandboxArguments(), root, ...args], env)
} else {
  say('there is no display, so no window; the practice line runs in this terminal instead')
  env.ELECTRON_RUN_AS_NODE = '1'
  inThisTerminal(runtime.executable, [join(root, 'out', 'cli', 'start.js'), 'tour', ...args], env)
}
