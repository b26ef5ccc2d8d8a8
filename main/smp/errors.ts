// What boards answer when they refuse, as sentences. Three tables: MGMT_ERR (any plain `rc`), IMG_ERR and OS_ERR (group
// errors under header version 1) from Zephyr's mgmt_defines.h, img_mgmt.h and os_mgmt.h. Surprises: under version 1
// an unknown group or command and bad CBOR still come as plain `rc`; `err.group` need not be the group that was asked;
// older builds add `rc: 0` to every success; MCUboot's serial recovery folds most causes into rc 3.
import { Failure } from '../base/failure.ts'
import { isMap } from './body.ts'
import { smpGroup } from './commands.ts'
import type { CborMap } from './message.ts'

/** Plain codes any group may answer. */
export const mgmtCode = {
  ok: 0,
  unknown: 1,
  noMemory: 2,
  badArgument: 3,
  timeout: 4,
  noEntry: 5,
  badState: 6,
  tooLarge: 7,
  notSupported: 8,
  corrupt: 9,
  busy: 10,
  accessDenied: 11,
  tooOld: 12,
  tooNew: 13,
  user: 256,
} as const

/** Codes of group 1. */
export const imageCode = {
  unknown: 1,
  flashConfigQuery: 2,
  noImage: 3,
  noTlvs: 4,
  badTlv: 5,
  severalHashes: 6,
  tlvSize: 7,
  hashNotFound: 8,
  noFreeSlot: 9,
  flashOpen: 10,
  flashRead: 11,
  flashWrite: 12,
  flashErase: 13,
  badSlot: 14,
  noMemory: 15,
  contextSet: 16,
  contextNotSet: 17,
  deviceMissing: 18,
  badPageOffset: 19,
  badOffset: 20,
  badLength: 21,
  badHeader: 22,
  badMagic: 23,
  badHash: 24,
  badFlashAddress: 25,
  versionGet: 26,
  currentNewer: 27,
  alreadyPending: 28,
  badVectorTable: 29,
  tooLarge: 30,
  dataOverrun: 31,
  confirmDenied: 32,
  testOfActiveDenied: 33,
  activeSlotUnknown: 34,
} as const

/** Codes of group 0. */
export const osCode = { unknown: 1, badFormat: 2, noAnswer: 3, clockNotSet: 4, clockFailed: 5, badValue: 6 } as const

export type BoardError = Readonly<{
  /** To branch on, e.g. `image-too-large`. */
  reason: string
  /** What the board means, half a sentence. */
  title: string
  /** What a person can do about it, a sentence. */
  next: string
}>

const readLog = 'Read the board\'s own log.'
const sendAgain = 'Try again; if it stays, check cable and baud rate.'
const replaceBoard = 'Try once more; if it stays, set the board aside, its flash may be worn.'
const rebuild = 'Sign the firmware again and check that it was made for this board.'

const mgmtErrors: readonly (BoardError | undefined)[] = [
  undefined,
  { reason: 'unknown', title: 'something went wrong that it does not name', next: readLog },
  { reason: 'no-memory', title: 'it ran out of memory', next: 'Reset the board and try again.' },
  { reason: 'bad-argument', title: 'it finds a value in the request wrong', next: 'Check that the image and the recipe fit this board.' },
  { reason: 'board-timeout', title: 'it waited too long for a part of itself', next: 'Reset the board and try again.' },
  { reason: 'no-entry', title: 'what was asked for is not there', next: 'Ask the board for its image state; the slot may be empty.' },
  { reason: 'bad-state', title: 'it cannot do that in its present state', next: 'Confirm or revert the image under test first, then try again.' },
  { reason: 'too-large', title: 'its reply or the request is too large for its buffers', next: 'Use smaller messages in the board profile.' },
  { reason: 'not-supported', title: 'its firmware does not know this command', next: 'Build the firmware with this command, or choose a board profile without it.' },
  { reason: 'corrupt', title: 'the request arrived damaged', next: sendAgain },
  { reason: 'busy', title: 'it is busy with something else', next: 'Wait a moment and try again.' },
  { reason: 'access-denied', title: 'its firmware does not allow this command', next: 'Unlock the board, or use firmware that allows it.' },
  { reason: 'protocol-too-old', title: 'the request speaks a protocol older than it takes', next: 'Choose the newer protocol version in the board profile.' },
  { reason: 'protocol-too-new', title: 'the request speaks a protocol newer than it knows', next: 'Choose protocol version 0 in the board profile.' },
]

