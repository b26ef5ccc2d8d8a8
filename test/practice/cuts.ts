// Boots whose power goes before a flash step, whatever board it is.
import { boot } from '../../main/practice/bootloader.ts'
import { PowerCut } from '../../main/practice/flash.ts'
import type { Bootloader } from '../../main/practice/slot-check.ts'

/** Boots with the power cut before that step; true when it was. */
export function bootCut(loader: Bootloader, beforeStep: number): boolean {
  const { flash } = loader.slots.primary.area
  flash.startCount({ beforeStep })
  try {
    boot(loader)
    return false
  } catch (error) {
    if (error instanceof PowerCut) return true
    throw error
  } finally {
    flash.startCount()
  }
}

/**
 * Boots a board with that content once for each flash step, cut before it, and calls back with the board as the power comes
 * back. Returns how many steps a boot without a cut takes.
 */
export function cutEachStep(load: (content: Uint8Array) => Bootloader, content: Uint8Array, after: (loader: Bootloader, when: string) => void): number {
  for (let step = 1; ; step++) {
    const loader = load(content.slice())
    if (!bootCut(loader, step)) return step - 1
    after(loader, `cut before step ${step}`)
  }
}

/** What a board boots now. */
export const versionOf = (loader: Bootloader) => boot(loader).running?.version ?? 'nothing bootable'
