// Runs a bench in the runtime that ships: `node test/bench/run.mjs log [arguments]`.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { runInRuntime } from './in-runtime.mjs'

const root = join(import.meta.dirname, '..', '..')
const [name = '', ...words] = process.argv.slice(2)
const source = join(import.meta.dirname, `${name}.ts`)
if (!/^[a-z-]+$/.test(name) || !existsSync(source)) {
  console.error(`usage: node test/bench/run.mjs NAME, where test/bench/NAME.ts is a bench`)
  process.exit(2)
}
/** Processes that a bench starts, by the name under which it finds them beside itself. */
const alongside = {
  sign: { tokens: join(root, 'main', 'keys', 'pkcs11-process.ts') },
  log: { practice: join(root, 'main', 'practice', 'process.ts') },
  link: { board: join(import.meta.dirname, 'link-board.ts') },
  line: { station: join(import.meta.dirname, 'line-station.ts'), practice: join(root, 'main', 'practice', 'process.ts') },
}
process.exit(await runInRuntime({ bench: source, ...alongside[name] }, {
  nodeOptions: ['--expose-gc'],
  words,
  env: { SLOTWRIGHT_BENCH_ROOT: root, SLOTWRIGHT_BENCH_NAME: name },
}))
