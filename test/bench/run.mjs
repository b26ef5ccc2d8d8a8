// Runs a bench in the runtime that ships: `node test/bench/run.mjs log [arguments]`. The bench is TypeScript and Node 20
// runs none, so it is built first, inside node_modules, where it finds the native packages.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..', '..')
const [name = '', ...rest] = process.argv.slice(2)
const source = join(import.meta.dirname, `${name}.ts`)
if (!/^[a-z-]+$/.test(name) || !existsSync(source)) {
  console.error(`usage: node test/bench/run.mjs NAME, where test/bench/NAME.ts is a bench`)
  process.exit(2)
}
const runtimePath = join(root, '.runtime', 'electron-path')
const runtime = existsSync(runtimePath) ? readFileSync(runtimePath, 'utf8').trim() : process.execPath
const outDir = mkdtempSync(join(root, 'node_modules', '.slotwright-bench-'))
let status = 1
try {
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: source,
      outDir,
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: { external: ['better-sqlite3'], output: { entryFileNames: 'bench.mjs' } },
    },
  })
  const ran = spawnSync(runtime, [join(outDir, 'bench.mjs'), ...rest], { stdio: 'inherit', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } })
  status = ran.status ?? 1
} finally {
  rmSync(outDir, { recursive: true, force: true })
}
process.exit(status)
