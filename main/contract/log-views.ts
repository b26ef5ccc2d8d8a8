// What the log's views see beside its entries: found sets, proofs, figures for charts, recalls and what was put on paper.
import type { OutcomeName } from './views.ts'

/** A found set the station keeps for a while under `find`; place 0 is its newest entry. */
export type FoundView = Readonly<{
  find: string
  total: number
  /** The log's size when it was last looked through. */
  size: number
}>

/** What proves one entry: its own bytes, the hashes that lead to a signed root, and the checkpoint that signs it. */
export type EntryProofView = Readonly<{
  seq: number
  /** The bytes that were hashed, which are JSON. */
  raw: string
  leaf: string
  /** Null while no checkpoint covers the entry. */
  covered: Readonly<{ size: number; root: string; hashes: readonly string[]; note: string; holds: boolean }> | null
}>

export type LogKeyView = Readonly<{ fingerprint: string; name: string | null }>

export type LogBatchView = Readonly<{ batch: string; name: string | null; at: string; version: string | null; imageHash: string | null }>

export type CountsView = Readonly<Partial<Record<OutcomeName | 'unknown', number>>>

/** Counts over outcomes; at most 400 time steps, 1,024 bays, 50 kinds and 24 classes of time. */
export type FiguresView = Readonly<{
  counts: CountsView
  times: readonly Readonly<{ of: string; counts: CountsView }>[]
  step: 'hour' | 'day'
  bays: readonly Readonly<{ of: number | null; counts: CountsView }>[]
  failures: readonly Readonly<{ kind: string; count: number; bays: readonly Readonly<{ bay: number | null; count: number }>[] }>[]
  cycles: readonly Readonly<{ fromSeconds: number; toSeconds: number; count: number }>[]
  medianSeconds: number | null
  p95Seconds: number | null
  units: number
  firstPass: number
  first: string | null
  last: string | null
}>

export type RecalledUnitView = Readonly<{
  unit: string
  firstSeq: number
  firstAt: string
  /** The unit itself said that it ran it. */
  ran: boolean
  stillRuns: 'yes' | 'no' | 'unknown'
  now: Readonly<{ hash: string | null; version: string | null; at: string | null; seq: number | null }>
}>

/** Units by first write; `units` holds the first 2,000 of them, `counts` all. */
export type RecallView = Readonly<{
  images: readonly string[]
  total: number
  counts: Readonly<Record<'yes' | 'no' | 'unknown', number>>
  units: readonly RecalledUnitView[]
}>

/** What a recall can begin with; `file` is the name it last came under, `at` when it was last written or made. */
export type RecallChoiceView = Readonly<{ what: 'image' | 'key' | 'package'; hash: string; file: string | null; version: string | null; at: string | null }>

/** A file that was written; `entry` is the log's note of it, null where the log is only read. */
export type SavedView = Readonly<{ savedAs: string; bytes: number; sha256: string; entry: number | null }>

/** Labels in a roll printer: size in millimetres, the printer's dots per inch. */
export type LabelSettingsView = Readonly<{ widthMm: number; heightMm: number; dpi: 203 | 300 | 600 }>

/** A unit's label as it would be printed, for looking at, as SVG; and what stands on it. */
export type LabelView = Readonly<{ svg: string; code: string; lines: readonly string[] }>
