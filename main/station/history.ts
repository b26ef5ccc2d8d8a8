// A run as its log entries tell it, step by step. The log is the only memory: a run of last year and one that is going on
// are read the same way, and a run whose station died shows its last proven step.
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { RunView, StepView } from '../contract/views.ts'
import { todoOf } from '../line/failures.ts'
import type { Entry } from '../log/entry.ts'
import type { AuditStore, ListedEntry } from '../store/audit.ts'
import { Failure, failed } from '../base/failure.ts'
import { sentenceOf, stepOf } from './words.ts'

/** Entries read for one run; a run writes some twenty. */
const entriesOfRunMax = 1_000
/** Runs given in one list. */
export const runsMax = 1_000
/** Runs read in one go: some milliseconds of work. */
const runsATurn = 10

/** Results that rest on the board's own word. */
const proven: ReadonlySet<string> = new Set(['slot-write-done', 'marked', 'booted', 'proof-passed', 'confirmed'])

/** A run from its entries, oldest first; null when they do not begin one. */
export function runViewOf(entries: readonly Entry[]): RunView | null {
  const first = entries.find((entry) => entry.kind === 'run-started')
  if (first === undefined) return null
  const outcome = entries.find((entry) => entry.kind === 'outcome')
  const written = entries.findLast((entry) => entry.kind === 'slot-write-done')
  // Of a write that broke off, what the board had acknowledged: that much of its slot is not what it was.
  const bytes = whole(written ?? entries.findLast((entry) => entry.kind === 'slot-write-failed'), 'bytes')
  const tookMs = whole(written, 'tookMs')
  const kind = text(outcome, 'failure')
  const last = entries.at(-1) ?? first
  return {
    run: text(first, 'run') ?? '',
    batch: text(first, 'batch') ?? '',
    bay: whole(first, 'bay'),
    board: text(first, 'unit') ?? '',
    port: text(first, 'port') ?? '',
    outcome: (text(outcome, 'outcome') as RunView['outcome']) ?? null,
    kind,
    says: outcome === undefined ? sentenceOf(last) : (text(outcome, 'says') ?? ''),
    todo: kind === null ? null : todoOf(kind),
    activeHash: text(outcome, 'activeHash') ?? text(entries.findLast((entry) => entry.kind === 'booted'), 'activeHash'),
    version: text(outcome, 'version') ?? text(entries.findLast((entry) => entry.kind === 'booted'), 'version'),
    startedAt: first.time,
    seconds: secondsBetween(first, last),
    bytes,
    bytesPerSecond: tookMs > 0 ? Math.round((bytes * 1000) / tookMs) : 0,
    steps: entries.map((entry) => stepView(entry, first)),
  }
}

function stepView(entry: Entry, first: Entry): StepView {
  return { at: entry.time, seconds: secondsBetween(first, entry), ...stepOf(entry), says: sentenceOf(entry), kind: entry.kind, data: entry.data }
}

/** By the monotonic clock where both were written by the same station start, by the wall otherwise. */
function secondsBetween(from: Entry, to: Entry): number {
  const ms = from.session === to.session ? to.mono - from.mono : Date.parse(to.time) - Date.parse(from.time)
  return Math.max(0, ms) / 1000
}

/** The last thing the board itself vouched for in this run, as a sentence. */
export function lastProven(entries: readonly Entry[]): string {
  const last = entries.findLast((entry) => proven.has(entry.kind))
  return last === undefined ? 'Nothing on the board had been changed and proven yet.' : `Last proven: ${sentenceOf(last)}`
}

/** Everything the log says about one run, oldest first. */
export function entriesOfRun(audit: AuditStore, run: string): Entry[] | Failure {
  const listed = audit.list({ run, limit: entriesOfRunMax })
  return failed(listed) ? listed : readable(listed).reverse()
}

/** One run. Kind `no-such-run`. */
export function readRun(audit: AuditStore, run: string): RunView | Failure {
  const entries = entriesOfRun(audit, run)
  if (failed(entries)) return entries
  return runViewOf(entries) ?? new Failure('no-such-run', `The log knows no run "${run.slice(0, 64)}".`)
}

/** Runs of a batch, or the latest runs of all, newest first; other work goes on meanwhile. */
export async function readRuns(audit: AuditStore, batch: string | null): Promise<RunView[] | Failure> {
  const starts = audit.list({ batch, kind: 'run-started', limit: runsMax })
  if (failed(starts)) return starts
  const runs: RunView[] = []
  for (const [i, start] of readable(starts).entries()) {
    if (i % runsATurn === 0) await nextTurn()
    const run = text(start, 'run')
    const view = run === null ? null : readRun(audit, run)
    if (view === null) continue
    if (failed(view)) return view
    runs.push(view)
  }
  return runs
}

export function readable(listed: readonly ListedEntry[]): Entry[] {
  return listed.flatMap(({ entry }) => (failed(entry) ? [] : [entry]))
}

export function text(entry: Entry | undefined, field: string): string | null {
  const value = entry !== undefined && Object.hasOwn(entry.data, field) ? entry.data[field] : undefined
  return typeof value === 'string' ? value : null
}

export function whole(entry: Entry | undefined, field: string): number {
  const value = entry !== undefined && Object.hasOwn(entry.data, field) ? entry.data[field] : undefined
  return typeof value === 'number' ? value : 0
}
