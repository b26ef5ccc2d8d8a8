// What may lie between signature and firmware: CompressedData (RFC 3274, zlib) inside EncryptedData (RFC 5652 §8, AES-CBC
// of RFC 3565), made in that order and opened in the other (RFC 4108 §2). The firmware key may travel along, wrapped for
// a key the board has, in an EnvelopedData without content (§2.3.1). AES-GCM is not here: CMS allows it only in
// AuthEnvelopedData (RFC 5084), which RFC 4108 does not know.
import { aeskw, cbc } from '@noble/ciphers/aes.js'
import { sameBytes } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { bytesWords } from './attributes.ts'
import { algorithm, context, integer, join, octets, oid, sequence, tags, tlv } from './der.ts'
import type { Der } from './der.ts'
import { refuseLoad } from './errors.ts'
import { aesCbc, aesWrap, contentTypes, oidName, zlib } from './oids.ts'
import { oidOf, readBer, smallOf } from './pki.ts'
import type { Value } from './pki.ts'
import { readEncapsulated } from './signed.ts'

export type Deflate = (bytes: Uint8Array) => Uint8Array
/** Gives at most `bytesMax` bytes, or a failure when the data are damaged or would be more. */
export type Inflate = (bytes: Uint8Array, bytesMax: number) => Uint8Array | Failure

/** A symmetric key with the name by which it is asked for. */
export type NamedSecret = Readonly<{ id: Uint8Array; key: Uint8Array }>

export type Encrypting = Readonly<{
  /** The firmware-decryption key, 16 or 32 bytes. */
  secret: NamedSecret
  /** Wrap it for holders of this key-encryption key and send it along. */
  wrapFor?: NamedSecret
  random: (bytes: number) => Uint8Array
}>

const ivBytes = 16

function sizeOf(key: Uint8Array): 128 | 256 | null {
  return key.length === 16 ? 128 : key.length === 32 ? 256 : null
}

/** CompressedData around firmware; the encoding without tag of an outer octet string. */
export function writeCompressed(content: Uint8Array, deflate: Deflate): Uint8Array {
  return join(sequence(integer(0), algorithm(zlib), sequence(oid(contentTypes.firmwarePackage), tlv(context(0), octets(deflate(content))))))
}

const onlyFirmware: ReadonlySet<string> = new Set([contentTypes.firmwarePackage])

/** Firmware out of a CompressedData; refuses with the code. Only below `attempt`. */
export function readCompressed(bytes: Uint8Array, inflate: Inflate | null, bytesMax: number): Uint8Array {
  const value = readBer(bytes)
  const [version, name, encapsulated] = value?.children ?? []
  if (value?.tag !== tags.sequence || value.children.length !== 3 || smallOf(version) !== 0) refuseLoad('badEncapContent', 'The compressed part is malformed.')
  const compression = oidOf(name?.children[0])
  if (compression !== zlib) refuseLoad('badCompressAlgorithm', `The firmware is compressed with ${compression === null ? 'an unnamed algorithm' : oidName(compression)}; zlib is accepted.`)
  if (inflate === null) refuseLoad('badCompressAlgorithm', 'The firmware is compressed, and this loader cannot decompress.')
  const { content } = readEncapsulated(encapsulated, onlyFirmware, 'missingCompressedContent')
  const firmware = inflate(content.content, bytesMax)
  if (failed(firmware)) refuseLoad('decompressFailure', `The firmware does not decompress: ${firmware.says}`)
  return firmware
}

/** EncryptedData around firmware or CompressedData. */
export function writeEncrypted(contentType: string, content: Uint8Array, { secret, random }: Encrypting): Uint8Array {
  const iv = random(ivBytes)
  const info = writeEncryptedInfo(contentType, secret.key, iv, cbc(secret.key, iv).encrypt(content))
  return join(sequence(integer(0), info))
}

function writeEncryptedInfo(contentType: string, key: Uint8Array, iv: Uint8Array, ciphertext: Uint8Array | null): Der {
  const cipher = algorithm(aesCbc[sizeOf(key) ?? 256], octets(iv))
  return sequence(oid(contentType), cipher, ...(ciphertext === null ? [] : [tlv(context(0, false), ciphertext)]))
}

export type Decrypting = Readonly<{
  /** Firmware-decryption keys by the name in the decryptKeyID attribute. */
  firmwareKeys?: readonly NamedSecret[]
  /** Key-encryption keys that wrapped firmware keys may be unwrapped with. */
  wrappingKeys?: readonly NamedSecret[]
}>

