// `package` as people and scripts call it: made, opened, inspected, certified, in place, receipts; and refusals, each with
// its sentence, its RFC 4108 code and exit 1.
import { shake256 } from '@noble/hashes/sha3.js'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { document, expectRefusal, folder, run, start } from './command.ts'
import { openSoftHsm, pin } from '../keys/softhsm.ts'
import type { SoftHsm } from '../keys/softhsm.ts'

const dir = folder()
const at = (name: string) => join(dir, name)
const home = at('home')
const hardware = '1.3.6.1.4.1.99999.7.1'
const id = '1.3.6.1.4.1.99999.1.4'
const firmware = shake256(new TextEncoder().encode('package'), { dkLen: 20_000 })
const call = (...words: string[]) => run([...words, '--json'], { home, cwd: dir })
const done = async (...words: string[]): Promise<Record<string, unknown>> => {
  const result = await call(...words)
  expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code: 0 })
  return document(result)
}

beforeAll(async () => {
  writeFileSync(at('app.bin'), firmware)
  await done('keygen', '--type', 'ecdsa-p256', '--out', 'rel.pem', '--no-passphrase')
  await done('keygen', '--type', 'ed25519', '--out', 'ca.pem', '--no-passphrase')
  await done('sign', 'app.bin', 'app.img', '-k', 'rel.pem', '-v', '1.1.0', '-H', '0x200', '--pad-header', '-S', '0x69000')
  await done('package', 'certify', 'ca.crt', '-k', 'ca.pem', '--name', 'Plant authority', '--role', 'authority')
  await done('package', 'request', 'rel.csr', '-k', 'rel.pem', '--name', 'Release')
  await done('package', 'certify', 'rel.crt', '-k', 'ca.pem', '--authority', 'ca.crt', '--request', 'rel.csr')
}, 60_000)

const make = (out: string, ...words: string[]) => call('package', 'make', 'app.img', out, '-k', 'rel.pem', '--hardware', hardware, '--id', id, ...words)

test('made, trusted through an authority, opened again byte for byte, and noted in the log', async () => {
  expect(document(await make('app.cms', '--cert', 'rel.crt', '--description', 'pump'))).toMatchObject({ imageVersion: '1.1.0+0', version: String((1n << 56n) | (1n << 48n)), layers: ['signed', 'firmware'], firmwareOffset: 66 })
  const shown = await done('package', 'inspect', 'app.cms', '--trust', 'ca.crt')
  expect(shown).toMatchObject({ holds: true, anchor: 'Plant authority', path: [{ name: 'Release' }], description: 'pump', hardware: [hardware] })
  await done('package', 'open', 'app.cms', 'back.img', '--trust', 'ca.crt', '--hardware', hardware, '--unit', 'PB-0001')
  expect(readFileSync(at('back.img')).equals(readFileSync(at('app.img')))).toBe(true)
  const { entries } = await done('log', 'list') as { entries: { kind: string }[] }
  expect(entries.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['package-made', 'package-opened']))
  expect(await done('log', 'verify')).toMatchObject({ holds: true })
})

test('compressed, encrypted, its key wrapped, and opened with the wrapping key', async () => {
  writeFileSync(at('fw.key'), '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n')
  writeFileSync(at('kek.key'), Buffer.alloc(16, 7))
  await make('secret.cms', '--compress', '--encrypt-key', 'fw.key', '--encrypt-key-id', 'fw', '--wrap-key', 'kek.key', '--wrap-key-id', 'kek')
  expectRefusal(await call('package', 'open', 'secret.cms', 'none.img', '--trust', 'rel.pem'), 'no-decrypt-key', /key/)
  expect(await done('package', 'open', 'secret.cms', 'secret.img', '--trust', 'rel.pem', '--unwrap-key', 'kek.key', '--unwrap-key-id', 'kek')).toMatchObject({ layers: [{ layer: 'signed' }, { layer: 'encrypted' }, { layer: 'compressed' }, { layer: 'firmware' }, { layer: 'image' }] })
  expect(readFileSync(at('secret.img')).equals(readFileSync(at('app.img')))).toBe(true)
})

