// How smoothly the window scrolls a million entries: test/app/long-log.spec.ts with as many, its figures kept in results/.
// `npm run bench:log-window [-- ENTRIES]`. Takes some minutes, most of them for writing and verifying the log.
import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const entries = Number(process.argv[2] ?? 1_000_000)
const results = join(import.meta.dirname, 'results')
mkdirSync(results, { recursive: true })
const child = spawn(process.execPath, [join(root, 'scripts', 'test.mjs'), 'test/app/long-log.spec.ts', '--grep=any place'], {
  stdio: 'inherit', env: { ...process.env, SLOTWRIGHT_LOG_ENTRIES: String(entries), SLOTWRIGHT_FIGURES: join(results, `log-window-${entries}.json`) },
})
child.on('close', (code) => {
  process.exitCode = code ?? 1
})
