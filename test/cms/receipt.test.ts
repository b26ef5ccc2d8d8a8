// Receipts and error reports: written, read back, verified by openssl, and every outcome of a run has its code.
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { utf8 } from '../../main/base/bytes.ts'
import { enumerated, integer, join, octets, oid, sequence } from '../../main/cms/der.ts'
import { loadErrorNames, loadErrors } from '../../main/cms/errors.ts'
import { contentTypes } from '../../main/cms/oids.ts'
import { errorFor, openReport, signReport, vendorCodes, writeReport } from '../../main/cms/receipt.ts'
import type { LoadReport } from '../../main/cms/receipt.ts'
import { buildSigned } from '../../main/cms/signed.ts'
import { failureKinds } from '../../main/line/failures.ts'
import { algorithms, good, hardware, house, nowMs, packed, product } from './making.ts'
import { openssl, opensslVersion, pem } from './openssl.ts'

const tool = openssl()
const [major, minor] = opensslVersion()
const module = { hardware, serial: utf8('PB-0007') }

const reports: readonly [string, LoadReport][] = [
  ['a receipt', { is: 'receipt', module, name: { id: product, version: 17n }, trustAnchorKeyId: utf8('anchor'), decryptKeyId: utf8('fw-key') }],
  ['a short receipt', { is: 'receipt', module, name: { legacy: utf8('pump 1.4') }, trustAnchorKeyId: null, decryptKeyId: null }],
  ['a receipt that names only the decryption key', { is: 'receipt', module, name: { id: product, version: 0n }, trustAnchorKeyId: null, decryptKeyId: utf8('k') }],
  ['an error report', { is: 'error', module, error: 'badFirmware', vendorCode: vendorCodes.reverted, name: { id: product, version: 17n }, config: [{ type: 1n, name: { id: product, version: 16n } }, { type: null, name: { legacy: utf8('boot') } }] }],
  ['a short error report', { is: 'error', module, error: 'stalePackage', vendorCode: null, name: null, config: null }],
]

describe.each(algorithms)('signed with %s', (algorithm) => {
  test.each(reports)('%s comes back as it went out, and openssl verifies it', async (_what, report) => {
    const { signing, anchors, authority } = await house(algorithm)
    const bytes = good(await signReport(report, signing, nowMs))
    const opened = good(openReport(bytes, { anchors, atMs: nowMs }))
    expect(opened).toMatchObject({ report, onBehalf: true, attributes: { signingTime: nowMs } })
    tool.put('receipt.der', bytes)
    tool.put('receipt-ca.pem', pem('CERTIFICATE', authority.certificate.der))
    const { words } = tool.tried('cms', '-verify', '-binary', '-inform', 'DER', '-in', 'receipt.der', '-CAfile', 'receipt-ca.pem', '-attime', String(nowMs / 1000), '-out', 'receipt.bin')
    if (algorithm === 'ed25519' && (major < 3 || (major === 3 && minor < 2))) expect(words).toMatch(/invalid digest|CMS_SignerInfo_verify/)
    else expect([words.includes('successful'), Buffer.from(tool.get('receipt.bin')).toString('hex')]).toEqual([true, Buffer.from(good(writeReport(report))).toString('hex')])
  })
})

describe('a report is refused', () => {
  test('when it was changed', async () => {
    const { bare, keyAnchors } = await house()
    const [, report] = reports[0] ?? []
    if (report === undefined) throw new Error('there is a report')
    const bytes = good(await signReport(report, bare, nowMs))
    const at = Buffer.from(bytes).indexOf('PB-0007')
    bytes[at + 6] = 0x38
    expect(openReport(bytes, { anchors: keyAnchors, atMs: nowMs })).toMatchObject({ kind: 'signature-failure' })
  })

  test('when nobody trusted signed it', async () => {
    const { bare } = await house()
    const [, report] = reports[0] ?? []
    expect(report !== undefined && openReport(good(await signReport(report, bare, nowMs)), { anchors: [], atMs: nowMs })).toMatchObject({ kind: 'no-trust-anchor' })
  })

  test('when it is a package', async () => {
    const { bare, keyAnchors } = await house()
    expect(openReport((await packed(bare)).bytes, { anchors: keyAnchors, atMs: nowMs })).toMatchObject({ kind: 'bad-encap-content' })
  })

  const front = [oid(hardware), octets(utf8('1'))]
  test.each([
    ['version 2', sequence(integer(2), ...front, enumerated(15))],
    ['an unknown code', sequence(...front, enumerated(50))],
    ['otherError without a vendor code', sequence(...front, enumerated(99))],
    ['an error code that is an INTEGER', sequence(...front, integer(15))],
    ['something behind its end', sequence(...front, enumerated(15), sequence(oid(product), integer(1)), octets(utf8('x')))],
  ])('when its content is %s', async (_what, content) => {
    const { bare, keyAnchors } = await house()
    const { bytes } = good(await buildSigned(contentTypes.loadError, join(content), {}, bare))
    expect(openReport(bytes, { anchors: keyAnchors, atMs: nowMs })).toMatchObject({ kind: 'bad-encap-content' })
  })

  test('before it is written: a hardware type that is none, a unit without number, otherError without a vendor code', () => {
    const short = { is: 'error', module, error: 'otherError', vendorCode: null, name: null, config: null } as const
    for (const wrong of [short, { ...short, vendorCode: 1n, module: { hardware: 'x', serial: utf8('1') } }, { ...short, vendorCode: 1n, module: { hardware, serial: new Uint8Array(0) } }]) {
      expect(writeReport(wrong)).toMatchObject({ kind: 'bad-order' })
    }
  })
})

describe('how a run ended', () => {
  test.each<[string, string | null, number | null, bigint | null]>([
    ['confirmed', null, null, null],
    ['unchanged', null, null, null],
    ['reverted', 'proof-failed', 34, vendorCodes.proofFailed],
    ['reverted', null, 34, vendorCodes.reverted],
    ['reverted', 'self-test-failed', 34, vendorCodes.selfTestFailed],
    ['reverted', 'unplugged', 34, vendorCodes.reverted],
    ['failed', 'constructor', 99, vendorCodes.unknown],
    ['failed', 'not-newer', 28, null],
    ['failed', 'downgrade', 28, null],
    ['failed', 'wrong-hardware', 27, null],
    ['failed', 'image-too-large', 33, null],
    ['failed', 'signature-invalid', 15, null],
    ['failed', 'not-in-community', 29, null],
    ['failed', 'unplugged', 99, vendorCodes.unplugged],
    ['failed', 'something new', 99, vendorCodes.unknown],
    ['stopped', null, 99, vendorCodes.stopped],
  ])('%s, %s: code %s', (outcome, kind, code, vendorCode) => {
    const error = errorFor(outcome, kind)
    expect([error === null ? null : loadErrors[error.error].code, error?.vendorCode ?? null]).toEqual([code, vendorCode])
  })

  test('every kind that a run can end with says more than that something went wrong', () => {
    const vague = failureKinds.filter((kind) => errorFor('failed', kind)?.vendorCode === vendorCodes.unknown)
    expect(vague).toEqual([])
  })

  test('every refusal of a package is reported under its own code, and otherError always says more', () => {
    for (const name of loadErrorNames) {
      const error = errorFor('failed', loadErrors[name].kind)
      expect(error?.error).toBe(name)
      if (name === 'otherError') expect(error?.vendorCode).not.toBeNull()
      expect(failed(writeReport({ is: 'error', module, error: name, vendorCode: error?.vendorCode ?? null, name: null, config: null }))).toBe(false)
    }
  })
})
