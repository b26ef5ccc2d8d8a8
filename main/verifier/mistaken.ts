// What people give a verifier that is no bundle: another file, or a bundle that a browser or a person has unpacked. Said as
// that, since "damaged" would send them looking for an attacker.
import { Failure } from '../base/failure.ts'

/** Files that lie at the top of every bundle. */
const ofBundle = ['manifest.json', 'entries.jsonl']

/** Why these bytes cannot be a bundle; null where they may be. */
export function noBundle(name: string, bytes: Uint8Array): Failure<'no-bundle'> | null {
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return null
  const part = ofBundle.includes(name) ? ' It is a part of one.' : ''
  return new Failure('no-bundle', `${name} is no audit bundle.${part} Give the .zip as the station saved it, or its slotwright.db.`)
}

/** Whether files of these names are an unpacked bundle, and what to do then. */
export function unpackedBundle(names: readonly string[], where: string): Failure<'unpacked-bundle'> | null {
  if (!ofBundle.every((name) => names.includes(name))) return null
  return new Failure('unpacked-bundle', `${where} an audit bundle that was unpacked. Give the .zip as it came; some browsers unpack what they download, and then the .zip is in the bin or the download folder.`)
}
