// The part of the command line that imgtool's users find again, and what it adds: reading as far as writing, sizes before
// signing, images side by side. Byte for byte comparison with the real imgtool is test/interop's business.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { document, expectRefusal, folder, run } from './command.ts'

const dir = folder()
const home = join(dir, 'home')
const at = (name: string) => join(dir, name)
const layout = ['-v', '1.2.0', '-H', '0x200', '--pad-header', '-S', '0x69000']
const firmware = new Uint8Array(60_000).map((_, i) => (i * 7919) >> 9)
const slotwright = (...words: string[]) => run(words, { home })

beforeAll(async () => {
  writeFileSync(at('app.bin'), firmware)
  for (const [type, name] of [['ed25519', 'sign'], ['x25519', 'board'], ['x25519', 'other']] as const) {
    expect((await slotwright('keygen', '-t', type, '-k', at(`${name}.pem`), '--no-passphrase')).code).toBe(0)
  }
  expect((await slotwright('create', at('app.bin'), at('plain.img'), '-k', at('sign.pem'), ...layout)).code).toBe(0)
  expect((await slotwright('sign', at('app.bin'), at('secret.img'), '-k', at('sign.pem'), '-E', at('board.pem'), '--compression', 'lzma2', '--test', ...layout)).code).toBe(0)
}, 60_000)

test('an encrypted and compressed image opens with the board\'s key down to the firmware that went in', async () => {
  const shown = await slotwright('inspect', at('secret.img'), '--decrypt-key', at('board.pem'), '-k', at('sign.pem'), '--json')
  expect(shown.code).toBe(0)
  expect(document(shown)).toMatchObject({ encrypted: true, compressed: true, trailer: { swap: 'test' }, opened: { decrypted: true, firmwareBytes: 60_000, decompressed: { signatureHolds: true } } })
  const words = await slotwright('inspect', at('secret.img'), '--decrypt-key', at('board.pem'))
  expect(words.stdout).toMatch(/decrypted: the plaintext hash holds; unpacked to 60000 bytes/)
  expect(words.stdout).toMatch(/next boot would try it once/)
  expect(words.stdout).toMatch(/hash +[0-9a-f]+ +holds, once decrypted\n/)
  expect((await slotwright('inspect', at('secret.img'))).stdout).toMatch(/hash +[0-9a-f]+ +covers the plaintext; --decrypt-key checks it\n/)
  expect((await slotwright('verify', at('secret.img'), '-k', at('sign.pem'))).stdout).toMatch(/^Its ed25519 signature holds\. It is encrypted/)
  expect(document(await slotwright('verify', at('secret.img'), '--decrypt-key', at('board.pem'), '-k', at('sign.pem'), '--json'))).toMatchObject({ holds: true, hashCheck: 'matches', opened: { decrypted: true } })
})

test('another board\'s key does not open it: verify refuses, inspect shows the rest and exits 1', async () => {
  expectRefusal(await slotwright('verify', at('secret.img'), '--decrypt-key', at('other.pem'), '--json'), 'wrong-encryption-key', /other boards/)
  const shown = await slotwright('inspect', at('secret.img'), '--decrypt-key', at('other.pem'), '--json')
  expect(shown.code).toBe(1)
  expect(document(shown)).toMatchObject({ version: '1.2.0+0', opened: { failure: { kind: 'wrong-encryption-key' } } })
})

test('compare says nothing of two equal images and names every field of two different ones', async () => {
  expect(await slotwright('compare', at('plain.img'), at('plain.img'))).toMatchObject({ code: 0, stdout: expect.stringContaining('say the same') as string })
  const differ = await slotwright('compare', at('plain.img'), at('secret.img'), '--json')
  expect(differ.code).toBe(1)
  const { differences } = document<{ differences: { what: string }[] }>(differ)
  expect(differences.map(({ what }) => what)).toEqual(expect.arrayContaining(['encrypted', 'compressed', 'hash', 'swap', 'TLV DECOMP_SIZE (protected)']))
})

