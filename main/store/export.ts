// Writes an audit bundle: a range of the log with everything that proves it (main/bundle says what is in it). It reads the
// log only, so it works beside a running station and on a copy; what it has written it reads back and checks as an auditor
// would, before anyone is told that it is there.
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { toHex, utf8 } from '../base/bytes.ts'
import { assert, Failure } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { checkBundle } from '../bundle/check.ts'
import { csvHeader, csvLine } from '../bundle/csv.ts'
import { receiptKind } from '../bundle/belongings.ts'
import { bundleEntriesMax, bundleFormat, bundleVersion, manifestText, names, proofsText, readmeText } from '../bundle/layout.ts'
import type { Manifest } from '../bundle/layout.ts'
import { unitsMax } from '../bundle/openhtf.ts'
import { tell } from '../bundle/story.ts'
import type { Story } from '../bundle/story.ts'
import { unpack } from '../bundle/unpack.ts'
import { reportBytes, testRecords } from '../bundle/views.ts'
import { signManifest } from '../bundle/manifest-note.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { parseEntry } from '../log/entry.ts'
import { leafOf } from '../log/redact.ts'
import type { Redaction } from '../log/redact.ts'
import { startArchive } from './archive.ts'
import type { Archive } from './archive.ts'
import type { AuditStore } from './audit.ts'
import { readRedactions } from './check.ts'
import { keptCheckpoints, readLogPublicKey } from './checkpoints.ts'
import type { KeptCheckpoint } from './checkpoints.ts'
import { diskFailure } from './database.ts'
import { logPublicKeyName } from './logkey.ts'
import { proveConsistency, proveInclusion, proveRange } from './proofs.ts'
import { sha256 } from './rows.ts'
import type { StoredEntry } from './rows.ts'

/** Older checkpoints that go along, newest first, and entries outside the range. */
const checkpointsAlongMax = 500
const relatedMax = 1_000
/** Certificates and receipts that go along: files, and bytes of one. */
const papersMax = 20_000
const paperBytesMax = 1_000_000
const page = 1_000

/** What to export: entries `from` to `to` − 1. `what` names it for people, `batch` when it is one. */
export type ExportOrder = Readonly<{ file: string; from: number; to: number; what: string; batch: string | null }>

export type ExportWorld = Readonly<{
  /** Version of the program and the present time (ms since 1970). */
  version: string
  wallMs: number
  /** Public firmware keys to go along: file name and PEM. */
  keys?: readonly Readonly<{ name: string; pem: string }>[]
  /** The log's key signs for all files of the bundle, where it is at hand; a bundle without is one whose print anybody can have changed. */
  signer?: () => Promise<Signer | Failure> | Signer | Failure
  /** Prints the report; null where it cannot be printed and the bundle is to go without. */
  printPdf?: (html: Uint8Array) => Promise<Uint8Array | null | Failure>
  onProgress?: (done: number, total: number) => void
  signal?: AbortSignal
}>

export type Exported = Readonly<{ file: string; bytes: number; sha256: string; from: number; to: number; checkpoint: number; units: number; related: number; redacted: number; /** Null, or why the log's key did not sign for the files. */ unsigned: Failure | null }>

/**
 * Writes the bundle and checks it. Failures: `no-checkpoint` (none covers the range: sign one first), `no-such-entry`,
 * `range-too-large`, `bundle-does-not-hold` (the log itself is damaged; nothing is left behind), `stopped`, the disk's.
 */
export async function exportBundle(store: AuditStore, order: ExportOrder, world: ExportWorld): Promise<Exported | Failure> {
  const { database } = store
  const covering = chooseCheckpoint(store, order)
  if (covering instanceof Failure) return covering
  const redactions = readRedactions(database)
  if (redactions instanceof Failure) return redactions
  let archive: Archive | null = null
  try {
    archive = startArchive(order.file, world.wallMs)
    const written = await writeBundle(store, order, world, covering, redactions, archive)
    if (written instanceof Failure) {
      archive.abandon()
      return written
    }
    const end = archive.finish()
    const wrong = await checkWritten(order.file, covering.key, world)
    if (wrong !== null) return wrong
    return { file: order.file, ...end, from: order.from, to: order.to, checkpoint: covering.newest.checkpoint.size, ...written }
  } catch (error) {
    archive?.abandon()
    return diskFailure(error, order.file)
  }
}

