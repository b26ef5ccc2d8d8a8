// Everything a fresh clone needs before it can run: packages, Electron, native parts, system libraries, the build.
// `npm start`, `npm test` and bin/slotwright call it; a step that is already done says and does nothing.
// It uses Node's own modules only until the packages are there.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runtimeFolder, say, SetupStop } from './setup/words.mjs'

const nodeWanted = [20, 19, 0]
const lockWaitMaxMs = 20 * 60_000
const lockLookMs = 300

function checkNode() {
  const have = process.versions.node.split('.').map(Number)
  for (const [at, wanted] of nodeWanted.entries()) {
    if (have[at] > wanted) return
    if (have[at] < wanted) {
      throw new SetupStop(`Node ${process.versions.node} is too old: set-up and npm need ${nodeWanted.join('.')} or newer (https://nodejs.org)`)
    }
  }
}

const isRunning = (pid) => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** One set-up or build at a time in a clone: the second waits for the first and then finds everything done. */
export async function alone(work) {
  mkdirSync(runtimeFolder, { recursive: true })
  const lock = join(runtimeFolder, 'setup.lock')
  const until = Date.now() + lockWaitMaxMs
  let told = false
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
    }
    let owner = NaN
    try {
      owner = Number(readFileSync(lock, 'utf8'))
    } catch {
      continue // it was just given back
    }
    if (owner > 0 && !isRunning(owner)) {
      rmSync(lock, { force: true })
      continue
    }
    if (Date.now() > until) throw new SetupStop(`another set-up (process ${owner}) has held ${lock} for too long; end it or delete the file`)
    if (!told) say('another set-up is at work in this folder; waiting for it')
    told = true
    await new Promise((next) => setTimeout(next, lockLookMs))
  }
  try {
    return await work()
  } finally {
    rmSync(lock, { force: true })
  }
}

/**
 * Does what is missing and returns the runtime (see `electron()`).
 * @param {{ display?: boolean, tests?: boolean, build?: boolean }} wish display: also what the window tests need; tests: also
 *   the token that the key tests sign with; build: also out/
 */
export async function setUp({ display = false, tests = false, build = true } = {}) {
  checkNode()
  return await alone(async () => {
    const { dependencies } = await import('./setup/dependencies.mjs')
    await dependencies()
    const { libraries, librariesIfRoot, needs } = await import('./setup/libraries.mjs')
    await libraries(display ? [...needs.running, ...needs.testing] : needs.running)
    // Without it the key tests fail, each with a sentence that says so; all the others can still run.
    if (tests) await librariesIfRoot(needs.tokens)
    const { electron } = await import('./setup/electron.mjs')
    const runtime = await electron()
    const { sqlite } = await import('./setup/sqlite.mjs')
    await sqlite(runtime)
    const { pkcs11 } = await import('./setup/pkcs11.mjs')
    await pkcs11(runtime, { required: tests })
    if (build) {
      const { build: make } = await import('./setup/build.mjs')
      await make()
    }
    return runtime
  })
}

/** Runs `work` and turns a SetupStop into its sentence and exit 1. */
export async function orStop(work) {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof SetupStop)) throw error
    say(error.message)
    process.exit(1)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const quiet = process.argv.includes('--quiet')
  const runtime = await orStop(() => setUp({ build: !process.argv.includes('--no-build') }))
  if (!quiet) say(`ready: ${runtime.kind === 'registry' ? 'registry runtime, ' : ''}Electron ${runtime.version} at ${runtime.executable}`)
}
