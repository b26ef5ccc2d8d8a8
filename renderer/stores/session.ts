// Who is signed in at this window, as the station says. What somebody may see follows from it for convenience only: the
// station refuses what is not theirs, whatever this page shows.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { ArgsOf } from '../../main/contract/api.ts'
import type { SessionView } from '../../main/contract/people.ts'
import { personRoles, type PersonRole } from '../../main/contract/roles.ts'
import type { FailureView, StationEvent } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'

export const useSession = defineStore('session', () => {
  const view = shallowRef<SessionView | null>(null)
  /** Set when nobody is signed in any more who was: the sign-in says so. */
  const left = ref<string | null>(null)
  const here = computed(() => view.value?.person ?? null)
  const roles = computed<readonly PersonRole[]>(() => here.value?.roles ?? [])
  const may = (...any: readonly PersonRole[]) => any.some((role) => roles.value.includes(role))

  function take(next: SessionView): void {
    const [was, is] = [view.value?.person ?? null, next.person]
    if (was !== null && is === null) left.value = view.value?.open === true ? null : was.name
    const other = is !== null && left.value !== null && is.name !== left.value
    if (is !== null) left.value = null
    view.value = next
    // What somebody had open is not the next one's: the page begins anew.
    if (other && !next.open) window.location.reload()
  }

  async function load(): Promise<boolean> {
    const reply = await ask('session', {})
    if (reply.ok) take(reply.value)
    return reply.ok && reply.value.person !== null
  }

  async function signIn(args: ArgsOf<'signIn'>): Promise<FailureView | null> {
    const reply = await ask('signIn', args)
    if (!reply.ok) return reply.failure
    take(reply.value)
    return null
  }

  async function leave(how: 'signOut' | 'lockStation'): Promise<FailureView | null> {
    const reply = await ask(how, {})
    if (!reply.ok) return reply.failure
    take(reply.value)
    return null
  }

  async function changePin(old: string, pin: string): Promise<FailureView | null> {
    const reply = await ask('changeOwnPin', { old, pin })
    return reply.ok ? null : reply.failure
  }

  async function setIdle(minutes: number): Promise<FailureView | null> {
    const reply = await ask('setIdleLock', { minutes })
    if (!reply.ok) return reply.failure
    take(reply.value)
    return null
  }

  function hear(event: StationEvent): void {
    if (event.is === 'session') take(event.session)
    // How far a batch is, for the page that a locked station shows.
    else if (event.is === 'batch' && here.value === null) void load()
  }

  return { view, left, here, roles, all: personRoles, may, load, signIn, leave, changePin, setIdle, hear }
})
