// A log's keys over its years. The log keeps its origin, made of the first key; when a key hands over to the next, both sign a
// note (C2SP.org/signed-note) that says from which size of the log on, so whoever trusts either trusts the other for its own
// sizes. `log-key.pub` has the first key as one line, as it ever had, and after it these notes, oldest first.
import { utf8, sameBytes } from '../base/bytes.ts'
import { attempt, Failure, must, refuse } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { keysOf, noteKey, noteKeyText, openNote, parseNoteKey, signNote } from './checkpoint.ts'
import type { NoteKey } from './checkpoint.ts'
import { treeSizeMax } from './tree.ts'

const firstLine = 'slotwright/log-key-handover/v1'
/** Lines of a handover as it stands in the file: an empty one before it, four of text, an empty one, two signatures. */
const linesEach = 8
export const handoversMax = 100
export const logKeysBytesMax = 65_536

const handoverText = (origin: string, from: number, next: NoteKey) => `${firstLine}\n${origin}\n${from}\n${noteKeyText(next)}\n`

/** The note by which one key hands over to the next, signed by both. Fails as the signers do. */
export async function signHandover(origin: string, from: number, before: Signer, after: Signer, signal?: AbortSignal): Promise<string | Failure> {
  const next = noteKey(origin, after.publicKey)
  if (next instanceof Failure) return next
  const text = handoverText(origin, from, next)
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
    if (rest.length % linesEach !== 0 || rest.length / linesEach > handoversMax) return refuse('bad-note-key', 'The file of the log\'s keys does not end where a handover ends.')
    for (let at = 0; at < rest.length; at += linesEach) keys.push(must(handoverIn(rest.slice(at + 1, at + linesEach), keys.at(-1) ?? refuse('bad-note-key', 'There is no key.'))))
    return keys.reduceRight<NoteKey | null>((next, { key }, i) => (next === null ? key : { ...key, next: { from: keys[i + 1]?.from ?? 0, key: next } }), null) ?? refuse('bad-note-key', 'There is no key.')
  })
}

function handoverIn(lines: readonly string[], before: { key: NoteKey; from: number }): { key: NoteKey; from: number } | Failure {
  const bad = new Failure('bad-note-key', 'A handover from one log key to the next does not hold.')
  const from = Number(lines[2])
  const next = parseNoteKey(lines[3] ?? '')
  if (next instanceof Failure || next.type !== 'note' || next.name !== before.key.name || !Number.isSafeInteger(from) || from < before.from || from > treeSizeMax) return bad
  const note = `${lines.join('\n')}\n`
  for (const key of [before.key, next]) {
    const opened = openNote(note, [key])
    if (opened instanceof Failure || opened.text !== handoverText(before.key.name, from, next)) return bad
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