/** What was inside an EncryptedData and of what type; refuses with the code. Only below `attempt`. */
export function readEncrypted(bytes: Uint8Array, keyId: Uint8Array | undefined, wrapped: Value | null, keys: Decrypting): { contentType: string; content: Uint8Array } {
  const value = readBer(bytes)
  const [version, info, attributes] = value?.children ?? []
  if (value?.tag !== tags.sequence || info?.tag !== tags.sequence || value.children.length > 3) refuseLoad('badEncryptedData')
  if (attributes?.tag === context(1)) refuseLoad('unprotectedAttrsPresent')
  if (smallOf(version) !== 0 || attributes !== undefined) refuseLoad('badEncryptedData', 'The encrypted part is of a version that firmware packages do not have.')
  const [type, cipher, ciphertext] = info.children
  const contentType = oidOf(type)
  if (contentType !== contentTypes.firmwarePackage && contentType !== contentTypes.compressedData) refuseLoad('badEncryptContent', `The encrypted part holds ${contentType === null ? 'something unnamed' : oidName(contentType)}, which is no firmware.`)
  const { bits, iv } = readCipher(cipher)
  if (ciphertext === undefined) refuseLoad('missingCiphertext')
  if ((ciphertext.tag & 0xdf) !== context(0, false)) refuseLoad('badEncryptContent', 'The encrypted part is malformed.')
  if (keyId === undefined) refuseLoad('badSignedAttrs', 'The package is encrypted, but its decryptKeyID attribute is missing.')
  const key = firmwareKey(keyId, wrapped, keys)
  // A string in pieces has its bytes in its members; asn1js joins only universal ones.
  const joined = ciphertext.tag === context(0) ? joinPieces(ciphertext) : ciphertext.content
  if (key.length * 8 !== bits) refuseLoad('decryptFailure', `The key at hand has ${key.length * 8} bits, the firmware is encrypted with one of ${bits}.`)
  try {
    return { contentType, content: cbc(key, iv).decrypt(joined) }
  } catch {
    return refuseLoad('decryptFailure')
  }
}

function joinPieces(value: Value): Uint8Array {
  const whole = new Uint8Array(value.children.reduce((sum, child) => sum + child.content.length, 0))
  let at = 0
  for (const child of value.children) {
    whole.set(child.content, at)
    at += child.content.length
  }
  return whole
}

function readCipher(value: Value | undefined): { bits: 128 | 256; iv: Uint8Array } {
  const name = oidOf(value?.children[0])
  const iv = value?.children[1]
  const bits = name === aesCbc[128] ? 128 : name === aesCbc[256] ? 256 : null
  if (bits === null || iv?.tag !== tags.octets || iv.content.length !== ivBytes) refuseLoad('badEncryptAlgorithm')
  return { bits, iv: iv.content }
}

/** The key by its name, or out of the wrapped one. */
function firmwareKey(keyId: Uint8Array, wrapped: Value | null, { firmwareKeys = [], wrappingKeys = [] }: Decrypting): Uint8Array {
  const own = firmwareKeys.find(({ id }) => sameBytes(id, keyId))
  if (own !== undefined) return own.key
  if (wrapped === null) refuseLoad('noDecryptKey', `The firmware is encrypted with the key ${bytesWords(keyId)}, which is not here. Add that key, or ask the package's maker for one that is not encrypted.`, { keyId: bytesWords(keyId) })
  return unwrap(wrapped, wrappingKeys)
}

/** The wrappedFirmwareKey attribute's value: EnvelopedData with one recipient and no content (RFC 4108 §2.3.1). */
export function writeWrappedKey(contentType: string, { secret, wrapFor, random }: Encrypting): Der | null {
  if (wrapFor === undefined) return null
  const recipient = tlv(context(2),
    integer(4), sequence(octets(wrapFor.id)), algorithm(aesWrap[sizeOf(wrapFor.key) ?? 256]), octets(aeskw(wrapFor.key).encrypt(secret.key)))
  return sequence(integer(2), tlv(tags.set, recipient), writeEncryptedInfo(contentType, secret.key, random(ivBytes), null))
}

/** Names of the keys that a wrapped firmware key is wrapped for. */
export function wrappedFor(wrapped: Value): Uint8Array[] {
  return (wrapped.children[1]?.children ?? []).flatMap((recipient) => {
    const id = recipient.children[1]?.children[0]
    return recipient.tag === context(2) && id?.tag === tags.octets ? [id.content] : []
  })
}

function unwrap(wrapped: Value, keys: readonly NamedSecret[]): Uint8Array {
  const [, recipients, info] = wrapped.children
  if (wrapped.tag !== tags.sequence || recipients?.tag !== tags.set || info?.tag !== tags.sequence || info.children.length !== 2) refuseLoad('badUnsignedAttrs', 'The wrapped firmware key is malformed, or comes with a content, which it may not.')
  for (const recipient of recipients.children) {
    const [, name, cipher, encrypted] = recipient.children
    const id = name?.children[0]
    if (recipient.tag !== context(2) || id?.tag !== tags.octets || encrypted?.tag !== tags.octets) continue
    const key = keys.find((one) => sameBytes(one.id, id.content))
    if (key === undefined) continue
    const size = sizeOf(key.key)
    if (size === null || oidOf(cipher?.children[0]) !== aesWrap[size]) refuseLoad('badEncryptAlgorithm', 'The firmware key is wrapped with an algorithm that is not accepted here, or that does not go with the key at hand; AES key wrap (RFC 3394) is.')
    try {
      return aeskw(key.key).decrypt(encrypted.content)
    } catch {
      refuseLoad('decryptFailure', 'The wrapped firmware key does not unwrap: the key-encryption key is another one.')
    }
  }
  return refuseLoad('noDecryptKey', 'The firmware key travels along, wrapped for keys that are not here. Add the key-encryption key, or ask the package\'s maker to wrap it for yours.')
}
