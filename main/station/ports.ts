// Where boards are plugged in, as the station needs it: a list that changes and a way to open one. The real one stands on
// the link room (serial.ts, ports.ts); simulations bring their own. A board is known by its serial number, never by
// the name of its port, since a board that re-enumerates may come back under another name.
import type { Failure } from '../base/failure.ts'
import type { BoardProfile, LineStep } from '../line/profile.ts'
import type { Link } from '../smp/link.ts'

/** One attached port. */
export type Port = Readonly<{
  /** What `open` takes, e.g. `/dev/ttyACM0`. */
  path: string
  /**
   * Who is plugged in: the serial number, with its place where two boards claim the same one, and the place alone where
   * the port tells no serial number. This is the board's name in the log.
   */
  unit: string
  /** USB serial number or practice serial; null where the port tells none. */
  serial: string | null
  /** Number of its place on the fixture, from 1, where the port knows it; else the fleet gives one. */
  bay: number | null
  /** USB hub path: the same for whatever is plugged in there. */
  place: string | null
  maker: string | null
  /** `vendor:product`, hex; null for anything that is no USB device. */
  usb: string | null
  practice: boolean
}>

/** How a port is to be opened; what is left out is as the station has it, and lines as the system leaves them. */
export type PortHow = Readonly<{
  baudRate?: number
  dtr?: boolean
  rts?: boolean
  /** Done with the lines by whoever opened the port, once; a `Ports` does not look at it. */
  steps?: readonly LineStep[]
}>

/** What a profile says of the port. */
export function portHow({ baudRate, dtr, rts, openSteps }: Pick<BoardProfile, 'baudRate' | 'dtr' | 'rts' | 'openSteps'>): PortHow {
  return { ...(openSteps.length === 0 ? {} : { steps: openSteps }), ...(baudRate === null ? {} : { baudRate }), ...(dtr === null ? {} : { dtr }), ...(rts === null ? {} : { rts }) }
}

export interface Ports {
  /** What is attached now. */
  list(): readonly Port[]
  /** Calls back after every change of `list`. The returned function ends it. */
  onChange(listener: () => void): () => void
  /**
   * Failures say what to do: no such port, held by another program, no permission. With `unit`, `not-there` unless that board
   * is behind the name: names are given out again while boards restart, faster than the list can follow.
   */
  open(path: string, how?: PortHow, unit?: string): Promise<Link | Failure>
  /** Also watch a folder of practice boards, until the returned function is called. */
  addFolder(folder: string): Promise<Failure | (() => Promise<void>)>
  /** Ends all watching; open links are not its to close. */
  close(): Promise<void>
}

/** Waits until this unit is attached, wherever that is. Null when the signal is aborted first. */
export function portOf(ports: Pick<Ports, 'list' | 'onChange'>, unit: string, signal: AbortSignal): Promise<Port | null> {
  const here = () => ports.list().find((port) => port.unit === unit) ?? null
  const now = here()
  if (now !== null || signal.aborted) return Promise.resolve(now)
  return new Promise((resolve) => {
    const settle = (port: Port | null) => {
      stopListening()
      signal.removeEventListener('abort', giveUp)
      resolve(port)
    }
    const giveUp = () => settle(null)
    const stopListening = ports.onChange(() => {
      const port = here()
      if (port !== null) settle(port)
    })
    signal.addEventListener('abort', giveUp, { once: true })
  })
}
