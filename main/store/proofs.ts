// Proofs from the database: leaf hashes stand beside the entries and hashes of the complete subtrees of every fourth level
// in `nodes`, so any other subtree's hash is at most 15 hashes away and a proof from a million entries reads some dozens.
import { assert, Failure } from '../base/failure.ts'
import { consistencyProof, inclusionProof } from '../log/proof.ts'
import type { ReadSubtree } from '../log/proof.ts'
import { rangeProof } from '../log/range.ts'
import type { RangeProof } from '../log/range.ts'
import { sha256 } from './rows.ts'
import { levelsKeptIn, pairs } from './schema.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase, Sql } from './database.ts'

/** Hashes of complete subtrees as stored. Throws SQLite's errors, and asserts that the hashes are there. */
function subtreesIn(sql: Sql): ReadSubtree {
  const leaves = sql.prepare('SELECT leaf FROM entries WHERE seq >= ? AND seq < ? ORDER BY seq').pluck()
  const nodes = sql.prepare('SELECT hash FROM nodes WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx').pluck()
  const levels = [0, ...levelsKeptIn(sql)]
  return (level, index) => {
    const kept = levels.findLast((at) => at <= level) ?? 0
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

/** Proof that entry `seq` is in the tree of the first `size` entries. Fails with `no-such-entry`, `log-inconsistent` or the disk's. */
export function proveInclusion(database: OpenDatabase, seq: number, size: number): Uint8Array[] | Failure {
  return prove(database, seq >= 0 && seq < size ? size : Infinity, () => inclusionProof(seq, size, subtreesIn(database.sql), sha256))
}

/** Proof that the log of `older` entries is the beginning of the log of `newer`. Failures as for `proveInclusion`. */
export function proveConsistency(database: OpenDatabase, older: number, newer: number): Uint8Array[] | Failure {
  return prove(database, older >= 0 && older <= newer ? newer : Infinity, () => consistencyProof(older, newer, subtreesIn(database.sql), sha256))
}

/** Proof that entries `from` to `to` − 1 stand in the tree of the first `size` entries. Failures as for `proveInclusion`. */
export function proveRange(database: OpenDatabase, from: number, to: number, size: number): RangeProof | Failure {
  return prove(database, from >= 0 && from < to && to <= size ? size : Infinity, () => rangeProof(from, to, size, subtreesIn(database.sql)))
}

function prove<T>(database: OpenDatabase, size: number, make: () => T): T | Failure {
  try {
    return database.sql.transaction((): T | Failure => {
      const stored = Number(database.sql.prepare('SELECT count(*) FROM head WHERE size >= ?').pluck().get(size))
      if (stored === 0 && size !== 0) return new Failure('no-such-entry', 'The log has no such entry, or is not that long.')
      return make()
    })()
  } catch (error) {
    if (error instanceof MissingHash) return new Failure('log-inconsistent', 'The log lacks hashes that the proof needs. Have it checked with "log verify".')
    return diskFailure(error, database.path)
  }
}
