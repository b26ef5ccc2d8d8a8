// The log opened for a call that signs it. Where its key lies in a token, that is unlocked on the way, and the process that
// knew the PIN is gone before the call ends.
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import type { AuditStore } from '../store/audit.ts'
import type { Call } from './call.ts'
import type { PinOptions } from './passphrase.ts'
import { openLog } from './record.ts'
import { openTokens, tokenKeyAt } from './tokens.ts'
import type { CallTokens } from './tokens.ts'

/** Kinds: those of `openLog`, `tokenKeyAt` and the work. */
export async function withSigningLog<T>(call: Call, flags: PinOptions, work: (store: AuditStore) => Promise<T | Failure>): Promise<T | Failure> {
  const store = await openLog(call)
  if (failed(store)) return store
  let opened: CallTokens | Failure | null = null
  try {
    const signer = store.logSigner()
    const uri = failed(signer) && signer.kind === 'log-key-in-token' ? signer.facts['uri'] : null
    if (typeof uri !== 'string') return await work(store)
    opened = await openTokens(call)
    if (failed(opened)) return opened
    const { tokens } = opened
    const key = await tokenKeyAt(call, tokens, uri, flags)
    if (failed(key)) return key
    store.reachTokens((at, publicKey) => tokens.signer(at, publicKey))
    return await work(store)
  } finally {
    // The log first: what went wrong at a token is noted in it after this.
    store.close()
    if (opened !== null && !failed(opened)) await opened.close()
  }
}
