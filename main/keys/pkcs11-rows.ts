// What the bytes of a PKCS#11 module mean: token rows that are the same token, flags of a PIN, a mechanism's parameters, and
// what is said of a wrong PIN. Nothing here calls the module.
import { Failure } from '../base/failure.ts'
import type { KeyAlgorithm } from '../base/signer.ts'
import { signMechanisms } from './pkcs11-public.ts'
import type { PinState, TokenAsked, TokenRow } from './pkcs11-words.ts'

/** Of CK_TOKEN_INFO. */
export const flags = { writeProtected: 0x2, loginRequired: 0x4, pinSet: 0x8, pinPad: 0x100, initialized: 0x400, pinLow: 0x10000, pinFinal: 0x20000, pinLocked: 0x40000 }

export function wrongPin(token: string, state: PinState): Failure {
  if (state === 'locked') return new Failure('pin-locked', `That PIN is wrong, and it was the last try: ${token} is locked now. Whoever has its security officer's PIN (SO PIN or PUK) must unlock it with the maker's tool.`, { tries: 0 })
  if (state === 'final') return new Failure('wrong-pin', `That PIN is wrong. One try is left: after another wrong PIN ${token} locks itself. It was not tried again.`, { tries: 1 })
  if (state === 'low') return new Failure('wrong-pin', `That PIN is wrong, and ${token} counts wrong tries: only a few may remain before it locks itself. It does not say how many. It was not tried again.`)
  return new Failure('wrong-pin', `That PIN is wrong. ${token} does not say how many tries remain; many lock themselves after three. It was not tried again.`)
}

export function mechanismFor(algorithm: KeyAlgorithm): { mechanism: number; parameter?: { type: number; hashAlg: number; mgf: number; saltLen: number } } {
  const mechanism = signMechanisms[algorithm]
  // CK_PARAMS_RSA_PSS of pkcs11js, CKM_SHA256, CKG_MGF1_SHA256, and the salt MCUboot wants.
  return algorithm === 'rsa-2048' || algorithm === 'rsa-3072' ? { mechanism, parameter: { type: 5, hashAlg: 0x250, mgf: 2, saltLen: 32 } } : { mechanism }
}

export function pinState(tokenFlags: number): PinState {
  if ((tokenFlags & flags.pinSet) === 0) return 'unset'
  if ((tokenFlags & flags.pinLocked) !== 0) return 'locked'
  if ((tokenFlags & flags.pinFinal) !== 0) return 'final'
  return (tokenFlags & flags.pinLow) !== 0 ? 'low' : 'fine'
}

export function slotNumber(handle: Buffer): number {
  return handle.length >= 4 ? handle.readUInt32LE(0) : 0
}

export function fits(row: TokenRow, asked: TokenAsked): boolean {
  return (asked.token ?? row.label) === row.label && (asked.manufacturer ?? row.manufacturer) === row.manufacturer && (asked.serial ?? row.serial) === row.serial
    && (asked.model ?? row.model) === row.model && (asked.slotId ?? row.slotId) === row.slotId && (asked.slotDescription ?? row.slot) === row.slot
}

export function identityOf({ label, manufacturer, model, serial }: TokenRow): string {
  return `${label}\n${manufacturer}\n${model}\n${serial}`
}

export function sameToken(a: TokenRow, b: TokenRow): boolean {
  return identityOf(a) === identityOf(b)
}

export function called(label: string): string {
  return `the token "${label}"`
}

/** Fixed-width fields are padded with blanks (some tokens use zeros), and anything may stand in them. */
export function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, ' ').trimEnd().slice(0, 64)
}
