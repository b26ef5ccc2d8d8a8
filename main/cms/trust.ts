// Whether a signer is trusted: the certificate path from the signer to a trust anchor (RFC 5280 §6.1 as far as firmware
// packages need it: names, signatures, validity at a given moment, key usage, basic constraints, revocation lists that
// are at hand). A trust anchor is a certificate or a bare public key, and may be limited to packages or hardware.
import { sameBytes } from '../base/bytes.ts'
import { Failure, attempt, failed, must } from '../base/failure.ts'
import { outerSignatureHolds } from './algorithms.ts'
import type { PackageName } from './attributes.ts'
import { refuseLoad } from './errors.ts'
import { keyIdOf, readCertificate } from './pki.ts'
import type { Certificate, RevocationList } from './pki.ts'
import { isNamed } from './signed.ts'
import type { SignerName } from './signed.ts'

export type TrustAnchor = Readonly<{
  /** What people call it. */
  name: string
  spki: Uint8Array
  keyId: Uint8Array
  /** Null for a bare key, which can sign packages itself and nobody else's certificate. */
  certificate: Certificate | null
  /** Package identifiers (themselves or whole branches below them) it may sign for; absent: all. */
  packages?: readonly string[]
  /** Hardware types it may sign for; absent: all. */
  hardware?: readonly string[]
}>

/** An anchor from a certificate in DER. Kind `not-a-certificate`. */
export function anchorFromCertificate(der: Uint8Array, name?: string): TrustAnchor | Failure {
  const certificate = readCertificate(der)
  if (certificate === null) return new Failure('not-a-certificate', 'This is not an X.509 certificate. Choose the certificate\'s file, PEM or DER.')
  return { name: name ?? certificate.name, spki: certificate.spki, keyId: certificate.keyId, certificate }
}

/** An anchor from a bare public key. Kind `not-a-key`. */
export function anchorFromKey(spki: Uint8Array, name: string): TrustAnchor | Failure {
  const keyId = keyIdOf(spki)
  return keyId === null ? new Failure('not-a-key', 'This is not a public key.') : { name, spki, keyId, certificate: null }
}

export type Trust = Readonly<{
  anchors: readonly TrustAnchor[]
  /** Certificates that may lie on the way, beside those the package brings. */
  certificates?: readonly Certificate[]
  revocationLists?: readonly RevocationList[]
  /** The moment at which certificates must be valid, ms since 1970. */
  atMs: number
}>

/** A trusted signer: its key, its certificates from its own to the last below the anchor, and the anchor. */
export type Trusted = Readonly<{ spki: Uint8Array; path: readonly Certificate[]; anchor: TrustAnchor }>

const pathLengthMax = 8
/** Signatures checked in search of one path, so that a set of look-alike certificates costs little. */
const checksMax = 64

/**
 * Finds the signer and its path. Of several certificates of one key the first that holds counts; only when none does is the
 * first one's trouble told. Refuses with noTrustAnchor or badCertificate. Only below `attempt`.
 */
export function findTrusted(signer: SignerName, brought: readonly Certificate[], broughtLists: readonly RevocationList[], trust: Trust): Trusted {
  const known = [...brought, ...(trust.certificates ?? [])]
  const search = new Search(known, [...broughtLists, ...(trust.revocationLists ?? [])], trust)
  let trouble: Failure | null = null
  for (const anchor of trust.anchors) {
    const { certificate } = anchor
    const direct = certificate === null ? 'keyId' in signer && sameBytes(signer.keyId, anchor.keyId) : isNamed(signer, certificate)
    const checked = direct ? attempt(() => (certificate === null ? undefined : search.checkPath([certificate], null))) : null
    if (checked === null) continue
    if (!failed(checked)) return { spki: anchor.spki, path: [], anchor }
    trouble ??= checked
  }
  const candidates = known.filter((certificate) => isNamed(signer, certificate))
  for (const certificate of candidates) {
    const found = search.upFrom(certificate, [certificate])
    if (found === null) continue
    const checked = attempt(() => search.checkPath(found.path, found.anchor))
    if (!failed(checked)) return { spki: certificate.spki, ...found }
    trouble ??= checked
  }
  if (trouble !== null) must<never>(trouble)
  const [first] = candidates
  if (first === undefined) refuseLoad('noTrustAnchor', 'The package names a signer whose key or certificate is neither in the package nor known here. Add it as a trust anchor, if you trust it.')
  refuseLoad('noTrustAnchor', `The signer "${first.name}" is not certified by anybody this station trusts. Add its authority as a trust anchor, if you trust it.`, { signer: first.name })
}

function checkSigner(certificate: Certificate): void {
  if (certificate.uses !== null && !certificate.uses.has('digitalSignature') && !certificate.uses.has('nonRepudiation')) {
    refuseLoad('badCertificate', `The certificate "${certificate.name}" is not for signing: its key usage leaves that out.`)
  }
}

