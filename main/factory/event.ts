// An event as the factory gets it: one entry of the log in an envelope. Its id is the entry's leaf hash (RFC 6962), so it is
// the same however often it is sent, and a receiver can later ask for the proof that it stands in the log.
import { toHex } from '../base/bytes.ts'
import type { Failure } from '../base/failure.ts'
import type { Entry } from '../log/entry.ts'

/** What is told of which entry. */
const typeOf = {
  'batch-started': 'batch.started', 'batch-ended': 'batch.ended', outcome: 'run.ended',
  refusal: 'refusal', 'preflight-refused': 'refusal', 'image-refused': 'refusal', 'package-refused': 'refusal',
} as const

export type EventType = (typeof typeOf)[keyof typeof typeOf] | 'checkpoint' | 'test'

export const toldKinds: readonly string[] = Object.keys(typeOf)

export type FactoryEvent = Readonly<{
  id: string
  type: EventType
  /** Wall time of the entry, ISO 8601 in UTC. */
  timestamp: string
  station: string
  /** Number of the entry; of a checkpoint, how many entries it covers. */
  entry: number
  /** As the log has it: a pseudonym where one is set, empty when the station acted by itself. */
  person: string
  kind: string
  data: unknown
}>

export function eventOf(entry: Entry, leaf: Uint8Array): FactoryEvent {
  const { time, station, seq, person, kind, data } = entry
  return { id: toHex(leaf), type: typeOf[kind as keyof typeof typeOf] ?? 'refusal', timestamp: time, station, entry: seq, person, kind, data }
}

/** A signed checkpoint; `note` is the whole signed note (C2SP). */
export function checkpointEvent({ size, root, origin, note }: Readonly<{ size: number; root: Uint8Array; origin: string; note: string }>, at: Readonly<{ timestamp: string; station: string }>): FactoryEvent {
  return { id: `checkpoint-${size}-${toHex(root).slice(0, 32)}`, type: 'checkpoint', ...at, entry: size, person: '', kind: 'checkpoint', data: { size, root: toHex(root), origin, note } }
}

/** Takes one event and gives null when it lies safely with the receiver. Kinds of failure: see `sinkKinds`. */
export type Sink = Readonly<{ deliver(event: FactoryEvent, signal: AbortSignal): Promise<Failure | null>; close(): void }>

/** `receiver-away`: not reached; `receiver-errs`: reached, and it could not; `receiver-refuses`: it will never take this event. */
export const sinkKinds = ['receiver-away', 'receiver-errs', 'receiver-refuses'] as const
