// Keys as objects of a token: found, read and made by their attributes (PKCS#11 v2.40 section 4). Tokens differ in what they
// tell, so every attribute is asked for by itself and may be missing; where a private key names no public half, it is looked
// for in the private key's own attributes and in a certificate beside it.
import { toHex } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { KeyAlgorithm, PublicKey } from '../base/signer.ts'
import { ckr, codeOf } from './pkcs11-codes.ts'
import { ecParamsOf, publicKeyFromEc, publicKeyFromInfo, publicKeyFromRsa } from './pkcs11-public.ts'
import { formatPkcs11Uri } from './pkcs11-uri.ts'
import type { KeyAsked, Residence, TokenKeyRow } from './pkcs11-words.ts'
import { readPublicDer } from './publicpem.ts'

type Handle = Buffer
export type Attribute = { type: number; value?: number | boolean | string | Buffer }
type Mechanism = { mechanism: number; parameter?: Buffer | { type: number } }

/** What we use of pkcs11js; its classes have it, and a test may have another. Every call throws an error that names a CKR code. */
export interface Pkcs11Api {
  C_Initialize(): void
  C_Finalize(): void
  C_GetInfo(): { manufacturerID: string; libraryDescription: string; libraryVersion: { major: number; minor: number } }
  C_GetSlotList(tokenPresent: boolean): Handle[]
  C_GetSlotInfo(slot: Handle): { slotDescription: string }
  C_GetTokenInfo(slot: Handle): { label: string; manufacturerID: string; model: string; serialNumber: string; flags: number }
  C_GetMechanismList(slot: Handle): number[]
  C_OpenSession(slot: Handle, flags: number): Handle
  C_CloseSession(session: Handle): void
  C_GetSessionInfo(session: Handle): { state: number }
  C_Login(session: Handle, userType: number, pin: string): void
  C_Logout(session: Handle): void
  C_FindObjectsInit(session: Handle, template: Attribute[]): void
  C_FindObjects(session: Handle, maxObjectCount: number): Handle[]
  C_FindObjectsFinal(session: Handle): void
  C_GetAttributeValue(session: Handle, object: Handle, template: Attribute[]): { value?: Buffer }[]
  C_SignInit(session: Handle, mechanism: Mechanism, key: Handle): void
  C_Sign(session: Handle, data: Buffer, signature: Buffer): Buffer
  C_GenerateKeyPair(session: Handle, mechanism: Mechanism, publicTemplate: Attribute[], privateTemplate: Attribute[]): unknown
}

export type FoundObject = Readonly<{ handle: Handle; row: TokenKeyRow; alwaysAuthenticate: boolean }>

/** RSA-3072's; the largest there is here. */
export const signatureBytesMax = 384
const objectsMax = 1000
const objectsAtOnce = 64

const cka = {
  class: 0x00, token: 0x01, private: 0x02, label: 0x03, value: 0x11, keyType: 0x100, id: 0x102, sensitive: 0x103, decrypt: 0x105, unwrap: 0x107, sign: 0x108, verify: 0x10a, derive: 0x10c,
  modulus: 0x120, modulusBits: 0x121, publicExponent: 0x122, publicKeyInfo: 0x129, extractable: 0x162, local: 0x163, neverExtractable: 0x164, alwaysSensitive: 0x165,
  ecParams: 0x180, ecPoint: 0x181, alwaysAuthenticate: 0x202,
} as const
const objectClass = { certificate: 1, publicKey: 2, privateKey: 3 } as const
const keyTypes: Readonly<Record<number, 'rsa' | 'ec' | 'edwards'>> = { 0: 'rsa', 3: 'ec', 0x40: 'edwards' }
/** A private key, or a token, that does not say: other errors are not about the attribute. */
const notTold: ReadonlySet<number> = new Set([ckr.attributeTypeInvalid, ckr.attributeSensitive, ckr.attributeValueInvalid, ckr.functionFailed])

function attribute(api: Pkcs11Api, session: Handle, object: Handle, type: number): Uint8Array | null {
  try {
    const [read] = api.C_GetAttributeValue(session, object, [{ type }])
    return read?.value === undefined ? null : new Uint8Array(read.value)
  } catch (error) {
    if (notTold.has(codeOf(error)?.code ?? -1)) return null
    throw error
  }
}

function numberAttribute(api: Pkcs11Api, session: Handle, object: Handle, type: number): number | null {
  const bytes = attribute(api, session, object, type)
  return bytes === null || bytes.length < 4 ? null : new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
}

