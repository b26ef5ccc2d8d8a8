// What an engineer asks beside running batches: what a recipe would do to the boards attached now, one board's console, and
// what a failure means. Argument schemas and views; nothing here changes a board but the console commands that say so.
import { z } from 'zod'
import type { FailureView, SaidView } from './failure-view.ts'

const word = z.string().min(1).max(128)

/**
 * What may be asked on the console of one board. `reset` and `shell` change the board (or may) and are logged before and
 * after; `listen` sends nothing at all.
 */
export const consoleCommand = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('echo'), text: z.string().max(256) }),
  z.strictObject({ do: z.literal('params') }),
  /** As uname: letters pick fields, `a` all. */
  z.strictObject({ do: z.literal('info'), format: z.string().regex(/^[snrvbmpioa]{1,10}$/).default('a') }),
  z.strictObject({ do: z.literal('images') }),
  z.strictObject({ do: z.literal('statistics'), group: z.string().min(1).max(64) }),
  z.strictObject({ do: z.literal('setting'), name: word }),
  z.strictObject({ do: z.literal('file'), path: word }),
  z.strictObject({ do: z.literal('shell'), argv: z.array(word).min(1).max(16) }),
  z.strictObject({ do: z.literal('reset') }),
  z.strictObject({ do: z.literal('listen') }),
])
export type ConsoleCommand = z.output<typeof consoleCommand>

/** Seconds to go on listening after the answer, or at all. */
export const listenSeconds = z.number().int().min(0).max(120)

export type ConsoleLineView = Readonly<{
  /** Seconds since the command was sent. */
  seconds: number
  /** Bytes that were no SMP, as text: what cannot be shown is `·`. */
  text: string
}>

export type ConsoleAnswerView = Readonly<{
  port: string
  /** The board's answer in lines; empty where only listening was asked for. */
  answer: readonly string[]
  /** When the answer came, in seconds since the command was sent. */
  answeredSeconds: number
  /** Why there is no answer; the lines heard count all the same. */
  failure: FailureView | null
  /** What it wrote on its console meanwhile, the oldest first; the last 500 lines. */
  heard: readonly ConsoleLineView[]
  seconds: number
}>

/** One line of a console that is being listened to. */
export type ConsoleHeardView = Readonly<{ port: string; line: ConsoleLineView }>

/** What would be done to one board, by its own answers just now. */
export type PreviewBayView = Readonly<{
  bay: number
  board: string
  port: string
  /**
   * `update`: these steps; `unchanged`: it runs the image for good; `clear`: these steps first, and then it is asked anew;
   * `refused`: nothing is sent to it, and why; `silent`: it could not be asked.
   */
  will: 'update' | 'unchanged' | 'clear' | 'refused' | 'silent'
  steps: readonly SaidView[]
  /** Half a sentence on why steps come first that are no part of the recipe. */
  because: SaidView | null
  /** Something that the person should know and that keeps nothing from going on. */
  note: SaidView | null
  failure: FailureView | null
  /** What it runs now; null where it does not say. */
  runs: string | null
}>

/** `failure`: why no board would be asked at all; then there are no bays. */
export type PreviewView = Readonly<{ failure: FailureView | null; version: string | null; bays: readonly PreviewBayView[]; seconds: number }>

/** A way in which something fails, for people: what lies behind it, what shows it, what to do. */
export type FailureEntryView = Readonly<{
  /** Its own name: a failure's kind (`no-return`) or a board's code (`image:9`). */
  id: string
  of: 'run' | 'code'
  /** The group of a board's code as people call it (`image`); empty for a failure of a run. */
  group: string
  code: number | null
  /** Zephyr's name of a code; null for a failure of a run. */
  name: string | null
  title: string
  cause: string
  evidence: string
  next: string
}>

