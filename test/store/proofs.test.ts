// Proofs out of the database: from kept subtree hashes, for any entry and any two sizes, and refused when hashes are gone.
import { afterEach, expect, test } from 'vitest'
import { consistencyProof, inclusionProof, subtreesOf, verifyConsistency, verifyInclusion } from '../../main/log/proof.ts'
import { appendLeaf, emptyEdge, rootOf } from '../../main/log/tree.ts'
import { newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

afterEach(release)

function filled(count: number) {
  const store = storeIn(newHome())
  value(store.appendAll(Array.from({ length: count }, (_, i) => outcomeDraft(`unit-${i}`))))
  const leaves = store.database.sql.prepare('SELECT leaf FROM entries ORDER BY seq').pluck().all() as Uint8Array[]
  const heads = [emptyEdge]
  for (const leaf of leaves) heads.push(appendLeaf(heads.at(-1) ?? emptyEdge, leaf))
  const head = (size: number) => ({ size, root: rootOf(heads[size] ?? emptyEdge) })
  return { store, leaves, head }
}

test('are those that the leaves alone give, at and around every kept subtree', () => {
  const { store, leaves, head } = filled(1_300)
  const read = subtreesOf(leaves)
  for (const size of [1, 2, 255, 256, 257, 511, 512, 513, 1_024, 1_299, 1_300]) {
    for (const seq of [0, 1, 127, 255, 256, 300, 512, 1_023, 1_298].filter((one) => one < size)) {
      const proof = value(store.proveInclusion(seq, size))
      expect(proof.map((hash) => Buffer.from(hash).toString('hex'))).toEqual(inclusionProof(seq, size, read).map((hash) => Buffer.from(hash).toString('hex')))
      expect(verifyInclusion(leaves[seq] ?? new Uint8Array(0), seq, head(size), proof)).toBe(true)
    }
    for (const older of [0, 1, 2, 200, 256, 700, 1_024, 1_300].filter((one) => one <= size)) {
      const proof = value(store.proveConsistency(older, size))
      expect(proof.length).toBe(consistencyProof(older, size, read).length)
      expect(verifyConsistency(head(older), head(size), proof)).toBe(true)
    }
  }
})

test('cross the second kept level', () => {
  // 65,536 leaves complete a subtree of level 16.
  const store = storeIn(newHome())
  for (let i = 0; i < 7; i++) value(store.appendAll(Array.from({ length: 9_500 }, (_, k) => ({ kind: 'sign-out', data: {}, person: `p${i}-${k}` }) as const)))
  const head = value(store.head())
  expect(head.size).toBe(66_500)
  for (const seq of [0, 65_535, 65_536, 66_499]) {
    const leaf = store.database.sql.prepare('SELECT leaf FROM entries WHERE seq = ?').pluck().get(seq) as Uint8Array
    expect(verifyInclusion(leaf, seq, head, value(store.proveInclusion(seq, head.size)))).toBe(true)
  }
})

test('of what is not there are refused', () => {
  const { store } = filled(10)
  expect(store.proveInclusion(10, 10)).toMatchObject({ kind: 'no-such-entry' })
  expect(store.proveInclusion(3, 11)).toMatchObject({ kind: 'no-such-entry' })
  expect(store.proveInclusion(-1, 10)).toMatchObject({ kind: 'no-such-entry' })
  expect(store.proveConsistency(5, 11)).toMatchObject({ kind: 'no-such-entry' })
  expect(store.proveConsistency(8, 5)).toMatchObject({ kind: 'no-such-entry' })
})

test('whose hashes were removed are refused, not made up', () => {
  const { store } = filled(600)
  store.database.sql.exec('DELETE FROM nodes')
  expect(store.proveInclusion(590, 600)).toMatchObject({ kind: 'log-inconsistent' })
})
