// `witness`: for the auditor's own laptop. It takes a station's bundle, checks it, checks that the log only grew since the
// checkpoint this witness saw last, and then cosigns the newest one (C2SP tlog-cosignature). It remembers one checkpoint for
// each log; a log that does not continue it is never signed, and both checkpoints are kept, since they prove the fork.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { version } from '../../../package.json'
import { toHex, utf8 } from '../../base/bytes.ts'
import { realClock } from '../../base/clock.ts'
import { Failure, failed } from '../../base/failure.ts'
import type { Signer } from '../../base/signer.ts'
import { checkBundle } from '../../bundle/check.ts'
import { names, parseManifest, parseProofs } from '../../bundle/layout.ts'
import { unpack } from '../../bundle/unpack.ts'
import { bundleBytesMax } from '../../bundle/layout.ts'
import { cosign, noteKey, noteKeyText, openCheckpoint, parseNote } from '../../log/checkpoint.ts'
import type { Checkpoint, NoteKey } from '../../log/checkpoint.ts'
import { parseLogKeys, trustWithin } from '../../log/handover.ts'
import { verifyConsistency } from '../../log/proof.ts'
import { diskFailure } from '../../store/database.ts'
import { ed25519Signer, writeDurably } from '../../store/logkey.ts'
import { sha256 } from '../../store/rows.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readInput, writeOutput } from '../files.ts'
import { homeFolder } from '../home.ts'
import { readLogKey } from '../read-log.ts'

type Flags = Readonly<{ log: string; name: string; state?: string; out?: string }>

export function declare(command: Command, act: Act): void {
  command
    .argument('<bundle>', 'an audit bundle of the station')
    .requiredOption('--log <key>', 'the log\'s public key as the station showed it to you, or its file')
    .requiredOption('--name <name>', 'this witness\'s name, like audit.example.com/ada')
    .option('--state <dir>', 'where this witness keeps its key and what it saw (default: witness in the home)')
    .option('-o, --out <file>', 'where to write the cosigned checkpoint (default: SIZE.checkpoint here)')
    .action(act<Flags>(witness))
}

async function witness(call: Call, [bundle = '']: readonly string[], flags: Flags): Promise<Answer | Failure> {
  const state = resolve(flags.state ?? join(homeFolder(call), 'witness'))
  const given = await readLogKey(flags.log)
  if (failed(given)) return given
  const read = await readBundle(bundle, given)
  if (failed(read)) return read
  const { note, checkpoint, consistency, key: logKey } = read
  const seen = lastSeen(state, logKey)
  if (failed(seen)) return seen
  const refused = whyNot(seen, checkpoint, consistency)
  if (refused !== null) {
    const kept = keep(state, `${logId(logKey)}-refused-${checkpoint.size}.checkpoint`, note)
    return failed(kept) ? kept : refused
  }
  const signer = witnessKey(state)
  if (failed(signer)) return signer
  const text = parseNote(note)
  if (failed(text)) return text
  // Remembered before it is signed: a crash between the two leaves a checkpoint unsigned, never one forgotten.
  const kept = keep(state, `${logId(logKey)}.checkpoint`, note)
  if (failed(kept)) return kept
  const line = await cosign(text.text, flags.name, signer, Math.floor(realClock.wallMs() / 1000), call.signal)
  if (failed(line)) return line
  const out = resolve(flags.out ?? `${String(checkpoint.size).padStart(12, '0')}.checkpoint`)
  const written = await writeOutput(out, utf8(`${note}${line}`))
  if (written !== null) return written
  const own = noteKey(flags.name, signer.publicKey, 'cosignature')
  if (failed(own)) return own
  const since = seen === null ? 'It is the first of this log that this witness has seen.' : `It continues the one over ${seen.size} entries.`
  return {
    document: { log: logKey.name, size: checkpoint.size, root: toHex(checkpoint.root), before: seen?.size ?? null, witness: noteKeyText(own), file: out },
    words: `Cosigned the checkpoint over ${checkpoint.size} entries of ${logKey.name}. ${since}\n${out} goes back to the station ("slotwright log checkpoint --add"); this witness's key is\n${noteKeyText(own)}`,
  }
}

