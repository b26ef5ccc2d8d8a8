// An opened image as the station sees it: a view for people, and the facts a run's preflight decides on. What the image
// claims of its signer is proven with the keyring's keys or said to be unproven; nothing is taken on its word.
import { Failure, failed } from '../base/failure.ts'
import { fromHex, toHex } from '../base/bytes.ts'
import type { HashName, PublicKey } from '../base/signer.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { ComparisonView, ImageView, SizeView } from '../contract/views.ts'
import { compareImages } from '../image/compare.ts'
import { inspectImage } from '../image/inspect.ts'
import type { ImageReport } from '../image/inspect.ts'
import { dependencyOf } from '../image/dependency.ts'
import { keyHash } from '../image/keyhash.ts'
import { sizeReport } from '../image/size.ts'
import { TLV } from '../image/tlv.ts'
import { parseVersion } from '../image/version.ts'
import { publicKeyOf } from '../keys/keyring.ts'
import type { KeyEntry, Keyring } from '../keys/keyring.ts'
import type { ImageFacts } from '../line/state.ts'
import type { OpenFiles, OpenedFile } from './files.ts'
import { saidView } from './views.ts'

export type ReadImage = Readonly<{ view: ImageView; facts: ImageFacts }>

/** Reads and judges an image with the keys known. Fails where nothing can be read (not an image, truncated, no hash). */
export function readImage(file: OpenedFile, keys: readonly KeyEntry[]): ReadImage | Failure {
  const first = inspectImage(file.bytes)
  if (failed(first)) return first
  if (first.hash === null) return new Failure('no-hash', `"${file.name}" carries no image hash, so no board could name it. Sign it again.`)
  const signer = signerOf(first, keys)
  const report = signer === null ? first : inspectImage(file.bytes, signer.publicKey)
  if (failed(report)) return report
  const version = parseVersion(report.version)
  if (failed(version)) return version
  const signature = signatureOf(report)
  const key = signer?.entry ?? null
  const view = viewOf(file, report, first.hash.claimed, signature, key)
  return {
    view,
    facts: {
      fileName: file.name, bytes: file.bytes.length, imageBytes: report.imageBytes, fileSha256: file.sha256, hash: first.hash.claimed,
      // An encrypted image's hash covers what only the board can decrypt; there the signature is what holds.
      hashHolds: first.hash.check !== 'differs', version, bootable: report.bootable, hasTrailer: report.rest.is === 'trailer',
      ramLoad: report.header.flagNames.includes('RAM_LOAD'), ...specialFacts(report), keyHash: report.keyHash, signature, key: key === null ? null : { name: key.name, fingerprint: key.fingerprint, class: key.class, retired: key.retiredAt !== null },
    },
  }
}

/** What only some images have; left out where it is not so. */
function specialFacts(report: ImageReport): Pick<ImageFacts, 'runsHash' | 'compressed' | 'encrypted' | 'securityCounter' | 'dependencies'> {
  const valuesOf = (type: number) => report.tlvs.flatMap((tlv) => (tlv.area === 'protected' && tlv.type === type ? [fromHex(tlv.hex) ?? new Uint8Array(0)] : []))
  const unpacked = report.compressed ? valuesOf(TLV.DECOMP_SHA)[0] : undefined
  const dependencies = valuesOf(TLV.DEPENDENCY).flatMap((value) => dependencyOf(value) ?? [])
  return {
    ...(unpacked === undefined ? {} : { runsHash: toHex(unpacked) }),
    ...(report.compressed ? { compressed: true } : {}),
    ...(report.encrypted ? { encrypted: true } : {}),
    ...(report.securityCounter === null ? {} : { securityCounter: report.securityCounter }),
    ...(dependencies.length === 0 ? {} : { dependencies }),
  }
}

/** Two opened images side by side, each judged with the keys known. */
export async function compareFiles(world: ImageWorld, left: string, right: string): Promise<ComparisonView | Failure> {
  const sides = await Promise.all([reportOfFile(world, left), reportOfFile(world, right)])
  const [one, other] = sides
  if (failed(one)) return one
  if (failed(other)) return other
  return { left: one.name, right: other.name, differences: compareImages(one.report, other.report) }
}

