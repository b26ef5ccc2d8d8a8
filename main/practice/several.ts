// What a bootloader with several images does beyond swapping each (boot/bootutil/src/loader.c, BOOT_IMAGE_NUMBER above 1):
// dependencies are looked at across all of them, and a swap type that only seems to be a revert is taken back. Surprises: a
// dependency that is not met switches off the upgrades of ALL images and leaves their marks; and after a power cut between two
// swaps the image that is through looks exactly like one whose test run was never confirmed.
import { failed } from '../base/failure.ts'
import { dependencyOf } from '../image/dependency.ts'
import { parseImage } from '../image/format.ts'
import { TLV } from '../image/tlv.ts'
import { compareWithoutBuild } from './load-highest.ts'
import { imageSize, readHeader } from './slot-image.ts'
import type { FlashArea } from './flash.ts'
import type { SwapType } from './trailer.ts'

/** One image as it was found before anything is swapped. `upgrade`: where the image lies that would be swapped in. */
export type Found = { type: SwapType; readonly primary: FlashArea; readonly upgrade: FlashArea }

/**
 * boot_review_image_swap_types: reboots in the middle of an upgrade leave images before this one that were swapped and look as
 * if they were to be reverted. `aborted`: this one's swap was found half-done.
 */
export function reviewEarlier(found: readonly Found[], aborted: boolean): void {
  const current = found.at(-1)
  if (current === undefined || (!aborted && (current.type === 'none' || current.type === 'revert'))) return
  for (const earlier of found.slice(0, -1)) if (earlier.type === 'revert') earlier.type = 'none'
}

/** boot_verify_dependencies: whether every image that would run then is content with the others. */
export function dependenciesMet(found: readonly Found[]): boolean {
  return found.every((one) => {
    const area = one.type === 'none' ? one.primary : one.upgrade
    const size = imageSize(area, readHeader(area))
    const image = size === null ? null : parseImage(area.read(0, size))
    if (image === null || failed(image)) return false
    return image.protectedTlvs.every(({ type, value }) => {
      const dependency = type === TLV.DEPENDENCY ? dependencyOf(value) : null
      if (dependency === null) return type !== TLV.DEPENDENCY
      const other = found[dependency.image]
      return other !== undefined && compareWithoutBuild(readHeader(other.type === 'none' ? other.primary : other.upgrade), dependency.version) >= 0
    })
  })
}
