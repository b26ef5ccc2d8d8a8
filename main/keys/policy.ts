// Who may use a key, for what and when: a decision over values, without clock, log or key. It is asked before every signature
// and its answer goes into the log with the signature or with the refusal. Two-person approval compares accounts, never names:
// where people have none, a key that needs two people signs nothing.
import { Failure, failed } from '../base/failure.ts'

export type KeyClass = 'production' | 'test'

export type KeyPolicy = Readonly<{
  /** Products it may sign for; empty means any. */
  products: readonly string[]
  /** ISO 8601, UTC; null means no bound. */
  notBefore: string | null
  notAfter: string | null
  /** A second person must have approved what is signed. */
  needsTwo: boolean
}>

/** What a key without a policy of its own follows. */
export const openPolicy: KeyPolicy = { products: [], notBefore: null, notAfter: null, needsTwo: false }

const productsMax = 32
const productCharactersMax = 64

/** The key as the decision needs it. */
export type JudgedKey = Readonly<{ name: string; class: KeyClass; retiredAt: string | null; policy: KeyPolicy }>

/** What somebody wants to do with it. */
export type KeyUse = Readonly<{
  wallMs: number
  /** Account of who signs; null where nobody is signed in with one. */
  account: string | null
  /** What the firmware is for; null when nobody said. */
  product: string | null
  /** The recipe's class the image is meant for; null when nobody said. */
  recipe: KeyClass | null
  /** People who approved this very firmware and version for this key. */
  approvedBy: readonly Approver[]
}>

/** Who approved: the account decides, the name is for the log. */
export type Approver = Readonly<{ account: string | null; person: string }>

export type Allowed = Readonly<{
  decision: 'allowed'
  /** One sentence for the log: which rules were asked. */
  reason: string
  /** Whose approval counted. */
  approvedBy: Approver | null
}>

export type PolicyKind = 'key-retired' | 'key-not-yet' | 'key-expired' | 'test-key' | 'key-wrong-product' | 'needs-approval' | 'needs-accounts'

/** Whether the key may be used so. The first rule that says no is the reason. */
export function judgeUse(key: JudgedKey, use: KeyUse): Allowed | Failure<PolicyKind> {
  const { name, policy } = key
  if (key.retiredAt !== null) return new Failure('key-retired', `The key ${name} was retired on ${day(key.retiredAt)} and no longer signs. Choose another key.`, { name })
  if (policy.notBefore !== null && use.wallMs < Date.parse(policy.notBefore)) return new Failure('key-not-yet', `The key ${name} may not be used before ${minute(policy.notBefore)}. Choose another key, or check the computer's clock.`, { name, notBefore: policy.notBefore })
  if (policy.notAfter !== null && use.wallMs > Date.parse(policy.notAfter)) return new Failure('key-expired', `The key ${name} may not be used after ${minute(policy.notAfter)}. Choose its successor.`, { name, notAfter: policy.notAfter })
  if (use.recipe === 'production' && key.class === 'test') return new Failure('test-key', `The key ${name} is a test key and never signs for a production recipe. Choose a production key.`, { name })
  if (policy.products.length > 0 && (use.product === null || !policy.products.includes(use.product))) {
    const what = use.product === null ? 'and nobody said which product this is' : `and not for ${use.product}`
    return new Failure('key-wrong-product', `The key ${name} signs for ${policy.products.join(', ')} only, ${what}. Name the right product, or choose another key.`, { name, product: use.product ?? '' })
  }
  if (policy.needsTwo && use.account === null) return new Failure('needs-accounts', `The key ${name} needs two people, and nobody is signed in here to tell one from another. Give people accounts, and sign in.`, { name })
  const approvedBy = use.approvedBy.find((one) => one.account !== null && one.account !== use.account) ?? null
  if (policy.needsTwo && approvedBy === null) {
    const own = use.approvedBy.some((one) => one.account === use.account) ? ' Your own approval does not count: it takes two people.' : ''
    return new Failure('needs-approval', `The key ${name} needs two people: somebody else has to approve this firmware and version first.${own}`, { name })
  }
  return { decision: 'allowed', reason: reasonOf(key, use, policy.needsTwo ? approvedBy : null), approvedBy: policy.needsTwo ? approvedBy : null }
}

