// Go's sumdb/tlog and note as a second implementation: what it made over 300 entries we make too, byte for byte, and
// what it signed verifies here.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { fromHex, toHex, utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { checkpointText, noteKey, noteKeyText, openCheckpoint, parseNoteKey, signNote } from '../../main/log/checkpoint.ts'
import { consistencyProof, inclusionProof, subtreesOf, verifyConsistency, verifyInclusion } from '../../main/log/proof.ts'
import { appendLeaf, emptyEdge, leafHash, rootOf } from '../../main/log/tree.ts'

type Answers = {
  entries: string[]
  roots: string[]
  inclusion: { index: number; size: number; proof: string[] }[]
  consistency: { older: number; newer: number; proof: string[] }[]
  key: string
  note: string
}
const go = JSON.parse(readFileSync(new URL('../vectors/go-tlog/answers.json', import.meta.url), 'utf8')) as Answers
const leaves = go.entries.map((entry) => leafHash(utf8(entry)))
const bytes = (hex: string | undefined) => fromHex(hex ?? '') ?? new Uint8Array(0)
const head = (size: number) => ({ size, root: bytes(go.roots[size]) })

function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(answer.says)
  return answer
}

test('every root from 0 to 300 entries', () => {
  let edge = emptyEdge
  const roots = [toHex(rootOf(edge)), ...leaves.map((leaf) => toHex(rootOf((edge = appendLeaf(edge, leaf)))))]
  expect(roots).toEqual(go.roots)
})

test.each(go.inclusion)('inclusion of $index in $size', ({ index, size, proof }) => {
  // Go lists the hashes from the leaf upwards, as RFC 6962 does.
  expect(inclusionProof(index, size, subtreesOf(leaves)).map(toHex)).toEqual(proof)
  expect(verifyInclusion(leaves[index] ?? new Uint8Array(0), index, head(size), proof.map(bytes))).toBe(true)
})

test.each(go.consistency)('consistency of $older with $newer', ({ older, newer, proof }) => {
  expect(consistencyProof(older, newer, subtreesOf(leaves)).map(toHex)).toEqual(proof)
  expect(verifyConsistency(head(older), head(newer), proof.map(bytes))).toBe(true)
})

test('Go’s checkpoint opens with Go’s key, and ours by the same key is the same note', async () => {
  const key = value(parseNoteKey(go.key))
  const checkpoint = value(openCheckpoint(go.note, [key]))
  expect(checkpoint).toEqual({ origin: 'slotwright.test/go', ...head(300), extensions: [] })

  const seed = Uint8Array.from({ length: 32 }, (_, i) => (i * 7) & 255)
  const pkcs8 = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const privateKey = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  const spki = new Uint8Array(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }))
  const signer: Signer = {
    publicKey: { algorithm: 'ed25519', spki, encoded: spki },
    sign: (what) => Promise.resolve('message' in what ? new Uint8Array(sign(null, what.message, privateKey)) : new Failure('x', 'x')),
  }
  expect(noteKeyText(value(noteKey('slotwright.test/go', signer.publicKey)))).toBe(go.key)
  expect(value(await signNote(checkpointText(checkpoint), 'slotwright.test/go', signer))).toBe(go.note)
})
