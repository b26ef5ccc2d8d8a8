// Unit and scenario tests. They are meant to run in the shipped runtime (`npm test` starts vitest inside
// Electron as Node); plain `npx vitest run` uses the system's Node and is for quick looks only.
// The window's tests (test/app) belong to Playwright and are not read here.
import { defineConfig } from 'vitest/config'
import vue from '@vitejs/plugin-vue'

export default defineConfig({
  plugins: [vue()],
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/app/**', 'node_modules/**'],
    // Forks, not threads: native addons and the practice line's child processes want a process of their own.
    pool: 'forks',
    testTimeout: 20_000,
    hookTimeout: 20_000,
    passWithNoTests: false,
    allowOnly: process.env['CI'] === undefined,
  },
})
