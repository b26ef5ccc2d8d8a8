// Each way in which a package is refused, by the RFC's own code. The table is the proof that every code which can apply
// is produced: the last test counts them.
import { generateKeyPairSync } from 'node:crypto'
import { aeskw, cbc } from '@noble/ciphers/aes.js'
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { concat, utf8 } from '../../main/base/bytes.ts'
import { algorithm, context, integer, join, nil, octets, oid, sequence, tags, tlv } from '../../main/cms/der.ts'
import type { Der } from '../../main/cms/der.ts'
import { loadErrorNames, loadErrorOf, loadErrors } from '../../main/cms/errors.ts'
import type { LoadErrorName } from '../../main/cms/errors.ts'
import type { LoaderFacts } from '../../main/cms/loader.ts'
import { aesCbc, aesWrap, attributeTypes, contentTypes, digests, mgf1, signatures, zlib } from '../../main/cms/oids.ts'
import { openPackage } from '../../main/cms/package.ts'
import type { OpenWorld, PackageOrder } from '../../main/cms/package.ts'
import { signReport } from '../../main/cms/receipt.ts'
import type { TrustAnchor } from '../../main/cms/trust.ts'
import { attribute, forge } from './forged.ts'
import type { Forgery } from './forged.ts'
import { deflate, firmware, good, hardware, house, nowMs, packed, party, product, worldOf } from './making.ts'
import type { House } from './making.ts'

const produced = new Set<LoadErrorName>()

function expectCode(bytes: Uint8Array, world: OpenWorld, code: LoadErrorName, says?: RegExp): void {
  const opened = openPackage(bytes, world)
  if (!failed(opened)) throw new Error(`opened, instead of ${code}`)
  expect([loadErrorOf(opened), opened.facts['rfc4108'], opened.says]).toEqual([code, loadErrors[code].code, opened.says])
  expect(opened.says).toMatch(says ?? /^[A-Z].*[.]$/)
  produced.add(code)
}

const anchorOf = (home: House): TrustAnchor => {
  const [anchor] = home.keyAnchors
  if (anchor === undefined) throw new Error('the house has an anchor')
  return anchor
}

const random = (bytes: number) => firmware(bytes + 4, 'random').subarray(4)
const key = random(32)
const iv = random(16)
const encryptedInfo = (type: string, cipher: Der = algorithm(aesCbc[256], octets(iv)), bytes: Uint8Array | null = cbc(key, iv).encrypt(firmware(300))) =>
  sequence(oid(type), cipher, ...(bytes === null ? [] : [tlv(context(0, false), bytes)]))
/** Forged content of another type than plain firmware. */
const inside = (contentType: string, value: Der): Forgery => ({ contentType, contentBytes: join(value), attributes: { [attributeTypes.decryptKeyID]: octets(utf8('k')) } })
const encrypted = (...parts: readonly Der[]) => inside(contentTypes.encryptedData, sequence(...parts))
const compressed = (name: Der, ...parts: readonly Der[]) => inside(contentTypes.compressedData, sequence(integer(0), name, sequence(...parts)))
const ess = contentTypes.firmwarePackage
const hashed = (...inner: readonly Der[]) => sequence(...inner)
const pss = (hash: Der, mgfHash: Der, salt: number) => algorithm(signatures.rsaPss, hashed(tlv(context(0), hash), tlv(context(1), algorithm(mgf1, mgfHash)), tlv(context(2), integer(salt))))

