// Checks an audit bundle from nothing but its files and, if the auditor has it, the log's key: that its files are those
// that belong together, that every entry leads to the signed root, that older checkpoints are the log's own past, and that
// report, table and test records say what the entries say. It runs in Node and in a browser alike, touches no disk and no
// network, and gives its caller the turn as it goes. Findings are sentences; a broken one names where.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { fromHex, sameBytes, toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import type { Checkpoint, NoteKey } from '../log/checkpoint.ts'
import { entryBytesMax, parseEntry } from '../log/entry.ts'
import type { Entry } from '../log/entry.ts'
import { verifyInclusion } from '../log/proof.ts'
import { edgeBefore, rootAfter } from '../log/range.ts'
import { leafOf, redactionKind, redactionsIn } from '../log/redact.ts'
import type { Redaction } from '../log/redact.ts'
import { appendLeaf } from '../log/tree.ts'
import type { Sha256, TreeEdge } from '../log/tree.ts'
import { checkLog } from '../log/verify.ts'
import type { KnownHead } from '../log/verify.ts'
import { bundleEntriesMax, names, parseManifest, parseProofs } from './layout.ts'
import type { Manifest, Proofs } from './layout.ts'
import { alikeAmong } from './alike.ts'
import { checkBeside, gatherReceipts } from './belongings.ts'
import type { Receipts } from './belongings.ts'
import { differingViews } from './views.ts'
import type { ViewFacts } from './views.ts'
import type { Finding } from './finding.ts'
import { checkKept, checkWitnesses, chooseKey, openCovering, openOlder, textIn } from './vouching.ts'
import { tell } from './story.ts'
import type { Story } from './story.ts'

export type BundleVerdict = Readonly<{
  holds: boolean
  findings: readonly Finding[]
  /** First entry that does not hold, where one can be named. */
  firstWrong: number | null
  size: number
  root: string
  redacted: readonly number[]
  /** Files that nothing vouches for, whatever else holds. */
  unchecked: readonly string[]
  says: string
  /** What was read on the way, for a report over several bundles; null when it could not be. */
  read: Readonly<{ manifest: Manifest; facts: ViewFacts; story: Story }> | null
}>

export type BundleCheckOptions = Readonly<{
  /** Keys from outside, each of another log; where there are none the bundle's own copy is believed, and that is said. */
  trusted?: readonly NoteKey[]
  /** Witnesses whose cosignatures are wanted: each must have signed the covering checkpoint. */
  witnesses?: readonly NoteKey[]
  /** Checkpoints that the auditor has from elsewhere, by what to call them: the log must not only hold, but continue these. */
  checkpoints?: ReadonlyMap<string, string>
  /** Version of this program, to know whether the report can be made again. */
  version: string
  sha256?: Sha256
  /** Called now and then with the number of entries done; awaited, so that a page stays alive. */
  onProgress?: (done: number, total: number) => Promise<void> | void
}>

type Files = ReadonlyMap<string, Uint8Array>

const entriesATurn = 2_000
/** A larger table is not searched for the first changed entry. */
const tableBytesMax = 400_000_000

