// Tokens and modules that misbehave: hang, crash, lose a session, lack a mechanism, sign wrongly, count PIN tries. A small
// module compiled here stands between us and SoftHSM and does each of these when told to.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Failure, failed } from '../../main/base/failure.ts'
import type { ToSign } from '../../main/base/signer.ts'
import { Tokens } from '../../main/keys/pkcs11-tokens.ts'
import type { TokenKey } from '../../main/keys/pkcs11-tokens.ts'
import { buildTokenProcess, openSoftHsm, pin, project } from './softhsm.ts'
import type { SoftHsm } from './softhsm.ts'

let hsm: SoftHsm
let entry = ''
let shim = ''
let orders = ''
let logins = ''
let tokens: Tokens
let key: TokenKey
let uri = ''
const troubles: string[] = []

function good<T>(value: T | Failure): T {
  if (failed(value)) throw new Error(`${value.kind}: ${value.says}`)
  return value
}
const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'no failure')
const order = (...words: string[]) => writeFileSync(orders, words.map((word) => `${word}\n`).join(''))
const loginsTried = () => (existsSync(logins) ? readFileSync(logins, 'utf8').split('\n').length - 1 : 0)
const what: ToSign = { digest: new Uint8Array(createHash('sha256').update('image').digest()), hash: 'sha256' }

function open(timeoutsMs: ConstructorParameters<typeof Tokens>[0]['timeoutsMs'] = {}): Tokens {
  return new Tokens({ entry, modules: [shim], installed: false, trouble: ({ kind }) => troubles.push(kind), timeoutsMs })
}

/** Processes of this test's module, by their command line. */
function processesAlive(): number {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return readFileSync(join('/proc', name, 'cmdline'), 'utf8').includes(entry) && !/^State:\s+Z/m.test(readFileSync(join('/proc', name, 'status'), 'utf8'))
    } catch {
      return false
    }
  }).length
}

beforeAll(async () => {
  hsm = openSoftHsm()
  hsm.makeToken('Release')
  shim = join(hsm.folder, 'libshim.so')
  orders = join(hsm.folder, 'orders')
  logins = join(hsm.folder, 'logins')
  Object.assign(process.env, { SHIM_MODULE: hsm.module, SHIM_ORDERS: orders, SHIM_LOGINS: logins, SHIM_PIN: pin })
  // Set-up brings the compiler, since pkcs11js itself is compiled.
  execFileSync('gcc', ['-shared', '-fPIC', '-I', join(project, 'node_modules/pkcs11js/includes'), join(import.meta.dirname, 'pkcs11-shim.c'), '-o', shim, '-ldl'], { stdio: 'pipe' })
  entry = await buildTokenProcess('faults')
  order()
  const making = open()
  uri = (await making.list())[0]?.tokens[0]?.uri ?? ''
  good(await making.unlock(uri, pin))
  key = good(await making.generate(uri, 'ecdsa-p256', 'line'))
  await making.close()
}, 60_000)

beforeEach(async () => {
  order()
  rmSync(logins, { force: true })
  tokens = open({ sign: 1500 })
  good(await tokens.unlock(uri, pin))
  troubles.splice(0)
})
afterEach(() => tokens.close())
afterAll(() => hsm?.remove())

const sign = (stop?: AbortSignal) => tokens.signer(key.uri, key.publicKey).sign(what, stop)

describe('a token that hangs', () => {
  test('is given up after its time, its process is ended, and nothing else waits for it', async () => {
    order('hang')
    let turns = 0
    const turning = setInterval(() => turns++, 5)
    const started = performance.now()
    const answers = await Promise.all([sign(), sign()])
    const tookMs = performance.now() - started
    clearInterval(turning)
    // One hangs; the other in the queue gets a fresh process, which knows no PIN. Which is first is the file system's choice,
    // since each looks for the module's file before it queues.
    expect(answers.map(kindOf).sort()).toEqual(['needs-pin', 'token-timeout'])
    // This thread went on turning while the token hung: a window on it would not have frozen.
    expect(turns).toBeGreaterThan(tookMs / 50)
    expect(tookMs).toBeLessThan(10_000)
    order()
    good(await tokens.unlock(uri, pin))
    good(await sign())
    expect(troubles).toEqual(['token-timeout'])
  })

  test('lets itself be stopped by the person at once', async () => {
    const patient = open({ sign: 60_000 })
    good(await patient.unlock(uri, pin))
    order('hang')
    const stop = new AbortController()
    const started = performance.now()
    const hanging = patient.signer(key.uri, key.publicKey).sign(what, stop.signal)
    setImmediate(() => stop.abort())
    expect(kindOf(await hanging)).toBe('stopped')
    expect(performance.now() - started).toBeLessThan(2_000)
    await patient.close()
  })

  test('does not keep the station from closing, nor outlive it', async () => {
    const patient = open({ sign: 60_000 })
    good(await patient.unlock(uri, pin))
    order('hang')
    const hanging = patient.signer(key.uri, key.publicKey).sign(what)
    const before = processesAlive()
    const started = performance.now()
    await patient.close()
    expect(performance.now() - started).toBeLessThan(4_000)
    expect(kindOf(await hanging)).toBe('stopped')
    expect(processesAlive()).toBe(before - 1)
  })
})

