// Signed checkpoints beside the database, one file for each signed size (`checkpoints/000000001234.checkpoint`), so that a
// log cut short or replaced by an older copy shows. Before a new one is signed the tree must be shown to continue the
// newest old one: the log key never vouches for two histories.
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Failure } from '../base/failure.ts'
import type { Signer } from '../base/signer.ts'
import { checkpointText, noteBytesMax, noteKey, openCheckpoint, parseNote, signNote } from '../log/checkpoint.ts'
import type { Checkpoint, NoteKey } from '../log/checkpoint.ts'
import { logKeysBytesMax, parseLogKeys, trustWithin } from '../log/handover.ts'
import { verifyConsistency } from '../log/proof.ts'
import type { TreeHead } from '../log/tree.ts'
import type { KnownHead, LogWrong } from '../log/verify.ts'
import { sha256 } from './rows.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'
import { logOrigin, logPublicKeyName, writeDurably } from './logkey.ts'
import { proveConsistency } from './proofs.ts'

export const checkpointsName = 'checkpoints'
/** At most this many checkpoint files are read, newest first. */
export const checkpointsMax = 10_000

export type SignedCheckpoint = Readonly<{ size: number; root: Uint8Array; origin: string; note: string; path: string }>

const fileName = /^([0-9]{12,15})\.checkpoint$/

/** Sizes of the checkpoint files there, newest first. Throws the file system's errors. */
function checkpointFiles(folder: string): { size: number; path: string; name: string }[] {
  const place = join(folder, checkpointsName)
  if (!existsSync(place)) return []
  return readdirSync(place)
    .flatMap((name) => {
      const match = fileName.exec(name)
      return match === null ? [] : [{ size: Number(match[1]), path: join(place, name), name: `${checkpointsName}/${name}` }]
    })
    .sort((a, b) => b.size - a.size)
    .slice(0, checkpointsMax)
}

function readCheckpoint(path: string, keys: readonly NoteKey[]): Checkpoint | Failure {
  if (statSync(path).size > noteBytesMax) return new Failure('bad-note', `The file is longer than ${noteBytesMax} bytes.`)
  return openCheckpoint(readFileSync(path, 'utf8'), keys)
}

/** A signed checkpoint as it lies in the home; `name` as in `checkpoints/000000001234.checkpoint`. */
export type KeptCheckpoint = Readonly<{ name: string; path: string; note: string; checkpoint: Checkpoint }>

/** The home's checkpoints that `key` signed, newest first, at most `limit`. Others are passed over: `verify` names them. */
export function keptCheckpoints(folder: string, key: NoteKey, limit = checkpointsMax): KeptCheckpoint[] | Failure {
  try {
    return checkpointFiles(folder).slice(0, limit).flatMap(({ path, name, size }) => {
      const checkpoint = readCheckpoint(path, [key])
      if (checkpoint instanceof Failure || checkpoint.origin !== key.name || checkpoint.size !== size) return []
      return [{ name, path, note: readFileSync(path, 'utf8'), checkpoint }]
    })
  } catch (error) {
    return diskFailure(error, join(folder, checkpointsName))
  }
}

/** The oldest checkpoint over entry `seq` that `key` signed; one that does not verify is passed over, a few times. */
export function checkpointOver(folder: string, key: NoteKey, seq: number): KeptCheckpoint | null | Failure {
  try {
    for (const { path, name, size } of checkpointFiles(folder).filter((file) => file.size > seq).reverse().slice(0, 10)) {
      const checkpoint = readCheckpoint(path, [key])
      if (!(checkpoint instanceof Failure) && checkpoint.origin === key.name && checkpoint.size === size) return { name, path, note: readFileSync(path, 'utf8'), checkpoint }
    }
    return null
  } catch (error) {
    return diskFailure(error, join(folder, checkpointsName))
  }
}

/**
 * Adds signature lines that a witness put under one of our checkpoints to the home's own copy. Gives the names of those
 * added. Fails with `no-such-checkpoint` when the text is none that this log signed, so nobody can plant one.
 */
export function addCosignatures(folder: string, note: string, key: NoteKey): string[] | Failure {
  const opened = openCheckpoint(note, [key])
  if (opened instanceof Failure) return opened
  const kept = keptCheckpoints(folder, key)
  if (kept instanceof Failure) return kept
  const [given, own] = [parseNote(note), kept.find(({ checkpoint }) => checkpoint.size === opened.size)]
  if (given instanceof Failure) return given
  const mine = own === undefined ? null : parseNote(own.note)
  if (own === undefined || mine === null || mine instanceof Failure || mine.text !== given.text) {
    return new Failure('no-such-checkpoint', `This home has no checkpoint over ${opened.size} entries with that root, so there is nothing to add the signature to.`)
  }
  const lines = note.slice(given.text.length + 1).split('\n').filter((line) => line !== '' && !own.note.split('\n').includes(line))
  if (lines.length === 0) return []
  const whole = `${own.note}${lines.map((line) => `${line}\n`).join('')}`
  const fits = parseNote(whole)
  if (fits instanceof Failure) return fits
  try {
    writeDurably(own.path, whole, 0o644)
  } catch (error) {
    return diskFailure(error, own.path)
  }
  return lines.map((line) => line.split(' ')[1] ?? '')
}

