// `-H auto`: the header size a Cortex-M firmware needs, read from its vector table (Armv7-M B1.5.3, Armv8-M B3.30): the
// table must lie on a power of two no smaller than itself, and the header goes right before it. Firmware linked with room
// begins with zeros; firmware linked without begins with the table.
import { viewOf } from '../base/bytes.ts'
import { Failure } from '../base/failure.ts'
import { HEADER_BYTES_MAX } from './format.ts'

export type HeaderRoom = Readonly<{
  headerBytes: number
  /** The firmware leaves no room: sign with `--pad-header`. */
  padHeader: boolean
  /** Vectors counted, system exceptions included. */
  vectors: number
}>

const systemVectors = 16
const vectorsMax = 16 + 496
/** VTOR's lowest bits are fixed on every Cortex-M. */
const alignmentMin = 128

/** The header size for this firmware, or `no-vector-table` when it has none we can recognise. */
export function headerRoom(firmware: Uint8Array): HeaderRoom | Failure<'no-vector-table'> {
  const at = firmware.subarray(0, HEADER_BYTES_MAX + 1).findIndex((byte) => byte !== 0)
  // The table begins with the stack pointer, whose low bytes may be zero too.
  const tableAt = at < 0 ? -1 : Math.floor(at / alignmentMin) * alignmentMin
  const vectors = tableAt < 0 ? 0 : countVectors(firmware.subarray(tableAt))
  if (vectors < systemVectors) {
    return new Failure('no-vector-table', 'No Cortex-M vector table stands at the start of this firmware, so the header size cannot be told from it. Give --header-size as your board’s configuration has it (CONFIG_ROM_START_OFFSET in Zephyr).', { offset: Math.max(0, tableAt) })
  }
  const alignment = Math.max(alignmentMin, 2 ** Math.ceil(Math.log2(vectors * 4)))
  if (tableAt > 0) return { headerBytes: tableAt, padHeader: false, vectors }
  return { headerBytes: alignment, padHeader: true, vectors }
}

// A stack pointer in RAM, a Thumb reset vector, and then vectors into the same memory as the reset code, or 0.
function countVectors(table: Uint8Array): number {
  if (table.length < systemVectors * 4) return 0
  const view = viewOf(table)
  const stack = view.getUint32(0, true)
  const reset = view.getUint32(4, true)
  const inRam = stack >= 0x10000000 && stack < 0x40000000 && stack % 4 === 0
  if (!inRam || (reset & 1) === 0 || reset >= 0x40000000) return 0
  const memory = reset >>> 24
  const count = Math.min(vectorsMax, Math.floor(table.length / 4))
  for (let i = 1; i < count; i++) {
    const vector = view.getUint32(4 * i, true)
    const plausible = vector === 0 || ((vector & 1) === 1 && vector >>> 24 === memory)
    if (!plausible) return i
  }
  return count
}
