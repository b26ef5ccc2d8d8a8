// The log, newest first, read in pages as the reader scrolls. Held rows have a ceiling: a million entries are searched
// in the station, not in the window.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { EntryView, FailureView, LogVerdictView, StationEvent } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

const pageRows = 100
export const heldRowsMax = 20_000

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
  const verdict = shallowRef<LogVerdictView | null>(null)
  const verifying = ref(false)
  const progress = ref<{ done: number; total: number } | null>(null)
  const filtered = computed(() => kind.value !== null || text.value !== '')
  // Answers to an older question than the newest are dropped.
  let question = 0

  async function page(before: number | null): Promise<readonly EntryView[] | null> {
    const mine = ++question
    loading.value = true
    const reply = await ask('listLog', { before, limit: pageRows, kind: kind.value, text: text.value })
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

  async function filter(next: { kind: string | null; text: string }): Promise<void> {
    kind.value = next.kind
    text.value = next.text
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
    if (reply.ok) verdict.value = reply.value
  }

  function hear(event: StationEvent): void {
    if (event.is === 'log') size.value = event.size
    else if (event.is === 'progress' && event.what === 'verify') progress.value = { done: event.done, total: event.total }
  }

  return { rows, total, size, loaded, loading, ended, failure, kind, text, verdict, verifying, progress, filtered, newest, older, filter, verify, hear }
})