type Covering = Readonly<{ key: NoteKey; newest: KeptCheckpoint; older: readonly KeptCheckpoint[] }>

function chooseCheckpoint({ database }: AuditStore, { from, to }: ExportOrder): Covering | Failure {
  if (to <= from) return new Failure('no-such-entry', 'There is no entry in that range.')
  if (to - from > bundleEntriesMax) return new Failure('range-too-large', `The range has ${to - from} entries; a bundle takes ${bundleEntriesMax}. Export it in pieces.`)
  const key = readLogPublicKey(database.folder)
  if (key instanceof Failure) return key
  const kept = key === null ? [] : keptCheckpoints(database.folder, key, checkpointsAlongMax)
  if (kept instanceof Failure) return kept
  const at = kept.findLastIndex(({ checkpoint }) => checkpoint.size >= to)
  // The newest says most; all are kept along so that each can be held against what an auditor has.
  const newest = kept[0]
  if (key === null || at < 0 || newest === undefined) {
    return new Failure('no-checkpoint', `No signed checkpoint covers entry ${to - 1}, so nothing would prove it. Close the station (it signs one as it stops), or export fewer entries.`)
  }
  return { key, newest, older: kept.slice(1) }
}

async function writeBundle(store: AuditStore, order: ExportOrder, world: ExportWorld, covering: Covering, redactions: ReadonlyMap<number, Redaction>, archive: Archive): Promise<Pick<Exported, 'units' | 'related' | 'redacted' | 'unsigned'> | Failure> {
  const { database } = store
  const { size, root } = covering.newest.checkpoint
  const range = proveRange(database, order.from, order.to, size)
  if (range instanceof Failure) return range
  const consistency: { older: number; hashes: Uint8Array[] }[] = []
  for (const { checkpoint } of covering.older) {
    const hashes = proveConsistency(database, checkpoint.size, size)
    if (hashes instanceof Failure) return hashes
    consistency.push({ older: checkpoint.size, hashes })
  }
  const about = {
    format: bundleFormat, version: bundleVersion, madeBy: world.version, madeAt: new Date(world.wallMs).toISOString(), what: order.what, batch: order.batch,
    origin: covering.newest.checkpoint.origin, from: order.from, to: order.to, checkpoint: covering.newest.name,
  } as const
  archive.add(names.readme, utf8(readmeText(about, root, size)))
  const walked = await writeEntries(store, order, world, redactions, archive)
  if (walked instanceof Failure) return walked
  const { story, redacted } = walked
  const related = writeRelated(store, order, story, redactions, size, archive)
  if (related instanceof Failure) return related
  archive.add(names.proofs, utf8(proofsText({ range, consistency, related })))
  for (const { name, note } of [covering.newest, ...covering.older]) archive.add(name, utf8(note))
  archive.add(names.logKey, readFileSync(join(database.folder, logPublicKeyName)))
  for (const { name, pem } of world.keys ?? []) archive.add(`keys/${name}`, utf8(pem))
  const papers = papersFor(database, order)
  if (papers instanceof Failure) return papers
  for (const { name, file } of papers) archive.add(name, readFileSync(file))
  const units = [...testRecords(story)]
  if (units.length > unitsMax) return new Failure('range-too-large', `The range has ${units.length} units; a bundle takes ${unitsMax}. Export it in pieces.`)
  for (const [name, bytes] of units) archive.add(name, bytes)
  const report = reportBytes(about, { note: covering.newest.note, checkpoint: covering.newest.checkpoint, key: covering.key, redacted }, story)
  archive.add(names.report, report)
  const pdf = await world.printPdf?.(report)
  if (pdf instanceof Failure) return pdf
  if (pdf !== undefined && pdf !== null) archive.add(names.pdf, pdf)
  const manifest: Manifest = { ...about, files: { ...archive.files } }
  const manifestBytes = utf8(manifestText(manifest))
  archive.add(names.manifest, manifestBytes)
  const unsigned = await sign(manifestBytes, covering.key, world, archive)
  return { units: units.length, related: related.length, redacted, unsigned }
}

