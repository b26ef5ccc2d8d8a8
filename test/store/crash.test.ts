// A station killed at any moment: the next start finds everything that was acknowledged, the log holds, and goes on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { build } from 'vite'
import { often, within } from './soak.ts'
import { outcomeDraft, newHome, release, storeIn, value } from './fixture.ts'

const root = join(import.meta.dirname, '..', '..')
let built = ''

// Node 20 runs no TypeScript, so the child is built first; inside the tree, where it finds better-sqlite3.
beforeAll(async () => {
  built = mkdtempSync(join(root, 'node_modules', '.slotwright-crash-'))
  await build({
    configFile: false,
    logLevel: 'error',
    build: {
      ssr: join(import.meta.dirname, 'appender.ts'),
      outDir: built,
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: { external: ['better-sqlite3'], output: { entryFileNames: 'appender.mjs' } },
    },
  })
})
afterAll(() => {
  rmSync(built, { recursive: true, force: true })
  release()
})

/** Lets a child append until it has acknowledged `acks` times, kills it, and gives the last seq it acknowledged. */
async function killAfter(home: string, acks: number): Promise<number> {
  const child = spawn(process.execPath, [join(built, 'appender.mjs'), home], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } })
  let errors = ''
  child.stderr.on('data', (text: Buffer) => (errors += text.toString()))
  const ended = once(child, 'close')
  let last = -1
  let heard = 0
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line)
    if ((heard += 1) === acks) child.kill('SIGKILL')
  }
  const [, signal] = (await ended) as [number | null, string | null]
  expect({ signal, errors }).toEqual({ signal: 'SIGKILL', errors: '' })
  return last
}

test('after each kill, at some random moment under load, the log holds, has all that was acknowledged, and takes new entries', { timeout: within(120_000) }, async () => {
  const home = newHome()
  for (let kill = 0; kill < often(12, 500); kill++) {
    const acknowledged = await killAfter(home, 1 + ((kill * 37) % 90))
    const store = storeIn(home, { session: `check ${kill}` })
    expect(value(store.head()).size).toBeGreaterThan(acknowledged)
    expect(value(await store.verify())).toMatchObject({ holds: true, wrongs: [] })
    value(store.append(outcomeDraft('after the crash')))
    store.close()
  }
})