describe('a module that crashes', () => {
  test('takes its own process along and nobody else, and is started again', async () => {
    order('crash')
    expect(kindOf(await sign())).toBe('module-crashed')
    order()
    expect(kindOf(await sign())).toBe('needs-pin')
    good(await tokens.unlock(uri, pin))
    good(await sign())
    expect(troubles).toEqual(['module-crashed'])
  })
})

describe('each trouble has its own name', () => {
  test.each([
    ['device-removed', 'session-lost', /was lost/],
    ['session-lost', 'session-lost', /was lost/],
    ['not-for-signing', 'key-not-for-signing', /CKA_SIGN/],
    ['bad-signature', 'token-bad-signature', /does not verify/],
    ['short-signature', 'token-bad-signature', /63 bytes instead of 64/],
    ['vendor-error', 'token-refused', /refused/],
  ])('%s is told as %s, and the next signature works', async (word, kind, says) => {
    order(word)
    const answer = await sign()
    expect(answer).toMatchObject({ kind, says: expect.stringMatching(says) as string })
    expect(troubles).toEqual([kind])
    order()
    good(await sign())
  })

  test('a token without the mechanism says which one it lacks', async () => {
    await tokens.lock(null)
    order('no-ecdsa')
    good(await tokens.unlock(uri, pin))
    const answer = await sign()
    expect(answer).toMatchObject({ kind: 'mechanism-missing', facts: { mechanism: 'CKM_ECDSA' } })
    expect((await tokens.list())[0]?.tokens[0]?.signs).not.toContain('ecdsa-p256')
  })

  test('a key that is another one now is never used under the old name', async () => {
    const other = good(await tokens.generate(uri, 'ecdsa-p256', `other-${Date.now()}`))
    const answer = await tokens.signer(other.uri, key.publicKey).sign(what)
    expect(kindOf(answer)).toBe('token-bad-signature')
    const ed = good(await tokens.generate(uri, 'ed25519', `ed-${Date.now()}`))
    expect(kindOf(await tokens.signer(ed.uri, key.publicKey).sign(what))).toBe('key-changed')
  })

  test('a token whose name would paint the terminal is shown without its control characters', async () => {
    order('strange-label')
    const fresh = open()
    expect((await fresh.list())[0]?.tokens[0]?.label).not.toMatch(/[\u0000-\u001f]/)
    await fresh.close()
  })
})

describe('PIN tries', () => {
  test('one wrong PIN is one login, never two, and a lost session logs in once with the PIN that was right', async () => {
    const fresh = open()
    rmSync(logins, { force: true })
    expect(kindOf(await fresh.unlock(uri, 'wrong-pin-here'))).toBe('wrong-pin')
    expect(loginsTried()).toBe(1)
    expect(kindOf(await fresh.signer(key.uri, key.publicKey).sign(what))).toBe('needs-pin')
    expect(loginsTried()).toBe(1)
    good(await fresh.unlock(uri, pin))
    order('session-lost')
    expect(kindOf(await fresh.signer(key.uri, key.publicKey).sign(what))).toBe('session-lost')
    order()
    good(await fresh.signer(key.uri, key.publicKey).sign(what))
    expect(loginsTried()).toBe(3)
    await fresh.close()
  })

  test('when one try is left the person is told so', async () => {
    order('final-try')
    const fresh = open()
    const wrong = await fresh.unlock(uri, 'wrong-pin-here')
    expect(wrong).toMatchObject({ kind: 'wrong-pin', facts: { tries: 1 }, says: expect.stringContaining('One try is left') as string })
    expect((await fresh.list())[0]?.tokens[0]?.pin).toBe('final')
    await fresh.close()
  })

  test('a PIN is not even tried on a token that is locked for good', async () => {
    order('locked')
    const fresh = open()
    rmSync(logins, { force: true })
    expect(await fresh.unlock(uri, pin)).toMatchObject({ kind: 'pin-locked', says: expect.stringContaining('was not tried') as string })
    expect(loginsTried()).toBe(0)
    await fresh.close()
  })
})