const forged: readonly [LoadErrorName, string, Forgery][] = [
  ['badContentInfo', 'another CMS type outside', { outerType: contentTypes.envelopedData }],
  ['badSignedData', 'version 1', { version: 1 }],
  ['badSignedData', 'two hash algorithms', { digestAlgorithms: [algorithm(digests.sha256), algorithm(digests.sha512)] }],
  ['badSignedData', 'no hash algorithm', { digestAlgorithms: [] }],
  ['badEncapContent', 'plain data inside', { contentType: contentTypes.data }],
  ['badEncapContent', 'content that is no octet string', { content: integer(5) }],
  ['badCertificate', 'a certificate that is none', { certificates: [sequence(integer(1))] }],
  ['badCertificate', 'an attribute certificate', { certificates: [tlv(context(1), integer(1))] }],
  ['badSignerInfo', 'no signer', { signerInfos: 'none' }],
  ['badSignerInfo', 'two signers', { signerInfos: 'two' }],
  ['badSignerInfo', 'a signer info of version 5', { signerVersion: 5 }],
  ['badSignedAttrs', 'no message digest', { attributes: { [attributeTypes.messageDigest]: undefined } }],
  ['badSignedAttrs', 'no content type', { attributes: { [attributeTypes.contentType]: undefined } }],
  ['badSignedAttrs', 'no package identifier', { attributes: { [attributeTypes.firmwarePackageID]: undefined } }],
  ['badSignedAttrs', 'no target hardware', { attributes: { [attributeTypes.targetHardwareIDs]: undefined } }],
  ['badSignedAttrs', 'a malformed package identifier', { attributes: { [attributeTypes.firmwarePackageID]: integer(1) } }],
  ['badSignedAttrs', 'a negative package version', { attributes: { [attributeTypes.firmwarePackageID]: sequence(sequence(oid(product), tlv(tags.integer, Uint8Array.of(0xff)))) } }],
  ['badSignedAttrs', 'empty package information', { attributes: { [attributeTypes.firmwarePackageInfo]: sequence() } }],
  ['badSignedAttrs', 'attributes that are not sorted', { extraAttributes: [attribute(attributeTypes.contentType, oid(ess))] }],
  ['badUnsignedAttrs', 'an unsigned attribute of another kind', { unsigned: [attribute(attributeTypes.signingTime, octets(iv))] }],
  ['missingContent', 'no content', { content: null }],
  ['missingContent', 'an empty content', { contentBytes: new Uint8Array(0) }],
  ['noTrustAnchor', 'a signer nobody knows', { keyId: random(20) }],
  ['badDigestAlgorithm', 'SHA-1', { digestAlgorithms: [algorithm('1.3.14.3.2.26')] }],
  ['badDigestAlgorithm', 'SHA-256 with parameters of its own', { digestAlgorithms: [algorithm(digests.sha256, integer(1))] }],
  ['badDigestAlgorithm', 'another hash for the signer than for all', { signerDigest: algorithm(digests.sha384) }],
  ['badSignatureAlgorithm', 'DSA', { signatureAlgorithm: algorithm('2.16.840.1.101.3.4.3.2') }],
  ['signatureFailure', 'a signature of another kind of key', { signatureAlgorithm: algorithm(signatures.rsaSha256, nil) }],
  ['signatureFailure', 'a signature that is none', { signature: random(70) }],
  ['unsupportedParameters', 'PSS with SHA-1', { signatureAlgorithm: algorithm(signatures.rsaPss, sequence()) }],
  ['unsupportedParameters', 'PSS with two hashes', { signatureAlgorithm: pss(algorithm(digests.sha256), algorithm(digests.sha384), 32) }],
  ['unsupportedParameters', 'ECDSA with parameters', { signatureAlgorithm: algorithm(signatures.ecdsaSha256, octets(iv)) }],
  ['contentTypeMismatch', 'signed as something else', { attributes: { [attributeTypes.contentType]: oid(contentTypes.data) } }],
  ['badEncryptedData', 'EncryptedData of version 3', encrypted(integer(3), encryptedInfo(ess))],
  ['badEncryptedData', 'EncryptedData that is none', inside(contentTypes.encryptedData, integer(1))],
  ['unprotectedAttrsPresent', 'unprotected attributes', encrypted(integer(2), encryptedInfo(ess), tlv(context(1), attribute(attributeTypes.signingTime, octets(iv))))],
  ['badEncryptContent', 'encrypted plain data', encrypted(integer(0), encryptedInfo(contentTypes.data))],
  ['badEncryptAlgorithm', 'AES-GCM', encrypted(integer(0), encryptedInfo(ess, algorithm('2.16.840.1.101.3.4.1.46', octets(iv))))],
  ['badEncryptAlgorithm', 'an IV that is too short', encrypted(integer(0), encryptedInfo(ess, algorithm(aesCbc[256], octets(iv.subarray(8)))))],
  ['missingCiphertext', 'no ciphertext', encrypted(integer(0), encryptedInfo(ess, undefined, null))],
  ['decryptFailure', 'ciphertext of another key', encrypted(integer(0), encryptedInfo(ess, undefined, random(304)))],
  ['decryptFailure', 'a key of another length', encrypted(integer(0), encryptedInfo(ess, algorithm(aesCbc[128], octets(iv))))],
  ['badCompressAlgorithm', 'an unknown compression', compressed(algorithm('1.2.3.4'), oid(ess), tlv(context(0), octets(deflate(firmware(9)))))],
  ['missingCompressedContent', 'compressed nothing', compressed(algorithm(zlib), oid(ess))],
  ['decompressFailure', 'damaged compression', compressed(algorithm(zlib), oid(ess), tlv(context(0), octets(random(50))))],
  ['badEncapContent', 'compressed plain data', compressed(algorithm(zlib), oid(contentTypes.data), tlv(context(0), octets(deflate(firmware(9)))))],
  ['badFirmware', 'a firmware digest of another firmware', { attributes: { [attributeTypes.fwPkgMessageDigest]: sequence(algorithm(digests.sha256), octets(random(32))) } }],
]

