// Keys in hardware on the command line, as built: tokens listed, a key made inside one, images signed by name and by URI, PINs by
// file only, policies and approvals, and an exit that leaves no process behind.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSoftHsm, pin } from '../keys/softhsm.ts'
import type { SoftHsm } from '../keys/softhsm.ts'
import { builtCli, document, expectRefusal, folder, run } from './command.ts'
import type { Result } from './command.ts'

let hsm: SoftHsm
let home = ''
let work = ''
let pinFile = ''
let firmware = ''
const shape = ['-H', '0x200', '--pad-header', '-S', '0x69000']

beforeAll(async () => {
  hsm = openSoftHsm()
  hsm.makeToken('Release')
  home = folder()
  work = folder()
  pinFile = join(work, 'pin')
  firmware = join(work, 'app.bin')
  writeFileSync(pinFile, `${pin}\n`)
  writeFileSync(join(work, 'wrong-pin'), 'no-such-pin\n')
  writeFileSync(firmware, new Uint8Array(5000).fill(9))
  const made = await call(['key', 'generate', '--token', 'pkcs11:token=Release', '-n', 'line', '-t', 'ecdsa-p256', '--pin-file', pinFile])
  expect(made.stderr).toBe('')
  expect(document(made)).toMatchObject({ name: 'line', class: 'production', residence: { verdict: 'bound' }, token: { uri: expect.stringContaining('object=line') as string } })
}, 60_000)
afterAll(() => hsm?.remove())

function call(args: readonly string[], input?: string): Promise<Result> {
  return run([...args, '--json'], { home, input, cwd: work })
}
const sign = (key: string, out: string, ...more: string[]) => call(['sign', firmware, join(work, out), '-k', key, '-v', '1.2.3', ...shape, ...more])

describe('a token', () => {
  test('is listed with its module, its name and how its PIN stands, without being asked for one', async () => {
    const { modules } = document<{ modules: { path: string; tokens: { label: string; pin: string; uri: string }[] }[] }>(await call(['key', 'tokens']))
    expect(modules.find(({ path }) => path === hsm.module)?.tokens).toMatchObject([{ label: 'Release', uri: expect.stringContaining('pkcs11:token=Release;serial=') as string }])
  })

  test('shows its keys for its PIN, and whether they can leave it', async () => {
    const { keys } = document<{ keys: unknown[] }>(await call(['key', 'tokens', '--token', 'pkcs11:token=Release', '--pin-file', pinFile]))
    expect(keys).toContainEqual(expect.objectContaining({ label: 'line', algorithm: 'ecdsa-p256', verdict: expect.objectContaining({ verdict: 'bound' }) as unknown }))
  })
})

