// Every row of imgtool's vectors: the same bytes where the algorithm is deterministic, the same structure and mutual
// verification where it is not, and a Failure with kind and offset for every broken image.
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { failed } from '../../main/base/failure.ts'
import { toHex } from '../../main/base/bytes.ts'
import { decryptImage } from '../../main/image/encrypt.ts'
import { isEncrypted, parseImage } from '../../main/image/format.ts'
import { canSign } from '../../main/image/publickey.ts'
import { signImage, vectorToSign } from '../../main/image/sign.ts'
import { verifyImage } from '../../main/image/verify.ts'
import { openOpener } from '../../main/keys/signer.ts'
import { fileOf, good, index, keyOf, optionsOf, outputOf, signerOf } from './vectors.ts'

const random = (bytes: number) => new Uint8Array(randomBytes(bytes))
const isRandom = (args: readonly string[]) => args.some((arg) => /ecdsa|rsa/.test(arg)) || args.includes('-E')
const images = index.vectors.filter((row) => row.output.endsWith('.bin') && !row.args.includes('--vector-to-sign'))
const deterministic = images.filter((row) => !isRandom(row.args))

const asHex = (tlvs: readonly { type: number; value: Uint8Array }[]) => tlvs.map((tlv) => [tlv.type, toHex(tlv.value)])
const signatureOrKeyTypes = new Set([0x20, 0x22, 0x23, 0x30, 0x32, 0x33, 0x34, 0x72])

describe('signing gives what imgtool gave', () => {
  test.each(deterministic.map((row) => [row.name, row] as const))('%s comes out byte for byte', async (_name, row) => {
    const { options, key } = await optionsOf(row.args, random)
    const signed = good(await signImage(fileOf(row.input), options, key === undefined ? undefined : await signerOf(key)))
    expect(Buffer.from(signed.bytes).equals(outputOf(row))).toBe(true)
  })

  test.each(images.filter((row) => isRandom(row.args)).map((row) => [row.name, row] as const))('%s comes out with the same structure, and either verifies', async (_name, row) => {
    const { options, key } = await optionsOf(row.args, random)
    const signer = await signerOf(key ?? '')
    const signed = good(await signImage(fileOf(row.input), options, signer))
    const theirs = good(parseImage(outputOf(row)))
    const ours = good(parseImage(signed.bytes))
    expect(ours.header).toEqual({ ...theirs.header, protectedTlvBytes: ours.header.protectedTlvBytes })
    expect(asHex(ours.protectedTlvs.filter((tlv) => !signatureOrKeyTypes.has(tlv.type)))).toEqual(asHex(theirs.protectedTlvs.filter((tlv) => !signatureOrKeyTypes.has(tlv.type))))
    // A compressed image's own hash covers DECOMP_SIGNATURE, which is random here.
    const stable = (tlv: { type: number }) => !signatureOrKeyTypes.has(tlv.type) && !(options.compression !== undefined && tlv.type >= 0x10 && tlv.type <= 0x12)
    expect(ours.tlvs.map((tlv) => tlv.type)).toEqual(theirs.tlvs.map((tlv) => tlv.type))
    expect(asHex(ours.tlvs.filter(stable))).toEqual(asHex(theirs.tlvs.filter(stable)))
    if (!isEncrypted(ours.header)) expect(Buffer.from(ours.payload).equals(theirs.payload)).toBe(true)
    for (const bytes of [signed.bytes, outputOf(row)]) {
      const verified = good(verifyImage(bytes, signer.publicKey, { encryptedOk: true }))
      expect(verified.signedBy?.algorithm).toBe(signer.publicKey.algorithm)
    }
  })

  test.each(index.vectors.filter((row) => row.args.includes('--vector-to-sign')).map((row) => [row.name, row] as const))('%s: what an outside signer gets', async (_name, row) => {
    const { options, key, vector } = await optionsOf(row.args, random)
    const { publicKey } = await signerOf(key ?? '')
    expect(toHex(good(await vectorToSign(fileOf(row.input), options, vector ?? 'digest', publicKey)))).toBe(toHex(outputOf(row)))
  })
})

describe('imgtool’s images verify', () => {
  test.each(images.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    const { key } = await optionsOf(row.args, random)
    const publicKey = key === undefined ? undefined : (await signerOf(key)).publicKey
    const bytes = outputOf(row)
    const image = good(parseImage(bytes))
    if (!isEncrypted(image.header)) {
      expect(good(verifyImage(bytes, publicKey)).hashCheck).toBe('matches')
      return
    }
    expect(failed(verifyImage(bytes, publicKey)) && (verifyImage(bytes, publicKey) as { kind: string }).kind).toBe('encrypted')
    const encKey = (row.args[row.args.indexOf('-E') + 1] ?? '').replace('.pub.pem', '.pem')
    const plain = good(await decryptImage(bytes, image, good(openOpener(await keyOf(encKey)))))
    expect(good(verifyImage(plain, publicKey)).hashCheck).toBe('matches')
    const firmware = fileOf(row.input)
    expect(Buffer.from(good(parseImage(plain)).payload.subarray(0, firmware.length)).equals(firmware)).toBe(true)
  })
})

describe('damaged images are refused', () => {
  const kinds: Record<string, [kind: string, offset: number]> = {
    'bad-magic': ['not-an-image', 0],
    'flipped-body': ['bad-hash', 5516],
    'flipped-header-version': ['bad-hash', 5516],
    'flipped-signature': ['bad-signature', 5588],
    'tlv-magic': ['bad-tlvs', 5512],
    'tlv-total-too-long': ['truncated', 5514],
    'tlv-length-overruns': ['bad-tlvs', 5516],
    'image-size-overruns': ['truncated', 5656],
    'truncated-in-tlv': ['truncated', 5514],
    'truncated-in-body': ['truncated', 3012],
    'header-only': ['truncated', 32],
    empty: ['not-an-image', 0],
    'wrong-key': ['wrong-key', 5552],
  }
  test.each(index.broken.map((row) => [row.name, row] as const))('%s', async (name, row) => {
    const { publicKey } = await keyOf(row.key ?? 'keys/ed25519.pem')
    const failure = verifyImage(fileOf(row.image), canSign(publicKey) ? publicKey : undefined)
    if (!failed(failure)) throw new Error('was taken')
    expect([failure.kind, failure.facts['offset']]).toEqual(kinds[name])
    expect(failure.says.length).toBeGreaterThan(20)
  })
})
