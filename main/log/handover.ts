// A log's keys over its years. The log keeps its origin, made of the first key; when a key hands over to the next, both sign a
// note (C2SP.org/signed-note) that says from which size of the log on, so whoever trusts either trusts the other for its own
// sizes. `log-key.pub` has the first key as one line, as it ever had, and after it these notes, oldest first. Surprise: the
// first form of the note did not name the key before, so a stranger could put a signature of his own under it beside the
// trusted key's and pass for the log's first key. Now it names both, and the first key must be the one the origin is made of.
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, utf8, sameBytes, toHex } from '../base/bytes.ts'
import { attempt, Failure, must, refuse } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { ed25519SpkiPrefix, keysOf, noteKey, noteKeyText, openNote, parseNoteKey, signNote } from './checkpoint.ts'
import type { NoteKey } from './checkpoint.ts'
import { treeSizeMax } from './tree.ts'

const firstLine = 'slotwright/log-key-handover/v2'
/** The form that did not name the key before; logs that have it go on. */
const olderFirstLine = 'slotwright/log-key-handover/v1'
/** Lines of a handover as it stands in the file: an empty one before it, five of text (four once), an empty one, two signatures. */
const linesEach = 9
const olderLinesEach = 8
export const handoversMax = 100
export const logKeysBytesMax = 65_536

const handoverText = (origin: string, from: number, before: NoteKey, next: NoteKey) => `${firstLine}\n${origin}\n${from}\n${noteKeyText(before)}\n${noteKeyText(next)}\n`
const olderText = (origin: string, from: number, next: NoteKey) => `${olderFirstLine}\n${origin}\n${from}\n${noteKeyText(next)}\n`

/** A log's origin, and so its first key's name: unique for each log, since it is made of that key. `raw` is the 32-byte Ed25519 key. */
export function originOf(raw: Uint8Array): string {
  return `slotwright/log/${toHex(sha256(concat(ed25519SpkiPrefix, raw))).slice(0, 16)}`
}

/** The note by which one key hands over to the next, signed by both. Fails as the signers do. */
export async function signHandover(origin: string, from: number, before: Signer, after: Signer, signal?: AbortSignal): Promise<string | Failure> {
  const [old, next] = [noteKey(origin, before.publicKey), noteKey(origin, after.publicKey)]
  if (old instanceof Failure) return old
  if (next instanceof Failure) return next
  const text = handoverText(origin, from, old, next)
  const first = await signNote(text, origin, before, signal)
  if (first instanceof Failure) return first
  const second = await signNote(text, origin, after, signal)
  return second instanceof Failure ? second : `${first}${second.slice(text.length + 1)}`
}

/** A log's keys as `log-key.pub` has them: the first, with those it handed over to. Fails with `bad-note-key`. */
export function parseLogKeys(text: string): NoteKey | Failure {
  return attempt(() => {
    if (utf8(text).length > logKeysBytesMax) return refuse('bad-note-key', 'The file of the log\'s keys is far too long.')
    const [first = '', ...rest] = text.trimEnd().split('\n')
    const keys: { key: NoteKey; from: number }[] = [{ key: must(parseNoteKey(first)), from: 0 }]
    if (rest.length > 0 && keys[0]?.key.name !== originOf(keys[0]?.key.publicKey ?? new Uint8Array(0))) return refuse('bad-note-key', 'The first of the log\'s keys is not the one its name is made of.')
    for (let at = 0; at < rest.length;) {
      const lines = rest[at + 1] === olderFirstLine ? olderLinesEach : linesEach
      if (at + lines > rest.length || keys.length > handoversMax) return refuse('bad-note-key', 'The file of the log\'s keys does not end where a handover ends.')
      keys.push(must(handoverIn(rest.slice(at + 1, at + lines), keys.at(-1) ?? refuse('bad-note-key', 'There is no key.'))))
      at += lines
    }
    return keys.reduceRight<NoteKey | null>((next, { key }, i) => (next === null ? key : { ...key, next: { from: keys[i + 1]?.from ?? 0, key: next } }), null) ?? refuse('bad-note-key', 'There is no key.')
  })
}

function handoverIn(lines: readonly string[], before: { key: NoteKey; from: number }): { key: NoteKey; from: number } | Failure {
  const bad = new Failure('bad-note-key', 'A handover from one log key to the next does not hold.')
  const older = lines[0] === olderFirstLine
  const from = Number(lines[2])
  const next = parseNoteKey(lines[older ? 3 : 4] ?? '')
  if (next instanceof Failure || next.type !== 'note' || next.name !== before.key.name || !Number.isSafeInteger(from) || from < before.from || from > treeSizeMax) return bad
  const text = older ? olderText(next.name, from, next) : handoverText(next.name, from, before.key, next)
  const note = `${lines.join('\n')}\n`
  for (const key of [before.key, next]) {
    const opened = openNote(note, [key])
    if (opened instanceof Failure || opened.text !== text) return bad
  }
  return { key: next, from }
}

/** The key that signs now. */
export function presentKey(key: NoteKey): NoteKey {
  return keysOf(key).at(-1)?.key ?? key
}

/** What to trust when someone brought `trusted`: all keys of `own` when it is one of them, since each hands over to the next; else that key alone. */
export function trustWithin(trusted: NoteKey, own: NoteKey | Failure | null): NoteKey {
  if (own === null || own instanceof Failure || own.name !== trusted.name) return trusted
  return keysOf(own).some(({ key }) => sameBytes(key.publicKey, trusted.publicKey)) ? own : trusted
}
