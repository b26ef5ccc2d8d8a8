// `package open` and `package inspect`: a package proven, then its image proven too, and written or shown. Both are noted
// in the log only where something came of it: an image that went on, or a refusal.
import { basename } from 'node:path'
import { Failure, attempt, failed } from '../base/failure.ts'
import { said, type Said } from '../base/said.ts'
import { nameWords, plainWords } from '../cms/attributes.ts'
import type { Decrypting } from '../cms/layers.ts'
import { readPackage } from '../cms/package.ts'
import type { OpenedPackage } from '../cms/package.ts'
import { schemeWords } from '../cms/algorithms.ts'
import type { PackageView } from '../contract/package-view.ts'
import { parseImage } from '../image/format.ts'
import { inspectImage } from '../image/inspect.ts'
import type { ImageReport } from '../image/inspect.ts'
import { installedOn, loaderFactsFor } from '../station/installed.ts'
import { laidOut } from '../station/sending.ts'
import { packageView } from '../station/package-view.ts'
import { openAsking, openedEntry, packageFileBytesMax, refusedEntry } from '../station/packages.ts'
import type { Answer, Call } from './call.ts'
import { readInput, writeOutput } from './files.ts'
import { prepareHome } from './home.ts'
import { knownKeyFor, publicKeyNamed } from './keys.ts'
import { keptSecret, secretNamed } from './firmware-key.ts'
import type { FirmwarePassphrase } from './firmware-key.ts'
import { trustOf } from './packages.ts'
import type { TrustFlags } from './packages.ts'
import { withLog } from './read-log.ts'
import { record } from './record.ts'
import { columns } from './terminal.ts'

export type OpenFlags = TrustFlags & FirmwarePassphrase & Readonly<{
  hardware?: string; unit?: string; member?: readonly string[]; room?: number; decryptKey?: string; decryptKeyId?: string; unwrapKey?: string; unwrapKeyId?: string; imageKey?: string
}>

type Proven = Readonly<{ bytes: Uint8Array; opened: OpenedPackage; image: ImageReport; view: PackageView }>

export async function open(call: Call, path: string, out: string, flags: OpenFlags): Promise<Answer | Failure> {
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const bytes = await readInput(path, 'package', packageFileBytesMax)
  if (failed(bytes)) return bytes
  const bare = bareImage(path, bytes)
  if (bare !== null) return bare
  const proven = await prove(call, bytes, flags)
  if (failed(proven)) {
    if (aboutPassphrase.has(proven.kind)) return proven
    const noted = await record(call, { kind: 'package-refused', data: refusedEntry(basename(path), bytes, proven, flags) })
    return failed(noted) ? noted : proven
  }
  const written = await writeOutput(out, proven.opened.firmware)
  if (written !== null) return written
  const image = proven.image.hash === null ? undefined : { hash: proven.image.hash.claimed, version: proven.image.version }
  const entry = await record(call, { kind: 'package-opened', data: openedEntry(basename(path), bytes, proven.opened, image) })
  if (failed(entry)) return entry
  return { document: { file: path, image: out, imageHash: image?.hash ?? null, imageVersion: proven.image.version, ...viewDocument(proven.view), entry: entry.seq }, words: `${viewWords(call, path, proven.view)}\n\n${out}: the image, version ${proven.image.version}` }
}

export async function inspect(call: Call, path: string, flags: OpenFlags): Promise<Answer | Failure> {
  const bytes = await readInput(path, 'package', packageFileBytesMax)
  if (failed(bytes)) return bytes
  const read = attempt(() => readPackage(bytes))
  if (failed(read)) return bareImage(path, bytes) ?? read
  const proven = await prove(call, bytes, flags)
  // A list, a certificate or a passphrase that is wrong says nothing of the package.
  if (failed(proven) && proven.facts['rfc4108'] === undefined) return proven
  if (!failed(proven)) return { document: { file: path, holds: true, ...viewDocument(proven.view) }, words: viewWords(call, path, proven.view) }
  // Genuine or not, an engineer wants to know what it claims; that nothing of it is proven stands first.
  const { known } = read.attributes
  const claims = {
    name: known.firmwarePackageID === undefined ? null : nameWords(known.firmwarePackageID.name), hardware: known.targetHardwareIDs ?? [], algorithm: schemeWords(read.scheme), content: read.contentType,
    certificates: read.certificates.map((one) => one.name), description: plainWords(known.contentHints?.description ?? null),
  }
  const { kind, says, facts } = proven
  return {
    document: { file: path, holds: false, failure: { kind, says, facts }, claims },
    words: [
      `${call.paint.bad('Not proven:')} ${says} (RFC 4108: ${String(facts['code'])}, ${String(facts['rfc4108'])})`, '', call.paint.bold('It claims:'),
      columns(Object.entries(claims).map(([name, value]) => [`  ${call.paint.dim(name)}`, Array.isArray(value) ? value.join(', ') : String(value ?? '-')])),
    ].join('\n'),
    good: false,
  }
}

/** What somebody typed or forgot to give, which says nothing of the package. */
const aboutPassphrase: ReadonlySet<string> = new Set(['needs-passphrase', 'wrong-passphrase', 'passphrase-file', 'stopped'])

