// The auditor's questions about the log: what proves an entry, which keys and batches it tells of, figures for charts, and
// recall. All of them read only, so that a station at work and a log that was opened for reading answer alike.
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { CheckedArgsOf, ResultOf } from '../contract/api.ts'
import type { EntryProofView, FiguresView, LogBatchView, LogKeyView, RecallChoiceView, RecallView } from '../contract/log-views.ts'
import { verifyInclusion } from '../log/proof.ts'
import type { AuditStore } from '../store/audit.ts'
import { checkpointOver, readLogPublicKey } from '../store/checkpoints.ts'
import { diskFailure } from '../store/database.ts'
import { readFigures } from '../store/figures.ts'
import { listFound } from '../store/find.ts'
import { recall } from '../store/recall.ts'
import { recallChoices as choicesIn } from '../store/recall-choices.ts'
import type { Recall, RecallFor } from '../store/recall.ts'
import { sha256 } from '../store/rows.ts'
import { entryView } from './views.ts'

/** Rows of keys and batches in one answer, and of recalled units. */
const rowsMax = 500
export const recalledShownMax = 2_000

/** The entry's bytes, and the oldest checkpoint over it with the hashes between. Kinds: `no-such-entry`, the disk's. */
export function entryProof(audit: AuditStore, seq: number): EntryProofView | Failure {
  const found = audit.get(seq)
  if (failed(found)) return found
  if (found === null) return new Failure('no-such-entry', `The log has no entry ${seq}.`)
  const { folder } = audit.database
  const key = readLogPublicKey(folder)
  if (failed(key)) return key
  const covering = key === null ? null : checkpointOver(folder, key, seq)
  if (failed(covering)) return covering
  try {
    const row = audit.database.sql.prepare('SELECT bytes, leaf FROM entries WHERE seq = ?').get(seq) as { bytes: Uint8Array; leaf: Uint8Array }
    const raw = new TextDecoder().decode(row.bytes)
    if (covering === null) return { seq, raw, leaf: found.leaf, covered: null }
    const { checkpoint, note } = covering
    const hashes = audit.proveInclusion(seq, checkpoint.size)
    if (failed(hashes)) return hashes
    return { seq, raw, leaf: found.leaf, covered: { size: checkpoint.size, root: toHex(checkpoint.root), hashes: hashes.map(toHex), note, holds: verifyInclusion(row.leaf, seq, checkpoint, hashes, sha256) } }
  } catch (error) {
    return diskFailure(error, audit.database.path)
  }
}

/** Entries that fit, newest first, and how many fit in all. */
export async function listLog(audit: AuditStore, filter: CheckedArgsOf<'listLog'>): Promise<ResultOf<'listLog'> | Failure> {
  const listed = await listFound(audit, filter)
  return failed(listed) ? listed : { entries: listed.entries.map(entryView), total: listed.total }
}

/** Signing keys the log tells of, the lately used first. */
export function logKeys({ database }: AuditStore): LogKeyView[] | Failure {
  try {
    return database.sql.prepare(`SELECT fingerprint, (SELECT k.name FROM key_events k WHERE k.key_fingerprint = fingerprint AND k.name IS NOT NULL ORDER BY k.seq DESC LIMIT 1) AS name
      FROM (SELECT key_fingerprint AS fingerprint, max(seq) AS at FROM (SELECT key_fingerprint, seq FROM key_events UNION ALL SELECT key_fingerprint, seq FROM images) WHERE key_fingerprint IS NOT NULL GROUP BY key_fingerprint)
      ORDER BY at DESC LIMIT ${rowsMax}`).all() as LogKeyView[]
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

/** Batches, newest first. */
export function logBatches({ database }: AuditStore): LogBatchView[] | Failure {
  try {
    return database.sql.prepare(`SELECT b.batch, b.name, e.time AS at, b.version, b.image_hash AS imageHash FROM batch_events b JOIN entries e ON e.seq = b.seq
      WHERE b.kind = 'batch-started' AND b.batch IS NOT NULL ORDER BY b.seq DESC LIMIT ${rowsMax}`).all() as LogBatchView[]
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

export async function logFigures(audit: AuditStore, wanted: CheckedArgsOf<'logFigures'>): Promise<FiguresView | Failure> {
  return await readFigures(audit.database, wanted)
}

type RecallArgs = Pick<CheckedArgsOf<'recallUnits'>, 'what' | 'hash'>

export function recallAll(audit: AuditStore, { what, hash }: RecallArgs): Promise<Recall | Failure> {
  return recall(audit.database, { [what]: hash.trim() } as RecallFor)
}

/** Images and packages a recall can begin with. */
export function recallChoices(audit: AuditStore): RecallChoiceView[] | Failure {
  return choicesIn(audit.database)
}

/** Kinds: `bad-hash`, `no-such-image`, the disk's. */
export async function recallUnits(audit: AuditStore, args: RecallArgs): Promise<RecallView | Failure> {
  const found = await recallAll(audit, args)
  if (failed(found)) return found
  const counts = { yes: 0, no: 0, unknown: 0 }
  for (const { stillRuns } of found.units) counts[stillRuns] += 1
  return { images: found.images.slice(0, rowsMax), total: found.units.length, counts, units: found.units.slice(0, recalledShownMax) }
}
