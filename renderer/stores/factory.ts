// Hooks and the factory's interface as the settings show them. A secret or token is held only while it is shown; it came
// with one answer, and no other has it.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { ArgsOf } from '../../main/contract/api.ts'
import type { FactoryApiView, HookMadeView, HookView } from '../../main/contract/factory.ts'
import type { FailureView, Reply } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

export const useFactory = defineStore('factory', () => {
  const hooks = shallowRef<readonly HookView[] | null>(null)
  const api = shallowRef<FactoryApiView | null>(null)
  const hookFailure = shallowRef<FailureView | null>(null)
  const apiFailure = shallowRef<FailureView | null>(null)
  /** Hook that a test event has just reached. */
  const tested = ref<string | null>(null)
  const secret = shallowRef<Readonly<{ target: string; text: string }> | null>(null)
  const token = ref<string | null>(null)
  const busy = ref(false)

  async function load(): Promise<void> {
    const [listed, viewed] = await Promise.all([ask('listHooks', {}), ask('factoryApi', {})])
    if (listed.ok) hooks.value = listed.value
    if (viewed.ok) api.value = viewed.value
  }

  async function hookCall<T>(work: () => Promise<Reply<T>>): Promise<T | null> {
    tested.value = null
    busy.value = true
    const reply = await work()
    busy.value = false
    hookFailure.value = reply.ok ? null : reply.failure
    await load()
    return reply.ok ? reply.value : null
  }

  function take(made: HookMadeView | null): boolean {
    if (made !== null && made.secret !== null) secret.value = { target: made.hook.target, text: made.secret }
    return made !== null
  }

  const addAddress = async (args: ArgsOf<'addWebhook'>): Promise<boolean> => take(await hookCall(() => ask('addWebhook', args)))
  const addFolder = async (): Promise<boolean> => take(await hookCall(() => ask('chooseFolderHook', {})))
  const remove = (hook: string) => hookCall(() => ask('removeHook', { hook }))
  const rewind = (hook: string, entry: number) => hookCall(() => ask('rewindHook', { hook, entry }))
  async function test(hook: string): Promise<void> {
    if (await hookCall(() => ask('testHook', { hook })) !== null) tested.value = hook
  }

  async function setApi(args: ArgsOf<'setFactoryApi'>): Promise<void> {
    busy.value = true
    const reply = await ask('setFactoryApi', args)
    busy.value = false
    apiFailure.value = reply.ok ? null : reply.failure
    if (reply.ok) api.value = reply.value
  }

  async function newToken(): Promise<void> {
    const reply = await ask('newFactoryToken', {})
    apiFailure.value = reply.ok ? null : reply.failure
    if (reply.ok) token.value = reply.value.token
    await load()
  }

  return { hooks, api, hookFailure, apiFailure, tested, secret, token, busy, load, addAddress, addFolder, remove, rewind, test, setApi, newToken }
})
