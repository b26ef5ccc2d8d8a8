// The images of one update: image 0, the application, and those of other numbers that go with it (MCUboot with
// BOOT_IMAGE_NUMBER above 1). What is asked of the board about one of them is asked here, so that plan and machine need not
// count. What surprised us: a dependency that is not met switches off every upgrade of that boot, not only its own; and an
// nRF5340's network core (image 1) is listed by its upgrade slot alone, since its own flash is out of the bootloader's reach.
import { Failure } from '../base/failure.ts'
import { compareVersions } from '../image/version.ts'
import type { ImageVersion } from '../image/version.ts'
import { activeSlot, listedVersion, parseListedVersion, waitingSlot } from './slots.ts'
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

/**
 * Whether the board runs that image now, on test or for good. Of one that is never listed all that can be seen is that it was
 * taken out of its upgrade slot; only to be asked after a restart.
 */
export function runsPart({ number, image, unlisted }: Part, slots: readonly SlotSays[]): boolean {
  const active = activeSlot(slots, number)
  if (active === null && unlisted === true) return waitingSlot(slots, number)?.hash !== image.hash
  return active?.hash === runsHashOf(image)
}

export function runsAll(job: Job, slots: readonly SlotSays[]): boolean {
  return partsOf(job).every((part) => runsPart(part, slots))
}

/** Whether the board runs all of them and keeps them. */
export function keepsAll(job: Job, slots: readonly SlotSays[]): boolean {
  return partsOf(job).every((part) => runsPart(part, slots) && isKept(part, slots))
}

/** Confirmed, or of a number that the board never lists, which only bootloaders have that cannot go back. */
export function isKept({ number, unlisted }: Part, slots: readonly SlotSays[]): boolean {
  const active = activeSlot(slots, number)
  return active === null ? unlisted === true : active.confirmed
}

/** Bytes of all uploads together. */
export function bytesOf(job: Job): number {
  return partsOf(job).reduce((sum, { image }) => sum + image.bytes, 0)
}

/**
 * The job as it fits this board. Images of other numbers that the board cannot list are noted as such. Where the file brings an
 * image for each slot of a direct-xip board, it is the one that runs already, or else the one for the slot that does not run.
 * Kind `no-variant`.
 */
export function fitted(wanted: Job, board: BoardSays): Job | Failure {
  const { others, variants } = wanted
  const job = others === undefined ? wanted : { ...wanted, others: others.map(({ number, image }) => ({ number, image, ...(isUnlisted(board, number) ? { unlisted: true } : {}) })) }
  if (variants === undefined) return job
  const active = activeSlot(board.slots)
  const free = active?.slot === 1 ? 0 : 1
  const runs = variants.find(({ image }) => active !== null && runsHashOf(image) === active.hash)
  const fit = runs ?? variants.find(({ slot }) => slot === (board.mode === 'direct-xip' || board.mode === 'direct-xip-revert' ? free : 0))
  if (fit !== undefined) return { ...job, image: fit.image }
  return new Failure('no-variant', `The board runs from slot ${active?.slot ?? 'unknown'}, and the file brings no image for the other one. Build it for both slots.`, { slot: free })
}

/**
 * The primary slot of an nRF5340's network core is a piece of RAM through which the new image is handed over (nRF Connect SDK,
 * nrf53_hooks.c: "pretend that primary slot is unpopulated"), in MCUboot's overwrite mode. A server that tells its slots has
 * one of that number; an older one is sent the image and then asked whether it lies where it belongs.
 */
function isUnlisted(board: BoardSays, number: number): boolean {
  if (board.mode !== 'overwrite-only' || activeSlot(board.slots, number) !== null) return false
  return board.slotBytes.length === 0 || board.slotBytes.some(({ image }) => image === number)
}

/** What is said before an image is sent of which the board will never say that it runs it; null where there is none. */
export function unlistedNote(job: Job): string | null {
  const numbers = partsOf(job).filter(({ unlisted }) => unlisted === true).map(({ number }) => number)
  if (numbers.length === 0) return null
  return `This board does not list what it runs as image ${numbers.join(' and ')} (as an nRF5340 does not for its network core): all that can be seen is that its bootloader takes the image at the restart. Add a self-test to the recipe that asks that core something.`
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
  const missing = partsOf(job).find(({ number, unlisted }) => number > 0 && unlisted !== true && activeSlot(board.slots, number) === null)
  return missing === undefined ? null : notListed(missing.number)
}

export function notListed(number: number): Failure<'image-not-listed'> {
  return new Failure('image-not-listed', `The file brings an image ${number}, and this board lists none under that number: an update of it could not be proven. Check that file and board belong together.`, { image: number })
}

/** A compressed image is unpacked by bootloaders that overwrite, and thrown away by every other. Kind `compressed`. */
export function checkCompressed(board: BoardSays, job: Job): Failure | null {
  if (!partsOf(job).some(({ image }) => image.compressed === true) || board.mode === 'overwrite-only' || board.mode === 'unknown') return null
  return new Failure('compressed', `The image is compressed, and a bootloader in mode ${board.mode} cannot unpack it: only one that overwrites can. Sign it again without --compression.`, { mode: board.mode })
}

/** What this board runs of a job with several images, in words; empty for a job with one. */
export function othersRun(job: Job, slots: readonly SlotSays[]): string {
  return (job.others ?? []).map((part) => {
    const taken = part.unlisted === true && runsPart(part, slots) ? 'taken by the bootloader, which does not list it' : 'not listed'
    return `image ${part.number}: ${activeSlot(slots, part.number)?.version ?? taken}`
  }).join(', ')
}
