// What lies in a bundle beside its entries, and who vouches for each: receipts hang on the entries that tell of them by
// their SHA-256, firmware keys on the fingerprint that is their name, the read-me and the title on the manifest's own numbers.
// For the rest (a print, certificates) nothing speaks but the signature of the log over the manifest; without one they are
// named, so that nobody takes "the bundle holds" for more than it says.
import { sha256 as nobleSha256, sha384 } from '@noble/hashes/sha2.js'
import { toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import { publicKeyFromSpki } from '../image/publickey.ts'
import { fromBase64 } from '../log/checkpoint.ts'
import type { Checkpoint, NoteKey } from '../log/checkpoint.ts'
import type { Entry } from '../log/entry.ts'
import type { Sha256 } from '../log/tree.ts'
import type { Finding } from './finding.ts'
import { names, readmeText, titleOf } from './layout.ts'
import type { Manifest } from './layout.ts'
import { whyNotSigned } from './manifest-note.ts'
import { textOf } from './story.ts'

type Files = ReadonlyMap<string, Uint8Array>

export const receiptKind = 'receipt-made'

/** SHA-256 (hex) of the receipts that entries tell of, by file name; a receipt that was signed again has several. */
export type Receipts = ReadonlyMap<string, ReadonlySet<string>>

/** Gathers receipts from entries. */
export function gatherReceipts(): { add(entry: Entry): void; found: Receipts } {
  const found = new Map<string, Set<string>>()
  return {
    found,
    add(entry) {
      const [file, sha256] = entry.kind === receiptKind ? [textOf(entry, 'file'), textOf(entry, 'fileSha256')] : [null, null]
      if (file === null || sha256 === null) return
      const known = found.get(file) ?? new Set()
      found.set(file, known.add(sha256))
    },
  }
}

export type Beside = Readonly<{ manifest: Manifest; manifestBytes: Uint8Array; checkpoint: Checkpoint; key: NoteKey; receipts: Receipts; batchSeen: Readonly<{ began: boolean; ended: boolean }>; version: string; sha256: Sha256 }>

/** Checks what lies beside the entries: whether the log signed for all of it, and the files, or kinds of files, that nothing vouches for. */
export function checkBeside(files: Files, beside: Beside, findings: Finding[]): { signed: boolean; unchecked: string[] } {
  const { manifest, manifestBytes, key, version } = beside
  checkReceipts(files, beside, findings)
  for (const [name, bytes] of files) {
    const fingerprint = keyFile.exec(name)?.[1]
    if (fingerprint !== undefined && fingerprintOf(bytes) !== fingerprint) findings.push({ is: 'broken', about: 'key', says: `${name} is not the key its name says.` })
  }
  const sameVersion = manifest.madeBy === version
  const title = titleOf(manifest, beside.checkpoint.size)
  if (sameVersion && manifest.what !== title.wanted) findings.push({ is: 'broken', about: 'title', says: `The title, "${manifest.what.slice(0, 100)}", is not that of these entries: it would be "${title.wanted}".` })
  else if (title.says !== null) findings.push({ is: 'note', about: 'title', says: title.says })
  if (manifest.batch !== null && !(beside.batchSeen.began && beside.batchSeen.ended)) {
    findings.push({ is: 'note', about: 'title', says: `These entries do not have the ${beside.batchSeen.began ? 'end' : beside.batchSeen.ended ? 'beginning' : 'beginning and the end'} of the batch ${manifest.batch.slice(0, 60)}: some of its runs may not be among them.` })
  }
  const readme = files.get(names.readme)
  if (sameVersion && new TextDecoder().decode(readme) !== readmeText(manifest, beside.checkpoint.root, beside.checkpoint.size)) findings.push({ is: 'broken', about: 'files', says: `${names.readme} is not the one that belongs here: somebody edited it.` })
  const note = files.get(names.manifestNote)
  const unsigned = note === undefined ? null : whyNotSigned(new TextDecoder().decode(note), manifestBytes, key)
  if (unsigned instanceof Failure) findings.push({ is: 'broken', about: 'signature', says: `${names.manifestNote}: ${unsigned.says}` })
  else if (note !== undefined) {
    findings.push({ is: 'holds', about: 'signature', says: 'The log\'s key signed the list of all files: this is the bundle that the station made.' })
    return { signed: true, unchecked: [] }
  }
  const strangers = [...files.keys()].filter((name) => !belongs(name, manifest))
  if (sameVersion) for (const name of strangers.slice(0, 20)) findings.push({ is: 'broken', about: 'files', says: `${name} is no file of an audit bundle: somebody put it in.` })
  return { signed: false, unchecked: [
    ...(files.has(names.pdf) ? [names.pdf] : []),
    ...([...files.keys()].some((name) => name.startsWith('certificates/')) ? ['certificates/'] : []),
    ...(sameVersion ? [] : [names.readme, ...strangers.slice(0, 20)]),
  ] }
}

function checkReceipts(files: Files, { receipts, sha256 }: Beside, findings: Finding[]): void {
  let [held, wrong] = [0, 0]
  for (const [name, bytes] of files) {
    const file = receiptFile.exec(name)?.[1]
    if (file === undefined) continue
    if (receipts.get(file)?.has(toHex(sha256(bytes))) === true) held += 1
    else if (++wrong <= 20) findings.push({ is: 'broken', about: 'receipts', says: `${name} is not the receipt that the log tells of under that name.` })
  }
  if (held > 0 && wrong === 0) findings.push({ is: 'holds', about: 'receipts', says: `${held === 1 ? 'The receipt is the one' : `All ${held} receipts are those`} that the entries tell of.` })
  const missing = [...receipts.keys()].filter((file) => !files.has(`receipts/${file}`)).length
  if (missing > 0) findings.push({ is: 'note', about: 'receipts', says: `${missing} receipt${missing === 1 ? ' that the entries tell of is' : 's that the entries tell of are'} not in the bundle.` })
}

const receiptFile = /^receipts\/([^/]+)$/
const keyFile = /^keys\/([0-9a-f]{64})\.pem$/

function belongs(name: string, manifest: Manifest): boolean {
  const plain: readonly string[] = Object.values(names)
  return plain.includes(name) || name === manifest.checkpoint || /^checkpoints\/[0-9]{12,15}\.checkpoint$/.test(name) || keyFile.test(name) || receiptFile.test(name)
    || /^certificates\/[A-Za-z0-9._-]{1,120}$/.test(name) || /^openhtf\/[A-Za-z0-9_~-]{1,80}\.json$/.test(name)
}

/** First 64 hex digits of MCUboot's KEYHASH of a public key in PEM; null when it is none. */
function fingerprintOf(pem: Uint8Array): string | null {
  const body = /^-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]{1,4000})\n-----END PUBLIC KEY-----\n$/.exec(new TextDecoder().decode(pem))?.[1]
  const spki = body === undefined ? null : fromBase64(body.replaceAll('\n', ''))
  const key = spki === null ? null : publicKeyFromSpki(spki)
  if (key === null || key instanceof Failure) return null
  return toHex((key.algorithm === 'ecdsa-p384' ? sha384 : nobleSha256)(key.encoded)).slice(0, 64)
}