/** Entries hold without it, so a key that is not at hand (a token, an auditor's window) keeps nobody from a bundle. */
async function sign(manifest: Uint8Array, key: NoteKey, { signer, signal }: ExportWorld, archive: Archive): Promise<Failure | null> {
  const present = await signer?.()
  if (present === undefined || present instanceof Failure) return present ?? new Failure('no-log-key', 'The log\'s key is not at hand here.')
  const note = await signManifest(manifest, key.name, present, signal)
  if (note instanceof Failure) return note
  archive.add(names.manifestNote, utf8(note))
  return null
}

/** Entries twice, as they are and as a table: a zip's files are written one after the other, so the log is read twice. */
async function writeEntries(store: AuditStore, { from, to }: ExportOrder, world: ExportWorld, redactions: ReadonlyMap<number, Redaction>, archive: Archive): Promise<{ story: Story; redacted: number } | Failure> {
  const { sql } = store.database
  const read = sql.prepare('SELECT seq, bytes, leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq')
  const teller = tell()
  let redacted = 0
  const lineEnd = Uint8Array.of(10)
  for (const name of [names.entries, names.csv]) {
    const file = archive.begin(name)
    if (name === names.csv) file.push(utf8(csvHeader))
    for (let at = from; at < to; at += page) {
      if (world.signal?.aborted) return new Failure('stopped', 'The export was stopped.')
      const rows = read.all(at, Math.min(to, at + page)) as StoredEntry[]
      if (rows.length !== Math.min(to, at + page) - at) return new Failure('log-inconsistent', `Entries are missing after ${at}. Have the log checked with "log verify".`)
      const pieces: Uint8Array[] = []
      for (const { seq, bytes, leaf } of rows) {
        const entry = parseEntry(bytes)
        if (entry instanceof Failure) return new Failure('log-inconsistent', `Entry ${seq} cannot be read. Have the log checked with "log verify".`)
        if (name === names.csv) {
          pieces.push(utf8(csvLine(entry, toHex(leaf))))
          continue
        }
        teller.add(entry)
        if (leafOf(bytes, redactions.get(seq), sha256).redacted) redacted += 1
        pieces.push(bytes, lineEnd)
      }
      file.push(Buffer.concat(pieces))
      world.onProgress?.((name === names.csv ? to - from : 0) + Math.min(to, at + page) - from, 2 * (to - from))
      await nextTurn()
    }
    file.end()
  }
  return { story: teller.end(), redacted }
}

/** Entries outside the range that explain it: who signed these images, with which keys, and what was struck out later. */
function writeRelated(store: AuditStore, order: ExportOrder, story: Story, redactions: ReadonlyMap<number, Redaction>, size: number, archive: Archive): { seq: number; hashes: Uint8Array[] }[] | Failure {
  const { sql } = store.database
  const { from, to } = order
  const images = new Set([...story.batches.map(({ imageHash }) => imageHash), ...story.runs.flatMap(({ imageHash }) => imageHash ?? [])].filter((hash) => hash !== ''))
  const keys = new Set(story.batches.map(({ key }) => key).filter((key) => key !== ''))
  const found = new Set<number>()
  const add = (statement: string, value: string) => {
    for (const seq of sql.prepare(statement).pluck().all(value) as number[]) found.add(seq)
  }
  for (const image of images) {
    for (const key of sql.prepare('SELECT DISTINCT key_fingerprint FROM images WHERE image_hash = ? AND key_fingerprint IS NOT NULL').pluck().all(image) as string[]) keys.add(key)
    add('SELECT seq FROM images WHERE image_hash = ?', image)
    add("SELECT seq FROM entries WHERE kind IN ('package-made', 'package-opened') AND json_extract(CAST(bytes AS TEXT), '$.data.imageHash') = ?", image)
  }
  for (const key of keys) add('SELECT seq FROM key_events WHERE key_fingerprint = ?', key)
  // A receipt that was signed again lies here as it is now, so the entry that tells of it now goes along.
  for (const { seq } of receiptsOf(store.database, order)) found.add(seq)
  // An entry that goes along may itself be redacted, so its redaction goes along too.
  for (const { seq, by } of redactions.values()) if ((seq >= from && seq < to) || found.has(seq)) found.add(by)
  const outside = [...found].filter((seq) => (seq < from || seq >= to) && seq < size).sort((a, b) => a - b)
  if (outside.length > relatedMax) return new Failure('range-too-large', `${outside.length} entries outside the range belong to it; a bundle takes ${relatedMax}. Export it in pieces.`)
  // A redaction younger than the checkpoint has no proof yet.
  if ([...redactions.values()].some(({ seq, by }) => seq >= from && seq < to && by >= size)) {
    return new Failure('no-checkpoint', `Text was struck out after the last signed checkpoint. Close the station (it signs one as it stops), then export again.`)
  }
  const proven: { seq: number; hashes: Uint8Array[] }[] = []
  const lines: Uint8Array[] = []
  for (const seq of outside) {
    const hashes = proveInclusion(store.database, seq, size)
    if (hashes instanceof Failure) return hashes
    const bytes = sql.prepare('SELECT bytes FROM entries WHERE seq = ?').pluck().get(seq) as Uint8Array | undefined
    assert(bytes !== undefined, 'an entry that was found is there')
    proven.push({ seq, hashes })
    lines.push(bytes, Uint8Array.of(10))
  }
  archive.add(names.related, Buffer.concat(lines))
  return proven
}