function flag(api: Pkcs11Api, session: Handle, object: Handle, type: number): boolean | null {
  const bytes = attribute(api, session, object, type)
  return bytes === null || bytes.length === 0 ? null : bytes[0] !== 0
}

function objects(api: Pkcs11Api, session: Handle, template: Attribute[]): Handle[] {
  api.C_FindObjectsInit(session, template)
  const found: Handle[] = []
  try {
    while (found.length < objectsMax) {
      const more = api.C_FindObjects(session, objectsAtOnce)
      if (more.length === 0) break
      found.push(...more)
    }
  } finally {
    api.C_FindObjectsFinal(session)
  }
  return found
}

/** All signing keys of the token: private ones where they may be seen, else the public halves. */
export function readKeys(api: Pkcs11Api, session: Handle): TokenKeyRow[] {
  const rows = objects(api, session, [{ type: cka.class, value: objectClass.privateKey }]).map((handle) => read(api, session, handle, true).row)
  const seen = new Set(rows.map(({ id, label }) => `${id}\n${label}`))
  for (const handle of objects(api, session, [{ type: cka.class, value: objectClass.publicKey }])) {
    const { row } = read(api, session, handle, false)
    if (!seen.has(`${row.id}\n${row.label}`)) rows.push(row)
  }
  return rows.sort((a, b) => (a.label < b.label ? -1 : a.label > b.label ? 1 : 0))
}

/** The one private key that was asked for. Kinds: `token-key-missing`, `ambiguous-token-key`. */
export function findKey(api: Pkcs11Api, session: Handle, asked: KeyAsked, token: string): FoundObject | Failure {
  const template: Attribute[] = [{ type: cka.class, value: objectClass.privateKey }]
  if (asked.object !== undefined) template.push({ type: cka.label, value: asked.object })
  if (asked.id !== undefined) template.push({ type: cka.id, value: Buffer.from(asked.id, 'hex') })
  const keys = objects(api, session, template).map((handle) => read(api, session, handle, true))
  const [key, second] = keys
  if (second !== undefined) {
    return new Failure('ambiguous-token-key', `Several keys in ${token} fit: ${keys.slice(0, 6).map(({ row }) => `"${row.label}" (id ${row.id})`).join(', ')}${keys.length > 6 ? ' and more' : ''}. ${howToChoose(keys.map(({ row }) => row))}`)
  }
  if (key !== undefined) return key
  const name = asked.object === undefined ? `with the id ${asked.id ?? '?'}` : `called "${asked.object}"`
  return new Failure('token-key-missing', `There is no private key ${name} in ${token}. Check its name with: slotwright key tokens; or it was deleted there.`, { object: asked.object ?? '', id: asked.id ?? '' })
}

function howToChoose(rows: readonly Readonly<{ label: string }>[]): string {
  const labels = new Set(rows.map(({ label }) => label))
  return labels.size === rows.length && !labels.has('') ? `Name one of them, as ${formatPkcs11Uri({ object: rows[0]?.label ?? '' }).replace(':', ':…;')}.` : 'Name the id too, as pkcs11:…;id=%….'
}

function read(api: Pkcs11Api, session: Handle, handle: Handle, isPrivate: boolean): FoundObject {
  const id = toHex(attribute(api, session, handle, cka.id) ?? new Uint8Array(0))
  const label = new TextDecoder().decode(attribute(api, session, handle, cka.label) ?? new Uint8Array(0)).slice(0, 255)
  const key = publicHalf(api, session, handle, isPrivate, id, label)
  const ask = (type: number) => (isPrivate ? flag(api, session, handle, type) : null)
  const residence: Residence = {
    sensitive: ask(cka.sensitive), extractable: ask(cka.extractable), alwaysSensitive: ask(cka.alwaysSensitive), neverExtractable: ask(cka.neverExtractable), local: ask(cka.local),
  }
  const known = key !== null && !failed(key) ? key : null
  return {
    handle,
    alwaysAuthenticate: ask(cka.alwaysAuthenticate) === true,
    row: {
      label, id, algorithm: known?.algorithm ?? null, called: known?.algorithm ?? (key === null ? 'of an unknown kind' : 'of a kind MCUboot cannot use'),
      spki: known === null ? null : toHex(known.spki), canSign: isPrivate ? flag(api, session, handle, cka.sign) !== false : false, privateSeen: isPrivate, residence,
    },
  }
}