describe('a firmware key kept in the home', () => {
  const key = Buffer.from(shake256(new TextEncoder().encode('kept firmware key'), { dkLen: 32 }))
  const opening = ['--firmware-passphrase-file', 'kept.txt'] as const
  beforeAll(async () => {
    writeFileSync(at('kept.key'), key)
    writeFileSync(at('kept.txt'), 'correct horse battery\n')
    writeFileSync(at('other.txt'), 'another passphrase\n')
    expectRefusal(await call('package', 'key', 'add', 'kept.key', '--id', 'line 3'), 'needs-passphrase', /--passphrase-file/)
    writeFileSync(at('short.txt'), 'short\n')
    expectRefusal(await call('package', 'key', 'add', 'kept.key', '--id', 'line 3', '--passphrase-file', 'short.txt'), 'weak-passphrase', /shorter than 8/)
    // A key that came in the clear is taken in with a warning, and never stays so.
    expect(await done('package', 'key', 'add', 'kept.key', '--id', 'line 3', '--passphrase-file', 'kept.txt')).toMatchObject({ id: '"line 3"', bits: 256, warning: expect.stringContaining('kept.key holds the key unencrypted') as string })
    expectRefusal(await call('package', 'key', 'add', 'kept.key', '--id', 'line 3', '--passphrase-file', 'kept.txt'), 'firmware-key-exists', /already/)
    await done('package', 'make', 'app.img', 'kept.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--encrypt-key-id', 'line 3', ...opening)
  })

  test('opens what it encrypted or wrapped, with its passphrase and not without', async () => {
    expect(await done('package', 'key', 'list')).toEqual({ keys: [{ id: '"line 3"', bits: 256 }] })
    expectRefusal(await call('package', 'open', 'kept.cms', 'x.img', '--trust', 'rel.pem'), 'needs-passphrase', /"line 3".*--firmware-passphrase-file/)
    expectRefusal(await call('package', 'open', 'kept.cms', 'x.img', '--trust', 'rel.pem', '--firmware-passphrase-file', 'other.txt'), 'wrong-passphrase', /passphrase/)
    await done('package', 'open', 'kept.cms', 'kept.img', '--trust', 'rel.pem', ...opening)
    expect(readFileSync(at('kept.img')).equals(readFileSync(at('app.img')))).toBe(true)
    writeFileSync(at('once.key'), Buffer.alloc(16, 3))
    await done('package', 'make', 'app.img', 'wrapped.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--encrypt-key', 'once.key', '--encrypt-key-id', 'once', '--wrap-key-id', 'line 3', ...opening)
    await done('package', 'open', 'wrapped.cms', 'wrapped.img', '--trust', 'rel.pem', ...opening)
    expect(readFileSync(at('wrapped.img')).equals(readFileSync(at('app.img')))).toBe(true)
  })

  test('nobody is asked for a passphrase by a package that nobody trusted has signed', async () => {
    expectRefusal(await call('package', 'open', 'kept.cms', 'x.img', '--trust', 'ca.pem'), 'no-trust-anchor', /trust/)
  })

  test('goes to another station encrypted, and into the clear only where that is asked for and noted', async () => {
    await done('package', 'key', 'export', 'line 3', 'sealed.pem')
    expect(readFileSync(at('sealed.pem'), 'utf8')).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/)
    const there = (...words: string[]) => run([...words, '--json'], { home: at('there'), cwd: dir })
    expectRefusal(await there('package', 'key', 'add', 'sealed.pem', '--id', 'line 3', '--passphrase-file', 'kept.txt', '--firmware-passphrase-file', 'other.txt'), 'wrong-passphrase', /sealed\.pem/)
    expect(document(await there('package', 'key', 'add', 'sealed.pem', '--id', 'line 3', '--passphrase-file', 'other.txt', ...opening))).not.toHaveProperty('warning')
    expect((await there('package', 'open', 'kept.cms', 'there.img', '--trust', 'rel.pem', '--firmware-passphrase-file', 'other.txt')).code).toBe(0)
    await done('package', 'key', 'export', 'line 3', 'clear.key', '--clear', ...opening)
    expect(readFileSync(at('clear.key'), 'utf8').trim()).toBe(key.toString('hex'))
    const { entries } = await done('log', 'list') as { entries: { kind: string; data: Record<string, unknown> }[] }
    expect(entries.filter(({ data }) => data['name'] === 'firmware-key').map(({ data }) => data['after'])).toEqual(expect.arrayContaining(['"line 3", AES-256, taken in', '"line 3", exported encrypted', '"line 3", exported unencrypted']))
  })

  test('a key made here is never seen: it opens what it encrypted', async () => {
    await done('package', 'key', 'make', '--id', 'own', '--bits', '128', '--passphrase-file', 'kept.txt')
    await done('package', 'make', 'app.img', 'own.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--encrypt-key-id', 'own', ...opening)
    await done('package', 'open', 'own.cms', 'own.img', '--trust', 'rel.pem', ...opening)
    expect(readFileSync(at('own.img')).equals(readFileSync(at('app.img')))).toBe(true)
    expectRefusal(await call('package', 'make', 'app.img', 'x.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--encrypt-key-id', 'nobody'), 'no-such-key', /no firmware key "nobody"/)
  })

  test('its bytes are nowhere in the home, in any spelling, nor in the log; its file is its user\'s alone', () => {
    const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
    expect(files.some((file) => file.endsWith('.aes256.pem'))).toBe(true)
    expect(files.some((file) => /slotwright.*\.db$|\.sqlite$|\.db$/.test(file))).toBe(true)
    const base64 = key.toString('base64').replace(/=+$/, '').slice(0, -1)
    for (const file of files) {
      const bytes = readFileSync(file)
      for (const [how, found] of [['raw', bytes.includes(key)], ['hex', bytes.toString('latin1').toLowerCase().includes(key.toString('hex'))], ['base64', bytes.includes(base64)], ['passphrase', bytes.includes('correct horse battery')]] as const) expect([file, how, found]).toEqual([file, how, false])
      if (file.includes('firmware-keys')) expect(statSync(file).mode & 0o077).toBe(0)
    }
  })

  test('one that an earlier station left in the clear is not used, and the sentence says what to do', async () => {
    const old = at('old-home')
    mkdirSync(join(old, 'firmware-keys'), { recursive: true })
    writeFileSync(join(old, 'firmware-keys', `${Buffer.from('line 3').toString('hex')}.key`), `${key.toString('hex')}\n`)
    expectRefusal(await run(['package', 'open', 'kept.cms', 'x.img', '--trust', 'rel.pem', '--json'], { home: old, cwd: dir }), 'firmware-key-plain', /not encrypted.*package key add/)
  })

  test('a removed one opens nothing more', async () => {
    await done('package', 'key', 'remove', 'line 3')
    expectRefusal(await call('package', 'open', 'kept.cms', 'x.img', '--trust', 'rel.pem', ...opening), 'no-decrypt-key', /"line 3", which is not here/)
    expectRefusal(await call('package', 'key', 'remove', 'line 3'), 'no-such-key', /key list/)
  })
})