function reasonOf(key: JudgedKey, use: KeyUse, approvedBy: Approver | null): string {
  const { policy } = key
  return [
    `${key.class} key in use`,
    ...(policy.notBefore === null && policy.notAfter === null ? [] : [`within its time (${policy.notBefore === null ? '' : minute(policy.notBefore)} to ${policy.notAfter === null ? 'open' : minute(policy.notAfter)})`]),
    ...(use.recipe === null ? [] : [`for a ${use.recipe} recipe`]),
    ...(policy.products.length === 0 ? [] : [`for its product ${use.product ?? ''}`]),
    ...(approvedBy === null ? [] : [`approved by ${approvedBy.person}`]),
  ].join(', ')
}

const day = (iso: string) => iso.slice(0, 10)
const minute = (iso: string) => `${iso.slice(0, 16).replace('T', ' ')} UTC`

/** Checks a policy somebody wrote. Kind `bad-policy`. */
export function checkPolicy(policy: KeyPolicy): KeyPolicy | Failure<'bad-policy'> {
  const { products, notBefore, notAfter } = policy
  if (products.length > productsMax) return new Failure('bad-policy', `A key signs for at most ${productsMax} products.`)
  const bad = products.find((product) => product.trim() !== product || product === '' || product.length > productCharactersMax)
  if (bad !== undefined) return new Failure('bad-policy', `"${bad.slice(0, 80)}" cannot name a product: use 1 to ${productCharactersMax} characters without outer blanks.`)
  for (const time of [notBefore, notAfter]) if (time !== null && !isIsoTime(time)) return new Failure('bad-policy', `"${time.slice(0, 40)}" is no time: write it like 2026-12-31 or 2026-12-31T18:00:00Z.`)
  if (notBefore !== null && notAfter !== null && Date.parse(notBefore) >= Date.parse(notAfter)) return new Failure('bad-policy', 'The key would expire before it may be used: check the two times.')
  return { ...policy, products: [...new Set(products)] }
}

function isIsoTime(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{3})?Z$/.test(text) && !Number.isNaN(Date.parse(text))
}

/** A day or a time as people write it, in UTC; a day as an end means its last moment. Kind `bad-policy`. */
export function parsePolicyTime(text: string, as: 'start' | 'end'): string | Failure<'bad-policy'> {
  const whole = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}${as === 'start' ? 'T00:00:00.000Z' : 'T23:59:59.999Z'}` : text
  // Date.parse moves 30 February into March; what is read must be what was written.
  if (!isIsoTime(whole) || new Date(whole).toISOString().slice(0, 10) !== whole.slice(0, 10)) return new Failure('bad-policy', `"${text.slice(0, 40)}" is no time: write it like 2026-12-31 or 2026-12-31T18:00:00Z.`)
  return whole
}

/** A policy out of a key's description; null when it is damaged. A description without one follows `openPolicy`. */
export function readPolicy(value: unknown): KeyPolicy | null {
  if (value === undefined) return openPolicy
  if (typeof value !== 'object' || value === null) return null
  const { products, notBefore, notAfter, needsTwo } = value as Record<string, unknown>
  if (!Array.isArray(products) || !products.every((one) => typeof one === 'string') || typeof needsTwo !== 'boolean') return null
  if ((notBefore !== null && typeof notBefore !== 'string') || (notAfter !== null && typeof notAfter !== 'string')) return null
  const policy = checkPolicy({ products, notBefore, notAfter, needsTwo })
  return failed(policy) ? null : policy
}
