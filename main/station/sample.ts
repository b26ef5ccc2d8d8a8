// Firmware for practice boards, made when it is needed: a Cortex-M vector table in front, the version in words, and bytes
// that follow from the version alone, so that the same version is the same image on every station. It is never run.
import { utf8, viewOf } from '../base/bytes.ts'

export const practiceVersions = { factory: '1.0.0', update: '1.1.0' } as const

/** Firmware size: large enough to watch its upload, small enough not to wait. */
const firmwareBytes = 96 * 1024
const stackTop = 0x2004_0000
const resetVector = 0x0000_c401

/** The practice firmware of that version, without header and signature. */
export function practiceFirmware(version: string): Uint8Array {
  const bytes = new Uint8Array(firmwareBytes)
  const view = viewOf(bytes)
  // xorshift32 (Marsaglia 2003), seeded by the version's letters.
  let state = utf8(version).reduce((sum, letter) => Math.imul(sum ^ letter, 0x0100_0193) >>> 0, 0x811c_9dc5)
  for (let at = 0; at < firmwareBytes; at += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    view.setUint32(at, state >>> 0, true)
  }
  view.setUint32(0, stackTop, true)
  view.setUint32(4, resetVector, true)
  bytes.set(utf8(`Slotwright practice firmware ${version}\0`), 64)
  return bytes
}