/** The key's public half, or null where the token has none of it anywhere. */
function publicHalf(api: Pkcs11Api, session: Handle, handle: Handle, isPrivate: boolean, id: string, label: string): PublicKey | Failure | null {
  const own = fromAttributes(api, session, handle)
  if (own !== null || !isPrivate) return own
  const beside: Attribute[] = id === '' ? [{ type: cka.label, value: label }] : [{ type: cka.id, value: Buffer.from(id, 'hex') }]
  for (const object of objects(api, session, [{ type: cka.class, value: objectClass.publicKey }, ...beside])) {
    const key = fromAttributes(api, session, object)
    if (key !== null) return key
  }
  for (const object of objects(api, session, [{ type: cka.class, value: objectClass.certificate }, ...beside])) {
    const der = attribute(api, session, object, cka.value)
    const key = der === null ? null : readPublicDer(der)
    if (key !== null && !failed(key) && key.algorithm !== 'x25519') return key
  }
  return null
}

function fromAttributes(api: Pkcs11Api, session: Handle, handle: Handle): PublicKey | Failure | null {
  const kind = keyTypes[numberAttribute(api, session, handle, cka.keyType) ?? -1]
  if (kind === 'rsa') {
    const modulus = attribute(api, session, handle, cka.modulus)
    const exponent = attribute(api, session, handle, cka.publicExponent)
    if (modulus !== null && exponent !== null && modulus.length > 0 && exponent.length > 0) return publicKeyFromRsa(modulus, exponent)
  } else if (kind !== undefined) {
    const params = attribute(api, session, handle, cka.ecParams)
    const point = attribute(api, session, handle, cka.ecPoint)
    if (params !== null && point !== null && point.length > 0) return publicKeyFromEc(params, point)
  }
  const info = attribute(api, session, handle, cka.publicKeyInfo)
  return info === null || info.length === 0 ? null : publicKeyFromInfo(info)
}

/** A key pair made in the token, whose private half may never leave it. Throws what the token throws. */
export function generatePair(api: Pkcs11Api, session: Handle, mechanism: number, wish: Readonly<{ algorithm: KeyAlgorithm; label: string; id: string }>): void {
  const name: Attribute[] = [{ type: cka.label, value: wish.label }, { type: cka.id, value: Buffer.from(wish.id, 'hex') }]
  const privateTemplate = (): Attribute[] => [
    { type: cka.token, value: true }, { type: cka.private, value: true }, { type: cka.sensitive, value: true }, { type: cka.extractable, value: false },
    { type: cka.sign, value: true }, { type: cka.decrypt, value: false }, { type: cka.unwrap, value: false }, { type: cka.derive, value: false }, ...name,
  ]
  const publicTemplate = (kind: Attribute[]): Attribute[] => [{ type: cka.token, value: true }, { type: cka.private, value: false }, { type: cka.verify, value: true }, ...kind, ...name]
  if (wish.algorithm === 'rsa-2048' || wish.algorithm === 'rsa-3072') {
    const bits = wish.algorithm === 'rsa-2048' ? 2048 : 3072
    api.C_GenerateKeyPair(session, { mechanism }, publicTemplate([{ type: cka.modulusBits, value: bits }, { type: cka.publicExponent, value: Buffer.from([1, 0, 1]) }]), privateTemplate())
    return
  }
  const ways = ecParamsOf(wish.algorithm)
  for (const [at, params] of ways.entries()) {
    try {
      api.C_GenerateKeyPair(session, { mechanism }, publicTemplate([{ type: cka.ecParams, value: Buffer.from(params) }]), privateTemplate())
      return
    } catch (error) {
      // Each curve has one name by the standard; older tokens know Ed25519 by its text only.
      if (codeOf(error) === null || at === ways.length - 1) throw error
    }
  }
}

/** The public key a row describes. Kinds: `key-not-for-signing`, `unsupported-key`. */
export function publicKeyOfRow(row: TokenKeyRow): PublicKey | Failure {
  if (!row.canSign) return new Failure('key-not-for-signing', `The key "${row.label}" was made for another use and may not sign (CKA_SIGN is not set). Choose or make a signing key.`)
  if (row.spki === null) return new Failure('unsupported-key', `The key "${row.label}" is ${row.called}, or its token holds no public half of it. MCUboot takes ed25519, ecdsa-p256, ecdsa-p384, rsa-2048 and rsa-3072.`)
  return publicKeyFromInfo(new Uint8Array(Buffer.from(row.spki, 'hex')))
}
