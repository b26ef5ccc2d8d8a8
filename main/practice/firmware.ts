// What the image that runs on a practice board does. The payloads are not executed, of course: an image is healthy
// unless the board has been given a fault, and only an image that is not the one from the factory has it, so that a
// revert always brings a healthy board back.
import { sameBytes } from '../base/bytes.ts'
import type { Running } from './boot-words.ts'
import type { Fault } from './faults.ts'

export type Firmware = Readonly<{
  /** False: it hangs before its console is up. */
  answers: boolean
  selfTestPasses: boolean
  echo: (text: string) => string
}>

const healthy: Firmware = { answers: true, selfTestPasses: true, echo: (text) => text }
const hanging: Firmware = { answers: false, selfTestPasses: false, echo: (text) => text }
/** What a self-test that found a dead sensor might say instead of what it was told. */
const failing: Firmware = { answers: true, selfTestPasses: false, echo: () => 'self-test failed: sensor 2 does not answer' }

/** Behaviour of the image now running on a board with that fault. */
export function firmwareOf(running: Running, factoryHash: Uint8Array, fault: Fault | null): Firmware {
  if (fault === null || sameBytes(running.hash, factoryHash)) return healthy
  if (fault.is === 'hangs') return hanging
  if (fault.is === 'fails-proof') return failing
  return healthy
}
