// What a recall can begin with: the images and packages the log tells of, the lately written first, so that nobody has to
// type a hash. Many entries tell of few images: each is looked up by an index, and no table is read through.
import type { Failure } from '../base/failure.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'

/** `file` is the name it last came under; `at` when it was last written, or made or opened. */
export type RecallChoice = Readonly<{ what: 'image' | 'package'; hash: string; file: string | null; version: string | null; at: string | null }>

export const choicesMax = 200
/** Entries on packages that are looked at, newest first. */
const packageEntriesMax = 2_000

/** Newest first, images and packages mixed. */
export function recallChoices(database: OpenDatabase): RecallChoice[] | Failure {
  try {
    return [...imagesIn(database), ...packagesIn(database)].sort((a, b) => (b.at ?? '').localeCompare(a.at ?? '')).slice(0, choicesMax)
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

function imagesIn({ sql }: OpenDatabase): RecallChoice[] {
  const written = sql.prepare('SELECT max(seq) FROM slot_writes WHERE image_hash = ?').pluck()
  const signed = sql.prepare('SELECT seq, file, version FROM images WHERE image_hash = ? ORDER BY seq DESC LIMIT 1')
  const sent = sql.prepare('SELECT version FROM batch_events WHERE image_hash = ? AND version IS NOT NULL ORDER BY seq DESC LIMIT 1').pluck()
  const timeOf = sql.prepare('SELECT time FROM entries WHERE seq = ?').pluck()
  return distinct(sql, 'slot_writes').concat(distinct(sql, 'images'))
    .filter((hash, at, all) => all.indexOf(hash) === at)
    .map((hash) => {
      const made = signed.get(hash) as { seq: number; file: string | null; version: string | null } | undefined
      const seq = (written.get(hash) as number | null) ?? made?.seq ?? null
      return { what: 'image', hash, file: made?.file ?? null, version: made?.version ?? (sent.get(hash) as string | undefined) ?? null, at: seq === null ? null : (timeOf.get(seq) as string | undefined) ?? null }
    })
}

/** Each hash once, from one index entry to the next greater one. */
function distinct(sql: OpenDatabase['sql'], table: 'slot_writes' | 'images'): string[] {
  const next = sql.prepare(`SELECT min(image_hash) FROM ${table} WHERE image_hash > ?`).pluck()
  const found: string[] = []
  for (let hash = next.get('') as string | null; hash !== null && found.length < choicesMax; hash = next.get(hash) as string | null) found.push(hash)
  return found
}

function packagesIn({ sql }: OpenDatabase): RecallChoice[] {
  const rows = sql.prepare(`SELECT json_extract(CAST(bytes AS TEXT), '$.data.packageSha256') AS hash, json_extract(CAST(bytes AS TEXT), '$.data.file') AS file,
    json_extract(CAST(bytes AS TEXT), '$.data.version') AS version, time AS at FROM entries WHERE kind IN ('package-made', 'package-opened') ORDER BY seq DESC LIMIT ${packageEntriesMax}`)
    .all() as { hash: unknown; file: unknown; version: unknown; at: string }[]
  const seen = new Set<string>()
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  return rows.flatMap(({ hash, file, version, at }): RecallChoice[] => {
    if (typeof hash !== 'string' || seen.has(hash)) return []
    seen.add(hash)
    return [{ what: 'package', hash, file: text(file), version: text(version), at }]
  })
}
