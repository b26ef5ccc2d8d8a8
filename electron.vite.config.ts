// One build of everything that runs but the command line (scripts/setup/command-line.mjs): main/ into out/main (the app, and
// the processes of the practice line and of hardware tokens, as ES modules), the preload script into one CommonJS file,
// since a sandboxed preload can be nothing else, and the window into out/renderer. Targets are those of the oldest runtime
// that Slotwright runs on (Electron 33, the registry runtime); electron-vite would take the newest from package.json.
import { resolve } from 'node:path'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'electron-vite'
import type { UserConfig } from 'electron-vite'

const root = import.meta.dirname
const at = (...path: string[]): string => resolve(root, ...path)

/** Packages with native parts stay packages; all else is bundled, which spares the start hundreds of file reads. */
const nativePackages = [/^better-sqlite3(\/|$)/, /^serialport$/, /^@serialport\//, /^@lydell\/node-pty/, /^pkcs11js$/, /^lzma-native$/]

const mainEntries = {
  app: at('main/shell/entry.ts'),
  practice: at('main/practice/process.ts'),
  tokens: at('main/keys/pkcs11-process.ts'),
}

export default defineConfig((): UserConfig => ({
  main: {
    build: {
      target: 'node20.18',
      externalizeDeps: false,
      sourcemap: true,
      rolldownOptions: {
        input: mainEntries,
        external: ['electron', /^node:/, ...nativePackages],
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      target: 'node20.18',
      externalizeDeps: false,
      rolldownOptions: {
        input: { preload: at('main/shell/preload.ts') },
        external: ['electron'],
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: at('renderer'),
    // The content security policy allows no inline script, style or font.
    build: {
      target: 'chrome130',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: at('renderer/index.html') },
    },
    plugins: [vue()],
    define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  },
}))
