// What one run of the bootloader says and ends in, whichever of its ways it goes.
import type { SlotHeader } from './slot-image.ts'
import type { SwapType } from './trailer.ts'

/** One console line and how much flash work had been done when it was printed. */
export type BootLine = Readonly<{ afterMs: number; text: string }>

/** What runs now: hash and version as the image states them. */
export type Running = Readonly<{ hash: Uint8Array; version: string; header: SlotHeader; slot: 0 | 1 }>

export type BootResult = Readonly<{
  /** null: nothing bootable in the primary slot; the board stays silent until it is flashed anew. */
  running: Running | null
  swapped: SwapType
  lines: readonly BootLine[]
}>

export type Say = (text: string) => void
