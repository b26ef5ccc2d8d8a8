// One report over the logs of several stations: their audit bundles, each whole and each with its own proof, in one archive
// with a report and a table over all of them. No entry is re-signed, since nobody but each station can vouch for its log;
// the report is a pure function of the bundles, so a check makes it again. Who put it together may sign the list of bundles.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { z } from 'zod'
import { concat, toHex, utf8 } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import { parseEntry } from '../log/entry.ts'
import type { Entry } from '../log/entry.ts'
import type { NoteKey } from '../log/checkpoint.ts'
import { parseLogKeys } from '../log/handover.ts'
import { leafOf, redactionsIn } from '../log/redact.ts'
import { checkBundle, linesOf } from './check.ts'
import type { BundleCheckOptions, BundleVerdict } from './check.ts'
import type { Finding } from './finding.ts'
import { csvHeader, csvLine } from './csv.ts'
import { bundleEntriesMax, names, parseJson, parseManifest } from './layout.ts'
import { mergedNoteName, signerOfMerged } from './merged-note.ts'
import { reportHtml } from './report.ts'
import { tell } from './story.ts'
import { unpack } from './unpack.ts'
import { reportProof } from './views.ts'

export const mergedName = 'merged.json'
export const stationsMax = 64
const format = 'slotwright-merged-report'

type Files = ReadonlyMap<string, Uint8Array>

/** True when an archive is a merged report. */
export function isMerged(files: Files): boolean {
  return files.has(mergedName)
}

export type Merged = Readonly<{ files: Map<string, Uint8Array>; stations: number; entries: number; runs: number }>

/**
 * Checks every bundle and makes the merged archive's files. Failures: those of `checkBundle`, `bundle-does-not-hold`,
 * `same-log-twice` (two bundles of one log would count runs twice), `range-too-large`.
 */
export async function mergeBundles(bundles: readonly Uint8Array[], about: Readonly<{ what: string; madeAt: string; madeBy: string }>, options: BundleCheckOptions): Promise<Merged | Failure> {
  if (bundles.length === 0 || bundles.length > stationsMax) return new Failure('usage', `A report is made of 1 to ${stationsMax} bundles.`)
  const parts: { bytes: Uint8Array; verdict: BundleVerdict; unpacked: Files }[] = []
  for (const [i, bytes] of bundles.entries()) {
    const unpacked = unpack(bytes)
    if (unpacked instanceof Failure) return unpacked
    const verdict = await checkBundle(unpacked, options)
    if (verdict instanceof Failure) return verdict
    if (!verdict.holds || verdict.read === null) return new Failure('bundle-does-not-hold', `Bundle ${i + 1} does not hold, so nothing may be reported from it: ${verdict.says}`)
    parts.push({ bytes, verdict, unpacked })
  }
  const read = parts.map(({ verdict }) => verdict.read).filter((one) => one !== null)
  if (new Set(read.map(({ manifest }) => manifest.origin)).size !== read.length) return new Failure('same-log-twice', 'Two of the bundles are of the same log, so runs would be counted twice. Export that log once.')
  const entries = parts.flatMap(({ unpacked }, i) => entriesOf(unpacked, read[i]?.manifest.origin ?? ''))
  if (entries.length > bundleEntriesMax) return new Failure('range-too-large', `The bundles have ${entries.length} entries together; a report takes ${bundleEntriesMax}.`)
  // By the wall clock, which is all that stations have in common; within one station the order is the log's own.
  entries.sort((a, b) => (a.entry.time < b.entry.time ? -1 : a.entry.time > b.entry.time ? 1 : a.origin < b.origin ? -1 : a.origin > b.origin ? 1 : a.entry.seq - b.entry.seq))
  const teller = tell()
  for (const { entry } of entries) teller.add(entry)
  const story = teller.end()
  const files = new Map<string, Uint8Array>()
  const sources = parts.map(({ bytes }, i) => ({ name: `stations/${String(i + 1).padStart(2, '0')}.zip`, sha256: toHex(nobleSha256(bytes)), origin: read[i]?.manifest.origin ?? '' }))
  for (const [i, { name }] of sources.entries()) files.set(name, parts[i]?.bytes ?? new Uint8Array(0))
  files.set(names.report, utf8(reportHtml({ about, proofs: read.map(({ manifest, facts }) => reportProof(manifest, facts)) }, story)))
  files.set(names.csv, concat(utf8(csvHeader), utf8(entries.map(({ entry, leaf }) => csvLine(entry, leaf)).join(''))))
  files.set(mergedName, utf8(`${JSON.stringify({ format, version: 1, ...about, sources }, null, 1)}\n`))
  return { files, stations: read.length, entries: entries.length, runs: story.runs.length }
}

