// The factory's hooks and interface from a terminal: made, listed beside a running station, served until stopped, and every
// secret printed once.
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { document, expectRefusal, folder, run, start } from './command.ts'
import type { Result } from './command.ts'

let home = ''
let work = ''
const call = (...args: string[]): Promise<Result> => run([...args, '--json'], { home })
beforeAll(() => {
  work = folder()
  home = join(work, 'home')
  mkdirSync(join(work, 'incoming'))
})

/** The objects of a stream, until one fits. */
async function heard(child: ReturnType<typeof start>, is: string): Promise<Record<string, unknown>> {
  let text = ''
  for await (const piece of child.stdout as AsyncIterable<Buffer>) {
    text += piece.toString('utf8')
    const found = text.split('\n').slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>).find((one) => one['is'] === is)
    if (found !== undefined) return found
  }
  throw new Error(`it ended without "${is}": ${text}`)
}

test('a place is added, tried and removed; its secret is printed once; what is no place is wrong usage', async () => {
  expect((await call('hook', 'add', 'https://user:pass@mes.example/')).code).toBe(2)
  expectRefusal(await call('hook', 'add', 'http://127.0.0.1:9/'), 'not-encrypted', /--inside/)
  const made = document<{ hook: { id: string }; secret: string }>(await call('hook', 'add', '--inside', 'http://127.0.0.1:9/'))
  expect(made.secret).toMatch(/^whsec_/)
  expect((await call('hook', 'add', join(work, 'incoming'))).code).toBe(0)
  const listed = await call('hook', 'list')
  expect(document<{ hooks: unknown[] }>(listed).hooks).toMatchObject([{ id: made.hook.id, inside: true }, { to: 'folder', target: join(work, 'incoming') }])
  expect(listed.stdout).not.toContain(made.secret)
  expect((await call('hook', 'remove', 'http://127.0.0.1:9/')).code).toBe(0)
  expect(readdirSync(join(home, 'hooks'))).toEqual([])
})

test('served on the port that was asked for until it is stopped, while the hooks can be looked at', async () => {
  expectRefusal(await call('serve', '--port', '20000'), 'no-token-yet', /--new-token/)
  const { token } = document<{ token: string }>(await call('serve', '--new-token'))
  const port = 20_000 + (process.pid % 20_000)
  const serving = start(['serve', '--port', String(port), '--json'], { home })
  const ended = new Promise((resolve) => serving.once('close', resolve))
  expect(await heard(serving, 'ready')).toMatchObject({ address: `http://127.0.0.1:${port}`, folder: join(home, 'firmware') })
  const answer = await fetch(`http://127.0.0.1:${port}/v1/status`, { headers: { authorization: `Bearer ${token}` } })
  expect(await answer.json()).toMatchObject({ name: 'Slotwright', batch: null })
  expect((await call('hook', 'list')).code).toBe(0)
  serving.kill('SIGTERM')
  expect(await ended).toBe(0)
})
