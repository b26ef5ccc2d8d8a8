// PKCS#11 URIs (RFC 7512): how a key in a token is named on the command line and in the key ring. Strict where the RFC
// leaves room: an attribute we do not know could narrow the choice, so it is refused and not skipped. What surprised us: the
// RFC allows the PIN itself in the URI (pin-value); we never do, since a URI ends up in shell histories and process lists.
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import type { Failure} from '../base/failure.ts';
import { attempt, refuse } from '../base/failure.ts'

/** What a URI says. Attributes that it leaves out match anything. */
export type Pkcs11Uri = Readonly<{
  token?: string
  manufacturer?: string
  serial?: string
  model?: string
  slotId?: number
  slotDescription?: string
  slotManufacturer?: string
  libraryManufacturer?: string
  libraryDescription?: string
  libraryVersion?: string
  /** CKA_LABEL. */
  object?: string
  /** CKA_ID, hex. */
  id?: string
  type?: 'private' | 'public' | 'cert' | 'secret-key' | 'data'
  moduleName?: string
  modulePath?: string
  /** Where the PIN may be read: a `file:` URI or a path. */
  pinSource?: string
}>

const uriCharactersMax = 4096
const textCharactersMax = 255
const pathCharactersMax = 1024
const types = ['private', 'public', 'cert', 'secret-key', 'data'] as const

/** Attribute by its name in the URI; `library-version` and `slot-id` are digits. */
const pathNames: Readonly<Record<string, keyof Pkcs11Uri>> = {
  token: 'token', manufacturer: 'manufacturer', serial: 'serial', model: 'model', 'slot-id': 'slotId', 'slot-description': 'slotDescription',
  'slot-manufacturer': 'slotManufacturer', 'library-manufacturer': 'libraryManufacturer', 'library-description': 'libraryDescription',
  'library-version': 'libraryVersion', object: 'object', type: 'type', id: 'id',
}
const queryNames: Readonly<Record<string, keyof Pkcs11Uri>> = { 'module-name': 'moduleName', 'module-path': 'modulePath', 'pin-source': 'pinSource' }

// RFC 7512 section 2.3: pk11-pchar and pk11-qchar, besides percent-encoded octets.
const pathValue = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})*$/
const queryValue = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})*$/

/** True for texts that mean a key in a token and not a name or a file. */
export function isPkcs11Uri(text: string): boolean {
  return /^pkcs11:/i.test(text)
}

/** Kinds: `bad-uri`, `pin-in-uri`. */
export function parsePkcs11Uri(text: string): Pkcs11Uri | Failure {
  return attempt(() => {
    if (text.length > uriCharactersMax) refuse('bad-uri', `The PKCS#11 URI is longer than ${uriCharactersMax} characters.`)
    if (!isPkcs11Uri(text)) refuse('bad-uri', 'A key in a token is named by a URI that begins with "pkcs11:", like pkcs11:token=Release;object=fw-2026.')
    const rest = text.slice('pkcs11:'.length)
    const mark = rest.indexOf('?')
    const said: Record<string, string | number> = {}
    readAttributes(said, mark < 0 ? rest : rest.slice(0, mark), ';', pathNames, pathValue)
    if (mark >= 0) readAttributes(said, rest.slice(mark + 1), '&', queryNames, queryValue)
    return said
  })
}

function readAttributes(said: Record<string, string | number>, text: string, between: string, names: Readonly<Record<string, keyof Pkcs11Uri>>, allowed: RegExp): void {
  if (text === '') return
  for (const part of text.split(between)) {
    const at = part.indexOf('=')
    const name = at < 0 ? part : part.slice(0, at)
    if (name === 'pin-value') refuse('pin-in-uri', 'A PIN does not belong into a URI: everybody who sees the command sees it. Leave pin-value out; the PIN is asked for, or read with --pin-file FILE.')
    const field = Object.hasOwn(names, name) ? names[name] : undefined
    if (at < 0 || field === undefined) refuse('bad-uri', `The PKCS#11 URI has an attribute "${name.slice(0, 40)}" that is not known ${between === ';' ? 'before' : 'after'} its question mark (RFC 7512). Known here: ${Object.keys(names).join(', ')}.`)
    if (Object.hasOwn(said, field)) refuse('bad-uri', `The PKCS#11 URI says "${name}" twice.`)
    const raw = part.slice(at + 1)
    if (!allowed.test(raw)) refuse('bad-uri', `The value of "${name}" in the PKCS#11 URI has ${strayIn(raw, allowed)}`)
    said[field] = valueOf(field, name, raw)
  }
}