test('size foretells what sign makes, and each swap mode\'s room, with the public key alone', async () => {
  expect((await slotwright('getpub', '-k', at('sign.pem'), '-e', 'pem', '-o', at('sign.pub.pem'))).code).toBe(0)
  const size = document<{ imageBytes: number; modes: { mode: string; freeBytes: number; fits: boolean }[] }>(await slotwright('size', at('app.bin'), ...layout, '-k', at('sign.pub.pem'), '--json'))
  expect(size.imageBytes).toBe(readFileSync(at('plain.img')).length)
  const free = Object.fromEntries(size.modes.map(({ mode, freeBytes }) => [mode, freeBytes]))
  // swap-move gives away one sector more than scratch needs
  expect(free['swap-move']).toBeLessThan(free['overwrite'] ?? 0)
  const tight = document<{ modes: { mode: string; fits: boolean }[] }>(await slotwright('size', at('app.bin'), '-v', '1.0.0', '-H', '0x200', '--pad-header', '-S', '0x10000', '--json'))
  expect(tight.modes.filter(({ fits }) => fits).map(({ mode }) => mode)).not.toContain('swap-move')
  expect((await slotwright('size', at('app.bin'), at('out.img'), ...layout)).stdout).toMatch(/swap-move +\d+ +\d+ +fits/)
  expect((await slotwright('size', at('app.bin'), '-v', '1.0.0', '-H', '0x200', '--pad-header', '-S', '0x10000')).stdout).toContain('Without a signature, since no key was named.')
})

test('keyinfo tells private from public, and --require is an exit code', async () => {
  await slotwright('getpub', '-k', at('sign.pem'), '-e', 'pem', '-o', at('pub.pem'))
  expect(await slotwright('keyinfo', '-k', at('sign.pem'))).toMatchObject({ code: 0, stdout: 'private\n' })
  expect(await slotwright('keyinfo', '-k', at('pub.pem'), '--require', 'public')).toMatchObject({ code: 0, stdout: 'public\n' })
  expectRefusal(await slotwright('keyinfo', '-k', at('sign.pem'), '--require', 'public', '--json'), 'wrong-kind-of-key', /private key, but a public one/)
  writeFileSync(at('pass.txt'), 'a long enough passphrase\n')
  await slotwright('keygen', '-t', 'ed25519', '-k', at('locked.pem'), '--passphrase-file', at('pass.txt'))
  expect(document(await slotwright('keyinfo', '-k', at('locked.pem'), '--json'))).toMatchObject({ kind: 'private', encrypted: true })
})

test('--name-suffix goes into C and Rust names and nowhere else', async () => {
  const getpub = (...words: string[]) => slotwright('getpub', '-k', at('sign.pem'), ...words)
  const c = (await getpub('--name-suffix', '_2')).stdout
  expect(c).toContain('ed25519_pub_key_2[] = {')
  expect(c).toContain('ed25519_pub_key_2_len = 44;')
  expect((await getpub('-e', 'lang-rust', '--name-suffix', '_2a')).stdout).toContain('static ED25519_PUB_KEY_2A: &[u8] = &[')
  expect((await slotwright('getpubhash', '-k', at('sign.pem'), '--name-suffix', '_2')).stdout).toContain('ed25519_pub_key_hash_2_len = 32;')
  for (const words of [['-e', 'pem', '--name-suffix', '_2'], ['--name-suffix', 'a-b'], ['-l', 'c', '-e', 'raw']]) expect((await getpub(...words)).code).toBe(2)
})

test('an empty firmware file needs --allow-empty', async () => {
  writeFileSync(at('empty.bin'), '')
  expectRefusal(await slotwright('sign', at('empty.bin'), at('empty.img'), ...layout, '--json'), 'empty-file', /empty/)
  expect((await slotwright('sign', at('empty.bin'), at('empty.img'), ...layout, '--allow-empty')).code).toBe(0)
  expect((await slotwright('verify', at('empty.img'))).code).toBe(0)
})

test('a compressed image is not signed from outside, and the export says so', async () => {
  expectRefusal(await slotwright('sign', at('app.bin'), at('v.bin'), '-k', at('sign.pem'), '--compression', 'lzma2', '--vector-to-sign', 'digest', ...layout, '--json'), 'bad-option', /two signatures/)
})

test('dumpinfo --silent only writes its file', async () => {
  const silent = await slotwright('dumpinfo', '-s', '-o', at('info.yaml'), at('plain.img'))
  expect(silent).toMatchObject({ code: 0, stdout: '' })
  expect(readFileSync(at('info.yaml'), 'utf8')).toMatch(/^filename: plain\.img$/m)
})