describe('a package that was made wrong', () => {
  test.each(forged)('%s: %s', async (code, _what, changes) => {
    const home = await house()
    const anchor = anchorOf(home)
    const bytes = await forge(home.signer.signer, anchor.keyId, changes)
    expectCode(bytes, worldOf([anchor], {}, { decrypt: { firmwareKeys: [{ id: utf8('k'), key }] } }), code)
  })

  test('the same package made right opens, and an unknown signed attribute is tolerated', async () => {
    const home = await house()
    const anchor = anchorOf(home)
    expect(failed(openPackage(await forge(home.signer.signer, anchor.keyId), worldOf([anchor])))).toBe(false)
    const opened = openPackage(await forge(home.signer.signer, anchor.keyId, { attributes: { '1.2.3.4.5': octets(utf8('who knows')) } }), worldOf([anchor]))
    expect(good(opened).unknownAttributes).toEqual(['1.2.3.4.5'])
  })

  test('an attribute that stands twice, or has two values, or none', async () => {
    const home = await house()
    const anchor = anchorOf(home)
    const types = [attributeTypes.contentType, attributeTypes.messageDigest, attributeTypes.firmwarePackageID, attributeTypes.targetHardwareIDs]
    const gone = Object.fromEntries(types.map((type) => [type, undefined]))
    const all = (double: readonly Der[]) => [attribute(types[0] ?? '', oid(ess)), ...double]
    const twice = all([attribute(types[3] ?? '', sequence(oid(hardware))), attribute(types[3] ?? '', sequence(oid(hardware)))])
    expectCode(await forge(home.signer.signer, anchor.keyId, { attributes: gone, extraAttributes: twice }), worldOf([anchor]), 'badSignedAttrs', /stands there twice/)
    const two = all([attribute(types[3] ?? '', sequence(oid(hardware)), sequence(oid('1.2.3')))])
    expectCode(await forge(home.signer.signer, anchor.keyId, { attributes: gone, extraAttributes: two }), worldOf([anchor]), 'badSignedAttrs', /2 values/)
    const none = [attribute(types[3] ?? ''), ...all([])]
    expectCode(await forge(home.signer.signer, anchor.keyId, { attributes: gone, extraAttributes: none }), worldOf([anchor]), 'badSignedAttrs', /0 values/)
  })

  test.each([
    ['nothing', new Uint8Array(0)],
    ['text', utf8('This is no package.')],
    ['a package with a byte behind it', null],
    ['nesting without end', concat(...Array.from({ length: 3000 }, () => Uint8Array.of(0x30, 0x80)))],
  ])('decodeFailure: %s', async (_what, bytes) => {
    const home = await house()
    const whole = bytes ?? concat((await packed(home.bare)).bytes, Uint8Array.of(0))
    expectCode(whole, worldOf(home.keyAnchors), 'decodeFailure')
  })

  test('a receipt is no package', async () => {
    const home = await house()
    const receipt = good(await signReport({ is: 'receipt', module: { hardware, serial: utf8('1') }, name: { id: product, version: 1n }, trustAnchorKeyId: null, decryptKeyId: null }, home.bare, nowMs))
    expectCode(receipt, worldOf(home.keyAnchors), 'badEncapContent', /loadReceipt/)
  })
})

