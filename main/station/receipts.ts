// Load receipts and error reports (RFC 4108 §3 and §4) out of the log: for each run that ended a receipt when the unit was
// confirmed or had the image already, an error report when it was refused, failed or went back; and an error report for
// each package that was turned away for a unit before any run. The station signs on the unit's behalf, keeps a copy in
// its home, where audit bundles take it from, and notes each one in the log.
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { PublicKey } from '../base/signer.ts'
import type { PackageName } from '../cms/attributes.ts'
import { isOid } from '../cms/der.ts'
import { loadErrorByCode, loadErrors } from '../cms/errors.ts'
import { keyIdOf } from '../cms/pki.ts'
import type { Certificate } from '../cms/pki.ts'
import { errorFor, signReport } from '../cms/receipt.ts'
import type { LoadReport } from '../cms/receipt.ts'
import type { Signing } from '../cms/signed.ts'
import { parseEntry } from '../log/entry.ts'
import type { Entry, EntryDraft } from '../log/entry.ts'
import { outcomes } from '../log/kinds.ts'
import { diskFailure } from '../store/database.ts'
import type { OpenDatabase } from '../store/database.ts'
import { certificatesIn } from './packages.ts'

/** For what: a unit, a batch, or a unit in a batch. */
/** For who wants to check what an Ed25519 key signed. */
export const opensslSays = 'Signed with Ed25519, which openssl reads in CMS from version 3.2 on.'

export type ReceiptsFor = Readonly<{ unit: string | null; batch: string | null }>

/** What the log does not say: the boards' hardware type, where no batch and no package named it; an identifier for images that came without a package. */
export type ReceiptsSay = Readonly<{ hardware: string | null; id: string | null }>

export type DueReport = Readonly<{ unit: string; batch: string | null; run: string; outcome: (typeof outcomes)[number]; report: LoadReport }>

const reportsMax = 100_000

/**
 * The reports that are due, oldest first. Kinds: `no-such-run` (the log has nothing of that unit or batch), `no-hardware` (nobody says
 * of which type the units are), `range-too-large`, and the disk's.
 */
