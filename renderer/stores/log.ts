// The log, newest first, read in pages as the reader scrolls. Held rows have a ceiling: a million entries are searched
// in the station, not in the window.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { BundleView, EntryView, FailureView, LogVerdictView, OutcomeName, Reply, StationEvent } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

const pageRows = 100
export const heldRowsMax = 20_000
/** Entries in a unit's drawer. */
export const historyMax = 500

/** Filters beside kind and text; null leaves one open. Times are ISO 8601, from `since` on and before `until`. */
export type Narrow = Readonly<{ unit: string | null; person: string | null; outcome: OutcomeName | null; since: string | null; until: string | null }>
export const wide: Narrow = { unit: null, person: null, outcome: null, since: null, until: null }

export const useLog = defineStore('log', () => {
  const rows = shallowRef<readonly EntryView[]>([])
  const total = ref(0)
  const size = ref(0)
  const loaded = ref(false)
  const loading = ref(false)
  const ended = ref(false)
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
  const filtered = computed(() => kind.value !== null || text.value !== '' || Object.values(narrow.value).some((value) => value !== null))
  // Answers to an older question than the newest are dropped.
  let question = 0

  async function page(before: number | null): Promise<readonly EntryView[] | null> {
    const mine = ++question
    loading.value = true
    const reply = await ask('listLog', { before, limit: pageRows, kind: kind.value, text: text.value, ...narrow.value })
    if (mine !== question) return null
    loading.value = false
    loaded.value = true
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok) return null
    total.value = reply.value.total
    return reply.value.entries
  }

  /** Reads the newest page and forgets what was scrolled to. */
  async function newest(): Promise<void> {
    const entries = await page(null)
    if (entries === null) return
    rows.value = entries
    ended.value = entries.length < pageRows
  }

  async function older(): Promise<void> {
    const last = rows.value.at(-1)
    if (loading.value || ended.value || last === undefined || rows.value.length >= heldRowsMax) return
    const entries = await page(last.seq)
    if (entries === null) return
    rows.value = [...rows.value, ...entries]
    ended.value = entries.length < pageRows
  }

  async function filter(next: { kind: string | null; text: string; narrow?: Narrow }): Promise<void> {
    kind.value = next.kind
    text.value = next.text
    narrow.value = next.narrow ?? narrow.value
    await newest()
  }

  async function verify(): Promise<void> {
    if (verifying.value) return
    verifying.value = true
    progress.value = null
    const reply = await ask('verifyLog', {})
    verifying.value = false
    progress.value = null
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok) return
    verdict.value = reply.value
    verifiedAt.value = new Date().toISOString()
  }

  function hear(event: StationEvent): void {
    if (event.is === 'log') size.value = event.size
    else if (event.is === 'progress' && event.what === 'verify') progress.value = { done: event.done, total: event.total }
  }

  /** The whole log as an audit bundle, where the person says; null when they changed their mind. */
  async function exportAll(): Promise<void> {
    exporting.value = true
    const reply = await ask('exportLog', { saveAs: null })
    exporting.value = false
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) bundle.value = reply.value
  }

  /** Everything of one unit, newest first, for its drawer; the list beside it stays as it is. */
  async function historyOf(unit: string): Promise<Reply<{ entries: EntryView[]; total: number }>> {
    return await ask('listLog', { unit, limit: historyMax })
  }

  return { rows, total, size, loaded, loading, ended, failure, kind, text, narrow, verdict, verifiedAt, verifying, progress, filtered, newest, older, filter, exporting, bundle, verify, exportAll, historyOf, hear }
})
