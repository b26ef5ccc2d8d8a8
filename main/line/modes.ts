// What MCUboot's modes (boot/bootutil/src/loader.c) mean for a run: whether a mark is needed, whether there is a way back
// from an image that fails its proof, and which image a board will run at all. What surprised us: where the newest image
// runs, an uploaded one is pending at once, and versions are compared without their build number.
import { Failure } from '../base/failure.ts'
import { said, type Said } from '../base/said.ts'
import { compareVersions } from '../image/version.ts'
import type { SwapMode } from '../smp/os.ts'
import { partsOf, runsPart } from './parts.ts'
import { activeSlot, listedVersion, parseListedVersion } from './slots.ts'
import type { BoardSays, Job, Part } from './state.ts'

export type ModeRules = Readonly<{
  /** The new image must be marked for its test boot; where not, uploading it is enough. */
  marks: boolean
  /** Of two equal slots the newest image runs; nothing is swapped. */
  highest: boolean
  /** Why an image that fails its proof stays, as half a sentence; null when the bootloader goes back by itself. */
  noWayBack: string | null
}>

const swaps: ModeRules = { marks: true, highest: false, noWayBack: null }

const rules: Partial<Record<SwapMode | 'unknown', ModeRules>> = {
  'single-slot': { marks: false, highest: false, noWayBack: 'it has one slot only, and the new image goes over the old one' },
  'overwrite-only': { marks: true, highest: false, noWayBack: 'its bootloader writes the new image over the old one' },
  'direct-xip': { marks: false, highest: true, noWayBack: 'its bootloader always runs the newer of its two images' },
  'ram-load': { marks: false, highest: true, noWayBack: 'its bootloader always loads the newer of its two images' },
  'direct-xip-revert': { marks: true, highest: true, noWayBack: null },
}

/** A mode that no board names is taken for a swap, which is what MCUboot does unless it is built otherwise. */
export function rulesOf(mode: SwapMode | 'unknown'): ModeRules {
  return rules[mode] ?? swaps
}

/** Why an image that fails its proof would stay on this board, as half a sentence; null when its bootloader goes back. */
export function noWayBackOf(board: Pick<BoardSays, 'mode' | 'recovery'>): string | null {
  return board.recovery === true ? 'in serial recovery the new image is written over the only one it would start' : rulesOf(board.mode).noWayBack
}

/** The sentence that is said before anything is sent to a board that cannot go back; null for any other. */
export function wayBackNote(board: Pick<BoardSays, 'mode' | 'recovery'>): Said | null {
  const noWayBack = noWayBackOf(board)
  return noWayBack === null ? null : said('cannot-go-back', `This board cannot go back: ${noWayBack}.`, { goesOver: board.recovery === true ? 'recovery' : board.mode })
}

/** Where the recipe asks for a way back, a board without one is refused. Kind `no-way-back`. */
export function checkWayBack(board: BoardSays, job: Job): Failure | null {
  const noWayBack = noWayBackOf(board)
  if (noWayBack === null || job.recipe.needsWayBack !== true || job.recipe.mode === 'upload-only') return null
  return new Failure('no-way-back', `This board cannot go back from an image that fails its proof (${noWayBack}), and the recipe "${job.recipe.name}" asks for a way back. Let the recipe do without one, or update the board by hand.`, { mode: board.mode })
}

/** A bootloader that runs the newest image never runs one that is not newer. Kind `not-newer`. */
export function checkNewer(board: BoardSays, job: Job): Failure | null {
  if (!rulesOf(board.mode).highest) return null
  for (const part of partsOf(job)) {
    const why = notNewer(board, part)
    if (why !== null) return why
  }
  return null
}

function notNewer(board: BoardSays, part: Part): Failure | null {
  const running = activeSlot(board.slots, part.number)
  const version = running === null ? null : parseListedVersion(running.version)
  if (version === null || runsPart(part, board.slots)) return null
  if (compareVersions({ ...part.image.version, build: 0 }, { ...version, build: 0 }) > 0) return null
  const [offered, runs] = [listedVersion(part.image.version), listedVersion(version)]
  return new Failure('not-newer', `The board runs ${runs}, and its bootloader runs the newest image it has (build numbers do not count): ${offered} would never start. Sign the firmware with a higher version.`, { offered, runs, mode: board.mode })
}

/** An image linked for RAM belongs on boards that load it there, and only those. Kinds `not-for-ram`, `for-ram`. */
export function checkPlace(board: BoardSays, job: Job): Failure | null {
  const { ramLoad } = job.image
  if (board.mode === 'ram-load' && !ramLoad) {
    return new Failure('not-for-ram', 'This board loads images into RAM, and the image is not made for that: its bootloader would erase it. Sign it with its load address (--load-addr).', { mode: board.mode })
  }
  if (ramLoad && board.mode !== 'ram-load' && board.mode !== 'unknown') {
    return new Failure('for-ram', 'The image is made to be loaded into RAM, and this board runs images from flash: it would not start. Take the image that was built for this board.', { mode: board.mode })
  }
  return null
}
