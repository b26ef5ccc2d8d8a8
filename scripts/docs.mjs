// `npm run docs`: writes what of the documentation comes from the program. docs/commands.md is made of every command's own
// help, the drawn machine in docs/run.md of the machine; pictures named in README.md and docs/*.md are taken from what the
// window's tests left in test-results/screens (npm test -- test/app), made smaller.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { smallPng } from './docs/small-png.mjs'
import { root, say } from './setup/words.mjs'
import { orStop, setUp } from './setup.mjs'

const runtime = await orStop(() => setUp({ display: false, tests: true, build: false }))
const written = spawnSync(
  runtime.executable,
  [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', 'test/cli/help.test.ts', 'test/scenarios/drawing.test.ts', '--update', '--reporter=dot'],
  { cwd: root, stdio: 'inherit', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', SLOTWRIGHT_DRAW: '1' } },
)

const pages = [join(root, 'README.md'), ...readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => join(root, 'docs', name))]
const pictures = new Set(pages.flatMap((page) => [...readFileSync(page, 'utf8').matchAll(/screens\/([\w-]+\.png)/g)].map(([, name]) => name)))
const missing = []
for (const name of pictures) {
  const taken = join(root, 'test-results', 'screens', name)
  if (existsSync(taken)) writeFileSync(join(root, 'docs', 'screens', name), smallPng(readFileSync(taken)))
  else missing.push(name)
}
say(`docs: ${pictures.size - missing.length} pictures taken from test-results/screens${missing.length === 0 ? '' : `; not there (npm test -- test/app makes them): ${missing.join(', ')}`}`)
process.exitCode = written.status ?? 1
