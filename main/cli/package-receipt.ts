// `package receipt`: the log's outcomes in the standard's own form. For each run that ended: a load receipt when the unit
// was confirmed (or had the image already), a load-error report when it was refused, failed or went back. The station
// signs on the unit's behalf, and every file is noted in the log.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { toHex } from '../base/bytes.ts'
import { realClock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { bytesWords, nameWords } from '../cms/attributes.ts'
import { loadErrors } from '../cms/errors.ts'
import { openReport, vendorCodeName } from '../cms/receipt.ts'
import type { Signing } from '../cms/signed.ts'
import { certificatesFor, keepReceipt, opensslSays, reportsDue, signDue } from '../station/receipts.ts'
import type { DueReport } from '../station/receipts.ts'
import type { Answer, Call } from './call.ts'
import { fileFailure, readInput, smallFileBytesMax, writeOutput } from './files.ts'
import { homeFolder } from './home.ts'
import { openSigningKey } from './keys.ts'
import type { SigningKey } from './keys.ts'
import { certificatesFrom, trustOf } from './packages.ts'
import type { TrustFlags } from './packages.ts'
import type { PassphraseOptions, PinOptions } from './passphrase.ts'
import { withLog } from './read-log.ts'
import { record } from './record.ts'
import { columns } from './terminal.ts'

export type ReceiptFlags = PassphraseOptions & PinOptions & Readonly<{ key: string; hardware?: string; unit?: string; batch?: string; id?: string; cert?: string }>
export type VerifyReceiptFlags = TrustFlags

export async function receipt(call: Call, folder: string, flags: ReceiptFlags): Promise<Answer | Failure> {
  if (flags.unit === undefined && flags.batch === undefined) return new Failure('bad-option', 'Say for what: --unit SERIAL, --batch BATCH, or both.')
  const due = await withLog(call, (log) => reportsDue(log.database, { unit: flags.unit ?? null, batch: flags.batch ?? null }, { hardware: flags.hardware ?? null, id: flags.id ?? null }))
  if (failed(due)) return due
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
    const own = flags.cert === undefined ? await certificatesFor(homeFolder(call), key.signer.publicKey) : certificates
    return await signAll(call, folder, due, { signer: key.signer, certificate: own[0] ?? null, embed: own }, key)
  } finally {
    await key.close()
  }
}

async function signAll(call: Call, folder: string, due: readonly DueReport[], signing: Signing, key: SigningKey): Promise<Answer | Failure> {
  const made: Readonly<Record<string, unknown>>[] = []
  for (const one of due) {
    const signed = await signDue(one, signing, key.fingerprint, realClock.wallMs())
    if (failed(signed)) return signed
    const { report, unit, run, outcome, code, bytes } = signed
    const file = join(folder, signed.file)
    const wrong = await writeOutput(file, bytes) ?? await keepReceipt(homeFolder(call), signed)
    if (wrong !== null) return wrong
    const entry = await record(call, signed.entry)
    if (failed(entry)) return entry
    made.push({ unit, run, outcome, is: report.is, code, error: report.is === 'error' ? report.error : null, file })
  }
  return {
    document: { receipts: made, folder },
    words: [columns(made.map((one) => [String(one['unit']), String(one['outcome']), one['is'] === 'receipt' ? 'receipt' : `error ${String(one['code'])} ${String(one['error'])}`, call.paint.dim(String(one['file']))])), '', `${made.length} signed on the units' behalf with ${key.name ?? key.path ?? 'the key'}.${key.publicKey.algorithm === 'ed25519' ? ` ${opensslSays}` : ''}`].join('\n'),
  }
}

/** What our own codes mean, where the station signed: `noReturn` as `no return`. */
function vendorWords(code: bigint): string {
  const name = vendorCodeName(code)
  return name === null ? '' : `: ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`
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
  const what = report.is === 'receipt' ? 'was loaded' : `was not loaded: ${report.error} (${loadErrors[report.error].code}${report.vendorCode === null ? '' : `, vendor code ${report.vendorCode}${vendorWords(report.vendorCode)}`})`
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