/** How much room an opened image leaves in slots of this size, for every swap mode. */
export async function sizeOfFile(world: ImageWorld, { file, slotBytes, sectorBytes, align }: CheckedArgsOf<'sizeOfFile'>): Promise<SizeView | Failure> {
  const opened = await reportOfFile(world, file)
  if (failed(opened)) return opened
  const { header: { headerBytes, payloadBytes, protectedTlvBytes }, imageBytes } = opened.report
  const tlvBytes = imageBytes - headerBytes - payloadBytes - protectedTlvBytes
  return sizeReport({ headerBytes, payloadBytes, protectedTlvBytes, tlvBytes }, { primaryBytes: slotBytes, sectorBytes, align })
}

export type ImageWorld = Readonly<{ keyring: Keyring; known?: Keyring; files: OpenFiles }>

/** The key known here that an image names as its signer; null where none is known. */
export async function knownSignerOf({ keyring, known }: Pick<ImageWorld, 'keyring' | 'known'>, bytes: Uint8Array): Promise<PublicKey | null | Failure> {
  const report = inspectImage(bytes)
  if (failed(report)) return report
  const [own, others] = await Promise.all([keyring.list(), known?.list() ?? []])
  if (failed(own)) return own
  return failed(others) ? others : signerOf(report, [...own, ...others])?.publicKey ?? null
}

async function reportOfFile({ keyring, known, files }: ImageWorld, id: string): Promise<{ name: string; report: ImageReport } | Failure> {
  const file = files.get(id)
  if (failed(file)) return file
  const first = inspectImage(file.bytes)
  if (failed(first)) return first
  const [own, others] = await Promise.all([keyring.list(), known?.list() ?? []])
  if (failed(own)) return own
  if (failed(others)) return others
  const signer = signerOf(first, [...own, ...others])
  const report = signer === null ? first : inspectImage(file.bytes, signer.publicKey)
  return failed(report) ? report : { name: file.name, report }
}

type KnownSigner = Readonly<{ entry: KeyEntry; publicKey: PublicKey }>

/** The key of the ring that the image names; KEYHASH is taken with the image's own hash (imgtool's rule). */
function signerOf(report: ImageReport, keys: readonly KeyEntry[]): KnownSigner | null {
  const named = report.keyHash
  if (report.hash === null) return null
  const { name }: { name: HashName } = report.hash
  // --public-key-format full: the key itself stands there instead of its hash.
  const whole = named === null ? report.tlvs.find((tlv) => tlv.name === 'PUBKEY')?.hex ?? null : null
  for (const entry of keys) {
    const publicKey = publicKeyOf(entry)
    if (failed(publicKey)) continue
    if (named === null ? whole === toHex(publicKey.encoded) : entry.fingerprint === named || toHex(keyHash(publicKey, name)) === named) return { entry, publicKey }
  }
  return null
}

function signatureOf(report: ImageReport): ImageView['signature'] {
  if (report.signature === null) return 'unsigned'
  return { holds: 'valid', 'does-not-hold': 'invalid', 'no-key-given': 'unknown-key' }[report.signature.check] as ImageView['signature']
}

function viewOf(file: OpenedFile, report: ImageReport, hash: string, signature: ImageView['signature'], key: KeyEntry | null): ImageView {
  return {
    fileName: file.name,
    bytes: file.bytes.length,
    version: report.version,
    headerBytes: report.header.headerBytes,
    payloadBytes: report.header.payloadBytes,
    loadAddress: report.header.loadAddress,
    flags: report.header.flagNames,
    hash,
    hashHolds: report.hash?.check === 'matches',
    keyHash: report.keyHash,
    keyName: key?.name ?? null,
    signature,
    signatureKind: report.signature?.name ?? null,
    securityCounter: report.securityCounter,
    trailer: report.trailer === null ? null : { means: report.trailer.means, imageOk: report.trailer.imageOk === 'set' },
    tlvs: report.tlvs.map(({ type, name, bytes, area, hex, means }) => ({ type, name, length: bytes, protected: area === 'protected', hex, means: means ?? null })),
    wrapped: report.encrypted ? 'encrypted' : report.compressed ? 'compressed' : null,
    warnings: report.wrongs.map(saidView),
  }
}
