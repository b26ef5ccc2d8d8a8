// Tokens of this machine as the window sees them. A PIN passes through as an argument of one call and is never kept
// here; which tokens are unlocked is the station's word.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { ArgsOf } from '../../main/contract/api.ts'
import type { FailureView, StationEvent, TokenModuleView, TokenView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { useKeys } from './keys.ts'

/** The attributes of a PKCS#11 URI by name, values still percent-encoded. */
function attributesOf(uri: string): ReadonlyMap<string, string> {
  const path = uri.replace(/^pkcs11:/i, '').split('?')[0] ?? ''
  return new Map(path.split(';').map((part) => [part.split('=')[0] ?? '', part.slice(part.indexOf('=') + 1)]))
}

/** Whether a key's URI names a key in this token: all that both say of the token is the same. */
export function liesIn(key: string, token: string): boolean {
  const has = attributesOf(key)
  const wanted = [...attributesOf(token)].filter(([name]) => has.has(name))
  return wanted.length > 0 && wanted.every(([name, value]) => has.get(name) === value)
}

/** The label in a PKCS#11 URI, for people. */
export function tokenLabel(uri: string): string {
  const label = attributesOf(uri).get('token') ?? ''
  try {
    return decodeURIComponent(label)
  } catch {
    return label
  }
}

export const useTokens = defineStore('tokens', () => {
  const keys = useKeys()
  const modules = shallowRef<readonly TokenModuleView[]>([])
  const loaded = ref(false)
  const loading = ref(false)
  const failure = shallowRef<FailureView | null>(null)

  async function load(): Promise<void> {
    loading.value = true
    const reply = await ask('listTokens', {})
    loading.value = false
    loaded.value = true
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) modules.value = reply.value
  }

  /** The token in which a key of the ring lies, if it is there now. */
  function tokenOf(uri: string): TokenView | null {
    return modules.value.flatMap((module) => module.tokens).find((token) => liesIn(uri, token.uri)) ?? null
  }

  async function unlock(token: string, pin: string | null): Promise<FailureView | null> {
    const reply = await ask('unlockToken', { token, pin })
    if (reply.ok) modules.value = reply.value
    // A wrong PIN changes how many tries are left.
    else await load()
    return reply.ok ? null : reply.failure
  }

  async function lock(token: string): Promise<FailureView | null> {
    const reply = await ask('lockToken', { token })
    if (reply.ok) modules.value = reply.value
    return reply.ok ? null : reply.failure
  }

  async function add(args: ArgsOf<'addTokenKey'>): Promise<FailureView | null> {
    const reply = await ask('addTokenKey', args)
    if (!reply.ok) return reply.failure
    await Promise.all([load(), keys.load()])
    return null
  }

  async function generate(args: ArgsOf<'generateTokenKey'>): Promise<FailureView | null> {
    const reply = await ask('generateTokenKey', args)
    if (!reply.ok) return reply.failure
    await Promise.all([load(), keys.load()])
    return null
  }

  /** The person chooses a module's file; a changed mind changes nothing. */
  async function addModule(): Promise<void> {
    loading.value = true
    const reply = await ask('chooseTokenModule', {})
    loading.value = false
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok && reply.value !== null) modules.value = reply.value
  }

  function hear(event: StationEvent): void {
    if (event.is === 'tokens' && loaded.value && !loading.value) void load()
  }

  return { modules, loaded, loading, failure, load, tokenOf, unlock, lock, add, generate, addModule, hear }
})
