// What a range of entries tells, gathered in one pass: runs with their steps, batches, images, keys, refusals and jumps of
// the clock. Report, CSV and test records are all made from this and from nothing else, so a verifier that has the entries
// makes them again and sees whether somebody edited a page. Reading is lenient: a later version may have written more.
import type { Entry } from '../log/entry.ts'

export type RunStep = Readonly<{ name: string; began: string; ended: string; result: 'PASS' | 'FAIL' | 'ERROR'; says: string }>

/** One passage of a unit through a batch; `ended` and `outcome` are null while it has none in this range. */
export type RunRecord = {
  readonly run: string
  unit: string
  batch: string
  bay: number | null
  station: string
  began: string
  ended: string | null
  outcome: string | null
  failure: string | null
  says: string
  imageHash: string | null
  activeHash: string | null
  version: string | null
  seconds: number | null
  readonly steps: RunStep[]
}

export type BatchRecord = { readonly batch: string; name: string; mode: string; imageHash: string; version: string; key: string; person: string; station: string; began: string; ended: string | null; reason: string | null }

/** An entry worth a line of its own in the report. */
export type Note = Readonly<{ seq: number; time: string; person: string; kind: string; fields: Readonly<Record<string, string>> }>

export type Story = Readonly<{
  entries: number
  first: string | null
  last: string | null
  stations: readonly string[]
  people: readonly string[]
  kinds: Readonly<Record<string, number>>
  runs: readonly RunRecord[]
  batches: readonly BatchRecord[]
  /** Signatures, packages, keys, refusals, clock steps, redactions, upgrades: the first `notesMax`, and how many in all. */
  notes: readonly Note[]
  notesTotal: number
}>

export const runsMax = 200_000
export const notesMax = 5_000
const stepsMax = 100
const namesMax = 1_000

const noted: ReadonlySet<string> = new Set([
  'key-created', 'key-imported', 'key-exported', 'key-retired', 'image-signed', 'image-refused', 'package-made', 'package-opened', 'package-refused',
  'recipe-released', 'refusal', 'sign-in-refused', 'clock-stepped', 'entry-redacted', 'log-restored', 'settings', 'station-started',
])

/** Kinds that open a step, by the kinds that close it. */
const steps: Readonly<Record<string, Readonly<{ name: string; opens?: string; result: RunStep['result'] }>>> = {
  'preflight-refused': { name: 'preflight', result: 'FAIL' },
  'slot-write-done': { name: 'upload', opens: 'slot-write-intended', result: 'PASS' },
  'slot-write-failed': { name: 'upload', opens: 'slot-write-intended', result: 'ERROR' },
  'slot-erased': { name: 'erase', opens: 'slot-erase-intended', result: 'PASS' },
  marked: { name: 'mark', opens: 'mark-intended', result: 'PASS' },
  reset: { name: 'reset', opens: 'reset-intended', result: 'PASS' },
  booted: { name: 'return', opens: 'reset', result: 'PASS' },
  'proof-passed': { name: 'proof', result: 'PASS' },
  'proof-failed': { name: 'proof', result: 'FAIL' },
  confirmed: { name: 'confirm', opens: 'confirm-intended', result: 'PASS' },
}

export type Teller = Readonly<{ add(entry: Entry): void; end(): Story }>

