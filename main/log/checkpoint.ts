// Signed notes and checkpoints as C2SP.org/signed-note and C2SP.org/tlog-checkpoint define them: a text that commits to the
// whole log up to a size, and below it one line for each signature: Ed25519 notes (type 0x01) by the log, and by witnesses
// Ed25519 cosignatures (type 0x04, C2SP.org/tlog-cosignature), which carry their time. Signature lines of unknown keys are
// kept and skipped, as the specification asks, but a bad one of a known key refuses the note.
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, sameBytes, toHex, utf8 } from '../base/bytes.ts'
import { attempt, Failure, must, refuse } from '../base/failure.ts'
import type { PublicKey, Signer } from '../base/signer.ts'
import { hashBytes, treeSizeMax } from './tree.ts'
import type { TreeHead } from './tree.ts'

/** No note is longer. */
export const noteBytesMax = 65_536
export const noteSignaturesMax = 100

const ed25519Type = 0x01
const cosignatureType = 0x04
/** What stands before the 32 bytes of an Ed25519 key in its SubjectPublicKeyInfo (RFC 8410). */
export const ed25519SpkiPrefix = Uint8Array.from([0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00])

/**
 * A key that may sign notes: its name, its id in signature lines (4 bytes) and the raw 32-byte Ed25519 key. `type` says
 * how it signs: a log's notes, or a witness's cosignatures.
 */
export type NoteKey = Readonly<{
  name: string
  id: Uint8Array
  publicKey: Uint8Array
  type: 'note' | 'cosignature'
  /** The key that a log's key handed over to, when the log had `from` entries (handover.ts). */
  next?: Readonly<{ from: number; key: NoteKey }>
}>

export type NoteSignature = Readonly<{ name: string; id: Uint8Array; signature: Uint8Array }>

/** `text` ends with a line feed and is exactly what was signed. */
export type Note = Readonly<{ text: string; signatures: readonly NoteSignature[] }>

export type Checkpoint = TreeHead & Readonly<{ origin: string; extensions: readonly string[] }>

/** The note key of an Ed25519 public key; fails with `unsupported-key` for any other algorithm. */
export function noteKey(name: string, key: PublicKey, type: NoteKey['type'] = 'note'): NoteKey | Failure {
  const prefix = key.spki.subarray(0, ed25519SpkiPrefix.length)
  if (key.algorithm !== 'ed25519' || key.spki.length !== 44 || !sameBytes(prefix, ed25519SpkiPrefix)) {
    return new Failure('unsupported-key', `Checkpoints are signed with Ed25519 keys; this one is ${key.algorithm}.`)
  }
  return keyOf(name, key.spki.slice(ed25519SpkiPrefix.length), type)
}

const typeByte = (type: NoteKey['type']) => (type === 'note' ? ed25519Type : cosignatureType)

function keyOf(name: string, publicKey: Uint8Array, type: NoteKey['type']): NoteKey | Failure {
  if (!isKeyName(name)) return new Failure('bad-note-key', 'A note key needs a name without spaces and plus signs.')
  const id = sha256(concat(utf8(`${name}\n`), Uint8Array.of(typeByte(type)), publicKey)).slice(0, 4)
  return { name, id, publicKey, type }
}

/** The key as `name+id+base64`, the form Go's sumdb/note and the C2SP witnesses take. */
export function noteKeyText(key: NoteKey): string {
  return `${key.name}+${toHex(key.id)}+${toBase64(concat(Uint8Array.of(typeByte(key.type)), key.publicKey))}`
}

/** Reads `name+id+base64`; fails with `bad-note-key` when it is none or the id is not the key's. */
export function parseNoteKey(text: string): NoteKey | Failure {
  const bad = new Failure('bad-note-key', 'The text is no note key (name+id+base64 of an Ed25519 key).')
  const [name, id, encoded, ...rest] = splitKeyText(text.trim())
  if (name === undefined || id === undefined || encoded === undefined || rest.length > 0) return bad
  const bytes = fromBase64(encoded)
  if (bytes === null || bytes.length !== 33 || (bytes[0] !== ed25519Type && bytes[0] !== cosignatureType)) return bad
  const key = keyOf(name, bytes.slice(1), bytes[0] === ed25519Type ? 'note' : 'cosignature')
  return key instanceof Failure || toHex(key.id) !== id ? bad : key
}

