// PKCS#11 URIs: the examples of RFC 7512 (section 3) and what nobody should get past the reader.
import { describe, expect, test } from 'vitest'
import fc from 'fast-check'
import { Failure } from '../../main/base/failure.ts'
import { formatPkcs11Uri, isPkcs11Uri, parsePkcs11Uri } from '../../main/keys/pkcs11-uri.ts'
import type { Pkcs11Uri } from '../../main/keys/pkcs11-uri.ts'

const kindOf = (value: unknown) => (value instanceof Failure ? value.kind : 'read')

describe("RFC 7512's examples", () => {
  test.each<[string, Pkcs11Uri]>([
    ['pkcs11:', {}],
    ['pkcs11:object=my-pubkey;type=public', { object: 'my-pubkey', type: 'public' }],
    ['pkcs11:object=my-key;type=private?pin-source=file:/etc/token', { object: 'my-key', type: 'private', pinSource: 'file:/etc/token' }],
    ['pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin',
      { token: 'The Software PKCS#11 Softtoken', manufacturer: 'Snake Oil, Inc.', model: '1.0', object: 'my-certificate', type: 'cert', id: '69953e5cf4bdec91', serial: '', pinSource: 'file:/etc/token_pin' }],
    ['pkcs11:object=my-sign-key;type=private?module-name=mypkcs11', { object: 'my-sign-key', type: 'private', moduleName: 'mypkcs11' }],
    ['pkcs11:object=my-sign-key;type=private?module-path=/mnt/libmypkcs11.so.1', { object: 'my-sign-key', type: 'private', modulePath: '/mnt/libmypkcs11.so.1' }],
    ['pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-source=|/bin/app', { token: 'Software PKCS#11 softtoken', manufacturer: 'Snake Oil, Inc.', pinSource: '|/bin/app' }],
    ['pkcs11:slot-description=Sun%20Metaslot', { slotDescription: 'Sun Metaslot' }],
    ['pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;library-description=Soft%20Token%20Library;library-version=1.23', { libraryManufacturer: 'Snake Oil, Inc.', libraryDescription: 'Soft Token Library', libraryVersion: '1.23' }],
    ['pkcs11:token=%C5%BDmur;object=%E2%82%AC', { token: 'Žmur', object: '€' }],
    ['PKCS11:slot-id=327', { slotId: 327 }],
  ])('%s', (text, uri) => {
    expect(parsePkcs11Uri(text)).toEqual(uri)
    expect(parsePkcs11Uri(formatPkcs11Uri(uri))).toEqual(uri)
  })
})

describe('what is refused', () => {
  test.each([
    ['a PIN in the URI, since every process sees it', 'pkcs11:token=a?pin-value=1234', 'pin-in-uri'],
    ['an attribute nobody knows', 'pkcs11:colour=red', 'bad-uri'],
    ['an attribute on the wrong side of the question mark', 'pkcs11:module-path=/x.so', 'bad-uri'],
    ['an attribute said twice', 'pkcs11:token=a;token=b', 'bad-uri'],
    ['an attribute without a value', 'pkcs11:token', 'bad-uri'],
    ['an empty attribute', 'pkcs11:token=a;;object=b', 'bad-uri'],
    ['a blank', 'pkcs11:token=a b', 'bad-uri'],
    ['a half percent', 'pkcs11:token=a%2', 'bad-uri'],
    ['a percent that is no hex', 'pkcs11:token=a%zz', 'bad-uri'],
    ['bytes that are no UTF-8', 'pkcs11:token=%ff', 'bad-uri'],
    ['a zero byte in a path', 'pkcs11:token=a?module-path=/x%00.so', 'bad-uri'],
    ['a type of object that there is not', 'pkcs11:type=house', 'bad-uri'],
    ['a slot that is no number', 'pkcs11:slot-id=-1', 'bad-uri'],
    ['an empty id', 'pkcs11:id=', 'bad-uri'],
    ['another scheme', 'http://token=a', 'bad-uri'],
    ['an endless one', `pkcs11:token=${'a'.repeat(5000)}`, 'bad-uri'],
    ['a label of more than 255 characters', `pkcs11:object=${'a'.repeat(256)}`, 'bad-uri'],
    ["an attribute's name out of the language", 'pkcs11:__proto__=x', 'bad-uri'],
    ['the same', 'pkcs11:constructor=x', 'bad-uri'],
  ])('%s', (_what, text, kind) => {
    expect(kindOf(parsePkcs11Uri(text))).toBe(kind)
  })

  test.each([
    ['pkcs11:token=Release HSM', /has a blank in it: write it as %20\.$/],
    ['pkcs11:token=a#b', /"#" in it: write it as %23\.$/],
    ['pkcs11:token=50%', /"%" in it: write it as %25\.$/],
    ['pkcs11:token=Zürich', /"ü" in it: write it as %C3%BC\.$/],
  ])('%s: what has to be written otherwise is named, with how', (text, says) => {
    expect(parsePkcs11Uri(text)).toMatchObject({ says: expect.stringMatching(says) as string })
  })

  test('a file that is called so is not taken for a URI', () => {
    expect(isPkcs11Uri('pkcs11.pem')).toBe(false)
    expect(isPkcs11Uri('./pkcs11:x')).toBe(false)
  })
})

describe('anything', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 60 }).filter((one) => !one.includes('\0') && one.length <= 255)
  const uris = fc.record({
    token: text, manufacturer: text, serial: text, model: text, slotDescription: text, slotManufacturer: text, object: text, modulePath: text, moduleName: text, pinSource: text,
    slotId: fc.nat(), type: fc.constantFrom('private' as const, 'public' as const, 'cert' as const), id: fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  }, { requiredKeys: [] })

  test('what is written reads back as it was', () => {
    fc.assert(fc.property(uris, (uri) => {
      const written = formatPkcs11Uri(uri)
      expect(written).toMatch(/^pkcs11:[\x21-\x7e]*$/)
      expect(parsePkcs11Uri(written)).toEqual(uri)
    }), { numRuns: 500 })
  })

  test('whatever comes in, a URI or a sentence comes out', () => {
    const pieces = fc.array(fc.constantFrom('pkcs11:', ';', '?', '&', '=', '%', '%41', 'token', 'id', 'object', 'module-path', 'pin-value', 'x', '\0', 'é', ' '), { maxLength: 20 }).map((parts) => parts.join(''))
    fc.assert(fc.property(fc.oneof(pieces, fc.string(), pieces.map((rest) => `pkcs11:${rest}`)), (input) => {
      const read = parsePkcs11Uri(input)
      if (!(read instanceof Failure)) expect(parsePkcs11Uri(formatPkcs11Uri(read))).toEqual(read)
    }), { numRuns: 2000 })
  })
})
