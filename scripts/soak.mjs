// `npm run soak:log`: the tests of the log at the sizes they promise (500 kills under load, 5,000 flipped bytes over a
// database of 10,000 entries, 5,000 honest databases), in the runtime that ships. It takes hours; the suite does samples.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const named = join(root, '.runtime', 'electron-path')
const runtime = existsSync(named) ? readFileSync(named, 'utf8').trim() : process.execPath
const paths = process.argv.slice(2)
const ran = spawnSync(runtime, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--testTimeout=21600000', '--hookTimeout=21600000', ...(paths.length > 0 ? paths : ['test/log', 'test/store'])], {
  cwd: root, stdio: 'inherit', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', SLOTWRIGHT_SOAK: '1' },
})
process.exitCode = ran.status ?? 1