test('a package turned away for a unit gives an error report, which openssl verifies and an audit bundle carries', async () => {
  await make('turned.cms', '--cert', 'rel.crt')
  expectRefusal(await call('package', 'open', 'turned.cms', 'x.img', '--trust', 'ca.crt', '--hardware', '1.2.3', '--unit', 'PB-0042'), 'wrong-hardware', /1\.2\.3/)
  const { receipts } = await done('package', 'receipt', 'reports', '-k', 'rel.pem', '--unit', 'PB-0042') as { receipts: { is: string; code: number; file: string }[] }
  expect(receipts).toMatchObject([{ is: 'error', code: 27 }])
  const file = at(receipts[0]?.file ?? '')
  const content = execFileSync('openssl', ['cms', '-verify', '-binary', '-inform', 'DER', '-in', file, '-CAfile', at('ca.crt'), '-purpose', 'any'], { stdio: ['ignore', 'pipe', 'pipe'] })
  expect(content.includes('PB-0042')).toBe(true)
  expect(await done('package', 'verify-receipt', file, '--trust', 'ca.crt')).toMatchObject({ holds: true, is: 'error', error: 'wrongHardware', hardware: '1.2.3', serial: '"PB-0042"', onBehalf: true })
  await done('log', 'export', 'bundle.zip')
  const names = execFileSync('unzip', ['-Z1', at('bundle.zip')], { encoding: 'utf8' })
  expect(names).toMatch(/^receipts\/PB-0042-package-.*\.error\.cms$/m)
  expect(names).toMatch(/^certificates\//m)
})

test('in place: the link step is told where, and the report says where the image stands', async () => {
  const relink = 'cp "$SLOTWRIGHT_IN" "$SLOTWRIGHT_OUT" && printf %s "$SLOTWRIGHT_ADDRESS" >> "$SLOTWRIGHT_OUT"'
  const { inPlace } = await done('package', 'make', 'app.bin', 'place.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--in-place', '--slot-address', '0x75000', '--image-key', 'rel.pem', '--image-version', '1.2.0', '--relink', relink) as { inPlace: { imageOffset: number; headerBytes: number; vectorAddress: number } }
  expect(inPlace.vectorAddress % 512).toBe(0)
  const bytes = readFileSync(at('place.cms'))
  const vector = inPlace.imageOffset + inPlace.headerBytes
  expect(bytes.subarray(vector, vector + firmware.length).equals(firmware)).toBe(true)
  expect(bytes.subarray(vector + firmware.length, vector + firmware.length + 7).toString()).toBe(`0x${inPlace.vectorAddress.toString(16)}`)
  expectRefusal(await call('package', 'make', 'app.bin', 'x.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--in-place', '--slot-address', '0x75000', '--image-key', 'rel.pem', '--image-version', '1.2.0', '--relink', 'echo "section .text overflows" >&2; exit 3'), 'relink-failed', /round 1.*section .text overflows/)
  expect(existsSync(at('x.cms'))).toBe(false)
})

describe('refused', () => {
  test.each<[string, string[], string, RegExp, number]>([
    ['a board of another type', ['--trust', 'ca.crt', '--hardware', '1.2.3'], 'wrong-hardware', /1\.2\.3/, 27],
    ['nobody trusted', ['--trust', 'other.crt'], 'no-trust-anchor', /trust/, 10],
    ['too little room', ['--trust', 'ca.crt', '--hardware', hardware, '--room', '100'], 'insufficient-memory', /100/, 33],
  ])('%s', async (_what, words, kind, says, code) => {
    await make('refused.cms', '--cert', 'rel.crt')
    await done('package', 'certify', 'other.crt', '-k', 'ca.pem', '--name', 'Somebody else', '--role', 'authority')
    const result = await call('package', 'open', 'refused.cms', 'refused.img', ...words)
    expectRefusal(result, kind, says)
    expect(document<{ failure: { facts: { rfc4108: number } } }>(result).failure.facts.rfc4108).toBe(code)
    expect(result.stderr).toMatch(new RegExp(`\\(RFC 4108: [a-zA-Z]+, ${code}\\)`))
    expect(existsSync(at('refused.img'))).toBe(false)
  })

  test.each<[string, string[], string, RegExp]>([
    ['an option of --in-place without it', ['app.img', 'x.cms', '--slot-address', '0x8000'], 'bad-option', /--slot-address goes with --in-place/],
    ['an image where firmware is to be laid out', ['app.img', 'x.cms', '--in-place', '--slot-address', '0x8000', '--image-key', 'rel.pem', '--image-version', '1.0.0'], 'is-image', /an image already/],
    ['a link step that writes nothing', ['app.bin', 'x.cms', '--in-place', '--slot-address', '0x8000', '--image-key', 'rel.pem', '--image-version', '1.0.0', '--relink', 'true'], 'relink-failed', /SLOTWRIGHT_OUT/],
    ['firmware that is no image', ['app.bin', 'x.cms'], 'not-an-image', /sign it first\.\n$/],
    ['compression in place', ['app.bin', 'x.cms', '--in-place', '--slot-address', '0x8000', '--image-key', 'rel.pem', '--image-version', '1.0.0', '--compress'], 'bad-option', /the core executes the very bytes/],
  ])('making: %s', async (_what, words, kind, says) => {
    expectRefusal(await call('package', 'make', ...words, '-k', 'rel.pem', '--hardware', hardware, '--id', id), kind, says)
    expect(existsSync(at('x.cms'))).toBe(false)
  })

  test('a certificate ends with its authority\'s at the latest, and only an authority gives one or takes it back', async () => {
    await done('package', 'certify', 'short.crt', '-k', 'ca.pem', '--name', 'Short authority', '--role', 'authority', '--days', '3')
    const { validUntil } = await done('package', 'certify', 'below.crt', '-k', 'ca.pem', '--authority', 'short.crt', '--request', 'rel.csr')
    expect(Date.parse(String(validUntil)) - Date.now()).toBeLessThan(3 * 86_400_000 + 1000)
    execFileSync('openssl', ['verify', '-CAfile', at('short.crt'), at('below.crt')], { stdio: 'pipe' })
    expectRefusal(await call('package', 'certify', 'x.crt', '-k', 'rel.pem', '--authority', 'rel.crt', '--request', 'rel.csr'), 'wrong-key', /may not certify/)
    expectRefusal(await call('package', 'revoke', 'x.crl', 'below.crt', '-k', 'ca.pem', '--authority', 'ca.crt'), 'wrong-key', /was not certified by "Plant authority"/)
    expectRefusal(await call('package', 'revoke', 'x.crl', 'below.crt', '-k', 'rel.pem', '--authority', 'short.crt'), 'wrong-key', /another key/)
  })

  test('a revocation list that is none is no word on the package; a package is no receipt', async () => {
    await make('fine.cms', '--cert', 'rel.crt')
    expectRefusal(await call('package', 'inspect', 'fine.cms', '--trust', 'ca.crt', '--crl', 'rel.crt'), 'not-a-list', /rel\.crt/)
    expectRefusal(await call('package', 'verify-receipt', 'fine.cms', '--trust', 'ca.crt'), 'bad-encap-content', /neither a load receipt nor an error report.*package inspect/)
  })

  test('a revoked signer', async () => {
    await make('revoked.cms', '--cert', 'rel.crt')
    await done('package', 'revoke', 'ca.crl', 'rel.crt', '-k', 'ca.pem', '--authority', 'ca.crt')
    expectRefusal(await call('package', 'open', 'revoked.cms', 'x.img', '--trust', 'ca.crt', '--crl', 'ca.crl'), 'bad-certificate', /revoked/)
  })

  test('inspect still tells what an unproven package claims, and exits 1', async () => {
    await make('claims.cms', '--cert', 'rel.crt')
    const bytes = readFileSync(at('claims.cms'))
    bytes[5000]! ^= 1
    writeFileSync(at('claims.cms'), bytes)
    const result = await call('package', 'inspect', 'claims.cms', '--trust', 'ca.crt')
    expect(result.code).toBe(1)
    expect(document(result)).toMatchObject({ holds: false, failure: { kind: 'signature-failure', facts: { rfc4108: 15 } }, claims: { hardware: [hardware], certificates: ['Release'] } })
  })

  test.each<[string, string[], string, RegExp]>([
    ['a file that is not there', ['make', 'none.img', 'x.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id], 'no-file', /no such file/],
    ['firmware that is no image', ['make', 'app.bin', 'x.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id], 'not-an-image', /no image/],
    ['a package without name', ['make', 'app.img', 'x.cms', '-k', 'rel.pem', '--hardware', hardware], 'bad-option', /--id/],
    ['an image taken for a package', ['inspect', 'app.img'], 'bare-image', /slotwright inspect/],
    ['an image to be taken out of itself', ['open', 'app.img', 'x.cms'], 'bare-image', /no firmware package/],
    ['text that is no package', ['inspect', 'rel.crt'], 'decode-failure', /not a firmware package/],
    ['receipts for nobody', ['receipt', 'receipts', '-k', 'rel.pem'], 'bad-option', /--unit/],
    ['receipts of a unit the log does not know', ['receipt', 'receipts', '-k', 'rel.pem', '--hardware', hardware, '--unit', 'nobody'], 'no-such-run', /no run/],
    ['a certificate of another key', ['make', 'app.img', 'x.cms', '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--cert', 'ca.crt'], 'wrong-key', /another key/],
  ])('%s', async (_what, words, kind, says) => {
    expectRefusal(await call('package', ...words), kind, says)
    expect(readdirSync(dir)).not.toContain('x.cms')
  })

  test('an identifier that is none is wrong usage', async () => {
    expect((await call('package', 'make', 'app.img', 'x.cms', '-k', 'rel.pem', '--hardware', '1..2', '--id', id)).code).toBe(2)
  })
})

type Provisioned = Readonly<{ runs: { board: string; outcome: string; kind: string | null }[]; batch: string }>

describe('on practice boards over real pseudo-terminals', () => {
  const outcomes = ({ runs }: Provisioned) => Object.fromEntries(runs.map(({ board, outcome }) => [board, outcome]))

  /** `provision` waits for the boards; the answer stops them. */
  function line(name: string, ...words: string[]): () => Promise<unknown> {
    const child = start(['practice', '--dir', at(name), '--trust', at('rel.pem'), '--baud', '1000000', ...words], { home, cwd: dir })
    const ended = new Promise((resolve) => child.once('close', resolve))
    return () => {
      child.kill('SIGTERM')
      return ended
    }
  }
  const provision = async (file: string, ports: string, ...words: string[]) => document<Provisioned>(await run(['provision', file, '--ports', at(ports), '--key', 'rel.pem', '--json', ...words], { home, cwd: dir, timeoutMs: 90_000 }))

  test('whole packages are unpacked by the bootloader, also through a power cut, and a receipt or an error report comes of each', async () => {
    await make('whole.cms', '--stale', '1')
    const stop = line('whole', '--boards', '3', '--loader', 'unwrap', '--faults', '2:fails-proof,3:power-cut@9')
    const done1 = await provision('whole.cms', 'whole', '--boards', '3', '--send', 'whole', '--hardware', hardware)
    expect(outcomes(done1)).toEqual({ 'PB-0001': 'confirmed', 'PB-0002': 'reverted', 'PB-0003': 'confirmed' })
    // The board knows nothing of other hardware; the station refuses before it sends a byte.
    const other = await provision('whole.cms', 'whole', '--boards', '3', '--send', 'whole', '--hardware', '1.2.3')
    expect(other.runs.map(({ kind }) => kind)).toEqual(['wrong-hardware', 'wrong-hardware', 'wrong-hardware'])
    await stop()
    const { receipts } = await done('package', 'receipt', 'line', '-k', 'rel.pem', '--unit', 'PB-0002', '--hardware', hardware) as { receipts: { error: string; code: number; file: string }[] }
    expect(receipts.map(({ code }) => code)).toEqual([34, 27])
    for (const { file } of receipts) expect(await done('package', 'verify-receipt', file, '--trust', 'rel.pem')).toMatchObject({ holds: true, serial: '"PB-0002"', hardware })
  }, 120_000)

  test('a package laid out in place runs from inside it, and one for the slot that runs is refused by the board', async () => {
    const inPlace = (out: string, slot: string, version: string) => done('package', 'make', 'app.bin', out, '-k', 'rel.pem', '--hardware', hardware, '--id', id, '--in-place', '--slot-address', slot, '--image-key', 'rel.pem', '--image-version', version)
    await inPlace('first.cms', '0x75000', '1.2.0')
    await inPlace('second.cms', '0x75000', '1.3.0')
    await inPlace('third.cms', '0xc000', '1.4.0')
    const stop = line('place', '--boards', '1', '--loader', 'in-place')
    expect(outcomes(await provision('first.cms', 'place', '--boards', '1', '--send', 'in-place', '--hardware', hardware))).toEqual({ 'PB-0001': 'confirmed' })
    const wrong = await provision('second.cms', 'place', '--boards', '1', '--send', 'in-place')
    expect(wrong.runs[0]).toMatchObject({ outcome: 'failed', kind: 'upload-refused' })
    expect(outcomes(await provision('third.cms', 'place', '--boards', '1', '--send', 'in-place'))).toEqual({ 'PB-0001': 'confirmed' })
    await stop()
  }, 120_000)

  test('a loader that does not go with the swap mode is refused', async () => {
    expectRefusal(await call('practice', '--dir', at('never'), '--loader', 'unwrap', '--mode', 'direct-xip'), 'bad-profile', /swap-move/)
    expectRefusal(await call('practice', '--dir', at('never'), '--encrypt-keylen', '256'), 'bad-option', /--encrypted/)
  })
})

describe('with keys in a token', () => {
  let hsm: SoftHsm
  beforeAll(() => {
    hsm = openSoftHsm()
    hsm.makeToken('Plant')
    writeFileSync(at('pin.txt'), `${pin}\n`)
  })
  afterAll(() => hsm?.remove())

  test('authority, request and package come out of the token, and openssl verifies the package', async () => {
    const own = at('token-home')
    const there = async (...words: string[]) => {
      const result = await run([...words, '--pin-file', at('pin.txt'), '--json'], { home: own, cwd: dir, env: { SOFTHSM2_CONF: hsm.conf } })
      expect(result.code, `${result.stdout}${result.stderr}`).toBe(0)
    }
    for (const [name, type] of [['token-ca', 'ecdsa-p384'], ['token-line', 'ecdsa-p256']] as const) await there('key', 'generate', '--token', 'pkcs11:token=Plant', '--name', name, '--type', type)
    await there('package', 'certify', 'token-ca.crt', '-k', 'token-ca', '--name', 'Token authority', '--role', 'authority')
    await there('package', 'request', 'token-line.csr', '-k', 'token-line', '--name', 'Token line')
    await there('package', 'certify', 'token-line.crt', '-k', 'token-ca', '--authority', 'token-ca.crt', '--request', 'token-line.csr')
    await there('package', 'make', 'app.img', 'token.cms', '-k', 'token-line', '--cert', 'token-line.crt', '--hardware', hardware, '--id', id)
    execFileSync('openssl', ['cms', '-verify', '-binary', '-inform', 'DER', '-in', at('token.cms'), '-CAfile', at('token-ca.crt'), '-purpose', 'any', '-out', at('token.img')], { stdio: 'pipe' })
    expect(readFileSync(at('token.img')).equals(readFileSync(at('app.img')))).toBe(true)
  }, 60_000)
})
