// The accounts, for administrators. PINs and badge codes pass through as arguments of one call and are never kept here.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { ArgsOf, MethodName, ResultOf } from '../../main/contract/api.ts'
import type { PersonView } from '../../main/contract/people.ts'
import type { FailureView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { useSession } from './session.ts'

type Change = Extract<MethodName, 'addPerson' | 'changePerson' | 'retirePerson' | 'unlockPerson' | 'setPin' | 'setBadge'>

export const usePeople = defineStore('people', () => {
  const session = useSession()
  const rows = shallowRef<readonly PersonView[]>([])
  const loaded = ref(false)
  const failure = shallowRef<FailureView | null>(null)

  async function load(): Promise<void> {
    const reply = await ask('listPeople', {})
    if (reply.ok) rows.value = reply.value
    failure.value = reply.ok ? null : reply.failure
    loaded.value = true
  }

  /** Makes a change; the first account of all shuts the station, and then nobody is here to read the list. */
  async function change<M extends Change>(method: M, args: ArgsOf<M>): Promise<FailureView | null> {
    const reply: Readonly<{ ok: true; value: ResultOf<M> } | { ok: false; failure: FailureView }> = await ask(method, args)
    if (!reply.ok) return reply.failure
    if (await session.load()) await load()
    return null
  }

  return { rows, loaded, failure, load, change }
})
