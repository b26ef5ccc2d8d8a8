// Tampering at the asked size, on the rules themselves: 5,000 single bytes flipped over a log of 10,000 entries, each found
// and its entry named; 5,000 honest logs, none accused. The same through the database file is in test/store (samples in
// the suite, whole by `npm run soak:log`).
import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { deriveRows, subjectsOf } from '../../main/log/derived.ts'
import { makeEntry } from '../../main/log/entry.ts'
import type { EntryDraft } from '../../main/log/entry.ts'
import { appendLeaf, emptyEdge, leafHash, rootOf } from '../../main/log/tree.ts'
import type { TreeEdge } from '../../main/log/tree.ts'
import { checkLog } from '../../main/log/verify.ts'
import type { KnownHead, StoredRow } from '../../main/log/verify.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const imageHash = 'ab'.repeat(32)

function draftFor(i: number, says = `Run ${i} ended.`): EntryDraft {
  const of = { run: `r${i >> 2}`, unit: `u${i % 97}`, batch: `b${i >> 9}`, bay: i % 16 }
  if (i % 4 === 0) return { kind: 'slot-write-intended', data: { ...of, image: 0, slot: 1, imageHash, bytes: 1000 + i } }
  if (i % 4 === 1) return { kind: 'booted', data: { ...of, activeHash: imageHash, version: '1.2.3' } }
  if (i % 4 === 2) return { kind: 'proof-passed', data: { ...of, proof: 'echo' } }
  return { kind: 'outcome', data: { ...of, outcome: 'confirmed', says, activeHash: imageHash } }
}

/** A log as a store would hold it: rows, the edge before each sixteenth entry, kept subtree hashes, the edge at the end. */
function logOf(count: number, says?: string) {
  const rows: StoredRow[] = []
  const edges: TreeEdge[] = []
  const nodes = new Map<string, Uint8Array>()
  let edge = emptyEdge
  for (let i = 0; i < count; i++) {
    if (i % 16 === 0) edges.push(edge)
    const made = makeEntry({ seq: i, time: '2026-03-01T08:00:00.000Z', mono: i, session: 's1', station: 'line 1', person: 'Ada', role: 'operator' }, draftFor(i, says))
    if (made instanceof Failure) throw new Error(made.says)
    const leaf = leafHash(made.bytes, sha256)
    rows.push({ seq: i, bytes: made.bytes, leaf, subjects: subjectsOf(made.entry), derived: Object.fromEntries(deriveRows(made.entry).map(({ table, row }) => [table.table, row])) })
    edge = appendLeaf(edge, leaf, sha256, (level, index, hash) => nodes.set(`${level} ${index}`, hash))
  }
  return { rows, edges, nodes, edge }
}

test('each of 5,000 bytes flipped over 10,000 entries is found, and its entry is the first that is named', { timeout: 60_000 }, () => {
  const { rows, edges, nodes } = logOf(10_000)
  let missed = 0
  fc.assert(fc.property(fc.nat(rows.length - 1), fc.nat(), fc.integer({ min: 0, max: 7 }), (seq, at, bit) => {
    const from = seq - (seq % 16)
    const checker = checkLog({ sha256, start: edges[from / 16], storedNode: (level, index) => (level === 4 ? (nodes.get(`4 ${index}`) ?? null) : undefined) })
    for (const row of rows.slice(from, from + 16)) {
      const bytes = Uint8Array.from(row.bytes)
      if (row.seq === seq) bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ (1 << bit)
      checker.row({ ...row, bytes })
    }
    const verdict = checker.endOfRange()
    if (verdict.holds || verdict.firstWrong !== seq) missed += 1
  }), { numRuns: 5_000 })
  expect(missed).toBe(0)
})

test('none of 5,000 honest logs of any length and text, with checkpoints anywhere, is accused', { timeout: 60_000 }, () => {
  let accused = 0
  fc.assert(fc.property(fc.integer({ min: 0, max: 24 }), fc.string({ unit: 'grapheme', maxLength: 30 }), fc.array(fc.nat(24), { maxLength: 3 }), (count, says, signedAt) => {
    const { rows, edge } = logOf(count, says)
    const known: KnownHead[] = signedAt.filter((size) => size <= count).map((size) => {
      const grown = rows.slice(0, size).reduce((before, row) => appendLeaf(before, row.leaf ?? new Uint8Array(0), sha256), emptyEdge)
      return { size, root: rootOf(grown, sha256), calledIn: 'a checkpoint' }
    })
    const checker = checkLog({ sha256, known })
    for (const row of rows) checker.row(row)
    const verdict = checker.end({ size: count, root: rootOf(edge, sha256), edge: edge.hashes })
    if (!verdict.holds || verdict.checkpointsHeld !== known.length) accused += 1
  }), { numRuns: 5_000 })
  expect(accused).toBe(0)
})
