// The Merkle tree over the log's entries: RFC 6962 section 2.1 (RFC 9162 changes no hash). Appending needs only the tree's
// right edge, the roots of its complete subtrees, so it costs O(log n) and no reading. Sizes are numbers up to 2^48:
// bit operators would cut them at 32 bits, so halves are taken by division.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { assert } from '../base/failure.ts'

/** SHA-256 as handed in: @noble runs in any browser, the station's own is several times faster. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array

export const hashBytes = 32
export const treeSizeMax = 2 ** 48

/** The complete subtrees of a tree of `size` leaves, largest (leftmost) first: one for each 1 bit of `size`. */
export type TreeEdge = Readonly<{ size: number; hashes: readonly Uint8Array[] }>

export type TreeHead = Readonly<{ size: number; root: Uint8Array }>

export const emptyEdge: TreeEdge = { size: 0, hashes: [] }

// What is hashed is put together here again and again: over a million entries, fresh arrays are a part of the time.
const leafRoomBytes = 4_096
const leafRoom = new Uint8Array(1 + leafRoomBytes)
const nodeRoom = Uint8Array.of(1, ...new Uint8Array(2 * hashBytes))

/** SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array, sha256: Sha256 = nobleSha256): Uint8Array {
  const prefixed = entry.length <= leafRoomBytes ? leafRoom.subarray(0, 1 + entry.length) : new Uint8Array(1 + entry.length)
  prefixed.set(entry, 1)
  return sha256(prefixed)
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array, sha256: Sha256 = nobleSha256): Uint8Array {
  // A hash read from a damaged file may be short; what stood here before must not fill it up.
  if (left.length !== hashBytes || right.length !== hashBytes) nodeRoom.fill(0, 1)
  nodeRoom.set(left, 1)
  nodeRoom.set(right, 1 + hashBytes)
  return sha256(nodeRoom)
}

/** Called for each subtree that the new leaf completes; it spans leaves `index`·2^`level` to (`index`+1)·2^`level` − 1. */
export type OnSubtree = (level: number, index: number, hash: Uint8Array) => void

/** The edge after one more leaf. `onSubtree` also hears of the leaf itself, as level 0. */
export function appendLeaf(edge: TreeEdge, leaf: Uint8Array, sha256: Sha256 = nobleSha256, onSubtree?: OnSubtree): TreeEdge {
  assert(leaf.length === hashBytes, 'a leaf hash is 32 bytes')
  assert(edge.size < treeSizeMax, 'the tree has room')
  const hashes = [...edge.hashes]
  pushLeaf(hashes, edge.size, leaf, sha256, onSubtree)
  return { size: edge.size + 1, hashes }
}

/** `appendLeaf` on an edge's own array, for who walks a million leaves: `hashes` is the edge of `size` leaves, and then of one more. */
export function pushLeaf(hashes: Uint8Array[], size: number, leaf: Uint8Array, sha256: Sha256 = nobleSha256, onSubtree?: OnSubtree): void {
  let hash = leaf
  let level = 0
  let index = size
  onSubtree?.(level, index, hash)
  while (index % 2 === 1) {
    const left = hashes.pop()
    assert(left !== undefined, 'an edge has one hash for each 1 bit of its size')
    hash = nodeHash(left, hash, sha256)
    index = (index - 1) / 2
    level += 1
    onSubtree?.(level, index, hash)
  }
  hashes.push(hash)
}

/** The root of the tree with this edge; SHA-256 of nothing for the empty tree. */
export function rootOf(edge: TreeEdge, sha256: Sha256 = nobleSha256): Uint8Array {
  let root: Uint8Array | undefined
  for (let i = edge.hashes.length - 1; i >= 0; i--) {
    const left = edge.hashes[i]
    assert(left !== undefined, 'an edge has no holes')
    root = root === undefined ? left : nodeHash(left, root, sha256)
  }
  return root ?? sha256(new Uint8Array(0))
}

/** How many hashes the edge of a tree of this size has. */
export function edgeLength(size: number): number {
  let ones = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}
