// Keys as the contract shows them and as the log names them, and the one way in which a change of the ring is noted.
import { Failure, failed } from '../base/failure.ts'
import type { KeyView, ResidenceView } from '../contract/views.ts'
import type { KeyEntry } from '../keys/keyring.ts'
import { judgeResidence } from '../keys/pkcs11-residence.ts'
import type { Residence } from '../keys/pkcs11-words.ts'
import type { KeyPolicy } from '../keys/policy.ts'
import type { EntryDraft } from '../log/entry.ts'
import type { KindData } from '../log/kinds.ts'
import type { Logbook } from './logbook.ts'

/** Notes what became of a key, or why nothing did, and gives its row. */
export function filed(log: Logbook, what: string, entry: KeyEntry | Failure, kind: 'key-created' | 'key-imported' | 'key-retired'): KeyView | Failure {
  if (failed(entry)) return log.refuse(what, entry)
  const draft = { kind, data: keyData(entry) } as EntryDraft
  const written = log.recordAct(draft, 'engineer')
  if (failed(written)) return written
  return keyView(entry) ?? new Failure('unsupported-key', `The key "${entry.name}" was filed; it encrypts only and does not sign images.`)
}

/** The row of a key that signs; null for one that only encrypts. */
export function keyView(entry: KeyEntry): KeyView | null {
  const { algorithm } = entry
  if (algorithm === 'x25519') return null
  return {
    name: entry.name, algorithm, fingerprint: entry.fingerprint, class: entry.class, where: entry.token === null ? 'file' : 'pkcs11', encrypted: entry.encrypted,
    createdAt: entry.createdAt, retiredAt: entry.retiredAt, warning: entry.warning, policy: entry.policy,
    token: entry.token === null ? null : { uri: entry.token.uri, residence: residenceView(entry.token.residence) },
  }
}

/** A key as the log names it. */
export function keyData(entry: KeyEntry): KindData<'key-created'> {
  return { key: entry.fingerprint, algorithm: entry.algorithm, class: entry.class, name: entry.name, home: entry.token === null ? 'file' : 'pkcs11' }
}

/** What a token says of a key, with its meaning. */
export function residenceView(residence: Residence): ResidenceView {
  const { verdict, says } = judgeResidence(residence)
  return { verdict, says, ...residence }
}

/** A policy as one sentence of the log. */
export function policyWords({ products, notBefore, notAfter, needsTwo }: KeyPolicy): string {
  return [
    products.length === 0 ? 'any product' : `products ${products.join(', ')}`, `from ${notBefore ?? 'any time'}`, `until ${notAfter ?? 'any time'}`, needsTwo ? 'two people' : 'one person',
  ].join('; ').slice(0, 1000)
}
