// After each stage of the recorded story the practice board's flash holds the bytes that MCUboot left in its own: header,
// trailer, and the number of written bytes, which pins swap status and the remains of moved sectors.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FlashArea } from '../../main/practice/flash.ts'
import { recordedRig } from '../../main/practice/profiles.ts'
import { asHex, tellStory } from './story.ts'
import { imageA, publicKey, rigWith } from './rig.ts'
import type { SignedBy } from './rig.ts'

type AreaDump = { header_32: string; last_64_bytes: string; non_ff_bytes: number; non_ff_in_last_8k_before_trailer_64: number }
type Stage = { stage: string; slot0: AreaDump; slot1: AreaDump; scratch: AreaDump }

/** The exchange of the story after which each dump was taken. */
const takenAfter: Readonly<Record<string, string>> = {
  'start: 1.0.0 in slot0, slot1 erased': 'start/state',
  'after state writes on an empty slot1': 'empty/state-after',
  'wrong sha upload finished': 'wrongsha/state',
  '1.1.0 uploaded to slot1, not marked': 'good/state',
  '1.1.0 marked for test': 'good/state-pending',
  'after swap: 1.1.0 in slot0, unconfirmed': 'test/state-after-swap',
  'after those, before the reset that reverts': 'test/state-2',
  'after revert: 1.0.0 back in slot0': 'revert/state',
  'confirmed 1.1.0': 'confirm/state-confirmed',
  'after the reset following confirm': 'confirm/state-after-2nd-reset',
  '1.0.0 in slot1 marked permanent': 'perm/state',
  'after the permanent swap': 'perm/state-after',
  'image signed with another key, after the bootloader refused it': 'wrongkey/state-after',
}

function written(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + (byte === 0xff ? 0 : 1), 0)
}

function dump(area: FlashArea): AreaDump {
  const end = area.sizeBytes
  return {
    header_32: asHex(area.read(0, 32)),
    last_64_bytes: asHex(area.read(end - 64, 64)),
    non_ff_bytes: written(area.read(0, end)),
    non_ff_in_last_8k_before_trailer_64: written(area.read(end - 8192, 8192 - 64)),
  }
}

test.each([['swap-move', 'ecdsa-p256'], ['swap-scratch', 'ed25519']] as const)('%s with %s leaves the flash MCUboot left', async (mode, by: SignedBy) => {
  const { stages } = JSON.parse(readFileSync(new URL(`../vectors/mcuboot/flash-${mode}.json`, import.meta.url), 'utf8')) as { stages: Stage[] }
  const rig = await rigWith({ profile: { ...recordedRig, mode }, firmware: imageA(by), trust: [publicKey(`board-${by}`)] })
  const scratch = new FlashArea(rig.board.flash, 'scratch', recordedRig.scratch.address, recordedRig.scratch.sizeBytes)
  const pick = ({ header_32, last_64_bytes, non_ff_bytes, non_ff_in_last_8k_before_trailer_64 }: AreaDump) => ({
    header_32, last_64_bytes, non_ff_bytes, non_ff_in_last_8k_before_trailer_64,
  })
  let compared = 0
  await tellStory(rig, {
    file: 'update-swap-move',
    signedBy: by,
    heard({ exchange }) {
      for (const stage of stages.filter((each) => takenAfter[each.stage] === exchange.name)) {
        compared++
        const { primary, secondary } = rig.board.slots
        expect({ stage: stage.stage, slot0: dump(primary.area), slot1: dump(secondary.area), scratch: dump(scratch) })
          .toEqual({ stage: stage.stage, slot0: pick(stage.slot0), slot1: pick(stage.slot1), scratch: pick(stage.scratch) })
      }
    },
  })
  expect(compared).toBe(stages.length)
})
