// What the `package` commands share: certificates, keys and identifiers as people write them on a command line, and whom
// to trust when a package is opened here.
import { InvalidArgumentError } from 'commander'
import { utf8 } from '../base/bytes.ts'
import { realClock } from '../base/clock.ts'
import { Failure, attempt, failed } from '../base/failure.ts'
import type { Community, PackageName, SerialEntry } from '../cms/attributes.ts'
import { isOid } from '../cms/der.ts'
import { readRevocationList } from '../cms/pki.ts'
import type { Certificate, RevocationList } from '../cms/pki.ts'
import { anchorFromCertificate, anchorFromKey } from '../cms/trust.ts'
import type { Trust, TrustAnchor } from '../cms/trust.ts'
import { readPem } from '../keys/pem.ts'
import { anchorsOf, certificatesIn } from '../station/packages.ts'
import type { Call } from './call.ts'
import { readInput, smallFileBytesMax } from './files.ts'
import { homeFolder } from './home.ts'
import { publicKeyNamed } from './keys.ts'
import { knownKeysOf, ringOf } from './ring.ts'

export const collect = (text: string, before: readonly string[] = []): string[] => [...before, text]

/** A reader for object identifiers, many at once. */
export function oids(text: string, before: readonly string[] = []): string[] {
  return [...before, oidText(text)]
}

export function oidText(text: string): string {
  if (!isOid(text)) throw new InvalidArgumentError('It must be an object identifier, such as 1.3.6.1.4.1.99999.1.')
  return text
}

/** A whole number of any length, not negative. */
export function bigNumber(text: string): bigint {
  if (!/^[0-9]{1,60}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return BigInt(text)
}

/** `OID:VERSION`, or a free name. */
export function packageNames(text: string, before: readonly PackageName[] = []): PackageName[] {
  const [, id = '', version = ''] = /^([0-9.]+):([0-9]{1,60})$/.exec(text) ?? []
  if (id !== '') return [...before, { id: oidText(id), version: BigInt(version) }]
  if (text.length === 0 || text.length > 200) throw new InvalidArgumentError('It must be OID:VERSION, or a free name.')
  return [...before, { legacy: utf8(text) }]
}

/** `OID=all`, `OID=SERIAL` or `OID=LOW..HIGH`, several serials between commas. */
export function serialLists(text: string, before: readonly Community[] = []): Community[] {
  const at = text.indexOf('=')
  if (at < 0) throw new InvalidArgumentError('It must be OID=SERIAL, OID=LOW..HIGH or OID=all.')
  const serials = text.slice(at + 1).split(',').map((word): SerialEntry => {
    const [, low = '', high = ''] = /^(.+)\.\.(.+)$/.exec(word) ?? []
    if (word === '' || word.length > 200) throw new InvalidArgumentError('A serial number is missing.')
    return word === 'all' ? { is: 'all' } : low === '' ? { is: 'single', serial: utf8(word) } : { is: 'block', low: utf8(low), high: utf8(high) }
  })
  return [...before, { hardware: oidText(text.slice(0, at)), serials }]
}

/** Certificates in a file. Kinds: of reading files, `not-a-certificate`. */
export async function certificatesFrom(path: string): Promise<Certificate[] | Failure> {
  const bytes = await readInput(path, 'certificate file', smallFileBytesMax)
  if (failed(bytes)) return bytes
  const certificates = certificatesIn(bytes)
  return failed(certificates) ? new Failure(certificates.kind, `${path}: ${certificates.says}`, { path }) : certificates
}

export type TrustFlags = Readonly<{ trust?: readonly string[]; crl?: readonly string[]; certificate?: readonly string[] }>

/** Whom to trust: what `--trust` names (certificates or keys), else the home's own anchors and keys. */
export async function trustOf(call: Call, flags: TrustFlags): Promise<Trust | Failure> {
  const anchors = flags.trust === undefined ? await homeAnchors(call) : await namedAnchors(call, flags.trust)
  if (failed(anchors)) return anchors
  const certificates: Certificate[] = []
  for (const path of flags.certificate ?? []) {
    const found = await certificatesFrom(path)
    if (failed(found)) return found
    certificates.push(...found)
  }
  const revocationLists: RevocationList[] = []
  for (const path of flags.crl ?? []) {
    const list = await revocationListFrom(path)
    if (failed(list)) return list
    revocationLists.push(list)
  }
  return { anchors, certificates, revocationLists, atMs: realClock.wallMs() }
}

async function homeAnchors(call: Call): Promise<TrustAnchor[] | Failure> {
  const [own, known] = await Promise.all([ringOf(call).list(), knownKeysOf(call).list()])
  if (failed(own)) return own
  return failed(known) ? known : anchorsOf(homeFolder(call), [...own, ...known])
}

async function namedAnchors(call: Call, names: readonly string[]): Promise<TrustAnchor[] | Failure> {
  const anchors: TrustAnchor[] = []
  for (const name of names) {
    const certificates = await certificatesFrom(name)
    if (!failed(certificates)) {
      for (const { der } of certificates) {
        const anchor = anchorFromCertificate(der)
        if (failed(anchor)) return anchor
        anchors.push(anchor)
      }
      continue
    }
    const key = await publicKeyNamed(call, name)
    if (failed(key)) return key
    const anchor = anchorFromKey(key.publicKey.spki, key.name ?? name)
    if (failed(anchor)) return anchor
    anchors.push(anchor)
  }
  return anchors
}

async function revocationListFrom(path: string): Promise<RevocationList | Failure> {
  const bytes = await readInput(path, 'revocation list', 4 * 1024 * 1024)
  if (failed(bytes)) return bytes
  const der = attempt(() => {
    if (bytes[0] === 0x30) return bytes
    const blocks = readPem(new TextDecoder('latin1').decode(bytes))
    return failed(blocks) ? bytes : blocks.find(({ label }) => label === 'X509 CRL')?.der ?? bytes
  })
  return (failed(der) ? null : readRevocationList(der)) ?? new Failure('not-a-list', `${path} is not a certificate revocation list, or one of a kind not known here.`, { path })
}
