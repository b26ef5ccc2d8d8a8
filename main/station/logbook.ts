// The station's pen: every entry goes through here, with the person who acted. It also closes what a station that died
// left open: each run without an outcome gets one that says what was proven last (docs/run.md).
import { realClock } from '../base/clock.ts'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { Entry, EntryDraft, Role } from '../log/entry.ts'
import type { AuditStore } from '../store/audit.ts'
import { actingNow } from './acting.ts'
import { lastProven, readable, runsMax, text, whole, entriesOfRun } from './history.ts'

/** Puts work off until the event loop turns, when all that came in together has been heard. */
export type Turn = (work: () => void) => void

type Waiting = Readonly<{ drafts: readonly EntryDraft[]; resolve: (failure: Failure | null) => void }>

export class Logbook {
  readonly audit: AuditStore
  /** From the first account on nobody is taken for the machine's user: what no signed-in person did, the station did. */
  takesAccounts = false
  #user: string
  readonly #turn: Turn
  readonly #clock: Clock
  #waiting: Waiting[] = []
  /** Since when, by the monotonic clock, what waits has met a locked database; null when it has not. */
  #lockedSinceMs: number | null = null
  #cancelRetry: () => void = () => {}

  /** `user` is who acts while nobody has an account. */
  constructor(audit: AuditStore, user: string, turn: Turn = setImmediate, clock: Clock = realClock) {
    this.audit = audit
    this.#user = user
    this.#turn = turn
    this.#clock = clock
  }

