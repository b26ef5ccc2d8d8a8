// Notes and checkpoints: Go's own note verifies, ours is made of the same parts, and a changed one is refused.
import { createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { concat, toHex, utf8 } from '../../main/base/bytes.ts'
import { Failure } from '../../main/base/failure.ts'
import type { Signer } from '../../main/base/signer.ts'
import { checkpointText, noteKey, noteKeyText, openCheckpoint, openNote, parseCheckpointText, parseNote, parseNoteKey, signNote } from '../../main/log/checkpoint.ts'
import type { NoteKey } from '../../main/log/checkpoint.ts'

const foreign = (name: string) => readFileSync(new URL(`../vectors/note/${name}`, import.meta.url), 'utf8')

function value<T>(answer: T | Failure): T {
  if (answer instanceof Failure) throw new Error(`${answer.kind}: ${answer.says}`)
  return answer
}

const pair = generateKeyPairSync('ed25519')
const spki = new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' }))
const signer: Signer = {
  publicKey: { algorithm: 'ed25519', spki, encoded: spki },
  sign: (what) => Promise.resolve('message' in what ? new Uint8Array(sign(null, what.message, pair.privateKey)) : new Failure('x', 'x')),
}
const name = 'slotwright/log/0123456789abcdef'
const key: NoteKey = value(noteKey(name, signer.publicKey))
const checkpoint = { origin: name, size: 1234, root: new Uint8Array(32).fill(7), extensions: [] }

describe('a note made by Go', () => {
  const goKey = value(parseNoteKey(foreign('signed.pub')))
  test('is opened with its key', () => {
    expect(openNote(foreign('signed.note'), [goKey])).toMatchObject({ signedBy: ['PeterNeumann'] })
    expect(noteKeyText(goKey)).toBe(foreign('signed.pub').trim())
  })
  test('is not opened with another', () => {
    expect(openNote(foreign('signed.note'), [key])).toMatchObject({ kind: 'note-unsigned' })
  })
  test('is refused with any letter of its text changed', () => {
    const note = foreign('signed.note')
    const textEnd = note.indexOf('\n\n')
    for (let at = 0; at < textEnd; at++) {
      if (note[at] === '\n') continue
      expect(openNote(`${note.slice(0, at)}${note[at] === 'x' ? 'y' : 'x'}${note.slice(at + 1)}`, [goKey])).toMatchObject({ kind: 'note-forged' })
    }
  })
})

describe('our checkpoint', () => {
  test('has the parts that C2SP asks for, and OpenSSL or BoringSSL verifies it', async () => {
    const note = value(await signNote(checkpointText(checkpoint), name, signer))
    const [text = '', line = ''] = note.split('\n\n')
    expect(`${text}\n`).toBe(`${name}\n1234\n${Buffer.alloc(32, 7).toString('base64')}\n`)
    const [dash, by, encoded = ''] = line.trim().split(' ')
    expect([dash, by]).toEqual(['—', name])
    const bytes = Buffer.from(encoded, 'base64')
    const raw = spki.slice(12)
    expect(bytes.subarray(0, 4)).toEqual(createHash('sha256').update(concat(utf8(`${name}\n`), Uint8Array.of(1), raw)).digest().subarray(0, 4))
    expect(verify(null, utf8(`${text}\n`), createPublicKey({ key: Buffer.from(spki), type: 'spki', format: 'der' }), bytes.subarray(4))).toBe(true)
    expect(value(openCheckpoint(note, [key]))).toEqual(checkpoint)
  })

  test('keeps a witness line it does not know', async () => {
    const note = value(await signNote(checkpointText(checkpoint), name, signer))
    const witnessed = `${note}— witness.example/w AAAAAAECAwQF\n`
    expect(value(parseNote(witnessed)).signatures).toHaveLength(2)
    expect(value(openCheckpoint(witnessed, [key])).size).toBe(1234)
  })

  test('is refused when one of the signer’s lines is false', async () => {
    const note = value(await signNote(checkpointText(checkpoint), name, signer))
    const other = note.replace('\n1234\n', '\n1235\n')
    expect(openCheckpoint(other, [key])).toMatchObject({ kind: 'note-forged' })
  })

  test('a signer that gives rubbish is caught before the note leaves', async () => {
    const rubbish: Signer = { ...signer, sign: () => Promise.resolve(new Uint8Array(64)) }
    expect(await signNote(checkpointText(checkpoint), name, rubbish)).toMatchObject({ kind: 'signature-does-not-hold' })
  })

  test('keys that are not Ed25519 are refused', () => {
    expect(noteKey(name, { ...signer.publicKey, algorithm: 'ecdsa-p256' })).toMatchObject({ kind: 'unsupported-key' })
    expect(noteKey('with space', signer.publicKey)).toMatchObject({ kind: 'bad-note-key' })
  })
})

test.each(['', 'a', 'a\n', 'a\n\n', 'a\n\n— x\n', 'a\n\n— x y\n', 'a\n\n— x AAAA\n', 'a\r\n\n— x AAAAAAECAwQF\n', 'a\n\n- x AAAAAAECAwQF\n', 'a\n\n— x AAAAAAECAwQ\n', 'a\n\n— x AAAAAAECAwQF', '\u0000\n\n— x AAAAAAECAwQF\n'])(
  'the text %j is no note',
  (text) => {
    expect(parseNote(text)).toMatchObject({ kind: 'bad-note' })
  },
)

const root = Buffer.alloc(32).toString('base64')
test.each(['', 'o\n', 'o\n5\n', `\n5\n${root}\n`, `o\n05\n${root}\n`, `o\n-5\n${root}\n`, `o\n5e3\n${root}\n`, `o\n5\nAAAA\n`, `o\n5\n${root}`, `o\n5\n${root}\n\n`, `o\n999999999999999\n${root}\n`, `o\n9999999999999999\n${root}\n`, `o\n5\n ${root}\n`])(
  'the text %j is no checkpoint',
  (text) => {
    expect(parseCheckpointText(text)).toMatchObject({ kind: 'bad-checkpoint' })
  },
)

test('extension lines of a checkpoint are kept', () => {
  expect(value(parseCheckpointText(`o\n5\n${root}\nmore\nand more\n`)).extensions).toEqual(['more', 'and more'])
  expect(toHex(value(parseCheckpointText(`o\n0\n${root}\n`)).root)).toBe('00'.repeat(32))
})

test.each(['', 'a', 'a+b', 'a+c74f20a3+', 'a+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW', '+c74f20a3+ARpc'])('the text %j is no note key', (text) => {
  expect(parseNoteKey(text)).toMatchObject({ kind: 'bad-note-key' })
})
