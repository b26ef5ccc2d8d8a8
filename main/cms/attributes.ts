// The attributes of RFC 4108 §2.2 as pairs of reader and writer, one row each. Each may stand once and with one value;
// unknown signed attributes are kept aside and tolerated (§2.1.2.1), unknown unsigned ones are not (§2.3).
import { sameBytes, utf8 } from '../base/bytes.ts'
import type { HashName } from '../base/signer.ts'
import { oidList, readDigestAlgorithm, writeDigestAlgorithm } from './algorithms.ts'
import { compareEncodings, integer, nil, octets, oid, sequence, setOf, tags, time, tlv } from './der.ts'
import type { Der } from './der.ts'
import { refuseLoad } from './errors.ts'
import type { LoadErrorName } from './errors.ts'
import { attributeTypes, oidName } from './oids.ts'
import { isDer, oidOf, timeOf, wholeOf } from './pki.ts'
import type { Value } from './pki.ts'

/** A firmware package's name: an identifier with a version, or the older free form. */
export type PackageName = Readonly<{ id: string; version: bigint } | { legacy: Uint8Array }>

export type PackageIdentifier = Readonly<{ name: PackageName; stale: bigint | Uint8Array | null }>

export type SerialEntry = Readonly<{ is: 'all' } | { is: 'single'; serial: Uint8Array } | { is: 'block'; low: Uint8Array; high: Uint8Array }>

/** Who may run the package: a community, or modules of one hardware type by serial number. */
export type Community = Readonly<{ community: string } | { hardware: string; serials: readonly SerialEntry[] }>

export type PackageInfo = Readonly<{ type: bigint | null; dependencies: readonly PackageName[] | null }>

/** The signed attributes, by their RFC names; what is absent is left out. */
export type SignedAttributes = Readonly<{
  contentType: string
  messageDigest: Uint8Array
  firmwarePackageID?: PackageIdentifier
  targetHardwareIDs?: readonly string[]
  decryptKeyID?: Uint8Array
  implCryptoAlgs?: readonly string[]
  implCompressAlgs?: readonly string[]
  communityIdentifiers?: readonly Community[]
  firmwarePackageInfo?: PackageInfo
  fwPkgMessageDigest?: Readonly<{ hash: HashName; digest: Uint8Array }>
  signingTime?: number
  contentHints?: Readonly<{ description: string | null; contentType: string }>
  /** SHA-1 of the signer's certificate (ESSCertID, RFC 2634 §5.4). */
  signingCertificate?: Uint8Array
}>

type Name = keyof SignedAttributes
type Known = { [N in Name]-?: NonNullable<SignedAttributes[N]> }
type Pair<T> = Readonly<{ write: (value: T) => Der; read: (value: Value) => T | null }>

const membersMax = 1024

const name: Pair<PackageName> = {
  write: (it) => ('legacy' in it ? octets(it.legacy) : sequence(oid(it.id), integer(it.version))),
  read: (value) => {
    if (value.tag === tags.octets) return { legacy: value.content }
    const [id, version] = [oidOf(value.children[0]), wholeOf(value.children[1])]
    return value.tag === tags.sequence && value.children.length === 2 && id !== null && version !== null ? { id, version } : null
  },
}

/** A package name as receipts and error reports carry it. */
export const packageNamePair = name

function list<T>(value: Value, read: (member: Value) => T | null): readonly T[] | null {
  if (value.tag !== tags.sequence || value.children.length > membersMax) return null
  const members = value.children.map(read)
  return members.every((member): member is NonNullable<typeof member> => member !== null) ? members : null
}

const octetString: Pair<Uint8Array> = { write: octets, read: (value) => (value.tag === tags.octets ? value.content : null) }
const oids: Pair<readonly string[]> = { write: oidList, read: (value) => list(value, oidOf) }

