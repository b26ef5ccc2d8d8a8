// Signing beyond the vectors: every way to encrypt and compress, opened again; signatures made elsewhere; a signer that
// lies; and every option that makes no sense, each refused with a sentence that names it.
import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../main/base/bytes.ts'
import { Failure, failed } from '../../main/base/failure.ts'
import type { PublicKey, Signer } from '../../main/base/signer.ts'
import { compareImages } from '../../main/image/compare.ts'
import { IMAGE_FLAGS, TLV, parseImage, parseVersion } from '../../main/image/format.ts'
import { inspectImage } from '../../main/image/inspect.ts'
import { openImage } from '../../main/image/open.ts'
import { canSign } from '../../main/image/publickey.ts'
import { signImage, vectorToSign } from '../../main/image/sign.ts'
import type { SignOptions } from '../../main/image/sign.ts'
import { sizeOfSigned } from '../../main/image/size.ts'
import { headerRoom } from '../../main/image/vectortable.ts'
import { verifyImage } from '../../main/image/verify.ts'
import { generateKey, readKeyPem } from '../../main/keys/filekey.ts'
import { openOpener, openSigner } from '../../main/keys/signer.ts'
import { fileOf, good, keyOf, signerOf } from './vectors.ts'

const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
const firmware = fileOf('inputs/app-5000.bin')
const big = fileOf('inputs/app-100000.bin')
const base: SignOptions = { version: { major: 1, minor: 2, revision: 3, build: 4 }, headerBytes: 0x200, slotBytes: 0x40000, padHeader: true, align: 4 }
const kindOf = (value: unknown) => (failed(value) ? (value).kind : 'taken')
const publicOf = async (name: string): Promise<PublicKey> => {
  const { publicKey } = await keyOf(name)
  if (!canSign(publicKey)) throw new Error('cannot sign')
  return publicKey
}

describe('encryption', () => {
  const ways = [['keys/x25519.pem', 'keys/ed25519.pem'], ['keys/enc-ecdsa-p256.pem', 'keys/ecdsa-p256.pem'], ['keys/enc-rsa-2048.pem', 'keys/rsa-2048.pem']] as const
  const cases = ways.flatMap(([to, by]) => [128, 256].flatMap((keyBits) => ['disabled', 'lzma2', 'lzma2armthumb'].flatMap((compression) => (to === 'keys/x25519.pem' ? ['256', '512'] : ['auto']).map((hmacSha) => [to, by, keyBits, compression, hmacSha] as const))))
  test.each(cases)('to %s, signed by %s, AES-%d, compression %s, HMAC %s opens again', async (to, by, keyBits, compression, hmacSha) => {
    const encKey = await keyOf(to)
    const signer = await signerOf(by)
    const options: SignOptions = {
      ...base, compression: compression as SignOptions['compression'], securityCounter: 'auto',
      encrypt: { publicKey: encKey.publicKey, keyBits: keyBits as 128 | 256, hmacSha: hmacSha as 'auto', random },
    }
    const signed = good(await signImage(big, options, signer))
    const image = good(parseImage(signed.bytes))
    const bytes = { x: { '256': 32 + 32, '512': 32 + 64 }, e: 65 + 32 }
    const tlv = image.tlvs.find(({ type }) => type >= 0x30 && type < 0x40)
    if (to.includes('rsa')) expect(tlv?.value.length).toBe(256)
    else if (to.includes('x25519')) expect(tlv?.value.length).toBe(bytes.x[hmacSha as '256'] + keyBits / 8)
    else expect(tlv?.value.length).toBe(bytes.e + keyBits / 8)
    expect(kindOf(await openImage(signed.bytes, { key: signer.publicKey }))).toBe('encrypted')
    const opened = good(await openImage(signed.bytes, { key: signer.publicKey, opener: good(openOpener(encKey)) }))
    expect(Buffer.from(opened.firmware.subarray(0, big.length)).equals(big)).toBe(true)
    expect(opened.decrypted).toBe(true)
    if (compression !== 'disabled') expect(opened.decompressed?.signatureHolds).toBe(true)
    const other = await generateKey(encKey.algorithm)
    expect(kindOf(await openImage(signed.bytes, { opener: good(openOpener(other)) }))).toBe('wrong-encryption-key')
    const broken = concat(signed.bytes)
    broken[700] = (broken[700] ?? 0) ^ 1
    expect(kindOf(await openImage(broken, { opener: good(openOpener(encKey)) }))).toBe('bad-hash')
  })

  test('clear leaves the payload readable and verifiable, with the key wrapped beside it', async () => {
    const signer = await signerOf('keys/ed25519.pem')
    const signed = good(await signImage(firmware, { ...base, encrypt: { publicKey: (await keyOf('keys/x25519.pem')).publicKey, clear: true, random } }, signer))
    expect(good(verifyImage(signed.bytes, signer.publicKey)).hashCheck).toBe('matches')
    expect(good(inspectImage(signed.bytes)).encrypted).toBe(true)
  })

  test('pure and encrypted: the signature is over the plaintext', async () => {
    const signer = await signerOf('keys/ed25519.pem')
    const encKey = await keyOf('keys/x25519.pem')
    const signed = good(await signImage(firmware, { ...base, pure: true, encrypt: { publicKey: encKey.publicKey, random } }, signer))
    const opened = good(await openImage(signed.bytes, { key: signer.publicKey, opener: good(openOpener(encKey)) }))
    expect(opened.verified.signedBy?.pure).toBe(true)
  })

  test('the trailer counts keys, or whole TLVs when they are saved', async () => {
    const publicKey = (await keyOf('keys/x25519.pem')).publicKey
    const signer = await signerOf('keys/ed25519.pem')
    const room = async (saveEncTlv: boolean) => good(await signImage(firmware, { ...base, pad: true, encrypt: { publicKey, saveEncTlv, random } }, signer)).trailerBytes
    expect(await room(false)).toBe(128 * 3 * 4 + 2 * 16 + 4 * 8 + 16)
    expect(await room(true)).toBe(128 * 3 * 4 + 2 * 80 + 4 * 8 + 16)
  })
})

