// Load receipts and load-error reports (RFC 4108 §3 and §4): the standard's own form of an outcome, as signed CMS. The
// hardware module is meant to sign them itself; MCUboot boards cannot, so the station signs on the unit's behalf and says
// so, in contentHints, beside the attributes the RFC asks for. DEFAULT v1 is left out, as DER wants.
import { Failure, attempt } from '../base/failure.ts'
import { schemeWords } from './algorithms.ts'
import { packageNamePair } from './attributes.ts'
import type { PackageName, SignedAttributes } from './attributes.ts'
import { context, enumerated, integer, isOid, join, octets, oid, sequence, tags, tlv } from './der.ts'
import { loadErrorByCode, loadErrors, refuseLoad } from './errors.ts'
import type { LoadErrorName } from './errors.ts'
import { contentTypes } from './oids.ts'
import { oidOf, readBer, smallOf, wholeOf } from './pki.ts'
import type { Value } from './pki.ts'
import { buildSigned, proveSigned, readSigned } from './signed.ts'
import type { Signing } from './signed.ts'
import { findTrusted } from './trust.ts'
import type { Trust, Trusted } from './trust.ts'

/** The unit a receipt is about. */
export type Module = Readonly<{ hardware: string; serial: Uint8Array }>

export type Receipt = Readonly<{ is: 'receipt'; module: Module; name: PackageName; trustAnchorKeyId: Uint8Array | null; decryptKeyId: Uint8Array | null }>
export type InstalledConfig = Readonly<{ type: bigint | null; name: PackageName }>
export type ErrorReport = Readonly<{
  is: 'error'
  module: Module
  error: LoadErrorName
  /** Our own finer code; must be there with otherError. */
  vendorCode: bigint | null
  name: PackageName | null
  /** What the unit runs now. */
  config: readonly InstalledConfig[] | null
}>
export type LoadReport = Receipt | ErrorReport

/** Our vendor codes, beside the RFC's: what happened, where the RFC's word is wider than ours. */
export const vendorCodes = {
  reverted: 1n, proofFailed: 2n, noReturn: 3n, notSwapped: 4n, uploadFailed: 5n, stopped: 6n, unplugged: 7n, modeUnsupported: 8n, keyRefused: 9n, refused: 10n,
  slotDiffers: 11n, noAnswer: 12n, stuck: 13n, unitData: 14n, notConfirmed: 15n, selfTestFailed: 16n, notReverted: 17n, restarted: 18n, notReset: 19n, notMarked: 20n,
  station: 21n, otherPlace: 22n, noPort: 23n, unknown: 99n,
} as const

/** A vendor code's name; null for one that is not ours. */
export function vendorCodeName(code: bigint): string | null {
  return Object.entries(vendorCodes).find(([, value]) => value === code)?.[0] ?? null
}

const behalf = 'Signed by the station on behalf of the hardware module'

/** The report's content in DER. Kind `bad-order`. */
export function writeReport(report: LoadReport): Uint8Array | Failure {
  const { module } = report
  if (!isOid(module.hardware)) return new Failure('bad-order', `"${module.hardware.slice(0, 80)}" is not a hardware type: write it as numbers with dots, like 1.3.6.1.4.1.99999.1.`)
  if (module.serial.length === 0) return new Failure('bad-order', 'A receipt is about one unit, and this one has no serial number.')
  const front = [oid(module.hardware), octets(module.serial)]
  if (report.is === 'receipt') {
    return join(sequence(
      ...front, packageNamePair.write(report.name),
      ...(report.trustAnchorKeyId === null ? [] : [octets(report.trustAnchorKeyId)]),
      ...(report.decryptKeyId === null ? [] : [tlv(context(1, false), report.decryptKeyId)]),
    ))
  }
  if (report.error === 'otherError' && report.vendorCode === null) return new Failure('bad-order', 'The error otherError needs a vendor code beside it.')
  const config = report.config?.map(({ type, name }) => sequence(...(type === null ? [] : [integer(type)]), packageNamePair.write(name)))
  return join(sequence(
    ...front, enumerated(loadErrors[report.error].code),
    ...(report.vendorCode === null ? [] : [integer(report.vendorCode)]),
    ...(report.name === null ? [] : [packageNamePair.write(report.name)]),
    ...(config === undefined ? [] : [tlv(context(1), ...config)]),
  ))
}