describe('a signer', () => {
  test('notAuthorized: a trust anchor limited to other packages or other hardware', async () => {
    const home = await house()
    const { bytes } = await packed(home.bare)
    const anchor = anchorOf(home)
    expectCode(bytes, worldOf([{ ...anchor, packages: ['1.3.6.1.4.1.99999.2'] }]), 'notAuthorized', /packages of this name/)
    expectCode(bytes, worldOf([{ ...anchor, hardware: ['1.2.3'] }]), 'notAuthorized', /hardware/)
    expect(failed(openPackage(bytes, worldOf([{ ...anchor, packages: ['1.3.6.1.4.1.99999.1'], hardware: [hardware] }])))).toBe(false)
  })

  test('unsupportedKeySize: an RSA key of 1024 bits and a key on P-521', async () => {
    const home = await house()
    const anchor = anchorOf(home)
    const { bytes } = await packed(home.bare)
    for (const pair of [generateKeyPairSync('rsa', { modulusLength: 1024 }), generateKeyPairSync('ec', { namedCurve: 'P-521' })]) {
      const spki = new Uint8Array(pair.publicKey.export({ format: 'der', type: 'spki' }))
      expectCode(bytes, worldOf([{ ...anchor, spki }]), 'unsupportedKeySize')
    }
  })

  test('signatureFailure: firmware changed after the signature', async () => {
    const home = await house()
    const { bytes, firmwareOffset } = await packed(home.bare)
    const changed = bytes.slice()
    changed[(firmwareOffset ?? 0) + 500]! ^= 1
    expectCode(changed, worldOf(home.keyAnchors), 'signatureFailure', /content does not match/)
  })

  test('badSignedAttrs: another certificate of the same key than the one that was signed under', async () => {
    const home = await house()
    const again = await party('ecdsa-p256', 0, { issuer: home.authority })
    const { bytes } = await packed({ ...home.signing, embed: [] })
    const world = worldOf(home.anchors)
    expectCode(bytes, { ...world, trust: { ...world.trust, certificates: [again.certificate] } }, 'badSignedAttrs', /another certificate/)
  })
})

const loaders: readonly [LoadErrorName, string, Partial<PackageOrder>, Partial<LoaderFacts>][] = [
  ['wrongHardware', 'a board of another type', {}, { hardwareType: '1.2.3' }],
  ['stalePackage', 'a version declared stale', {}, { installed: [{ name: { id: product, version: 20n }, staleVersion: 17n }] }],
  ['stalePackage', 'a legacy name that the caller knows to be older', { name: { legacy: utf8('a-1') } }, { installed: [{ name: { legacy: utf8('a-2') } }], isLegacyStale: () => true }],
  ['notInCommunity', 'a unit of no community', { communities: [{ community: '1.2.3' }] }, {}],
  ['notInCommunity', 'a serial number below the block', { communities: [{ hardware, serials: [{ is: 'block', low: utf8('PB-0005'), high: utf8('PB-0009') }] }] }, { serial: utf8('PB-0004') }],
  ['notInCommunity', 'a longer serial number that would sort into the block', { communities: [{ hardware, serials: [{ is: 'block', low: utf8('5'), high: utf8('9') }] }] }, { serial: utf8('51') }],
  ['notInCommunity', 'a unit whose serial number is not known', { communities: [{ hardware, serials: [{ is: 'single', serial: utf8('1') }] }] }, { serial: null }],
  ['unsupportedPackageType', 'a package type not taken', { info: { type: 9n, dependencies: null } }, { packageTypes: [1n, 2n] }],
  ['missingDependency', 'a package that is not there', { info: { type: null, dependencies: [{ id: '1.2.3', version: 2n }] } }, {}],
  ['wrongDependencyVersion', 'a package that is too old', { info: { type: null, dependencies: [{ id: '1.2.3', version: 2n }] } }, { installed: [{ name: { id: '1.2.3', version: 1n } }] }],
  ['breaksDependency', 'a package that another one needs newer', {}, { installed: [{ name: { id: '1.2.3', version: 1n }, dependencies: [{ id: product, version: 18n }] }] }],
  ['insufficientMemory', 'firmware larger than the room', {}, { memoryBytes: 999 }],
]

