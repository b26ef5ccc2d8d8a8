// Mutated packages and receipts: whatever the bytes, the answer is a Failure or, where only what nothing depends on was
// changed, the very firmware. Seeded, so that a find can be repeated. SLOTWRIGHT_FUZZ_INPUTS=1000000 runs the long one.
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { concat, sameBytes, utf8 } from '../../main/base/bytes.ts'
import { loadErrorOf } from '../../main/cms/errors.ts'
import { looksLikePackage, openPackage } from '../../main/cms/package.ts'
import { readCertificate, readRequest, readRevocationList } from '../../main/cms/pki.ts'
import { openReport, signReport } from '../../main/cms/receipt.ts'
import { deflate, firmware, good, hardware, house, nowMs, packed, product, worldOf } from './making.ts'
import type { House } from './making.ts'

const inputs = Number(process.env['SLOTWRIGHT_FUZZ_INPUTS'] ?? 6000)
const seed = Number(process.env['SLOTWRIGHT_FUZZ_SEED'] ?? 4108)

/** A small generator (mulberry32), so that a run is its seed. */
function dice(from: number): (below: number) => number {
  let state = from >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** One to four changes: bits, bytes, lengths, cuts, doubles, bytes of another input. */
function mutate(bytes: Uint8Array, other: Uint8Array, roll: (below: number) => number): Uint8Array {
  let made: Uint8Array = bytes.slice()
  for (let left = 1 + roll(4); left > 0 && made.length > 0; left--) {
    const at = roll(made.length)
    const span = 1 + roll(24)
    switch (roll(8)) {
      case 0: made[at]! ^= 1 << roll(8); break
      case 1: made[at] = roll(256); break
      case 2: made[at] = [0x00, 0x01, 0x7f, 0x80, 0x81, 0x84, 0xff, 0x30, 0x31, 0xa0, 0x04, 0x24][roll(12)] ?? 0; break
      case 3: made = made.slice(0, at); break
      case 4: made = concat(made.subarray(0, at), made.subarray(at + span)); break
      case 5: made = concat(made.subarray(0, at), made.subarray(at, at + span), made.subarray(at)); break
      case 6: made = concat(made.subarray(0, at), other.subarray(roll(other.length), roll(other.length)), made.subarray(at)); break
      default: made.set(other.subarray(roll(other.length)).subarray(0, Math.min(span, made.length - at)), at)
    }
  }
  return made
}

async function corpus({ signing, bare, authority, signer }: House) {
  const random = (bytes: number) => firmware(bytes, 'r')
  const secret = { id: utf8('k'), key: firmware(32, 'k') }
  const wrapFor = { id: utf8('kek'), key: firmware(16, 'w') }
  const small = { firmware: firmware(120) }
  const packages = await Promise.all([
    packed(signing, small), packed(bare, small), packed(bare, { ...small, nested: true }), packed(bare, { ...small, compress: deflate }),
    packed({ ...signing, embed: [signer.certificate, authority.certificate], sid: 'issuer-serial' }, { ...small, compress: deflate, encrypt: { secret, wrapFor, random } }),
    packed(bare, { ...small, stale: 3n, communities: [{ hardware, serials: [{ is: 'block', low: utf8('1'), high: utf8('9') }] }], info: { type: 1n, dependencies: [{ id: product, version: 2n }] }, description: 'x' }),
  ])
  const report = good(await signReport({ is: 'error', module: { hardware, serial: utf8('1') }, error: 'badFirmware', vendorCode: 1n, name: { id: product, version: 1n }, config: null }, bare, nowMs))
  return { packages: packages.map((one) => one.bytes), report, decrypt: { wrappingKeys: [wrapFor] } }
}

describe(`${inputs} mutated inputs, seed ${seed}`, () => {
  test('open gives a refusal with a code, or the firmware that was signed', async () => {
    const home = await house()
    const { packages, report, decrypt } = await corpus(home)
    const world = worldOf([...home.anchors, ...home.keyAnchors], { serial: utf8('5'), installed: [{ name: { id: product, version: 9n } }] }, { decrypt })
    const roll = dice(seed)
    const codes = new Set<string>()
    let opened = 0
    for (let i = 0; i < inputs; i++) {
      const [from, other] = [packages[roll(packages.length)], packages[roll(packages.length)]]
      if (from === undefined || other === undefined) continue
      const bytes = mutate(from, other, roll)
      looksLikePackage(bytes)
      const end = openPackage(bytes, world)
      if (failed(end)) {
        const code = loadErrorOf(end)
        if (code === null || end.says === '') throw new Error(`input ${i}: ${end.kind}: ${end.says}`)
        codes.add(code)
      } else {
        opened += 1
        if (!sameBytes(end.firmware, firmware(120))) throw new Error(`input ${i} opened to another firmware`)
      }
      if (i % 8 === 0) openReport(mutate(report, from, roll), { anchors: home.keyAnchors, atMs: nowMs })
    }
    expect(codes.size).toBeGreaterThan(10)
    // Only what no signature covers (a certificate not needed, a length in another form) may be changed and still open.
    expect(opened / inputs).toBeLessThan(0.2)
  }, 3_600_000)

  test('certificates, requests and lists read or are none, whatever the bytes', async () => {
    const { authority, signer } = await house()
    const roll = dice(seed + 1)
    for (let i = 0; i < inputs / 10; i++) {
      const bytes = mutate(signer.certificate.der, authority.certificate.der, roll)
      readCertificate(bytes)
      readRequest(bytes)
      readRevocationList(bytes)
    }
    expect(readCertificate(signer.certificate.der)?.name).toBe('Test signer')
  }, 3_600_000)
})