describe('compression', () => {
  test('firmware that does not get smaller stays as it is', async () => {
    const noise = new Uint8Array(createHash('sha512').update('noise').digest())
    const signed = good(await signImage(noise, { ...base, compression: 'lzma2' }, await signerOf('keys/ed25519.pem')))
    expect(signed.compression?.kept).toBe(false)
    expect(good(parseImage(signed.bytes)).header.flags).toBe(0)
    const plain = good(await signImage(noise, base, await signerOf('keys/ed25519.pem')))
    expect(toHex(signed.bytes)).toBe(toHex(plain.bytes))
  })

  // imgtool 2.4.0 loses the flag when it compresses, and with it the hash of the unpacked image.
  test('non-bootable stays non-bootable', async () => {
    const signed = good(await signImage(big, { ...base, compression: 'lzma2', nonBootable: true }, await signerOf('keys/ed25519.pem')))
    expect(good(parseImage(signed.bytes)).header.flags & IMAGE_FLAGS.NON_BOOTABLE).toBe(IMAGE_FLAGS.NON_BOOTABLE)
    good(await openImage(signed.bytes))
  })

  test('imgtool’s compressed images open to the firmware, and a byte changed does not', async () => {
    for (const name of ['compressed-lzma2', 'compressed-lzma2armthumb']) {
      const bytes = fileOf(`images/${name}.bin`)
      const opened = good(await openImage(bytes, { key: await publicOf(name.endsWith('lzma2') ? 'keys/ed25519.pem' : 'keys/ecdsa-p256.pem') }))
      expect(Buffer.from(opened.firmware).equals(big)).toBe(true)
      expect(opened.decompressed?.signatureHolds).toBe(true)
      bytes[5000] = (bytes[5000] ?? 0) ^ 1
      expect(kindOf(await openImage(bytes))).toBe('bad-hash')
    }
  })
})

