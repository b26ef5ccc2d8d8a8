// Runs a TypeScript program of the tests in the runtime that ships. Node 20 runs no TypeScript, so it is built first, inside
// node_modules, where it finds the native packages; with it the entries of the processes that it starts.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '..', '..')

/**
 * @param {Record<string, string>} entries sources by the names under which they are built, side by side; the first is run
 * @param {{ plugins?: import('vite').Plugin[], noExternal?: true | RegExp[], nodeOptions?: string[], words?: string[], env?: Record<string, string> }} how
 * @returns {Promise<number>} its exit code
 */
export async function runInRuntime(entries, { plugins = [], noExternal = true, nodeOptions = [], words = [], env = {} } = {}) {
  const runtimePath = join(root, '.runtime', 'electron-path')
  const runtime = existsSync(runtimePath) ? readFileSync(runtimePath, 'utf8').trim() : process.execPath
  const outDir = mkdtempSync(join(root, 'node_modules', '.slotwright-run-'))
  try {
    await build({
      configFile: false,
      plugins,
      logLevel: 'error',
      ssr: { noExternal },
      build: {
        ssr: true,
        outDir,
        emptyOutDir: false,
        target: 'node20',
        rolldownOptions: {
          input: entries,
          external: ['better-sqlite3', 'serialport', /^@serialport\//, /^@lydell\/node-pty/, 'pkcs11js', 'lzma-native'],
          output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
        },
      },
    })
    const [first = ''] = Object.keys(entries)
    return spawnSync(runtime, [...nodeOptions, join(outDir, `${first}.mjs`), ...words], { stdio: 'inherit', env: { ...process.env, ...env, ELECTRON_RUN_AS_NODE: '1' } }).status ?? 1
  } finally {
    rmSync(outDir, { recursive: true, force: true })
  }
}
