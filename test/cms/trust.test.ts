// The certificate path: what makes it hold, and each thing that breaks it. openssl's verdict on the same certificates is
// in openssl.test.ts; here the moment, the usage, the constraints and the lists are wrong one at a time.
import { describe, expect, test } from 'vitest'
import { Failure, failed } from '../../main/base/failure.ts'
import { makeRevocationList } from '../../main/cms/certificate.ts'
import { openPackage } from '../../main/cms/package.ts'
import { readRevocationList } from '../../main/cms/pki.ts'
import type { RevocationList } from '../../main/cms/pki.ts'
import { anchorFromCertificate, anchorFromKey } from '../../main/cms/trust.ts'
import type { Trust } from '../../main/cms/trust.ts'
import { algorithms, good, nowMs, packed, party, worldOf } from './making.ts'
import type { Party } from './making.ts'

const dayMs = 86_400_000

async function opened(signer: Party, embed: readonly Party[], anchor: Party, changes: Partial<Trust> = {}) {
  const { bytes } = await packed({ signer: signer.signer, certificate: signer.certificate, embed: embed.map((one) => one.certificate) })
  const world = worldOf([good(anchorFromCertificate(anchor.certificate.der))])
  return openPackage(bytes, { ...world, trust: { ...world.trust, ...changes } })
}

async function listOf(authority: Party, changes: { revoked?: readonly Party[]; nextUpdateMs?: number } = {}): Promise<RevocationList> {
  const order = { thisUpdateMs: nowMs - dayMs, nextUpdateMs: changes.nextUpdateMs ?? nowMs + dayMs, number: 1, revoked: (changes.revoked ?? []).map((one) => ({ serial: one.certificate.serial, atMs: nowMs - dayMs })) }
  return readRevocationList(good(await makeRevocationList(order, authority))) ?? fail()
}

function fail(): never {
  throw new Error('our own list reads')
}

describe('a path holds', () => {
  test.each(algorithms)('over two authorities, certified with %s', async (algorithm) => {
    const root = await party(algorithm, 1)
    const middle = await party(algorithm, 2, { name: 'Line authority', issuer: root, role: { is: 'authority', below: 0 } })
    const signer = await party('ecdsa-p256', 0, { issuer: middle })
    const end = good(await opened(signer, [middle, signer], root))
    expect([end.signedBy.path.map((one) => one.name), end.signedBy.anchor.name]).toEqual([['Test signer', 'Line authority'], 'Test authority'])
  })

  test('when the signer is its own authority and the anchor', async () => {
    const self = await party('ecdsa-p256', 0, { name: 'Self', role: { is: 'both' } })
    expect(good(await opened(self, [], self)).signedBy.path).toEqual([])
  })

  test('when an expired certificate and its renewal come along together, in either order', async () => {
    const root = await party('ecdsa-p256', 1)
    const expired = await party('ecdsa-p256', 0, { issuer: root, notAfterMs: nowMs - dayMs })
    const renewed = await party('ecdsa-p256', 0, { issuer: root })
    for (const certificates of [[expired, renewed], [renewed, expired]]) {
      const { bytes } = await packed({ signer: renewed.signer, certificate: renewed.certificate, embed: [] })
      const world = worldOf([good(anchorFromCertificate(root.certificate.der))])
      expect(failed(openPackage(bytes, { ...world, trust: { ...world.trust, certificates: certificates.map((one) => one.certificate) } }))).toBe(false)
    }
  })

  test('when the signer\'s key is trusted by itself, whatever else one of its certificates is for', async () => {
    const authority = await party('ecdsa-p256', 0)
    const { bytes } = await packed({ signer: authority.signer, certificate: null })
    const anchors = [good(anchorFromCertificate(authority.certificate.der)), good(anchorFromKey(authority.signer.publicKey.spki, 'the key'))]
    expect(good(openPackage(bytes, worldOf(anchors))).signedBy.anchor.name).toBe('the key')
  })

  test('with a revocation list that names somebody else', async () => {
    const root = await party('ecdsa-p256', 1)
    const signer = await party('ecdsa-p256', 0, { issuer: root })
    const other = await party('ecdsa-p256', 2, { issuer: root })
    expect(failed(await opened(signer, [signer], root, { revocationLists: [await listOf(root, { revoked: [other] })] }))).toBe(false)
  })
})