/** `key`: the log's, with those it handed over to. */
type Seen = Readonly<{ key: NoteKey; note: string; checkpoint: Checkpoint; consistency: ReadonlyMap<number, readonly Uint8Array[]> }>

async function readBundle(path: string, logKey: NoteKey): Promise<Seen | Failure> {
  const bytes = await readInput(path, 'bundle', bundleBytesMax)
  const files = failed(bytes) ? bytes : unpack(bytes)
  if (failed(files)) return files
  const verdict = await checkBundle(files, { trusted: [logKey], version, sha256 })
  if (failed(verdict)) return verdict
  if (!verdict.holds) return new Failure('bundle-does-not-hold', `${path} is not cosigned. ${verdict.says}`)
  const empty = new Uint8Array(0)
  const [manifest, proofs] = [parseManifest(files.get(names.manifest) ?? empty), parseProofs(files.get(names.proofs) ?? empty)]
  if (failed(manifest)) return manifest
  if (failed(proofs)) return proofs
  const note = new TextDecoder().decode(files.get(manifest.checkpoint))
  const key = trustWithin(logKey, parseLogKeys(new TextDecoder().decode(files.get(names.logKey))))
  const checkpoint = openCheckpoint(note, [key])
  return failed(checkpoint) ? checkpoint : { key, note, checkpoint, consistency: new Map(proofs.consistency.map(({ older, hashes }) => [older, hashes])) }
}

/** Why this checkpoint may not be signed after the one seen last; null when it may. */
function whyNot(seen: Checkpoint | null, next: Checkpoint, consistency: Seen['consistency']): Failure | null {
  if (seen === null) return null
  if (next.size < seen.size) return new Failure('log-forked', `This log has ${next.size} entries, but this witness has seen ${seen.size}: it was cut or replaced by an older copy. Nothing was signed; both checkpoints are kept as evidence.`)
  const proof = next.size === seen.size ? [] : consistency.get(seen.size)
  if (proof === undefined) return new Failure('no-consistency', `The bundle does not lead from the ${seen.size} entries this witness has seen to these ${next.size}. Have it exported anew with all checkpoints.`)
  if (verifyConsistency(seen, next, proof, sha256)) return null
  return new Failure('log-forked', `The log over ${next.size} entries does not continue the one over ${seen.size} that this witness has seen: it was rewritten. Nothing was signed; both checkpoints are kept as evidence.`)
}

function lastSeen(state: string, logKey: NoteKey): Checkpoint | null | Failure {
  const path = join(state, `${logId(logKey)}.checkpoint`)
  try {
    return existsSync(path) ? openCheckpoint(readFileSync(path, 'utf8'), [logKey]) : null
  } catch (error) {
    return diskFailure(error, path)
  }
}

const logId = (key: NoteKey): string => toHex(sha256(key.publicKey)).slice(0, 32)

function keep(state: string, name: string, note: string): null | Failure {
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 })
    writeDurably(join(state, name), note, 0o600)
    return null
  } catch (error) {
    return diskFailure(error, state)
  }
}

/** The witness's Ed25519 key; made on first use. */
function witnessKey(state: string): Signer | Failure {
  const path = join(state, 'witness-key.pem')
  try {
    mkdirSync(state, { recursive: true, mode: 0o700 })
    if (!existsSync(path)) writeDurably(path, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600)
    return ed25519Signer(createPrivateKey(readFileSync(path))) ?? new Failure('bad-key', `${path} is no Ed25519 key.`)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    return code.startsWith('ERR_') ? new Failure('bad-key', `${path} is no private key.`) : diskFailure(error, path)
  }
}
