// The two shelves of keys in a home: the ring, whose private halves rest here or in a token, and the public keys that were met.
import { Keyring } from '../keys/keyring.ts'
import { keysFolderOf, knownKeysFolderOf } from '../station/home.ts'
import type { Call } from './call.ts'
import { homeFolder } from './home.ts'

/** The home's ring. */
export function ringOf(call: Call): Keyring {
  return new Keyring(keysFolderOf(homeFolder(call)))
}

/** Public keys this home has met, whose private half rests elsewhere. */
export function knownKeysOf(call: Call): Keyring {
  return new Keyring(knownKeysFolderOf(homeFolder(call)))
}
