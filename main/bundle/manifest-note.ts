// Who made a bundle says so in a signed note (C2SP.org/signed-note) over its manifest, which has the SHA-256 of every file.
// Entries need no such word, since they hang on the checkpoint; but a print, a certificate or a firmware key beside them can
// be anybody's. The log's key signs; the first line keeps the note apart from checkpoints, handovers and merged reports.
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { toHex } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { keysOf, openNote, parseNote, signNote } from '../log/checkpoint.ts'
import type { NoteKey } from '../log/checkpoint.ts'

const textOver = (manifest: Uint8Array) => `slotwright/audit-bundle/v1\n${toHex(nobleSha256(manifest))}\n`

/** The note over a manifest's bytes by the log called `origin`. Fails as the signer does. */
export function signManifest(manifest: Uint8Array, origin: string, signer: Signer, signal?: AbortSignal): Promise<string | Failure> {
  return signNote(textOver(manifest), origin, signer, signal)
}

/** Null when the log of `key`, by any of its keys, signed this manifest. Failures: those of `openNote`, and `note-of-another`. */
export function whyNotSigned(note: string, manifest: Uint8Array, key: NoteKey): null | Failure {
  const parsed = parseNote(note)
  if (parsed instanceof Failure) return parsed
  if (parsed.text !== textOver(manifest)) return new Failure('note-of-another', 'It is a signature over another bundle.')
  const opened = openNote(note, keysOf(key).map((one) => one.key))
  return opened instanceof Failure ? opened : null
}