/** Gathers a story, fed entry by entry in order. */
export function tell(): Teller {
  const runs = new Map<string, RunRecord & { opened: Map<string, string>; last: string }>()
  const batches = new Map<string, BatchRecord>()
  const notes: Note[] = []
  const kinds: Record<string, number> = Object.create(null) as Record<string, number>
  const [stations, people] = [new Set<string>(), new Set<string>()]
  let entries = 0
  let notesTotal = 0
  let first: string | null = null
  let last: string | null = null

  return {
    add(entry) {
      entries += 1
      first ??= entry.time
      last = entry.time
      kinds[entry.kind] = (kinds[entry.kind] ?? 0) + 1
      if (stations.size < namesMax) stations.add(entry.station)
      if (entry.person !== '' && people.size < namesMax) people.add(entry.person)
      if (noted.has(entry.kind)) {
        notesTotal += 1
        if (notes.length < notesMax) notes.push({ seq: entry.seq, time: entry.time, person: entry.person, kind: entry.kind, fields: fieldsOf(entry) })
      }
      addToBatch(batches, entry)
      const run = textOf(entry, 'run')
      if (run === null || (!runs.has(run) && runs.size >= runsMax)) return
      const record = runs.get(run) ?? begin(run, entry)
      runs.set(run, record)
      addToRun(record, entry)
    },
    end: () => ({
      entries, first, last, stations: [...stations].sort(), people: [...people].sort(), kinds: { ...kinds },
      runs: [...runs.values()].map(({ opened: _, last: __, ...run }) => run), batches: [...batches.values()], notes, notesTotal,
    }),
  }
}

function begin(run: string, entry: Entry): RunRecord & { opened: Map<string, string>; last: string } {
  return {
    run, unit: textOf(entry, 'unit') ?? '', batch: textOf(entry, 'batch') ?? '', bay: numberOf(entry, 'bay'), station: entry.station, began: entry.time, ended: null,
    outcome: null, failure: null, says: '', imageHash: null, activeHash: null, version: null, seconds: null, steps: [], opened: new Map(), last: entry.time,
  }
}

function addToRun(run: RunRecord & { opened: Map<string, string>; last: string }, entry: Entry): void {
  run.opened.set(entry.kind, entry.time)
  run.imageHash = textOf(entry, 'imageHash') ?? run.imageHash
  run.activeHash = textOf(entry, 'activeHash') ?? run.activeHash
  run.version = textOf(entry, 'version') ?? run.version
  const step = Object.hasOwn(steps, entry.kind) ? steps[entry.kind] : undefined
  if (step !== undefined && run.steps.length < stepsMax) {
    const name = step.name === 'proof' ? `proof ${textOf(entry, 'proof') ?? ''}`.trim() : step.name
    const began = step.opens === undefined ? run.last : (run.opened.get(step.opens) ?? run.last)
    run.steps.push({ name, began, ended: entry.time, result: step.result, says: textOf(entry, 'says') ?? '' })
  }
  run.last = entry.time
  if (entry.kind !== 'outcome') return
  const tookMs = numberOf(entry, 'tookMs')
  run.outcome = textOf(entry, 'outcome')
  run.failure = textOf(entry, 'failure')
  run.says = textOf(entry, 'says') ?? ''
  run.ended = entry.time
  run.seconds = tookMs !== null ? tookMs / 1000 : Math.max(0, (Date.parse(entry.time) - Date.parse(run.began)) / 1000)
}

function addToBatch(batches: Map<string, BatchRecord>, entry: Entry): void {
  const batch = textOf(entry, 'batch')
  if (batch === null) return
  if (entry.kind === 'batch-started' && batches.size < runsMax) {
    const text = (field: string) => textOf(entry, field) ?? ''
    batches.set(batch, { batch, name: text('name'), mode: text('mode'), imageHash: text('imageHash'), version: text('version'), key: text('key'), person: entry.person, station: entry.station, began: entry.time, ended: null, reason: null })
  }
  const started = batches.get(batch)
  if (entry.kind === 'batch-ended' && started !== undefined) {
    started.ended = entry.time
    started.reason = textOf(entry, 'reason')
  }
}

function fieldsOf(entry: Entry): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const [name, value] of Object.entries(entry.data)) if (value !== null && typeof value !== 'object') fields[name] = String(value)
  return fields
}

/** A text field of an entry's data; null when it has none. */
export function textOf(entry: Entry, field: string): string | null {
  const value = Object.hasOwn(entry.data, field) ? entry.data[field] : undefined
  return typeof value === 'string' ? value : null
}

/** A whole number of an entry's data; null when it has none. */
export function numberOf(entry: Entry, field: string): number | null {
  const value = Object.hasOwn(entry.data, field) ? entry.data[field] : undefined
  return typeof value === 'number' ? value : null
}
