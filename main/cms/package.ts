// The firmware package as a whole (RFC 4108 §2): firmware in, signed CMS out, and back again. Making follows the order
// compress, encrypt, sign; opening proves the signature and its path before anything signed is believed. What we write:
// the firmware's bytes stand directly in the eContent OCTET STRING; the other reading of the RFC, a FirmwarePkgData with
// an OCTET STRING of its own inside, is written on request and read without asking.
import { createHash } from 'node:crypto'
import { sameBytes } from '../base/bytes.ts'
import { Failure, attempt, failed } from '../base/failure.ts'
import type { HashName } from '../base/signer.ts'
import { digestOf, schemeWords, signatureBytesMax } from './algorithms.ts'
import { bytesWords, writeSignedAttributes } from './attributes.ts'
import type { Community, PackageInfo, PackageName, SignedAttributes } from './attributes.ts'
import { isOid, join, octets, oid, sequence, setOf } from './der.ts'
import { refuseLoad } from './errors.ts'
import { readCompressed, readEncrypted, wrappedFor, writeCompressed, writeEncrypted, writeWrappedKey } from './layers.ts'
import type { Decrypting, Deflate, Encrypting, Inflate } from './layers.ts'
import { checkLoader, checkMemory, compareSerials } from './loader.ts'
import type { LoaderFacts } from './loader.ts'
import { attributeTypes, contentTypes } from './oids.ts'
import { readBer } from './pki.ts'
import { buildSigned, measureSigned, proveSigned, readSigned, signingHash } from './signed.ts'
import type { FurtherAttributes, ReadSigned, Signing } from './signed.ts'
import { checkAuthorized, findTrusted } from './trust.ts'
import type { Trust, Trusted } from './trust.ts'

export const firmwareBytesMax = 64 * 1024 * 1024

/** What a package shall say and carry. */
export type PackageOrder = Readonly<{
  firmware: Uint8Array
  name: PackageName
  /** Versions up to this one are to be refused from now on. */
  stale?: bigint | Uint8Array | null
  /** Hardware types it is for; at least one. */
  hardware: readonly string[]
  communities?: readonly Community[]
  info?: PackageInfo
  /** Leave out fwPkgMessageDigest, which is otherwise said. */
  noDigest?: boolean
  signingTimeMs?: number
  description?: string
  implCryptoAlgs?: readonly string[]
  implCompressAlgs?: readonly string[]
  compress?: Deflate
  encrypt?: Encrypting
  /** FirmwarePkgData as an OCTET STRING of its own inside the eContent. */
  nested?: boolean
}>

export type MadePackage = Readonly<{
  bytes: Uint8Array
  /** Where the firmware's first byte lies in the package; null when it is compressed or encrypted. */
  firmwareOffset: number | null
  hash: HashName
}>

/** Makes a package. Kinds: `bad-order` for what no package may say, else as the signer fails. */
export async function makePackage(order: PackageOrder, signing: Signing, signal?: AbortSignal): Promise<MadePackage | Failure> {
  const wrong = whyNot(order, signing)
  if (wrong !== null) return wrong
  const hash = signingHash(signing)
  const { contentType, content, nestedBytes } = layer(order)
  const bare = contentType === contentTypes.firmwarePackage
  const digest = bare || order.noDigest !== true ? digestOf(hash, bare ? content : order.firmware) : undefined
  const sameContent = bare && nestedBytes === 0
  const firmwareDigest = order.noDigest === true ? undefined : sameContent || !bare ? digest : digestOf(hash, order.firmware)
  const unsigned = order.encrypt === undefined ? null : writeWrappedKey(order.compress === undefined ? contentTypes.firmwarePackage : contentTypes.compressedData, order.encrypt)
  const made = await buildSigned(contentType, content, furtherAttributes(order, signing, firmwareDigest === undefined ? undefined : { hash, digest: firmwareDigest }), signing, {
    ...(unsigned === null ? {} : { unsigned: [sequence(oid(attributeTypes.wrappedFirmwareKey), setOf([unsigned]))] }),
    ...(bare && digest !== undefined ? { digest } : {}),
    ...(signal === undefined ? {} : { signal }),
  })
  if (failed(made)) return made
  return { bytes: made.bytes, firmwareOffset: bare ? made.contentOffset + nestedBytes : null, hash }
}

