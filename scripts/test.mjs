// `npm test`: set-up, then the unit and scenario tests inside the runtime that ships (vitest in Electron as Node), then
// the window's tests (Playwright on the real Electron, on a display of its own where there is none).
//   npm test -- test/image          only the tests under that path (test/app means the window's)
//   npm test -- --no-window         all but the window's
// Other options go on to the runner. What came of it is written to test-results/totals.json.
import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './setup/build.mjs'
import { checkSandbox, hasDisplay, ownDisplay } from './setup/display.mjs'
import { readJson, root, say, SetupStop, writeWhole } from './setup/words.mjs'
import { alone, orStop, setUp } from './setup.mjs'

const results = join(root, 'test-results')

function readArguments(words) {
  const window = words.filter((word) => !word.startsWith('-') && /^(\.\/)?test\/app(\/|$)/.test(word))
  const paths = words.filter((word) => !word.startsWith('-'))
  const unit = paths.filter((word) => !window.includes(word))
  const options = words.filter((word) => word.startsWith('-') && word !== '--no-window')
  return {
    unit: { runs: window.length === 0 || unit.length > 0, args: [...unit, ...(unit.length > 0 || window.length === 0 ? options : [])] },
    window: {
      runs: !words.includes('--no-window') && (unit.length === 0 || window.length > 0),
      args: [...window, ...(window.length > 0 && unit.length === 0 ? options : [])],
    },
  }
}

function inThisTerminal(command, args, env) {
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env })
    child.on('error', (error) => {
      say(`${command} does not start: ${error.message}`)
      done(127)
    })
    child.on('close', (code) => done(code ?? 1))
  })
}

/** A runner that ended badly without a failed test (a file that does not load, a crash) counts as one failure. */
const honest = (count, code) => (code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count)

async function unitTests(runtime, args) {
  const report = join(results, 'vitest.json')
  const code = await inThisTerminal(
    runtime.executable,
    [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...args],
    { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
  )
  const read = readJson(report)
  const files = (read?.testResults ?? []).filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  return honest({ passed: read?.numPassedTests ?? 0, failed: (read?.numFailedTests ?? 0) + files, skipped: (read?.numPendingTests ?? 0) + (read?.numTodoTests ?? 0) }, code)
}

async function windowTests(runtime, args) {
  checkSandbox(runtime)
  const own = hasDisplay() ? undefined : await ownDisplay()
  const report = join(results, 'playwright.json')
  const env = { ...process.env, PLAYWRIGHT_JSON_OUTPUT_NAME: report }
  delete env.ELECTRON_RUN_AS_NODE
  if (own !== undefined) env.DISPLAY = own.display
  try {
    const code = await inThisTerminal(process.execPath, [join(root, 'node_modules', '@playwright', 'test', 'cli.js'), 'test', '--reporter=list,json', ...args], env)
    const read = readJson(report)?.stats
    return honest({ passed: read?.expected ?? 0, failed: (read?.unexpected ?? 0) + (read?.flaky ?? 0), skipped: read?.skipped ?? 0 }, code)
  } finally {
    await own?.close()
  }
}

const wish = readArguments(process.argv.slice(2))
const runtime = await orStop(() => setUp({ display: wish.window.runs && !hasDisplay(), tests: true, build: false }))
say(`tests run in Electron ${runtime.version}${runtime.kind === 'registry' ? ' (the registry runtime)' : ''}`)
mkdirSync(results, { recursive: true })
for (const name of ['vitest.json', 'playwright.json', 'totals.json']) rmSync(join(results, name), { force: true })

const totals = {}
// The build comes first, since tests of the command line run what was built; when it fails the other unit tests still run.
try {
  await alone(() => build())
} catch (error) {
  if (!(error instanceof SetupStop)) throw error
  say(error.message)
  totals.build = { passed: 0, failed: 1, skipped: 0 }
}
if (wish.unit.runs) totals.unit = await unitTests(runtime, wish.unit.args)
// A window that was not built cannot be tried: one failure, said once.
if (wish.window.runs) totals.window = totals.build === undefined ? await orStop(() => windowTests(runtime, wish.window.args)) : { passed: 0, failed: 1, skipped: 0 }

const sum = (name) => Object.values(totals).reduce((whole, part) => whole + part[name], 0)
const whole = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped'), ...totals }
writeWhole(join(results, 'totals.json'), `${JSON.stringify(whole, null, 2)}\n`)
say(`tests: ${whole.passed} passed, ${whole.failed} failed${whole.skipped > 0 ? `, ${whole.skipped} skipped` : ''}`)
process.exitCode = whole.failed > 0 || whole.passed === 0 ? 1 : 0
