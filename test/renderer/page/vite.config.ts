import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: fileURLToPath(new URL('../../../node_modules/.cache/page', import.meta.url)),
  plugins: [vue()],
  server: { port: 5199, strictPort: true, fs: { allow: ['../../..'] } },
})
