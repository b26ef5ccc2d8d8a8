// The fixture in the window: the bay map, and the diagnosis of a port as it goes on.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { BayMapView, DiagnosisView } from '../../main/contract/line-views.ts'
import type { FailureView, StationEvent } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

export const useFixture = defineStore('fixture', () => {
  const map = shallowRef<BayMapView>({ rows: 0, columns: 0, bays: [] })
  const failure = shallowRef<FailureView | null>(null)
  /** The port whose board is being made to flicker. */
  const blinking = ref<string | null>(null)
  const diagnosis = shallowRef<DiagnosisView | null>(null)

  function hear(event: StationEvent): void {
    if (event.is === 'diagnosis') diagnosis.value = event.diagnosis
  }

  async function load(): Promise<void> {
    const reply = await ask('bayMap', {})
    if (reply.ok) map.value = reply.value
    failure.value = reply.ok ? null : reply.failure
  }

  async function lay(rows: number, columns: number): Promise<void> {
    const reply = await ask('layBays', { rows, columns })
    if (reply.ok) map.value = reply.value
    failure.value = reply.ok ? null : reply.failure
  }

  async function teach(bay: number, port: string | null): Promise<boolean> {
    const reply = await ask('teachBay', { bay, port })
    if (reply.ok) map.value = reply.value
    failure.value = reply.ok ? null : reply.failure
    return reply.ok
  }

  async function blink(port: string): Promise<void> {
    if (blinking.value !== null) return
    blinking.value = port
    const reply = await ask('blinkBoard', { port })
    blinking.value = null
    failure.value = reply.ok ? null : reply.failure
  }

  async function diagnose(port: string): Promise<void> {
    diagnosis.value = null
    const reply = await ask('diagnosePort', { port })
    if (reply.ok) diagnosis.value = reply.value
    failure.value = reply.ok ? null : reply.failure
  }

  return { map, failure, blinking, diagnosis, hear, load, lay, teach, blink, diagnose }
})
