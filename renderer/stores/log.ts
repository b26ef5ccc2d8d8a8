// The log as the window reads it: what is looked for is a found set that the station keeps, and rows are read by their place
// in it, a hundred at a time, wherever the reader looks. Rows are kept by their place from the oldest on, which new entries
// do not move. A million entries are searched in the station, not in the window.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, triggerRef } from 'vue'
import type { BundleView, EntryView, FailureView, LogVerdictView, OutcomeName, Reply, StationEvent } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { timeLeft } from './left.ts'

export const pageRows = 100
/** Pages kept in the window. */
export const heldPagesMax = 60
/** Entries in a unit's drawer, a piece at a time. */
export const historyPiece = 200

/** Filters beside kind and text; null leaves one open. Times are ISO 8601, from `since` on and before `until`. */
export type Narrow = Readonly<{ unit: string | null; person: string | null; batch: string | null; key: string | null; outcome: OutcomeName | null; since: string | null; until: string | null }>
export const wide: Narrow = { unit: null, person: null, batch: null, key: null, outcome: null, since: null, until: null }

export const useLog = defineStore('log', () => {
  const total = ref(0)
  const size = ref(0)
  const loaded = ref(false)
  const searching = ref(false)
  const failure = shallowRef<FailureView | null>(null)
  const kind = ref<string | null>(null)
  const text = ref('')
  const narrow = ref<Narrow>(wide)
  const verdict = shallowRef<LogVerdictView | null>(null)
  const verifiedAt = ref<string | null>(null)
  const verifying = ref(false)
  const exporting = ref(false)
  const bundle = shallowRef<BundleView | null>(null)
  const progress = ref<{ done: number; total: number } | null>(null)
  /** In hundredths, while a log that is only looked at is put aside; until then its newest entries can be read, and no more. */
  const copied = ref<number | null>(null)
  /** Seconds; null while nobody can tell. */
  const copyLeft = ref<number | null>(null)
  const checkLeft = ref<number | null>(null)
  const [copyTime, checkTime] = [timeLeft(), timeLeft()]
  /** An entry that another part of the window wants to be shown. */
  const goal = ref<number | null>(null)
  const filtered = computed(() => kind.value !== null || text.value !== '' || Object.values(narrow.value).some((value) => value !== null))
  let find: string | null = null
  /** Pages by number from the oldest on; the order of use decides which goes first. */
  const pages = shallowRef(new Map<number, readonly EntryView[]>())
  const asked = new Set<number>()
  // Answers to an older question than the newest are dropped, and verdicts on what is no longer looked at.
  let question = 0
  let check = 0

  /** Looks for what the filters say; with the same filters it takes in what was written since. */
  async function look(again: boolean): Promise<boolean> {
    const mine = ++question
    searching.value = true
    const reply = await ask('findLog', { kind: kind.value, text: text.value, ...narrow.value })
    if (mine !== question) return false
    searching.value = false
    loaded.value = true
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok) return false
    if (!again || reply.value.find !== find) forget()
    find = reply.value.find
    total.value = reply.value.total
    size.value = Math.max(size.value, reply.value.size)
    return true
  }

  function forget(): void {
    pages.value = new Map()
    asked.clear()
  }

  /** The row at a place, 0 the newest; undefined until it has been read (`wanted` asks for it). */
  function rowAt(place: number): EntryView | undefined {
    const fromOldest = total.value - 1 - place
    const page = Math.floor(fromOldest / pageRows)
    const rows = pages.value.get(page)
    // A page holds its rows newest first.
    return rows?.[rows.length - 1 - (fromOldest - page * pageRows)]
  }

  /** Reads the rows of these places where they are not there yet. */
  async function wanted(first: number, last: number): Promise<void> {
    if (total.value === 0 || find === null) return
    const oldest = Math.floor(Math.max(0, total.value - 1 - last) / pageRows)
    const newest = Math.floor((total.value - 1 - Math.max(0, first)) / pageRows)
    const missing = Array.from({ length: Math.max(0, Math.min(4, newest - oldest + 1)) }, (_, i) => newest - i).filter((page) => !asked.has(page) && (pages.value.get(page)?.length ?? 0) < rowsOf(page))
    await Promise.all(missing.map((page) => readPage(page)))
  }

  /** The newest page grows. */
  function rowsOf(page: number): number {
    return Math.min(total.value, (page + 1) * pageRows) - page * pageRows
  }

  async function readPage(page: number): Promise<void> {
    const [named, of] = [find, total.value]
    if (named === null) return
    asked.add(page)
    const from = page * pageRows
    const upTo = Math.min(of, from + pageRows)
    const reply = await ask('foundEntries', { find: named, at: of - upTo, limit: upTo - from })
    asked.delete(page)
    if (named !== find) return
    if (!reply.ok) {
      // The station keeps the latest few searches only; asking again finds it anew.
      if (reply.failure.kind === 'no-such-find') void look(false)
      else failure.value = reply.failure
      return
    }
    const kept = pages.value
    kept.delete(page)
    kept.set(page, reply.value)
    for (const oldest of [...kept.keys()].slice(0, Math.max(0, kept.size - heldPagesMax))) kept.delete(oldest)
    triggerRef(pages)
  }

  /** Takes in what was written since; gives how many new rows stand in front. */
  async function newest(): Promise<number> {
    const before = total.value
    return await look(find !== null) ? Math.max(0, total.value - before) : 0
  }

  async function filter(next: { kind: string | null; text: string; narrow?: Narrow }): Promise<void> {
    kind.value = next.kind
    text.value = next.text
    narrow.value = next.narrow ?? narrow.value
    await look(false)
  }

  /** Where an entry stands among what was found; null when it is not among it. */
  async function placeOf(seq: number): Promise<number | null> {
    if (find === null && !await look(false)) return null
    const reply = await ask('placeInLog', { find: find ?? 'q0', seq })
    return reply.ok ? reply.value.at : null
  }

  /** The verdict was on what was looked at before; so is one that is still to come. */
  function forgetVerdict(): void {
    check += 1
    verifying.value = false
    verdict.value = null
    verifiedAt.value = null
  }

  async function verify(): Promise<void> {
    if (verifying.value) return
    const mine = ++check
    verifying.value = true
    progress.value = null
    const reply = await ask('verifyLog', {})
    if (mine !== check) return
    verifying.value = false
    progress.value = null
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok) return
    verdict.value = reply.value
    verifiedAt.value = new Date().toISOString()
  }

  function hear(event: StationEvent): void {
    if (event.is === 'log') size.value = event.size
    else if (event.is === 'progress' && event.what === 'verify') {
      progress.value = { done: event.done, total: event.total }
      checkLeft.value = checkTime(event.done, event.total, performance.now())
    } else if (event.is === 'progress') {
      copied.value = event.done < event.total ? Math.floor((100 * event.done) / event.total) : null
      copyLeft.value = copyTime(event.done, event.total, performance.now())
    }
  }

  /** The whole log as an audit bundle, where the person says; null when they changed their mind. */
  async function exportAll(): Promise<void> {
    exporting.value = true
    const reply = await ask('exportLog', { saveAs: null })
    exporting.value = false
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) bundle.value = reply.value
  }

  /** A piece of a unit's history, newest first, from before an entry on; the list beside it stays as it is. */
  async function historyOf(unit: string, before: number | null): Promise<Reply<{ entries: EntryView[]; total: number }>> {
    return await ask('listLog', { unit, before, limit: historyPiece })
  }

  return { total, size, loaded, searching, failure, kind, text, narrow, verdict, verifiedAt, verifying, progress, checkLeft, copied, copyLeft, filtered, pages, goal, rowAt, wanted, newest, filter, placeOf, exporting, bundle, verify, forgetVerdict, exportAll, historyOf, hear }
})
