// The byte pipe one SMP conversation needs. A serial port, a practice wire and the simulator's wire all look like this;
// the conversation knows nothing else of them.
import type { Failure } from '../base/failure.ts'

/** Modem lines by their names on the connector; true: asserted (low on the wire of most adapters). */
export type PortLines = Readonly<{ dtr?: boolean; rts?: boolean }>

export interface Link {
  /** How this link is called in sentences for people, e.g. `/dev/ttyACM0`. */
  readonly name: string
  /** Hands the bytes over whole; resolves when the system has taken them (not when the board has). */
  write(bytes: Uint8Array): Promise<void | Failure>
  /** Calls back with every piece that arrives, cut anywhere. The returned function ends the listening. */
  onBytes(listener: (bytes: Uint8Array) => void): () => void
  /** Calls back once when the far side is gone (kind `unplugged`) or the port fails; at once if it already has, and never from within a `write`. */
  onClosed(listener: (why: Failure) => void): () => void
  /**
   * Sets lines of the port beside its data; those not named stay. Absent where a link has none. Failure kind `no-lines`: this
   * port cannot set them (a pseudo-terminal, a driver that refuses).
   */
  setLines?(lines: PortLines): Promise<void | Failure>
  /** Gives the port back; safe to call twice. Does not call `onClosed`. */
  close(): Promise<void>
}