class Search {
  readonly #known: readonly Certificate[]
  readonly #lists: readonly RevocationList[]
  readonly #trust: Trust
  #checks = 0

  constructor(known: readonly Certificate[], lists: readonly RevocationList[], trust: Trust) {
    this.#known = known
    this.#lists = lists
    this.#trust = trust
  }

  /** The way up by names and signatures; null when it leads nowhere. */
  upFrom(certificate: Certificate, path: readonly Certificate[]): { path: readonly Certificate[]; anchor: TrustAnchor } | null {
    for (const anchor of this.#trust.anchors) {
      if (anchor.certificate !== null && this.#issued(anchor.certificate, certificate)) return { path, anchor }
    }
    if (path.length >= pathLengthMax) return null
    for (const above of this.#known) {
      if (path.includes(above) || !this.#issued(above, certificate)) continue
      const found = this.upFrom(above, [...path, above])
      if (found !== null) return found
    }
    return null
  }

  #issued(issuer: Certificate, certificate: Certificate): boolean {
    if (!sameBytes(issuer.subject, certificate.issuer)) return false
    if (certificate.authorityKeyId !== null && !sameBytes(certificate.authorityKeyId, issuer.keyId)) return false
    if (++this.#checks > checksMax) refuseLoad('badCertificate', 'The package brings so many look-alike certificates that no path is searched in them.')
    return outerSignatureHolds(certificate, issuer.spki)
  }

  #checkValidity(certificate: Certificate): void {
    const { atMs } = this.#trust
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)
    if (atMs < certificate.notBeforeMs) refuseLoad('badCertificate', `The certificate "${certificate.name}" is valid only from ${day(certificate.notBeforeMs)} on. Check this computer's clock.`, { notBefore: certificate.notBeforeMs })
    if (atMs > certificate.notAfterMs) refuseLoad('badCertificate', `The certificate "${certificate.name}" expired on ${day(certificate.notAfterMs)}. Ask the maker for a package signed with a valid one.`, { notAfter: certificate.notAfterMs })
    if (certificate.unknownCritical.length > 0) refuseLoad('badCertificate', `The certificate "${certificate.name}" has a critical extension that is not known here: ${certificate.unknownCritical[0]}.`)
  }

  /** What must hold of a path that signatures and names already hold together. */
  checkPath(path: readonly Certificate[], anchor: TrustAnchor | null): void {
    const above = anchor?.certificate ?? null
    const all = above === null ? path : [...path, above]
    all.forEach((certificate, depth) => {
      this.#checkValidity(certificate)
      if (depth === 0) checkSigner(certificate)
      else checkAuthority(certificate, depth - 1)
      const issuer = all[depth + 1]
      if (issuer !== undefined) this.#checkRevoked(certificate, issuer)
    })
  }

  #checkRevoked(certificate: Certificate, issuer: Certificate): void {
    for (const list of this.#lists) {
      if (!sameBytes(list.issuer, certificate.issuer) || !outerSignatureHolds(list, issuer.spki)) continue
      if (issuer.uses !== null && !issuer.uses.has('cRLSign')) refuseLoad('badCertificate', `The authority "${issuer.name}" may not sign the revocation list that is in its name.`)
      if (list.nextUpdateMs !== null && this.#trust.atMs > list.nextUpdateMs) refuseLoad('badCertificate', `The revocation list of "${issuer.name}" is outdated. Fetch a new one.`)
      if (list.revoked.some((serial) => sameBytes(serial, certificate.serial))) refuseLoad('badCertificate', `The certificate "${certificate.name}" was revoked by its authority. Do not use this package.`, { revoked: true })
    }
  }
}

/** `below` counts the authorities between this one and the signer. */
function checkAuthority(certificate: Certificate, below: number): void {
  if (!certificate.isCa || (certificate.uses !== null && !certificate.uses.has('keyCertSign'))) refuseLoad('badCertificate', `The certificate "${certificate.name}" is no authority, yet it has signed another certificate. Do not use this package.`)
  if (certificate.pathLength !== null && below > certificate.pathLength) refuseLoad('badCertificate', `The authority "${certificate.name}" may not have that many authorities below it.`)
}

/** Whether an anchor may sign that package for that hardware; refuses with notAuthorized. Only below `attempt`. */
export function checkAuthorized(anchor: TrustAnchor, name: PackageName, hardware: readonly string[]): void {
  const inBranch = (id: string) => anchor.packages?.some((branch) => id === branch || id.startsWith(`${branch}.`)) ?? true
  if (!('legacy' in name ? anchor.packages === undefined : inBranch(name.id))) refuseLoad('notAuthorized', `The trust anchor "${anchor.name}" may not sign packages of this name.`)
  const wrong = hardware.find((type) => anchor.hardware !== undefined && !anchor.hardware.includes(type))
  if (wrong !== undefined) refuseLoad('notAuthorized', `The trust anchor "${anchor.name}" may not sign for the hardware ${wrong}.`)
}
