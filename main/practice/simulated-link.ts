// The station's end of a practice board without any operating system between them: a Link for simulations under a
// hand-wound clock, paced like a real cable.
import type { Clock } from '../base/clock.ts'
import { Failure } from '../base/failure.ts'
import type { Link } from '../smp/link.ts'
import type { Board } from './board.ts'
import { PacedWire } from './wire.ts'
import type { Baud } from './wire.ts'

export type SimulatedLink = Link & Readonly<{
  /** Pulls the cable; the board loses its power unless it has its own. */
  unplug(): void
}>

/** A cable to that board. Takes the board's transmit side; the board's own `unplugged` event should call `unplug`. */
export function simulatedLink(board: Board, options: Readonly<{ clock: Clock; baud: Baud; name?: string }>): SimulatedLink {
  const { clock, baud } = options
  const name = options.name ?? board.serial
  const listeners = new Set<(bytes: Uint8Array) => void>()
  const closers = new Set<(why: Failure) => void>()
  let gone: Failure | null = null
  let open = true
  const toBoard = new PacedWire(clock, baud, (bytes, atMs) => board.receive(bytes, atMs))
  const toHost = new PacedWire(clock, baud, (bytes) => {
    for (const listener of [...listeners]) listener(bytes)
  })
  board.onTransmit((bytes, fromMs) => toHost.push(bytes, fromMs))
  const drop = () => {
    toBoard.clear()
    toHost.clear()
    listeners.clear()
  }
  return {
    name,
    write(bytes) {
      if (gone) return Promise.resolve(gone)
      if (!open) return Promise.resolve(new Failure('closed', `${name} is closed.`))
      toBoard.push(bytes.slice())
      return Promise.resolve()
    },
    onBytes(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    onClosed(listener) {
      if (gone) listener(gone)
      else closers.add(listener)
      return () => closers.delete(listener)
    },
    close() {
      open = false
      closers.clear()
      drop()
      return Promise.resolve()
    },
    unplug() {
      if (gone) return
      gone = new Failure('unplugged', `${name} was unplugged.`)
      drop()
      board.powerOff()
      for (const closer of [...closers]) closer(gone)
      closers.clear()
    },
  }
}
