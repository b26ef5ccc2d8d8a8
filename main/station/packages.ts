// Packages at the station: whom it trusts, what goes into the log, and how a file of one is opened. The room cms decides;
// here it is given the home's anchors, zlib, the wall clock's moment and the log.
import { createHash } from 'node:crypto'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateSync, inflateSync } from 'node:zlib'
import { toHex } from '../base/bytes.ts'
import { Failure, attempt, failed } from '../base/failure.ts'
import { bytesWords } from '../cms/attributes.ts'
import type { PackageName } from '../cms/attributes.ts'
import { certificateFrom } from '../cms/certificate.ts'
import type { Decrypting, Deflate, Inflate, NamedSecret } from '../cms/layers.ts'
import { loadErrors } from '../cms/errors.ts'
import type { LoaderFacts } from '../cms/loader.ts'
import { keysAsked, openPackage, readPackage } from '../cms/package.ts'
import type { OpenWorld, OpenedPackage } from '../cms/package.ts'
import { anchorFromCertificate, anchorFromKey } from '../cms/trust.ts'
import type { Trust, TrustAnchor } from '../cms/trust.ts'
import type { Certificate } from '../cms/pki.ts'
import type { ImageVersion } from '../image/version.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { readPem } from '../keys/pem.ts'
import type { KindData } from '../log/kinds.ts'
import type { DeskWorld } from './desk.ts'
import type { OpenedFile } from './files.ts'
import { findFirmwareKey, openFirmwareKey } from './firmware-keys.ts'
import { readImage } from './images.ts'
import type { ReadImage } from './images.ts'

export const packageFileBytesMax = 80 * 1024 * 1024
const trustFilesMax = 64
const certificateBytesMax = 64 * 1024

export const deflate: Deflate = (bytes) => new Uint8Array(deflateSync(bytes, { level: 9 }))

export const inflate: Inflate = (bytes, bytesMax) => {
  try {
    return new Uint8Array(inflateSync(bytes, { maxOutputLength: bytesMax }))
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code !== 'ERR_BUFFER_TOO_LARGE' && !code.startsWith('Z_')) throw error
    return new Failure('not-inflated', code === 'ERR_BUFFER_TOO_LARGE' ? `it would become larger than ${bytesMax} bytes.` : 'the data are damaged.')
  }
}

/** Where the home keeps the certificates it trusts packages by. */
export function trustFolderOf(home: string): string {
  return join(home, 'trust')
}

/** Certificates in a file's bytes, PEM or DER. Kind `not-a-certificate`. */
export function certificatesIn(bytes: Uint8Array): Certificate[] | Failure {
  if (bytes[0] === 0x30) {
    const one = certificateFrom(bytes)
    return failed(one) ? one : [one]
  }
  const blocks = readPem(new TextDecoder('latin1').decode(bytes))
  const found = failed(blocks) ? [] : blocks.filter(({ label }) => label === 'CERTIFICATE').map(({ der }) => certificateFrom(der))
  const wrong = found.find((one) => failed(one))
  if (wrong !== undefined && failed(wrong)) return wrong
  if (found.length === 0) return new Failure('not-a-certificate', 'This file holds no certificate: one begins with "-----BEGIN CERTIFICATE-----".')
  return found as Certificate[]
}

/** The home's anchors: the certificates of its trust folder, and its keys, each of which may sign packages itself. */
export async function anchorsOf(home: string, keys: readonly KeyEntry[]): Promise<TrustAnchor[] | Failure> {
  const anchors: TrustAnchor[] = []
  let files: string[] = []
  try {
    files = (await readdir(trustFolderOf(home))).filter((file) => /\.(pem|crt|cer|der)$/i.test(file)).sort().slice(0, trustFilesMax)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    if (code !== 'ENOENT') return new Failure('trust-unreadable', `The folder of trust anchors in ${home} cannot be read. Check its permissions.`)
  }
  for (const file of files) {
    const bytes = await readFile(join(trustFolderOf(home), file)).catch(() => null)
    const certificates = bytes === null || bytes.length > certificateBytesMax ? new Failure('not-a-certificate', 'it cannot be read.') : certificatesIn(new Uint8Array(bytes))
    if (failed(certificates)) return new Failure('trust-unreadable', `The trust anchor ${file} does not read: ${certificates.says} Take it out of ${trustFolderOf(home)}, or replace it.`)
    for (const { der } of certificates) {
      const anchor = anchorFromCertificate(der)
      if (!failed(anchor)) anchors.push(anchor)
    }
  }
  for (const entry of keys) {
    const key = entry.retiredAt === null ? publicKeyOf(entry) : null
    const anchor = key === null || failed(key) ? null : anchorFromKey(key.spki, entry.name)
    if (anchor !== null && !failed(anchor)) anchors.push(anchor)
  }
  return anchors
}