describe('signing', () => {
  test('by the name in the ring, by URI, and by a URI that says where the PIN is; all verify', async () => {
    const ways: [string, string[]][] = [['line', ['--pin-file', pinFile]], ['pkcs11:token=Release;object=line', ['--pin-file', pinFile]], [`pkcs11:token=Release;object=line?pin-source=file:${pinFile}`, []]]
    for (const [at, [key, more]] of ways.entries()) {
      expect(document(await sign(key, `out${at}.bin`, ...more))).toMatchObject({ key: 'line', algorithm: 'ecdsa-p256' })
      expect(document(await call(['verify', `out${at}.bin`, '-k', 'line']))).toMatchObject({ holds: true, signature: 'holds' })
    }
    const log = document<{ entries: { kind: string; data: Record<string, unknown> }[] }>(await call(['log', 'list', '--kind', 'image-signed']))
    expect(log.entries[0]?.data).toMatchObject({ keyName: 'line', home: 'pkcs11', policy: { decision: 'allowed' } })
  })

  test('the public key is printed without a PIN, by name and by URI alike', async () => {
    const byName = document<{ hex: string }>(await call(['getpub', '-k', 'line', '-e', 'raw']))
    const byUri = document<{ hex: string }>(await call(['getpub', '-k', 'pkcs11:token=Release;object=line', '-e', 'raw']))
    expect(byUri.hex).toBe(byName.hex)
  })

  test('without a PIN and without a terminal is refused, and leaves no file', async () => {
    expectRefusal(await sign('line', 'none.bin'), 'needs-pin', /--pin-file/)
    expect(existsSync(join(work, 'none.bin'))).toBe(false)
  })

  test('with a wrong PIN is refused once, and the log has it', async () => {
    expectRefusal(await sign('line', 'none.bin', '--pin-file', join(work, 'wrong-pin')), 'wrong-pin', /wrong/)
    const log = document<{ entries: { data: Record<string, unknown> }[] }>(await call(['log', 'list', '--kind', 'token-trouble']))
    expect(log.entries[0]?.data).toMatchObject({ failure: 'wrong-pin' })
  })

  test.each([
    ['a PIN in the URI', 'pkcs11:token=Release;object=line?pin-value=1', 'pin-in-uri'],
    ['a key that is not there', 'pkcs11:token=Release;object=nobody', 'token-key-missing'],
    ['a token that is not there', 'pkcs11:token=Nobody;object=line', 'token-not-found'],
    ['a module that is not there', 'pkcs11:token=Release;object=line?module-path=/nowhere.so', 'module-not-found'],
  ])('%s is refused by its own name', async (_what, key, kind) => {
    expectRefusal(await sign(key, 'none.bin', '--pin-file', pinFile), kind, /./)
    expect(existsSync(join(work, 'none.bin'))).toBe(false)
  })

  test('leaves no process behind that knows the PIN', async () => {
    await sign('line', 'last.bin', '--pin-file', pinFile)
    const tokensEntry = join(builtCli, '..', 'tokens.js')
    const left = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
      try {
        return readFileSync(join('/proc', name, 'cmdline'), 'utf8').includes(tokensEntry) && readFileSync(join('/proc', name, 'environ'), 'utf8').includes(hsm.conf)
      } catch {
        return false
      }
    })
    expect(left).toEqual([])
  })
})

describe('policy', () => {
  test('a key held to a product and to two people signs for neither one person nor another product, however it is named', async () => {
    await call(['key', 'generate', '--token', 'pkcs11:token=Release', '-n', 'strict', '-t', 'ed25519', '--pin-file', pinFile])
    expect(document(await call(['key', 'policy', 'strict', '--product', 'pump', '--needs-two', '--not-after', '2999-12-31']))).toMatchObject({ policy: { products: ['pump'], needsTwo: true, notAfter: '2999-12-31T23:59:59.999Z' } })
    for (const key of ['strict', 'pkcs11:token=Release;object=strict']) {
      expectRefusal(await sign(key, 'none.bin', '--pin-file', pinFile), 'key-wrong-product', /pump/)
      expectRefusal(await sign(key, 'none.bin', '--pin-file', pinFile, '--product', 'pump'), 'needs-accounts', /two people/)
    }
    expectRefusal(await call(['key', 'approve', 'strict', firmware, '-v', '1.2.3']), 'needs-accounts', /person add/)
    const { entries } = document<{ entries: { data: Record<string, unknown> }[] }>(await call(['log', 'list', '--kind', 'image-refused']))
    expect(entries[0]?.data).toMatchObject({ failure: 'needs-accounts', policy: { decision: 'refused', product: 'pump' } })
  }, 60_000)

  test('a test key never signs for production, and a key held by a policy gets no second name', async () => {
    expectRefusal(await call(['key', 'add', 'pkcs11:token=Release;object=strict', '-n', 'lax', '--class', 'test', '--pin-file', pinFile]), 'key-taken', /as strict/)
    await call(['key', 'generate', '--token', 'pkcs11:token=Release', '-n', 'trial', '-t', 'ed25519', '--class', 'test', '--pin-file', pinFile])
    expectRefusal(await sign('trial', 'none.bin', '--pin-file', pinFile, '--for', 'production'), 'test-key', /never signs for a production recipe/)
  })
})

test('the PIN is nowhere in the home', () => {
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  expect(files.length).toBeGreaterThan(2)
  expect(files.filter((file) => readFileSync(file).includes(pin))).toEqual([])
})
