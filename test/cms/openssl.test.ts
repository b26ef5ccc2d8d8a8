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
import { algorithms, deflate, firmware, good, hardware, house, keyOf, nowMs, packed, party, worldOf } from './making.ts'
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

type Handmade = Readonly<{ algorithm: 'ecdsa-p256' | 'ecdsa-p384' | 'ed25519' | 'rsa-2048' | 'rsa-3072'; hash: 'sha256' | 'sha384' | 'sha512'; hashOid: string; signed: string; sign: readonly string[] }>
const sha = { sha256: '2.16.840.1.101.3.4.2.1', sha384: '2.16.840.1.101.3.4.2.2', sha512: '2.16.840.1.101.3.4.2.3' } as const
const handmade: readonly Handmade[] = [
  { algorithm: 'ecdsa-p256', hash: 'sha256', hashOid: sha.sha256, signed: 'algorithm=OID:1.2.840.10045.4.3.2', sign: ['dgst', '-sha256', '-sign'] },
  { algorithm: 'ecdsa-p384', hash: 'sha384', hashOid: sha.sha384, signed: 'algorithm=OID:1.2.840.10045.4.3.3', sign: ['dgst', '-sha384', '-sign'] },
  { algorithm: 'ed25519', hash: 'sha512', hashOid: sha.sha512, signed: 'algorithm=OID:1.3.101.112', sign: ['pkeyutl', '-sign', '-rawin', '-inkey'] },
  { algorithm: 'rsa-2048', hash: 'sha256', hashOid: sha.sha256, signed: 'algorithm=OID:1.2.840.113549.1.1.11\nnone=NULL', sign: ['dgst', '-sha256', '-sign'] },
  {
    algorithm: 'rsa-3072', hash: 'sha256', hashOid: sha.sha256, sign: ['dgst', '-sha256', '-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32', '-sign'],
    signed: 'algorithm=OID:1.2.840.113549.1.1.10\nparameters=SEQUENCE:pss\n[pss]\nhash=EXPLICIT:0,SEQUENCE:hash\nmask=EXPLICIT:1,SEQUENCE:mask\nsalt=EXPLICIT:2,INTEGER:32\n[mask]\nmgf1=OID:1.2.840.113549.1.1.8\nhash=SEQUENCE:hash',
  },
]

// openssl cms writes no RFC 4108 attributes, but openssl asn1parse writes anything and openssl signs it.
describe.each(handmade)('openssl writes a whole package, attributes and all, and signs it with $algorithm', ({ algorithm, hash, hashOid, signed, sign }) => {
  test.each(['bare', 'nested'] as const)('%s: it opens here', async (form) => {
    const { signer, authority } = await house(algorithm)
    const key = await tool.putKey(`handmade-${algorithm}.pem`, signer.key)
    const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
    const file = (name: string, text: string): string => {
      tool.put(`${name}.cnf`, text)
      tool.run('asn1parse', '-genconf', `${name}.cnf`, '-noout', '-out', `${name}.der`)
      return `${name}.der`
    }
    const content = form === 'bare' ? firmware(300) : tool.get(file('inner', `asn1=FORMAT:HEX,OCTETSTRING:${hex(firmware(300))}\n`))
    tool.put('content.bin', content)
    const digest = tool.run('dgst', `-${hash}`, '-r', 'content.bin').slice(0, { sha256: 64, sha384: 96, sha512: 128 }[hash])
    const attribute = (name: string, id: string, value: string) => `[${name}]\nid=OID:${id}\nvalues=SET:${name}_values\n[${name}_values]\nvalue=${value}\n`
    const attributes = [
      '[attributes]\na=SEQUENCE:a\nb=SEQUENCE:b\nc=SEQUENCE:c\nd=SEQUENCE:d\n',
      attribute('a', '1.2.840.113549.1.9.3', `OID:${contentTypes.firmwarePackage}`), attribute('b', '1.2.840.113549.1.9.4', `FORMAT:HEX,OCTETSTRING:${digest}`),
      attribute('c', '1.2.840.113549.1.9.16.2.35', 'SEQUENCE:named'), '[named]\nname=SEQUENCE:pair\n[pair]\nid=OID:1.3.6.1.4.1.99999.1.4\nversion=INTEGER:17\n',
      attribute('d', '1.2.840.113549.1.9.16.2.36', 'SEQUENCE:types'), `[types]\nfirst=OID:${hardware}\n`,
    ].join('')
    const toSign = file('attributes', `asn1=SET:attributes\n${attributes}`)
    tool.run(...sign, key, ...(sign[0] === 'pkeyutl' ? ['-in', toSign, '-out', 'signature.bin'] : ['-out', 'signature.bin', toSign]))
    const made = file('handmade', [
      `asn1=SEQUENCE:info\n[info]\ntype=OID:1.2.840.113549.1.7.2\ncontent=EXPLICIT:0,SEQUENCE:data\n`,
      `[data]\nversion=INTEGER:3\nhashes=SET:hashes\ncontent=SEQUENCE:content\nsigners=SET:signers\n[hashes]\none=SEQUENCE:hash\n[hash]\nid=OID:${hashOid}\n`,
      `[content]\ntype=OID:${contentTypes.firmwarePackage}\nbytes=EXPLICIT:0,FORMAT:HEX,OCTETSTRING:${hex(content)}\n[signers]\none=SEQUENCE:signer\n`,
      `[signer]\nversion=INTEGER:3\nid=IMPLICIT:0,FORMAT:HEX,OCTETSTRING:${hex(signer.certificate.keyId)}\nhash=SEQUENCE:hash\nattributes=IMPLICIT:0,SET:attributes\n`,
      `signed=SEQUENCE:signed\nsignature=FORMAT:HEX,OCTETSTRING:${hex(tool.get('signature.bin'))}\n[signed]\n${signed}\n`, attributes,
    ].join(''))
    const world = worldOf([good(anchorFromCertificate(authority.certificate.der))], { hardwareType: hardware })
    const opened = good(openPackage(tool.get(made), { ...world, trust: { ...world.trust, certificates: [signer.certificate] } }))
    expect(sameBytes(opened.firmware, firmware(300))).toBe(true)
    expect([opened.form, opened.attributes.firmwarePackageID, opened.attributes.targetHardwareIDs, opened.signedBy.path[0]?.name]).toEqual([form, { name: { id: '1.3.6.1.4.1.99999.1.4', version: 17n }, stale: null }, [hardware], 'Test signer'])
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
