// Preflight: what can be refused before the first byte goes out, first by the image and the recipe alone (once a batch),
// then by what one board says of its slots (once a run). Sizes follow MCUboot's app_max_size of each mode (facts of the
// image room's trailer.ts); what surprised us: imgtool signs images that swap-move then throws away as too large.
import { Failure } from '../base/failure.ts'
import type { FailureFacts } from '../base/failure.ts'
import { largestImage } from '../image/trailer.ts'
import type { SwapMode as TrailerMode } from '../image/trailer.ts'
import { compareVersions } from '../image/version.ts'
import type { SwapMode } from '../smp/os.ts'
import { partsOf } from './parts.ts'
import { activeSlot, listedVersion, parseListedVersion } from './slots.ts'
import type { FlashProfile } from './profile.ts'
import type { BoardSays, ImageFacts, Job, Part, Recipe } from './state.ts'

/**
 * Whether this image may go to any board at all by this recipe. Null: it may. Kinds: `hash-wrong`, `unsigned`,
 * `signature-invalid`, `unknown-key`, `key-not-allowed`, `key-retired`, `test-key`, `not-bootable`, `has-trailer`.
 */
export function checkImage(image: ImageFacts, recipe: Recipe): Failure | null {
  const what = `"${image.fileName}"`
  if (!image.hashHolds) {
    return new Failure('hash-wrong', `${what} is damaged: its contents do not match the hash inside it. Take the file again from where it was signed.`)
  }
  if (!image.bootable) {
    return new Failure('not-bootable', `${what} says of itself that it cannot be booted (flag NON_BOOTABLE). Sign it without --non-bootable.`)
  }
  if (image.hasTrailer) {
    return new Failure('has-trailer', `${what} was padded to a whole slot and would mark itself for booting before it is checked. Sign it again without --pad and --confirm.`)
  }
  return checkSignature(image, recipe, what)
}

function checkSignature(image: ImageFacts, recipe: Recipe, what: string): Failure | null {
  const facts: FailureFacts = image.keyHash === null ? {} : { keyHash: image.keyHash }
  const short = image.keyHash?.slice(0, 12) ?? 'unnamed'
  switch (image.signature) {
    case 'unsigned':
      return new Failure('unsigned', `${what} is not signed, and no board that checks signatures would boot it. Sign it at the signing desk first.`)
    case 'invalid':
      return new Failure('signature-invalid', `The signature of ${what} does not hold: the file was changed after signing, or signed with another key than it names. Sign it again.`, facts)
    case 'unknown-key':
      return new Failure('unknown-key', `${what} was signed with a key this station does not know (${short}…), so its signature cannot be checked. Add that key first, or take an image signed with a known one.`, facts)
    case 'valid':
  }
  if (image.key?.retired === true) {
    return new Failure('key-retired', `${what} was signed with "${image.key.name}", a key that has been retired. Sign it again with a key in use.`, facts)
  }
  if (recipe.class === 'production' && image.key?.class === 'test') {
    return new Failure('test-key', `${what} was signed with the test key "${image.key.name}", and "${recipe.name}" is a production recipe. Sign it with a production key.`, facts)
  }
  if (recipe.allowedKeys.length > 0 && !namesKeyOf(recipe, image)) {
    return new Failure('key-not-allowed', `${what} was signed with "${image.key?.name ?? short}", which the recipe "${recipe.name}" does not allow. Sign it with an allowed key, or change the recipe.`, facts)
  }
  return null
}

/**
 * Whether the recipe names the image's key: by the fingerprint that the ring shows, or by the hash that stands in the image,
 * which is another for the same key under another `--sha`, and missing where the whole key stands there.
 */
function namesKeyOf({ allowedKeys }: Recipe, { key, keyHash }: ImageFacts): boolean {
  return [key?.fingerprint ?? null, keyHash].some((name) => name !== null && allowedKeys.includes(name))
}

/**
 * Whether the key may be used on this board: a test key opens every board that trusts it to whoever has the key, so it
 * goes to practice boards only, or where the recipe names it. Kind `test-key`.
 */
export function checkKeyForBoard(job: Job): Failure | null {
  const { key } = job.image
  if (key === null || key.class === 'production' || job.practice || namesKeyOf(job.recipe, job.image)) return null
  return new Failure('test-key', `The image is signed with the test key "${key.name}", and this is a real board. Sign it with a production key, or let the recipe name that key.`, { keyHash: key.fingerprint })
}