function entriesOf(files: Files, origin: string): { entry: Entry; leaf: string; origin: string }[] {
  const lines = linesOf(files.get(names.entries) ?? new Uint8Array(0))
  const read = (bytes: Uint8Array): Entry[] => {
    const entry = parseEntry(bytes)
    return entry instanceof Failure ? [] : [entry]
  }
  const parsed = lines.flatMap((bytes) => read(bytes).map((entry) => ({ bytes, entry })))
  const redactions = redactionsIn([...parsed.map(({ entry }) => entry), ...linesOf(files.get(names.related) ?? new Uint8Array(0)).flatMap(read)])
  return parsed.map(({ bytes, entry }) => ({ entry, leaf: toHex(leafOf(bytes, redactions.get(entry.seq)).leaf), origin }))
}

/** Checks a merged archive: every bundle in it, and that report and table are those the bundles give. */
export async function checkMerged(files: Files, options: BundleCheckOptions): Promise<BundleVerdict | Failure> {
  const bundles = [...files.keys()].filter((name) => /^stations\/\d{2}\.zip$/.test(name)).sort()
  const findings: Finding[] = []
  const logs = new Map<string, NoteKey>()
  const unchecked = new Set<string>()
  for (const name of bundles) {
    const unpacked = unpack(files.get(name) ?? new Uint8Array(0))
    const verdict = unpacked instanceof Failure ? unpacked : await checkBundle(unpacked, { ...options, checkpoints: keptOf(unpacked, options.checkpoints) })
    if (verdict instanceof Failure) findings.push({ is: 'broken', about: name, says: `${name}: ${verdict.says}` })
    else findings.push(...verdict.findings.map((finding) => ({ ...finding, says: `${name}: ${finding.says}` })))
    if (!(verdict instanceof Failure)) for (const one of verdict.unchecked) unchecked.add(`${name}/${one}`)
    const own = unpacked instanceof Failure ? unpacked : parseLogKeys(new TextDecoder().decode(unpacked.get(names.logKey)))
    if (!(verdict instanceof Failure) && !(own instanceof Failure)) logs.set(own.name, own)
  }
  checkSigner(files, options.trusted ?? [], logs, findings)
  for (const [name, note] of options.checkpoints ?? []) if (!logs.has(originOfNote(note))) findings.push({ is: 'note', about: 'kept', says: `Your checkpoint ${name} is of a log that the report has nothing of.` })
  if (bundles.length === 0) findings.push({ is: 'broken', about: 'files', says: 'There is no bundle in it.' })
  const about = aboutOf(files.get(mergedName) ?? new Uint8Array(0))
  if (about !== null) checkSources(files, bundles, about.sources, findings)
  if (about === null) findings.push({ is: 'broken', about: 'files', says: `${mergedName} does not read.` })
  else if (about.madeBy !== options.version) {
    findings.push({ is: 'note', about: 'views', says: `The report was made by version ${about.madeBy}, or so it says; this verifier is of version ${options.version} and does not compare its wording.` })
    for (const name of [names.report, names.csv]) unchecked.add(name)
  } else if (findings.every(({ is }) => is !== 'broken')) {
    const again = await mergeBundles(bundles.map((name) => files.get(name) ?? new Uint8Array(0)), { what: about.what, madeAt: about.madeAt, madeBy: about.madeBy }, { ...options, trusted: undefined, checkpoints: undefined, witnesses: undefined })
    const expected = again instanceof Failure ? new Map<string, Uint8Array>() : again.files
    for (const name of new Set([...files.keys(), ...expected.keys()])) {
      if (name === mergedNoteName) continue
      const [there, wanted] = [files.get(name), expected.get(name)]
      if (there === undefined || wanted === undefined || toHex(nobleSha256(there)) !== toHex(nobleSha256(wanted))) findings.push({ is: 'broken', about: 'views', says: `${name} is not what the bundles give.` })
    }
    if (findings.every(({ is }) => is !== 'broken')) findings.push({ is: 'holds', about: 'views', says: 'Report and table say exactly what the bundles say.' })
  }
  const first = findings.find(({ is }) => is === 'broken')
  return { holds: first === undefined, findings, firstWrong: null, size: 0, root: '', redacted: [], unchecked: [...unchecked], read: null, says: first === undefined ? `The merged report holds${unchecked.size === 0 ? '' : `, but nothing vouches for ${[...unchecked].slice(0, 10).join(', ')}`}.` : `The merged report does not hold. ${first.says}` }
}