describe('a path does not hold', () => {
  test.each<[string, RegExp, (root: Party) => Promise<{ signer: Party; embed: readonly Party[]; trust?: Partial<Trust> }>]>([
    ['before the signer\'s certificate is valid', /valid only from/, async (issuer) => {
      const signer = await party('ecdsa-p256', 0, { issuer, notBeforeMs: nowMs + dayMs })
      return { signer, embed: [signer] }
    }],
    ['after it expired', /expired on/, async (issuer) => {
      const signer = await party('ecdsa-p256', 0, { issuer, notAfterMs: nowMs - dayMs })
      return { signer, embed: [signer] }
    }],
    ['after the anchor expired', /"Test authority" expired/, async (issuer) => {
      const signer = await party('ecdsa-p256', 0, { issuer, notAfterMs: nowMs + 9000 * dayMs })
      return { signer, embed: [signer], trust: { atMs: nowMs + 4000 * dayMs } }
    }],
    ['when an authority signs packages with a key that is for certificates only', /not for signing/, async (issuer) => {
      const signer = await party('ecdsa-p256', 0, { issuer, role: { is: 'authority', below: null } })
      return { signer, embed: [signer] }
    }],
    ['when a signer plays authority', /is no authority/, async (issuer) => {
      const pretender = await party('ecdsa-p256', 2, { name: 'Pretender', issuer })
      const signer = await party('ecdsa-p256', 0, { issuer: pretender })
      return { signer, embed: [signer, pretender] }
    }],
    ['when there are more authorities than allowed', /that many authorities/, async (issuer) => {
      const first = await party('ecdsa-p256', 2, { name: 'First', issuer, role: { is: 'authority', below: 0 } })
      const second = await party('ecdsa-p256', 3, { name: 'Second', issuer: first, role: { is: 'authority', below: null } })
      const signer = await party('ecdsa-p256', 0, { issuer: second })
      return { signer, embed: [signer, first, second] }
    }],
    ['when the signer was revoked', /was revoked/, async (issuer) => {
      const signer = await party('ecdsa-p256', 0, { issuer })
      return { signer, embed: [signer], trust: { revocationLists: [await listOf(issuer, { revoked: [signer] })] } }
    }],
    ['when the revocation list is outdated', /outdated/, async (issuer) => {
      const signer = await party('ecdsa-p256', 0, { issuer })
      return { signer, embed: [signer], trust: { revocationLists: [await listOf(issuer, { nextUpdateMs: nowMs - 1000 })] } }
    }],
  ])('%s', async (_what, says, make) => {
    const root = await party('ecdsa-p256', 1)
    const { signer, embed, trust } = await make(root)
    const end = await opened(signer, embed, root, trust)
    expect(end).toMatchObject({ kind: 'bad-certificate', facts: { rfc4108: 5 } })
    expect(end instanceof Failure && end.says).toMatch(says)
  })

  test('to an anchor of the same name with another key', async () => {
    const root = await party('ecdsa-p256', 1)
    const namesake = await party('ecdsa-p256', 3)
    const signer = await party('ecdsa-p256', 0, { issuer: root })
    expect(await opened(signer, [signer, root], namesake)).toMatchObject({ kind: 'no-trust-anchor' })
  })

  test('by a revocation list that somebody else signed in the authority\'s name, which counts for nothing', async () => {
    const root = await party('ecdsa-p256', 1)
    const namesake = await party('ecdsa-p256', 3)
    const signer = await party('ecdsa-p256', 0, { issuer: root })
    expect(failed(await opened(signer, [signer], root, { revocationLists: [await listOf(namesake, { revoked: [signer] })] }))).toBe(false)
  })

  test('through a thicket of look-alike authorities, and the search ends', async () => {
    const root = await party('ecdsa-p256', 1)
    const key = await party('ecdsa-p256', 2, { name: 'Loop', role: { is: 'authority', below: null } })
    const loops: Party[] = []
    for (let i = 0; i < 28; i++) loops.push(await party('ecdsa-p256', 2, { name: 'Loop', issuer: key, role: { is: 'authority', below: null } }))
    const signer = await party('ecdsa-p256', 0, { issuer: key })
    const startedMs = performance.now()
    expect(await opened(signer, [signer, ...loops], root)).toMatchObject({ kind: 'bad-certificate' })
    expect(performance.now() - startedMs).toBeLessThan(2000)
  })
})

test.each([
  ['a certificate', (bytes: Uint8Array) => anchorFromCertificate(bytes)],
  ['a key', (bytes: Uint8Array) => anchorFromKey(bytes, 'x')],
])('an anchor that is not %s is refused', (_what, make) => {
  for (const bytes of [new Uint8Array(0), Uint8Array.of(0x30, 0), new Uint8Array(100)]) expect(failed(make(bytes))).toBe(true)
})
