// Everything that is known of asn1js and PKI.js: BER is read into plain values, and X.509 certificates, revocation lists
// and requests (RFC 5280, RFC 2986) into plain records. What surprised us in asn1js: a child may overrun its parent, an
// indefinite length may lack its end, and both pass without an error, so every length is checked again here.
import { createHash } from 'node:crypto'
import * as asn1js from 'asn1js'
import * as pkijs from 'pkijs'
import { allBytes, concat, sameBytes } from '../base/bytes.ts'
import { compareEncodings, headBytes, tags } from './der.ts'
import { extensions } from './oids.ts'

/** One value as read: all byte arrays are views into the input, except the content of a string that came in pieces. */
export type Value = Readonly<{
  /** The identifier octet; long tags, which no structure here has, are 0xff. */
  tag: number
  content: Uint8Array
  /** Tag, length and value as they stood. */
  whole: Uint8Array
  children: readonly Value[]
  /** Dotted text of an object identifier, the text of a character string; null for all else. */
  text: string | null
  /** Definite, shortest lengths and one piece, here; members are judged for themselves. */
  plain: boolean
}>

export const packageBytesMax = 80 * 1024 * 1024
const limits = { maxDepth: 32, maxNodes: 40_000, maxContentLength: packageBytesMax, parseEmbedded: false, copyInput: false } as const

/** The one BER value that these bytes are, with nothing behind it; null when they are not. */
export function readBer(bytes: Uint8Array): Value | null {
  if (bytes.length === 0 || bytes.length > packageBytesMax) return null
  let parsed: ReturnType<typeof asn1js.fromBER>
  try {
    parsed = asn1js.fromBER(bytes, limits)
  } catch {
    // asn1js throws on some malformed identifiers and times, and returns an error for others.
    return null
  }
  if (parsed.offset !== bytes.length) return null
  return convert(parsed.result)
}

type Node = asn1js.BaseBlock & { valueBlock: { value?: unknown } }

function convert(node: asn1js.AsnType | asn1js.BaseBlock): Value | null {
  const { idBlock, lenBlock } = node
  const whole = node.valueBeforeDecodeView
  const front = idBlock.blockLength + lenBlock.blockLength
  const tail = lenBlock.isIndefiniteForm ? 2 : 0
  const length = lenBlock.isIndefiniteForm ? whole.length - front - tail : lenBlock.length
  if (length < 0 || whole.length !== front + length + tail || !allBytes(whole.subarray(whole.length - tail), 0)) return null
  const children: Value[] = []
  if (idBlock.isConstructed) {
    let bytes = 0
    const { value: members } = (node as Node).valueBlock
    // A constructed identifier or character string has other things there than values; DER and BER know none such here.
    if (!Array.isArray(members)) return null
    for (const child of members as unknown[]) {
      const value = child instanceof asn1js.BaseBlock ? convert(child) : null
      if (value === null) return null
      children.push(value)
      bytes += value.whole.length
    }
    if (bytes !== length) return null
  }
  const inPieces = idBlock.isConstructed && idBlock.tagClass === 1 && idBlock.tagNumber === 4
  return {
    tag: idBlock.tagNumber > 30 ? 0xff : (whole[0] ?? 0xff),
    content: inPieces ? concat(...children.map((child) => child.content)) : whole.subarray(front, front + length),
    whole,
    children,
    text: textOf(node),
    plain: !lenBlock.isIndefiniteForm && !inPieces && lenBlock.blockLength + 1 === headBytes(length),
  }
}

function textOf(node: asn1js.BaseBlock): string | null {
  if (node instanceof asn1js.ObjectIdentifier) return node.getValue()
  return node instanceof asn1js.BaseStringBlock && node.idBlock.tagClass === 1 ? node.getValue() : null
}

