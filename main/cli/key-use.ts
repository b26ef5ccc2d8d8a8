// A key's policy, asked before every signature of the command line. A PEM file or a token's URI that is also in the ring follows
// the ring's policy: naming a key in another way does not get around it.
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { realClock } from '../base/clock.ts'
import { judgeUse, openPolicy } from '../keys/policy.ts'
import type { Allowed, KeyClass, PolicyKind } from '../keys/policy.ts'
import type { KindData } from '../log/kinds.ts'
import type { Call } from './call.ts'
import type { Approval } from '../station/approvals.ts'
import type { HeldKey } from './keys.ts'
import { openLog } from './record.ts'

/** `--product` and `--for`. */
export type UseFlags = Readonly<{ product?: string; for?: KeyClass }>

export type PermittedUse = Allowed & Readonly<{ approval: number | null }>

/** What the key's policy says to signing this as that version. Kinds: of `judgeUse`, and of the log for keys that need two people. */
export async function permittedUse(call: Call, key: HeldKey, flags: UseFlags, what: Readonly<{ inputSha256: string; version: string }>): Promise<PermittedUse | Failure> {
  const policy = key.entry?.policy ?? openPolicy
  const approvals = policy.needsTwo ? await approvalsOf(call, { key: key.fingerprint, ...what }) : []
  if (failed(approvals)) return approvals
  const judged = judgeUse(
    { name: key.name ?? key.path ?? 'in the token', class: key.class, retiredAt: key.entry?.retiredAt ?? null, policy },
    { wallMs: realClock.wallMs(), account: call.actor?.account ?? null, product: flags.product ?? null, recipe: flags.for ?? null, approvedBy: approvals },
  )
  return failed(judged) ? judged : { ...judged, approval: approvals.find(({ account }) => account !== null && account === judged.approvedBy?.account)?.entry ?? null }
}

async function approvalsOf(call: Call, wanted: Readonly<{ key: string; inputSha256: string; version: string }>): Promise<Approval[] | Failure> {
  const { unusedApprovals } = await import('../station/approvals.ts')
  const store = await openLog(call)
  if (failed(store)) return store
  try {
    return unusedApprovals(store, wanted)
  } finally {
    store.close()
  }
}

const policyKinds: ReadonlySet<string> = new Set(['key-retired', 'key-not-yet', 'key-expired', 'test-key', 'key-wrong-product', 'needs-approval', 'needs-accounts'] satisfies PolicyKind[])

/** What the policy said, as the log has it; undefined for a refusal that was none of the policy's. */
export function policyData(outcome: PermittedUse | Failure, flags: UseFlags): KindData<'image-signed'>['policy'] {
  const about = { ...(flags.product === undefined ? {} : { product: flags.product.slice(0, 200) }), ...(flags.for === undefined ? {} : { recipe: flags.for }) }
  if (!failed(outcome)) return { decision: 'allowed', reason: outcome.reason.slice(0, 1000), ...about }
  return policyKinds.has(outcome.kind) ? { decision: 'refused', reason: outcome.says.slice(0, 1000), ...about } : undefined
}
