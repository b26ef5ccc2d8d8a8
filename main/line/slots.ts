// Reading a list of slots: which image runs, which waits, and what the board will do at its next restart. The rules are
// MCUboot's (bootutil_public.c, boot_swap_type) as Zephyr's image list shows them (vectors/smp/update-*.jsonl).
import { failed } from '../base/failure.ts'
import { checkVersion } from '../image/version.ts'
import type { ImageVersion } from '../image/version.ts'
import type { SlotSays } from './state.ts'

/** A version as boards list it: `1.1.0`, and `1.1.0.7` when it has a build number (Zephyr's img_mgmt_ver_str). */
export function listedVersion(version: ImageVersion): string {
  const { major, minor, revision, build } = version
  return `${major}.${minor}.${revision}${build === 0 ? '' : `.${build}`}`
}

/** The four numbers of a listed version; null when the board wrote something else. */
export function parseListedVersion(text: string): ImageVersion | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\.(\d{1,10}))?$/.exec(text)
  if (match === null) return null
  const [major, minor, revision, build] = match.slice(1).map((digits) => Number(digits ?? 0)) as [number, number, number, number]
  const version = checkVersion({ major, minor, revision, build })
  return failed(version) ? null : version
}

/**
 * The running image of that number. Older servers call only the application's image active (img_mgmt_state.c before
 * Zephyr 3.5); of any other number what runs then lies in its first slot.
 */
export function activeSlot(slots: readonly SlotSays[], image = 0): SlotSays | null {
  const active = slots.find((slot) => slot.image === image && slot.active)
  return active ?? (image === 0 ? null : slots.find((slot) => slot.image === image && slot.slot === 0) ?? null)
}

/** The other slot of that image, where it holds something that parses. */
export function waitingSlot(slots: readonly SlotSays[], image = 0): SlotSays | null {
  const active = activeSlot(slots, image)
  return slots.find((slot) => slot.image === image && !slot.active && slot !== active) ?? null
}

/** True when both lists say the same: nothing happened in between. */
export function sameSlots(a: readonly SlotSays[], b: readonly SlotSays[]): boolean {
  const words = (slots: readonly SlotSays[]) =>
    slots
      .map((slot) => JSON.stringify([slot.image, slot.slot, slot.version, slot.hash, slot.pending, slot.confirmed, slot.active, slot.permanent]))
      .sort()
      .join()
  return words(a) === words(b)
}

/** One sentence on what this board does at its next restart, empty when it simply starts what runs now. */
export function nextBoot(slots: readonly SlotSays[]): string {
  const active = activeSlot(slots)
  const waiting = waitingSlot(slots)
  if (active === null) return ''
  if (waiting?.pending === true) {
    const keeps = waiting.permanent ? 'and keep it' : 'and go back to the old one unless it is confirmed'
    return `At its next restart it will try ${waiting.version} ${keeps}.`
  }
  if (!active.confirmed) {
    const back = waiting === null ? 'nothing to go back to' : `${waiting.version}, which the bootloader will put back`
    return `It runs ${active.version} on test; at its next restart there is ${back}.`
  }
  return ''
}