/** Whether a value and all in it are DER (X.690 §10, §11), as far as signed attributes can tell. */
export function isDer(value: Value): boolean {
  if (!value.plain || !value.children.every(isDer)) return false
  const [first = 0, second = 0] = value.content
  if (value.tag === tags.boolean) return value.content.length === 1 && (first === 0 || first === 0xff)
  if (value.tag === tags.integer || value.tag === tags.enumerated) {
    return value.content.length > 0 && !(value.content.length > 1 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80)))
  }
  return value.tag !== tags.set || value.children.every((child, i) => i === 0 || compareEncodings(value.children[i - 1]?.whole ?? child.whole, child.whole) <= 0)
}

/** A non-negative INTEGER or ENUMERATED of at most 32 bytes; null when it is none. */
export function wholeOf(value: Value | undefined): bigint | null {
  if (value === undefined || (value.tag !== tags.integer && value.tag !== tags.enumerated)) return null
  const { content } = value
  if (content.length === 0 || content.length > 32 || (content[0] ?? 0) >= 0x80) return null
  let number = 0n
  for (const byte of content) number = (number << 8n) | BigInt(byte)
  return number
}

/** The same for numbers that are small by nature; null above 2^31. */
export function smallOf(value: Value | undefined): number | null {
  const number = wholeOf(value)
  return number === null || number > 0x7fff_ffffn ? null : Number(number)
}

/** Dotted text of an OBJECT IDENTIFIER; null when it is none. */
export function oidOf(value: Value | undefined): string | null {
  return value?.tag === tags.oid && value.content.length > 0 && value.content.length <= 128 ? value.text : null
}

/** Milliseconds of a UTCTime or GeneralizedTime in the only forms RFC 5280 and RFC 5652 allow: whole seconds, Z. */
export function timeOf(value: Value | undefined): number | null {
  if (value === undefined || value.content.length > 15) return null
  const text = String.fromCharCode(...value.content)
  const match = value.tag === tags.utcTime ? /^(\d\d)(\d{10})Z$/.exec(text) : value.tag === tags.generalizedTime ? /^(\d{4})(\d{10})Z$/.exec(text) : null
  if (match === null) return null
  const [, yearText = '', rest = ''] = match
  const year = yearText.length === 4 ? Number(yearText) : Number(yearText) + (Number(yearText) < 50 ? 2000 : 1900)
  const [month = 0, day = 0, hour = 0, minute = 0, second = 0] = (rest.match(/\d\d/g) ?? []).map(Number)
  const atMs = Date.UTC(year, month - 1, day, hour, minute, second)
  const back = new Date(atMs)
  return back.getUTCMonth() === month - 1 && back.getUTCDate() === day && hour < 24 && minute < 60 && second < 60 ? atMs : null
}

/** The bits of a BIT STRING that ends on a byte; null when it is none. */
export function wholeBitsOf(value: Value | undefined): Uint8Array | null {
  return value?.tag === tags.bits && value.content[0] === 0 ? value.content.subarray(1) : null
}

export type KeyUse = 'digitalSignature' | 'nonRepudiation' | 'keyEncipherment' | 'dataEncipherment' | 'keyAgreement' | 'keyCertSign' | 'cRLSign'
const keyUses: readonly KeyUse[] = ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment', 'keyAgreement', 'keyCertSign', 'cRLSign']

export type Certificate = Readonly<{
  der: Uint8Array
  tbs: Uint8Array
  signatureAlgorithm: Value
  signature: Uint8Array
  /** Content of the serial number's INTEGER. */
  serial: Uint8Array
  issuer: Uint8Array
  subject: Uint8Array
  /** The subject's common name, or the last part of its name there is; for people. */
  name: string
  notBeforeMs: number
  notAfterMs: number
  spki: Uint8Array
  isCa: boolean
  pathLength: number | null
  /** Null: no key usage extension, so any use. */
  uses: ReadonlySet<KeyUse> | null
  /** The subjectKeyIdentifier extension, or the SHA-1 of the key where there is none (RFC 5280 §4.2.1.2, method 1). */
  keyId: Uint8Array
  authorityKeyId: Uint8Array | null
  /** Critical extensions that nobody here understands. */
  unknownCritical: readonly string[]
}>

/** Reads a certificate (DER); null when it is none. */
export function readCertificate(der: Uint8Array): Certificate | null {
  const value = readBer(der)
  return value === null ? null : certificateOf(value)
}