/** Signs a report on the unit's behalf. Kinds: `bad-order`, and as the signer fails. */
export async function signReport(report: LoadReport, signing: Signing, signingTimeMs: number): Promise<Uint8Array | Failure> {
  const content = writeReport(report)
  if (content instanceof Failure) return content
  const contentType = report.is === 'receipt' ? contentTypes.loadReceipt : contentTypes.loadError
  const built = await buildSigned(contentType, content, { signingTime: signingTimeMs, contentHints: { description: behalf, contentType } }, signing)
  return built instanceof Failure ? built : built.bytes
}

const reportContents: ReadonlySet<string> = new Set([contentTypes.loadReceipt, contentTypes.loadError])

export type OpenedReport = Readonly<{ report: LoadReport; attributes: SignedAttributes; signedBy: Trusted; algorithm: string; onBehalf: boolean }>

/** Reads a signed report and proves it; refusals are those of packages. */
export function openReport(bytes: Uint8Array, trust: Trust): OpenedReport | Failure {
  const opened = attempt(() => {
    const read = readSigned(bytes, reportContents)
    if (read.wrappedFirmwareKey !== null) refuseLoad('badUnsignedAttrs', 'A receipt has no unsigned attributes.')
    const signedBy = findTrusted(read.signer, read.certificates, read.revocationLists, trust)
    proveSigned(read, signedBy.spki)
    const value = readBer(read.content)
    const report = value === null ? null : read.contentType === contentTypes.loadReceipt ? readReceipt(value) : readError(value)
    if (report === null) refuseLoad('badEncapContent', 'The receipt is genuine, but its content does not read.')
    return { report, attributes: read.attributes.known, signedBy, algorithm: schemeWords(read.scheme), onBehalf: read.attributes.known.contentHints?.description === behalf }
  })
  if (!(opened instanceof Failure) || opened.facts['contentType'] === undefined) return opened
  return new Failure(opened.kind, 'This is signed data, but neither a load receipt nor an error report: those begin with their own content type. A firmware package is read with package inspect.', opened.facts)
}

/** Version (v1, by default left out), hardware type and serial number; and what follows. */
function readFront(value: Value): { module: Module; rest: readonly Value[] } | null {
  if (value.tag !== tags.sequence) return null
  const stated = value.children[0]?.tag === tags.integer
  if (stated && smallOf(value.children[0]) !== 1) return null
  const [hardware, serial, ...rest] = stated ? value.children.slice(1) : value.children
  const type = oidOf(hardware)
  return type === null || serial?.tag !== tags.octets ? null : { module: { hardware: type, serial: serial.content }, rest }
}

function readReceipt(value: Value): Receipt | null {
  const front = readFront(value)
  const [named, ...rest] = front?.rest ?? []
  const name = named === undefined ? null : packageNamePair.read(named)
  if (front === null || name === null) return null
  const left = [...rest]
  const anchor = left[0]?.tag === tags.octets ? left.shift() : undefined
  const decrypt = left[0]?.tag === context(1, false) ? left.shift() : undefined
  if (left.length > 0) return null
  return { is: 'receipt', module: front.module, name, trustAnchorKeyId: anchor?.content ?? null, decryptKeyId: decrypt?.content ?? null }
}

function readError(value: Value): ErrorReport | null {
  const front = readFront(value)
  if (front === null) return null
  const left = [...front.rest]
  const code = left.shift()
  const error = code?.tag === tags.enumerated ? loadErrorByCode(smallOf(code) ?? -1) : null
  if (error === null) return null
  const vendor = left[0]?.tag === tags.integer ? wholeOf(left.shift()) : null
  const named = left[0]?.tag === tags.sequence || left[0]?.tag === tags.octets ? left.shift() : undefined
  const name = named === undefined ? null : packageNamePair.read(named)
  const configured = left[0]?.tag === context(1) ? left.shift() : undefined
  const config = configured?.children.map(readConfig) ?? null
  if (left.length > 0 || (named !== undefined && name === null) || (error === 'otherError' && vendor === null)) return null
  if (config !== null && !config.every((one): one is InstalledConfig => one !== null)) return null
  return { is: 'error', module: front.module, error, vendorCode: vendor, name, config }
}

function readConfig(value: Value): InstalledConfig | null {
  const [first, second] = value.children
  const type = first?.tag === tags.integer ? wholeOf(first) : null
  const named = first?.tag === tags.integer ? second : first
  const name = named === undefined ? null : packageNamePair.read(named)
  return value.tag === tags.sequence && name !== null ? { type, name } : null
}

