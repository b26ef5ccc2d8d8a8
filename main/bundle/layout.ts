// The audit bundle: what is in the archive and how its two JSON files read. `entries.jsonl` holds the entries' own canonical
// bytes, one a line, so any SHA-256 gives the leaf hashes; `proofs.json` holds what leads from them to the signed checkpoint.
// The manifest says what belongs together, and the log signs it where its key is at hand (manifest-note.ts); entries hang on
// the checkpoint's signature alone.
import { z } from 'zod'
import { toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import { fromBase64, toBase64 } from '../log/checkpoint.ts'
import type { RangeProof } from '../log/range.ts'

export const bundleFormat = 'slotwright-audit-bundle'
export const bundleVersion = 1
/** No bundle has more entries or files, or is larger when unpacked. */
export const bundleEntriesMax = 1_000_000
export const bundleFilesMax = 60_000
export const bundleBytesMax = 2_000_000_000

export const names = {
  readme: 'README.txt',
  manifest: 'manifest.json',
  entries: 'entries.jsonl',
  related: 'related.jsonl',
  proofs: 'proofs.json',
  csv: 'entries.csv',
  report: 'report.html',
  pdf: 'report.pdf',
  logKey: 'keys/log-key.pub',
  /** The log's signature over the manifest; it stands in no manifest. */
  manifestNote: 'manifest.note',
} as const

const whole = z.int().nonnegative()
const text = z.string().max(500)

const manifestSchema = z.object({
  format: z.literal(bundleFormat),
  version: z.literal(bundleVersion),
  /** Version of the program that made it; another one may word the report differently. */
  madeBy: text,
  madeAt: text,
  /** What was asked for, in words. */
  what: text,
  batch: text.nullable(),
  origin: text,
  from: whole,
  to: whole,
  /** Name of the covering checkpoint's file. */
  checkpoint: text,
  files: z.record(z.string().max(300), z.object({ bytes: whole, sha256: z.string().regex(/^[0-9a-f]{64}$/) })),
})

export type Manifest = z.infer<typeof manifestSchema>

const hash = z.string().max(60)
const hashes = z.array(hash).max(50)
const proofsSchema = z.object({
  range: z.object({ from: whole, to: whole, size: whole, left: hashes, right: hashes }),
  /** Older checkpoints, by size, with the hashes that show the covering one to continue them (RFC 6962 section 2.1.2). */
  consistency: z.array(z.object({ older: whole, hashes })).max(20_000),
  /** Entries of `related.jsonl`, in its order, with their inclusion proofs. */
  related: z.array(z.object({ seq: whole, hashes })).max(20_000),
})

export type Proofs = Readonly<{
  range: RangeProof
  consistency: readonly Readonly<{ older: number; hashes: readonly Uint8Array[] }>[]
  related: readonly Readonly<{ seq: number; hashes: readonly Uint8Array[] }>[]
}>

export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, null, 1)}\n`
}

/** Reads a manifest; fails with `bad-bundle`, or `bundle-newer` when a later version made it. */
export function parseManifest(bytes: Uint8Array): Manifest | Failure {
  const json = parseJson(bytes, names.manifest)
  if (json instanceof Failure) return json
  const parsed = manifestSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const { format, version } = Object(json) as { format?: unknown; version?: unknown }
  if (format === bundleFormat && typeof version === 'number' && version > bundleVersion) {
    return new Failure('bundle-newer', `The bundle is of version ${version}; this verifier knows version ${bundleVersion}. Take a newer verifier.`)
  }
  return new Failure('bad-bundle', `${names.manifest} does not read as the manifest of an audit bundle.`)
}

export function proofsText({ range, consistency, related }: Proofs): string {
  const texts = (list: readonly Uint8Array[]) => list.map(toBase64)
  return `${JSON.stringify({
    range: { ...range, left: texts(range.left), right: texts(range.right) },
    consistency: consistency.map(({ older, hashes: list }) => ({ older, hashes: texts(list) })),
    related: related.map(({ seq, hashes: list }) => ({ seq, hashes: texts(list) })),
  }, null, 1)}\n`
}

/** Reads the proofs; fails with `bad-bundle`. Whether they hold is another matter. */
export function parseProofs(bytes: Uint8Array): Proofs | Failure {
  const json = parseJson(bytes, names.proofs)
  if (json instanceof Failure) return json
  const parsed = proofsSchema.safeParse(json)
  if (!parsed.success) return new Failure('bad-bundle', `${names.proofs} does not read as proofs.`)
  const { range, consistency, related } = parsed.data
  // A text that is no hash becomes no bytes, which no proof accepts.
  const read = (list: readonly string[]) => list.map((one) => fromBase64(one) ?? new Uint8Array(0))
  return {
    range: { ...range, left: read(range.left), right: read(range.right) },
    consistency: consistency.map(({ older, hashes: list }) => ({ older, hashes: read(list) })),
    related: related.map(({ seq, hashes: list }) => ({ seq, hashes: read(list) })),
  }
}

/** What the whole log is called, and a range that is no batch. */
export const wholeLogTitle = 'The whole log'
export const rangeTitle = (from: number, to: number) => `Entries ${from} to ${to - 1}`
export const batchTitle = (batch: string) => `Batch ${batch}`

/** The title that a manifest's own numbers give, and what a reader should know of it; `size` is the checkpoint's. */
export function titleOf({ what, batch, from, to }: Pick<Manifest, 'what' | 'batch' | 'from' | 'to'>, size: number): { wanted: string; says: string | null } {
  if (batch !== null) return { wanted: batchTitle(batch), says: null }
  if (what !== wholeLogTitle || from !== 0) return { wanted: rangeTitle(from, to), says: null }
  return { wanted: wholeLogTitle, says: to === size ? null : `The log had ${size} entries when its checkpoint was signed; ${size - to} of them are not in here.` }
}

/** JSON as we write it. Of a member that stands there twice one reader takes the first and another the last, so neither is taken. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const json = JSON.parse(text) as unknown
    if (`${JSON.stringify(json, null, 1)}\n` === text) return json
    return new Failure('bad-bundle', `${name} is not written as Slotwright writes it: something in it stands twice, or was edited.`)
  } catch {
    return new Failure('bad-bundle', `${name} is not JSON.`)
  }
}

/** The first lines a person reads who has only the archive. */
export function readmeText(manifest: Pick<Manifest, 'what' | 'from' | 'to' | 'origin' | 'madeAt' | 'madeBy'>, root: Uint8Array, size: number): string {
  return `Slotwright audit bundle
${manifest.what}: entries ${manifest.from} to ${manifest.to - 1} of the log ${manifest.origin}
made ${manifest.madeAt} by Slotwright ${manifest.madeBy}
covered by the checkpoint over ${size} entries, root ${toHex(root)}

report.html     for reading and printing; needs no network and runs no script
entries.jsonl   every entry, one a line, exactly the bytes that were hashed
entries.csv     the same for spreadsheets
openhtf/        one file a unit, in the shape of OpenHTF's test records
related.jsonl   entries outside the range that explain it (signatures, keys, redactions)
checkpoints/    the log's signed checkpoints (C2SP tlog-checkpoint), with witnesses' cosignatures where there are any
proofs.json     hashes that lead from the entries to the checkpoint (RFC 6962)
keys/           the log's public key, and the firmware keys the station knew
manifest.json   every file with its SHA-256; manifest.note is the log's signature over it, where its key was at hand

To check it, take slotwright-verify (or verify.html, in any browser) from where you take Slotwright, not from whoever gave you this
archive, and the log's public key from the station itself:
  node slotwright-verify.js BUNDLE.zip --key log-key.pub
Without a verifier: SHA-256 of a byte 00 followed by a line of entries.jsonl (without its line feed) is that entry's leaf.
`
}
