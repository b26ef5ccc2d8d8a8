// Public keys whose private half rests elsewhere: a PEM file somebody signed with, or a key named for a batch. The station
// remembers them in the home, so that it can prove the images they sign; they sign nothing here.
import { basename } from 'node:path'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { checkName } from '../keys/keyring.ts'
import type { KeyEntry, Keyring } from '../keys/keyring.ts'
import type { NamedKey } from './keys.ts'

/** Remembers a key under its file's name; one that is known already is left as it is. Kinds: of `Keyring.know`. */
export async function rememberKey(known: Keyring, key: Pick<NamedKey, 'publicKey' | 'path' | 'class' | 'fingerprint'>): Promise<KeyEntry | Failure> {
  const entries = await known.list()
  if (failed(entries)) return entries
  const there = entries.find((entry) => entry.fingerprint === key.fingerprint)
  if (there !== undefined) return there
  const stem = basename(key.path ?? '').replace(/\.[A-Za-z0-9]+$/, '')
  const short = key.fingerprint.slice(0, 8)
  const name = checkName(stem) === null && entries.every((entry) => entry.name !== stem) ? stem : `key-${short}`
  return known.know(name, key.publicKey, key.class)
}
