// What the signing desk and the tokens beside it stand on.
import type { Clock } from '../base/clock.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Tokens } from '../keys/pkcs11-tokens.ts'
import type { OpenFiles } from './files.ts'
import type { OpenFirmwareKeys } from './firmware-keys.ts'
import type { Logbook } from './logbook.ts'

export type DeskWorld = Readonly<{
  keyring: Keyring
  /** Public keys whose private half rests elsewhere: images are verified with them, nothing is signed. */
  known?: Keyring
  /** Keys in hardware; null where this program has no process for them. */
  tokens?: Tokens | null
  files: OpenFiles
  /** Firmware keys that somebody has opened here. */
  firmwareKeys?: OpenFirmwareKeys
  log: Logbook
  /** The machine's own unless a simulation winds one. */
  clock?: Clock
}>
