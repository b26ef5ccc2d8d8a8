// `npm run soak:kill [-- TIMES]`: the station killed fifty times (or as often as said) in the middle of a batch, in the
// runtime that ships, on what was built last. The test itself is kills.test.ts.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const times = process.argv[2] ?? '50'
if (!/^[1-9][0-9]{0,3}$/.test(times)) {
  console.error('usage: npm run soak:kill [-- TIMES]')
  process.exit(2)
}
const runtimePath = join(root, '.runtime', 'electron-path')
const runtime = existsSync(runtimePath) ? readFileSync(runtimePath, 'utf8').trim() : process.execPath
const ran = spawnSync(runtime, [join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', 'test/scenarios/kills.test.ts'], {
  cwd: root, stdio: 'inherit', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1', SLOTWRIGHT_KILLS: times },
})
process.exit(ran.status ?? 1)