/**
 * A certificate that is read as a value already (RFC 5280 §4.1). PKI.js would read it too, in two thirds of a millisecond,
 * which is more than hashing a firmware takes; so only its rarer relatives below go through PKI.js.
 */
export function certificateOf(value: Value): Certificate | null {
  const outer = outerOf(value)
  if (outer === null) return null
  const [version, ...fields] = outer.tbs.children
  const parts = version?.tag === 0xa0 ? fields : outer.tbs.children
  const [serial, inner, issuer, validity, subject, spki, ...optional] = parts
  const [notBeforeMs, notAfterMs] = [timeOf(validity?.children[0]), timeOf(validity?.children[1])]
  const keyBits = wholeBitsOf(spki?.children[1])
  if (serial?.tag !== tags.integer || inner === undefined || !sameBytes(inner.whole, outer.signatureAlgorithm.whole)) return null
  if (issuer?.tag !== tags.sequence || subject?.tag !== tags.sequence || spki?.tag !== tags.sequence || notBeforeMs === null || notAfterMs === null || keyBits === null) return null
  const list = optional.find((one) => one.tag === 0xa3)?.children[0]
  const known = extensionsOf(list?.children ?? [])
  if (known === null || optional.some((one) => ![0x81, 0x82, 0xa3].includes(one.tag))) return null
  return {
    der: value.whole, ...outer, tbs: outer.tbs.whole, serial: serial.content, issuer: issuer.whole, subject: subject.whole, name: nameText(subject), notBeforeMs, notAfterMs, spki: spki.whole,
    isCa: known.isCa, pathLength: known.pathLength, uses: known.uses, authorityKeyId: known.authorityKeyId, unknownCritical: known.unknownCritical,
    keyId: known.keyId ?? keyIdOfBits(keyBits),
  }
}

/** SEQUENCE { to be signed, algorithm, signature }: what certificates, lists and requests have in common. */
function outerOf(value: Value): { tbs: Value; signatureAlgorithm: Value; signature: Uint8Array } | null {
  const [tbs, signatureAlgorithm, bits] = value.children
  const signature = wholeBitsOf(bits)
  if (value.tag !== tags.sequence || value.children.length !== 3 || tbs?.tag !== tags.sequence || signatureAlgorithm?.tag !== tags.sequence || signature === null) return null
  return { tbs, signatureAlgorithm, signature }
}

function schemaOf(value: Value): asn1js.AsnType {
  return asn1js.fromBER(value.whole, { ...limits, parseEmbedded: true }).result
}

type KnownExtensions = { isCa: boolean; pathLength: number | null; uses: ReadonlySet<KeyUse> | null; keyId: Uint8Array | null; authorityKeyId: Uint8Array | null; unknownCritical: string[] }

function extensionsOf(list: readonly Value[]): KnownExtensions | null {
  const known: KnownExtensions = { isCa: false, pathLength: null, uses: null, keyId: null, authorityKeyId: null, unknownCritical: [] }
  const seen = new Set<string>()
  for (const extension of list) {
    const [name, ...rest] = extension.children
    const critical = rest[0]?.tag === tags.boolean && rest[0].content[0] === 0xff
    const holder = rest.at(-1)
    const id = oidOf(name)
    if (id === null || holder?.tag !== tags.octets || rest.length > 2 || seen.has(id)) return null
    seen.add(id)
    if (!readExtension(id, holder.content, known)) return null
    if (critical && !understood.has(id)) known.unknownCritical.push(id)
  }
  return known
}

/** Extensions that are heeded, and two that may be critical and change nothing here: names beside the subject's, and further uses. */
const understood: ReadonlySet<string> = new Set([extensions.basicConstraints, extensions.keyUsage, extensions.subjectKeyIdentifier, extensions.authorityKeyIdentifier, extensions.subjectAltName, extensions.extKeyUsage])

