// Packages made and opened again, in every form: algorithms, with and without certificates, compressed, encrypted, key
// wrapped, both readings of the inner octet string.
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { fromHex, sameBytes, utf8 } from '../../main/base/bytes.ts'
import { makePackage, looksLikePackage, openPackage } from '../../main/cms/package.ts'
import type { PackageOrder } from '../../main/cms/package.ts'
import { algorithms, deflate, firmware, good, hardware, house, nowMs, orderWith, packed, product, worldOf } from './making.ts'

const random = (bytes: number) => firmware(bytes + 4, 'random').subarray(4)
const secret = { id: utf8('fw-key-1'), key: random(32) }
const wrapFor = { id: utf8('kek-1'), key: random(16) }

describe.each(algorithms)('%s', (algorithm) => {
  test('a package made is a package opened, with the certificate embedded', async () => {
    const { signing, anchors } = await house(algorithm)
    const { bytes, firmwareOffset } = await packed(signing)
    const opened = good(openPackage(bytes, worldOf(anchors)))
    expect(sameBytes(opened.firmware, firmware(1000))).toBe(true)
    expect(opened.firmwareOffset).toBe(firmwareOffset)
    expect(sameBytes(bytes.subarray(firmwareOffset ?? -1, (firmwareOffset ?? -1) + 1000), firmware(1000))).toBe(true)
    expect(opened.layers).toEqual(['signed', 'firmware'])
    expect(opened.signedBy.path.map((one) => one.name)).toEqual(['Test signer'])
    expect(opened.attributes.firmwarePackageID).toEqual({ name: { id: product, version: 17n }, stale: null })
  })

  test('a bare key that is a trust anchor needs no certificate', async () => {
    const { bare, keyAnchors } = await house(algorithm)
    const { bytes } = await packed(bare)
    expect(good(openPackage(bytes, worldOf(keyAnchors))).signedBy.path).toEqual([])
  })

  test('the signer may be named by issuer and serial number', async () => {
    const { signing, anchors } = await house(algorithm)
    const { bytes } = await packed({ ...signing, sid: 'issuer-serial' })
    expect(failed(openPackage(bytes, worldOf(anchors)))).toBe(false)
  })

  test('a certificate that is not in the package may be known here', async () => {
    const { signing, signer, anchors } = await house(algorithm)
    const { bytes } = await packed({ ...signing, embed: [] })
    const world = worldOf(anchors)
    expect(openPackage(bytes, world)).toMatchObject({ kind: 'no-trust-anchor' })
    expect(failed(openPackage(bytes, { ...world, trust: { ...world.trust, certificates: [signer.certificate] } }))).toBe(false)
  })
})

const forms: readonly [string, Partial<PackageOrder>, readonly string[], 'bare' | 'nested'][] = [
  ['plain', {}, ['signed', 'firmware'], 'bare'],
  ['nested', { nested: true }, ['signed', 'firmware'], 'nested'],
  ['compressed', { compress: deflate }, ['signed', 'compressed', 'firmware'], 'bare'],
  ['encrypted', { encrypt: { secret, random } }, ['signed', 'encrypted', 'firmware'], 'bare'],
  ['compressed and encrypted', { compress: deflate, encrypt: { secret, random } }, ['signed', 'encrypted', 'compressed', 'firmware'], 'bare'],
  ['compressed and encrypted, key wrapped', { compress: deflate, encrypt: { secret, wrapFor, random } }, ['signed', 'encrypted', 'compressed', 'firmware'], 'bare'],
  ['all of it, nested', { nested: true, compress: deflate, encrypt: { secret, wrapFor, random } }, ['signed', 'encrypted', 'compressed', 'firmware'], 'nested'],
]

test.each(forms)('a %s package gives its firmware back', async (_form, changes, layers, form) => {
  const { signing, anchors } = await house()
  const { bytes, firmwareOffset } = await packed(signing, changes)
  const decrypt = changes.encrypt?.wrapFor === undefined ? { firmwareKeys: [secret] } : { wrappingKeys: [wrapFor] }
  const opened = good(openPackage(bytes, worldOf(anchors, {}, { decrypt })))
  expect(sameBytes(opened.firmware, firmware(1000))).toBe(true)
  expect([opened.layers, opened.form, opened.firmwareOffset]).toEqual([layers, form, firmwareOffset])
})

