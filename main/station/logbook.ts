// The station's pen: every entry goes through here, with the person who acted. It also closes what a station that died
// left open: each run without an outcome gets one that says what was proven last (design.md, "One run").
import type { Failure } from '../base/failure.ts'
import { failed } from '../base/failure.ts'
import type { Entry, EntryDraft, Role } from '../log/entry.ts'
import type { AuditStore } from '../store/audit.ts'
import { lastProven, readable, runsMax, text, whole, entriesOfRun } from './history.ts'

export class Logbook {
  readonly audit: AuditStore
  person: string

  constructor(audit: AuditStore, person: string) {
    this.audit = audit
    this.person = person
  }

  /** On disk when it returns null; on failure nothing was written. */
  record(drafts: readonly EntryDraft[]): Failure | null {
    const written = this.audit.appendAll(drafts)
    return failed(written) ? written : null
  }

  /** Something a person did. Gives the entry's number. */
  recordAct(draft: EntryDraft, role: Role): number | Failure {
    const entry = this.audit.append({ ...draft, person: this.person, role })
    return failed(entry) ? entry : entry.seq
  }

  /** Notes a refusal and hands it on; when even that cannot be written, that failure is the one to tell. */
  refuse(what: string, failure: Failure): Failure {
    return this.record([{ kind: 'refusal', person: this.person, role: 'operator', data: { what, failure: failure.kind.slice(0, 64), says: failure.says.slice(0, 1000) } }]) ?? failure
  }

  /**
   * Closes the batch that an earlier station start left open, if there is one: its runs without an outcome end as
   * stopped. Gives how many runs were closed. One transaction, so that dying here changes nothing.
   */
  closeAbandoned(): number | Failure {
    const batches = this.audit.list({ kind: 'batch-started', limit: 1 })
    if (failed(batches)) return batches
    const batch = text(readable(batches)[0], 'batch')
    if (batch === null) return 0
    const ended = this.audit.count({ kind: 'batch-ended', batch })
    if (failed(ended)) return ended
    if (ended > 0) return 0
    const starts = this.audit.list({ kind: 'run-started', batch, limit: runsMax })
    const outcomes = this.audit.list({ kind: 'outcome', batch, limit: runsMax })
    if (failed(starts)) return starts
    if (failed(outcomes)) return outcomes
    const done = new Map(readable(outcomes).map((entry) => [text(entry, 'run'), text(entry, 'outcome') ?? 'failed']))
    const counts = { confirmed: 0, reverted: 0, unchanged: 0, failed: 0, stopped: 0, uploaded: 0, tested: 0 }
    for (const outcome of done.values()) if (outcome in counts) counts[outcome as keyof typeof counts] += 1
    const drafts: EntryDraft[] = []
    let abandoned = 0
    for (const start of readable(starts).filter((entry) => !done.has(text(entry, 'run')))) {
      const closing = this.#closing(start)
      if (failed(closing)) return closing
      drafts.push(...closing)
      counts.stopped += 1
      abandoned += 1
    }
    drafts.push({ kind: 'batch-ended', data: { batch, reason: 'station-died', ...counts } })
    return this.record(drafts) ?? abandoned
  }

  #closing(start: Entry): EntryDraft[] | Failure {
    const run = text(start, 'run')
    if (run === null) return []
    const entries = entriesOfRun(this.audit, run)
    if (failed(entries)) return entries
    const ofRun = { run, unit: text(start, 'unit') ?? 'unknown', batch: text(start, 'batch') ?? undefined, bay: whole(start, 'bay') || undefined }
    const says = `The station stopped during this run. ${lastProven(entries)} ${whatNow(entries)}`.slice(0, 1000)
    const intended = entries.findLast((entry) => entry.kind.startsWith('slot-write-'))
    const imageHash = text(intended, 'imageHash')
    const openWrite: EntryDraft[] = intended?.kind !== 'slot-write-intended' || imageHash === null ? [] : [{
      kind: 'slot-write-failed', data: { ...ofRun, image: whole(intended, 'image'), slot: whole(intended, 'slot'), imageHash, failure: 'station-died', says: 'The station stopped before the board had vouched for the slot.' },
    }]
    return [...openWrite, { kind: 'outcome', data: { ...ofRun, outcome: 'stopped', failure: 'station-died', says } }]
  }
}

/** What the unit may do by itself, as far as the log lets one know. */
function whatNow(entries: readonly Entry[]): string {
  const has = (kind: string) => entries.some((entry) => entry.kind === kind)
  if (has('confirmed')) return 'The board had confirmed the new image.'
  if (has('confirm-intended')) return 'A confirm may have reached the board: run it again to learn how it stands.'
  if (has('booted') || has('reset-intended')) return 'The board may run the new image on test; unconfirmed, its next restart brings the old one back.'
  if (has('mark-intended')) return 'The board may try the new image at its next restart; unconfirmed, it goes back by itself.'
  return 'The board still runs its old image.'
}
