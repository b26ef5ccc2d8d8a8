// Range proofs and single proofs as files: whoever holds the entries needs these hashes and a signed root, nothing else.
import fc from 'fast-check'
import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { checkpointText, cosign, cosignedAt, noteKey, noteKeyText, openCheckpoint, parseNoteKey, signNote } from '../../main/log/checkpoint.ts'
import { inclusionProof, subtreesOf } from '../../main/log/proof.ts'
import { edgeBefore, rangeProof, rootAfter } from '../../main/log/range.ts'
import type { RangeProof } from '../../main/log/range.ts'
import { checkTlogProof, parseTlogProof, tlogProofText } from '../../main/log/tlogproof.ts'
import { appendLeaf, emptyEdge, leafHash, rootOf } from '../../main/log/tree.ts'

const leaves = Array.from({ length: 70 }, (_, i) => leafHash(utf8(`entry ${i}`)))
const rootAt = (size: number) => rootOf(leaves.slice(0, size).reduce((edge, leaf) => appendLeaf(edge, leaf), emptyEdge))

function rootBy(proof: RangeProof, held: readonly Uint8Array[]): Uint8Array | null {
  const start = edgeBefore(proof)
  return start === null ? null : rootAfter(held.reduce((edge, leaf) => appendLeaf(edge, leaf), start), proof)
}

function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(answer.says)
  return answer
}

function signerOf(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const spki = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }))
  return {
    publicKey: { algorithm: 'ed25519', spki, encoded: spki },
    sign: (what) => Promise.resolve('message' in what ? new Uint8Array(sign(null, what.message, privateKey)) : new Failure('x', 'x')),
  }
}

describe('a range', () => {
  test('of every beginning and end in every tree up to 24 entries leads to that tree’s root', () => {
    for (let size = 1; size <= 24; size++) {
      for (let from = 0; from < size; from++) {
        for (let to = from + 1; to <= size; to++) {
          expect(rootBy(rangeProof(from, to, size, subtreesOf(leaves)), leaves.slice(from, to))).toEqual(rootAt(size))
        }
      }
    }
  })

  test('with one entry changed, moved, dropped or one hash changed does not', () => {
    fc.assert(fc.property(fc.integer({ min: 2, max: 70 }), fc.nat(), fc.nat(), fc.nat(), (size, a, b, which) => {
      const from = a % size
      const to = from + 1 + (b % (size - from))
      const proof = rangeProof(from, to, size, subtreesOf(leaves))
      const held = leaves.slice(from, to)
      const at = which % held.length
      expect(rootBy(proof, held.with(at, leafHash(utf8('another'))))).not.toEqual(rootAt(size))
      if (held.length > 1) {
        const other = (at + 1) % held.length
        expect(rootBy(proof, held.with(at, held[other] ?? leaf0).with(other, held[at] ?? leaf0))).not.toEqual(rootAt(size))
      }
      const [left, right] = [[...proof.left], [...proof.right]]
      const side = left.length > 0 ? left : right
      if (side.length === 0) return
      side[which % side.length] = leafHash(utf8('forged'))
      expect(rootBy({ ...proof, left, right }, held)).not.toEqual(rootAt(size))
    }), { numRuns: 200 })
  })

  test('whose numbers or hashes cannot be is refused before any hashing', () => {
    const proof = rangeProof(3, 9, 20, subtreesOf(leaves))
    for (const wrong of [{ from: 9 }, { to: 21 }, { size: 8 }, { from: -1 }, { from: 2 }, { to: 12 }, { from: 2 ** 60 }, { from: 3.5 }, { left: [] }, { right: [...proof.right, leaf0] }, { left: proof.left.map(() => new Uint8Array(31)) }]) {
      expect(edgeBefore({ ...proof, ...wrong }), JSON.stringify(wrong)).toBeNull()
    }
  })
})

const leaf0 = leaves[0] ?? new Uint8Array(0)