  /** Who acts now, as the log has it; empty when that is the station itself. */
  get person(): string {
    return actingNow()?.person ?? (this.takesAccounts ? '' : this.#user)
  }

  set person(user: string) {
    this.#user = user
  }

  /** The account of who acts now; null where people have none. */
  get account(): string | null {
    return actingNow()?.account ?? null
  }

  /** The role somebody acts in: the signed-in person's, else the one the act itself is for. */
  roleFor(role: Role): Role {
    return actingNow()?.role ?? (this.person === '' ? 'station' : role)
  }

  /**
   * Like `record`, together with all that others hand in before the event loop turns: one disk flush for a whole line of
   * boards instead of one for each. What was handed in together stands together or not at all. While another program keeps
   * the database locked this waits, up to `lockedMaxMs`, and nothing else waits with it; then the answer is `database-locked`.
   */
  recordTogether(drafts: readonly EntryDraft[]): Promise<Failure | null> {
    return new Promise((resolve) => {
      if (this.#waiting.length >= waitingMax) return resolve(new Failure('database-locked', 'The log has been locked by another program for too long. Close it and try again.'))
      this.#waiting.push({ drafts, resolve })
      if (this.#waiting.length === 1) this.#turn(() => this.flush())
      else if (this.#waiting.length >= togetherMax && this.#lockedSinceMs === null) this.flush()
    })
  }

  /** Writes what waits for the turn; what meets a locked database goes on waiting. */
  flush(): void {
    const waiting = this.#waiting
    if (waiting.length === 0) return
    const written = this.audit.appendAll(waiting.flatMap(({ drafts }) => drafts))
    if (failed(written) && written.kind === 'database-locked' && this.#mayWait()) return
    this.#cancelRetry()
    this.#lockedSinceMs = null
    this.#waiting = []
    // A draft that is refused takes none of the others with it.
    const alone = failed(written) && written.kind === 'entry-refused' && waiting.length > 1
    for (const { drafts, resolve } of waiting) {
      const own = alone ? this.audit.appendAll(drafts) : written
      resolve(failed(own) ? own : null)
    }
  }

  /** True when what waits is tried again a little later. */
  #mayWait(): boolean {
    const nowMs = this.#clock.monotonicMs()
    this.#lockedSinceMs ??= nowMs
    this.#cancelRetry()
    if (nowMs - this.#lockedSinceMs >= lockedMaxMs) return false
    this.#cancelRetry = this.#clock.after(lockedRetryMs, () => this.flush())
    return true
  }

  /** Writes what still waits, or answers that it could not. Nothing is handed in after this. */
  close(): void {
    this.#lockedSinceMs = -Infinity
    this.flush()
  }

  /** On disk when it returns null; on failure nothing was written. */
  record(drafts: readonly EntryDraft[]): Failure | null {
    this.flush()
    const written = this.audit.appendAll(drafts)
    return failed(written) ? written : null
  }

  /** Something a person did. Gives the entry's number. */
  recordAct(draft: EntryDraft, role: Role): number | Failure {
    this.flush()
    const entry = this.audit.append({ ...draft, person: this.person, role: this.roleFor(role) })
    return failed(entry) ? entry : entry.seq
  }

  /** Notes a refusal and hands it on; when even that cannot be written, that failure is the one to tell. */
  refuse(what: string, failure: Failure): Failure {
    return this.record([{ kind: 'refusal', person: this.person, role: this.roleFor('operator'), data: { what, failure: failure.kind.slice(0, 64), says: failure.says.slice(0, 1000) } }]) ?? failure
  }

  /**
   * Closes batches that the log shows without an end, because their station died or the log could not be written: each of
   * their runs without an outcome gets one. Gives how many runs were closed. One transaction, so that dying here changes
   * nothing. Only to be called while no batch runs.
   */
  closeAbandoned(why: Abandoned = 'station-died'): number | Failure {
    const batches = this.audit.list({ kind: 'batch-started', limit: abandonedMax })
    if (failed(batches)) return batches
    const drafts: EntryDraft[] = []
    let abandoned = 0
    for (const start of readable(batches).reverse()) {
      const batch = text(start, 'batch')
      if (batch === null) continue
      const ended = this.audit.count({ kind: 'batch-ended', batch })
      if (failed(ended)) return ended
      if (ended > 0) continue
      const closing = this.#closingBatch(batch, why)
      if (failed(closing)) return closing
      drafts.push(...closing.drafts)
      abandoned += closing.runs
    }
    return drafts.length === 0 ? 0 : this.record(drafts) ?? abandoned
  }

  #closingBatch(batch: string, why: Abandoned): { drafts: EntryDraft[]; runs: number } | Failure {
    const starts = this.audit.list({ kind: 'run-started', batch, limit: runsMax })
    const outcomes = this.audit.list({ kind: 'outcome', batch, limit: runsMax })
    if (failed(starts)) return starts
    if (failed(outcomes)) return outcomes
    const done = new Map(readable(outcomes).map((entry) => [text(entry, 'run'), text(entry, 'outcome') ?? 'failed']))
    const counts = { confirmed: 0, reverted: 0, unchanged: 0, failed: 0, stopped: 0, uploaded: 0, tested: 0 }
    for (const outcome of done.values()) if (outcome in counts) counts[outcome as keyof typeof counts] += 1
    const drafts: EntryDraft[] = []
    let runs = 0
    for (const start of readable(starts).filter((entry) => !done.has(text(entry, 'run')))) {
      const closing = this.#closing(start, why)
      if (failed(closing)) return closing
      drafts.push(...closing)
      counts[closedAs[why].outcome] += 1
      runs += 1
    }
    drafts.push({ kind: 'batch-ended', data: { batch, reason: closedAs[why].reason, ...counts } })
    return { drafts, runs }
  }

  #closing(start: Entry, why: Abandoned): EntryDraft[] | Failure {
    const run = text(start, 'run')
    if (run === null) return []
    const entries = entriesOfRun(this.audit, run)
    if (failed(entries)) return entries
    const ofRun = { run, unit: text(start, 'unit') ?? 'unknown', batch: text(start, 'batch') ?? undefined, bay: whole(start, 'bay') || undefined }
    const { outcome, says: what } = closedAs[why]
    const says = `${what} ${lastProven(entries)} ${whatNow(entries)}`.slice(0, 1000)
    const intended = entries.findLast((entry) => entry.kind.startsWith('slot-write-'))
    const imageHash = text(intended, 'imageHash')
    const openWrite: EntryDraft[] = intended?.kind !== 'slot-write-intended' || imageHash === null ? [] : [{
      kind: 'slot-write-failed', data: { ...ofRun, image: whole(intended, 'image'), slot: whole(intended, 'slot'), imageHash, failure: why, says: `${what} The board had not vouched for the slot yet.` },
    }]
    return [...openWrite, { kind: 'outcome', data: { ...ofRun, outcome, failure: why, says } }]
  }
}

/** Why a run has no outcome of its own: its station is gone, or the log took nothing more. */
export type Abandoned = 'station-died' | 'log-failed'

const closedAs = {
  'station-died': { outcome: 'stopped', reason: 'station-died', says: 'The station stopped during this run.' },
  'log-failed': { outcome: 'failed', reason: 'stopped', says: 'The log could not be written during this run, so nothing more was done to the board.' },
} as const

/** Batches looked back over; all but the latest are closed already, unless the log gave out again and again. */
const abandonedMax = 20

/** How long entries wait for a database that another program keeps locked, and how often they try. */
export const lockedMaxMs = 5_000
export const lockedRetryMs = 50

/** At most this many boards' entries in one append. */
const togetherMax = 256
/** No more wait for a locked database. */
const waitingMax = 1_000

/** What the unit may do by itself, as far as the log lets one know. */
function whatNow(entries: readonly Entry[]): string {
  const has = (kind: string) => entries.some((entry) => entry.kind === kind)
  if (has('confirmed')) return 'The board had confirmed the new image.'
  if (has('confirm-intended')) return 'A confirm may have reached the board: run it again to learn how it stands.'
  if (has('booted') || has('reset-intended')) return 'The board may run the new image on test; unconfirmed, its next restart brings the old one back.'
  if (has('mark-intended')) return 'The board may try the new image at its next restart; unconfirmed, it goes back by itself.'
  return 'The board still runs its old image.'
}