/** How a run ended, as a load error: by its outcome and the kind of its failure. Null for outcomes that are no error. */
export function errorFor(outcome: string, kind: string | null): Readonly<{ error: LoadErrorName; vendorCode: bigint | null }> | null {
  if (['confirmed', 'unchanged', 'uploaded', 'tested'].includes(outcome)) return null
  const known = kind === null || !Object.hasOwn(errorsByKind, kind) ? undefined : errorsByKind[kind]
  if (outcome === 'reverted') return known?.error === 'badFirmware' && known.vendorCode !== null ? known : { error: 'badFirmware', vendorCode: vendorCodes.reverted }
  return known ?? { error: 'otherError', vendorCode: outcome === 'stopped' ? vendorCodes.stopped : vendorCodes.unknown }
}

const plainError = (error: LoadErrorName) => ({ error, vendorCode: null })
const bad = (vendor: keyof typeof vendorCodes) => ({ error: 'badFirmware' as const, vendorCode: vendorCodes[vendor] })
const other = (vendor: keyof typeof vendorCodes) => ({ error: 'otherError' as const, vendorCode: vendorCodes[vendor] })
const errorsByKind: Readonly<Record<string, Readonly<{ error: LoadErrorName; vendorCode: bigint | null }>>> = {
  // Refusals of this room have their codes; a run's own failures get the nearest.
  ...Object.fromEntries((Object.keys(loadErrors) as LoadErrorName[]).filter((name) => name !== 'otherError').map((name) => [loadErrors[name].kind, plainError(name)])),
  downgrade: plainError('stalePackage'),
  'downgrade-prevented': plainError('stalePackage'),
  'image-too-large': plainError('insufficientMemory'),
  'signature-invalid': plainError('signatureFailure'),
  unsigned: { error: 'signatureFailure', vendorCode: vendorCodes.keyRefused },
  'unknown-key': plainError('noTrustAnchor'),
  'key-not-allowed': { error: 'notAuthorized', vendorCode: vendorCodes.keyRefused },
  'key-retired': { error: 'notAuthorized', vendorCode: vendorCodes.keyRefused },
  'test-key': { error: 'notAuthorized', vendorCode: vendorCodes.keyRefused },
  'hash-wrong': plainError('badFirmware'),
  'not-bootable': plainError('badFirmware'),
  'has-trailer': plainError('badFirmware'),
  'proof-failed': bad('proofFailed'),
  'self-test-failed': bad('selfTestFailed'),
  'no-return': bad('noReturn'),
  'not-swapped': bad('notSwapped'),
  'not-started': bad('notSwapped'),
  'not-reverted': bad('notReverted'),
  'not-confirmed': bad('notConfirmed'),
  'confirm-refused': bad('notConfirmed'),
  'restarted-by-itself': bad('restarted'),
  'not-for-ram': bad('otherPlace'),
  'for-ram': bad('otherPlace'),
  'no-variant': bad('otherPlace'),
  compressed: bad('otherPlace'),
  'not-newer': plainError('stalePackage'),
  'dependency-unmet': plainError('wrongDependencyVersion'),
  'too-large': plainError('insufficientMemory'),
  'buffer-too-small': plainError('insufficientMemory'),
  'mode-unsupported': other('modeUnsupported'),
  'no-way-back': other('modeUnsupported'),
  'erase-refused': other('refused'),
  'one-image-only': other('modeUnsupported'),
  'upload-failed': other('uploadFailed'),
  'upload-refused': other('refused'),
  refused: other('refused'),
  'slot-mismatch': other('slotDiffers'),
  'image-not-listed': other('modeUnsupported'),
  'not-unpacked': other('modeUnsupported'),
  'no-answer': other('noAnswer'),
  'no-recovery': other('noAnswer'),
  timeout: other('noAnswer'),
  stuck: other('stuck'),
  'nothing-runs': other('stuck'),
  'unit-data-refused': other('unitData'),
  'unit-data-differs': other('unitData'),
  'no-unit-data': other('unitData'),
  'not-reset': other('notReset'),
  'reset-refused': other('notReset'),
  'mark-refused': other('notMarked'),
  'mark-not-taken': other('notMarked'),
  'log-failed': other('station'),
  'station-died': other('station'),
  fault: other('station'),
  'no-such-port': other('noPort'),
  'port-held': other('noPort'),
  'no-permission': other('noPort'),
  unplugged: other('unplugged'),
  stopped: other('stopped'),
}
