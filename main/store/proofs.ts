// Proofs from the database: leaf hashes stand beside the entries and hashes of complete subtrees of 2^8, 2^16 and 2^24
// leaves in `nodes`, so any other subtree's hash is at most 255 hashes away and a proof costs a few hundred of them.
import { assert, Failure } from '../base/failure.ts'
import { consistencyProof, inclusionProof } from '../log/proof.ts'
import type { ReadSubtree } from '../log/proof.ts'
import { nodeHash } from '../log/tree.ts'
import { sha256 } from './rows.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase, Sql } from './database.ts'

/** Hashes of complete subtrees as stored. Throws SQLite's errors, and asserts that the hashes are there. */
function subtreesIn(sql: Sql): ReadSubtree {
  const leaves = sql.prepare('SELECT leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq').pluck()
  const nodes = sql.prepare('SELECT hash FROM nodes WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx').pluck()
  return (level, index) => {
    const kept = Math.min(24, level - (level % 8))
    const count = 2 ** (level - kept)
    const from = index * count
    let hashes = (kept === 0 ? leaves.all(from, from + count) : nodes.all(kept, from, from + count)) as Uint8Array[]
    if (hashes.length !== count) throw new MissingHash()
    while (hashes.length > 1) hashes = pairs(hashes)
    const root = hashes[0]
    assert(root !== undefined, 'a subtree has at least one leaf')
    return root
  }
}

class MissingHash extends Error {}

function pairs(hashes: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = []
  for (let i = 0; i + 1 < hashes.length; i += 2) {
    const [left, right] = [hashes[i], hashes[i + 1]]
    assert(left !== undefined && right !== undefined, 'hashes come in pairs')
    above.push(nodeHash(left, right, sha256))
  }
  return above
}

/** Proof that entry `seq` is in the tree of the first `size` entries. Fails with `no-such-entry`, `log-inconsistent` or the disk's. */
export function proveInclusion(database: OpenDatabase, seq: number, size: number): Uint8Array[] | Failure {
  return prove(database, seq >= 0 && seq < size ? size : Infinity, () => inclusionProof(seq, size, subtreesIn(database.sql), sha256))
}

/** Proof that the log of `older` entries is the beginning of the log of `newer`. Failures as for `proveInclusion`. */
export function proveConsistency(database: OpenDatabase, older: number, newer: number): Uint8Array[] | Failure {
  return prove(database, older >= 0 && older <= newer ? newer : Infinity, () => consistencyProof(older, newer, subtreesIn(database.sql), sha256))
}

function prove(database: OpenDatabase, size: number, make: () => Uint8Array[]): Uint8Array[] | Failure {
  try {
    return database.sql.transaction(() => {
      const stored = Number(database.sql.prepare('SELECT count(*) FROM head WHERE size >= ?').pluck().get(size))
      if (stored === 0 && size !== 0) return new Failure('no-such-entry', 'The log has no such entry, or is not that long.')
      return make()
    })()
  } catch (error) {
    if (error instanceof MissingHash) return new Failure('log-inconsistent', 'The log lacks hashes that the proof needs. Have it checked with "log verify".')
    return diskFailure(error, database.path)
  }
}
