// Report, table and test records of a bundle: made here, once for the export and once more by the check, so that an edited
// page shows. Each is a pure function of the entries and of a few lines of the manifest.
import { toHex, utf8 } from '../base/bytes.ts'
import { sha256 as nobleHash } from '@noble/hashes/sha2.js'
import { cosignatureNames, noteKeyText } from '../log/checkpoint.ts'
import type { Checkpoint, NoteKey } from '../log/checkpoint.ts'
import type { Entry } from '../log/entry.ts'
import type { Sha256 } from '../log/tree.ts'
import { csvHeader, csvLine } from './csv.ts'
import { names } from './layout.ts'
import type { Manifest } from './layout.ts'
import { recordsByUnit, unitFileNames } from './openhtf.ts'
import { reportHtml } from './report.ts'
import type { ReportFacts, ReportProof } from './report.ts'
import type { Story } from './story.ts'

export type ViewFacts = Readonly<{ note: string; checkpoint: Pick<Checkpoint, 'size' | 'root'>; key: NoteKey; redacted: number }>

/** The report's bytes. */
export function reportBytes(about: ReportFacts['about'] & ReportProof['about'], facts: ViewFacts, story: Story): Uint8Array {
  return utf8(reportHtml({ about, proofs: [reportProof(about, facts)] }, story))
}

/** What the report says of one log. */
export function reportProof(about: ReportProof['about'], { note, checkpoint, key, redacted }: ViewFacts): ReportProof {
  return { about, checkpoint: { ...checkpoint, note }, logKey: noteKeyText(key), witnesses: cosignatureNames(note, key), redacted }
}

/** Test records as files: name and bytes, one for each unit. */
export function* testRecords(story: Story): Generator<[name: string, bytes: Uint8Array]> {
  const byUnit = recordsByUnit(story)
  const fileNames = unitFileNames(byUnit.keys())
  for (const [unit, records] of byUnit) yield [fileNames.get(unit) ?? '', utf8(`${JSON.stringify(records, null, 1)}\n`)]
}

export const differingViews = {
  /** SHA-256 (hex) of the table, line by line: a million lines are never one text. */
  csv(): { add(entry: Entry, leaf: Uint8Array): void; end(): string } {
    const hash = nobleHash.create()
    hash.update(utf8(csvHeader))
    return { add: (entry, leaf) => void hash.update(utf8(csvLine(entry, toHex(leaf)))), end: () => toHex(hash.digest()) }
  },

  /** Names of the files that say something else than the entries. */
  all(files: ReadonlyMap<string, Uint8Array>, manifest: Manifest, facts: ViewFacts, story: Story, csvSha256: string, sha256: Sha256): string[] {
    const wrong: string[] = []
    const compare = (name: string, expected: string) => {
      const there = files.get(name)
      if (there === undefined || toHex(sha256(there)) !== expected) wrong.push(name)
    }
    compare(names.csv, csvSha256)
    compare(names.report, toHex(sha256(reportBytes(manifest, facts, story))))
    const expected = new Set<string>()
    for (const [name, bytes] of testRecords(story)) {
      expected.add(name)
      compare(name, toHex(sha256(bytes)))
    }
    for (const name of files.keys()) if (name.startsWith('openhtf/') && !expected.has(name)) wrong.push(name)
    return wrong
  },
}
