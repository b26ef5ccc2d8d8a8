// What vouches for a bundle's entries: the log's key, the checkpoint that covers them, older ones that it continues, those that
// an auditor took away, and witnesses' cosignatures. Whatever only claims to (a line in a witness's name) is told as that.
import { Failure } from '../base/failure.ts'
import { cosignatureNames, cosignedAt, noteKeyText, openCheckpoint } from '../log/checkpoint.ts'
import type { Checkpoint, NoteKey } from '../log/checkpoint.ts'
import { parseLogKeys, trustWithin } from '../log/handover.ts'
import { verifyConsistency } from '../log/proof.ts'
import type { Sha256 } from '../log/tree.ts'
import type { KnownHead } from '../log/verify.ts'
import type { Finding } from './finding.ts'
import { names } from './layout.ts'
import type { Manifest, Proofs } from './layout.ts'

type Files = ReadonlyMap<string, Uint8Array>

export function textIn(files: Files, name: string): string {
  return new TextDecoder().decode(files.get(name) ?? new Uint8Array(0))
}

/** The key to check with: the auditor's own, or, where there is none, the bundle's, which is said. */
export function chooseKey(files: Files, manifest: Manifest, trusted: readonly NoteKey[], findings: Finding[]): NoteKey | null {
  const own = parseLogKeys(textIn(files, names.logKey))
  const given = trusted.find(({ name }) => name === manifest.origin) ?? trusted[0]
  if (given !== undefined) {
    const chosen = trustWithin(given, own)
    if (given.name !== manifest.origin) findings.push({ is: 'broken', about: 'key', says: `No key you gave is that of this log, ${manifest.origin}. If you know its key from elsewhere than this bundle, give that too.` })
    else if (!(own instanceof Failure) && chosen !== own) findings.push({ is: 'broken', about: 'key', says: 'The bundle carries another log key than the one you trust.' })
    else findings.push({ is: 'holds', about: 'key', says: `Checked with the key you gave: ${given.name}.` })
    return chosen
  }
  if (own instanceof Failure) {
    findings.push({ is: 'broken', about: 'key', says: `The log's key in the bundle cannot be used: ${own.says}` })
    return null
  }
  if (own.name !== manifest.origin) findings.push({ is: 'broken', about: 'key', says: 'The key in the bundle is not that of the log the manifest names.' })
  findings.push({ is: 'note', about: 'key', says: `The log's key was taken from the bundle itself. Compare it with what the station shows: ${noteKeyText(own)}` })
  return own
}

/** The checkpoint that covers the entries; null, and said, where it cannot be trusted. */
export function openCovering(files: Files, manifest: Manifest, key: NoteKey, findings: Finding[]): Checkpoint | null {
  const opened = openCheckpoint(textIn(files, manifest.checkpoint), [key])
  const why = opened instanceof Failure ? opened.says : opened.origin !== key.name ? 'It is of another log.' : opened.size < manifest.to ? 'It does not cover the entries.' : null
  if (opened instanceof Failure || why !== null) {
    findings.push({ is: 'broken', about: 'checkpoint', says: `The checkpoint ${manifest.checkpoint} cannot be trusted. ${why ?? ''}` })
    return null
  }
  findings.push({ is: 'holds', about: 'checkpoint', says: `The log signed its root over ${opened.size} entries.` })
  return opened
}

/** Those that the auditor trusts must have cosigned; a line of anybody else is told as what it is: a name. */
export function checkWitnesses(note: string, key: NoteKey, witnesses: readonly NoteKey[], findings: Finding[]): void {
  const others = cosignatureNames(note, key).filter((name) => !witnesses.some((witness) => witness.name === name))
  if (others.length > 0) findings.push({ is: 'note', about: 'witness', says: `The checkpoint has lines in the name of ${others.slice(0, 5).join(', ')} that nobody checked: give their key as a witness's to have that done.` })
  for (const witness of witnesses) {
    const seconds = cosignedAt(note, witness)
    if (seconds === null) findings.push({ is: 'broken', about: 'witness', says: `The witness ${witness.name} has not cosigned this checkpoint.` })
    else findings.push({ is: 'holds', about: 'witness', says: `The witness ${witness.name} cosigned it at ${new Date(seconds * 1000).toISOString()}.` })
  }
}