/** The whole check. A bundle that cannot even be read gives a Failure (`bad-bundle`, `bundle-newer`). */
export async function checkBundle(files: Files, options: BundleCheckOptions): Promise<BundleVerdict | Failure> {
  const sha256 = options.sha256 ?? nobleSha256
  const manifestBytes = files.get(names.manifest)
  const proofBytes = files.get(names.proofs)
  if (manifestBytes === undefined || proofBytes === undefined) return new Failure('bad-bundle', `This is no audit bundle: ${manifestBytes === undefined ? names.manifest : names.proofs} is missing.`)
  const manifest = parseManifest(manifestBytes)
  if (manifest instanceof Failure) return manifest
  const proofs = parseProofs(proofBytes)
  if (proofs instanceof Failure) return proofs
  const findings: Finding[] = []
  checkFiles(files, manifest, sha256, findings)
  const key = chooseKey(files, manifest, options.trusted ?? [], findings)
  const checkpoint = key === null ? null : openCovering(files, manifest, key, findings)
  if (key === null || checkpoint === null) return verdict(findings, { firstWrong: null, size: 0, root: '', redacted: [], unchecked: [], read: null })
  checkWitnesses(textIn(files, manifest.checkpoint), key, options.witnesses ?? [], findings)
  const heads = openOlder(files, manifest, key, checkpoint, proofs, sha256, findings)
  const kept = checkKept(options.checkpoints ?? new Map(), key, checkpoint, manifest, proofs, sha256, findings)
  const related = checkRelated(files, proofs, checkpoint, sha256, findings)
  const walked = await walk(files, manifest, proofs, checkpoint, [...heads, ...kept.within], related, options, sha256, findings)
  const at = { size: checkpoint.size, root: toHex(checkpoint.root) }
  if (walked === null) return verdict(findings, { firstWrong: null, ...at, redacted: [], unchecked: [], read: null })
  const beside = checkBeside(files, { manifest, manifestBytes, checkpoint, key, receipts: walked.receipts, batchSeen: walked.batchSeen, version: options.version, sha256 }, findings)
  const facts: ViewFacts = { note: textIn(files, manifest.checkpoint), checkpoint, key, redacted: walked.redactedCount }
  const views = checkViews(files, manifest, facts, walked, options.version, beside.signed, sha256, findings)
  tellAlike(walked.story, findings)
  const unchecked = [...beside.unchecked, ...views]
  if (unchecked.length > 0) findings.push({ is: 'note', about: 'unchecked', says: `Nothing vouches for ${unchecked.join(', ')}: anybody can have changed that. The entries are what counts.` })
  return verdict(findings, { firstWrong: walked.firstWrong, ...at, redacted: walked.redacted, unchecked, read: { manifest, facts, story: walked.story } })
}

function checkFiles(files: Files, manifest: Manifest, sha256: Sha256, findings: Finding[]): void {
  const listed = Object.entries(manifest.files)
  let wrong = 0
  const broken = (says: string) => {
    wrong += 1
    if (wrong <= 20) findings.push({ is: 'broken', about: 'files', says })
  }
  for (const [name, { bytes, sha256: hash }] of listed) {
    const there = files.get(name)
    if (there === undefined) broken(`${name} is missing.`)
    else if (there.length !== bytes || toHex(sha256(there)) !== hash) broken(`${name} is not the file that was put in: its SHA-256 differs.`)
  }
  for (const name of files.keys()) if (name !== names.manifest && name !== names.manifestNote && !Object.hasOwn(manifest.files, name)) broken(`${name} does not belong to the bundle.`)
  if (wrong === 0) findings.push({ is: 'holds', about: 'files', says: `All ${listed.length} files are there, unchanged since the manifest was written.` })
}

/** Lines of a file of entries, without their line feeds. */
export function linesOf(bytes: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = []
  for (let at = 0; at < bytes.length && lines.length <= bundleEntriesMax;) {
    const end = bytes.indexOf(10, at)
    lines.push(bytes.subarray(at, end < 0 ? bytes.length : end))
    at = end < 0 ? bytes.length : end + 1
  }
  return lines
}

/** Entries outside the range, each proven by itself; gives those whose bytes and proof hold. */
function checkRelated(files: Files, proofs: Proofs, covering: Checkpoint, sha256: Sha256, findings: Finding[]): Entry[] {
  const lines = linesOf(files.get(names.related) ?? new Uint8Array(0))
  if (lines.length !== proofs.related.length) findings.push({ is: 'broken', about: 'related', says: `${names.related} has ${lines.length} entries and ${proofs.related.length} proofs.` })
  const parsed = lines.map((bytes) => (bytes.length > entryBytesMax ? null : parseEntry(bytes)))
  const redactions = redactionsIn(parsed.filter((entry): entry is Entry => entry !== null && !(entry instanceof Failure)))
  const held: Entry[] = []
  for (const [i, entry] of parsed.entries()) {
    const proof = proofs.related[i]
    const bytes = lines[i]
    if (entry === null || entry instanceof Failure || proof === undefined || bytes === undefined) {
      findings.push({ is: 'broken', about: 'related', says: `Line ${i + 1} of ${names.related} is no entry.` })
      continue
    }
    const { leaf } = leafOf(bytes, redactions.get(entry.seq), sha256)
    if (entry.seq === proof.seq && verifyInclusion(leaf, proof.seq, covering, proof.hashes, sha256)) held.push(entry)
    else findings.push({ is: 'broken', about: 'related', says: `Entry ${proof.seq} in ${names.related} is not in the signed log.` })
  }
  if (held.length > 0 && held.length === lines.length) findings.push({ is: 'holds', about: 'related', says: `${held.length} related entr${held.length === 1 ? 'y is' : 'ies are'} in the signed log.` })
  return held
}

