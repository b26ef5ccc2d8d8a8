// The station's own updates as the settings show them: one row, replaced by each answer and each event.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { ArgsOf, MethodName } from '../../main/contract/api.ts'
import type { UpdateView } from '../../main/contract/update-view.ts'
import type { FailureView, StationEvent } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

type Step = Extract<MethodName, 'updates' | 'checkUpdate' | 'fetchUpdate' | 'applyUpdate'>

export const useUpdates = defineStore('updates', () => {
  const view = shallowRef<UpdateView | null>(null)
  const failure = shallowRef<FailureView | null>(null)
  const busy = ref(false)

  async function step(method: Step): Promise<void> {
    busy.value = true
    const reply = await ask(method, {})
    busy.value = false
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) view.value = reply.value
  }

  async function set(wanted: ArgsOf<'setUpdates'>): Promise<void> {
    const reply = await ask('setUpdates', wanted)
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) view.value = reply.value
  }

  function hear(event: StationEvent): void {
    if (event.is === 'update') view.value = event.update
  }

  return { view, failure, busy, step, set, hear }
})