const unsupported: Partial<Record<SwapMode | 'unknown', string>> = {
  'firmware-loader': 'it is updated through a firmware loader',
  'single-slot-ram-load': 'it loads its single slot into RAM',
}

/** Whether the station can bring this board through an update in its mode. Kind `mode-unsupported`. */
export function checkMode(board: BoardSays): Failure | null {
  const why = unsupported[board.mode]
  return why === undefined ? null : new Failure('mode-unsupported', `This board cannot be updated here yet: ${why}. Update it with its maker's tool.`, { mode: board.mode })
}

const trailerModes: Readonly<Record<SwapMode | 'unknown', TrailerMode>> = {
  'single-slot': 'single', 'swap-scratch': 'swap-scratch', 'overwrite-only': 'overwrite', 'swap-move': 'swap-move', 'direct-xip': 'direct-xip',
  'direct-xip-revert': 'direct-xip-revert', 'ram-load': 'ram-load', 'firmware-loader': 'firmware-loader', 'single-slot-ram-load': 'single-ram-load',
  'swap-offset': 'swap-offset',
  // The strictest of those that swap.
  unknown: 'swap-move',
}

/** Largest image this board boots, header to last TLV; null when neither board nor profile tells the slots' size. */
export function largestFor(board: BoardSays, profile: FlashProfile, image = 0): number | null {
  const sizeOf = (slot: number) => board.slotBytes.find((place) => place.image === image && place.slot === slot)?.bytes ?? (image === 0 ? profile.slotBytes : null)
  const primaryBytes = sizeOf(0)
  const secondaryBytes = sizeOf(1)
  const mode = trailerModes[board.mode]
  const bySlots = primaryBytes === null || secondaryBytes === null ? null : largestImage(mode, { primaryBytes, secondaryBytes, sectorBytes: profile.sectorBytes, align: profile.writeAlign })
  if (image > 0) return bySlots
  if (bySlots === null || board.maxImageBytes === null) return bySlots ?? board.maxImageBytes
  return Math.min(bySlots, board.maxImageBytes)
}

/** Whether the image fits beside the trailer. Kind `image-too-large`. */
export function checkSize(board: BoardSays, job: Job): Failure | null {
  for (const { number, image: { imageBytes, unpackedBytes } } of partsOf(job)) {
    const most = largestFor(board, job.profile, number)
    if (most !== null && imageBytes > most) return unpackedBytes === undefined ? tooLarge(imageBytes, most) : noRoomToUnpack(imageBytes, unpackedBytes, most)
  }
  return null
}

function noRoomToUnpack(imageBytes: number, unpackedBytes: number, most: number): Failure {
  return new Failure('image-too-large', `The package has ${imageBytes - unpackedBytes} bytes and the image in it ${unpackedBytes}; a bootloader unpacks it beside the package, and this board has room for ${most} bytes. Let the recipe send the image in the package, or make the package without compression and encryption.`, { bytes: imageBytes, bytesMax: most })
}

function tooLarge(imageBytes: number, most: number): Failure {
  return new Failure('image-too-large', `The image has ${imageBytes} bytes; this board can boot at most ${most}, since its slot must also hold the bootloader's trailer. Make the firmware smaller, or check that it was built for this board.`, { bytes: imageBytes, bytesMax: most })
}

/** Whether the image is no step back from what runs. Kinds `downgrade` (the recipe's word) and `downgrade-prevented` (the bootloader's). */
export function checkDowngrade(board: BoardSays, job: Job): Failure | null {
  for (const part of partsOf(job)) {
    const why = stepBack(board, job, part)
    if (why !== null) return why
  }
  return null
}

function stepBack(board: BoardSays, job: Job, { number, image }: Part): Failure | null {
  const running = activeSlot(board.slots, number)
  const version = running === null ? null : parseListedVersion(running.version)
  if (version === null || compareVersions(image.version, version) >= 0) return null
  const [offered, runs] = [listedVersion(image.version), listedVersion(version)]
  if (board.noDowngrade) {
    return new Failure('downgrade-prevented', `The board runs ${runs} and its bootloader refuses older versions; ${offered} would be thrown away. Take a newer image.`, { offered, runs })
  }
  if (job.recipe.allowDowngrade) return null
  return new Failure('downgrade', `The board runs ${runs}, which is newer than ${offered}. Take a newer image, or allow downgrades in the recipe.`, { offered, runs })
}