describe('a signature made elsewhere', () => {
  test.each([['keys/ed25519.pem', false], ['keys/ed25519.pem', true], ['keys/ecdsa-p256.pem', false], ['keys/ecdsa-p384.pem', false], ['keys/rsa-2048.pem', false]] as const)('by %s (pure %s) goes out as a vector and comes back', async (name, pure) => {
    const signer = await signerOf(name)
    const options: SignOptions = { ...base, pure, bootRecord: 'App', securityCounter: 5 }
    const digest = good(await vectorToSign(firmware, options, 'digest', signer.publicKey))
    const region = good(await vectorToSign(firmware, options, 'payload', signer.publicKey))
    const hash = name.includes('384') ? 'sha384' : pure ? 'sha512' : 'sha256'
    expect(toHex(digest)).toBe(createHash(hash).update(region).digest('hex'))
    const signature = good(await signer.sign(pure ? { message: region } : name.includes('ed25519') ? { message: digest } : { digest, hash }))
    const fixedSignature = { signature, publicKey: signer.publicKey }
    const signed = good(await signImage(firmware, { ...options, fixedSignature }))
    expect(good(verifyImage(signed.bytes, signer.publicKey)).signedBy?.algorithm).toBe(signer.publicKey.algorithm)
    // the same signature under other options is refused before an image exists
    expect(kindOf(await signImage(firmware, { ...options, securityCounter: 6, fixedSignature }))).toBe('bad-signature')
    const broken = concat(signature)
    broken[20] = (broken[20] ?? 0) ^ 1
    expect(kindOf(await signImage(firmware, { ...options, fixedSignature: { ...fixedSignature, signature: broken } }))).toBe('bad-signature')
    expect(kindOf(await signImage(firmware, { ...options, fixedSignature }, signer))).toBe('bad-option')
  })
})

describe('a signer that does not do its work', () => {
  const lying = async (answer: (good: Uint8Array) => Uint8Array | Failure): Promise<Signer> => {
    const signer = await signerOf('keys/ecdsa-p256.pem')
    return { publicKey: signer.publicKey, sign: async (what) => answer(good(await signer.sign(what))) }
  }
  test('a wrong signature never leaves', async () => {
    expect(kindOf(await signImage(firmware, base, await lying((signature) => signature.map((byte, i) => (i === 10 ? byte ^ 1 : byte)))))).toBe('bad-signature')
    expect(kindOf(await signImage(firmware, base, await lying(() => new Uint8Array(0))))).toBe('bad-signature')
  })
  test('its failure is passed on as it is', async () => {
    const failure = new Failure('token-removed', 'The token was taken out.')
    expect(await signImage(firmware, base, await lying(() => failure))).toBe(failure)
  })
})

describe('what goes in is left alone', () => {
  test('a Buffer with room for the header is not written to', async () => {
    const input = Buffer.from(fileOf('inputs/app-with-header-room.bin'))
    const before = Buffer.from(new Uint8Array(input))
    good(await signImage(input, { ...base, padHeader: false }, await signerOf('keys/ed25519.pem')))
    expect(input.equals(before)).toBe(true)
  })
  test('decrypting a Buffer leaves the file as it was', async () => {
    const bytes = Buffer.from(fileOf('images/encrypted-x25519.bin'))
    const before = Buffer.from(new Uint8Array(bytes))
    good(await openImage(bytes, { opener: good(openOpener(await keyOf('keys/x25519.pem'))) }))
    expect(bytes.equals(before)).toBe(true)
  })
})