const serialEntry: Pair<SerialEntry> = {
  write: (entry) => (entry.is === 'all' ? nil : entry.is === 'single' ? octets(entry.serial) : sequence(octets(entry.low), octets(entry.high))),
  read: (value) => {
    if (value.tag === tags.nil && value.content.length === 0) return { is: 'all' }
    if (value.tag === tags.octets) return { is: 'single', serial: value.content }
    const [low, high] = value.children
    return value.tag === tags.sequence && value.children.length === 2 && low?.tag === tags.octets && high?.tag === tags.octets ? { is: 'block', low: low.content, high: high.content } : null
  },
}

const community: Pair<Community> = {
  write: (it) => ('community' in it ? oid(it.community) : sequence(oid(it.hardware), sequence(...it.serials.map(serialEntry.write)))),
  read: (value) => {
    const whole = oidOf(value)
    if (whole !== null) return { community: whole }
    const [hardware, entries] = [oidOf(value.children[0]), value.children[1]]
    if (value.tag !== tags.sequence || value.children.length !== 2 || hardware === null || entries === undefined) return null
    const serials = list(entries, serialEntry.read)
    return serials === null ? null : { hardware, serials }
  },
}

const pairs: { readonly [N in Name]-?: Pair<Known[N]> } = {
  contentType: { write: oid, read: oidOf },
  messageDigest: octetString,
  firmwarePackageID: {
    write: ({ name: it, stale }) => sequence(name.write(it), ...(stale === null ? [] : [typeof stale === 'bigint' ? integer(stale) : octets(stale)])),
    read: (value) => {
      const [first, second] = value.children
      if (value.tag !== tags.sequence || first === undefined || value.children.length > 2) return null
      const it = name.read(first)
      const stale = second === undefined ? null : second.tag === tags.octets ? second.content : wholeOf(second)
      if (it === null || (second !== undefined && stale === null)) return null
      return { name: it, stale }
    },
  },
  targetHardwareIDs: oids,
  decryptKeyID: octetString,
  implCryptoAlgs: oids,
  implCompressAlgs: oids,
  communityIdentifiers: { write: (all) => sequence(...all.map(community.write)), read: (value) => list(value, community.read) },
  firmwarePackageInfo: {
    write: ({ type, dependencies }) => sequence(...(type === null ? [] : [integer(type)]), ...(dependencies === null ? [] : [sequence(...dependencies.map(name.write))])),
    read: (value) => {
      const type = value.children.find((child) => child.tag === tags.integer)
      const rest = value.children.filter((child) => child !== type)
      const number = wholeOf(type)
      const dependencies = rest[0] === undefined ? null : list(rest[0], name.read)
      if (value.tag !== tags.sequence || value.children.length === 0 || rest.length > 1 || (type !== undefined && (number === null || value.children[0] !== type)) || (rest.length === 1 && dependencies === null)) return null
      return { type: number, dependencies }
    },
  },
  fwPkgMessageDigest: {
    write: ({ hash, digest }) => sequence(writeDigestAlgorithm(hash), octets(digest)),
    read: (value) => {
      const [named, digest] = value.children
      return value.tag === tags.sequence && value.children.length === 2 && digest?.tag === tags.octets ? { hash: readDigestAlgorithm(named), digest: digest.content } : null
    },
  },
  signingTime: { write: time, read: timeOf },
  contentHints: {
    write: ({ description, contentType }) => sequence(...(description === null ? [] : [tlv(tags.utf8, utf8(description))]), oid(contentType)),
    read: (value) => {
      const contentType = oidOf(value.children.at(-1))
      const first = value.children[0]
      if (value.tag !== tags.sequence || value.children.length > 2 || contentType === null || (value.children.length === 2 && first?.tag !== tags.utf8)) return null
      return { description: value.children.length === 2 ? (first?.text ?? '').slice(0, 1000) : null, contentType }
    },
  },
  signingCertificate: {
    write: (certHash) => sequence(sequence(sequence(octets(certHash)))),
    read: (value) => {
      const certHash = value.children[0]?.children[0]?.children[0]
      return value.tag === tags.sequence && certHash?.tag === tags.octets ? certHash.content : null
    },
  },
}

const names = Object.keys(pairs) as Name[]
const byType = new Map<string, Name>(names.map((one) => [attributeTypes[one], one]))

