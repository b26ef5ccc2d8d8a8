// Keys in and out of files: what imgtool and openssl write is read, what we write they read, and everything else gets its
// own sentence. openssl is the machine's own; imgtool's files are the vectors.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../main/base/bytes.ts'
import { failed } from '../../main/base/failure.ts'
import type { Failure } from '../../main/base/failure.ts'
import { writeDer, writeInteger, writeOid } from '../../main/image/der.ts'
import { keyHash, knownTestKeyOf } from '../../main/image/keyhash.ts'
import { canSign } from '../../main/image/publickey.ts'
import type { AnyKeyAlgorithm } from '../../main/image/publickey.ts'
import { checkSignature } from '../../main/image/verify.ts'
import { generateKey, readKeyPem, writeKeyPem } from '../../main/keys/filekey.ts'
import { writePem } from '../../main/keys/pem.ts'
import { readPublicDer, readPublicKey, readPublicKeyPem } from '../../main/keys/publicpem.ts'
import { openSigner } from '../../main/keys/signer.ts'
import { fileOf, good, keyNames, keyOf, pemOf } from '../image/vectors.ts'

const algorithms: readonly AnyKeyAlgorithm[] = ['ed25519', 'x25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072']
let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-keys-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })

async function kindOf(value: Promise<unknown>): Promise<string> {
  const result = await value
  return failed(result) ? result.kind : 'taken'
}

describe('imgtool’s keys', () => {
  test.each(keyNames)('%s comes out as it went in', async (name) => {
    const pem = pemOf(name)
    expect(await writeKeyPem(good(await readKeyPem(pem)), null)).toBe(pem)
  })

  test.each(['ecdsa-p256', 'ecdsa-p384', 'ed25519', 'rsa-2048', 'rsa-3072'])('%s has the KEYHASH imgtool prints', async (name) => {
    const key = await keyOf(`keys/${name}.pem`)
    expect(toHex(keyHash(key.publicKey, 'sha256'))).toBe(toHex(fileOf(`keys/${name}.hash.bin`)))
    const fromPublic = good(await readPublicKey(fileOf(`keys/${name}.pub.pem`)))
    expect(toHex(fromPublic.spki)).toBe(toHex(key.publicKey.spki))
  })
})

describe('openssl and we read each other', () => {
  test.each(algorithms)('%s, encrypted by us, opened by openssl', async (algorithm) => {
    const key = await generateKey(algorithm)
    writeFileSync(join(folder, 'ours.pem'), await writeKeyPem(key, 'correct horse'))
    const plain = openssl('pkcs8', '-in', 'ours.pem', '-passin', 'pass:correct horse', '-nocrypt', '-topk8')
    expect(good(await readKeyPem(plain)).secret).toEqual(key.secret)
  })

  const sealed: [string, string[]][] = [
    ['PBKDF2-SHA256 with AES-256', ['-v2', 'aes-256-cbc']],
    ['PBKDF2-SHA1 with AES-128', ['-v2', 'aes-128-cbc', '-v2prf', 'hmacWithSHA1']],
    ['PBKDF2-SHA512 with AES-192', ['-v2', 'aes-192-cbc', '-v2prf', 'hmacWithSHA512']],
    ['3DES', ['-v2', 'des3']],
    ['scrypt', ['-scrypt']],
  ]
  test.each(sealed)('opens a key sealed with %s', async (_name, args) => {
    writeFileSync(join(folder, 'plain.pem'), pemOf('keys/ecdsa-p256.pem'))
    const pem = openssl('pkcs8', '-topk8', '-in', 'plain.pem', '-passout', 'pass:täst 123', ...args)
    const key = good(await readKeyPem(pem, 'täst 123'))
    expect(key.wasEncrypted).toBe(true)
    expect(key.secret).toEqual((await keyOf('keys/ecdsa-p256.pem')).secret)
    expect(await kindOf(readKeyPem(pem, 'wrong'))).toMatch(/^wrong-passphrase$/)
    expect(await kindOf(readKeyPem(pem))).toBe('needs-passphrase')
  })

  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048'])('reads the old form of %s', async (name) => {
    writeFileSync(join(folder, 'plain.pem'), pemOf(`keys/${name}.pem`))
    const pem = openssl(name.startsWith('rsa') ? 'rsa' : 'ec', '-in', 'plain.pem', ...(name.startsWith('rsa') ? ['-traditional'] : []))
    expect(pem).toMatch(/BEGIN (EC|RSA) PRIVATE KEY/)
    expect(good(await readKeyPem(pem)).pkcs8).toEqual((await keyOf(`keys/${name}.pem`)).pkcs8)
  })

  test('takes the key out of a certificate, and out of DER', async () => {
    writeFileSync(join(folder, 'plain.pem'), pemOf('keys/ecdsa-p256.pem'))
    const pem = openssl('req', '-x509', '-new', '-key', 'plain.pem', '-subj', '/CN=board', '-days', '1')
    const { publicKey } = await keyOf('keys/ecdsa-p256.pem')
    expect(good(await readPublicKeyPem(pem)).spki).toEqual(publicKey.spki)
    expect(good(await readPublicKey(publicKey.spki)).spki).toEqual(publicKey.spki)
  })

  test.each(['ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072'])('openssl verifies what a %s key signed', async (name) => {
    const key = await keyOf(`keys/${name}.pem`)
    const signer = good(openSigner(key))
    const hash = name === 'ecdsa-p384' ? 'sha384' : 'sha256'
    writeFileSync(join(folder, 'message'), 'firmware')
    const digest = new Uint8Array(Buffer.from(openssl('dgst', `-${hash}`, '-r', 'message').split(' ')[0] ?? '', 'hex'))
    writeFileSync(join(folder, 'signature'), good(await signer.sign({ digest, hash })))
    writeFileSync(join(folder, 'public.pem'), writePem('PUBLIC KEY', key.publicKey.spki))
    const pss = name.startsWith('rsa') ? ['-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32'] : []
    expect(openssl('dgst', `-${hash}`, ...pss, '-verify', 'public.pem', '-signature', 'signature', 'message')).toContain('Verified OK')
    if (!canSign(key.publicKey)) throw new Error('no signing key')
    // and the other way round: openssl signs, half of its ECDSA signatures with a high S
    writeFileSync(join(folder, 'plain.pem'), pemOf(`keys/${name}.pem`))
    for (let round = 0; round < 8; round++) {
      openssl('dgst', `-${hash}`, ...pss, '-sign', 'plain.pem', '-out', 'theirs', 'message')
      const theirs = new Uint8Array(readFileSync(join(folder, 'theirs')))
      expect(checkSignature(theirs, key.publicKey, { digest, hash })).toBe(true)
      theirs[theirs.length - 1] = (theirs[theirs.length - 1] ?? 0) ^ 1
      expect(checkSignature(theirs, key.publicKey, { digest, hash })).toBe(false)
    }
  })
})

