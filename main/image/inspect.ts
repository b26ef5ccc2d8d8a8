// One plain, JSON-able account of an image for people and programs: what it claims, what of that was proven here, what
// each TLV means, and which swap its trailer would cause. Claimed and proven stand apart, since a hash TLV alone
// proves nothing but care.
import { allBytes, sameBytes, toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { said, type Said } from '../base/said.ts'
import type { HashName, PublicKey } from '../base/signer.ts'
import { FIRMWARE_BYTES_MAX, flagNames, formatVersion, isCompressed, isEncrypted, parseImage } from './format.ts'
import type { Endian, ImageFile, Tlv } from './format.ts'
import { knownTestKey } from './keyhash.ts'
import { TLV, tlvName } from './tlv.ts'
import { MAGIC_BYTES, alignOfMagic, decideSwap, decodeTrailer, erasedTrailer } from './trailer.ts'
import type { SwapType, TrailerState } from './trailer.ts'
import { claimedHash, hashRegion, verifyParsed } from './verify.ts'

export type TlvReport = Readonly<{
  area: 'protected' | 'unprotected'
  offset: number
  type: number
  name: string
  bytes: number
  /** The value in hex, cut after 1024 bytes. */
  hex: string
  /** What the value says, where that can be put in words: a few of them, no sentence. */
  means?: Said
}>

export type ImageReport = Readonly<{
  fileBytes: number
  /** Header to last TLV. */
  imageBytes: number
  endian: Endian
  version: string
  header: Readonly<{ headerBytes: number; payloadBytes: number; protectedTlvBytes: number; loadAddress: number; flags: number; flagNames: readonly string[] }>
  bootable: boolean
  encrypted: boolean
  compressed: boolean
  pure: boolean
  /** `matches` proven here; `encrypted`: cannot be proven without the private encryption key. */
  hash: null | Readonly<{ name: HashName; claimed: string; computed: string; check: 'matches' | 'differs' | 'encrypted' }>
  /** What the image says of its signer; proven only under `signature.check`. */
  keyHash: string | null
  /** Set when the named key is one whose private half MCUboot publishes. */
  publicTestKey: string | null
  signature: null | Readonly<{ name: string; offset: number; bytes: number; check: 'holds' | 'does-not-hold' | 'no-key-given'; says?: string }>
  securityCounter: number | null
  tlvs: readonly TlvReport[]
  /** What follows the image in the file. */
  rest: Readonly<{ bytes: number; is: 'nothing' | 'padding' | 'trailer' | 'other' }>
  trailer: null | (TrailerState & Readonly<{ maxAlign: number; swap: SwapType; means: Said }>)
  /** Everything wrong with it, in sentences; empty when nothing is. */
  wrongs: readonly Said[]
}>

const hexBytesMax = 1024

/** Reports on an image; with a key, its signature is checked too. Fails only where nothing can be read. */
export function inspectImage(bytes: Uint8Array, key?: PublicKey): ImageReport | Failure {
  if (bytes.length > 4 * FIRMWARE_BYTES_MAX) return new Failure('too-large', `The file has ${bytes.length} bytes, more than any flash this station writes. Is it the right file?`, { bytes: bytes.length })
  const image = parseImage(bytes)
  if (failed(image)) return image
  const wrongs: Said[] = []
  const hash = hashReport(image, wrongs)
  const keyTlv = image.tlvs.find((tlv) => tlv.type === TLV.KEYHASH)
  const keyHashHex = keyTlv === undefined ? null : toHex(keyTlv.value)
  const publicTestKey = keyHashHex === null ? null : (knownTestKey(keyHashHex) ?? null)
  if (publicTestKey !== null) wrongs.push(said('image-test-key', `It is signed with MCUboot's public test key ${publicTestKey}, whose private half anyone can download. Sign it with your own key before it goes into a product.`, { name: publicTestKey }))
  const counter = image.protectedTlvs.find((tlv) => tlv.type === TLV.SEC_CNT && tlv.value.length === 4)
  const rest = restReport(image)
  if (rest.is === 'other') wrongs.push(said('image-followed', `${rest.bytes} bytes follow the image (from offset ${image.imageBytes}) that are neither padding nor a trailer.`, { bytes: rest.bytes, offset: image.imageBytes }))
  return {
    fileBytes: bytes.length,
    imageBytes: image.imageBytes,
    endian: image.endian,
    version: formatVersion(image.header.version),
    header: {
      headerBytes: image.header.headerBytes, payloadBytes: image.header.payloadBytes, protectedTlvBytes: image.header.protectedTlvBytes,
      loadAddress: image.header.loadAddress, flags: image.header.flags, flagNames: flagNames(image.header.flags),
    },
    bootable: !flagNames(image.header.flags).includes('NON_BOOTABLE'),
    encrypted: isEncrypted(image.header),
    compressed: isCompressed(image.header),
    pure: image.tlvs.some((tlv) => tlv.type === TLV.SIG_PURE),
    hash,
    keyHash: keyHashHex,
    publicTestKey,
    signature: signatureReport(image, key, wrongs),
    securityCounter: counter === undefined ? null : number32(counter.value, image.endian),
    tlvs: [
      ...image.protectedTlvs.map((tlv) => tlvReport(tlv, 'protected', image.endian)),
      ...image.tlvs.map((tlv) => tlvReport(tlv, 'unprotected', image.endian)),
    ],
    rest,
    trailer: rest.is === 'trailer' ? trailerReport(image) : null,
    wrongs,
  }
}

function hashReport(image: ImageFile, wrongs: Said[]): ImageReport['hash'] {
  const claim = claimedHash(image)
  if (failed(claim)) {
    wrongs.push(claim)
    return null
  }
  const computed = hashRegion(image, claim.hash)
  const matches = sameBytes(computed, claim.tlv.value)
  const check = matches ? 'matches' : isEncrypted(image.header) ? 'encrypted' : 'differs'
  if (check === 'differs') wrongs.push(said('image-hash-differs', `It does not match its own ${claim.hash.toUpperCase()} hash: a byte of header, firmware or protected TLVs was changed or damaged.`, { hash: claim.hash.toUpperCase() }))
  return { name: claim.hash, claimed: toHex(claim.tlv.value), computed: toHex(computed), check }
}

const signatureTypes: ReadonlySet<number> = new Set([TLV.RSA2048, TLV.RSA3072, TLV.ECDSASIG, TLV.ECDSA224, TLV.ED25519])

function signatureReport(image: ImageFile, key: PublicKey | undefined, wrongs: Said[]): ImageReport['signature'] {
  const tlv = image.tlvs.find(({ type }) => signatureTypes.has(type))
  if (tlv === undefined) {
    wrongs.push(said('image-unsigned', 'It carries no signature: boards that check signatures will not boot it.'))
    return null
  }
  const found = { name: tlvName(tlv.type), offset: tlv.offset, bytes: tlv.value.length }
  if (key === undefined) return { ...found, check: 'no-key-given' }
  const verified = verifyParsed(image, key, { encryptedOk: true })
  if (!failed(verified)) return { ...found, check: 'holds' }
  // A hash that does not match, or is not there, has been told.
  if (verified.kind !== 'bad-hash' && !wrongs.some(({ kind }) => kind === verified.kind)) wrongs.push(verified)
  return { ...found, check: 'does-not-hold', says: verified.says }
}

function tlvReport(tlv: Tlv, area: TlvReport['area'], endian: Endian): TlvReport {
  const means = meaning(tlv, endian)
  return {
    area, offset: tlv.offset, type: tlv.type, name: tlvName(tlv.type), bytes: tlv.value.length,
    hex: toHex(tlv.value.subarray(0, hexBytesMax)) + (tlv.value.length > hexBytesMax ? '…' : ''),
    ...(means === undefined ? {} : { means }),
  }
}

function number32(value: Uint8Array, endian: Endian): number {
  return new DataView(value.buffer, value.byteOffset, value.length).getUint32(0, endian === 'little')
}

function meaning({ type, value }: Tlv, endian: Endian): Said | undefined {
  const little = endian === 'little'
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  if (type === TLV.DEPENDENCY && value.length === 12) {
    const version = { major: view.getUint8(4), minor: view.getUint8(5), revision: view.getUint16(6, little), build: view.getUint32(8, little) }
    return said('tlv-needs', `needs image ${view.getUint8(0)} at ${formatVersion(version)} or newer`, { image: view.getUint8(0), version: formatVersion(version) })
  }
  const number = value.length === 4 ? view.getUint32(0, little) : 0
  if (type === TLV.SEC_CNT && value.length === 4) return said('tlv-counter', `security counter ${number}`, { counter: number })
  if (type === TLV.DECOMP_SIZE && value.length === 4) return said('tlv-unpacks', `unpacks to ${number} bytes`, { bytes: number })
  if (type === TLV.COMP_DEC_SIZE && value.length === 4) return said('tlv-decrypts', `compressed firmware of ${number} bytes once decrypted`, { bytes: number })
  if ((type === TLV.UUID_VID || type === TLV.UUID_CID) && value.length === 16) {
    const uuid = toHex(value).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    return type === TLV.UUID_VID ? said('tlv-vendor', `vendor ${uuid}`, { uuid }) : said('tlv-class', `class ${uuid}`, { uuid })
  }
  if (type === TLV.KEYHASH) {
    const known = knownTestKey(toHex(value))
    return known === undefined ? undefined : said('tlv-test-key', `MCUboot's public test key ${known}`, { name: known })
  }
  return undefined
}

function restReport(image: ImageFile): ImageReport['rest'] {
  const { rest } = image
  const bytes = rest.length
  if (bytes === 0) return { bytes, is: 'nothing' }
  if (bytes >= MAGIC_BYTES && alignOfMagic(rest.subarray(bytes - MAGIC_BYTES)) !== null) return { bytes, is: 'trailer' }
  return { bytes, is: allBytes(rest, 0xff) || allBytes(rest, 0) ? 'padding' : 'other' }
}

const swapSays: Readonly<Record<SwapType, Said>> = {
  none: said('trailer-none', 'In the upgrade slot this would not be swapped in.'),
  test: said('trailer-test', 'In the upgrade slot the next boot would try it once and go back unless it is confirmed.'),
  perm: said('trailer-perm', 'In the upgrade slot the next boot would take it for good.'),
  revert: said('trailer-revert', 'In the upgrade slot the next boot would go back to the other image.'),
}

/** The padding tells the erased value: flash whose erased bytes are 0 was padded with 0. */
function trailerReport(image: ImageFile): NonNullable<ImageReport['trailer']> {
  const { rest } = image
  const maxAlign = alignOfMagic(rest.subarray(rest.length - MAGIC_BYTES)) ?? 8
  const erasedValue = rest[0] === 0 ? 0 : 0xff
  const state = decodeTrailer(rest, { maxAlign, erasedValue, endian: image.endian })
  const swap = decideSwap(erasedTrailer, state)
  return { ...state, maxAlign, swap, means: swapSays[swap] }
}