type Walked = Readonly<{ firstWrong: number | null; redacted: readonly number[]; redactedCount: number; story: Story; csvSha256: string; receipts: Receipts; batchSeen: { began: boolean; ended: boolean } }>

/** Reads every entry of the range and grows the tree over them, up to the signed root. */
async function walk(files: Files, manifest: Manifest, proofs: Proofs, covering: Checkpoint, heads: readonly KnownHead[], related: readonly Entry[], options: BundleCheckOptions, sha256: Sha256, findings: Finding[]): Promise<Walked | null> {
  const { range } = proofs
  const start = edgeBefore(range)
  if (start === null || range.from !== manifest.from || range.to !== manifest.to || range.size !== covering.size) {
    findings.push({ is: 'broken', about: 'entries', says: 'The proof of the range does not fit the entries and the checkpoint.' })
    return null
  }
  const lines = linesOf(files.get(names.entries) ?? new Uint8Array(0))
  const redactions = redactionsFor(lines, related)
  const inRange = heads.filter(({ size }) => size >= range.from && size <= range.to)
  const checker = checkLog({ sha256, start, known: inRange, redactions })
  const teller = tell()
  const views = differingViews.csv()
  const receipts = gatherReceipts()
  for (const entry of related) receipts.add(entry)
  const batchSeen = { began: false, ended: false }
  for (const [i, bytes] of lines.entries()) {
    if (i % entriesATurn === 0) await options.onProgress?.(i, lines.length)
    const entry = checker.row({ seq: range.from + i, bytes })
    if (entry === null) continue
    teller.add(entry)
    receipts.add(entry)
    if (manifest.batch !== null && entry.data['batch'] === manifest.batch) {
      batchSeen.began ||= entry.kind === 'batch-started'
      batchSeen.ended ||= entry.kind === 'batch-ended'
    }
    views.add(entry, leafOf(bytes, redactions.get(entry.seq), sha256).leaf)
  }
  await options.onProgress?.(lines.length, lines.length)
  const ended = checker.endOfRange()
  let exact: number | null = null
  for (const wrong of ended.wrongs.slice(0, 20)) findings.push({ is: 'broken', about: 'entries', says: wrong.says })
  if (lines.length !== range.to - range.from) {
    findings.push({ is: 'broken', about: 'entries', says: `${range.to - range.from} entries belong here, and ${lines.length} are there: entry ${range.from + Math.min(lines.length, range.to - range.from)} ${lines.length < range.to - range.from ? 'is missing' : 'is too many'}.` })
  } else if (sameBytes(rootAfter(ended.edge, range, sha256), covering.root)) {
    findings.push({ is: 'holds', about: 'entries', says: `Entries ${range.from} to ${range.to - 1} lead to the signed root: none was changed, removed or inserted.` })
  } else {
    findings.push({ is: 'broken', about: 'entries', says: `Entries ${range.from} to ${range.to - 1} do not lead to the signed root: at least one of them, or a hash of the proof, was changed.` })
    exact = firstChanged(files, lines, redactions, start, range, covering, sha256)
    if (exact !== null) findings.push({ is: 'broken', about: 'entries', says: `Entry ${exact} is the first that was changed: the hashes beside the entries in ${names.csv} do lead to the signed root, and this entry's is another.` })
  }
  if (ended.redactedCount > 0) findings.push({ is: 'note', about: 'redacted', says: `Text was struck out of ${ended.redactedCount} entr${ended.redactedCount === 1 ? 'y' : 'ies'} (${ended.redacted.slice(0, 10).join(', ')}${ended.redactedCount > 10 ? ', …' : ''}), as later entries of the log say. What is left of them is vouched for by those.` })
  return { firstWrong: exact ?? ended.firstWrong, redacted: ended.redacted, redactedCount: ended.redactedCount, story: teller.end(), csvSha256: views.end(), receipts: receipts.found, batchSeen }
}

