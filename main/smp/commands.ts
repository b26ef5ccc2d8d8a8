// What an SMP command is here: a pair of shapes, the arguments as they go out and the reply as it must come back.
// One constant per command, one file per group (os.ts, image.ts). The numbers are Zephyr's
// (include/zephyr/mgmt/mcumgr/mgmt/mgmt_defines.h); groups without a file yet keep their number here.
import type { Failure } from '../base/failure.ts'
import type { CborMap } from './message.ts'

/** Management groups by number. */
export const smpGroup = {
  os: 0,
  image: 1,
  statistics: 2,
  settings: 3,
  log: 4,
  crash: 5,
  split: 6,
  run: 7,
  files: 8,
  shell: 9,
  enumeration: 10,
  zephyr: 63,
  /** First number free for an application's own group. */
  user: 64,
} as const

export type SmpCommand<Args, Reply> = Readonly<{
  /** For sentences: `image state`. */
  name: string
  group: number
  command: number
  op: 'read' | 'write'
  /** Request body, keys in the protocol's order. */
  encode(args: Args): CborMap
  /** The reply's body, checked. Only called when the board reported no error. Failure kind `garbled`. */
  decode(body: CborMap): Reply | Failure<'garbled'>
}>

/** A reply that carries nothing. */
export type Nothing = Readonly<Record<never, never>>
export const nothing: Nothing = {}