/** Where the firmware would lie and how long the package would be, without signing: as if the signature were as long as it can be. */
export function measurePackage(order: PackageOrder, signing: Signing): Readonly<{ imageOffset: number; packageBytes: number }> {
  const hash = signingHash(signing)
  const { contentType, content, nestedBytes } = layer(order)
  const digest = digestOf(hash, new Uint8Array(0))
  const further = furtherAttributes(order, signing, order.noDigest === true ? undefined : { hash, digest })
  const attributes = join(writeSignedAttributes({ contentType, messageDigest: digest, ...further }))
  const { packageBytes, contentOffset } = measureSigned(contentType, content, attributes, signatureBytesMax(signing.signer.publicKey.algorithm), signing)
  return { imageOffset: contentOffset + nestedBytes, packageBytes }
}

/** The content that is signed: the firmware, or what is wrapped around it. */
function layer(order: PackageOrder): { contentType: string; content: Uint8Array; nestedBytes: number } {
  let contentType: string = contentTypes.firmwarePackage
  let content = order.nested === true ? join(octets(order.firmware)) : order.firmware
  const nestedBytes = content.length - order.firmware.length
  if (order.compress !== undefined) {
    content = writeCompressed(content, order.compress)
    contentType = contentTypes.compressedData
  }
  if (order.encrypt !== undefined) {
    content = writeEncrypted(contentType, content, order.encrypt)
    contentType = contentTypes.encryptedData
  }
  return { contentType, content, nestedBytes }
}

/** The attributes that order and signer ask for, in all their conditions (§2.2). */
export function furtherAttributes(order: PackageOrder, { certificate }: Signing, digest?: SignedAttributes['fwPkgMessageDigest']): FurtherAttributes {
  return {
    firmwarePackageID: { name: order.name, stale: order.stale ?? null },
    targetHardwareIDs: order.hardware,
    ...(order.encrypt === undefined ? {} : { decryptKeyID: order.encrypt.secret.id }),
    ...(order.implCryptoAlgs === undefined ? {} : { implCryptoAlgs: order.implCryptoAlgs }),
    ...(order.implCompressAlgs === undefined ? {} : { implCompressAlgs: order.implCompressAlgs }),
    ...(order.communities === undefined ? {} : { communityIdentifiers: order.communities }),
    ...(order.info === undefined ? {} : { firmwarePackageInfo: order.info }),
    ...(digest === undefined ? {} : { fwPkgMessageDigest: digest }),
    ...(order.signingTimeMs === undefined ? {} : { signingTime: order.signingTimeMs }),
    ...(order.description === undefined ? {} : { contentHints: { description: order.description, contentType: contentTypes.firmwarePackage } }),
    ...(certificate === null ? {} : { signingCertificate: certHash(certificate.der) }),
  }
}