/**
 * Signs the head and writes it beside the database; the newest one again when nothing was added since.
 * Failures: `log-forked` (the log does not continue what was signed before), the signer's and the disk's.
 */
export async function signCheckpoint(database: OpenDatabase, head: TreeHead, signer: Signer, signal?: AbortSignal): Promise<SignedCheckpoint | Failure> {
  const known = readLogPublicKey(database.folder)
  if (known instanceof Failure) return known
  const origin = known?.name ?? logOrigin(signer)
  const own = noteKey(origin, signer.publicKey)
  if (own instanceof Failure) return own
  const key = known ?? own
  try {
    const newest = checkpointFiles(database.folder)[0]
    if (newest !== undefined) {
      const older = readCheckpoint(newest.path, [key])
      if (older instanceof Failure) return forked(newest.name, older.says)
      const proof = older.size <= head.size ? proveConsistency(database, older.size, head.size) : []
      if (proof instanceof Failure) return proof
      if (!verifyConsistency(older, head, proof, sha256)) return forked(newest.name, `It was signed over ${older.size} entries; the log now has ${head.size}.`)
      if (older.size === head.size) return { ...head, origin, note: readFileSync(newest.path, 'utf8'), path: newest.path }
    }
    const note = await signNote(checkpointText({ ...head, origin, extensions: [] }), origin, signer, signal)
    if (note instanceof Failure) return note
    const place = join(database.folder, checkpointsName)
    mkdirSync(place, { recursive: true, mode: 0o700 })
    const path = join(place, `${String(head.size).padStart(12, '0')}.checkpoint`)
    writeDurably(path, note, 0o644)
    return { ...head, origin, note, path }
  } catch (error) {
    return diskFailure(error, join(database.folder, checkpointsName))
  }
}

function forked(name: string, why: string): Failure {
  return new Failure('log-forked', `The log does not continue the checkpoint ${name}, so a new one may not be signed. ${why} Have the log checked with "log verify".`)
}

/** Reads the log's public key from its home, with those it handed over to; null when no checkpoint was ever signed there. */
export function readLogPublicKey(folder: string): NoteKey | null | Failure {
  const path = join(folder, logPublicKeyName)
  try {
    if (!existsSync(path)) return null
    if (statSync(path).size > logKeysBytesMax) return new Failure('bad-note-key', 'The file is far too long.')
    return parseLogKeys(readFileSync(path, 'utf8'))
  } catch (error) {
    return diskFailure(error, path)
  }
}

/**
 * All checkpoints of a home whose signatures hold, as heads to compare with, and as wrongs those that cannot be trusted.
 * `trusted` is the key the auditor brought, under which something must be signed; without it the home's own copy is believed.
 * `kept` are checkpoints from elsewhere, by what to call them.
 */
export async function readCheckpoints(folder: string, trusted?: NoteKey, kept: ReadonlyMap<string, string> = new Map()): Promise<{ known: KnownHead[]; wrongs: LogWrong[] } | Failure> {
  const wrongs: LogWrong[] = []
  const known: KnownHead[] = []
  try {
    const files = checkpointFiles(folder)
    if (files.length + kept.size === 0) return { known, wrongs: trusted === undefined ? [] : [{ seq: null, kind: 'checkpoint', says: 'Nothing is here that the key you gave has signed, so it vouches for none of these entries.' }] }
    const own = readLogPublicKey(folder)
    const key = trusted === undefined ? own : trustWithin(trusted, own)
    if (key === null || key instanceof Failure) {
      const why = key === null ? 'is gone' : `cannot be used: ${key.says}`
      return { known, wrongs: [{ seq: null, kind: 'checkpoint', says: `There are signed checkpoints, but the key to verify them (${logPublicKeyName}) ${why}.` }] }
    }
    for (const [i, { size, path, name }] of files.entries()) {
      // A signature takes a millisecond to verify: let others have their turn.
      if (i % 10 === 9) await nextTurn()
      const checkpoint = readCheckpoint(path, [key])
      const why = checkpoint instanceof Failure ? checkpoint.says : checkpoint.origin !== key.name || checkpoint.size !== size ? 'It belongs to another log or size.' : null
      if (checkpoint instanceof Failure || why !== null) wrongs.push({ seq: null, kind: 'checkpoint', says: `The checkpoint ${name} cannot be trusted: ${why ?? ''}` })
      else known.push({ size, root: checkpoint.root, calledIn: `the checkpoint ${name}` })
    }
    for (const [name, note] of kept) {
      const checkpoint = openCheckpoint(note, [key])
      if (checkpoint instanceof Failure || checkpoint.origin !== key.name) wrongs.push({ seq: null, kind: 'checkpoint', says: `Your checkpoint ${name} is not one of this log. ${checkpoint instanceof Failure ? checkpoint.says : ''}`.trim() })
      else known.push({ size: checkpoint.size, root: checkpoint.root, calledIn: `your checkpoint ${name}` })
    }
    return { known, wrongs }
  } catch (error) {
    return diskFailure(error, join(folder, checkpointsName))
  }
}
