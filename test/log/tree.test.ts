// The Merkle tree and its proofs: the published answers, the definition itself as a second implementation, and damage.
import { readFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concat, fromHex, toHex } from '../../main/base/bytes.ts'
import { consistencyProof, inclusionProof, subtreesOf, verifyConsistency, verifyInclusion } from '../../main/log/proof.ts'
import { appendLeaf, edgeLength, emptyEdge, leafHash, rootOf } from '../../main/log/tree.ts'

type KnownAnswers = {
  leaves: string[]
  roots: string[]
  inclusion: { index: number; size: number; proof: string[] }[]
  consistency: { older: number; newer: number; proof: string[] }[]
}
const known = JSON.parse(readFileSync(new URL('../vectors/rfc6962/known-answers.json', import.meta.url), 'utf8')) as KnownAnswers
const bytes = (hex: string) => fromHex(hex) ?? new Uint8Array(0)
const knownLeaves = known.leaves.map((leaf) => leafHash(bytes(leaf)))
const knownRoot = (size: number) => bytes(known.roots[size] ?? '')

const sha256 = (...parts: Uint8Array[]) => new Uint8Array(createHash('sha256').update(concat(...parts)).digest())

/** RFC 6962 section 2.1 as it is written: splits at the largest power of two below n. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return leaves[0] ?? sha256()
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return sha256(Uint8Array.of(1), naiveRoot(leaves.slice(0, split)), naiveRoot(leaves.slice(split)))
}

const leavesOf = (count: number) => Array.from({ length: count }, (_, i) => leafHash(Uint8Array.of(i & 255, i >> 8)))

describe('published answers', () => {
  test('roots of 0 to 8 leaves', () => {
    let edge = emptyEdge
    expect(toHex(rootOf(edge))).toBe(known.roots[0])
    for (const [i, leaf] of knownLeaves.entries()) {
      edge = appendLeaf(edge, leaf)
      expect(toHex(rootOf(edge))).toBe(known.roots[i + 1])
    }
  })

  test.each(known.inclusion)('inclusion of $index in $size', ({ index, size, proof }) => {
    expect(inclusionProof(index, size, subtreesOf(knownLeaves)).map(toHex)).toEqual(proof)
    expect(verifyInclusion(knownLeaves[index] ?? sha256(), index, { size, root: knownRoot(size) }, proof.map(bytes))).toBe(true)
  })

  test.each(known.consistency)('consistency of $older with $newer', ({ older, newer, proof }) => {
    expect(consistencyProof(older, newer, subtreesOf(knownLeaves)).map(toHex)).toEqual(proof)
    expect(verifyConsistency({ size: older, root: knownRoot(older) }, { size: newer, root: knownRoot(newer) }, proof.map(bytes))).toBe(true)
  })
})

test('growing leaf by leaf gives the root of the definition, for every size up to 130', () => {
  const leaves = leavesOf(130)
  let edge = emptyEdge
  for (const [i, leaf] of leaves.entries()) {
    edge = appendLeaf(edge, leaf)
    expect(edge.hashes.length).toBe(edgeLength(i + 1))
    expect(toHex(rootOf(edge))).toBe(toHex(naiveRoot(leaves.slice(0, i + 1))))
  }
})

test('each complete subtree is told once, with the hash of its leaves', () => {
  const leaves = leavesOf(40)
  const told = new Map<string, string>()
  leaves.reduce((edge, leaf) => appendLeaf(edge, leaf, undefined, (level, index, hash) => told.set(`${level}/${index}`, toHex(hash))), emptyEdge)
  expect(told.size).toBe(40 + 20 + 10 + 5 + 2 + 1)
  for (const [name, hash] of told) {
    const [level = 0, index = 0] = name.split('/').map(Number)
    expect(hash).toBe(toHex(naiveRoot(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level))))
  }
})

describe('every proof of small trees', () => {
  test('inclusion holds for every leaf of every size up to 40', () => {
    const leaves = leavesOf(40)
    for (let size = 1; size <= leaves.length; size++) {
      const head = { size, root: naiveRoot(leaves.slice(0, size)) }
      for (let index = 0; index < size; index++) {
        const proof = inclusionProof(index, size, subtreesOf(leaves))
        const leaf = leaves[index] ?? sha256()
        expect(verifyInclusion(leaf, index, head, proof)).toBe(true)
        expect(verifyInclusion(leaf, index, head, [...proof, leaf])).toBe(false)
        expect(verifyInclusion(leaf, index, head, proof.slice(0, -1)) && proof.length > 0).toBe(false)
        if (size > 1) expect(verifyInclusion(leaf, (index + 1) % size, head, proof)).toBe(false)
      }
    }
  })

  test('consistency holds for every pair of sizes up to 40', () => {
    const leaves = leavesOf(40)
    const head = (size: number) => ({ size, root: naiveRoot(leaves.slice(0, size)) })
    for (let newer = 0; newer <= leaves.length; newer++) {
      for (let older = 0; older <= newer; older++) {
        const proof = consistencyProof(older, newer, subtreesOf(leaves))
        expect(verifyConsistency(head(older), head(newer), proof)).toBe(true)
        expect(verifyConsistency(head(older), head(newer), [...proof, sha256()])).toBe(false)
        if (older > 0 && older < newer) {
          expect(verifyConsistency({ size: older, root: sha256() }, head(newer), proof)).toBe(false)
          expect(verifyConsistency(head(older), { size: newer, root: sha256() }, proof)).toBe(false)
          expect(verifyConsistency(head(older), { ...head(newer), size: newer + 64 }, proof)).toBe(false)
        }
      }
    }
  })
})

/** A copy of the hashes with one bit turned. */
function flipped(hashes: readonly Uint8Array[], bit: number): Uint8Array[] {
  const copies = hashes.map((hash) => hash.slice())
  const hash = copies[Math.floor(bit / 256) % copies.length]
  if (hash !== undefined) hash[(bit >> 3) & 31] = (hash[(bit >> 3) & 31] ?? 0) ^ (1 << (bit & 7))
  return copies
}

