// Load receipts and error reports as the window exports them: all of a unit or of a batch in one archive, with the
// signer's certificates and a text that says how openssl checks them. Nothing is in the log before the archive is whole.
import { utf8 } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { basename } from 'node:path'
import type { Clock } from '../base/clock.ts'
import type { Certificate } from '../cms/pki.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { ReceiptsView } from '../contract/package-view.ts'
import { writePem } from '../keys/pem.ts'
import { startArchive } from '../store/archive.ts'
import type { AuditStore } from '../store/audit.ts'
import { diskFailure } from '../store/database.ts'
import { signerFor } from './desk.ts'
import type { DeskWorld } from './desk.ts'
import type { Logbook } from './logbook.ts'
import { certificatesFor, keepReceipt, opensslSays, reportsDue, signDue } from './receipts.ts'
import type { SignedReport } from './receipts.ts'

export type ReceiptsWorld = Readonly<{ home: string; audit: AuditStore; log: Logbook; desk: DeskWorld; clock: Clock }>

/** Kinds: `no-place`, `no-such-key`, `key-retired`, those of `reportsDue`, of the key, the disk's and the log's. */
export async function saveReceipts({ home, audit, log, desk, clock }: ReceiptsWorld, args: CheckedArgsOf<'saveReceipts'>): Promise<ReceiptsView | Failure> {
  const { saveAs } = args
  if (saveAs === null) return new Failure('no-place', 'Say where the receipts are to be saved.')
  if (args.unit === null && args.batch === null) return new Failure('no-such-run', 'Say for which unit or batch.')
  const due = reportsDue(audit.database, args, { hardware: args.hardware, id: null })
  if (failed(due)) return due
  const found = await desk.keyring.find(args.key)
  if (failed(found)) return found
  const key = found.entry
  if (key === null) return new Failure('no-such-key', `There is no key called "${args.key}" in the key ring. Make or import it first.`)
  if (key.retiredAt !== null) return new Failure('key-retired', `The key "${key.name}" was retired. Choose a key in use.`)
  const signer = await signerFor(desk, key, args.passphrase)
  if (failed(signer)) return signer
  try {
    const certificates = await certificatesFor(home, signer.publicKey)
    const signed: SignedReport[] = []
    for (const one of due) {
      const report = await signDue(one, { signer, certificate: certificates[0] ?? null, embed: certificates }, key.fingerprint, clock.wallMs())
      if (failed(report)) return report
      signed.push(report)
    }
    const archive = writeArchive(saveAs, signed, certificates, signer.publicKey.algorithm === 'ed25519', clock.wallMs())
    if (failed(archive)) return archive
    for (const one of signed) {
      const wrong = await keepReceipt(home, one)
      if (wrong !== null) return wrong
    }
    const who = { person: log.person, role: log.roleFor('engineer') }
    const noted = log.record([
      ...signed.map(({ entry }) => ({ ...entry, ...who })),
      { kind: 'export', ...who, data: { what: 'load receipts', file: basename(saveAs).slice(0, 200), fileSha256: archive.sha256 } },
    ])
    if (noted !== null) return noted
    return { savedAs: saveAs, bytes: archive.bytes, sha256: archive.sha256, receipts: signed.filter(({ code }) => code === null).length, errors: signed.filter(({ code }) => code !== null).length, signer: key.name, certificate: certificates[0]?.name ?? null }
  } finally {
    signer.close()
  }
}

function writeArchive(saveAs: string, signed: readonly SignedReport[], certificates: readonly Certificate[], edwards: boolean, atMs: number): { bytes: number; sha256: string } | Failure {
  let archive: ReturnType<typeof startArchive> | null = null
  try {
    archive = startArchive(saveAs, atMs)
    archive.add('README.txt', utf8(readme(certificates, edwards)))
    for (const [i, { name, der }] of certificates.entries()) archive.add(`certificates/${i + 1}-${name.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 60)}.pem`, utf8(writePem('CERTIFICATE', der)))
    for (const { file, bytes } of signed) archive.add(file, bytes)
    return archive.finish()
  } catch (error) {
    archive?.abandon()
    return diskFailure(error, saveAs)
  }
}

function readme(certificates: readonly Certificate[], edwards: boolean): string {
  const top = certificates.at(-1)
  return [
    'Load receipts (*.receipt.cms) and load-error reports (*.error.cms) after RFC 4108, sections 3 and 4,',
    'one file a run, signed by the station on behalf of the hardware module, as their contentHints say.',
    '',
    ...(top === undefined
      ? ['No certificate of the signing key is kept at the station, so none goes along. openssl needs one:', '  slotwright package certify station.crt --key KEY --name "Line station"', 'Then export again. Without one: slotwright package verify-receipt FILE --trust PUBLIC-KEY.pem']
      : [`Trusted through "${top.name}". Check that you have its certificate from somebody you trust, then:`, '  openssl cms -verify -binary -inform DER -in FILE -CAfile YOUR-COPY.pem -purpose any -out content.der', '  openssl asn1parse -inform DER -in content.der', ...(edwards ? ['', opensslSays] : [])]),
    '',
    'Or: slotwright package verify-receipt FILE --trust YOUR-COPY.pem',
    '',
  ].join('\n')
}
