// The window's tests: Playwright on the real Electron, one window at a time (a window owns its home folder,
// its practice line and the machine's attention). `npm test` builds first and brings the display.
import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'test/app',
  testMatch: '**/*.spec.ts',
  outputDir: 'test-results/app',
  workers: 1,
  fullyParallel: false,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  // A window that does not even start fails every test of it: that is known after a few, and waiting for all would take hours.
  maxFailures: 12,
  globalTimeout: 25 * 60_000,
  forbidOnly: process.env['CI'] !== undefined,
  reporter: [['list']],
})
