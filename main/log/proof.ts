// Inclusion and consistency proofs: made as RFC 6962 sections 2.1.1 and 2.1.2 define them, verified as RFC 9162 sections
// 2.1.3.2 and 2.1.4.2 say. The maker reads hashes of complete subtrees from wherever they are kept, so it works from a
// database, from tiles or from a plain list. The verifiers take hostile input and never throw.
import { sameBytes } from '../base/bytes.ts'
import { assert } from '../base/failure.ts'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { hashBytes, nodeHash, treeSizeMax } from './tree.ts'
import type { Sha256, TreeHead } from './tree.ts'

/** Hash of the complete subtree over leaves `index`·2^`level` to (`index`+1)·2^`level` − 1. */
export type ReadSubtree = (level: number, index: number) => Uint8Array

/** A proof in a tree of 2^48 leaves has at most this many hashes (consistency needs one more than inclusion). */
export const proofLengthMax = 50

/** Reads from a plain list of leaf hashes; makes every hash anew, so for tests and small bundles. */
export function subtreesOf(leaves: readonly Uint8Array[], sha256: Sha256 = nobleSha256): ReadSubtree {
  const read: ReadSubtree = (level, index) => {
    if (level > 0) return nodeHash(read(level - 1, 2 * index), read(level - 1, 2 * index + 1), sha256)
    const leaf = leaves[index]
    assert(leaf !== undefined, 'only leaves of the tree are asked for')
    return leaf
  }
  return read
}

/** Hashes from the leaf's sibling up to the root's child that prove leaf `index` in the tree of the first `size` leaves. */
export function inclusionProof(index: number, size: number, read: ReadSubtree, sha256: Sha256 = nobleSha256): Uint8Array[] {
  assert(Number.isSafeInteger(index) && index >= 0 && index < size && size <= treeSizeMax, 'the leaf lies in the tree')
  const path: Uint8Array[] = []
  let low = 0
  let high = size
  while (high - low > 1) {
    const middle = low + splitOf(high - low)
    if (index < middle) {
      path.push(rangeHash(middle, high, read, sha256))
      high = middle
    } else {
      path.push(rangeHash(low, middle, read, sha256))
      low = middle
    }
  }
  return path.reverse()
}

/** Hashes that prove the tree of `older` leaves to be the beginning of the tree of `newer`; empty when nothing is to prove. */
export function consistencyProof(older: number, newer: number, read: ReadSubtree, sha256: Sha256 = nobleSha256): Uint8Array[] {
  assert(older >= 0 && older <= newer && newer <= treeSizeMax, 'a log only grows')
  if (older === 0 || older === newer) return []
  const path: Uint8Array[] = []
  let low = 0
  let high = newer
  while (older !== high) {
    const middle = low + splitOf(high - low)
    if (older <= middle) {
      path.push(rangeHash(middle, high, read, sha256))
      high = middle
    } else {
      path.push(rangeHash(low, middle, read, sha256))
      low = middle
    }
  }
  // The subtree both trees share needs no proof when it is the whole older tree, whose root the verifier has.
  if (low > 0) path.push(rangeHash(low, high, read, sha256))
  return path.reverse()
}

/** True when `leaf` is leaf number `index` of the tree with this head. */
export function verifyInclusion(leaf: Uint8Array, index: number, head: TreeHead, path: readonly Uint8Array[], sha256: Sha256 = nobleSha256): boolean {
  if (!Number.isSafeInteger(index) || index < 0 || index >= head.size || head.size > treeSizeMax || !wellFormed(path)) return false
  if (leaf.length !== hashBytes) return false
  let at = index
  let last = head.size - 1
  let root = leaf
  for (const sibling of path) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root, sha256)
      while (at % 2 === 0 && at !== 0) {
        at = half(at)
        last = half(last)
      }
    } else {
      root = nodeHash(root, sibling, sha256)
    }
    at = half(at)
    last = half(last)
  }
  return last === 0 && sameBytes(root, head.root)
}

/** True when the tree with head `older` is the beginning of the tree with head `newer`. */
export function verifyConsistency(older: TreeHead, newer: TreeHead, path: readonly Uint8Array[], sha256: Sha256 = nobleSha256): boolean {
  if (!isSize(older.size) || !isSize(newer.size) || older.size > newer.size || !wellFormed(path)) return false
  if (older.size === newer.size) return path.length === 0 && sameBytes(older.root, newer.root)
  if (older.size === 0) return path.length === 0 && sameBytes(older.root, sha256(new Uint8Array(0)))
  let at = older.size - 1
  let last = newer.size - 1
  while (at % 2 === 1) {
    at = half(at)
    last = half(last)
  }
  // The older tree is one complete subtree exactly when nothing of `at` is left: then its root starts the proof.
  const hashes = at === 0 ? [older.root, ...path] : path
  const first = hashes[0]
  if (first === undefined) return false
  let olderRoot = first
  let newerRoot = first
  for (const hash of hashes.slice(1)) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      olderRoot = nodeHash(hash, olderRoot, sha256)
      newerRoot = nodeHash(hash, newerRoot, sha256)
      while (at % 2 === 0 && at !== 0) {
        at = half(at)
        last = half(last)
      }
    } else {
      newerRoot = nodeHash(newerRoot, hash, sha256)
    }
    at = half(at)
    last = half(last)
  }
  return last === 0 && sameBytes(olderRoot, older.root) && sameBytes(newerRoot, newer.root)
}

/** Root of leaves `low` to `high` − 1, where `low` is a multiple of the power of two that spans them (as RFC 6962 cuts). */
function rangeHash(low: number, high: number, read: ReadSubtree, sha256: Sha256): Uint8Array {
  const parts: Uint8Array[] = []
  while (low < high) {
    const level = levelOf(high - low)
    parts.push(read(level, low / 2 ** level))
    low += 2 ** level
  }
  return parts.reduceRight((right, left) => nodeHash(left, right, sha256))
}

/** The largest power of two smaller than `count` (RFC 6962's k). */
function splitOf(count: number): number {
  return 2 ** levelOf(count - 1)
}

/** Floor of the binary logarithm, without Math.log2, whose rounding is nobody's promise. */
function levelOf(count: number): number {
  return count < 2 ** 31 ? 31 - Math.clz32(count) : 31 + levelOf(Math.floor(count / 2 ** 31))
}

function half(number: number): number {
  return Math.floor(number / 2)
}

function isSize(size: number): boolean {
  return Number.isSafeInteger(size) && size >= 0 && size <= treeSizeMax
}

function wellFormed(path: readonly Uint8Array[]): boolean {
  return path.length <= proofLengthMax && path.every((hash) => hash.length === hashBytes)
}