/** The first thing in a value that has to be written otherwise, and how. */
function strayIn(raw: string, allowed: RegExp): string {
  const bad = /%(?![0-9A-Fa-f]{2})/.test(raw) ? '%' : [...raw].find((character) => character !== '%' && !allowed.test(character)) ?? '%'
  const written = [...utf8(bad)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
  const called = bad === ' ' ? 'a blank' : /^\p{C}$/u.test(bad) ? 'a control character' : `"${bad}"`
  return `${called} in it: write it as ${written}.`
}

function valueOf(field: keyof Pkcs11Uri, name: string, raw: string): string | number {
  const bytes = percentDecoded(raw)
  if (field === 'id') {
    if (bytes.length === 0 || bytes.length > textCharactersMax) refuse('bad-uri', `The "id" in the PKCS#11 URI has ${bytes.length} bytes; 1 to ${textCharactersMax} are allowed.`)
    return toHex(bytes)
  }
  const text = utf8Text(bytes, name)
  const charactersMax = field === 'modulePath' || field === 'pinSource' ? pathCharactersMax : textCharactersMax
  if (text.length > charactersMax) refuse('bad-uri', `The value of "${name}" in the PKCS#11 URI is longer than ${charactersMax} characters.`)
  if (text.includes('\0')) refuse('bad-uri', `The value of "${name}" in the PKCS#11 URI has a zero byte in it.`)
  if (field === 'slotId') {
    if (!/^[0-9]{1,10}$/.test(text)) refuse('bad-uri', `"slot-id" in the PKCS#11 URI is a number, not "${text.slice(0, 20)}".`)
    return Number(text)
  }
  if (field === 'libraryVersion' && !/^[0-9]{1,3}(\.[0-9]{1,3})?$/.test(text)) refuse('bad-uri', '"library-version" in the PKCS#11 URI is a number like 2 or 2.6.')
  if (field === 'type' && !types.some((type) => type === text)) refuse('bad-uri', `"type" in the PKCS#11 URI is one of ${types.join(', ')}.`)
  return text
}

function percentDecoded(raw: string): Uint8Array {
  const bytes: number[] = []
  for (let at = 0; at < raw.length; at++) {
    if (raw.charAt(at) === '%') {
      bytes.push(fromHex(raw.slice(at + 1, at + 3))?.[0] ?? 0)
      at += 2
    } else bytes.push(raw.charCodeAt(at))
  }
  return Uint8Array.from(bytes)
}

function utf8Text(bytes: Uint8Array, name: string): string {
  try {
    // ignoreBOM: a label is kept as it is, or formatting would not give it back.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return refuse('bad-uri', `The value of "${name}" in the PKCS#11 URI is not UTF-8.`)
  }
}

/** The URI as text: path attributes in RFC order, then the query. Reads back to the same values. */
export function formatPkcs11Uri(uri: Pkcs11Uri): string {
  const path = Object.entries(pathNames).flatMap(([name, field]) => {
    const value = uri[field]
    if (value === undefined) return []
    return [`${name}=${field === 'id' ? idEncoded(String(value)) : encoded(String(value), pathValue)}`]
  })
  const query = Object.entries(queryNames).flatMap(([name, field]) => {
    const value = uri[field]
    return value === undefined ? [] : [`${name}=${encoded(String(value), queryValue)}`]
  })
  return `pkcs11:${path.join(';')}${query.length === 0 ? '' : `?${query.join('&')}`}`
}

// The RFC asks for the whole id percent-encoded, printable or not.
function idEncoded(hex: string): string {
  return (hex.match(/../g) ?? []).map((byte) => `%${byte.toUpperCase()}`).join('')
}

function encoded(text: string, allowed: RegExp): string {
  let out = ''
  for (const byte of utf8(text)) {
    const character = String.fromCharCode(byte)
    out += byte < 0x80 && character !== '%' && allowed.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
