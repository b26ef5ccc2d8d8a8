// The log's key in hardware on the command line, as built: handed over to a token, signing there, asked for its PIN, and
// handed back; the auditor's own key from before verifies all of it.
import { copyFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openSoftHsm, pin } from '../keys/softhsm.ts'
import type { SoftHsm } from '../keys/softhsm.ts'
import { document, expectRefusal, folder, run } from './command.ts'
import type { Result } from './command.ts'

let hsm: SoftHsm
let home = ''
let work = ''
let pinFile = ''

beforeAll(async () => {
  hsm = openSoftHsm()
  hsm.makeToken('Audit')
  home = folder()
  work = folder()
  pinFile = join(work, 'pin')
  writeFileSync(pinFile, `${pin}\n`)
  for (const [name, type] of [['audit', 'ed25519'], ['release', 'ecdsa-p256']] as const) document(await call(['key', 'generate', '--token', 'pkcs11:token=Audit', '-n', name, '-t', type, '--pin-file', pinFile]))
  document(await call(['log', 'checkpoint']))
  copyFileSync(join(home, 'log-key.pub'), join(work, 'known-before.pub'))
}, 60_000)
afterAll(() => hsm?.remove())

function call(args: readonly string[]): Promise<Result> {
  return run([...args, '--json'], { home, cwd: work })
}

test('only an Ed25519 key can take over', async () => {
  expectRefusal(await call(['log', 'key', 'use', 'pkcs11:token=Audit;object=release', '--pin-file', pinFile]), 'unsupported-key', /signed with Ed25519/)
})

test('a key in a token takes over, signs with its PIN alone, and hands back; the key known before vouches for all of it', { timeout: 60_000 }, async () => {
  const used = document<{ key: string; size: number; home: string }>(await call(['log', 'key', 'use', 'pkcs11:token=Audit;object=audit', '--pin-file', pinFile]))
  expect(used).toMatchObject({ home: 'pkcs11', key: expect.stringMatching(/^slotwright\/log\//) as string })
  expect(readdirSync(home)).not.toContain('log-key.pem')

  document(await call(['key', 'tokens']))
  document(await call(['log', 'checkpoint', '--every', '500', '--pin-file', pinFile]))
  expectRefusal(await call(['log', 'checkpoint']), 'needs-pin', /--pin-file/)
  const signed = document<{ size: number }>(await call(['log', 'checkpoint', '--pin-file', pinFile]))
  expect(signed.size).toBeGreaterThan(used.size)

  const back = await call(['log', 'key', 'use', 'new', '--pin-file', pinFile])
  expect(back).toMatchObject({ code: 0, stderr: '' })
  expect(document<{ keys: { from: number }[] }>(await call(['log', 'key', 'show'])).keys).toHaveLength(3)
  const verified = document<{ holds: boolean; checkpoints: number }>(await call(['log', 'verify']))
  expect(verified).toMatchObject({ holds: true, checkpoints: 4 })

  document(await call(['log', 'export', join(work, 'bundle.zip'), '--no-pdf']))
  document(await call(['witness', join(work, 'bundle.zip'), '--log', join(work, 'known-before.pub'), '--name', 'audit.example.com/ada', '--state', join(work, 'witness'), '--out', join(work, 'seen.checkpoint')]))
})