const imageErrors: readonly (BoardError | undefined)[] = [
  undefined,
  { reason: 'unknown', title: 'something went wrong that it does not name', next: readLog },
  { reason: 'flash-config', title: 'it cannot read its own flash layout', next: 'Check the firmware\'s partition layout.' },
  { reason: 'no-image', title: 'there is no image in the slot', next: 'Upload the image again.' },
  { reason: 'no-tlvs', title: 'the image in the slot has no signature area', next: rebuild },
  { reason: 'bad-tlv', title: 'the image\'s signature area is damaged', next: rebuild },
  { reason: 'several-hashes', title: 'the image carries more than one hash', next: rebuild },
  { reason: 'tlv-size', title: 'an entry of the image\'s signature area has a wrong size', next: rebuild },
  { reason: 'hash-not-found', title: 'no slot holds an image with that hash', next: 'Upload the image again, then check the slot.' },
  { reason: 'no-free-slot', title: 'no slot is free: an image is pending, or under test and not confirmed', next: 'Confirm the running image or reset the board to go back, then try again.' },
  { reason: 'flash-open', title: 'it cannot open its flash', next: 'Check that the slot exists on this board.' },
  { reason: 'flash-read', title: 'it cannot read its flash', next: replaceBoard },
  { reason: 'flash-write', title: 'it cannot write its flash', next: replaceBoard },
  { reason: 'flash-erase', title: 'it cannot erase its flash', next: replaceBoard },
  { reason: 'bad-slot', title: 'it has no such slot', next: 'Check the board profile.' },
  { reason: 'no-memory', title: 'it ran out of memory', next: 'Reset the board and try again.' },
  { reason: 'upload-running', title: 'an upload is already under way', next: 'Reset the board and try again.' },
  { reason: 'no-upload', title: 'no upload is under way', next: 'Start the upload again.' },
  { reason: 'no-flash-device', title: 'its flash device is missing', next: 'Check the firmware\'s configuration.' },
  { reason: 'bad-page', title: 'it computed an offset outside its flash', next: readLog },
  { reason: 'bad-offset', title: 'the upload does not say at which offset it writes', next: readLog },
  { reason: 'bad-length', title: 'the upload does not say how long the image is', next: readLog },
  { reason: 'bad-header', title: 'the first bytes are no whole image header', next: 'Choose a signed MCUboot image.' },
  { reason: 'bad-magic', title: 'the file does not begin with MCUboot\'s magic number', next: 'Choose a signed MCUboot image.' },
  { reason: 'bad-hash', title: 'the hash has a length it does not take', next: 'Check that the image uses the hash this bootloader was built for.' },
  { reason: 'bad-flash-address', title: 'the image was built for another flash address', next: 'Build the image for this board\'s slot.' },
  { reason: 'version-unreadable', title: 'it cannot read the running image\'s version', next: readLog },
  { reason: 'current-newer', title: 'the running image is newer than this one', next: 'Allow downgrades in the recipe, or choose a newer image.' },
  { reason: 'already-pending', title: 'an image is already pending or under test', next: 'Reset the board so that the pending swap happens, then look again.' },
  { reason: 'bad-vector-table', title: 'the image\'s start address is outside the image', next: 'Check the header size the firmware was built with.' },
  { reason: 'image-too-large', title: 'the image is larger than the slot', next: 'Make the image smaller, or choose the right board profile.' },
  { reason: 'data-overrun', title: 'more data came than the upload announced', next: 'Start the upload again.' },
  { reason: 'confirm-denied', title: 'it refuses to confirm this image', next: 'Confirm only the image that is running.' },
  { reason: 'test-of-active', title: 'the image to be tested is the one already running', next: 'Nothing needs doing: it already runs this image.' },
  { reason: 'active-slot-unknown', title: 'it cannot tell which slot is running', next: readLog },
]

const osErrors: readonly (BoardError | undefined)[] = [
  undefined,
  { reason: 'unknown', title: 'something went wrong that it does not name', next: readLog },
  { reason: 'bad-format', title: 'it does not know a letter of the requested format', next: 'Ask for fewer fields.' },
  { reason: 'no-answer', title: 'it has no answer to that question', next: 'The bootloader or firmware does not offer it; go on without.' },
  { reason: 'clock-not-set', title: 'its clock was never set', next: 'Set its date and time first.' },
  { reason: 'clock-failed', title: 'its clock does not answer', next: 'Check the clock chip and its battery.' },
  { reason: 'bad-value', title: 'it finds a value in the request wrong', next: 'Check the value in the recipe.' },
]

const checkRecipe = 'Check the recipe against what this firmware offers.'

const statisticsErrors: readonly (BoardError | undefined)[] = [
  undefined,
  { reason: 'unknown', title: 'something went wrong that it does not name', next: readLog },
  { reason: 'no-such-group', title: 'it has no statistics of that name', next: checkRecipe },
  { reason: 'no-statistic-name', title: 'a counter of that group has no name', next: 'Build the firmware with names for its statistics (CONFIG_STATS_NAMES).' },
  { reason: 'statistic-size', title: 'a counter of that group has a size that it cannot report', next: readLog },
  { reason: 'statistics-broken-off', title: 'it could not read all counters of that group', next: readLog },
]

