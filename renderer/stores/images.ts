// One or two opened images side by side, what differs between them, and the room the first leaves in slots of a size.
// The station reads and judges; nothing is computed from the images here.
import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef } from 'vue'
import type { ComparisonView, FailureView, FileView, SizeView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { numberOf, sectorBounds, slotBounds } from './desk.ts'
import { useUnlocking } from './unlocking.ts'

export { sectorBounds }

export const useImages = defineStore('images', () => {
  const left = shallowRef<FileView | null>(null)
  const right = shallowRef<FileView | null>(null)
  const comparison = shallowRef<ComparisonView | null>(null)
  const size = shallowRef<SizeView | null>(null)
  const failure = shallowRef<FailureView | null>(null)
  const busy = ref(false)
  const slots = reactive({ slot: '0x69000', sector: '0x1000' })
  const slotBytes = computed(() => numberOf(slots.slot, slotBounds.min, slotBounds.max))
  const sectorBytes = computed(() => numberOf(slots.sector, sectorBounds.min, sectorBounds.max))

  async function open(side: 'left' | 'right'): Promise<void> {
    busy.value = true
    const reply = await useUnlocking().chooseImage()
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok && reply.value !== null) {
      if (side === 'left') left.value = reply.value
      else right.value = reply.value
      await Promise.all([compare(), measure()])
    }
    busy.value = false
  }

  function apart(): void {
    right.value = null
    comparison.value = null
  }

  async function compare(): Promise<void> {
    comparison.value = null
    const [one, other] = [left.value, right.value]
    if (one === null || other === null || one.image === null || other.image === null) return
    const reply = await ask('compareFiles', { left: one.file, right: other.file })
    if (reply.ok) comparison.value = reply.value
    else failure.value = reply.failure
  }

  async function measure(): Promise<void> {
    const file = left.value
    if (file === null || file.image === null || slotBytes.value === null || sectorBytes.value === null) {
      size.value = null
      return
    }
    const reply = await ask('sizeOfFile', { file: file.file, slotBytes: slotBytes.value, sectorBytes: sectorBytes.value })
    size.value = reply.ok ? reply.value : null
    if (!reply.ok) failure.value = reply.failure
  }

  return { left, right, comparison, size, failure, busy, slots, slotBytes, sectorBytes, open, apart, measure }
})