test('every attribute comes back as it went in', async () => {
  const { signing, anchors } = await house()
  const { bytes } = await packed(signing, {
    stale: 12n,
    hardware: [hardware, '2.999.4'],
    communities: [{ community: '1.2.3.4' }, { hardware, serials: [{ is: 'single', serial: utf8('A1') }, { is: 'block', low: utf8('B0'), high: utf8('B9') }] }, { hardware: '2.999.4', serials: [{ is: 'all' }] }],
    info: { type: 3n, dependencies: [{ id: '1.2.3.9', version: 4n }, { legacy: utf8('boot') }] },
    description: 'Pump controller, "größer"',
    implCryptoAlgs: ['2.16.840.1.101.3.4.2.1'],
    implCompressAlgs: ['1.2.840.113549.1.9.16.3.8'],
  })
  const installed = [{ name: { id: '1.2.3.9', version: 4n } }, { name: { legacy: utf8('boot') } }]
  const { attributes } = good(openPackage(bytes, worldOf(anchors, { serial: utf8('B5'), installed })))
  expect(attributes).toMatchObject({
    firmwarePackageID: { name: { id: product, version: 17n }, stale: 12n },
    targetHardwareIDs: [hardware, '2.999.4'],
    communityIdentifiers: [{ community: '1.2.3.4' }, { hardware }, { hardware: '2.999.4', serials: [{ is: 'all' }] }],
    firmwarePackageInfo: { type: 3n, dependencies: [{ id: '1.2.3.9', version: 4n }, {}] },
    contentHints: { description: 'Pump controller, "größer"' },
    implCryptoAlgs: ['2.16.840.1.101.3.4.2.1'],
    implCompressAlgs: ['1.2.840.113549.1.9.16.3.8'],
    signingTime: nowMs,
  })
})

test.each<[string, Partial<PackageOrder>, RegExp]>([
  ['declares itself stale', { stale: 17n }, /version 17.*itself included/],
  ['lists units of hardware it is not for', { communities: [{ hardware: '1.2.3', serials: [{ is: 'all' }] }] }, /1\.2\.3.*not for that hardware/],
  ['limits itself to a range that holds no unit', { communities: [{ hardware, serials: [{ is: 'block', low: utf8('B9'), high: utf8('A1') }] }] }, /between "B9" and "A1"/],
])('a package that no unit could ever take is not made: one that %s', async (_what, changes, says) => {
  const { bare } = await house()
  const made = await makePackage({ ...orderWith(), ...changes }, bare)
  expect(made).toMatchObject({ kind: 'bad-order', says: expect.stringMatching(says) as string })
})

test('a legacy name and a legacy stale version are carried too', async () => {
  const { bare, keyAnchors } = await house()
  const { bytes } = await packed(bare, { name: { legacy: utf8('pump-1.4') }, stale: utf8('pump-1.2') })
  const { attributes } = good(openPackage(bytes, worldOf(keyAnchors)))
  expect(attributes.firmwarePackageID).toEqual({ name: { legacy: utf8('pump-1.4') }, stale: utf8('pump-1.2') })
})

test('the offsets of the bare and of the nested form are those of the standard\'s arithmetic', async () => {
  const { bare } = await house()
  const offsets = await Promise.all([[1000, false], [1000, true], [70_000, false], [70_000, true]].map(async ([bytes, nested]) =>
    (await packed(bare, { firmware: firmware(bytes as number), nested: nested as boolean })).firmwareOffset))
  expect(offsets).toEqual([66, 70, 72, 77])
})

test.each<[string, Partial<PackageOrder>, RegExp]>([
  ['nothing', { firmware: new Uint8Array(0) }, /empty/],
  ['no hardware', { hardware: [] }, /which hardware/],
  ['a hardware type that is no identifier', { hardware: ['1.2.03'] }, /object identifier/],
  ['an identifier of one arc', { name: { id: '1', version: 1n } }, /object identifier/],
  ['a key of the wrong length', { encrypt: { secret: { id: utf8('k'), key: new Uint8Array(20) }, random } }, /16 or 32/],
  ['a free stale version for a numbered name', { stale: utf8('x') }, /stale/],
])('%s is refused before anything is signed', async (_what, changes, says) => {
  const { bare } = await house()
  const made = await makePackage(orderWith(changes), bare)
  expect(failed(made) && made.kind).toBe('bad-order')
  expect(failed(made) && made.says).toMatch(says)
})

test('packages are told from images by their first bytes', async () => {
  const { bare } = await house()
  expect(looksLikePackage((await packed(bare)).bytes)).toBe(true)
  expect(looksLikePackage((await packed(bare, { firmware: firmware(70_000) })).bytes)).toBe(true)
  expect(looksLikePackage(firmware(100))).toBe(false)
  expect(looksLikePackage(fromHex('3003020100') ?? new Uint8Array(0))).toBe(false)
  expect(looksLikePackage(new Uint8Array(0))).toBe(false)
})
