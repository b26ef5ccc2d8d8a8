// Who acts: carried along each call of the contract, so that whatever the call writes into the log names the right person,
// however deep it is written. It ends with the call: what comes later (a token pulled out, a run that goes on) is the
// station's own, even where Node still carries the call's context along.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { PersonRole } from '../contract/roles.ts'

export type Actor = Readonly<{
  /** Null in an open station, where nobody has an account. */
  account: string | null
  /** The name for the log: the pseudonym where one is set. */
  person: string
  /** The role by which the call is allowed; null in an open station, where each act has its own. */
  role: PersonRole | null
}>

type Call = { actor: Actor | null }

const calls = new AsyncLocalStorage<Call>()

/** The one who acts in the present call; null outside of calls. */
export function actingNow(): Actor | null {
  return calls.getStore()?.actor ?? null
}

/** Does the work of one call in somebody's name. */
export async function actAs<T>(actor: Actor, work: () => T | Promise<T>): Promise<T> {
  const call: Call = { actor }
  return calls.run(call, async () => {
    try {
      return await work()
    } finally {
      call.actor = null
    }
  })
}