describe('options that make no sense are named', () => {
  const encryptTo = async (name: string) => ({ publicKey: (await keyOf(name)).publicKey, random })
  const wrong: [string, () => Promise<Partial<SignOptions>> | Partial<SignOptions>, string, string?][] = [
    ['a header of 16 bytes', () => ({ headerBytes: 16 }), 'bad-option', 'header-size'],
    ['a header beyond its field', () => ({ headerBytes: 0x10000 }), 'bad-option', 'header-size'],
    ['a slot of a fraction', () => ({ slotBytes: 1.5 }), 'bad-option', 'slot-size'],
    ['a slot of 4 GiB', () => ({ slotBytes: 0xffffffff }), 'bad-option', 'slot-size'],
    ['a slot smaller than the image', () => ({ slotBytes: 0x1000 }), 'too-large'],
    ['a slot that holds the image but not the trailer', () => ({ slotBytes: 5656 + 100 }), 'too-large'],
    ['padding without a slot', () => ({ slotBytes: 0, pad: true }), 'bad-option', 'slot-size'],
    ['align 3', () => ({ align: 3 as 4 }), 'bad-option', 'align'],
    ['max-align 64', () => ({ maxAlign: 64 as 8 }), 'bad-option', 'max-align'],
    ['no sectors', () => ({ maxSectors: 0 }), 'bad-option', 'max-sectors'],
    ['load address and ROM address', () => ({ loadAddress: 0x20000000, romFixed: 0x8000 }), 'bad-option', 'load-addr'],
    ['a load address of 33 bits', () => ({ loadAddress: 2 ** 32 }), 'bad-option', 'load-addr'],
    ['a counter below zero', () => ({ securityCounter: -1 }), 'bad-option', 'security-counter'],
    ['a boot record of 13 letters', () => ({ bootRecord: 'abcdefghijklm' }), 'bad-option', 'boot-record'],
    ['a class name without a vendor', () => ({ cid: 'gateway' }), 'bad-option', 'cid'],
    ['a vendor that is no name', () => ({ vid: 'a\nb' }), 'bad-option', 'vid'],
    ['a custom TLV in MCUboot’s range', () => ({ customTlvs: [{ type: 0x10, value: utf8('x') }] }), 'bad-option', 'custom-tlv'],
    ['a custom TLV twice', () => ({ customTlvs: [{ type: 0xa0, value: utf8('x') }, { type: 0xa0, value: utf8('y') }] }), 'bad-option', 'custom-tlv'],
    ['TLVs beyond their area', () => ({ customTlvs: [{ type: 0xa0, value: new Uint8Array(0xffff) }] }), 'bad-option'],
    ['a version part beyond its field', () => ({ version: { major: 256, minor: 0, revision: 0, build: 0 } }), 'bad-version'],
    ['SHA-384 with P-256', () => ({ sha: '384' }), 'bad-option', 'sha'],
    ['pure with P-256', () => ({ pure: true }), 'bad-option', 'pure'],
    ['pure with a hash', () => ({ pure: true, sha: '512' }), 'bad-option', 'sha'],
    ['encryption to another kind of key', async () => ({ encrypt: await encryptTo('keys/x25519.pem') }), 'bad-option', 'encrypt'],
    ['encryption to a signing-only key', async () => ({ encrypt: await encryptTo('keys/ecdsa-p384.pem') }), 'bad-option', 'encrypt'],
    ['a dependency on image 256', () => ({ dependencies: [{ image: 256, version: base.version }] }), 'bad-option', 'dependencies'],
    ['firmware that needs --pad-header', () => ({ padHeader: false }), 'header-room'],
  ]
  test.each(wrong)('%s', async (_name, make, kind, option) => {
    const failure = await signImage(firmware, { ...base, ...(await make()) }, await signerOf('keys/ecdsa-p256.pem'))
    expect(kindOf(failure)).toBe(kind)
    if (option !== undefined) expect((failure as Failure).facts['option']).toBe(option)
    expect((failure as Failure).says).toMatch(/^[A-Z-].*[.?]$/s)
  })

  test('empty firmware, firmware shorter than its header, 100 MB', async () => {
    const signer = await signerOf('keys/ed25519.pem')
    expect(kindOf(await signImage(new Uint8Array(0), base, signer))).toBe('empty-firmware')
    good(await signImage(new Uint8Array(0), { ...base, allowEmpty: true }, signer))
    expect(kindOf(await signImage(new Uint8Array(100), { ...base, padHeader: false }, signer))).toBe('header-room')
    expect(kindOf(await signImage(new Uint8Array(100_000_000), base, signer))).toBe('too-large')
  })

  test.each(['1.2', '1', '', 'v1.2.3', '1.2.3.4', '01.2.3', '256.0.0', '0.256.0', '0.0.65536', '1.2.3+4294967296', '1.2.3+', '-1.0.0', '1.2.3 ', '1'.repeat(100)])('the version %j', (text) => {
    const failure = parseVersion(text)
    expect(kindOf(failure)).toBe('bad-version')
  })
})

