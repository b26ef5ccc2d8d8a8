// What the station and a token's process say to each other, and the rows both know. A PKCS#11 module is a vendor's code that
// runs in that process: it may hang, crash or keep copies of the PIN, so each module has a process that can be ended.
import type { KeyAlgorithm } from '../base/signer.ts'
import type { Pkcs11Uri } from './pkcs11-uri.ts'

/** Which token is meant; what is left out matches any. */
export type TokenAsked = Pick<Pkcs11Uri, 'token' | 'manufacturer' | 'serial' | 'model' | 'slotId' | 'slotDescription' | 'slotManufacturer' | 'libraryManufacturer' | 'libraryDescription' | 'libraryVersion'>

/** Which key in it, by CKA_LABEL and CKA_ID. */
export type KeyAsked = Readonly<{ token: TokenAsked; object?: string; id?: string }>

/** What the token says of where a private key was made and may go (PKCS#11 v2.40 section 4.8); null where it does not say. */
export type Residence = Readonly<{
  sensitive: boolean | null
  extractable: boolean | null
  alwaysSensitive: boolean | null
  neverExtractable: boolean | null
  local: boolean | null
}>

/** `low`: at least one wrong PIN since the last right one; `final`: one try left; `locked`: none. */
export type PinState = 'fine' | 'low' | 'final' | 'locked' | 'unset'

export type TokenRow = Readonly<{
  label: string
  manufacturer: string
  model: string
  serial: string
  slotId: number
  slot: string
  /** Whether private keys need a PIN at all. */
  needsPin: boolean
  /** The PIN is typed on the reader itself. */
  pinPad: boolean
  pin: PinState
  readOnly: boolean
  unlocked: boolean
  /** Kinds of keys it can sign with, and those it can make. */
  signs: readonly KeyAlgorithm[]
  makes: readonly KeyAlgorithm[]
}>

export type TokenKeyRow = Readonly<{
  label: string
  /** CKA_ID, hex; empty when it has none. */
  id: string
  /** Null for kinds MCUboot does not know; `called` then says what it is. */
  algorithm: KeyAlgorithm | null
  called: string
  /** SubjectPublicKeyInfo DER, hex; null when the token holds no public half. */
  spki: string | null
  canSign: boolean
  /** False while locked: only public halves are seen then. */
  privateSeen: boolean
  residence: Residence
}>

export type Ask =
  | Readonly<{ is: 'tokens' }>
  | Readonly<{ is: 'keys'; token: TokenAsked }>
  | Readonly<{ is: 'unlock'; token: TokenAsked; /** Null: typed on the reader's own keys. */ pin: Uint8Array | null }>
  | Readonly<{ is: 'lock'; token: TokenAsked | null }>
  | Readonly<{ is: 'key'; key: KeyAsked }>
  | Readonly<{ is: 'sign'; key: KeyAsked; algorithm: KeyAlgorithm; data: Uint8Array }>
  | Readonly<{ is: 'generate'; token: TokenAsked; algorithm: KeyAlgorithm; label: string; id: string }>

/** The answer to each ask. `sign` gives the signature as the token made it (raw r‖s for ECDSA). */
export type AnswerTo = {
  tokens: readonly TokenRow[]
  keys: readonly TokenKeyRow[]
  unlock: TokenRow
  /** Whether any token of this module is still unlocked. */
  lock: boolean
  key: TokenKeyRow
  sign: Uint8Array
  generate: TokenKeyRow
}

export type FailureWords = Readonly<{ kind: string; says: string; facts: Readonly<Record<string, string | number | boolean>> }>

/** To the process: the module to load comes first, then one ask at a time. */
export type ToToken = Readonly<{ is: 'load'; modulePath: string } | { is: 'ask'; id: number; ask: Ask } | { is: 'end' }>
/** From it. */
export type FromToken = Readonly<{ is: 'answer'; id: number; value: unknown } | { is: 'failed'; id: number; failure: FailureWords }>
