// The page of this folder in a plain browser, for looking at the window without a station.
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

// eslint-disable-next-line no-restricted-syntax -- vite wants a default export
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: fileURLToPath(new URL('../../../node_modules/.cache/page', import.meta.url)),
  plugins: [vue()],
  server: { port: 5199, strictPort: true, fs: { allow: ['../../..'] } },
})