/** Older checkpoints whose signature holds; those that end outside the range are shown to be its past by the proofs. */
export function openOlder(files: Files, manifest: Manifest, key: NoteKey, covering: Checkpoint, proofs: Proofs, sha256: Sha256, findings: Finding[]): KnownHead[] {
  const bySize = new Map(proofs.consistency.map(({ older, hashes }) => [older, hashes]))
  const heads: KnownHead[] = []
  let held = 0
  for (const name of files.keys()) {
    if (!name.startsWith('checkpoints/') || name === manifest.checkpoint) continue
    const opened = openCheckpoint(textIn(files, name), [key])
    const hashes = opened instanceof Failure ? undefined : bySize.get(opened.size)
    const why = opened instanceof Failure ? opened.says
      : opened.origin !== key.name ? 'It is of another log.'
        : hashes === undefined ? 'Nothing leads from it to the covering checkpoint.'
          : verifyConsistency(opened, covering, hashes, sha256) ? null : `The log over ${covering.size} entries does not continue it: an entry before ${opened.size} was changed, removed or inserted.`
    if (opened instanceof Failure || why !== null) findings.push({ is: 'broken', about: 'checkpoint', says: `The checkpoint ${name} does not hold. ${why ?? ''}` })
    else {
      held += 1
      heads.push({ size: opened.size, root: opened.root, calledIn: name })
    }
  }
  if (held > 0) findings.push({ is: 'holds', about: 'checkpoint', says: `${held} older checkpoint${held === 1 ? ' is' : 's are'} the beginning of the same log.` })
  return heads
}

/**
 * Checkpoints that left the house, held against the bundle: those over the same entries and those that its proofs lead from
 * here, those that end within the range (`within`) by the walk over its entries. A younger one than the bundle's shows nothing.
 */
export function checkKept(kept: ReadonlyMap<string, string>, key: NoteKey, covering: Checkpoint, { from, to }: Manifest, proofs: Proofs, sha256: Sha256, findings: Finding[]): { within: KnownHead[] } {
  const bySize = new Map(proofs.consistency.map(({ older, hashes }) => [older, hashes]))
  const within: KnownHead[] = []
  for (const [name, note] of kept) {
    const opened = openCheckpoint(note, [key])
    if (opened instanceof Failure || opened.origin !== key.name) {
      findings.push({ is: 'broken', about: 'kept', says: `Your checkpoint ${name} is not one of this log. ${opened instanceof Failure ? opened.says : ''}` })
      continue
    }
    const hashes = opened.size === covering.size ? [] : bySize.get(opened.size)
    const inRange = opened.size >= from && opened.size <= to
    if (hashes !== undefined) {
      const holds = verifyConsistency(opened, covering, hashes, sha256)
      findings.push(holds ? { is: 'holds', about: 'kept', says: `The log continues your checkpoint ${name}, over ${opened.size} entries.` }
        : { is: 'broken', about: 'kept', says: `The log over ${covering.size} entries does not continue your checkpoint ${name} over ${opened.size}: it was rewritten, or an older copy was put in its place.` })
    } else if (inRange) {
      within.push({ size: opened.size, root: opened.root, calledIn: `your checkpoint ${name}` })
      findings.push({ is: 'note', about: 'kept', says: `Your checkpoint ${name}, over ${opened.size} entries, is held against the entries themselves.` })
    } else findings.push({ is: 'note', about: 'kept', says: `Your checkpoint ${name} is over ${opened.size} entries, the bundle's over ${covering.size}, and nothing in it leads from the one to the other. Have the log exported anew with all its checkpoints.` })
  }
  return { within }
}
