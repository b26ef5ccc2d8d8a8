// The key is elsewhere: what `--vector-to-sign` writes is signed by the very line that the command prints (real OpenSSL), and
// `--fix-sig` takes what comes back. Only the public half is here, as it is for whoever has a key that never leaves its room.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { document, expectRefusal, folder, run } from './command.ts'

const dir = folder()
const home = join(dir, 'home')
const layout = ['-v', '1.2.0', '-H', '0x200', '--pad-header', '-S', '0x69000']
const slotwright = (...words: string[]) => run(words, { home, cwd: dir })
type Exported = { command: string | null; warning: string | null; bytes: number }
type Log = { entries: { kind: string; data: Record<string, unknown> }[] }
const logOf = async () => document<Log>(await slotwright('log', 'list', '--json')).entries

const algorithms = ['ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072'] as const

beforeAll(async () => {
  writeFileSync(join(dir, 'app.bin'), new Uint8Array(9000).map((_, i) => (i * 31) >> 2))
  await Promise.all(algorithms.map(async (algorithm) => {
    expect((await slotwright('keygen', '-t', algorithm, '-k', `${algorithm}.pem`, '--no-passphrase')).code).toBe(0)
    expect((await slotwright('getpub', '-k', `${algorithm}.pem`, '-e', 'pem', '-o', `${algorithm}.pub`)).code).toBe(0)
  }))
})

/** Runs the printed line where the private key is. */
function signThere(command: string | null, algorithm: string): void {
  execFileSync('sh', ['-c', (command ?? 'false').replace('KEY.pem', `${algorithm}.pem`)], { cwd: dir, stdio: 'pipe' })
}

test.concurrent.each([...algorithms.map((algorithm) => [algorithm, 'digest'] as const), ['ecdsa-p256', 'payload'], ['rsa-3072', 'payload']] as const)('%s: the %s goes out for a public key, and the printed line\'s answer completes the image', async (algorithm, what) => {
  const name = `${algorithm}.${what}`
  const exported = document<Exported>(await slotwright('sign', ...layout, 'app.bin', name, '--vector-to-sign', what, '-k', `${algorithm}.pub`, '--json'))
  expect(exported.warning).toBeNull()
  signThere(exported.command, algorithm)
  const signed = await slotwright('sign', ...layout, 'app.bin', `${name}.img`, '--fix-sig', `${name}.sig`, '--fix-sig-pubkey', `${algorithm}.pub`)
  expect(signed).toMatchObject({ code: 0, stdout: expect.stringContaining(`signed elsewhere with ${algorithm}.pub (${algorithm})`) as string })
  expect(signed.stdout).not.toContain('not signed')
  expect(document(await slotwright('verify', `${name}.img`, '--key', `${algorithm}.pub`, '--json'))).toMatchObject({ signature: 'holds' })
  const entry = (await logOf()).find(({ data }) => data['file'] === `${name}.img`)
  expect(entry).toMatchObject({ kind: 'image-signed', data: { keyName: `${algorithm}.pub` } })
  // Nobody here can say where that key lives.
  expect(entry?.data).not.toHaveProperty('home')
})

test('an export whose signature could fit no image says so', async () => {
  const warned = async (...words: string[]) => document<Exported>(await slotwright('sign', ...layout, 'app.bin', 'v', '--json', ...words))
  expect(await warned('--vector-to-sign', 'payload', '-k', 'ed25519.pub')).toMatchObject({ command: null, warning: expect.stringContaining('--vector-to-sign digest') as string })
  expect(await warned('--vector-to-sign', 'digest', '--pure', '-k', 'ed25519.pub')).toMatchObject({ command: null, warning: expect.stringContaining('--vector-to-sign payload') as string })
  expect(await warned('--vector-to-sign', 'digest')).toMatchObject({ command: null, warning: expect.stringContaining('ecdsa-p384') as string })
  expect(await warned('--vector-to-sign', 'payload', '--pure', '-k', 'ed25519.pub')).toMatchObject({ warning: null })
})

test('a signature for other options is refused, and the log says so', async () => {
  const exported = document<Exported>(await slotwright('sign', ...layout, 'app.bin', 'other', '--vector-to-sign', 'digest', '-k', 'ed25519.pub', '--json'))
  signThere(exported.command, 'ed25519')
  const [, ...rest] = layout
  expectRefusal(await slotwright('sign', '-v1.2.1', ...rest.slice(1), 'app.bin', 'other.img', '--fix-sig', 'other.sig', '--fix-sig-pubkey', 'ed25519.pub', '--json'), 'bad-signature', /other bytes/)
  expect(await logOf()).toContainEqual(expect.objectContaining({ kind: 'image-refused' }))
})

test('a retired key of the ring does not sign by way of another computer', async () => {
  expect((await slotwright('key', 'add', 'ecdsa-p256.pem', '--name', 'old', '--class', 'test', '--no-passphrase')).code).toBe(0)
  expect((await slotwright('key', 'retire', 'old')).code).toBe(0)
  const words = ['sign', ...layout, 'app.bin', 'old.img', '--fix-sig', 'ecdsa-p256.digest.sig', '--fix-sig-pubkey', 'ecdsa-p256.pub', '--json']
  expectRefusal(await slotwright(...words), 'key-retired', /retired/)
})
