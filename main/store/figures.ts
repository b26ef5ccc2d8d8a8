// Figures for charts, out of the derived tables: outcomes by hour, by bay and by kind of failure, and how long units took.
// Rows are read a page at a time and only counts are kept, so that a year of runs costs no more memory than a day. A unit's
// time is that between its run's first entry and its outcome by the wall clock; one that a clock step made negative is left out.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '../base/failure.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'

/** Of one batch, or of a time (ISO 8601 in UTC or its beginning); null leaves a side open. */
export type FiguresFor = Readonly<{ batch: string | null; since: string | null; until: string | null }>

export type Counted<K> = Readonly<{ of: K; counts: Readonly<Record<string, number>> }>

export type Figures = Readonly<{
  counts: Readonly<Record<string, number>>
  /** Beginnings of hours, ISO 8601 in UTC, oldest first; by days where hours would be too many. */
  times: readonly Counted<string>[]
  step: 'hour' | 'day'
  bays: readonly Counted<number | null>[]
  /** Failures by kind, most frequent first, with the bays they came from. */
  failures: readonly Readonly<{ kind: string; count: number; bays: readonly Readonly<{ bay: number | null; count: number }>[] }>[]
  /** Units that came through, by time taken: from `fromSeconds` on and below `toSeconds`. */
  cycles: readonly Readonly<{ fromSeconds: number; toSeconds: number; count: number }>[]
  medianSeconds: number | null
  p95Seconds: number | null
  units: number
  /** Units whose first outcome here was a good one. */
  firstPass: number
  first: string | null
  last: string | null
}>

const page = 2_000
/** Time steps in one answer; beyond that many hours they become days, and of days the latest count. */
export const timesMax = 400
const failureKindsMax = 50
const baysMax = 1_024
const cyclesMax = 24
/** Times kept for median and histogram, and units for the first pass; later ones are still counted elsewhere. */
const kept = 500_000

const good: ReadonlySet<string> = new Set(['confirmed', 'unchanged', 'uploaded', 'tested'])

type Row = { seq: number; unit: string | null; bay: number | null; outcome: string | null; failure: string | null; time: string; began: string | null }
type Counts = Record<string, number>

/** Counts over the outcomes that fit. Failures: `stopped`, the disk's. */
export async function readFigures(database: OpenDatabase, wanted: FiguresFor, signal?: AbortSignal): Promise<Figures | Failure> {
  const counts: Counts = {}
  const hours = new Map<string, Counts>()
  const bays = new Map<number | null, Counts>()
  const failures = new Map<string, Map<number | null, number>>()
  const seconds: number[] = []
  const firstOf = new Map<string, boolean>()
  let [first, last]: [string | null, string | null] = [null, null]
  try {
    const read = reader(database, wanted)
    for (let after = -1; ;) {
      if (signal?.aborted === true) return new Failure('stopped', 'The counting was stopped.')
      const rows = read(after)
      for (const row of rows) {
        after = row.seq
        const outcome = row.outcome ?? 'unknown'
        first ??= row.time
        last = row.time
        add(counts, outcome)
        add(place(hours, row.time.slice(0, 13)), outcome)
        if (bays.size < baysMax || bays.has(row.bay)) add(place(bays, row.bay), outcome)
        if (row.failure !== null && (failures.size < failureKindsMax || failures.has(row.failure))) {
          const of = failures.get(row.failure) ?? new Map<number | null, number>()
          failures.set(row.failure, of.set(row.bay, (of.get(row.bay) ?? 0) + 1))
        }
        if (row.unit !== null && firstOf.size < kept && !firstOf.has(row.unit)) firstOf.set(row.unit, good.has(outcome))
        const took = row.began === null || outcome !== 'confirmed' ? -1 : (Date.parse(row.time) - Date.parse(row.began)) / 1000
        if (took >= 0 && seconds.length < kept) seconds.push(took)
      }
      if (rows.length < page) break
      await nextTurn()
    }
  } catch (error) {
    return diskFailure(error, database.path)
  }
  seconds.sort((a, b) => a - b)
  return {
    counts, ...timesOf(hours),
    bays: [...bays].sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity)).map(([of, these]) => ({ of, counts: these })),
    failures: [...failures].map(([kind, of]) => ({ kind, count: [...of.values()].reduce((a, b) => a + b, 0), bays: [...of].sort(([a], [b]) => (a ?? Infinity) - (b ?? Infinity)).map(([bay, count]) => ({ bay, count })) }))
      .sort((a, b) => b.count - a.count || (a.kind < b.kind ? -1 : 1)),
    cycles: cyclesOf(seconds), medianSeconds: share(seconds, 0.5), p95Seconds: share(seconds, 0.95),
    units: firstOf.size, firstPass: [...firstOf.values()].filter(Boolean).length, first, last,
  }
}