/** Package, then image: its hash, and its signature where its key is known or named. */
async function prove(call: Call, bytes: Uint8Array, flags: OpenFlags): Promise<Proven | Failure> {
  const trust = await trustOf(call, flags)
  if (failed(trust)) return trust
  const installed = flags.unit === undefined ? [] : await withLog(call, (log) => installedOn(log, flags.unit ?? ''))
  // A home without a log has installed nothing yet.
  const had = failed(installed) ? [] : installed
  const loader = { ...loaderFactsFor(flags.unit ?? null, flags.hardware ?? null, flags.member ?? [], had), ...(flags.room === undefined ? {} : { memoryBytes: flags.room }) }
  const asked = flags.hardware !== undefined || flags.unit !== undefined || flags.member !== undefined || flags.room !== undefined
  const opened = await withKeysOf(call, flags, (given) => openAsking(bytes, trust, asked ? loader : null, given, (id) => keptSecret(call, id, flags)))
  if (failed(opened)) return opened
  const bare = inspectImage(opened.firmware)
  if (failed(bare)) return badFirmware(`what it carries is no image: ${bare.says}`)
  const key = flags.imageKey === undefined ? await knownKeyFor(call, bare.keyHash) : await publicKeyNamed(call, flags.imageKey)
  if (failed(key)) return key
  const image = key === null ? bare : inspectImage(opened.firmware, key.publicKey)
  if (failed(image)) return image
  if (image.hash === null || image.hash.check === 'differs') return badFirmware('the image in it does not match its own hash.')
  if (image.signature?.check === 'does-not-hold') return badFirmware('the signature of the image in it does not hold.')
  if (flags.imageKey !== undefined && image.signature?.check !== 'holds') return badFirmware(`the image in it is not signed with ${flags.imageKey}.`)
  const signature = image.signature === null ? 'unsigned' : image.signature.check === 'holds' ? `signed with ${key?.name ?? 'the key named'}` : 'signed with a key that is not known here'
  const of = said('package-image', `MCUboot image, version ${image.version}, hash ${image.hash.claimed.slice(0, 16)}…, ${signature}.`)
  return { bytes, opened, image, view: packageView(bytes, opened, [of, ...laidOut({ flags: image.header.flagNames, loadAddress: image.header.loadAddress }, opened.firmwareOffset)]) }
}

/** An image that somebody took for a package: nothing is wrong with it, so it is no refused package either. */
function bareImage(path: string, bytes: Uint8Array): Failure | null {
  if (failed(parseImage(bytes))) return null
  return new Failure('bare-image', `${path} is an MCUboot image and no firmware package. Look at it with: slotwright inspect. Put it into a package with: slotwright package make`)
}

function badFirmware(why: string): Failure {
  return new Failure('bad-firmware', `The package is genuine, but ${why}`, { rfc4108: 34, code: 'badFirmware' })
}

/** With the keys that the options name, wiped afterwards. */
async function withKeysOf<T>(call: Call, flags: OpenFlags, work: (given: Decrypting) => Promise<T | Failure>): Promise<T | Failure> {
  const firmwareKey = await secretNamed(call, 'decrypt-key', flags.decryptKey, flags.decryptKeyId, flags)
  if (failed(firmwareKey)) return firmwareKey
  const wrappingKey = await secretNamed(call, 'unwrap-key', flags.unwrapKey, flags.unwrapKeyId, flags)
  try {
    return failed(wrappingKey) ? wrappingKey : await work({ firmwareKeys: firmwareKey === null ? [] : [firmwareKey], wrappingKeys: wrappingKey === null ? [] : [wrappingKey] })
  } finally {
    firmwareKey?.key.fill(0)
    if (!failed(wrappingKey)) wrappingKey?.key.fill(0)
  }
}

/** The view as it goes out in JSON: sentences, which programs show to people. */
function viewDocument({ layers, communities, needs, proven, ...view }: PackageView): object {
  return { layers: layers.map(({ layer, says }) => ({ layer, says: inWords(says, ' ') })), ...view, communities: communities.map(({ says }) => says), needs: needs.map(({ says }) => says), proven: proven.map(({ says }) => says) }
}

const inWords = (all: readonly Said[], between: string): string => all.map(({ says }) => says).join(between)

function viewWords({ paint }: Call, path: string, view: PackageView): string {
  const rows: string[][] = [
    ['name', view.version === null ? view.name : view.imageVersion === null ? `${view.name} version ${view.version}` : `${view.name} version ${view.imageVersion} (as one number: ${view.version})`],
    ...(view.stale === null ? [] : [['stale', `versions up to ${view.stale}`]]),
    ['hardware', view.hardware.join(', ')],
    ...(view.communities.length === 0 ? [] : [['only for', inWords(view.communities, '; ')]]),
    ...(view.needs.length === 0 ? [] : [['needs', inWords(view.needs, ', ')]]),
    ...(view.description === null ? [] : [['says', view.description]]),
    ...(view.signedAt === null ? [] : [['signed at', view.signedAt]]),
    ['certificates', view.path.length === 0 ? 'none needed: the trust anchor itself signed' : view.path.map((one) => `${one.name} (until ${one.validUntil.slice(0, 10)})`).join(' < ')],
    ['trusted through', view.anchor],
    ...(view.unknownAttributes.length === 0 ? [] : [['other attributes', view.unknownAttributes.join(', ')]]),
  ]
  const layers = view.layers.map(({ layer, says }, depth) => `${'  '.repeat(depth + 1)}${paint.dim(layer)} ${inWords(says, ' ')}`)
  return [paint.bold(path), ...layers, '', columns(rows.map(([name = '', value = '']) => [`  ${paint.dim(name)}`, value])), '', ...view.proven.map((one) => `${paint.good('✓')} ${one.says}`)].join('\n')
}