/**
 * The first entry that was changed, exactly: the table has each entry's leaf hash, and where those lead to the signed root
 * they are the true ones, whoever sent them. Null where they do not (the table was changed as well).
 */
function firstChanged(files: Files, lines: readonly Uint8Array[], redactions: ReadonlyMap<number, Redaction>, start: TreeEdge, range: Proofs['range'], covering: Checkpoint, sha256: Sha256): number | null {
  const table = files.get(names.csv)
  if (table === undefined || table.length > tableBytesMax) return null
  // The leaf is each record's last cell; no other cell ends a record, quoted or not.
  const leaves = [...new TextDecoder().decode(table).matchAll(/,([0-9a-f]{64})\r\n/g)].map(([, hex = '']) => fromHex(hex) ?? new Uint8Array(0))
  if (leaves.length !== lines.length) return null
  let edge = start
  for (const leaf of leaves) edge = appendLeaf(edge, leaf, sha256)
  const root = rootAfter(edge, range, sha256)
  if (root === null || !sameBytes(root, covering.root)) return null
  const at = lines.findIndex((bytes, i) => !sameBytes(leafOf(bytes, redactions.get(range.from + i), sha256).leaf, leaves[i] ?? new Uint8Array(0)))
  return at < 0 ? null : range.from + at
}

/** Redactions told within the range, which the walk checks, or by related entries, which were proven. */
function redactionsFor(lines: readonly Uint8Array[], related: readonly Entry[]): ReadonlyMap<number, Redaction> {
  const mark = `"kind":"${redactionKind}"`
  const decoder = new TextDecoder()
  const inside = lines.flatMap((bytes) => {
    if (bytes.length > entryBytesMax || !decoder.decode(bytes).includes(mark)) return []
    const entry = parseEntry(bytes)
    return entry instanceof Failure ? [] : [entry]
  })
  return redactionsIn([...inside, ...related])
}

/** Names of units, people and stations that a reader of the report would take for one another. */
function tellAlike({ runs, people, stations }: Story, findings: Finding[]): void {
  for (const names of [runs.map(({ unit }) => unit), people, stations]) {
    for (const group of alikeAmong(names).slice(0, 10)) {
      const told = group.slice(0, 5).map((name) => `"${name}"`).join(', ')
      findings.push({ is: 'note', about: 'names', says: group.length > 1 ? `These look alike and are different names: ${told}.` : `The name ${told} has letters in it that cannot be seen.` })
    }
  }
}

/** Report, table and test records, made again and compared; gives those that could not be, where nobody signed for them. */
function checkViews(files: Files, manifest: Manifest, facts: ViewFacts, { story, csvSha256 }: Walked, version: string, signed: boolean, sha256: Sha256, findings: Finding[]): string[] {
  const wrong = differingViews.all(files, manifest, facts, story, csvSha256, sha256)
  if (wrong.length === 0) findings.push({ is: 'holds', about: 'views', says: 'Report, table and test records say exactly what the entries say.' })
  else if (manifest.madeBy !== version) {
    findings.push({ is: 'note', about: 'views', says: `Report, table and test records were made by version ${manifest.madeBy}, or so the bundle says; this verifier is of version ${version} and words them otherwise, so it cannot compare them.` })
    return signed ? [] : [names.report, names.csv, 'openhtf/']
  } else for (const name of wrong.slice(0, 20)) findings.push({ is: 'broken', about: 'views', says: `${name} does not say what the entries say: somebody edited it.` })
  return []
}

function verdict(findings: readonly Finding[], rest: Omit<BundleVerdict, 'holds' | 'findings' | 'says'>): BundleVerdict {
  const broken = findings.filter(({ is }) => is === 'broken')
  // What names the entry says most.
  const first = broken.find(({ says }) => says.startsWith(`Entry ${rest.firstWrong} is the first`)) ?? broken[0]
  return { holds: first === undefined, findings, ...rest, says: first === undefined ? `The bundle holds${rest.redacted.length === 0 ? '' : ' (redacted text is marked as such)'}${rest.unchecked.length === 0 ? '' : `, but nothing vouches for ${rest.unchecked.join(', ')}`}.` : `The bundle does not hold. ${first.says}` }
}