describe('a proof as a file (tlog-proof)', () => {
  const signer = signerOf()
  const key = value(noteKey('test/log', signer.publicKey))
  const made = async () => {
    const note = value(await signNote(checkpointText({ origin: 'test/log', size: 70, root: rootAt(70), extensions: [] }), 'test/log', signer))
    return tlogProofText({ index: 41, hashes: inclusionProof(41, 70, subtreesOf(leaves)), checkpoint: note })
  }

  test('reads back and vouches for its entry and no other', async () => {
    const text = await made()
    const proof = value(parseTlogProof(text))
    expect(tlogProofText(proof)).toBe(text)
    expect(value(checkTlogProof(proof, utf8('entry 41'), [key]))).toMatchObject({ size: 70 })
    expect(checkTlogProof(proof, utf8('entry 42'), [key])).toMatchObject({ kind: 'proof-does-not-hold' })
    expect(checkTlogProof({ ...proof, index: 42 }, utf8('entry 41'), [key])).toMatchObject({ kind: 'proof-does-not-hold' })
    expect(checkTlogProof(proof, utf8('entry 41'), [value(noteKey('test/log', signerOf().publicKey))])).toMatchObject({ kind: 'note-unsigned' })
  })

  test('an extra line of another maker is skipped', async () => {
    const text = (await made()).replace('\nindex', '\nextra aGVsbG8=\nindex')
    expect(value(checkTlogProof(value(parseTlogProof(text)), utf8('entry 41'), [key]))).toMatchObject({ size: 70 })
  })

  test('cut, padded or renumbered text is refused as such', async () => {
    const text = await made()
    for (const wrong of ['', 'c2sp.org/tlog-proof@v1', text.slice(1), text.replace('index 41', 'index 041'), text.replace('index 41', 'index -1'), text.replace('=\n', '\n'), text.replace('\n\n', '\n')]) {
      const read = parseTlogProof(wrong)
      expect(read instanceof Failure ? read : checkTlogProof(read, utf8('entry 41'), [key]), wrong.slice(0, 60)).toBeInstanceOf(Failure)
    }
  })
})

describe('a witness', () => {
  const text = checkpointText({ origin: 'test/log', size: 70, root: rootAt(70), extensions: [] })

  test('cosigns with its time, under a key of its own type, and the log’s signature stays valid', async () => {
    const [log, witness] = [signerOf(), signerOf()]
    const line = value(await cosign(text, 'witness.test', witness, 1_800_000_000))
    const note = value(await signNote(text, 'test/log', log)) + line
    const key = value(noteKey('witness.test', witness.publicKey, 'cosignature'))
    expect(cosignedAt(note, key)).toBe(1_800_000_000)
    expect(value(openCheckpoint(note, [value(noteKey('test/log', log.publicKey))]))).toMatchObject({ size: 70 })
    expect(value(parseNoteKey(noteKeyText(key)))).toEqual(key)
    // A witness's key never stands for the log's, nor a plain signature for a cosignature.
    expect(openCheckpoint(note, [key])).toMatchObject({ kind: 'note-unsigned' })
    expect(cosignedAt(note, value(noteKey('witness.test', witness.publicKey)))).toBeNull()
  })

  test('whose time or text was changed has cosigned nothing', async () => {
    const witness = signerOf()
    const key = value(noteKey('witness.test', witness.publicKey, 'cosignature'))
    const line = value(await cosign(text, 'witness.test', witness, 1_800_000_000))
    const bytes = Buffer.from(line.split(' ')[2] ?? '', 'base64')
    for (let at = 4; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ 1
      expect(cosignedAt(`${text}\n— witness.test ${changed.toString('base64')}\n`, key)).toBeNull()
    }
    expect(cosignedAt(`${text.replace('70', '71')}\n${line}`, key)).toBeNull()
    expect(cosignedAt(`${text}\n${line}`, key)).toBe(1_800_000_000)
  })
})