describe('a reader with keys of its own', () => {
  test('is unlocked there, signs, and no PIN is ever sent to it from here', async () => {
    order('pin-pad')
    const fresh = open()
    expect(await fresh.signer(key.uri, key.publicKey).sign(what)).toMatchObject({ kind: 'needs-pin', says: expect.stringContaining('on the reader') as string, facts: { pinPad: true } })
    rmSync(logins, { force: true })
    expect(await fresh.unlock(uri, pin)).toMatchObject({ kind: 'pin-pad', says: expect.stringContaining('was not sent') as string })
    expect(loginsTried()).toBe(0)
    expect(good(await fresh.unlock(uri, null))).toMatchObject({ pinPad: true, unlocked: true })
    good(await fresh.signer(key.uri, key.publicKey).sign(what))
    expect(loginsTried()).toBe(1)
    await fresh.lock(uri)
    expect(kindOf(await fresh.signer(key.uri, key.publicKey).sign(what))).toBe('needs-pin')
    await fresh.close()
  })

  test('cancelled there is no fault, and does not ask again by itself', async () => {
    order('pin-pad', 'reader-cancelled')
    const fresh = open()
    rmSync(logins, { force: true })
    expect(kindOf(await fresh.unlock(uri, null))).toBe('stopped')
    expect(loginsTried()).toBe(1)
    await fresh.close()
  })

  test('a token without one says that it needs its PIN, and is not asked with none', async () => {
    const fresh = open()
    rmSync(logins, { force: true })
    expect(kindOf(await fresh.unlock(uri, null))).toBe('needs-pin')
    expect(loginsTried()).toBe(0)
    await fresh.close()
  })
})

describe('a key that wants its PIN for each signature (CKA_ALWAYS_AUTHENTICATE)', () => {
  let strict: TokenKey
  beforeAll(async () => {
    makeStrictKey('each-time')
    const finding = open()
    good(await finding.unlock(uri, pin))
    strict = good(await finding.key(`${uri.split('?')[0] ?? ''};object=each-time?${uri.split('?')[1] ?? ''}`))
    await finding.close()
  })
  const signStrict = () => tokens.signer(strict.uri, strict.publicKey).sign(what)

  test('gets it for each, and the person is asked once', async () => {
    rmSync(logins, { force: true })
    good(await signStrict())
    good(await signStrict())
    good(await sign())
    expect(readFileSync(logins, 'utf8').split('\n').filter((line) => line !== '')).toEqual(['for-one', 'for-one'])
  })

  test('a PIN changed elsewhere is asked for anew, and never tried twice', async () => {
    order('changed-pin')
    rmSync(logins, { force: true })
    expect(kindOf(await signStrict())).toBe('wrong-pin')
    expect(loginsTried()).toBe(1)
    order()
    good(await tokens.unlock(uri, pin))
    good(await signStrict())
  })

  test('on a reader with keys of its own it is typed there each time', async () => {
    order('pin-pad')
    const fresh = open()
    good(await fresh.unlock(uri, null))
    good(await fresh.signer(strict.uri, strict.publicKey).sign(what))
    await fresh.close()
  })
})

/** A P-256 pair in the token whose private half is marked CKA_ALWAYS_AUTHENTICATE, which no command of ours makes. */
function makeStrictKey(label: string): void {
  const { PKCS11 } = createRequire(import.meta.url)('pkcs11js') as typeof import('pkcs11js')
  const module = new PKCS11()
  module.load(hsm.module)
  module.C_Initialize()
  try {
    const slot = module.C_GetSlotList(true)[0]!
    const session = module.C_OpenSession(slot, 6)
    module.C_Login(session, 1, pin)
    const [cls, token, own, labelled, verify, signs, sensitive, params, extractable, always] = [0, 1, 2, 3, 0x10a, 0x108, 0x103, 0x180, 0x162, 0x202]
    module.C_GenerateKeyPair(session, { mechanism: 0x1040, parameter: Buffer.alloc(0) },
      [{ type: cls, value: 2 }, { type: token, value: true }, { type: labelled, value: label }, { type: verify, value: true }, { type: params, value: Buffer.from('06082a8648ce3d030107', 'hex') }],
      [{ type: cls, value: 3 }, { type: token, value: true }, { type: own, value: true }, { type: labelled, value: label }, { type: signs, value: true }, { type: sensitive, value: true }, { type: extractable, value: false }, { type: always, value: true }])
    module.C_Logout(session)
  } finally {
    module.C_Finalize()
  }
}
