// `npm run simulate -- --seed N | --seeds FIRST-LAST [--workers N]`: simulated worlds outside the test runner, in the
// runtime that ships. The worlds are TypeScript, so they are built first, inside node_modules, where the native packages are.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..', '..')
const runtimePath = join(root, '.runtime', 'electron-path')
const runtime = existsSync(runtimePath) ? readFileSync(runtimePath, 'utf8').trim() : process.execPath
/** Ed25519 by the runtime instead of by script: faults/quick-ed25519.ts says why. */
const quickEd25519 = {
  name: 'quick-ed25519',
  enforce: 'pre',
  resolveId: (id, importer) => (id === '@noble/curves/ed25519.js' && importer !== '\0quick-ed25519' ? '\0quick-ed25519' : null),
  load: (id) => (id === '\0quick-ed25519' ? `
    import * as noble from ${JSON.stringify(join(root, 'node_modules/@noble/curves/ed25519.js'))}
    import { quickened } from ${JSON.stringify(join(import.meta.dirname, 'faults', 'quick-ed25519.ts'))}
    export * from ${JSON.stringify(join(root, 'node_modules/@noble/curves/ed25519.js'))}
    export const ed25519 = quickened(noble).ed25519
  ` : null),
}
const outDir = mkdtempSync(join(root, 'node_modules', '.slotwright-worlds-'))
let status = 1
try {
  await build({
    configFile: false,
    plugins: [quickEd25519],
    logLevel: 'error',
    // Its browser build is no module that Node would load by itself.
    ssr: { noExternal: [/^fflate/] },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: {
        input: { simulate: join(import.meta.dirname, 'faults', 'simulate.ts') },
        external: ['better-sqlite3', 'serialport', /^@serialport\//, /^@lydell\/node-pty/, 'pkcs11js', 'lzma-native'],
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  })
  const ran = spawnSync(runtime, [...(process.env.SIMULATE_NODE_OPTIONS ?? '').split(' ').filter(Boolean), join(outDir, 'simulate.mjs'), ...process.argv.slice(2)], { stdio: 'inherit', env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } })
  status = ran.status ?? 1
} finally {
  rmSync(outDir, { recursive: true, force: true })
}
process.exit(status)
