// PKCS#11's return codes in words. Each code that a person can do something about is a kind of its own; the others keep their
// name, since a vendor's support will ask for it. Numbers are those of PKCS#11 v2.40, section 3 of the header (CKR_*).
import { Failure } from '../base/failure.ts'

export const ckr = {
  hostMemory: 0x02, slotIdInvalid: 0x03, generalError: 0x05, functionFailed: 0x06, attributeSensitive: 0x11, attributeTypeInvalid: 0x12, attributeValueInvalid: 0x13,
  dataLenRange: 0x21, deviceError: 0x30, deviceMemory: 0x31, deviceRemoved: 0x32, functionCanceled: 0x50, functionNotSupported: 0x54, keyHandleInvalid: 0x60, keyFunctionNotPermitted: 0x68,
  mechanismInvalid: 0x70, mechanismParamInvalid: 0x71, objectHandleInvalid: 0x82, operationActive: 0x90, pinIncorrect: 0xa0, pinInvalid: 0xa1, pinLenRange: 0xa2, pinExpired: 0xa3, pinLocked: 0xa4,
  sessionClosed: 0xb0, sessionHandleInvalid: 0xb3, sessionReadOnly: 0xb5, templateInconsistent: 0xd1, tokenNotPresent: 0xe0, tokenNotRecognized: 0xe1, tokenWriteProtected: 0xe2,
  userAlreadyLoggedIn: 0x100, userNotLoggedIn: 0x101, userPinNotInitialized: 0x102, domainParamsInvalid: 0x130, curveNotSupported: 0x140, cryptokiNotInitialized: 0x190, cryptokiAlreadyInitialized: 0x191,
} as const

/** After these the connection is looked at anew: the token may have been pulled, or the session taken away. */
export const connectionCodes: ReadonlySet<number> = new Set([
  ckr.slotIdInvalid, ckr.generalError, ckr.functionFailed, ckr.deviceError, ckr.deviceRemoved, ckr.keyHandleInvalid, ckr.objectHandleInvalid, ckr.operationActive, ckr.sessionClosed,
  ckr.sessionHandleInvalid, ckr.tokenNotPresent, ckr.tokenNotRecognized, ckr.userNotLoggedIn, ckr.cryptokiNotInitialized,
])

/** The return code inside an error that pkcs11js threw, with its name; null for any other error. */
export function codeOf(error: unknown): { code: number; name: string } | null {
  if (!(error instanceof Error)) return null
  const inText = /(CKR_\w+):(\d+)/.exec(`${error.message}\n${error.stack ?? ''}`)
  if (inText !== null) return { name: inText[1] ?? '', code: Number(inText[2]) }
  const { code } = error as { code?: unknown }
  return typeof code === 'number' && error.message.startsWith('CKR_') ? { code, name: error.message } : null
}

type Words = readonly [kind: string, says: (token: string, name: string) => string]

const words: Readonly<Record<number, Words>> = {
  [ckr.mechanismInvalid]: ['mechanism-missing', (token, name) => `${token} does not do what this key needs for signing (${name}). Use a key of another type, or another token.`],
  [ckr.mechanismParamInvalid]: ['mechanism-missing', (token, name) => `${token} does not sign the way MCUboot needs it (${name}): RSA needs PSS with SHA-256 and a salt of 32 bytes. Use a key of another type, or another token.`],
  [ckr.functionNotSupported]: ['mechanism-missing', (token, name) => `${token} cannot do this (${name}). Use another token.`],
  [ckr.keyFunctionNotPermitted]: ['key-not-for-signing', (token) => `The key in ${token} was made for another use and may not sign (CKA_SIGN is not set). Choose or make a signing key.`],
  [ckr.dataLenRange]: ['token-data-length', (token) => `${token} does not take so much data at once. Sign without --pure, so that it gets a hash only.`],
  [ckr.deviceMemory]: ['token-full', (token) => `${token} has no room left. Remove keys that are no longer needed, with the maker's tool.`],
  [ckr.hostMemory]: ['token-refused', (token) => `The module of ${token} ran out of memory. Close other programs and try again.`],
  [ckr.tokenWriteProtected]: ['token-read-only', (token) => `${token} is write-protected, so no key can be made in it.`],
  [ckr.sessionReadOnly]: ['token-read-only', (token) => `${token} lets this user change nothing, so no key can be made in it.`],
  [ckr.pinInvalid]: ['bad-pin', (token) => `${token} does not take a PIN with these characters.`],
  [ckr.pinLenRange]: ['bad-pin', (token) => `${token} does not take a PIN of this length.`],
  [ckr.pinExpired]: ['pin-expired', (token) => `The PIN of ${token} has expired. Set a new one with the maker's tool.`],
  [ckr.pinLocked]: ['pin-locked', (token) => `${token} is locked after too many wrong PINs. Whoever has its security officer's PIN (SO PIN or PUK) must unlock it with the maker's tool.`],
  [ckr.userPinNotInitialized]: ['pin-unset', (token) => `${token} has no user PIN yet. Set one with the maker's tool.`],
  [ckr.functionCanceled]: ['stopped', (token) => `It was cancelled at ${token}.`],
  [ckr.curveNotSupported]: ['mechanism-missing', (token) => `${token} does not know the curve of this kind of key. Choose another kind.`],
  [ckr.domainParamsInvalid]: ['mechanism-missing', (token) => `${token} does not know the curve of this kind of key. Choose another kind.`],
}

/** A code in words; `token` is how the token is called in a sentence. Kind `token-refused` for codes without words of their own. */
export function failureOf({ code, name }: { code: number; name: string }, token: string): Failure {
  const [kind, says] = words[code] ?? ['token-refused', () => `${token} refused (${name}). Try again; if it goes on, its maker's support can tell what that means.`]
  return new Failure(kind, says(token, name), { code, name })
}