function reader({ sql }: OpenDatabase, { batch, since, until }: FiguresFor): (after: number) => Row[] {
  const conditions = [...(batch === null ? [] : ['o.batch = ?']), ...(since === null ? [] : ['e.time >= ?']), ...(until === null ? [] : ['e.time < ?'])]
  const values = [batch, since, until].filter((value) => value !== null)
  const statement = sql.prepare(`SELECT o.seq, o.unit, o.bay, o.outcome, o.failure, e.time,
      (SELECT s.time FROM entries s WHERE s.run = o.run AND s.kind = 'run-started' LIMIT 1) AS began
    FROM outcomes o JOIN entries e ON e.seq = o.seq
    WHERE o.kind = 'outcome' AND o.seq > ?${conditions.map((condition) => ` AND ${condition}`).join('')} ORDER BY o.seq LIMIT ${page}`)
  return (after) => statement.all(after, ...values) as Row[]
}

function add(counts: Counts, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}

function place<K>(groups: Map<K, Counts>, key: K): Counts {
  const there = groups.get(key) ?? {}
  groups.set(key, there)
  return there
}

function timesOf(hours: ReadonlyMap<string, Counts>): Pick<Figures, 'times' | 'step'> {
  if (hours.size <= 48) return { step: 'hour', times: steps(hours, ':00:00.000Z') }
  const days = new Map<string, Counts>()
  for (const [hour, counts] of hours) for (const [name, count] of Object.entries(counts)) {
    const day = place(days, hour.slice(0, 10))
    day[name] = (day[name] ?? 0) + count
  }
  return { step: 'day', times: steps(days, 'T00:00:00.000Z') }
}

function steps(of: ReadonlyMap<string, Counts>, rest: string): Counted<string>[] {
  return [...of].sort(([a], [b]) => (a < b ? -1 : 1)).slice(-timesMax).map(([at, counts]) => ({ of: `${at}${rest}`, counts }))
}

function share(sorted: readonly number[], part: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null
}

/** Equal steps of a round width up to the 99th part; what took longer stands in the last one. */
function cyclesOf(sorted: readonly number[]): Figures['cycles'] {
  const longest = sorted.at(-1)
  if (longest === undefined) return []
  const width = roundWidth(Math.max(0.1, (share(sorted, 0.99) ?? longest) / (cyclesMax - 1)))
  const counts = Array.from({ length: Math.min(cyclesMax, Math.floor(longest / width) + 1) }, () => 0)
  for (const at of sorted) {
    const step = Math.min(counts.length - 1, Math.floor(at / width))
    counts[step] = (counts[step] ?? 0) + 1
  }
  const round = (seconds: number) => Number(seconds.toFixed(3))
  return counts.map((count, i) => ({ fromSeconds: round(i * width), toSeconds: i === counts.length - 1 ? round(Math.max(longest, (i + 1) * width)) : round((i + 1) * width), count }))
}

function roundWidth(least: number): number {
  for (let unit = 0.1; ; unit *= 10) for (const factor of [1, 2, 5]) if (unit * factor >= least) return unit * factor
}
