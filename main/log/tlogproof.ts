// One entry's proof as a file of its own, in the text form of C2SP.org/tlog-proof: index, inclusion proof (RFC 6962 section
// 2.1.1) and the signed checkpoint. The entry itself is not in it: whoever holds the entry's bytes can have them checked
// against this file with any tool that knows the format. The `extra` line is not authenticated, so we write none and skip it.
import { Failure } from '../base/failure.ts'
import { fromBase64, openCheckpoint, toBase64 } from './checkpoint.ts'
import type { Checkpoint, NoteKey } from './checkpoint.ts'
import { proofLengthMax, verifyInclusion } from './proof.ts'
import { hashBytes, leafHash } from './tree.ts'

const firstLine = 'c2sp.org/tlog-proof@v1'

/** A proof as read, before anything is verified. `checkpoint` is the signed note, verbatim. */
export type TlogProof = Readonly<{ index: number; hashes: readonly Uint8Array[]; checkpoint: string }>

/** The proof as text; the file's name should end in `.tlog-proof`. */
export function tlogProofText({ index, hashes, checkpoint }: TlogProof): string {
  return `${firstLine}\nindex ${index}\n${hashes.map((hash) => `${toBase64(hash)}\n`).join('')}\n${checkpoint}`
}

/** Reads a proof's text; fails with `bad-proof`. */
export function parseTlogProof(text: string): TlogProof | Failure {
  const bad = (why: string) => new Failure('bad-proof', `This is no proof of an entry (tlog-proof): ${why}.`)
  const cut = text.indexOf('\n\n')
  if (cut < 0) return bad('no empty line stands before its checkpoint')
  const [first, ...rest] = text.slice(0, cut).split('\n')
  if (first !== firstLine) return bad(`its first line is not "${firstLine}"`)
  if (rest[0]?.startsWith('extra ') === true) rest.shift()
  const index = /^index (0|[1-9][0-9]{0,14})$/.exec(rest.shift() ?? '')?.[1]
  if (index === undefined) return bad('it says no index')
  if (rest.length > proofLengthMax) return bad('it has more hashes than any tree')
  const hashes: Uint8Array[] = []
  for (const line of rest) {
    const hash = fromBase64(line)
    if (hash === null || hash.length !== hashBytes) return bad('one of its lines is no hash')
    hashes.push(hash)
  }
  return { index: Number(index), hashes, checkpoint: text.slice(cut + 2) }
}

/**
 * The checkpoint that vouches for these entry bytes. Failures: those of `openCheckpoint`, and `proof-does-not-hold` when
 * the entry is not the one that was proven.
 */
export function checkTlogProof(proof: TlogProof, entry: Uint8Array, keys: readonly NoteKey[]): Checkpoint | Failure {
  const checkpoint = openCheckpoint(proof.checkpoint, keys)
  if (checkpoint instanceof Failure) return checkpoint
  if (verifyInclusion(leafHash(entry), proof.index, checkpoint, proof.hashes)) return checkpoint
  return new Failure('proof-does-not-hold', `The proof does not lead from this entry at ${proof.index} to the signed root over ${checkpoint.size} entries.`)
}
