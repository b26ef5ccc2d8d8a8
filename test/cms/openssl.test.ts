// Both directions with OpenSSL: it verifies and prints what we make, and what it makes opens here. OpenSSL before 3.2 has
// no Ed25519 in CMS; what it says then is pinned, and test/interop/cms checks those with another implementation.
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { sameBytes, utf8 } from '../../main/base/bytes.ts'
import { makeRequest, makeRevocationList, readSignedRequest } from '../../main/cms/certificate.ts'
import { contentTypes } from '../../main/cms/oids.ts'
import { openPackage } from '../../main/cms/package.ts'
import { readRevocationList } from '../../main/cms/pki.ts'
import { anchorFromCertificate } from '../../main/cms/trust.ts'
import { algorithms, deflate, firmware, good, house, keyOf, nowMs, packed, party, worldOf } from './making.ts'
import { openssl, opensslVersion, pem } from './openssl.ts'

const tool = openssl()
const [major, minor] = opensslVersion()
const eddsaInCms = major > 3 || (major === 3 && minor >= 2)
const atSeconds = String(nowMs / 1000)

/** Verified by openssl, firmware and all; or, for Ed25519 before 3.2, refused with openssl's own "not supported". */
function expectVerified(algorithm: string, words: readonly string[], out: string): void {
  const { code, words: said } = tool.tried('cms', '-verify', '-binary', '-inform', 'DER', '-attime', atSeconds, ...words)
  if (algorithm === 'ed25519' && !eddsaInCms) {
    expect(said).toMatch(/CMS_SignerInfo_verify|eddsa_digest_signverify_init|invalid digest/)
    return
  }
  expect(`${code} ${said}`).toMatch(/^0 .*successful/)
  expect(sameBytes(tool.get(out), firmware(1000))).toBe(true)
}

describe.each(algorithms)('%s', (algorithm) => {
  test('openssl verifies a package with embedded certificate and gives the firmware back', async () => {
    const { signing, authority } = await house(algorithm)
    const name = `ours-${algorithm}`
    tool.put(`${name}.der`, (await packed(signing)).bytes)
    tool.put(`${name}-ca.pem`, pem('CERTIFICATE', authority.certificate.der))
    expectVerified(algorithm, ['-in', `${name}.der`, '-CAfile', `${name}-ca.pem`, '-out', `${name}.bin`], `${name}.bin`)
  })

  test('openssl verifies a package without certificates when it is given them', async () => {
    const { signing, signer, authority } = await house(algorithm)
    const name = `bare-${algorithm}`
    for (const sid of ['key-id', 'issuer-serial'] as const) {
      tool.put(`${name}.der`, (await packed({ ...signing, embed: [], sid })).bytes)
      tool.put(`${name}-ca.pem`, pem('CERTIFICATE', authority.certificate.der))
      tool.put(`${name}-signer.pem`, pem('CERTIFICATE', signer.certificate.der))
      expectVerified(algorithm, ['-in', `${name}.der`, '-certfile', `${name}-signer.pem`, '-CAfile', `${name}-ca.pem`, '-out', `${name}.bin`], `${name}.bin`)
    }
  })

  test('openssl reads our structure to the last field, and our certificates as valid', async () => {
    const { signing, signer, authority } = await house(algorithm)
    const name = `print-${algorithm}`
    tool.put(`${name}.der`, (await packed(signing)).bytes)
    const printed = tool.run('cms', '-cmsout', '-print', '-inform', 'DER', '-in', `${name}.der`)
    for (const words of ['pkcs7-signedData', 'version: 3', 'contentType', 'messageDigest', 'subjectKeyIdentifier', '1.2.840.113549.1.9.16.2.35', '1.2.840.113549.1.9.16.2.36']) expect(printed).toContain(words)
    tool.put(`${name}-ca.pem`, pem('CERTIFICATE', authority.certificate.der))
    tool.put(`${name}-signer.pem`, pem('CERTIFICATE', signer.certificate.der))
    expect(tool.run('verify', '-x509_strict', '-attime', atSeconds, '-CAfile', `${name}-ca.pem`, `${name}-signer.pem`)).toContain('OK')
  })

  test('openssl accepts our certification request, and we accept openssl\'s', async () => {
    const { signer, key } = await party(algorithm, 0)
    tool.put('request.der', good(await makeRequest('Line 4', signer)))
    expect(tool.run('req', '-inform', 'DER', '-in', 'request.der', '-verify', '-noout', '-subject')).toMatch(/CN ?= ?Line 4/)
    const keyFile = await tool.putKey(`request-${algorithm}.pem`, key)
    tool.run('req', '-new', '-key', keyFile, '-subj', '/CN=From outside', '-outform', 'DER', '-out', 'outside.der')
    expect(good(readSignedRequest(tool.get('outside.der')))).toMatchObject({ name: 'From outside' })
  })
})

type Signed = { options: string[]; called: string }
const opensslSigned: readonly { algorithm: 'ecdsa-p256' | 'ecdsa-p384' | 'rsa-2048' | 'rsa-3072'; signed: Signed }[] = [
  { algorithm: 'ecdsa-p256', signed: { called: 'ECDSA', options: ['-md', 'sha256'] } },
  { algorithm: 'ecdsa-p256', signed: { called: 'ECDSA with SHA-512', options: ['-md', 'sha512'] } },
  { algorithm: 'ecdsa-p384', signed: { called: 'ECDSA', options: ['-md', 'sha384'] } },
  { algorithm: 'rsa-2048', signed: { called: 'PKCS#1 v1.5', options: ['-md', 'sha256'] } },
  { algorithm: 'rsa-2048', signed: { called: 'PSS', options: ['-md', 'sha256', '-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:-1'] } },
  { algorithm: 'rsa-3072', signed: { called: 'PSS with SHA-384, longest salt', options: ['-md', 'sha384', '-keyopt', 'rsa_padding_mode:pss', '-keyopt', 'rsa_pss_saltlen:-2'] } },
  { algorithm: 'rsa-3072', signed: { called: 'PKCS#1 v1.5 with SHA-512', options: ['-md', 'sha512'] } },
]

