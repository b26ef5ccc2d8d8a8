// Runs a bench in the runtime that ships: `node test/bench/run.mjs log [arguments]`. The bench is TypeScript and Node 20
// runs none, so it is built first, inside node_modules, where it finds the native packages; with it the entries of the
// processes it starts.
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
/** Processes that a bench starts, by the name under which it finds them beside itself. */
const alongside = {
  sign: { tokens: join(root, 'main', 'keys', 'pkcs11-process.ts') },
  log: { practice: join(root, 'main', 'practice', 'process.ts') },
  link: { board: join(import.meta.dirname, 'link-board.ts') },
  line: { station: join(import.meta.dirname, 'line-station.ts'), practice: join(root, 'main', 'practice', 'process.ts') },
}
const runtimePath = join(root, '.runtime', 'electron-path')
const runtime = existsSync(runtimePath) ? readFileSync(runtimePath, 'utf8').trim() : process.execPath
const outDir = mkdtempSync(join(root, 'node_modules', '.slotwright-bench-'))
let status = 1
try {
  await build({
    configFile: false,
    logLevel: 'error',
    // As in the app: all but native packages is bundled.
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: {
        input: { bench: source, ...alongside[name] },
        external: ['better-sqlite3', 'serialport', /^@serialport\//, /^@lydell\/node-pty/, 'pkcs11js', 'lzma-native'],
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  })
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1', SLOTWRIGHT_BENCH_ROOT: root, SLOTWRIGHT_BENCH_NAME: name }
  const ran = spawnSync(runtime, ['--expose-gc', join(outDir, 'bench.mjs'), ...rest], { stdio: 'inherit', env })
  status = ran.status ?? 1
} finally {
  rmSync(outDir, { recursive: true, force: true })
}
process.exit(status)