/** Opens a package with that trust; loader questions are asked where facts are given. */
export function openWith(bytes: Uint8Array, trust: Trust, loader: LoaderFacts | null, decrypt: OpenWorld['decrypt'] = {}): OpenedPackage | Failure {
  return openPackage(bytes, { trust, loader, decrypt, inflate })
}

/**
 * `openWith`, and where the package is encrypted, a key that `keyFor` gives (null: not here) and that is wiped here. No key is
 * asked for before the signature held: a stranger's package brings nobody to type a passphrase.
 */
export async function openAsking(bytes: Uint8Array, trust: Trust, loader: LoaderFacts | null, given: Decrypting, keyFor: (id: Uint8Array) => Promise<NamedSecret | null | Failure>): Promise<OpenedPackage | Failure> {
  const first = openWith(bytes, trust, loader, given)
  if (!failed(first) || first.kind !== loadErrors.noDecryptKey.kind) return first
  const asked = attempt(() => keysAsked(readPackage(bytes)))
  if (failed(asked)) return asked
  for (const id of asked) {
    const secret = await keyFor(id)
    if (failed(secret)) return secret
    if (secret === null) continue
    try {
      return openWith(bytes, trust, loader, { firmwareKeys: [...given.firmwareKeys ?? [], secret], wrappingKeys: [...given.wrappingKeys ?? [], secret] })
    } finally {
      secret.key.fill(0)
    }
  }
  return first
}

