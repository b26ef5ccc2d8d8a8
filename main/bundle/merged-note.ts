// Who put a merged report together says so in a signed note (C2SP.org/signed-note) over its list of bundles, which has the
// SHA-256 of each: bundles vouch for themselves, but only a person who knows the stations can say that these are all. A log's
// key signs; its checkpoints have the log's origin in the first line, so neither can be taken for the other.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { keysOf, openNote, parseNote, signNote } from '../log/checkpoint.ts'
import type { NoteKey } from '../log/checkpoint.ts'

export const mergedNoteName = 'merged.note'

const textOver = (list: Uint8Array) => `slotwright/merged-report/v1\n${toHex(nobleSha256(list))}\n`

/** The note over `list`, the bytes of `merged.json`, by the log called `origin`. Fails as the signer does. */
export function signMerged(list: Uint8Array, origin: string, signer: Signer, signal?: AbortSignal): Promise<string | Failure> {
  return signNote(textOver(list), origin, signer, signal)
}

/**
 * The log whose key signed the list. Failures: `note-unsigned` (by none of `keys`; `facts.by` names who claims to have),
 * `bad-note`, `note-forged`, and `note-of-another` for a note over another list.
 */
export function signerOfMerged(note: string, list: Uint8Array, keys: readonly NoteKey[]): string | Failure {
  const parsed = parseNote(note)
  if (parsed instanceof Failure) return parsed
  if (parsed.text !== textOver(list)) return new Failure('note-of-another', 'The signature is one over another report.')
  const opened = openNote(note, keys.flatMap((key) => keysOf(key).map((one) => one.key)))
  if (!(opened instanceof Failure)) return opened.signedBy[0] ?? ''
  return opened.kind === 'note-unsigned' ? new Failure(opened.kind, opened.says, { by: parsed.signatures.map(({ name }) => name).join(', ').slice(0, 300) }) : opened
}