describe('small helps', () => {
  test('--pad-sig pads an ECDSA signature with zeros, and it still verifies', async () => {
    for (const [name, bytes] of [['keys/ecdsa-p256.pem', 72], ['keys/ecdsa-p384.pem', 103]] as const) {
      const signer = await signerOf(name)
      const signed = good(await signImage(firmware, { ...base, padSig: true }, signer))
      expect(signed.signature?.length).toBe(Math.max(bytes, signed.signature?.length ?? 0))
      good(verifyImage(signed.bytes, signer.publicKey))
    }
  })

  test('the same firmware signed twice by ed25519 or ECDSA gives the same file', async () => {
    for (const name of ['keys/ed25519.pem', 'keys/ecdsa-p256.pem', 'keys/ecdsa-p384.pem']) {
      const [a, b] = await Promise.all([1, 2].map(async () => good(await signImage(firmware, base, await signerOf(name)))))
      expect(toHex(a?.bytes ?? firmware)).toBe(toHex(b?.bytes ?? big))
    }
  })

  test('inspection tells claimed from proven, and names MCUboot’s published test key', async () => {
    const report = good(inspectImage(fileOf('images/ed25519.bin'), await publicOf('keys/ed25519.pem')))
    expect(report).toMatchObject({ publicTestKey: null, wrongs: [], version: '1.2.3+4', hash: { check: 'matches' }, signature: { check: 'holds' } })
    expect(good(inspectImage(fileOf('images/ed25519.bin'))).signature?.check).toBe('no-key-given')
    expect(good(inspectImage(fileOf('images/ed25519.bin'), await publicOf('keys/ecdsa-p256.pem'))).signature?.check).toBe('does-not-hold')
    expect(good(inspectImage(fileOf('images/unsigned.bin'))).wrongs).toHaveLength(1)
    expect(JSON.parse(JSON.stringify(report))).toEqual(report)
    // root-ed25519.pem of MCUboot's repository: published, and so of no use to keep secret
    const published = '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEICjJcMmhqKi8d3hoYtLnbQ1DCitXyHz8N5BLy6rIdMvY\n-----END PRIVATE KEY-----\n'
    for (const sha of ['auto', '512'] as const) {
      const signed = good(await signImage(firmware, { ...base, sha }, good(openSigner(good(await readKeyPem(published))))))
      expect(good(inspectImage(signed.bytes)).publicTestKey).toBe('root-ed25519.pem')
    }
  })

  test('a TLV the loader does not allow outside the protected area', async () => {
    const bytes = fileOf('images/ed25519.bin')
    bytes[5512 + 4] = TLV.SEC_CNT
    expect(kindOf(verifyImage(bytes))).toBe('forbidden-tlv')
  })

  test('two images side by side: what differs, and nothing else', () => {
    const report = (name: string) => good(inspectImage(fileOf(`images/${name}.bin`)))
    expect(compareImages(report('ed25519'), report('ed25519'))).toEqual([])
    expect(compareImages(report('ed25519'), report('load-addr')).map(({ what }) => what)).toEqual(['header loadAddress', 'flags', 'hash', 'TLV SHA256', 'TLV ED25519'])
    expect(compareImages(report('security-counter'), report('security-counter-auto')).find(({ what }) => what === 'TLV SEC_CNT (protected)')).toEqual({ what: 'TLV SEC_CNT (protected)', left: 'security counter 77', right: 'security counter 16908291' })
  })

  test('the room in each swap mode', async () => {
    const signed = good(await signImage(firmware, base, await signerOf('keys/ed25519.pem')))
    const report = sizeOfSigned(signed, { primaryBytes: 0x10000, secondaryBytes: 0x10000, sectorBytes: 0x1000, align: 4 }, good(parseImage(signed.bytes)).header)
    expect(report).toMatchObject({ imageBytes: 5656, payloadBytes: 5000, tlvBytes: 144, headerBytes: 512 })
    expect(report.modes.find(({ mode }) => mode === 'swap-move')).toEqual({ mode: 'swap-move', largestImageBytes: 0xe000, freeBytes: 0xe000 - 5656, fits: true })
  })

  test('-H auto reads a vector table, with and without room before it', () => {
    const table = new Uint8Array(4096).fill(0xaa)
    const view = new DataView(table.buffer)
    view.setUint32(0, 0x20010000, true)
    for (let i = 1; i < 85; i++) view.setUint32(4 * i, i > 6 && i < 11 ? 0 : 0x0000c101 + 4 * i, true)
    expect(headerRoom(table)).toEqual({ headerBytes: 512, padHeader: true, vectors: 85 })
    expect(headerRoom(concat(new Uint8Array(0x800), table))).toEqual({ headerBytes: 0x800, padHeader: false, vectors: 85 })
    expect(kindOf(headerRoom(firmware.subarray(0, 40)))).toBe('no-vector-table')
    expect(kindOf(headerRoom(new Uint8Array(1000)))).toBe('no-vector-table')
  })

  test('KEYHASH of a P-384 key is SHA-384, 48 bytes', async () => {
    const signer = good(openSigner(await generateKey('ecdsa-p384')))
    expect(good(await signImage(firmware, base, signer)).keyHash?.length).toBe(48)
  })
})