/** An image's version as one number: its four parts beside each other, so that order stays order. */
export function versionNumber({ major, minor, revision, build }: ImageVersion): bigint {
  return (BigInt(major) << 56n) | (BigInt(minor) << 48n) | (BigInt(revision) << 32n) | BigInt(build)
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const cut = (text: string, most: number) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`)

type PackageFacts = Omit<KindData<'package-opened'>, 'signer' | 'anchor' | 'anchorKeyId' | 'bytes'> & { bytes: number }

/** What the log says of a package. */
export function packageFacts(file: string, bytes: Uint8Array, what: Readonly<{ firmware: Uint8Array; name: PackageName; stale: bigint | Uint8Array | null; hardware: readonly string[]; needs?: readonly PackageName[]; layers: readonly string[]; image?: Readonly<{ hash: string; version: string }> }>): PackageFacts {
  const { name, stale } = what
  return {
    file: cut(file, 200), bytes: bytes.length, packageSha256: sha256(bytes), firmwareSha256: sha256(what.firmware), packageName: cut('legacy' in name ? bytesWords(name.legacy) : name.id, 200),
    ...('legacy' in name ? {} : { packageVersion: String(name.version) }), ...(typeof stale === 'bigint' ? { stale: String(stale) } : {}),
    ...needsOf(what.needs ?? []), hardware: cut(what.hardware.join(' '), 1000), layers: cut(what.layers.join(' '), 200), ...(what.image === undefined ? {} : { imageHash: what.image.hash, version: what.image.version }),
  }
}

/** Free names have no order, so nothing could ever be checked against them. */
function needsOf(needs: readonly PackageName[]): { needs?: string } {
  const words = needs.flatMap((need) => ('legacy' in need ? [] : [`${need.id}:${need.version}`]))
  return words.length === 0 ? {} : { needs: cut(words.join(' '), 1000) }
}

/** `package-opened` for the log. */
export function openedEntry(file: string, bytes: Uint8Array, opened: OpenedPackage, image?: Readonly<{ hash: string; version: string }>): KindData<'package-opened'> {
  const { firmwarePackageID, targetHardwareIDs, firmwarePackageInfo } = opened.attributes
  return {
    ...packageFacts(file, bytes, { firmware: opened.firmware, ...firmwarePackageID, hardware: targetHardwareIDs, needs: firmwarePackageInfo?.dependencies ?? [], layers: opened.layers, ...(image === undefined ? {} : { image }) }),
    signer: cut(opened.signedBy.path[0]?.name ?? opened.signedBy.anchor.name, 200), anchor: cut(opened.signedBy.anchor.name, 200), anchorKeyId: toHex(opened.signedBy.anchor.keyId),
    ...(opened.attributes.decryptKeyID === undefined ? {} : { decryptKeyId: toHex(opened.attributes.decryptKeyID).slice(0, 128) }),
  }
}

/** `package-refused` for the log. */
export function refusedEntry(file: string, bytes: Uint8Array, failure: Failure, meant: Readonly<{ unit?: string | undefined; hardware?: string | undefined }> = {}): KindData<'package-refused'> {
  const code = failure.facts['rfc4108']
  const { unit, hardware } = meant
  // What it calls itself is worth noting even where nothing of it is proven.
  const read = attempt(() => readPackage(bytes))
  const name = failed(read) ? undefined : read.attributes.known.firmwarePackageID?.name
  return {
    file: cut(file, 200), packageSha256: sha256(bytes), failure: failure.kind.slice(0, 64), says: cut(failure.says, 1000), ...(typeof code === 'number' ? { code } : {}),
    ...(unit === undefined ? {} : { unit: cut(unit, 128) }), ...(hardware === undefined ? {} : { hardware: cut(hardware, 200) }),
    ...(name === undefined ? {} : 'legacy' in name ? { packageName: cut(bytesWords(name.legacy), 200) } : { packageName: cut(name.id, 200), packageVersion: String(name.version) }),
  }
}

/** The home whose anchors count, and its keys and open files. */
export type PackageDesk = Readonly<{ home: string; atMs: number; desk: DeskWorld }>

export type OpenedPackageFile = Readonly<{ opened: OpenedPackage; image: ReadImage }>

/** A package file proven and unwrapped: from here on the open file is its image. The image's own hash and signature are judged as well. */
export async function openPackageFile(file: OpenedFile, { home, atMs, desk }: PackageDesk, passphrase: string | null = null): Promise<OpenedPackageFile | Failure> {
  const [own, known] = await Promise.all([desk.keyring.list(), desk.known?.list() ?? []])
  if (failed(own)) return own
  if (failed(known)) return known
  const keys = [...own, ...known]
  const anchors = await anchorsOf(home, keys)
  if (failed(anchors)) return anchors
  const opened = await openAsking(file.bytes, { anchors, atMs }, null, {}, (id) => keyHere(home, id, desk, passphrase))
  if (failed(opened)) return opened
  const image = readImage({ ...file, bytes: opened.firmware, sha256: sha256(opened.firmware) }, keys)
  const why = failed(image) ? image.says : image.view.signature === 'invalid' ? 'the signature of the image in it does not hold.' : image.facts.hashHolds ? null : 'the image in it does not match its own hash.'
  if (failed(image) || why !== null) return new Failure('bad-firmware', `The package is genuine, but not usable: ${why ?? ''}`, { rfc4108: loadErrors.badFirmware.code, code: 'badFirmware' })
  desk.files.unwrap(file, opened)
  return { opened, image }
}

/** Kind `firmware-key-locked`: the key is here and nobody has opened it yet. */
async function keyHere(home: string, id: Uint8Array, { firmwareKeys }: DeskWorld, passphrase: string | null): Promise<NamedSecret | null | Failure> {
  const held = firmwareKeys?.get(id) ?? null
  if (held !== null) return held
  const entry = await findFirmwareKey(home, id)
  if (failed(entry) || entry === null) return entry
  if (passphrase === null) return new Failure('firmware-key-locked', `The package is encrypted with the firmware key ${bytesWords(id)}, which rests here encrypted. Give its passphrase; the key is then open until the station is locked or closed.`, { name: bytesWords(id) })
  const secret = await openFirmwareKey(entry, passphrase)
  if (!failed(secret)) firmwareKeys?.hold(secret)
  return secret
}