/** Checkpoints that the auditor kept, of this bundle's log. */
function keptOf(files: Files, kept: ReadonlyMap<string, string> = new Map()): ReadonlyMap<string, string> {
  const manifest = parseManifest(files.get(names.manifest) ?? new Uint8Array(0))
  return manifest instanceof Failure ? new Map() : new Map([...kept].filter(([, note]) => originOfNote(note) === manifest.origin))
}

const originOfNote = (note: string) => note.split('\n', 1)[0] ?? ''

/** Who says that these are all the stations; and stations that somebody knows of by their keys, and that are not among them. */
function checkSigner(files: Files, trusted: readonly NoteKey[], logs: ReadonlyMap<string, NoteKey>, findings: Finding[]): void {
  const note = files.get(mergedNoteName)
  const signer = note === undefined ? null : signerOfMerged(new TextDecoder().decode(note), files.get(mergedName) ?? new Uint8Array(0), trusted.length > 0 ? trusted : [...logs.values()])
  if (signer instanceof Failure) {
    const unknown = signer.kind === 'note-unsigned'
    findings.push({ is: unknown ? 'note' : 'broken', about: 'signature', says: unknown ? `Who put the report together signed it as ${String(signer.facts['by'])}; no key at hand is theirs. Give it to have that checked.` : `${mergedNoteName}: ${signer.says}` })
  } else if (signer !== null) findings.push({ is: 'holds', about: 'signature', says: `The report over these bundles was put together and signed by ${signer}.` })
  // Whoever puts a report together may leave a station out.
  for (const { name } of trusted) if (!logs.has(name) && name !== signer) findings.push({ is: 'note', about: 'key', says: `The report has nothing of the log ${name}, whose key you gave.` })
}

/** The list, which somebody may have signed, names exactly the bundles that are there: also where a later version made it. */
function checkSources(files: Files, bundles: readonly string[], sources: ReadonlyMap<string, string>, findings: Finding[]): void {
  for (const name of new Set([...bundles, ...sources.keys()])) {
    const there = files.get(name)
    const listed = sources.get(name)
    if (there === undefined) findings.push({ is: 'broken', about: 'files', says: `${name}, which ${mergedName} lists, is missing.` })
    else if (listed === undefined) findings.push({ is: 'broken', about: 'files', says: `${name} is a bundle that ${mergedName} does not list.` })
    else if (listed !== toHex(nobleSha256(there))) findings.push({ is: 'broken', about: 'files', says: `${name} is not the bundle that ${mergedName} lists.` })
  }
}

const aboutSchema = z.object({ what: z.string(), madeAt: z.string(), madeBy: z.string(), sources: z.array(z.object({ name: z.string(), sha256: z.string() })).max(stationsMax) })

function aboutOf(bytes: Uint8Array): { what: string; madeAt: string; madeBy: string; sources: ReadonlyMap<string, string> } | null {
  const json = parseJson(bytes, mergedName)
  const parsed = json instanceof Failure ? null : aboutSchema.safeParse(json)
  if (parsed?.success !== true) return null
  const { what, madeAt, madeBy, sources } = parsed.data
  return { what, madeAt, madeBy, sources: new Map(sources.map(({ name, sha256 }) => [name, sha256])) }
}
