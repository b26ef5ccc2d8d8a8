// Deterministic ECDSA: the signatures RFC 6979 lists, those of another implementation for any key and digest, and none that
// OpenSSL's kin refuses.
import { createHash, createPublicKey, verify } from 'node:crypto'
import { p256, p384 } from '@noble/curves/nist.js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../main/base/bytes.ts'
import { derTag, writeDer, writeInteger } from '../../main/image/der.ts'
import { signDigest } from '../../main/keys/ecdsa.ts'
import type { EcdsaCurve } from '../../main/keys/ecdsa.ts'

const bytes = (hex: string) => fromHex(hex.toLowerCase()) ?? new Uint8Array(0)

// RFC 6979 A.2.5 and A.2.6, where s is low already or its other half is meant: every verifier takes either.
const p256Key = 'C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721'
const p384Key = '6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5'
test.each([
  ['ecdsa-p256', p256Key, 'sha256', 'sample', 'EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716', 'F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8'],
  ['ecdsa-p256', p256Key, 'sha256', 'test', 'F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367', '019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083'],
  ['ecdsa-p384', p384Key, 'sha384', 'sample', '94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46', '99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8'],
] as const)('%s signs as RFC 6979 says: %s %s %s', (curve, key, hash, text, r, s) => {
  const order = BigInt(`0x${toHex(curve === 'ecdsa-p256' ? bytes('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551') : bytes('ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973'))}`)
  const high = BigInt(`0x${s}`)
  const low = 2n * high > order ? order - high : high
  const lowBytes = bytes(low.toString(16).padStart(s.length, '0'))
  const expected = writeDer(derTag.sequence, writeInteger(bytes(r)), writeInteger(lowBytes.subarray(lowBytes.findIndex((byte) => byte !== 0))))
  expect(toHex(signDigest(curve, bytes(key), createHash(hash).update(utf8(text)).digest()))).toBe(toHex(expected))
})

test.each([['ecdsa-p256', p256, 32], ['ecdsa-p384', p384, 48]] as const)('%s: any key and any digest are signed as another implementation signs them', (curve, noble, length) => {
  const key = fc.uint8Array({ minLength: length, maxLength: length }).filter((secret) => noble.utils.isValidSecretKey(secret))
  const digest = fc.constantFrom(20, 32, 48, 64).chain((size) => fc.uint8Array({ minLength: size, maxLength: size }))
  fc.assert(fc.property(key, digest, (secret, hash) => {
    expect(toHex(signDigest(curve, secret, hash))).toBe(toHex(noble.sign(hash, secret, { prehash: false, lowS: true, format: 'der' })))
  }), { numRuns: 60 })
})

test.each<[EcdsaCurve, typeof p256 | typeof p384, string, string]>([['ecdsa-p256', p256, 'P-256', 'sha256'], ['ecdsa-p384', p384, 'P-384', 'sha384']])('%s: the edges of the private number are signed with, and the runtime verifies it', (curve, noble, crv, hash) => {
  const order = noble.Point.CURVE().n
  const message = utf8('a message')
  const length = curve === 'ecdsa-p256' ? 32 : 48
  for (const secret of [1n, 2n, order - 1n]) {
    const number = bytes(secret.toString(16).padStart(2 * length, '0'))
    const point = noble.getPublicKey(number, false)
    const key = createPublicKey({ key: { kty: 'EC', crv, x: Buffer.from(point.subarray(1, 1 + length)).toString('base64url'), y: Buffer.from(point.subarray(1 + length)).toString('base64url') }, format: 'jwk' })
    expect(verify(hash, message, key, signDigest(curve, number, createHash(hash).update(message).digest()))).toBe(true)
  }
  for (const secret of [0n, order]) expect(() => signDigest(curve, bytes(secret.toString(16).padStart(2 * length, '0')), new Uint8Array(32))).toThrow('below the order')
})