function whyNot(order: PackageOrder, { sid, certificate }: Signing): Failure | null {
  const bad = (says: string) => new Failure('bad-order', says)
  const { firmware, hardware, communities = [], encrypt, info, name, stale } = order
  if (firmware.length === 0) return bad('There is no firmware to pack: the file is empty.')
  if (firmware.length > firmwareBytesMax) return bad(`The firmware has ${firmware.length} bytes; a package takes at most ${firmwareBytesMax}.`)
  if (hardware.length === 0) return bad('A package must say which hardware it is for. Give at least one hardware type.')
  const ids = [...hardware, ...('legacy' in name ? [] : [name.id]), ...communities.map((one) => ('community' in one ? one.community : one.hardware)), ...(order.implCryptoAlgs ?? []), ...(order.implCompressAlgs ?? [])]
  const wrong = ids.find((id) => !isOid(id))
  if (wrong !== undefined) return bad(`"${wrong.slice(0, 80)}" is not an object identifier. Write it as numbers with dots, like 1.3.6.1.4.1.99999.1.`)
  if (stale !== undefined && stale !== null && ('legacy' in name) === (typeof stale === 'bigint')) return bad('A numbered package has a numbered stale version, a package with a free name a free one.')
  if (typeof stale === 'bigint' && 'version' in name && name.version <= stale) return bad(`The package is version ${name.version}, and would declare everything up to version ${stale} stale, itself included. Give a lower stale version.`)
  const limits = communities.flatMap((one) => ('community' in one ? [] : [one]))
  const stray = limits.find((one) => !hardware.includes(one.hardware))
  if (stray !== undefined) return bad(`Serial numbers of the hardware ${stray.hardware} are listed, and the package is not for that hardware. Name it as hardware too, or leave the list out.`)
  const empty = limits.flatMap(({ serials }) => serials).find((one) => one.is === 'block' && compareSerials(one.low, one.high) > 0)
  if (empty !== undefined && empty.is === 'block') return bad(`No serial number lies between ${bytesWords(empty.low)} and ${bytesWords(empty.high)}: shorter ones come first, then they count byte by byte. Turn the two round.`)
  if (info !== undefined && info.type === null && (info.dependencies?.length ?? 0) === 0) return bad('Package information without type and dependencies says nothing. Leave it out.')
  if (sid === 'issuer-serial' && certificate === null) return bad('Naming the signer by issuer and serial number needs the signer\'s certificate.')
  for (const secret of [encrypt?.secret, encrypt?.wrapFor]) if (secret !== undefined && ![16, 32].includes(secret.key.length)) return bad('Encryption keys have 16 or 32 bytes (AES-128 or AES-256).')
  return null
}

/** SHA-1 of a certificate, as ESSCertID wants it (RFC 2634 §5.4); it names the certificate, it does not protect it. */
function certHash(der: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(der).digest())
}

/** Whom to trust, what is known of the unit, and the keys at hand. */
export type OpenWorld = Readonly<{
  trust: Trust
  /** Null: the questions of the loader are not asked here. */
  loader: LoaderFacts | null
  decrypt?: Decrypting
  inflate?: Inflate
}>

export type LayerName = 'signed' | 'encrypted' | 'compressed' | 'firmware'

export type OpenedPackage = Readonly<{
  firmware: Uint8Array
  /** Where the firmware lies in the package's bytes; null when it is compressed, encrypted or in pieces. */
  firmwareOffset: number | null
  layers: readonly LayerName[]
  /** `bare`: the firmware is the eContent; `nested`: it stood in an octet string of its own. */
  form: 'bare' | 'nested'
  attributes: SignedAttributes & Required<Pick<SignedAttributes, 'firmwarePackageID' | 'targetHardwareIDs'>>
  unknownAttributes: readonly string[]
  signedBy: Trusted
  algorithm: string
}>

const packageContents: ReadonlySet<string> = new Set([contentTypes.firmwarePackage, contentTypes.encryptedData, contentTypes.compressedData])

/** Opens a package and proves all of it, or says why not: an RFC 4108 error code (fact `rfc4108`) and a sentence. */
export function openPackage(bytes: Uint8Array, world: OpenWorld): OpenedPackage | Failure {
  return attempt(() => {
    const read = readPackage(bytes)
    const signedBy = findTrusted(read.signer, read.certificates, read.revocationLists, world.trust)
    proveSigned(read, signedBy.spki)
    const attributes = requireAttributes(read)
    checkAuthorized(signedBy.anchor, attributes.firmwarePackageID.name, attributes.targetHardwareIDs)
    checkSigningCertificate(attributes, signedBy)
    if (world.loader !== null) checkLoader(attributes, world.loader)
    const inner = unwrapFirmware(read, attributes, world)
    checkFirmwareDigest(read, attributes, inner)
    if (world.loader !== null) checkMemory(inner.firmware.length, world.loader)
    return { ...inner, attributes, unknownAttributes: read.attributes.unknown, signedBy, algorithm: schemeWords(read.scheme) }
  })
}

/** The structure alone, nothing proven. Only below `attempt`. */
export function readPackage(bytes: Uint8Array): ReadSigned {
  return readSigned(bytes, packageContents)
}

const keysAskedMax = 16

