// What one command is given and what it gives back. A command never prints its result and never ends the process: it
// returns an Answer or a Failure, and `program.ts` alone turns these into stdout, stderr and an exit code.
import type { Command } from 'commander'
import type { Failure } from '../base/failure.ts'
import type { PersonRole } from '../contract/roles.ts'
import type { Paint, Writer } from './terminal.ts'

/** The world around the process, handed in so that the tests can put another one there. */
export type Surroundings = Readonly<{
  env: Readonly<Record<string, string | undefined>>
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  /** Aborted by the first Ctrl+C: what runs ends as stopped. */
  signal: AbortSignal
  /** The built entry of the tokens' process; without it there are no keys in hardware. */
  tokenEntry?: string
}>

/** The signed-in person of one call. */
export type CallActor = Readonly<{ account: string; person: string; role: PersonRole }>

/** One call of the command line. */
export type Call = Surroundings & Readonly<{
  /** `--json`: one document (or one object a line) on stdout, words on stderr. */
  json: boolean
  /** `--home DIR`, else SLOTWRIGHT_HOME, else null for the platform's own folder. */
  home: string | null
  out: Writer
  err: Writer
  paint: Paint
  /** Who was proven with `--as`; null while nobody has an account. */
  actor: CallActor | null
  /** Name and PIN, for a station that this call opens. */
  as: Readonly<{ name: string; pin: string }> | null
  /** Words for the person that are not the result: progress, warnings, hints. Always on stderr. */
  tell(words: string): void
  /** One object of a stream, at once, on stdout; only under `--json`. */
  emit(object: unknown): void
}>

/** What a command has to say at its end. */
export type Answer = Readonly<{
  /** The whole result under `--json`; leave out when the command streamed its objects. */
  document?: unknown
  /** The same for a reader; printed to stdout without `--json`. */
  words?: string
  /** Raw bytes for stdout instead of words (a key in `raw` encoding). Ignored under `--json`. */
  bytes?: Uint8Array
  /** False when the work was done and its outcome is bad: exit 1. */
  good?: boolean
}>

export type Handler<O> = (call: Call, args: readonly string[], options: O) => Promise<Answer | Failure>

/** Turns a handler into commander's action. */
export type Act = <O extends object>(handler: Handler<O>) => (...args: unknown[]) => Promise<void>

/** What a command's file exports: it adds arguments, options and action to its own line of the table. */
export type Declare = (command: Command, act: Act) => void

/** Kind of a failure that is wrong usage beyond what commander can see: exit 2. */
export const usageKind = 'usage'