const settingsErrors: readonly (BoardError | undefined)[] = [
  undefined,
  { reason: 'unknown', title: 'something went wrong that it does not name', next: readLog },
  { reason: 'name-too-long', title: 'the setting\'s name is longer than it takes', next: checkRecipe },
  { reason: 'no-such-setting', title: 'it has no setting of that name', next: checkRecipe },
  { reason: 'not-readable', title: 'that setting cannot be read', next: checkRecipe },
  { reason: 'no-such-root', title: 'no part of its firmware handles settings of that name', next: checkRecipe },
  { reason: 'not-writable', title: 'that setting cannot be written', next: checkRecipe },
  { reason: 'not-deletable', title: 'that setting cannot be deleted', next: checkRecipe },
  { reason: 'not-saved', title: 'it has nowhere to keep settings', next: 'Build the firmware with a settings backend that saves.' },
]

const filesErrors: readonly (BoardError | undefined)[] = [
  undefined,
  { reason: 'unknown', title: 'something went wrong that it does not name', next: readLog },
  { reason: 'bad-file-name', title: 'the file\'s name is none that it takes', next: checkRecipe },
  { reason: 'no-such-file', title: 'it has no file of that name', next: checkRecipe },
  { reason: 'is-folder', title: 'that name is a folder on it', next: checkRecipe },
  { reason: 'file-open', title: 'it cannot open the file', next: replaceBoard },
  { reason: 'file-seek', title: 'it cannot move within the file', next: replaceBoard },
  { reason: 'file-read', title: 'it cannot read the file', next: replaceBoard },
  { reason: 'file-truncate', title: 'it cannot cut the file off', next: replaceBoard },
  { reason: 'file-delete', title: 'it cannot delete the file', next: replaceBoard },
  { reason: 'file-write', title: 'it cannot write the file', next: 'Its file system may be full or worn.' },
  { reason: 'bad-offset', title: 'the piece does not follow the one before', next: sendAgain },
  { reason: 'offset-past-end', title: 'the file is shorter than that', next: sendAgain },
  { reason: 'no-such-hash', title: 'it cannot compute that checksum', next: checkRecipe },
  { reason: 'no-such-mount', title: 'it has no file system at that path', next: checkRecipe },
  { reason: 'read-only', title: 'its file system is read-only', next: checkRecipe },
  { reason: 'file-is-empty', title: 'the file is empty', next: checkRecipe },
]

const shellErrors: readonly (BoardError | undefined)[] = [
  undefined,
  { reason: 'unknown', title: 'something went wrong that it does not name', next: readLog },
  { reason: 'command-too-long', title: 'the command is longer than its shell takes', next: checkRecipe },
  { reason: 'empty-command', title: 'the command is empty', next: checkRecipe },
]

const tables: Readonly<Record<number, readonly (BoardError | undefined)[] | undefined>> = {
  [smpGroup.os]: osErrors, [smpGroup.image]: imageErrors, [smpGroup.statistics]: statisticsErrors, [smpGroup.settings]: settingsErrors,
  [smpGroup.files]: filesErrors, [smpGroup.shell]: shellErrors,
}

/** What a code means. `group` null stands for a plain `rc`; codes and groups nobody knows get a sentence of their own. */
export function boardError(group: number | null, code: number): BoardError {
  const table = group === null ? mgmtErrors : tables[group] ?? []
  const known = table[code]
  if (known) return known
  if (group === null && code >= mgmtCode.user) {
    return { reason: 'user-code', title: `its firmware gives its own code ${code}`, next: 'Ask whoever wrote the firmware what this code means.' }
  }
  const where = group === null ? `code ${code}` : `code ${code} of group ${group}`
  return { reason: 'unlisted-code', title: `it answers ${where}, which this station does not know`, next: readLog }
}

/**
 * The refusal in a reply, or null when there is none. Kind `refused`; facts: `rc`, `group` (only for group errors),
 * `reason` (see `BoardError`), and `asked`, the command's name. A malformed error is a refusal with reason `unlisted-code`.
 */
export function errorFromReply(body: CborMap, asked: string): Failure<'refused'> | null {
  const err = Object.hasOwn(body, 'err') ? body['err'] : undefined
  if (err !== undefined) {
    const group = isMap(err) ? numberIn(err, 'group') : -1
    const code = isMap(err) ? numberIn(err, 'rc') : -1
    return code === 0 ? null : refusal(asked, group, code)
  }
  if (!Object.hasOwn(body, 'rc')) return null
  const code = numberIn(body, 'rc')
  return code === mgmtCode.ok ? null : refusal(asked, null, code)
}

function numberIn(body: CborMap, key: string): number {
  const value = Object.hasOwn(body, key) ? body[key] : undefined
  return typeof value === 'number' && Number.isInteger(value) ? value : -1
}

function refusal(asked: string, group: number | null, code: number): Failure<'refused'> {
  const { reason, title, next } = boardError(group, code)
  return new Failure('refused', `The board refuses "${asked}": ${title}. ${next}`, {
    asked,
    reason,
    rc: code,
    ...(group === null ? {} : { group }),
  })
}

/** True for a refusal that means the board's firmware lacks the command. */
export function isNotSupported(failure: Failure): boolean {
  return failure.kind === 'refused' && failure.facts['group'] === undefined && failure.facts['rc'] === mgmtCode.notSupported
}
