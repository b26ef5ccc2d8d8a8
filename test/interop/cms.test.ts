// A second, independent reader: pyasn1-modules has RFC 4108's types, and the cryptography package verifies the signatures,
// Ed25519 too, which openssl 3.0 cannot. Installed once from the package index; where that cannot be, the test says so.
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { toHex, utf8 } from '../../main/base/bytes.ts'
import { failed } from '../../main/base/failure.ts'
import { packInPlace } from '../../main/cms/in-place.ts'
import { attributeTypes, contentTypes } from '../../main/cms/oids.ts'
import { signReport } from '../../main/cms/receipt.ts'
import type { LoadReport } from '../../main/cms/receipt.ts'
import { signImage } from '../../main/image/sign.ts'
import { algorithms, deflate, firmware, good, hardware, house, nowMs, orderWith, packed, product } from '../cms/making.ts'

const run = promisify(execFile)
const environment = resolve(import.meta.dirname, '../../node_modules/.cache/pyasn1-modules-0.4.2')
const python = join(environment, 'bin', 'python')
const ready = join(environment, 'ready')
const folder = mkdtempSync(join(tmpdir(), 'slotwright-pyasn1-'))
let missing: string | null = null
let count = 0

beforeAll(async () => {
  if (existsSync(ready)) return
  try {
    await run('python3', ['-m', 'venv', environment])
    await run(join(environment, 'bin/pip'), ['install', '--quiet', '--retries', '0', '--timeout', '10', 'pyasn1-modules==0.4.2', 'cryptography'], { timeout: 180_000 })
    writeFileSync(ready, '')
  } catch (error) {
    rmSync(environment, { recursive: true, force: true })
    missing = (error as Error).message.trim().split('\n').at(-1) ?? 'unknown'
  }
}, 200_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What pyasn1 read, after it verified the signature. */
function decoded(bytes: Uint8Array, spki: Uint8Array): Record<string, unknown> {
  const [file, key] = [join(folder, `${++count}.der`), join(folder, `${count}.key`)]
  writeFileSync(file, bytes)
  writeFileSync(key, spki)
  return JSON.parse(execFileSync(python, [resolve(import.meta.dirname, 'cms/decode.py'), file, key], { encoding: 'utf8' })) as Record<string, unknown>
}

describe.each(algorithms)('%s', (algorithm) => {
  test('a package reads field by field, and its signature verifies', async (context) => {
    if (missing !== null) return context.skip(`pyasn1-modules cannot be installed here: ${missing}`)
    const { signing } = await house(algorithm)
    const { bytes } = await packed(signing, {
      stale: 12n, hardware: [hardware, '2.999.4'], info: { type: 3n, dependencies: [{ id: '1.2.3.9', version: 2n ** 64n - 1n }, { legacy: utf8('boot') }] }, description: 'größer',
      communities: [{ community: '1.2.3.4' }, { hardware, serials: [{ is: 'all' }, { is: 'single', serial: utf8('A1') }, { is: 'block', low: utf8('B0'), high: utf8('B9') }] }],
    })
    expect(decoded(bytes, signing.signer.publicKey.spki)).toMatchObject({
      versions: [3, 3], digests: 1, signers: 1, sid: 'subjectKeyIdentifier', contentType: contentTypes.firmwarePackage, content: { bytes: 1000, sha256: createHash('sha256').update(firmware(1000)).digest('hex') },
      name: { id: product, version: '17' }, stale: '12', hardware: [hardware, '2.999.4'], type: 3, needs: [{ id: '1.2.3.9', version: String(2n ** 64n - 1n) }, { legacy: toHex(utf8('boot')) }],
      communities: ['1.2.3.4', [hardware, 'all', 'A1', 'B0..B9']],
      attributes: (['contentType', 'messageDigest', 'firmwarePackageID', 'targetHardwareIDs', 'communityIdentifiers', 'firmwarePackageInfo', 'fwPkgMessageDigest', 'signingTime', 'contentHints', 'signingCertificate'] as const).map((name) => attributeTypes[name]).sort(),
    })
  })

  test('a receipt and an error report read field by field, and their signatures verify', async (context) => {
    if (missing !== null) return context.skip(`pyasn1-modules cannot be installed here: ${missing}`)
    const { bare } = await house(algorithm)
    const module = { hardware, serial: utf8('PB-0007') }
    const receipt: LoadReport = { is: 'receipt', module, name: { id: product, version: 17n }, trustAnchorKeyId: Uint8Array.of(1, 2, 3), decryptKeyId: utf8('fw-key') }
    expect(decoded(good(await signReport(receipt, bare, nowMs)), bare.signer.publicKey.spki)).toMatchObject({
      contentType: contentTypes.loadReceipt, content: { version: 1, hwType: hardware, serial: 'PB-0007', name: { id: product, version: '17' }, anchor: '010203', decryptKey: 'fw-key' },
    })
    const error: LoadReport = { is: 'error', module, error: 'badFirmware', vendorCode: 1n, name: { legacy: utf8('pump') }, config: [{ type: 1n, name: { id: product, version: 16n } }] }
    expect(decoded(good(await signReport(error, bare, nowMs)), bare.signer.publicKey.spki)).toMatchObject({
      contentType: contentTypes.loadError, content: { version: 1, code: 34, error: 'badFirmware', vendor: 1, name: { legacy: toHex(utf8('pump')) }, config: [{ id: product, version: '16' }] },
    })
  })
})

test('the algorithms that firmware says it offers, its own digest, and the other reading of the inner octet string', async (context) => {
  if (missing !== null) return context.skip(`pyasn1-modules cannot be installed here: ${missing}`)
  const { bare } = await house()
  const { bytes } = await packed(bare, { implCryptoAlgs: ['1.2.840.10045.4.3.2', '1.3.101.112'], implCompressAlgs: ['1.2.840.113549.1.9.16.3.8'], nested: true })
  expect(decoded(bytes, bare.signer.publicKey.spki)).toMatchObject({
    cryptoAlgorithms: ['1.2.840.10045.4.3.2', '1.3.101.112'], compressionAlgorithms: ['1.2.840.113549.1.9.16.3.8'],
    firmwareDigest: createHash('sha256').update(firmware(1000)).digest('hex'), content: { bytes: 1004 },
  })
})

test('a package laid out in place reads like any other, and its image stands where layout said', async (context) => {
  if (missing !== null) return context.skip(`pyasn1-modules cannot be installed here: ${missing}`)
  const { bare, signer } = await house()
  const { firmware: _firmware, ...order } = orderWith()
  const { made, layout } = good(await packInPlace(order, { slotAddress: 0x75000, vectorAlign: 512, headerBytesMin: 32, roundsMax: 20 }, bare, async ({ headerBytes, vectorAddress }) => {
    const signed = await signImage(firmware(70_000), { version: { major: 1, minor: 0, revision: 0, build: 0 }, headerBytes, padHeader: true, slotBytes: 0, romFixed: vectorAddress - headerBytes }, signer.signer)
    return failed(signed) ? signed : signed.bytes
  }))
  const inside = made.bytes.subarray(layout.imageOffset, layout.imageOffset + layout.image.length)
  expect(decoded(made.bytes, bare.signer.publicKey.spki)).toMatchObject({ content: { bytes: layout.image.length, sha256: createHash('sha256').update(inside).digest('hex') } })
  expect((0x75000 + layout.imageOffset + layout.headerBytes) % 512).toBe(0)
})

test('an encrypted package names its key, and the wrapped one has a recipient and no content', async (context) => {
  if (missing !== null) return context.skip(`pyasn1-modules cannot be installed here: ${missing}`)
  const { bare } = await house()
  const random = (bytes: number) => firmware(bytes, 'r')
  const { bytes } = await packed(bare, { compress: deflate, encrypt: { secret: { id: utf8('fw-key'), key: random(32) }, wrapFor: { id: utf8('kek'), key: random(16) }, random } })
  expect(decoded(bytes, bare.signer.publicKey.spki)).toMatchObject({ contentType: contentTypes.encryptedData, decryptKey: 'fw-key', wrapped: { recipient: 'kekri', content: false } })
})
