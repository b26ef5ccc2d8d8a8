// `package receipt`: the log's outcomes in the standard's own form. For each run that ended: a load receipt when the unit
// was confirmed (or had the image already), a load-error report when it was refused, failed or went back. The station
// signs on the unit's behalf, and every file is noted in the log.
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { realClock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { bytesWords, nameWords } from '../cms/attributes.ts'
import type { PackageName } from '../cms/attributes.ts'
import { loadErrors } from '../cms/errors.ts'
import { errorFor, openReport, signReport } from '../cms/receipt.ts'
import type { LoadReport } from '../cms/receipt.ts'
import type { Signing } from '../cms/signed.ts'
import type { EntryView } from '../contract/views.ts'
import { outcomes } from '../log/kinds.ts'
import type { Answer, Call } from './call.ts'
import { fileFailure, readInput, smallFileBytesMax, writeOutput } from './files.ts'
import { openSigningKey } from './keys.ts'
import type { SigningKey } from './keys.ts'
import { certificatesFrom, trustOf } from './packages.ts'
import type { TrustFlags } from './packages.ts'
import type { PassphraseOptions } from './passphrase.ts'
import { entriesOf, withLog } from './read-log.ts'
import { record } from './record.ts'
import { columns } from './terminal.ts'

export type ReceiptFlags = PassphraseOptions & Readonly<{ key: string; hardware: string; unit?: string; batch?: string; id?: string; cert?: string }>
export type VerifyReceiptFlags = TrustFlags

const runsMax = 100_000

type Ended = Readonly<{ outcome: EntryView; batch: EntryView | null; package: EntryView | null }>

export async function receipt(call: Call, folder: string, flags: ReceiptFlags): Promise<Answer | Failure> {
  if (flags.unit === undefined && flags.batch === undefined) return new Failure('bad-option', 'Say for what: --unit SERIAL, --batch BATCH, or both.')
  const ended = await withLog(call, (log): Ended[] | Failure => {
    const list = entriesOf(log, { kind: 'outcome', unit: flags.unit ?? null, batch: flags.batch ?? null }, runsMax)
    const batches = failed(list) ? list : entriesOf(log, { kind: 'batch-started', batch: flags.batch ?? null }, runsMax)
    const packages = failed(batches) ? batches : entriesOf(log, { kind: 'package-opened' }, runsMax)
    if (failed(list)) return list
    if (failed(batches)) return batches
    if (failed(packages)) return packages
    const started = new Map(batches.map((entry) => [entry.batch, entry]))
    const opened = new Map(packages.map((entry) => [textOf(entry, 'imageHash'), entry]))
    return list.reverse().map((outcome) => {
      const batch = started.get(outcome.batch) ?? null
      return { outcome, batch, package: batch === null ? null : opened.get(textOf(batch, 'imageHash')) ?? null }
    })
  })
  if (failed(ended)) return ended
  if (ended.length === 0) return new Failure('no-such-run', 'The log has no run that ended for that unit or batch. `log list --kind outcome` shows which there are.')
  const certificates = flags.cert === undefined ? [] : await certificatesFrom(flags.cert)
  if (failed(certificates)) return certificates
  try {
    await mkdir(folder, { recursive: true })
  } catch (error) {
    return fileFailure(error, 'write', folder)
  }
  const key = await openSigningKey(call, flags.key, flags)
  if (failed(key)) return key
  try {
    return await signAll(call, folder, ended, { signer: key.signer, certificate: certificates[0] ?? null, embed: certificates }, key, flags)
  } finally {
    await key.close()
  }
}

async function signAll(call: Call, folder: string, ended: readonly Ended[], signing: Signing, key: SigningKey, flags: ReceiptFlags): Promise<Answer | Failure> {
  const made: Readonly<Record<string, unknown>>[] = []
  for (const one of ended) {
    const report = reportOf(one, flags)
    const bytes = await signReport(report, signing, realClock.wallMs())
    if (failed(bytes)) return bytes
    const unit = one.outcome.unit ?? ''
    const run = one.outcome.run ?? String(one.outcome.seq)
    const file = join(folder, `${unit.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 80)}-${run.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 80)}.${report.is === 'receipt' ? 'receipt' : 'error'}.cms`)
    const written = await writeOutput(file, bytes)
    if (written !== null) return written
    const code = report.is === 'error' ? loadErrors[report.error].code : null
    const outcome = outcomes.find((name) => name === textOf(one.outcome, 'outcome')) ?? 'failed'
    const entry = await record(call, {
      kind: 'receipt-made',
      data: { unit, ...(one.outcome.batch === null ? {} : { batch: one.outcome.batch }), ...(one.outcome.run === null ? {} : { run: one.outcome.run }), outcome, ...(code === null ? {} : { code }), key: key.fingerprint, file: file.slice(-200), fileSha256: createHash('sha256').update(bytes).digest('hex') },
    })
    if (failed(entry)) return entry
    made.push({ unit, run, outcome, is: report.is, code, error: report.is === 'error' ? report.error : null, file })
  }
  return {
    document: { receipts: made, folder },
    words: [columns(made.map((one) => [String(one['unit']), String(one['outcome']), one['is'] === 'receipt' ? 'receipt' : `error ${String(one['code'])} ${String(one['error'])}`, call.paint.dim(String(one['file']))])), '', `${made.length} signed on the units' behalf with ${key.name ?? key.path ?? 'the key'}.`].join('\n'),
  }
}

/** What the log says of one run, as the standard says it. */
function reportOf({ outcome, batch, package: opened }: Ended, flags: ReceiptFlags): LoadReport {
  const module = { hardware: flags.hardware, serial: utf8(outcome.unit ?? '') }
  const name = nameOf(opened, batch, flags)
  const ended = textOf(outcome, 'outcome') ?? 'failed'
  const error = errorFor(ended, textOf(outcome, 'failure'))
  const runs = textOf(outcome, 'version')
  if (error !== null) return { is: 'error', module, ...error, name, config: runs === null ? null : [{ type: null, name: { legacy: utf8(runs) } }] }
  // Without a package it was the bootloader's own key that vouched for the image.
  const anchor = textOf(opened, 'anchorKeyId') ?? textOf(batch, 'key')
  return { is: 'receipt', module, name, trustAnchorKeyId: anchor === null ? null : fromHex(anchor), decryptKeyId: null }
}

/** The package's own name, else the identifier given, else the image's version as a free name. */
function nameOf(opened: EntryView | null, batch: EntryView | null, flags: ReceiptFlags): PackageName {
  const [id, version] = [textOf(opened, 'packageName'), textOf(opened, 'packageVersion')]
  if (id !== null && version !== null) return { id, version: BigInt(version) }
  if (id !== null) return { legacy: utf8(id) }
  const image = textOf(batch, 'version') ?? 'unknown'
  return { legacy: utf8(flags.id === undefined ? image : `${flags.id} ${image}`) }
}

function textOf(entry: EntryView | null, field: string): string | null {
  const value = entry?.data[field]
  return typeof value === 'string' ? value : null
}

/** Proves one file and says what it says. */
export async function verifyReceipt(call: Call, path: string, flags: VerifyReceiptFlags): Promise<Answer | Failure> {
  const bytes = await readInput(path, 'receipt', smallFileBytesMax)
  if (failed(bytes)) return bytes
  const trust = await trustOf(call, flags)
  if (failed(trust)) return trust
  const opened = openReport(bytes, trust)
  if (failed(opened)) return opened
  const { report, signedBy, onBehalf, attributes, algorithm } = opened
  const by = signedBy.path[0]?.name ?? signedBy.anchor.name
  const what = report.is === 'receipt' ? 'was loaded' : `was not loaded: ${report.error} (${loadErrors[report.error].code}${report.vendorCode === null ? '' : `, vendor code ${report.vendorCode}`})`
  const name = report.name === null ? null : nameWords(report.name)
  return {
    document: {
      file: path, holds: true, is: report.is, hardware: report.module.hardware, serial: bytesWords(report.module.serial), serialHex: toHex(report.module.serial), name,
      ...(report.is === 'error' ? { error: report.error, code: loadErrors[report.error].code, vendorCode: report.vendorCode === null ? null : String(report.vendorCode), runs: report.config?.map((one) => nameWords(one.name)) ?? null } : {}),
      signedBy: by, anchor: signedBy.anchor.name, algorithm, onBehalf, signedAt: attributes.signingTime === undefined ? null : new Date(attributes.signingTime).toISOString(),
    },
    words: `Unit ${bytesWords(report.module.serial)} (${report.module.hardware}): ${name ?? 'a package'} ${what}.\nSigned by ${by}${onBehalf ? ' on the unit\'s behalf' : ''}, ${algorithm}; trusted through ${signedBy.anchor.name}.`,
  }
}
