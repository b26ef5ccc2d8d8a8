// Recall: from an image, a key or a package to every unit that got it, whether it was ever seen running there, and what the
// unit runs now as far as the log knows. "Now" is the board's own last word; where something was begun after that word and
// not ended, the answer is "unknown" rather than a guess.
import { assert, Failure } from '../base/failure.ts'
import { parseEntry } from '../log/entry.ts'
import type { Entry } from '../log/entry.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'

/** What to look for; hashes and fingerprints in lower-case hex, or their first 8 digits or more. */
export type RecallFor = Readonly<{ image: string } | { key: string } | { package: string }>

export type RecalledUnit = Readonly<{
  unit: string
  /** Entry and time of the first write of such an image, and of the last word on it. */
  firstSeq: number
  firstAt: string
  /** The unit itself said that it ran it, at least once. */
  ran: boolean
  stillRuns: 'yes' | 'no' | 'unknown'
  now: Readonly<{ hash: string | null; version: string | null; at: string | null; seq: number | null }>
}>

export type Recall = Readonly<{ images: readonly string[]; units: readonly RecalledUnit[] }>

export const recalledUnitsMax = 100_000
const imagesMax = 1_000
const entriesOfUnitMax = 200
const prefixMin = 8

/** Units that got such an image, by first write. Fails with `no-such-image` when the log knows nothing of that hash. */
export function recall(database: OpenDatabase, wanted: RecallFor): Recall | Failure {
  try {
    const images = imagesFor(database, wanted)
    if (images instanceof Failure) return images
    const units = unitsWith(database, images)
    return { images, units: units.map(({ unit, seq }) => unitNow(database, unit, seq, new Set(images))) }
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

function imagesFor({ sql }: OpenDatabase, wanted: RecallFor): string[] | Failure {
  const [what, hash] = Object.entries(wanted)[0] as [string, string]
  const text = hash.toLowerCase()
  if (!/^[0-9a-f]+$/.test(text) || text.length < prefixMin) return new Failure('bad-hash', `"${hash.slice(0, 80)}" is no hash: give at least ${prefixMin} of its hex digits.`)
  // A prefix as a range, so that the indexes serve.
  const range = [text, `${text}g`, imagesMax]
  const statements: Record<string, string[]> = {
    image: [
      'SELECT DISTINCT image_hash FROM images WHERE image_hash >= ? AND image_hash < ? LIMIT ?',
      'SELECT DISTINCT image_hash FROM slot_writes WHERE image_hash >= ? AND image_hash < ? LIMIT ?',
      'SELECT DISTINCT active_hash FROM outcomes WHERE active_hash >= ? AND active_hash < ? LIMIT ?',
    ],
    key: [
      'SELECT DISTINCT image_hash FROM images WHERE key_fingerprint >= ? AND key_fingerprint < ? LIMIT ?',
      "SELECT DISTINCT json_extract(CAST(bytes AS TEXT), '$.data.imageHash') FROM entries WHERE kind = 'batch-started' AND json_extract(CAST(bytes AS TEXT), '$.data.key') >= ? AND json_extract(CAST(bytes AS TEXT), '$.data.key') < ? LIMIT ?",
    ],
    package: ["SELECT DISTINCT json_extract(CAST(bytes AS TEXT), '$.data.imageHash') FROM entries WHERE kind IN ('package-made', 'package-opened') AND json_extract(CAST(bytes AS TEXT), '$.data.packageSha256') >= ? AND json_extract(CAST(bytes AS TEXT), '$.data.packageSha256') < ? LIMIT ?"],
  }
  const found = new Set<string>()
  for (const statement of statements[what] ?? []) for (const image of sql.prepare(statement).pluck().all(...range) as (string | null)[]) if (image !== null) found.add(image)
  return found.size > 0 ? [...found] : new Failure('no-such-image', `The log knows no ${what} ${hash.slice(0, 80)}.`)
}

function unitsWith({ sql }: OpenDatabase, images: readonly string[]): { unit: string; seq: number }[] {
  const marks = images.map(() => '?').join(', ')
  return sql.prepare(
    `SELECT unit, min(seq) AS seq FROM (
       SELECT unit, seq FROM slot_writes WHERE image_hash IN (${marks}) AND unit IS NOT NULL
       UNION ALL SELECT unit, seq FROM outcomes WHERE active_hash IN (${marks}) AND unit IS NOT NULL)
     GROUP BY unit ORDER BY seq LIMIT ${recalledUnitsMax}`,
  ).all(...images, ...images) as { unit: string; seq: number }[]
}

/** Kinds in which the board says what it runs, and kinds after which it may run something else. */
const said = ['outcome', 'confirmed', 'booted', 'run-started']
const unsettles = ['reset-intended', 'mark-intended', 'confirm-intended']

/** The board's word on an image of another number than the application's (a network core, a second core). */
const saidOfOther = 'image-runs'

/** Under which image numbers the unit got such an image; 0 where only an outcome tells. */
function numbersOf({ sql }: OpenDatabase, unit: string, images: ReadonlySet<string>): number[] {
  const marks = [...images].map(() => '?').join(', ')
  const found = sql.prepare(`SELECT DISTINCT coalesce(image, 0) FROM slot_writes WHERE unit = ? AND image_hash IN (${marks}) ORDER BY 1 LIMIT 16`).pluck().all(unit, ...images) as number[]
  return found.length === 0 ? [0] : found
}

/** One answer for each image number the unit got such an image under; the gravest of them is the unit's. */
function unitNow(database: OpenDatabase, unit: string, firstSeq: number, images: ReadonlySet<string>): RecalledUnit {
  const answers = numbersOf(database, unit, images).map((number) => unitNowAs(database, number, unit, firstSeq, images))
  const gravest = answers.find(({ stillRuns }) => stillRuns === 'yes') ?? answers.find(({ stillRuns }) => stillRuns === 'unknown') ?? answers[0]
  assert(gravest !== undefined, 'a unit has an image under one number at least')
  return { ...gravest, ran: answers.some(({ ran }) => ran) }
}

function unitNowAs({ sql }: OpenDatabase, number: number, unit: string, firstSeq: number, images: ReadonlySet<string>): RecalledUnit {
  const kinds = [...said, ...unsettles, saidOfOther].map((kind) => `'${kind}'`).join(', ')
  const rows = sql.prepare(`SELECT bytes FROM entries WHERE unit = ? AND kind IN (${kinds}) ORDER BY seq DESC LIMIT ${entriesOfUnitMax}`).pluck().all(unit) as Uint8Array[]
  const entries = rows.map(parseEntry).filter((entry): entry is Entry => !(entry instanceof Failure))
  const first = sql.prepare('SELECT time FROM entries WHERE seq = ?').pluck().get(firstSeq) as string
  const isWord = (entry: Entry) => (number === 0 ? said.includes(entry.kind) : entry.kind === saidOfOther && entry.data['image'] === number) && hashIn(entry) !== null
  const last = entries.find(isWord)
  const open = entries.find((entry) => entry.kind === 'outcome' || unsettles.includes(entry.kind))
  const cutOff = open !== undefined && (open.kind !== 'outcome' || (open.data['failure'] !== undefined && hashIn(open) === null)) && (last === undefined || open.seq > last.seq)
  // An outcome names the application alone: what another image that was on test became at a later restart, it does not say.
  const onTest = last !== undefined && number > 0 && last.data['confirmed'] !== true
  const unsettled = cutOff || (onTest && entries.some((entry) => entry.kind === 'reset-intended' && entry.seq > last.seq))
  const hash = last === undefined ? null : hashIn(last)
  return {
    unit, firstSeq, firstAt: first,
    ran: entries.some((entry) => isWord(entry) && images.has(hashIn(entry) ?? '')),
    stillRuns: last === undefined || unsettled ? 'unknown' : images.has(hash ?? '') ? 'yes' : 'no',
    now: { hash, version: last !== undefined && typeof last.data['version'] === 'string' ? last.data['version'] : null, at: last?.time ?? null, seq: last?.seq ?? null },
  }
}

function hashIn(entry: Entry): string | null {
  const hash = Object.hasOwn(entry.data, 'activeHash') ? entry.data['activeHash'] : null
  return typeof hash === 'string' ? hash : null
}

/** Signatures over images a unit ever got, as entry numbers, oldest first: the unit's own entries do not name them. */
export function signaturesBehind(database: OpenDatabase, unit: string): number[] | Failure {
  try {
    return database.sql.prepare('SELECT DISTINCT images.seq FROM images JOIN slot_writes ON slot_writes.image_hash = images.image_hash WHERE slot_writes.unit = ? ORDER BY images.seq LIMIT 1000').pluck().all(unit) as number[]
  } catch (error) {
    return diskFailure(error, database.path)
  }
}
