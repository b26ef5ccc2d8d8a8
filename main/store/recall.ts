// Recall: from an image, a key or a package to every unit that got it, whether it was ever seen running there, and what the
// unit runs now as far as the log knows. "Now" is the board's own last word; where something was begun after that word and
// not ended, the answer is "unknown" rather than a guess.
import { setImmediate as nextTurn } from 'node:timers/promises'
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
/** Image numbers of one unit. */
const numbersMax = 16
const prefixMin = 8

/** Entries whose derived rows are looked at in one go, and units asked of what they run: some milliseconds of work each. */
const pieceEntries = 50_000
const pieceUnits = 100

/**
 * Units that got such an image, by first write; boards may be at work in the same process, so it is done in pieces.
 * Failures: `bad-hash`, `no-such-image` when the log knows nothing of that hash, `stopped`, the disk's.
 */
export async function recall(database: OpenDatabase, wanted: RecallFor, signal?: AbortSignal): Promise<Recall | Failure> {
  try {
    const images = imagesFor(database, wanted)
    if (images instanceof Failure) return images
    const got = await unitsWith(database, images, signal)
    if (got instanceof Failure) return got
    const units: RecalledUnit[] = []
    const read = unitReader(database, new Set(images))
    for (const one of got) {
      if (units.length % pieceUnits === 0) await nextTurn()
      if (signal?.aborted === true) return stopped
      units.push(read(one))
    }
    return { images, units }
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

const stopped = new Failure('stopped', 'The recall was stopped.')

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

/** A unit with its first write, and the image numbers under which it got such an image; 0 where only an outcome tells. */
type Got = { readonly unit: string; readonly seq: number; readonly numbers: Set<number> }

/** By first write, as many as are told of. */
async function unitsWith({ sql }: OpenDatabase, images: readonly string[], signal: AbortSignal | undefined): Promise<Got[] | Failure> {
  const marks = images.map(() => '?').join(', ')
  const writes = sql.prepare(`SELECT unit, seq, coalesce(image, 0) AS number FROM slot_writes WHERE image_hash IN (${marks}) AND seq >= ? AND seq < ? AND unit IS NOT NULL`)
  const ends = sql.prepare(`SELECT unit, seq, NULL AS number FROM outcomes WHERE active_hash IN (${marks}) AND seq >= ? AND seq < ? AND unit IS NOT NULL`)
  const first = sql.prepare('SELECT min(seq) FROM entries WHERE seq >= ?').pluck()
  const units = new Map<string, Got>()
  // From one entry that is there to the next: numbers in a log that was tampered with may lie far apart.
  for (let from = first.get(0) as number | null; from !== null; from = first.get(from + pieceEntries) as number | null) {
    const rows = [writes, ends].flatMap((statement) => statement.all(...images, from, from + pieceEntries) as { unit: string; seq: number; number: number | null }[])
    for (const { unit, seq, number } of rows.sort((a, b) => a.seq - b.seq)) {
      const got = units.get(unit) ?? { unit, seq, numbers: new Set<number>() }
      if (!units.has(unit) && units.size < recalledUnitsMax) units.set(unit, got)
      if (number !== null && got.numbers.size < numbersMax) got.numbers.add(number)
    }
    await nextTurn()
    if (signal?.aborted === true) return stopped
  }
  return [...units.values()]
}

/** Kinds in which the board says what it runs, and kinds after which it may run something else. */
const said = ['outcome', 'confirmed', 'booted', 'run-started']
const unsettles = ['reset-intended', 'mark-intended', 'confirm-intended']

/** The board's word on an image of another number than the application's (a network core, a second core). */
const saidOfOther = 'image-runs'

/** Reads what a unit runs now: an answer for each image number it got such an image under, of which the gravest counts. */
function unitReader({ sql }: OpenDatabase, images: ReadonlySet<string>): (got: Got) => RecalledUnit {
  const kinds = [...said, ...unsettles, saidOfOther].map((kind) => `'${kind}'`).join(', ')
  const newest = sql.prepare(`SELECT bytes FROM entries WHERE unit = ? AND kind IN (${kinds}) ORDER BY seq DESC LIMIT ${entriesOfUnitMax}`).pluck()
  const time = sql.prepare('SELECT time FROM entries WHERE seq = ?').pluck()
  return ({ unit, seq, numbers }) => {
    const entries = lazily(newest.all(unit) as Uint8Array[])
    const firstAt = time.get(seq) as string
    const answers = (numbers.size === 0 ? [0] : [...numbers].sort((a, b) => a - b)).map((number) => ({ unit, firstSeq: seq, firstAt, ...wordOn(number, entries, images) }))
    const gravest = answers.find(({ stillRuns }) => stillRuns === 'yes') ?? answers.find(({ stillRuns }) => stillRuns === 'unknown') ?? answers[0]
    assert(gravest !== undefined, 'a unit has an image under one number at least')
    return { ...gravest, ran: answers.some(({ ran }) => ran) }
  }
}

/** Entries of these bytes, each read once and only when it is asked for: the newest mostly tell it all. */
function lazily(rows: readonly Uint8Array[]): () => Generator<Entry> {
  const parsed: (Entry | Failure)[] = []
  return function* () {
    for (const [i, bytes] of rows.entries()) {
      const entry = (parsed[i] ??= parseEntry(bytes))
      if (!(entry instanceof Failure)) yield entry
    }
  }
}

/** The board's last word on its image of this number, from its entries, newest first. */
function wordOn(number: number, entries: () => Generator<Entry>, images: ReadonlySet<string>): Pick<RecalledUnit, 'ran' | 'stillRuns' | 'now'> {
  const isWord = (entry: Entry) => (number === 0 ? said.includes(entry.kind) : entry.kind === saidOfOther && entry.data['image'] === number) && hashIn(entry) !== null
  let [last, open]: (Entry | undefined)[] = []
  let [ran, resetSince] = [false, false]
  for (const entry of entries()) {
    if (isWord(entry)) {
      last ??= entry
      ran ||= images.has(hashIn(entry) ?? '')
    }
    if (entry.kind === 'outcome' || unsettles.includes(entry.kind)) open ??= entry
    resetSince ||= last === undefined && entry.kind === 'reset-intended'
    if (last !== undefined && open !== undefined && ran) break
  }
  const cutOff = open !== undefined && (open.kind !== 'outcome' || (open.data['failure'] !== undefined && hashIn(open) === null)) && (last === undefined || open.seq > last.seq)
  // An outcome names the application alone: what another image that was on test became at a later restart, it does not say.
  const onTest = last !== undefined && number > 0 && last.data['confirmed'] !== true
  const hash = last === undefined ? null : hashIn(last)
  return {
    ran,
    stillRuns: last === undefined || cutOff || (onTest && resetSince) ? 'unknown' : images.has(hash ?? '') ? 'yes' : 'no',
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
