// The keyring as the window sees it: names, fingerprints, classes. Passphrases pass through as arguments of one call and
// are never kept here.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { ArgsOf } from '../../main/contract/api.ts'
import type { FailureView, KeyView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

export const useKeys = defineStore('keys', () => {
  const rows = shallowRef<readonly KeyView[]>([])
  const loaded = ref(false)
  const failure = shallowRef<FailureView | null>(null)
  const usable = computed(() => rows.value.filter((key) => key.retiredAt === null))

  async function load(): Promise<void> {
    const reply = await ask('listKeys', {})
    if (reply.ok) rows.value = reply.value
    failure.value = reply.ok ? null : reply.failure
    loaded.value = true
  }

  async function generate(args: ArgsOf<'generateKey'>): Promise<FailureView | null> {
    const reply = await ask('generateKey', args)
    if (!reply.ok) return reply.failure
    await load()
    return null
  }

  async function bring(args: ArgsOf<'importKey'>): Promise<FailureView | null> {
    const reply = await ask('importKey', args)
    if (!reply.ok) return reply.failure
    await load()
    return null
  }

  async function retire(name: string): Promise<FailureView | null> {
    const reply = await ask('retireKey', { name })
    if (!reply.ok) return reply.failure
    await load()
    return null
  }

  async function setPolicy(args: ArgsOf<'setKeyPolicy'>): Promise<FailureView | null> {
    const reply = await ask('setKeyPolicy', args)
    if (!reply.ok) return reply.failure
    await load()
    return null
  }

  return { rows, loaded, failure, usable, load, generate, bring, retire, setPolicy }
})
