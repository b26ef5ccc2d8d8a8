// Packages and receipts signed in a token through the same seam as with a file's key: the station's authority, the signer's
// request and certificate, the package and the receipt; each verified by openssl, or for Ed25519, which openssl before 3.2
// does not know in CMS, by node's own crypto over the very bytes that were signed.
import { createPublicKey, verify } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { keyAlgorithms } from '../../main/base/signer.ts'
import type { KeyAlgorithm, Signer } from '../../main/base/signer.ts'
import { certificateFrom, makeCertificate, makeRequest, makeRevocationList, readSignedRequest } from '../../main/cms/certificate.ts'
import { readRevocationList } from '../../main/cms/pki.ts'
import { openPackage, readPackage } from '../../main/cms/package.ts'
import { openReport, signReport } from '../../main/cms/receipt.ts'
import type { Signing } from '../../main/cms/signed.ts'
import { anchorFromCertificate } from '../../main/cms/trust.ts'
import { Tokens } from '../../main/keys/pkcs11-tokens.ts'
import { buildTokenProcess, openSoftHsm, pin } from '../keys/softhsm.ts'
import type { SoftHsm } from '../keys/softhsm.ts'
import { firmware, good, hardware, nowMs, packed, product, worldOf } from './making.ts'
import { openssl, opensslVersion, pem } from './openssl.ts'

const tool = openssl()
const [major, minor] = opensslVersion()
const eddsaInCms = major > 3 || (major === 3 && minor >= 2)
const dayMs = 86_400_000
let hsm: SoftHsm
let tokens: Tokens
const signers = new Map<string, Signer>()

beforeAll(async () => {
  hsm = openSoftHsm()
  hsm.makeToken('Packages')
  tokens = new Tokens({ entry: await buildTokenProcess('packages'), modules: [hsm.module], installed: false, trouble: () => {} })
  const uri = (await tokens.list())[0]?.tokens[0]?.uri ?? ''
  good(await tokens.unlock(uri, pin))
  for (const name of ['authority', ...keyAlgorithms]) {
    const key = good(await tokens.generate(uri, name === 'authority' ? 'ecdsa-p384' : name as KeyAlgorithm, name))
    signers.set(name, tokens.signer(key.uri, key.publicKey))
  }
}, 60_000)
afterAll(async () => {
  await tokens?.close()
  hsm?.remove()
})

function signerOf(name: string): Signer {
  const signer = signers.get(name)
  if (signer === undefined) throw new Error(`no key ${name} was made`)
  return signer
}

describe.each(keyAlgorithms)('a %s key in the token', (algorithm) => {
  test('its request is certified by the authority in the token, and what it signs holds by another implementation\'s word', async () => {
    const authority = signerOf('authority')
    const signer = signerOf(algorithm)
    const life = { serial: new Uint8Array(16).fill(7), notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + dayMs }
    const above = good(certificateFrom(good(await makeCertificate({ ...life, name: 'Plant authority', spki: authority.publicKey.spki, role: { is: 'authority', below: 0 } }, { signer: authority, certificate: null }))))
    const request = good(await makeRequest('Line station', signer))
    expect(tool.run('req', '-inform', 'DER', '-in', tool.put(`${algorithm}.csr`, request), '-verify', '-noout', '-subject')).toMatch(/CN ?= ?Line station/)
    const asked = good(readSignedRequest(request))
    const own = good(certificateFrom(good(await makeCertificate({ ...life, name: asked.name, spki: asked.spki, role: { is: 'signer' } }, { signer: authority, certificate: above }))))
    const anchorFile = tool.put(`${algorithm}-ca.pem`, pem('CERTIFICATE', above.der))
    expect(tool.run('verify', '-x509_strict', '-attime', String(nowMs / 1000), '-CAfile', anchorFile, tool.put(`${algorithm}.pem`, pem('CERTIFICATE', own.der)))).toContain('OK')

    const signing: Signing = { signer, certificate: own, embed: [own] }
    const { bytes } = await packed(signing)
    const report = good(await signReport({ is: 'receipt', module: { hardware, serial: utf8('PB-0001') }, name: { id: product, version: 17n }, trustAnchorKeyId: above.keyId, decryptKeyId: null }, signing, nowMs))
    const anchors = [good(anchorFromCertificate(above.der))]
    expect(good(openPackage(bytes, worldOf(anchors))).signedBy.path.map(({ name }) => name)).toEqual(['Line station'])
    expect(good(openReport(report, { anchors, atMs: nowMs })).report).toMatchObject({ is: 'receipt' })
    if (algorithm === 'ed25519' && !eddsaInCms) {
      const { signature, signedBytes } = readPackage(bytes)
      expect(verify(null, signedBytes, createPublicKey({ key: Buffer.from(own.spki), format: 'der', type: 'spki' }), signature)).toBe(true)
      return
    }
    for (const [name, content] of [['package', bytes], ['receipt', report]] as const) {
      const { code, words } = tool.tried('cms', '-verify', '-binary', '-inform', 'DER', '-in', tool.put(`${algorithm}-${name}.der`, content), '-CAfile', anchorFile, '-attime', String(nowMs / 1000), '-out', `${algorithm}-${name}.bin`)
      expect(`${code} ${words}`).toMatch(/^0 .*successful/)
    }
    expect(Buffer.compare(tool.get(`${algorithm}-package.bin`), firmware(1000))).toBe(0)
  })
})

test('the authority in the token revokes, and openssl and we refuse what was revoked', async () => {
  const authority = signerOf('authority')
  const signer = signerOf('ecdsa-p256')
  const life = { notBeforeMs: nowMs - dayMs, notAfterMs: nowMs + dayMs }
  const above = good(certificateFrom(good(await makeCertificate({ ...life, serial: new Uint8Array(16).fill(1), name: 'Plant authority', spki: authority.publicKey.spki, role: { is: 'authority', below: null } }, { signer: authority, certificate: null }))))
  const own = good(certificateFrom(good(await makeCertificate({ ...life, serial: new Uint8Array(16).fill(2), name: 'Line station', spki: signer.publicKey.spki, role: { is: 'signer' } }, { signer: authority, certificate: above }))))
  const list = good(await makeRevocationList({ thisUpdateMs: nowMs - 1000, nextUpdateMs: nowMs + dayMs, number: 1, revoked: [{ serial: own.serial, atMs: nowMs - 1000 }] }, { signer: authority, certificate: above }))
  tool.put('list.pem', pem('X509 CRL', list))
  tool.put('list-ca.pem', pem('CERTIFICATE', above.der))
  tool.put('list-own.pem', pem('CERTIFICATE', own.der))
  expect(tool.tried('verify', '-attime', String(nowMs / 1000), '-crl_check', '-CRLfile', 'list.pem', '-CAfile', 'list-ca.pem', 'list-own.pem').words).toContain('certificate revoked')
  const read = readRevocationList(list)
  if (read === null) throw new Error('the list reads')
  const world = worldOf([good(anchorFromCertificate(above.der))])
  const { bytes } = await packed({ signer, certificate: own, embed: [own] })
  expect(openPackage(bytes, { ...world, trust: { ...world.trust, revocationLists: [read] } })).toMatchObject({ kind: 'bad-certificate' })
})