describe.each(opensslSigned)('openssl signs with $algorithm, $signed.called', ({ algorithm, signed }) => {
  test.each([
    ['DER, key identifier, certificate embedded', ['-keyid', '-outform', 'DER']],
    ['DER, issuer and serial number', ['-outform', 'DER']],
    ['BER in pieces of unstated length', ['-keyid', '-stream', '-indef', '-outform', 'DER']],
    ['no certificate', ['-keyid', '-nocerts', '-outform', 'DER']],
  ])('%s: read, proven, and refused only for what openssl cannot say', async (_form, form) => {
    const { signer, authority } = await house(algorithm)
    const keyFile = await tool.putKey(`${algorithm}.pem`, signer.key)
    const certificate = tool.put(`${algorithm}-cert.pem`, pem('CERTIFICATE', signer.certificate.der))
    tool.put('in.bin', firmware(5000))
    // openssl 3.0 cannot stream PSS: it writes the structure before it knows the parameters, and says so.
    if (form.includes('-stream') && signed.called.startsWith('PSS')) return void expect(tool.tried('cms', '-sign', '-stream', '-indef', '-binary', '-nodetach', '-in', 'in.bin', '-signer', certificate, '-inkey', keyFile, '-outform', 'DER', ...signed.options).code).not.toBe(0)
    tool.run('cms', '-sign', '-binary', '-nodetach', '-in', 'in.bin', '-econtent_type', contentTypes.firmwarePackage, '-signer', certificate, '-inkey', keyFile, ...form, ...signed.options, '-out', 'theirs.der')
    const world = worldOf([good(anchorFromCertificate(authority.certificate.der))], null)
    const opened = openPackage(tool.get('theirs.der'), { ...world, trust: { ...world.trust, certificates: [signer.certificate] } })
    // openssl cannot add firmwarePackageID: all before that, signature and path among them, has passed when this is said.
    expect(opened).toMatchObject({ kind: 'bad-signed-attrs', says: expect.stringContaining('firmwarePackageID is missing') as string })
  })
})

test('openssl reads the inner layers: it decompresses and decrypts what we wrote', async () => {
  const { bare, keyAnchors } = await house()
  const secret = { id: utf8('key'), key: firmware(32, 'key') }
  const random = (bytes: number) => firmware(bytes, 'iv')
  const { bytes } = await packed(bare, { encrypt: { secret, random } })
  // The EncryptedData stands in the eContent without a ContentInfo; openssl wants one around it.
  const { readPackage } = await import('../../main/cms/package.ts')
  const { content } = readPackage(bytes)
  const { context, join, oid, raw, sequence, tlv } = await import('../../main/cms/der.ts')
  tool.put('encrypted.der', join(sequence(oid(contentTypes.encryptedData), tlv(context(0), raw(content)))))
  tool.run('cms', '-EncryptedData_decrypt', '-inform', 'DER', '-in', 'encrypted.der', '-secretkey', Buffer.from(secret.key).toString('hex'), '-out', 'decrypted.bin')
  expect(sameBytes(tool.get('decrypted.bin'), firmware(1000))).toBe(true)
  const opened = openPackage(bytes, worldOf(keyAnchors, {}, { decrypt: { firmwareKeys: [secret] } }))
  expect(failed(opened)).toBe(false)
  const compressed = await packed(bare, { compress: deflate })
  const parsed = tool.run('asn1parse', '-inform', 'DER', '-in', tool.put('compressed.der', readPackage(compressed.bytes).content))
  expect(parsed).toContain('zlib compression')
})

test('openssl checks against our revocation list, and we read openssl\'s', async () => {
  const { authority, signer } = await house('ecdsa-p384')
  const list = good(await makeRevocationList({ thisUpdateMs: nowMs - 1000, nextUpdateMs: nowMs + 86_400_000, number: 1, revoked: [{ serial: signer.certificate.serial, atMs: nowMs - 1000 }] }, authority))
  tool.put('crl.pem', pem('X509 CRL', list))
  tool.put('crl-ca.pem', pem('CERTIFICATE', authority.certificate.der))
  tool.put('crl-signer.pem', pem('CERTIFICATE', signer.certificate.der))
  expect(tool.tried('verify', '-attime', atSeconds, '-crl_check', '-CRLfile', 'crl.pem', '-CAfile', 'crl-ca.pem', 'crl-signer.pem').words).toContain('certificate revoked')
  tool.run('crl', '-in', 'crl.pem', '-outform', 'DER', '-out', 'again.der')
  expect(readRevocationList(tool.get('again.der'))?.revoked).toHaveLength(1)
})

test('asn1parse finds the firmware where we say it is', async () => {
  const { bare } = await house()
  for (const bytes of [1, 200, 1000, 70_000]) {
    const made = await packed(bare, { firmware: firmware(bytes) })
    const lines = tool.run('asn1parse', '-inform', 'DER', '-in', tool.put('offset.der', made.bytes)).split('\n')
    const found = lines.map((line) => /^\s*(\d+):d=5 +hl=(\d+) l= *(\d+) prim: OCTET STRING/.exec(line)).find((match) => match?.[3] === String(bytes))
    expect(Number(found?.[1]) + Number(found?.[2])).toBe(made.firmwareOffset)
  }
  expect((await keyOf('ecdsa-p256')).algorithm).toBe('ecdsa-p256')
})