describe('what is not a key for us says so', () => {
  test('each unsupported curve by name', async () => {
    for (const [curve, name] of [['secp256k1', 'secp256k1'], ['secp521r1', 'P-521'], ['brainpoolP256r1', 'brainpoolP256r1']] as const) {
      const pem = openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', `ec_paramgen_curve:${curve}`)
      const failure = (await readKeyPem(pem)) as Failure
      expect(failure.kind).toBe('unsupported-key')
      expect(failure.says).toContain(name)
    }
    expect(await kindOf(readKeyPem(openssl('genpkey', '-algorithm', 'ed448')))).toBe('unsupported-key')
    const small = (await readKeyPem(openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'))) as Failure
    expect([small.kind, small.facts['bits']]).toEqual(['unsupported-key', 1024])
  })

  test('a public key, an empty file, an image, half a key, OpenSSL’s old encryption', async () => {
    expect(await kindOf(readKeyPem(Buffer.from(fileOf('keys/ed25519.pub.pem')).toString()))).toBe('public-only')
    expect(await kindOf(readKeyPem(''))).toBe('not-a-key')
    expect(await kindOf(readPublicKey(new Uint8Array(0)))).toBe('not-a-key')
    expect(await kindOf(readPublicKey(fileOf('images/ed25519.bin')))).toBe('not-a-key')
    expect(await kindOf(readKeyPem('x'.repeat(100_000)))).toBe('not-a-key')
    const pem = pemOf('keys/ecdsa-p256.pem')
    expect(await kindOf(readKeyPem(pem.replace(/\n.{8}/, '\n')))).toBe('not-a-key')
    expect(await kindOf(readKeyPem(pem.slice(0, 100)))).toBe('not-a-key')
    writeFileSync(join(folder, 'plain.pem'), pem)
    expect(await kindOf(readKeyPem(openssl('ec', '-in', 'plain.pem', '-aes256', '-passout', 'pass:secret123'), 'secret123'))).toBe('unsupported-encryption')
  })

  test('an RSA key whose numbers do not belong together', async () => {
    const key = await keyOf('keys/rsa-2048.pem')
    const bad = key.pkcs8.slice()
    bad[700] = (bad[700] ?? 0) ^ 1
    expect(await kindOf(readKeyPem(writePem('PRIVATE KEY', bad)))).toBe('not-a-key')
  })

  test('a P-256 key on no point: zero, and the order itself', async () => {
    const template = (await keyOf('keys/ecdsa-p256.pem')).pkcs8
    for (const scalar of ['00'.repeat(32), 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551']) {
      const bad = template.slice()
      bad.set(Buffer.from(scalar, 'hex'), 36)
      expect(await kindOf(readKeyPem(writePem('PRIVATE KEY', bad)))).toBe('not-a-key')
    }
  })
})

describe('hostile key files end in a Failure, never in an exception', () => {
  test('any bytes as DER', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => failed(readPublicDer(bytes))), { numRuns: 3000 })
  })

  test('a good key with any bytes changed, private and public', async () => {
    for (const name of ['keys/ed25519.pem', 'keys/ecdsa-p256.pem', 'keys/ecdsa-p384.pem', 'keys/x25519.pem']) {
      const { pkcs8, publicKey } = await keyOf(name)
      for (const source of [pkcs8, publicKey.spki]) {
        await fc.assert(fc.asyncProperty(fc.nat(source.length - 1), fc.nat(255), fc.nat(source.length), async (at, value, cut) => {
          const bytes = source.slice(0, cut === 0 ? source.length : cut)
          bytes[Math.min(at, bytes.length - 1)] = value
          await readKeyPem(writePem('PRIVATE KEY', bytes))
          readPublicDer(bytes)
        }), { numRuns: 300 })
      }
    }
  })

  test('an encrypted key with any byte changed', async () => {
    writeFileSync(join(folder, 'plain.pem'), pemOf('keys/ed25519.pem'))
    const pem = openssl('pkcs8', '-topk8', '-in', 'plain.pem', '-passout', 'pass:secret123', '-iter', '10')
    const der = new Uint8Array(Buffer.from(pem.replace(/-.*-/g, ''), 'base64'))
    const kinds = new Set<string>()
    for (let at = 0; at < der.length; at++) {
      const bytes = der.slice()
      bytes[at] = (bytes[at] ?? 0) ^ 0xff
      kinds.add(await kindOf(readKeyPem(writePem('ENCRYPTED PRIVATE KEY', bytes), 'secret123')))
    }
    // flips inside the ciphertext that still unpad to something are damage, not a key
    for (const kind of kinds) expect(['wrong-passphrase', 'not-a-key', 'unsupported-encryption', 'unsupported-key', 'taken']).toContain(kind)
    expect(kinds.has('wrong-passphrase')).toBe(true)
  })

  // Made by hand: openssl would do the work it asks for.
  test('a file that asks for hours of PBKDF2 or gigabytes of scrypt', async () => {
    const kdfs = [
      writeDer(0x30, writeOid('1.2.840.113549.1.5.12'), writeDer(0x30, writeDer(4, new Uint8Array(8)), writeInteger(2_000_000_000))),
      writeDer(0x30, writeOid('1.3.6.1.4.1.11591.4.11'), writeDer(0x30, writeDer(4, new Uint8Array(8)), writeInteger(2 ** 30), writeInteger(8), writeInteger(1))),
    ]
    for (const kdf of kdfs) {
      const scheme = writeDer(0x30, writeOid('2.16.840.1.101.3.4.1.42'), writeDer(4, new Uint8Array(16)))
      const der = writeDer(0x30, writeDer(0x30, writeOid('1.2.840.113549.1.5.13'), writeDer(0x30, kdf, scheme)), writeDer(4, new Uint8Array(64)))
      expect(await kindOf(readKeyPem(writePem('ENCRYPTED PRIVATE KEY', der), 'secret123'))).toBe('unsupported-encryption')
    }
  })
})

describe('private bytes', () => {
  test('are gone after wipe and close', async () => {
    const key = await generateKey('ed25519')
    const { secret, pkcs8 } = key
    const signer = good(openSigner(key))
    good(await signer.sign({ message: utf8('x') }))
    signer.close()
    expect(secret.every((byte) => byte === 0) && pkcs8.every((byte) => byte === 0)).toBe(true)
    await expect(signer.sign({ message: utf8('x') })).rejects.toThrow('broken promise')
  })

  test('x25519 cannot sign; ed25519 refuses a digest and ECDSA a message', async () => {
    expect((openSigner(await generateKey('x25519')) as Failure).kind).toBe('unsupported-key')
    const digest = new Uint8Array(32)
    expect(await kindOf(good(openSigner(await generateKey('ed25519'))).sign({ digest, hash: 'sha256' }))).toBe('bad-request')
    expect(await kindOf(good(openSigner(await generateKey('ecdsa-p256'))).sign({ message: digest }))).toBe('bad-request')
  })

  test('our own keys are no test keys', async () => {
    expect(knownTestKeyOf((await generateKey('ecdsa-p256')).publicKey)).toBeUndefined()
  })
})
