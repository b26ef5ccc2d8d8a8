// Keys from the command line: never overwritten, encrypted unless somebody insists, passphrases from a file or typed
// unseen on a terminal, and the ring's changes in the log.
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { spawn } from '@lydell/node-pty'
import { keyAlgorithms } from '../../main/base/signer.ts'
import { builtCli, document, environment, expectRefusal, folder, run, runtimeExecutable } from './command.ts'

const dir = folder()
const home = join(dir, 'home')
const at = (name: string) => join(dir, name)
const secret = 'correct horse battery'
writeFileSync(at('pass.txt'), `${secret}\nnot this line\n`)
writeFileSync(at('wrong.txt'), 'wrong horse battery\n')

test.each([...keyAlgorithms, 'x25519'])('keygen makes a %s key for its owner only, and getpub reads it', async (type) => {
  const path = at(`${type}.pem`)
  const made = await run(['keygen', '-t', type, '-k', path, '--no-passphrase', '--json'], { home })
  expect(document(made)).toMatchObject({ algorithm: type, class: 'test', encrypted: false })
  expect(statSync(path).mode & 0o777).toBe(0o600)
  const pub = await run(['getpub', '-k', path, '-e', 'pem'], { home })
  expect(pub).toMatchObject({ code: 0, stdout: expect.stringContaining('-----BEGIN PUBLIC KEY-----') as string })
  const raw = await run(['getpubhash', '-k', path, '-e', 'raw', '-o', at(`${type}.hash`)], { home })
  expect(raw.code).toBe(0)
  expect(readFileSync(at(`${type}.hash`)).length).toBe(32)
})

test('a key file is never overwritten', async () => {
  const path = at('once.pem')
  await run(['keygen', '-t', 'ed25519', '-o', path, '--no-passphrase'], { home })
  const before = readFileSync(path)
  expectRefusal(await run(['keygen', '-t', 'ed25519', '-o', path, '--no-passphrase', '--json'], { home }), 'file-exists', /left as it is/)
  expect(readFileSync(path)).toEqual(before)
})

test('without a terminal a passphrase must come from a file; nothing is made meanwhile', async () => {
  expectRefusal(await run(['keygen', '-t', 'ed25519', '-o', at('never.pem'), '--json'], { home }), 'needs-passphrase', /--passphrase-file/)
  expect(() => statSync(at('never.pem'))).toThrow()
  await run(['keygen', '-t', 'ed25519', '-o', at('plain.pem'), '--no-passphrase'], { home })
  expectRefusal(await run(['key', 'add', at('plain.pem'), '--name', 'never', '--json'], { home }), 'needs-passphrase', /--new-passphrase-file/)
})

test('an encrypted key signs with the right passphrase and says so when it is wrong', async () => {
  const path = at('locked.pem')
  expect(document(await run(['keygen', '-t', 'ecdsa-p256', '-o', path, '--passphrase-file', at('pass.txt'), '--json'], { home }))).toMatchObject({ class: 'production', encrypted: true })
  expect(readFileSync(path, 'utf8')).toContain('ENCRYPTED PRIVATE KEY')
  writeFileSync(at('fw.bin'), new Uint8Array(1000).fill(3))
  const sign = (pass: string) => run(['sign', at('fw.bin'), at('fw.img'), '-k', path, '--passphrase-file', at(pass), '-v', '1.0.0', '-H', '32', '--pad-header', '-S', '0x10000', '--json'], { home })
  expectRefusal(await sign('wrong.txt'), 'wrong-passphrase', /passphrase/i)
  expect((await sign('pass.txt')).code).toBe(0)
  expectRefusal(await run(['sign', at('fw.bin'), at('fw2.img'), '-k', path, '-v', '1.0.0', '-H', '32', '--pad-header', '-S', '0x10000', '--json'], { home }), 'needs-passphrase', /no terminal/)
})