/** The latest entry about each receipt that the range or its batch tells of. */
function receiptsOf({ sql }: AuditStore['database'], { from, to, batch }: ExportOrder): { seq: number; file: string; sha256: string }[] {
  const rows = sql.prepare(`SELECT seq, json_extract(CAST(bytes AS TEXT), '$.data.file') AS file, json_extract(CAST(bytes AS TEXT), '$.data.fileSha256') AS sha256 FROM entries WHERE kind = '${receiptKind}' ORDER BY seq`).iterate() as Iterable<{ seq: number; file: string; sha256: string }>
  const within = new Set(sql.prepare(`SELECT json_extract(CAST(bytes AS TEXT), '$.data.file') FROM entries WHERE kind = '${receiptKind}' AND ((seq >= ? AND seq < ?) OR batch = ?)`).pluck().all(from, to, batch ?? '') as string[])
  const latest = new Map<string, { seq: number; file: string; sha256: string }>()
  for (const row of rows) if (within.has(row.file)) latest.set(row.file, row)
  return [...latest.values()]
}

/** The station's certificates, and the receipts that the range or its batch tells of, as the home keeps them. */
function papersFor(database: AuditStore['database'], order: ExportOrder): { name: string; file: string }[] | Failure {
  const { folder } = database
  const receipts = new Map(receiptsOf(database, order).map(({ file, sha256: hash }) => [file, hash]))
  const papers = ['certificates', 'receipts'].flatMap((kind) => {
    const place = join(folder, kind)
    if (!existsSync(place)) return []
    return readdirSync(place, { withFileTypes: true })
      .filter((file) => file.isFile() && /^[A-Za-z0-9._-]{1,120}$/.test(file.name) && statSync(join(place, file.name)).size <= paperBytesMax)
      // A receipt that is not the one the log tells of proves nothing, and would only accuse the bundle.
      .filter((file) => kind !== 'receipts' || (receipts.has(file.name) && receipts.get(file.name) === toHex(sha256(readFileSync(join(place, file.name))))))
      .map((file) => ({ name: `${kind}/${file.name}`, file: join(place, file.name) }))
  })
  return papers.length <= papersMax ? papers : new Failure('range-too-large', `The range has ${papers.length} certificates and receipts; a bundle takes ${papersMax}. Export it in pieces.`)
}

async function checkWritten(file: string, key: NoteKey, { version }: ExportWorld): Promise<Failure | null> {
  const files = unpack(readFileSync(file))
  const verdict = files instanceof Failure ? files : await checkBundle(files, { trusted: [key], version, sha256, onProgress: () => nextTurn() })
  if (!(verdict instanceof Failure) && verdict.holds) return null
  rmSync(file, { force: true })
  return new Failure('bundle-does-not-hold', `The bundle that was written does not hold, so it was removed: ${verdict.says} Have the log checked with "log verify".`)
}