/** SET OF Attribute under its own tag (0x31); the signer info stores the same bytes under [0]. */
export function writeSignedAttributes(attributes: SignedAttributes): Der {
  const members = names.flatMap((one) => {
    const value = attributes[one]
    return value === undefined ? [] : [sequence(oid(attributeTypes[one]), setOf([writeOne(one, value)]))]
  })
  return setOf(members)
}

function writeOne<N extends Name>(one: N, value: unknown): Der {
  return (pairs[one] as Pair<Known[N]>).write(value as Known[N])
}

export type ReadAttributes = Readonly<{ known: SignedAttributes; unknown: readonly string[] }>

/**
 * Reads signed attributes, which must be DER, each once and with one value; refuses with badSignedAttrs. Only below
 * `attempt`. `value` is the [0] of a SignerInfo.
 */
export function readSignedAttributes(value: Value): ReadAttributes {
  const sorted = value.children.every((child, i) => i === 0 || compareEncodings(value.children[i - 1]?.whole ?? child.whole, child.whole) <= 0)
  if (!value.plain || !value.children.every(isDer) || !sorted) refuseLoad('badSignedAttrs', 'The signed attributes are not DER, as they must be.')
  const known: Record<string, unknown> = {}
  const unknown: string[] = []
  for (const [type, member] of readAttributes(value, 'badSignedAttrs')) {
    const one = byType.get(type)
    if (one === undefined) {
      unknown.push(type)
      continue
    }
    const read = pairs[one].read(member)
    if (read === null) refuseLoad('badSignedAttrs', `The signed attribute ${one} is malformed.`, { attribute: one })
    known[one] = read
  }
  if (known['contentType'] === undefined || known['messageDigest'] === undefined) {
    refuseLoad('badSignedAttrs', `The signed attribute ${known['contentType'] === undefined ? 'contentType' : 'messageDigest'} is missing.`)
  }
  return { known: known as SignedAttributes, unknown }
}

/** Type and single value of every attribute of a set; refuses doubles. */
export function readAttributes(value: Value, code: LoadErrorName & ('badSignedAttrs' | 'badUnsignedAttrs')): Map<string, Value> {
  const found = new Map<string, Value>()
  if (value.children.length > membersMax) refuseLoad(code, 'There are more attributes than any package has.')
  for (const attribute of value.children) {
    const [type, values] = attribute.children
    const typeName = oidOf(type)
    if (attribute.tag !== tags.sequence || attribute.children.length !== 2 || typeName === null || values?.tag !== tags.set) refuseLoad(code, 'An attribute is malformed.')
    if (found.has(typeName)) refuseLoad(code, `The attribute ${oidName(typeName)} stands there twice.`, { attribute: oidName(typeName) })
    const [only] = values.children
    if (only === undefined || values.children.length !== 1) refuseLoad(code, `The attribute ${oidName(typeName)} has ${values.children.length} values instead of one.`, { attribute: oidName(typeName) })
    found.set(typeName, only)
  }
  return found
}

/** Whether two names are the same package, whatever the version. */
export function sameLine(a: PackageName, b: PackageName): boolean {
  if ('legacy' in a || 'legacy' in b) return 'legacy' in a && 'legacy' in b && sameBytes(a.legacy, b.legacy)
  return a.id === b.id
}

/** A package name for people: `1.3.6.1.4.1.5.1 version 17`, or the legacy bytes as text where they are one. */
export function nameWords(it: PackageName): string {
  if (!('legacy' in it)) return `${it.id} version ${it.version}`
  return bytesWords(it.legacy)
}

/** Bytes that are often text: as text in quotes, else as hex. */
export function bytesWords(bytes: Uint8Array): string {
  const printable = bytes.length > 0 && bytes.length <= 128 && bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  return printable ? `"${String.fromCharCode(...bytes)}"` : Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** A package's own words for people, with `?` for what colours, hides or turns round the words beside it. */
export function plainWords(text: string | null): string | null {
  return text === null ? null : text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '?')
}