/** Notes one extension; false when it is malformed. */
function readExtension(id: string, bytes: Uint8Array, known: KnownExtensions): boolean {
  if (!understood.has(id)) return true
  const value = readBer(bytes)
  if (value === null) return false
  switch (id) {
    case extensions.basicConstraints: {
      const [first, second] = value.children
      const length = first?.tag === tags.boolean ? second : first
      known.isCa = first?.tag === tags.boolean && first.content[0] === 0xff
      known.pathLength = length === undefined ? null : smallOf(length)
      return value.tag === tags.sequence && (length === undefined || known.pathLength !== null)
    }
    case extensions.keyUsage:
      known.uses = new Set(keyUses.filter((_use, i) => ((value.content[1 + (i >> 3)] ?? 0) & (0x80 >> (i & 7))) !== 0))
      return value.tag === tags.bits
    case extensions.subjectKeyIdentifier:
      known.keyId = value.content
      return value.tag === tags.octets && value.content.length > 0 && value.content.length <= 64
    case extensions.authorityKeyIdentifier:
      known.authorityKeyId = value.children.find((child) => child.tag === 0x80)?.content ?? null
      return value.tag === tags.sequence
    default:
      return true
  }
}

function nameText(name: Value): string {
  const attributes = name.children.flatMap((set) => set.children)
  const common = attributes.findLast((attribute) => attribute.children[0]?.text === '2.5.4.3') ?? attributes.at(-1)
  return (common?.children[1]?.text ?? '').slice(0, 200).replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?')
}

/** Key identifier of a public key: SHA-1 of the bits of its BIT STRING (RFC 5280 §4.2.1.2, method 1). */
export function keyIdOfBits(bits: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(bits).digest())
}

/** The same from a SubjectPublicKeyInfo; null when it is none. */
export function keyIdOf(spki: Uint8Array): Uint8Array | null {
  const bits = wholeBitsOf(readBer(spki)?.children[1])
  return bits === null ? null : keyIdOfBits(bits)
}

export type RevocationList = Readonly<{
  tbs: Uint8Array
  signatureAlgorithm: Value
  signature: Uint8Array
  issuer: Uint8Array
  thisUpdateMs: number
  nextUpdateMs: number | null
  /** Contents of the revoked serial numbers' INTEGERs. */
  revoked: readonly Uint8Array[]
}>

/** Reads a certificate revocation list (RFC 5280 §5); null when it is none. */
export function readRevocationList(der: Uint8Array): RevocationList | null {
  const value = readBer(der)
  const outer = value === null ? null : outerOf(value)
  if (value === null || outer === null) return null
  try {
    const list = new pkijs.CertificateRevocationList({ schema: schemaOf(value) })
    const parts = outer.tbs.children.filter((child, i) => !(i === 0 && child.tag === tags.integer))
    const [, issuer, thisUpdate, next] = parts
    const thisUpdateMs = timeOf(thisUpdate)
    if (issuer === undefined || thisUpdateMs === null) return null
    const critical = (list.crlExtensions?.extensions ?? []).some((extension) => extension.critical)
    // A critical extension (a delta list, a list of one distribution point) would make this list mean something else.
    if (critical) return null
    return {
      ...outer, tbs: outer.tbs.whole, issuer: issuer.whole, thisUpdateMs, nextUpdateMs: timeOf(next),
      revoked: (list.revokedCertificates ?? []).map((one) => one.userCertificate.valueBlock.valueHexView),
    }
  } catch {
    return null
  }
}

export type CertificateRequest = Readonly<{ tbs: Uint8Array; signatureAlgorithm: Value; signature: Uint8Array; subject: Uint8Array; name: string; spki: Uint8Array }>

/** Reads a certification request (RFC 2986, PKCS#10); null when it is none. */
export function readRequest(der: Uint8Array): CertificateRequest | null {
  const value = readBer(der)
  const outer = value === null ? null : outerOf(value)
  if (value === null || outer === null) return null
  try {
    // Only for its schema: it throws where the structure is not that of a request.
    new pkijs.CertificationRequest({ schema: schemaOf(value) })
    const [, subject, spki] = outer.tbs.children
    if (subject === undefined || spki === undefined) return null
    return { ...outer, tbs: outer.tbs.whole, subject: subject.whole, name: nameText(subject), spki: spki.whole }
  } catch {
    return null
  }
}