/** Names of the keys of which any one opens an encrypted package: its own, and those its own is wrapped for. Only below `attempt`. */
export function keysAsked({ attributes, wrappedFirmwareKey }: ReadSigned): Uint8Array[] {
  const { decryptKeyID } = attributes.known
  return [...(decryptKeyID === undefined ? [] : [decryptKeyID]), ...(wrappedFirmwareKey === null ? [] : wrappedFor(wrappedFirmwareKey))].slice(0, keysAskedMax)
}

/** Whether a file looks like CMS signed data at all, from its first bytes; for telling packages from images. */
export function looksLikePackage(bytes: Uint8Array): boolean {
  const signedData = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02]
  if (bytes[0] !== 0x30) return false
  const lengthBytes = (bytes[1] ?? 0) > 0x80 ? (bytes[1] ?? 0) & 0x7f : 0
  return signedData.every((byte, i) => bytes[2 + lengthBytes + i] === byte)
}

type FullAttributes = OpenedPackage['attributes']

/** The two attributes no package may lack beside content type and digest; refuses with badSignedAttrs. */
export function requireAttributes(read: ReadSigned): FullAttributes {
  const { known } = read.attributes
  const { firmwarePackageID, targetHardwareIDs } = known
  if (firmwarePackageID === undefined || targetHardwareIDs === undefined) {
    refuseLoad('badSignedAttrs', `The signed attribute ${firmwarePackageID === undefined ? 'firmwarePackageID' : 'targetHardwareIDs'} is missing, without which nobody knows what the package is for.`)
  }
  return { ...known, firmwarePackageID, targetHardwareIDs }
}

function checkSigningCertificate({ signingCertificate }: SignedAttributes, { path, anchor }: Trusted): void {
  const own = path[0] ?? anchor.certificate
  if (signingCertificate === undefined || own === null) return
  if (!sameBytes(certHash(own.der), signingCertificate)) refuseLoad('badSignedAttrs', 'The package was signed under another certificate of the same key than the one it comes with.')
}

type Inner = Pick<OpenedPackage, 'firmware' | 'firmwareOffset' | 'layers' | 'form'>

/** Takes off encryption and compression. Only below `attempt`. */
export function unwrapFirmware(read: ReadSigned, attributes: SignedAttributes, { decrypt = {}, inflate }: Pick<OpenWorld, 'decrypt' | 'inflate'>): Inner {
  const layers: LayerName[] = ['signed']
  let { contentType, content } = read
  if (contentType === contentTypes.encryptedData) {
    layers.push('encrypted')
    ;({ contentType, content } = readEncrypted(content, attributes.decryptKeyID, read.wrappedFirmwareKey, decrypt))
  }
  if (contentType === contentTypes.compressedData) {
    layers.push('compressed')
    content = readCompressed(content, inflate ?? null, firmwareBytesMax)
  }
  layers.push('firmware')
  const nested = nestedIn(content)
  const firmware = nested ?? content
  if (firmware.length === 0) refuseLoad('badFirmware', 'The package is genuine, but the firmware in it is empty.')
  const plain = layers.length === 2 && read.contentOffset !== null
  return { firmware, layers, form: nested === null ? 'bare' : 'nested', firmwareOffset: plain ? (read.contentOffset ?? 0) + content.length - firmware.length : null }
}

/**
 * The other reading of FirmwarePkgData: content that is, to its last byte, one OCTET STRING. An image cannot be mistaken
 * for it, since MCUboot's magic begins with 3d or (big endian) 96.
 */
function nestedIn(content: Uint8Array): Uint8Array | null {
  if ((content[0] ?? 0) !== 0x04) return null
  const value = readBer(content)
  return value?.tag === 0x04 ? value.content : null
}

function checkFirmwareDigest(read: ReadSigned, { fwPkgMessageDigest: said }: SignedAttributes, { firmware, layers, form }: Inner): void {
  if (said === undefined) return
  // Where the firmware is the signed content itself, its digest was computed for the signature already.
  const proven = layers.length === 2 && form === 'bare' && said.hash === read.hash ? read.attributes.known.messageDigest : digestOf(said.hash, firmware)
  if (!sameBytes(proven, said.digest)) refuseLoad('badFirmware', 'The package is genuine, but the firmware in it is not the one whose digest it states.')
}