describe('damage', () => {
  const leaves = leavesOf(600)

  test('an inclusion proof with one bit turned anywhere fails', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 600 }), fc.nat(), fc.nat(), (size, at, bit) => {
        const index = at % size
        const head = { size, root: naiveRoot(leaves.slice(0, size)) }
        const leaf = leaves[index] ?? sha256()
        const proof = inclusionProof(index, size, subtreesOf(leaves))
        expect(verifyInclusion(leaf, index, head, proof)).toBe(true)
        expect(verifyInclusion(leaf, index, head, flipped(proof, bit))).toBe(false)
        expect(verifyInclusion(flipped([leaf], bit)[0] ?? leaf, index, head, proof)).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  test('a consistency proof with one bit turned anywhere fails', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 600 }), fc.nat(), fc.nat(), (newer, at, bit) => {
        const older = 1 + (at % (newer - 1))
        const heads = [older, newer].map((size) => ({ size, root: naiveRoot(leaves.slice(0, size)) }))
        const [old = heads[0], now = heads[1]] = heads
        if (old === undefined || now === undefined) throw new Error('two heads')
        const proof = consistencyProof(older, newer, subtreesOf(leaves))
        expect(verifyConsistency(old, now, proof)).toBe(true)
        expect(verifyConsistency(old, now, flipped(proof, bit))).toBe(false)
      }),
      { numRuns: 60 },
    )
  })

  test('hostile sizes and hashes are refused, never thrown at', () => {
    const hash = sha256()
    for (const size of [-1, 0.5, Number.NaN, Infinity, 2 ** 60]) {
      expect(verifyInclusion(hash, 0, { size, root: hash }, [])).toBe(false)
      expect(verifyInclusion(hash, size, { size: 4, root: hash }, [hash, hash])).toBe(false)
      expect(verifyConsistency({ size, root: hash }, { size: 4, root: hash }, [hash])).toBe(false)
      expect(verifyConsistency({ size: 1, root: hash }, { size, root: hash }, [hash])).toBe(false)
    }
    expect(verifyInclusion(hash, 0, { size: 2, root: hash }, [new Uint8Array(31)])).toBe(false)
    expect(verifyInclusion(new Uint8Array(31), 0, { size: 1, root: new Uint8Array(31) }, [])).toBe(false)
    expect(verifyInclusion(hash, 0, { size: 2 ** 40, root: hash }, Array.from({ length: 10_000 }, () => hash))).toBe(false)
  })
})
