// DTR and RTS of an open port. What surprised us: the serialport package sets every line in one call and puts those that
// are left out back to its own default (DTR and RTS asserted, as opening leaves them), so what was set before must be
// remembered and said again, or setting RTS would let DTR go. Left out, `lowLatency` would be taken from adapters that have it.
import { Failure } from '../base/failure.ts'
import type { PortLines } from '../smp/link.ts'

export type AllLines = Readonly<{ dtr: boolean; rts: boolean; brk: boolean; cts: boolean; dsr: boolean; lowLatency: boolean }>

/** How the lines of one port stand; opening asserts both. */
export class LineState {
  #dtr = true
  #rts = true

  /** Sets the named lines and leaves the others. Failure kind `no-lines`. */
  async set(port: string, { dtr = this.#dtr, rts = this.#rts }: PortLines, tell: (lines: AllLines) => Promise<void>): Promise<void | Failure> {
    try {
      await tell({ dtr, rts, brk: false, cts: false, dsr: false, lowLatency: true })
    } catch (error) {
      return new Failure('no-lines', `${port} cannot set DTR and RTS (${(error as Error).message.replace(/^Error:? */, '')}). Use a port whose adapter has these lines, or another way into recovery.`, { port })
    }
    this.#dtr = dtr
    this.#rts = rts
  }
}