export function reportsDue(database: OpenDatabase, { unit, batch }: ReceiptsFor, say: ReceiptsSay): DueReport[] | Failure {
  try {
    const [where, values] = unit !== null && batch !== null ? ['unit = ? AND batch = ?', [unit, batch]] : unit !== null ? ['unit = ?', [unit]] : ['batch = ?', [batch]]
    const rows = database.sql.prepare(`SELECT bytes FROM entries WHERE ${where} AND kind IN ('outcome', 'package-refused') ORDER BY seq LIMIT ${reportsMax + 1}`).pluck().all(...values) as Uint8Array[]
    if (rows.length > reportsMax) return new Failure('range-too-large', `There are more than ${reportsMax} runs. Take them batch by batch.`)
    if (rows.length === 0) return new Failure('no-such-run', 'The log has no run that ended for that unit or batch. `log list --kind outcome` shows which there are.')
    const world = background(database)
    const due: DueReport[] = []
    for (const row of rows) {
      const entry = parseEntry(row)
      const one = failed(entry) ? null : entry.kind === 'outcome' ? ofRun(entry, world, say) : ofRefusal(entry, say)
      if (failed(one)) return one
      if (one !== null) due.push(one)
    }
    return due
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

type Background = Readonly<{ batchOf(batch: string | null): Entry | null; packageOf(imageHash: string | null): Entry | null }>

/** Batches and packages are looked up once each. */
function background({ sql }: OpenDatabase): Background {
  const batches = new Map<string, Entry | null>()
  let packages: Map<string, Entry> | null = null
  const started = sql.prepare("SELECT bytes FROM entries WHERE batch = ? AND kind = 'batch-started' ORDER BY seq LIMIT 1").pluck()
  const read = (bytes: unknown) => {
    const entry = bytes instanceof Uint8Array ? parseEntry(bytes) : null
    return entry === null || failed(entry) ? null : entry
  }
  return {
    batchOf(batch) {
      if (batch === null) return null
      if (!batches.has(batch)) batches.set(batch, read(started.get(batch)))
      return batches.get(batch) ?? null
    },
    packageOf(imageHash) {
      if (packages === null) {
        packages = new Map()
        for (const bytes of sql.prepare("SELECT bytes FROM entries WHERE kind = 'package-opened' ORDER BY seq").pluck().iterate()) {
          const entry = read(bytes)
          const hash = entry === null ? null : textOf(entry, 'imageHash')
          if (entry !== null && hash !== null) packages.set(hash, entry)
        }
      }
      return imageHash === null ? null : packages.get(imageHash) ?? null
    },
  }
}

/** What the log says of one run, as the standard says it. */
function ofRun(entry: Entry, world: Background, say: ReceiptsSay): DueReport | Failure {
  const unit = textOf(entry, 'unit') ?? ''
  const batch = world.batchOf(textOf(entry, 'batch'))
  const opened = world.packageOf(textOf(batch, 'imageHash'))
  const hardware = say.hardware ?? textOf(batch, 'hardware') ?? firstOf(textOf(opened, 'hardware'))
  if (hardware === null) return noHardware(unit)
  const module = { hardware, serial: utf8(unit) }
  const name = nameOf(opened, textOf(batch, 'version'), say)
  const outcome = outcomes.find((each) => each === textOf(entry, 'outcome')) ?? 'failed'
  const about = { unit, batch: textOf(entry, 'batch'), run: textOf(entry, 'run') ?? String(entry.seq), outcome }
  const error = errorFor(outcome, textOf(entry, 'failure'))
  const runs = textOf(entry, 'version')
  if (error !== null) return { ...about, report: { is: 'error', module, ...error, name, config: runs === null ? null : [{ type: null, name: { legacy: utf8(runs) } }] } }
  // Without a package it was the bootloader's own key that vouched for the image.
  const [anchor, decrypt] = [textOf(opened, 'anchorKeyId') ?? textOf(batch, 'key'), textOf(opened, 'decryptKeyId')]
  return { ...about, report: { is: 'receipt', module, name, trustAnchorKeyId: anchor === null ? null : fromHex(anchor), decryptKeyId: decrypt === null ? null : fromHex(decrypt) } }
}

/** A package turned away for a unit before any run. */
function ofRefusal(entry: Entry, say: ReceiptsSay): DueReport | Failure | null {
  const unit = textOf(entry, 'unit')
  if (unit === null) return null
  const hardware = textOf(entry, 'hardware') ?? say.hardware
  if (hardware === null) return noHardware(unit)
  const code = entry.data['code']
  const named = typeof code === 'number' ? loadErrorByCode(code) : null
  const error = named === null || named === 'otherError' ? errorFor('failed', textOf(entry, 'failure')) : { error: named, vendorCode: null }
  if (error === null) return null
  const name = textOf(entry, 'packageName') === null ? null : nameOf(entry, null, say)
  return { unit, batch: null, run: `package-${entry.seq}`, outcome: 'failed', report: { is: 'error', module: { hardware, serial: utf8(unit) }, ...error, name, config: null } }
}

function noHardware(unit: string): Failure {
  return new Failure('no-hardware', `Neither recipe nor package says of which hardware type ${unit === '' ? 'the unit' : unit} is, and a receipt must name it. Give the object identifier of the boards' hardware type.`)
}

/** The package's own name, else the identifier given, else the image's version as a free name. */
function nameOf(from: Entry | null, imageVersion: string | null, { id: given }: ReceiptsSay): PackageName {
  const [id, version] = [textOf(from, 'packageName'), textOf(from, 'packageVersion')]
  if (id !== null && version !== null && isOid(id)) return { id, version: BigInt(version) }
  if (id !== null) return { legacy: utf8(id) }
  const image = imageVersion ?? 'unknown'
  return { legacy: utf8(given === null ? image : `${given} ${image}`) }
}

/** A package for several hardware types does not say which of them this unit is. */
function firstOf(hardware: string | null): string | null {
  return hardware === null || hardware.includes(' ') ? null : hardware
}

function textOf(entry: Entry | null, field: string): string | null {
  const value = entry !== null && Object.hasOwn(entry.data, field) ? entry.data[field] : null
  return typeof value === 'string' ? value : null
}

export type SignedReport = DueReport & Readonly<{ /** Name of its file. */ file: string; bytes: Uint8Array; code: number | null; entry: EntryDraft }>

/** Signs one report; `entry` is what the log is to say of it. Kinds: of `signReport`. */
export async function signDue(due: DueReport, signing: Signing, fingerprint: string, atMs: number): Promise<SignedReport | Failure> {
  const { report, unit, batch, run, outcome } = due
  const bytes = await signReport(report, signing, atMs)
  if (failed(bytes)) return bytes
  const file = `${plain(unit)}-${plain(run)}.${report.is === 'receipt' ? 'receipt' : 'error'}.cms`
  const code = report.is === 'error' ? loadErrors[report.error].code : null
  return {
    ...due, file, bytes, code,
    entry: {
      kind: 'receipt-made',
      data: { unit, ...(batch === null ? {} : { batch }), ...(batch === null ? {} : { run }), outcome, ...(code === null ? {} : { code }), key: fingerprint, file, fileSha256: createHash('sha256').update(bytes).digest('hex') },
    },
  }
}

const plain = (text: string) => text.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 50)

/** Keeps a copy in the home; an earlier one of the same run is replaced. */
export async function keepReceipt(home: string, { file, bytes }: Pick<SignedReport, 'file' | 'bytes'>): Promise<Failure | null> {
  const folder = join(home, 'receipts')
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(join(folder, file), bytes, { flush: true })
    return null
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (code === '') throw error
    return new Failure('cannot-write', `The receipt ${file} cannot be kept in ${folder} (the system says ${code}). Check the disk.`, { code })
  }
}

const certificateFilesMax = 256
const certificateBytesMax = 64 * 1024

/** Certificates of that key that the home keeps, the newest first, and those above it. Files that do not read are passed over. */
export async function certificatesFor(home: string, { spki }: PublicKey): Promise<Certificate[]> {
  const folder = join(home, 'certificates')
  const names = await readdir(folder).catch(() => [])
  const all: Certificate[] = []
  for (const name of names.filter((each) => /\.(pem|crt|cer|der)$/i.test(each)).sort().slice(0, certificateFilesMax)) {
    const bytes = await readFile(join(folder, name)).catch(() => null)
    const found = bytes === null || bytes.length > certificateBytesMax ? [] : certificatesIn(new Uint8Array(bytes))
    if (!failed(found)) all.push(...found)
  }
  const keyId = keyIdOf(spki)
  const own = all.filter((one) => toHex(one.keyId) === toHex(keyId ?? new Uint8Array(0)) || toHex(one.spki) === toHex(spki)).sort((a, b) => b.notAfterMs - a.notAfterMs)
  const [first] = own
  return first === undefined ? [] : chainFrom(first, all)
}

const chainMax = 8

function chainFrom(first: Certificate, all: readonly Certificate[]): Certificate[] {
  const chain = [first]
  for (let top = first; chain.length < chainMax;) {
    const issuer = toHex(top.issuer)
    const above = issuer === toHex(top.subject) ? undefined : all.find((one) => toHex(one.subject) === issuer && !chain.includes(one))
    if (above === undefined) break
    chain.push(above)
    top = above
  }
  return chain
}
