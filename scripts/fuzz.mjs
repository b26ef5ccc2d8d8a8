// `npm run fuzz [COUNT]`: the mutation fuzzers over the parsers of images, trailers, Intel HEX and firmware packages at length, a million inputs
// each unless told, in the runtime that ships. `npm test` does a sample of the same. SLOTWRIGHT_FUZZ_SEED draws others.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const count = process.argv[2] ?? '1000000'
if (!/^[1-9][0-9]{0,8}$/.test(count)) {
  console.error('usage: npm run fuzz [COUNT]')
  process.exit(2)
}
const named = join(root, '.runtime', 'electron-path')
const runtime = existsSync(named) ? readFileSync(named, 'utf8').trim() : process.execPath
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
const ran = spawnSync(runtime, [vitest, 'run', 'test/image/hostile.test.ts', 'test/image/hostile-files.test.ts', 'test/cms/fuzz.test.ts'], {
  cwd: root, stdio: 'inherit', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', SLOTWRIGHT_FUZZ: count, SLOTWRIGHT_FUZZ_INPUTS: count },
})
process.exit(ran.status ?? 1)
