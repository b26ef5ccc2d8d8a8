// `package certify|request|revoke|trust`: the station as its own small authority, or with certificates from another one.
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { sameBytes, toHex, utf8 } from '../base/bytes.ts'
import { realClock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { certificateFrom, makeCertificate, makeRequest, makeRevocationList, readSignedRequest } from '../cms/certificate.ts'
import type { CertificateOrder } from '../cms/certificate.ts'
import { isOid } from '../cms/der.ts'
import { keyIdOf } from '../cms/pki.ts'
import type { Certificate } from '../cms/pki.ts'
import { readPem, writePem } from '../keys/pem.ts'
import { trustFolderOf } from '../station/packages.ts'
import type { Answer, Call } from './call.ts'
import { readInput, smallFileBytesMax, writeOutput } from './files.ts'
import { homeFolder, prepareHome } from './home.ts'
import { openSigningKey, publicKeyNamed } from './keys.ts'
import { certificatesFrom } from './packages.ts'
import type { PassphraseOptions, PinOptions } from './passphrase.ts'
import { record } from './record.ts'

const dayMs = 86_400_000
/** Certificates begin a little in the past, since the clocks of a line differ. */
const slackMs = 300_000

export type CertifyFlags = PassphraseOptions & PinOptions & Readonly<{
  key: string; name?: string; authority?: string; for?: string; request?: string; role: 'signer' | 'authority' | 'both'; days: number; unit?: string
}>

/** Makes a certificate and reads it back. */
export async function certify(call: Call, out: string, flags: CertifyFlags): Promise<Answer | Failure> {
  const subject = await subjectOf(call, flags)
  if (failed(subject)) return subject
  const above = flags.authority === undefined ? null : await firstCertificate(flags.authority)
  if (failed(above)) return above
  const module = flags.unit === undefined ? null : moduleOf(flags.unit)
  if (failed(module)) return module
  const key = await openSigningKey(call, flags.key, flags)
  if (failed(key)) return key
  try {
    const spki = subject.spki ?? key.signer.publicKey.spki
    if (above === null && subject.spki !== null) return new Failure('bad-option', 'To certify another key, name the authority\'s certificate with --authority.')
    if (above !== null && toHex(above.keyId) !== toHex(keyIdOf(key.signer.publicKey.spki) ?? new Uint8Array(0))) return new Failure('wrong-key', `The certificate "${above.name}" belongs to another key than --key. Name the authority's own key.`)
    if (above !== null && (!above.isCa || (above.uses !== null && !above.uses.has('keyCertSign')))) return new Failure('wrong-key', `"${above.name}" may not certify others. Name the certificate of an authority, or make one with --role authority.`)
    const nowMs = realClock.wallMs()
    if (above !== null && above.notAfterMs <= nowMs) return new Failure('wrong-key', `The certificate of "${above.name}" has run out on ${day(above.notAfterMs)}, and nothing below it would be valid. Make a new one first.`)
    // Longer than its authority it would hold in name only.
    const notAfterMs = Math.min(nowMs + flags.days * dayMs, above?.notAfterMs ?? Infinity)
    const der = await makeCertificate({
      name: subject.name, spki, serial: new Uint8Array(randomBytes(16)), notBeforeMs: nowMs - slackMs, notAfterMs,
      role: flags.role === 'authority' ? { is: 'authority', below: null } : { is: flags.role }, ...(module === null ? {} : { module }),
    }, { signer: key.signer, certificate: above })
    if (failed(der)) return der
    const made = certificateFrom(der)
    if (failed(made)) return made
    const kept = await keep(call, [made])
    if (failed(kept)) return kept
    return await written(out, 'CERTIFICATE', der, { name: made.name, keyId: toHex(made.keyId), serial: toHex(made.serial), validUntil: new Date(made.notAfterMs).toISOString() }, `certificate of "${made.name}", valid until ${day(made.notAfterMs)}${above?.notAfterMs === notAfterMs ? ', as long as its authority' : ''}`)
  } finally {
    await key.close()
  }
}

/** Name and key to certify; a null key means the authority's own. */
async function subjectOf(call: Call, flags: CertifyFlags): Promise<{ name: string; spki: Uint8Array | null } | Failure> {
  if (flags.request !== undefined) {
    const bytes = await readInput(flags.request, 'certification request', smallFileBytesMax)
    if (failed(bytes)) return bytes
    const blocks = bytes[0] === 0x30 ? [] : readPem(new TextDecoder('latin1').decode(bytes))
    const der = bytes[0] === 0x30 ? bytes : failed(blocks) ? bytes : blocks.find(({ label }) => label.endsWith('CERTIFICATE REQUEST'))?.der ?? bytes
    const asked = readSignedRequest(der)
    return failed(asked) ? asked : { name: flags.name ?? asked.name, spki: asked.spki }
  }
  if (flags.name === undefined) return new Failure('bad-option', 'Say whom the certificate is for with --name.')
  if (flags.for === undefined) return { name: flags.name, spki: null }
  const key = await publicKeyNamed(call, flags.for)
  return failed(key) ? key : { name: flags.name, spki: key.publicKey.spki }
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}

function moduleOf(text: string): CertificateOrder['module'] & object | Failure {
  const at = text.indexOf('=')
  const hardware = text.slice(0, Math.max(0, at))
  return at > 0 && isOid(hardware) && text.length > at + 1 ? { hardware, serial: utf8(text.slice(at + 1)) } : new Failure('bad-option', 'The unit is written as OID=SERIAL, like 1.3.6.1.4.1.99999.7.1=PB-0001.')
}

async function firstCertificate(path: string): Promise<Certificate | Failure> {
  const found = await certificatesFrom(path)
  return failed(found) ? found : found[0] ?? new Failure('not-a-certificate', `${path} holds no certificate.`)
}

async function written(out: string, label: string, der: Uint8Array, facts: Readonly<Record<string, unknown>>, words: string): Promise<Answer | Failure> {
  const failure = await writeOutput(out, utf8(writePem(label, der)))
  return failure ?? { document: { file: out, ...facts }, words: `${out}: ${words}` }
}

export type RequestFlags = PassphraseOptions & PinOptions & Readonly<{ key: string; name: string }>

export async function request(call: Call, out: string, flags: RequestFlags): Promise<Answer | Failure> {
  const key = await openSigningKey(call, flags.key, flags)
  if (failed(key)) return key
  try {
    const der = await makeRequest(flags.name, key.signer)
    return failed(der) ? der : await written(out, 'CERTIFICATE REQUEST', der, { name: flags.name }, `request for "${flags.name}"; send it to the authority`)
  } finally {
    await key.close()
  }
}

export type RevokeFlags = PassphraseOptions & PinOptions & Readonly<{ key: string; authority: string; days: number; number: number }>

export async function revoke(call: Call, out: string, files: readonly string[], flags: RevokeFlags): Promise<Answer | Failure> {
  const authority = await firstCertificate(flags.authority)
  if (failed(authority)) return authority
  const revoked: Certificate[] = []
  for (const file of files) {
    const certificate = await firstCertificate(file)
    if (failed(certificate)) return certificate
    if (!sameBytes(certificate.issuer, authority.subject)) return new Failure('wrong-key', `"${certificate.name}" (${file}) was not certified by "${authority.name}", which cannot revoke it.`)
    revoked.push(certificate)
  }
  const key = await openSigningKey(call, flags.key, flags)
  if (failed(key)) return key
  try {
    if (toHex(authority.keyId) !== toHex(keyIdOf(key.signer.publicKey.spki) ?? new Uint8Array(0))) return new Failure('wrong-key', `The certificate "${authority.name}" belongs to another key than --key. Name the authority's own key.`)
    const nowMs = realClock.wallMs()
    const der = await makeRevocationList({
      thisUpdateMs: nowMs - slackMs, nextUpdateMs: nowMs + flags.days * dayMs, number: flags.number, revoked: revoked.map(({ serial }) => ({ serial, atMs: nowMs })),
    }, { signer: key.signer, certificate: authority })
    return failed(der) ? der : await written(out, 'X509 CRL', der, { authority: authority.name, revoked: revoked.map(({ serial }) => toHex(serial)) }, `revocation list of "${authority.name}" with ${revoked.length === 1 ? 'one certificate' : `${revoked.length} certificates`}`)
  } finally {
    await key.close()
  }
}

/** Copies into the home's folder of certificates, from where receipts and audit bundles take them. */
async function keep(call: Call, certificates: readonly Certificate[]): Promise<string[] | Failure> {
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const folder = join(homeFolder(call), 'certificates')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const files: string[] = []
  for (const { der, keyId, serial } of certificates) {
    const file = join(folder, `${toHex(keyId).slice(0, 40)}-${toHex(serial).slice(0, 40)}.pem`)
    const wrong = await writeOutput(file, utf8(writePem('CERTIFICATE', der)))
    if (wrong !== null) return wrong
    files.push(file)
  }
  return files
}

/** Takes certificates from elsewhere in: an outside authority's answer to a request, and those above it. */
export async function importCertificates(call: Call, path: string): Promise<Answer | Failure> {
  const found = await certificatesFrom(path)
  if (failed(found)) return found
  const files = await keep(call, found)
  if (failed(files)) return files
  return {
    document: { certificates: found.map(({ name, keyId, notAfterMs }, i) => ({ file: files[i], name, keyId: toHex(keyId), validUntil: new Date(notAfterMs).toISOString() })) },
    words: found.map(({ name, notAfterMs }) => `Kept: "${name}", valid until ${new Date(notAfterMs).toISOString().slice(0, 10)}.`).join('\n'),
  }
}

/** Copies a certificate into the home's trust folder, and says so in the log. */
export async function trust(call: Call, path: string): Promise<Answer | Failure> {
  const found = await firstCertificate(path)
  if (failed(found)) return found
  const noHome = await prepareHome(call)
  if (noHome !== null) return noHome
  const folder = trustFolderOf(homeFolder(call))
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, `${toHex(found.keyId)}.pem`)
  const entry = await record(call, { kind: 'settings', data: { name: 'trust-anchor', after: `${found.name.slice(0, 200)}, key ${toHex(found.keyId)}` } })
  if (failed(entry)) return entry
  return await writeOutput(file, utf8(writePem('CERTIFICATE', found.der))) ?? { document: { file, name: found.name, keyId: toHex(found.keyId), entry: entry.seq }, words: `Packages are trusted through "${found.name}" from now on.` }
}
