// The catalogue of failures, as the station tells it, and which entry is open. A failed bay leads here by its failure.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import { entryIdOf } from '../../main/contract/api.ts'
import type { FailureEntryView } from '../../main/contract/engineer.ts'
import type { FailureView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { useHouse } from './house.ts'

export const useCatalogue = defineStore('catalogue', () => {
  const house = useHouse()
  const rows = shallowRef<readonly FailureEntryView[]>([])
  const failure = shallowRef<FailureView | null>(null)
  const picked = ref<string | null>(null)
  const filter = ref('')

  async function load(): Promise<void> {
    if (rows.value.length > 0) return
    const reply = await ask('failureCatalogue', {})
    if (reply.ok) rows.value = reply.value
    failure.value = reply.ok ? null : reply.failure
  }

  /** Shows what lies behind this failure: the code that the board answered where there is one. */
  function explain(of: FailureView): void {
    filter.value = ''
    picked.value = entryIdOf(of)
    house.view = 'failures'
  }

  return { rows, failure, picked, filter, load, explain }
})