test('the ring: add, list, sign by name, export, retire; each is an entry of the log', async () => {
  await run(['keygen', '-t', 'ed25519', '-o', at('ring.pem'), '--passphrase-file', at('pass.txt')], { home })
  expect((await run(['key', 'add', at('ring.pem'), '--name', 'release', '--passphrase-file', at('pass.txt')], { home })).code).toBe(0)
  expect(document<{ keys: unknown[] }>(await run(['key', 'list', '--json'], { home })).keys).toMatchObject([{ name: 'release', class: 'production', encrypted: true, retiredAt: null }])
  writeFileSync(at('fw3.bin'), new Uint8Array(1000).fill(3))
  const sign = () => run(['sign', at('fw3.bin'), at('fw3.img'), '-k', 'release', '--passphrase-file', at('pass.txt'), '-v', '1.0.0', '-H', '32', '--pad-header', '-S', '0x10000', '--json'], { home })
  expect(document(await sign())).toMatchObject({ key: 'release' })
  expect((await run(['key', 'export', 'release'], { home })).stdout).toContain('-----BEGIN PUBLIC KEY-----')
  expect((await run(['key', 'export', 'release', '--private'], { home })).code).toBe(2)
  expect((await run(['key', 'export', 'release', '--private', '-o', at('left.pem'), '--passphrase-file', at('pass.txt')], { home })).code).toBe(0)
  expect(readFileSync(at('left.pem'), 'utf8')).toContain('ENCRYPTED PRIVATE KEY')
  expect((await run(['key', 'retire', 'release'], { home })).code).toBe(0)
  expectRefusal(await sign(), 'key-retired', /retired/)
  const { entries } = document<{ entries: { kind: string; data: { name?: string; keyName?: string } }[] }>(await run(['log', 'list', '--json'], { home }))
  expect(entries.filter(({ data }) => (data.name ?? data.keyName) === 'release').map(({ kind }) => kind)).toEqual(['key-retired', 'key-exported', 'image-signed', 'key-imported'])
}, 60_000)

test('no passphrase and no private byte is in the database or the log', async () => {
  const database = readFileSync(join(home, 'slotwright.db'))
  expect(database.includes(secret)).toBe(false)
  expect(database.includes('PRIVATE KEY')).toBe(false)
})

/** Types on a real terminal; gives what the terminal showed and the exit code. */
function typing(args: readonly string[], answers: readonly [prompt: string, typed: string][]): Promise<{ shown: string; code: number }> {
  return new Promise((resolve) => {
    const terminal = spawn(runtimeExecutable, [builtCli, ...args], { name: 'xterm', cols: 120, rows: 30, env: environment({ home }) })
    let shown = ''
    let next = 0
    terminal.onData((data) => {
      shown += data
      const step = answers[next]
      if (step === undefined || !shown.slice(shown.length - 200).includes(step[0])) return
      next += 1
      shown += '|'
      terminal.write(step[1])
    })
    terminal.onExit(({ exitCode }) => resolve({ shown, code: exitCode }))
  })
}

test('a typed passphrase is not shown, backspace works, and both must agree', async () => {
  const path = at('typed.pem')
  const good = await typing(['keygen', '-t', 'ed25519', '-o', path], [['New passphrase: ', `${secret}x\u007f\r`], ['The same again: ', `${secret}\r`]])
  expect(good.shown).not.toContain(secret)
  expect(good.code).toBe(0)
  const opened = await run(['getpub', '-k', path, '-e', 'pem', '--passphrase-file', at('pass.txt')], { home })
  expect(opened.code).toBe(0)
  const bad = await typing(['keygen', '-t', 'ed25519', '-o', at('differ.pem')], [['New passphrase: ', `${secret}\r`], ['The same again: ', 'other words\r']])
  expect(bad).toMatchObject({ code: 1, shown: expect.stringContaining('differ') as string })
}, 30_000)

test('Ctrl+C at the prompt ends it and makes nothing', async () => {
  const stopped = await typing(['keygen', '-t', 'ed25519', '-o', at('stopped.pem')], [['New passphrase: ', '\u0003']])
  expect(stopped).toMatchObject({ code: 1, shown: expect.stringContaining('nothing was done') as string })
  expect(() => statSync(at('stopped.pem'))).toThrow()
})
