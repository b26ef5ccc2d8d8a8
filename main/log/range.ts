// Proof that a whole run of entries, from `from` up to but not including `to`, stands in a signed tree: the hashes of the
// complete subtrees left of it and right of it. Whoever has the entries themselves recomputes the root from these and
// needs nothing else: the root is RFC 6962's (section 2.1), so no entry of the range can be missing, moved or changed. A
// single entry is the case `to` = `from` + 1, with the hashes of an inclusion proof in another order.
import { assert } from '../base/failure.ts'
import type { ReadSubtree } from './proof.ts'
import { edgeLength, hashBytes, nodeHash, rootOf, treeSizeMax } from './tree.ts'
import type { Sha256, TreeEdge } from './tree.ts'

/** `left` are the complete subtrees over entries 0 to `from` − 1, largest first; `right` those from `to` to `size` − 1, in order. */
export type RangeProof = Readonly<{ from: number; to: number; size: number; left: readonly Uint8Array[]; right: readonly Uint8Array[] }>

/** Neither side of a range has more hashes. */
export const rangeSideMax = 50

/** Makes the proof of a range; 0 ≤ from < to ≤ size. */
export function rangeProof(from: number, to: number, size: number, read: ReadSubtree): RangeProof {
  assert(from >= 0 && from < to && to <= size && size <= treeSizeMax, 'the range lies in the tree')
  return { from, to, size, left: subtreesBetween(0, from).map((at) => read(...at)), right: subtreesBetween(to, size).map((at) => read(...at)) }
}

/** The edge on which the range's first leaf is to be appended; null when the proof cannot be one. */
export function edgeBefore(proof: RangeProof): TreeEdge | null {
  const { from, to, size, left, right } = proof
  const numbers = [from, to, size].every((number) => Number.isSafeInteger(number) && number >= 0 && number <= treeSizeMax)
  if (!numbers || from >= to || to > size || left.length !== edgeLength(from)) return null
  if (right.length > rangeSideMax || right.length !== subtreesBetween(to, size).length) return null
  return [...left, ...right].every((hash) => hash.length === hashBytes) ? { size: from, hashes: left } : null
}

/** The root of the whole tree, from the edge after the range's last leaf and the subtrees right of it. */
export function rootAfter(edge: TreeEdge, proof: RangeProof, sha256?: Sha256): Uint8Array {
  assert(edge.size === proof.to, 'the range was appended whole')
  let grown = edge
  for (const [i, [level]] of subtreesBetween(proof.to, proof.size).entries()) {
    const hash = proof.right[i]
    assert(hash !== undefined, 'edgeBefore counted the hashes')
    grown = appendSubtree(grown, level, hash, sha256)
  }
  return rootOf(grown, sha256)
}

/** `appendLeaf` for a complete subtree of 2^`level` leaves, at a size that is a multiple of it. */
function appendSubtree(edge: TreeEdge, level: number, hash: Uint8Array, sha256?: Sha256): TreeEdge {
  const hashes = [...edge.hashes]
  let index = edge.size / 2 ** level
  let top = hash
  while (index % 2 === 1) {
    const left = hashes.pop()
    assert(left !== undefined, 'an edge has one hash for each 1 bit of its size')
    top = nodeHash(left, top, sha256)
    index = (index - 1) / 2
  }
  return { size: edge.size + 2 ** level, hashes: [...hashes, top] }
}

/** The fewest complete subtrees, as level and index, that cover leaves `low` to `high` − 1. */
function subtreesBetween(low: number, high: number): [level: number, index: number][] {
  const found: [number, number][] = []
  let at = low
  while (at < high) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= high) level += 1
    found.push([level, at / 2 ** level])
    at += 2 ** level
  }
  return found
}