describe('a board', () => {
  test.each(loaders)('%s: %s', async (code, _what, order, facts) => {
    const home = await house()
    expectCode((await packed(home.bare, order)).bytes, worldOf(home.keyAnchors, facts), code)
  })

  test.each<[string, Partial<PackageOrder>, Partial<LoaderFacts>]>([
    ['the version after the stale one', {}, { installed: [{ name: { id: product, version: 20n }, staleVersion: 16n }] }],
    ['a stale version of another line', {}, { installed: [{ name: { id: '1.2.3', version: 20n }, staleVersion: 99n }] }],
    ['a serial number at the edge of its block', { communities: [{ hardware, serials: [{ is: 'block', low: utf8('PB-0005'), high: utf8('PB-0009') }] }] }, { serial: utf8('PB-0009') }],
    ['a member of one community of two', { communities: [{ community: '1.2.3' }, { community: '1.2.4' }] }, { communities: ['1.2.4'] }],
    ['all units of the type', { communities: [{ hardware, serials: [{ is: 'all' }] }] }, {}],
    ['firmware that just fits', {}, { memoryBytes: 1000 }],
  ])('takes %s', async (_what, order, facts) => {
    const home = await house()
    expect(failed(openPackage((await packed(home.bare, order)).bytes, worldOf(home.keyAnchors, facts)))).toBe(false)
  })
})

describe('an encrypted package', () => {
  const secret = { id: utf8('k'), key }
  const wrapFor = { id: utf8('kek'), key: random(16) }

  test('noDecryptKey: neither the key nor what unwraps it', async () => {
    const home = await house()
    const plain = await packed(home.bare, { encrypt: { secret, random } })
    const wrapped = await packed(home.bare, { encrypt: { secret, wrapFor, random } })
    for (const { bytes } of [plain, wrapped]) expectCode(bytes, worldOf(home.keyAnchors), 'noDecryptKey')
  })

  test('decryptFailure: a wrapped key that another key wrapped', async () => {
    const home = await house()
    const { bytes } = await packed(home.bare, { encrypt: { secret, wrapFor, random } })
    expectCode(bytes, worldOf(home.keyAnchors, {}, { decrypt: { wrappingKeys: [{ ...wrapFor, key: random(20).subarray(4) }] } }), 'decryptFailure', /unwrap/)
  })

  test('badEncryptAlgorithm: a wrap of another strength than the key at hand; badUnsignedAttrs: a wrap with content', async () => {
    const home = await house()
    const anchor = anchorOf(home)
    const recipient = (name: string) => tlv(context(2), integer(4), sequence(octets(wrapFor.id)), algorithm(name), octets(aeskw(wrapFor.key).encrypt(key)))
    const wrap = (name: string, bytes: Uint8Array | null) => sequence(integer(2), tlv(tags.set, recipient(name)), encryptedInfo(ess, undefined, bytes))
    const made = (value: Der) => forge(home.signer.signer, anchor.keyId, { ...encrypted(integer(0), encryptedInfo(ess)), unsigned: [attribute(attributeTypes.wrappedFirmwareKey, value)] })
    const world = worldOf([anchor], {}, { decrypt: { wrappingKeys: [wrapFor] } })
    expect(failed(openPackage(await made(wrap(aesWrap[128], null)), world))).toBe(false)
    expectCode(await made(wrap(aesWrap[256], null)), world, 'badEncryptAlgorithm')
    expectCode(await made(wrap(aesWrap[128], random(16))), world, 'badUnsignedAttrs')
  })

  test('badSignedAttrs: encrypted, and the key has no name', async () => {
    const home = await house()
    const anchor = anchorOf(home)
    const bytes = await forge(home.signer.signer, anchor.keyId, { contentType: contentTypes.encryptedData, contentBytes: join(sequence(integer(0), encryptedInfo(ess))) })
    expectCode(bytes, worldOf([anchor]), 'badSignedAttrs', /decryptKeyID/)
  })

  test('decompressFailure: firmware that would fill the memory; badCompressAlgorithm: a loader without decompression', async () => {
    const home = await house()
    const bomb = await packed(home.bare, { firmware: new Uint8Array(1_000_000), compress: deflate })
    const world = worldOf(home.keyAnchors)
    const { inflate: _inflate, ...without } = world
    expectCode(bomb.bytes, { ...world, inflate: (bytes, most) => world.inflate?.(bytes, Math.min(most, 999_999)) ?? bytes }, 'decompressFailure')
    expectCode(bomb.bytes, without, 'badCompressAlgorithm')
  })
})

test('every code of the RFC that can apply was produced above', () => {
  // otherError is what a report says of a run that ended in no way the RFC knows; a package alone never comes to it.
  expect(loadErrorNames.filter((name) => !produced.has(name))).toEqual(['otherError'])
})
