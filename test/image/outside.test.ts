// Signatures made elsewhere come back in whatever form their signer writes; what is told wrongly here would be refused later as
// "made over other bytes", and somebody would look for a fault in the key.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import type { KeyAlgorithm } from '../../main/base/signer.ts'
import { derTag, writeDer, writeInteger } from '../../main/image/der.ts'
import { opensslCommand, readOutsideSignature } from '../../main/image/outside.ts'
import { good } from './vectors.ts'

const halfBytes = { 'ecdsa-p256': 32, 'ecdsa-p384': 48 } as const
const plain = { ed25519: 64, 'rsa-2048': 256, 'rsa-3072': 384 } as const
const magnitude = (bytes: Uint8Array) => bytes.subarray(Math.max(0, bytes.findIndex((byte) => byte !== 0)))
const written: readonly (readonly [string, (bytes: Uint8Array) => Uint8Array])[] = [
  ['as it is', (bytes) => bytes],
  ['in one line of base64', (bytes) => Buffer.from(Buffer.from(bytes).toString('base64'))],
  ['in base64 broken at 64 characters, with CRLF', (bytes) => Buffer.from((Buffer.from(bytes).toString('base64').match(/.{1,64}/g) ?? []).join('\r\n') + '\r\n')],
  ['in hex', (bytes) => Buffer.from(`${Buffer.from(bytes).toString('hex')}\n`)],
  ['in upper-case hex', (bytes) => Buffer.from(Buffer.from(bytes).toString('hex').toUpperCase())],
]
const read = (file: Uint8Array, algorithm: KeyAlgorithm) => good(readOutsideSignature(file, 'a.sig', { algorithm }))
// A random signature that is text by chance would be read as text: once in 2^60.
const random = (length: number) => fc.uint8Array({ minLength: length, maxLength: length }).filter((bytes) => bytes.some((byte) => byte > 0x7f))

describe.each(written)('a signature %s', (_name, write) => {
  test.each(Object.keys(plain) as (keyof typeof plain)[])('of %s is the same bytes', (algorithm) => {
    fc.assert(fc.property(random(plain[algorithm]), (bytes) => { expect(Buffer.from(read(write(bytes), algorithm)).equals(bytes)).toBe(true) }), { numRuns: 30 })
  })

  test.each(Object.keys(halfBytes) as (keyof typeof halfBytes)[])('of %s is DER, whether it came as DER or as r and s', (algorithm) => {
    const half = halfBytes[algorithm]
    fc.assert(fc.property(random(half), random(half), (r, s) => {
      const der = writeDer(derTag.sequence, writeInteger(magnitude(r)), writeInteger(magnitude(s)))
      expect(Buffer.from(read(write(der), algorithm)).equals(der)).toBe(true)
      expect(Buffer.from(read(write(Buffer.concat([r, s])), algorithm)).equals(der)).toBe(true)
    }), { numRuns: 30 })
  })
})

test('padding that imgtool added to an ECDSA signature stays', () => {
  const der = writeDer(derTag.sequence, writeInteger(Uint8Array.of(1)), writeInteger(Uint8Array.of(2)))
  const padded = Buffer.concat([der, Buffer.of(0, 0)])
  expect(Buffer.from(read(padded, 'ecdsa-p256')).equals(padded)).toBe(true)
})

test('anything else is no signature of that key, said with what was expected', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom<KeyAlgorithm>('ed25519', 'ecdsa-p256', 'ecdsa-p384', 'rsa-2048', 'rsa-3072'), (bytes, algorithm) => {
    const answer = readOutsideSignature(bytes, 'reply.txt', { algorithm })
    if (failed(answer)) expect(answer.says).toMatch(/^reply\.txt holds no .* signature: /)
    else expect(answer.length).toBeLessThanOrEqual(384)
  }))
  expect(readOutsideSignature(Buffer.from('<html>no</html>'), 'a', { algorithm: 'ed25519' })).toMatchObject({ kind: 'bad-signature' })
  expect(readOutsideSignature(new Uint8Array(0), 'a', { algorithm: 'rsa-2048' })).toMatchObject({ kind: 'bad-signature' })
})

test('a file\'s name cannot add words to the line for the terminal', () => {
  expect(opensslCommand('ed25519', 'digest', 'a b;$(reboot)\'.bin')).toContain('-in \'a b;$(reboot)\'\\\'\'.bin\'')
})
