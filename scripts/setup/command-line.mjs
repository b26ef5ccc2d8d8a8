// Builds the command line into out/cli, as CommonJS and with V8's code beside it: a call of `sign` starts with the work
// instead of with compiling (main/cli/code-cache.ts). The code is made by running the commands that build scripts call
// most, in the runtime that ships; where that does not run, there is none, and calls take some 50 ms longer.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'vite'
import { root, run, runtimeFolder, say } from './words.mjs'

// Of better-sqlite3 only what finds its binary stays outside: its dozen files took Node's own loader 3 ms.
const sqliteBinding = 'better-sqlite3/lib/binding.js'
const bindingStaysOutside = {
  name: 'better-sqlite3-binding',
  resolveId: (id, from) => (id === './binding' && from?.replaceAll('\\', '/').endsWith('/better-sqlite3/lib/index.js') ? { id: sqliteBinding, external: true } : null),
}
const nativePackages = [/^serialport$/, /^@serialport\//, /^@lydell\/node-pty/, /^pkcs11js$/, /^lzma-native$/]
const at = (...path) => join(root, 'main', 'cli', ...path)

export async function buildCommandLine(outDir = join(root, 'out', 'cli')) {
  await build({
    root,
    configFile: false,
    plugins: [{ ...bindingStaysOutside, enforce: 'pre' }],
    logLevel: 'error',
    ssr: { noExternal: true },
    build: {
      ssr: true,
      target: 'node20.18',
      outDir,
      emptyOutDir: true,
      minify: false,
      copyPublicDir: false,
      rolldownOptions: {
        input: { start: at('start.ts'), cli: at('slotwright.ts'), 'code-cache': at('code-cache.ts') },
        external: [/^node:/, ...nativePackages],
        output: { format: 'cjs', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  })
  writeFileSync(join(outDir, 'package.json'), '{ "type": "commonjs" }\n')
  await warm(outDir)
}

async function warm(outDir) {
  const note = join(runtimeFolder, 'electron-path')
  const electron = existsSync(note) ? readFileSync(note, 'utf8').trim() : ''
  const home = mkdtempSync(join(tmpdir(), 'slotwright-warm-'))
  try {
    const [key, firmware, image] = ['key.pem', 'firmware.bin', 'image.bin'].map((name) => join(home, name))
    writeFileSync(firmware, new Uint8Array(4096))
    const calls = [
      ['keygen', '-t', 'ecdsa-p256', '--no-passphrase', '-o', key],
      ['sign', '-v', '1.0.0', '-H', '0x200', '--pad-header', '-S', '0x8000', '-k', key, firmware, image],
      ['verify', '-k', key, image],
      ['dumpinfo', image],
      ['getpub', '-k', key],
      ['key', 'list', '--json'],
    ]
    for (const words of calls) {
      const { code, output } = await run(electron, [join(root, 'scripts', 'setup', 'warm.cjs'), outDir, ...words], { env: { ELECTRON_RUN_AS_NODE: '1', SLOTWRIGHT_HOME: join(home, 'home') }, timeoutMs: 60_000 })
      if (code === 0) continue
      say(`the command line starts without compiled code: ${words[0]} could not be run (${output.trim().split('\n').at(-1) ?? code})`)
      return
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await buildCommandLine()
