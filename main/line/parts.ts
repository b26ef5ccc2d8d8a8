// The images of one update: image 0, the application, and those of other numbers that go with it (MCUboot with
// BOOT_IMAGE_NUMBER above 1). What is asked of the board about one of them is asked here, so that plan and machine need not
// count. What surprised us: a dependency that is not met switches off every upgrade of that boot, not only its own.
import { Failure } from '../base/failure.ts'
import { compareVersions } from '../image/version.ts'
import type { ImageVersion } from '../image/version.ts'
import { activeSlot, listedVersion, parseListedVersion } from './slots.ts'
import type { BoardSays, ImageFacts, Job, Part, SlotSays } from './state.ts'

/** All images of the job, by number. */
export function partsOf(job: Job): readonly Part[] {
  return [{ number: 0, image: job.image }, ...(job.others ?? [])]
}

/** The job's image of that number, which the caller knows to be there. */
export function partOf(job: Job, number: number): ImageFacts {
  return partsOf(job).find((part) => part.number === number)?.image ?? job.image
}

/** The hash a board lists once it runs the image. */
export function runsHashOf(image: ImageFacts): string {
  return image.runsHash ?? image.hash
}

/** Whether the board runs that image now, on test or for good. */
export function runsPart({ number, image }: Part, slots: readonly SlotSays[]): boolean {
  return activeSlot(slots, number)?.hash === runsHashOf(image)
}

export function runsAll(job: Job, slots: readonly SlotSays[]): boolean {
  return partsOf(job).every((part) => runsPart(part, slots))
}

/** Whether the board runs all of them and keeps them. */
export function keepsAll(job: Job, slots: readonly SlotSays[]): boolean {
  return partsOf(job).every((part) => runsPart(part, slots) && activeSlot(slots, part.number)?.confirmed === true)
}

/** Bytes of all uploads together. */
export function bytesOf(job: Job): number {
  return partsOf(job).reduce((sum, { image }) => sum + image.bytes, 0)
}

/**
 * The job with the image that fits this board, where the file brings one for each slot of a direct-xip board: the one it
 * runs already, or else the one for the slot that does not run. Kind `no-variant`.
 */
export function fitted(job: Job, board: BoardSays): Job | Failure {
  const { variants } = job
  if (variants === undefined) return job
  const active = activeSlot(board.slots)
  const free = active?.slot === 1 ? 0 : 1
  const runs = variants.find(({ image }) => active !== null && runsHashOf(image) === active.hash)
  const fit = runs ?? variants.find(({ slot }) => slot === (board.mode === 'direct-xip' || board.mode === 'direct-xip-revert' ? free : 0))
  if (fit !== undefined) return { ...job, image: fit.image }
  return new Failure('no-variant', `The board runs from slot ${active?.slot ?? 'unknown'}, and the file brings no image for the other one. Build it for both slots.`, { slot: free })
}

/**
 * Whether all dependencies will hold once everything was swapped in. A bootloader with one image looks at none; a board
 * that lists image 0 alone is taken for such. Kind `dependency-unmet`.
 */
export function checkDependencies(board: BoardSays, job: Job): Failure | null {
  const parts = partsOf(job)
  if (!board.slots.some(({ image }) => image > 0)) return null
  for (const { number, image } of parts) {
    for (const { image: on, version } of image.dependencies ?? []) {
      const there = versionAfter(board, parts, on)
      if (there !== null && compareVersions({ ...there, build: 0 }, { ...version, build: 0 }) >= 0) continue
      const has = there === null ? `has no image ${on}` : `would have ${listedVersion(there)} as image ${on}`
      return new Failure('dependency-unmet', `Image ${number} (${listedVersion(image.version)}) needs image ${on} to be at least ${listedVersion(version)}, and this board ${has}: its bootloader would take none of the new images. Send a file that holds both.`, {
        image: number, on, needs: listedVersion(version), ...(there === null ? {} : { has: listedVersion(there) }),
      })
    }
  }
  return null
}

function versionAfter(board: BoardSays, parts: readonly Part[], number: number): ImageVersion | null {
  const sent = parts.find((part) => part.number === number)
  if (sent !== undefined) return sent.image.version
  const active = activeSlot(board.slots, number)
  return active === null ? null : parseListedVersion(active.version)
}

/** An image of another number can be proven only where the board lists what it runs under it. Kind `image-not-listed`. */
export function checkNumbers(board: BoardSays, job: Job): Failure | null {
  const missing = partsOf(job).find(({ number }) => number > 0 && activeSlot(board.slots, number) === null)
  if (missing === undefined) return null
  return new Failure('image-not-listed', `The file brings an image ${missing.number}, and this board lists none it runs under that number: an update of it could not be proven. Check that file and board belong together.`, { image: missing.number })
}

/** A compressed image is unpacked by bootloaders that overwrite, and thrown away by every other. Kind `compressed`. */
export function checkCompressed(board: BoardSays, job: Job): Failure | null {
  if (!partsOf(job).some(({ image }) => image.compressed === true) || board.mode === 'overwrite-only' || board.mode === 'unknown') return null
  return new Failure('compressed', `The image is compressed, and a bootloader in mode ${board.mode} cannot unpack it: only one that overwrites can. Sign it again without --compression.`, { mode: board.mode })
}

/** What this board runs of a job with several images, in words; empty for a job with one. */
export function othersRun(job: Job, slots: readonly SlotSays[]): string {
  return (job.others ?? []).map(({ number }) => `image ${number}: ${activeSlot(slots, number)?.version ?? 'not listed'}`).join(', ')
}