// The base64 part may hold plus signs itself, so the text is cut at the first two only.
function splitKeyText(text: string): string[] {
  const first = text.indexOf('+')
  const second = text.indexOf('+', first + 1)
  return first < 0 || second < 0 ? [] : [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

/** The signed text of a checkpoint: origin, size, root, extensions, one a line. */
export function checkpointText(checkpoint: Checkpoint): string {
  const lines = [checkpoint.origin, String(checkpoint.size), toBase64(checkpoint.root), ...checkpoint.extensions]
  return lines.map((line) => `${line}\n`).join('')
}

/** Reads a checkpoint's text; fails with `bad-checkpoint`. */
export function parseCheckpointText(text: string): Checkpoint | Failure {
  const bad = (why: string) => new Failure('bad-checkpoint', `The note is no checkpoint: ${why}.`)
  if (!text.endsWith('\n')) return bad('its last line does not end')
  const [origin, sizeText, rootText, ...extensions] = text.slice(0, -1).split('\n')
  if (origin === undefined || origin === '') return bad('it names no origin')
  if (sizeText === undefined || !/^(?:0|[1-9][0-9]{0,14})$/.test(sizeText)) return bad('its second line is no size')
  const size = Number(sizeText)
  if (size > treeSizeMax) return bad('its size is beyond reason')
  const root = rootText === undefined ? null : fromBase64(rootText)
  if (root === null || root.length !== hashBytes) return bad('its third line is no root hash')
  if (extensions.includes('')) return bad('it has an empty line')
  return { origin, size, root, extensions }
}

/** Signs a text that ends with a line feed; gives the whole note. The signature is checked before it leaves. */
export async function signNote(text: string, name: string, signer: Signer, signal?: AbortSignal): Promise<string | Failure> {
  const key = noteKey(name, signer.publicKey)
  if (key instanceof Failure) return key
  const textWrong = whyNotText(text)
  if (textWrong !== null) return textWrong
  const signature = await signer.sign({ message: utf8(text) }, signal)
  if (signature instanceof Failure) return signature
  if (!holds(signature, text, key)) return new Failure('signature-does-not-hold', 'The log key gave a signature that does not hold. Check the key before anything else is signed.')
  return `${text}\n— ${name} ${toBase64(concat(key.id, signature))}\n`
}

/**
 * A witness's signature line over a checkpoint's text: "as of this time, the largest consistent tree of this log that I
 * have seen has this root". The witness checks consistency before; here the line is only made, and checked. `timeSeconds`
 * counts from 1970. Fails as the signer does, or with `signature-does-not-hold`.
 */
export async function cosign(text: string, name: string, signer: Signer, timeSeconds: number, signal?: AbortSignal): Promise<string | Failure> {
  const key = noteKey(name, signer.publicKey, 'cosignature')
  if (key instanceof Failure) return key
  const time = Uint8Array.from({ length: 8 }, (_, i) => Math.floor(timeSeconds / 2 ** (8 * (7 - i))) % 256)
  const signature = await signer.sign({ message: cosignedMessage(text, timeSeconds) }, signal)
  if (signature instanceof Failure) return signature
  const whole = concat(time, signature)
  if (!holds(whole, text, key)) return new Failure('signature-does-not-hold', 'The witness key gave a signature that does not hold. Check the key before anything else is signed.')
  return `— ${name} ${toBase64(concat(key.id, whole))}\n`
}

function cosignedMessage(text: string, timeSeconds: number): Uint8Array {
  return utf8(`cosignature/v1\ntime ${timeSeconds}\n${text}`)
}

/** Seconds since 1970 in a cosignature; beyond 2^53 they are nobody's time. */
function timeOf(signature: Uint8Array): number {
  let seconds = 0
  for (const byte of signature.subarray(0, 8)) seconds = seconds * 256 + byte
  return seconds
}

/** When `key`, a witness's, cosigned this note (seconds since 1970); null when it did not, or its line does not hold. */
export function cosignedAt(note: string, key: NoteKey): number | null {
  const parsed = parseNote(note)
  if (parsed instanceof Failure || key.type !== 'cosignature') return null
  const times = parsed.signatures
    .filter(({ name, id, signature }) => name === key.name && sameBytes(id, key.id) && holds(signature, parsed.text, key))
    .map(({ signature }) => timeOf(signature))
  return times.length === 0 ? null : Math.max(...times)
}

/** Names on signature lines that are not `key`'s: witnesses, as far as the note says; nothing is verified. */
export function cosignatureNames(note: string, key: NoteKey): string[] {
  const parsed = parseNote(note)
  if (parsed instanceof Failure) return []
  return [...new Set(parsed.signatures.filter(({ name, id }) => name !== key.name || !sameBytes(id, key.id)).map(({ name }) => name))]
}

/** Takes a note apart without verifying anything; fails with `bad-note`. */
export function parseNote(note: string): Note | Failure {
  return attempt(() => {
    const bad = (why: string) => refuse('bad-note', `This is no signed note: ${why}.`)
    if (utf8(note).length > noteBytesMax) return bad(`it is longer than ${noteBytesMax} bytes`)
    const textWrong = whyNotText(note)
    if (textWrong !== null) return bad('it holds control characters or does not end with a line feed')
    const cut = note.lastIndexOf('\n\n')
    if (cut < 0) return bad('no empty line separates text and signatures')
    const lines = note.slice(cut + 2, -1).split('\n')
    if (lines.length > noteSignaturesMax) return bad(`it has more than ${noteSignaturesMax} signatures`)
    return { text: note.slice(0, cut + 1), signatures: lines.map((line) => must(parseSignature(line))) }
  })
}

function parseSignature(line: string): NoteSignature | Failure {
  const bad = new Failure('bad-note', 'This is no signed note: a line below the text is no signature.')
  const match = /^— ([^ ]+) ([A-Za-z0-9+/]+=*)$/.exec(line)
  const [, name, encoded] = match ?? []
  if (name === undefined || encoded === undefined || !isKeyName(name)) return bad
  const bytes = fromBase64(encoded)
  if (bytes === null || bytes.length < 5) return bad
  return { name, id: bytes.slice(0, 4), signature: bytes.slice(4) }
}

/**
 * The text of a note that at least one of `keys` signed, and the names of those that did. Fails with `bad-note`,
 * `note-unsigned` (none of these keys signed it) or `note-forged` (a line claims one of them and does not hold).
 */
export function openNote(note: string, keys: readonly NoteKey[]): { text: string; signedBy: string[] } | Failure {
  const opened = signersOf(note, keys)
  return opened instanceof Failure ? opened : { text: opened.text, signedBy: [...new Set(opened.signers.map(({ name }) => name))] }
}

function signersOf(note: string, keys: readonly NoteKey[]): { text: string; signers: NoteKey[] } | Failure {
  const parsed = parseNote(note)
  if (parsed instanceof Failure) return parsed
  const signers: NoteKey[] = []
  for (const { name, id, signature } of parsed.signatures) {
    const key = keys.find((known) => known.name === name && sameBytes(known.id, id))
    if (key === undefined || signers.includes(key)) continue
    if (!holds(signature, parsed.text, key)) return new Failure('note-forged', `The signature of ${name} does not hold.`)
    signers.push(key)
  }
  if (signers.length === 0) return new Failure('note-unsigned', 'None of the known keys has signed this note.')
  return { text: parsed.text, signers }
}

/** A log's keys, the first first, each with the sizes of the log over which it may sign. */
export function keysOf(key: NoteKey): { key: NoteKey; from: number; to: number }[] {
  const keys: { key: NoteKey; from: number; to: number }[] = []
  let from = 0
  for (let at: NoteKey | undefined = key; at !== undefined; at = at.next?.key) {
    keys.push({ key: at, from, to: at.next?.from ?? treeSizeMax })
    from = at.next?.from ?? from
  }
  return keys
}

/**
 * A checkpoint that one of `keys`, logs' keys, or one they handed over to, signed; witnesses' keys count for nothing here. A
 * key that was handed over signs nothing later. Failures: those of `openNote`, `bad-checkpoint`, `note-key-over`.
 */
export function openCheckpoint(note: string, keys: readonly NoteKey[]): Checkpoint | Failure {
  const lives = keys.filter(({ type }) => type === 'note').flatMap(keysOf)
  const opened = signersOf(note, lives.map(({ key }) => key))
  if (opened instanceof Failure) return opened
  const checkpoint = parseCheckpointText(opened.text)
  if (checkpoint instanceof Failure) return checkpoint
  const { size } = checkpoint
  if (lives.some(({ key, from, to }) => opened.signers.includes(key) && size >= from && size <= to)) return checkpoint
  return new Failure('note-key-over', `It is signed with a key that was not the log's when it had ${size} entries.`)
}

function holds(signature: Uint8Array, text: string, key: NoteKey): boolean {
  try {
    // zip215 false: RFC 8032's stricter rules, which Go and OpenSSL follow.
    if (key.type === 'note') return signature.length === 64 && ed25519.verify(signature, utf8(text), key.publicKey, { zip215: false })
    const seconds = timeOf(signature)
    if (signature.length !== 72 || !Number.isSafeInteger(seconds)) return false
    return ed25519.verify(signature.subarray(8), cosignedMessage(text, seconds), key.publicKey, { zip215: false })
  } catch {
    // @noble throws on points that are not on the curve: hostile input, no bug of ours.
    return false
  }
}

const controls = /[\u0000-\u0009\u000b-\u001f\u007f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/

function whyNotText(text: string): Failure | null {
  if (text.endsWith('\n') && !controls.test(text)) return null
  return new Failure('bad-note', 'The text of a note must end with a line feed and hold no control characters.')
}

function isKeyName(name: string): boolean {
  return name !== '' && name.length <= 255 && !/[\s+]/u.test(name)
}

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

/** Standard base64 with padding, nothing else: atob forgives white space and missing padding, so the way back is compared. */
export function fromBase64(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length > noteBytesMax) return null
  try {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0))
    return toBase64(bytes) === text ? bytes : null
  } catch {
    return null
  }
}
