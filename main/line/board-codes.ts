// Every code that a board can answer with, for the catalogue of failures: Zephyr's own name, what usually lies behind it,
// and where it shows. Names and numbers are those of mgmt_defines.h and of each group's header; what a code says and what to
// do about it stands in smp/errors.ts, which a refusal's own sentence is made of. What surprised us: MCUboot's serial recovery
// answers 3 for most of what can go wrong, so that one's cause is whatever was asked for.
import { codeGroupNames, userCode } from './failure-id.ts'

export type BoardCode = Readonly<{ code: number; name: string; cause: string; evidence: string }>

type Row = readonly [name: string, cause: string, evidence: string]

const history = 'The run\'s history: the last step before the refusal is what the board was asked.'
const state = 'The image list of the board (Boards, Ask): which slots hold what, and which is pending or confirmed.'
const bootOutput = 'The board\'s boot output and log on its console.'
const imageFacts = 'The image\'s own facts (Images): header, size, hash and signature area.'
const flashLog = 'The board\'s log names the flash address; other boards of the batch take the same image.'
const recipeAndBoard = 'The recipe\'s tests and unit data, beside what the firmware answers on the console.'

const mgmt: readonly Row[] = [
  ['MGMT_ERR_EOK', 'Nothing is wrong: some builds add this code to every answer that succeeded.', 'The answer itself.'],
  ['MGMT_ERR_EUNKNOWN', 'The firmware met an error that it has no name for, often from a driver below.', bootOutput],
  ['MGMT_ERR_ENOMEM', 'The heap or the pool of network buffers of the firmware is used up, for instance by requests still in flight.', `${bootOutput} The board's memory pools, where its firmware tells them.`],
  ['MGMT_ERR_EINVAL', 'A value in the request is out of range for this firmware. A bootloader in serial recovery answers this for almost anything that goes wrong.', history],
  ['MGMT_ERR_ETIMEOUT', 'A part of the board (a flash chip, another core) did not answer its own firmware in time.', bootOutput],
  ['MGMT_ERR_ENOENT', 'What was named is not there: a file, a setting, an image in an empty slot.', state],
  ['MGMT_ERR_EBADSTATE', 'The board cannot do that now: an image is pending or runs on test, so its slot must not be written or erased.', state],
  ['MGMT_ERR_EMSGSIZE', 'The request, or the answer to it, is longer than one of the board\'s buffers.', 'The buffer size that the board tells (Boards, Ask), beside the one in its profile.'],
  ['MGMT_ERR_ENOTSUP', 'The firmware was built without this command or its whole group.', 'The configuration of the firmware (CONFIG_MCUMGR_GRP_…); other commands of the same group answer the same.'],
  ['MGMT_ERR_ECORRUPT', 'The request came in damaged: noise on the line, a wrong rate, or a buffer that overran.', 'Other failures at the same bay or cable; the console shows broken text at a wrong rate.'],
  ['MGMT_ERR_EBUSY', 'The board is still at work on something else, like erasing a slot for another client.', history],
  ['MGMT_ERR_EACCESSDENIED', 'The firmware decided against the request, for instance by a hook that locks updates.', 'The firmware\'s own hooks; its log says so if it logs at all.'],
  ['MGMT_ERR_UNSUPPORTED_TOO_OLD', 'The board speaks only a newer version of the protocol than the request.', history],
  ['MGMT_ERR_UNSUPPORTED_TOO_NEW', 'The board speaks only an older version of the protocol than the request.', history],
]

const image: readonly Row[] = [
  ['IMG_MGMT_ERR_OK', 'Nothing is wrong.', 'The answer itself.'],
  ['IMG_MGMT_ERR_UNKNOWN', 'The firmware met an error that it has no name for; erasing a slot that is empty already is answered so.', bootOutput],
  ['IMG_MGMT_ERR_FLASH_CONFIG_QUERY_FAIL', 'The firmware could not read the layout of its own flash: partitions and flash driver do not belong together.', bootOutput],
  ['IMG_MGMT_ERR_NO_IMAGE', 'The slot that was asked about holds no image header.', state],
  ['IMG_MGMT_ERR_NO_TLVS', 'There is a header, but no signature area where it says the image ends: an upload that stopped short, or a file that was cut.', `${imageFacts} ${state}`],
  ['IMG_MGMT_ERR_INVALID_TLV', 'The signature area has an entry that runs past its end.', imageFacts],
  ['IMG_MGMT_ERR_TLV_MULTIPLE_HASHES_FOUND', 'The signature area names more than one hash, so that nobody can say which counts.', imageFacts],
  ['IMG_MGMT_ERR_TLV_INVALID_SIZE', 'An entry of the signature area has another size than its kind has; often an image made for another hash.', imageFacts],
  ['IMG_MGMT_ERR_HASH_NOT_FOUND', 'No slot holds an image with the hash that was named: the upload did not end, or the slot was written again.', state],
  ['IMG_MGMT_ERR_NO_FREE_SLOT', 'Every slot that could be written is in use: an image waits to be tried, or the one that runs was never confirmed.', state],
  ['IMG_MGMT_ERR_FLASH_OPEN_FAILED', 'The flash area of the slot could not be opened: the firmware has no such partition, or its driver did not start.', bootOutput],
  ['IMG_MGMT_ERR_FLASH_READ_FAILED', 'Reading the flash failed; worn cells, or an external chip that does not answer.', flashLog],
  ['IMG_MGMT_ERR_FLASH_WRITE_FAILED', 'Writing the flash failed: worn cells, a region that is protected, or a supply that is too weak to write.', flashLog],
  ['IMG_MGMT_ERR_FLASH_ERASE_FAILED', 'Erasing the flash failed: worn cells, a region that is protected, or a supply that is too weak.', flashLog],
  ['IMG_MGMT_ERR_INVALID_SLOT', 'The board has no slot of that number; a profile or an archive made for a board with more images.', state],
  ['IMG_MGMT_ERR_NO_FREE_MEMORY', 'The firmware has no memory left for the upload\'s own state.', bootOutput],
  ['IMG_MGMT_ERR_FLASH_CONTEXT_ALREADY_SET', 'An upload that another client began is still open.', 'Other programs on the same board; what ran before on this bay.'],
  ['IMG_MGMT_ERR_FLASH_CONTEXT_NOT_SET', 'A piece came without the first one: the board restarted in the middle of the upload.', `${bootOutput} A watchdog or a weak supply shows as a boot in the middle of the upload.`],
  ['IMG_MGMT_ERR_FLASH_AREA_DEVICE_NULL', 'The flash device behind the slot is missing in the firmware\'s configuration.', bootOutput],
  ['IMG_MGMT_ERR_INVALID_PAGE_OFFSET', 'The firmware computed a page outside its flash: partitions that do not end on a page.', 'The partition layout of the firmware (devicetree).'],
  ['IMG_MGMT_ERR_INVALID_OFFSET', 'A piece of the upload named no offset.', history],
  ['IMG_MGMT_ERR_INVALID_LENGTH', 'The first piece of the upload did not name the image\'s length.', history],
  ['IMG_MGMT_ERR_INVALID_IMAGE_HEADER', 'The first piece was too short to hold a whole image header: the board\'s buffers are very small.', 'The buffer size that the board tells (Boards, Ask).'],
  ['IMG_MGMT_ERR_INVALID_IMAGE_HEADER_MAGIC', 'The file is no MCUboot image: it was never signed, or it is wrapped in something else.', imageFacts],
  ['IMG_MGMT_ERR_INVALID_HASH', 'The upload named a hash of a length that the firmware does not take.', imageFacts],
  ['IMG_MGMT_ERR_INVALID_FLASH_ADDRESS', 'The image is fixed to another flash address than the slot\'s (ROM_FIXED): an image for another board or slot.', imageFacts],
  ['IMG_MGMT_ERR_VERSION_GET_FAILED', 'The board could not read the version of the image that runs, to compare the new one with it.', state],
  ['IMG_MGMT_ERR_CURRENT_VERSION_IS_NEWER', 'The firmware itself refuses images older than the one that runs.', 'The versions: of the image (Images), and of what runs (Boards, Ask).'],
  ['IMG_MGMT_ERR_IMAGE_ALREADY_PENDING', 'An image is marked already, or runs on test; another one cannot be marked meanwhile.', state],
  ['IMG_MGMT_ERR_INVALID_IMAGE_VECTOR_TABLE', 'The first words of the firmware are no start address inside it: signed with a wrong header size, or linked for another address.', imageFacts],
  ['IMG_MGMT_ERR_INVALID_IMAGE_TOO_LARGE', 'The image is larger than its slot less what the bootloader needs at its end.', 'The room that each swap mode leaves (Images, Room in the slots), beside the slot\'s size (Boards, Ask).'],
  ['IMG_MGMT_ERR_INVALID_IMAGE_DATA_OVERRUN', 'More bytes came than the first piece announced: two uploads at once, or a file that changed meanwhile.', history],
  ['IMG_MGMT_ERR_IMAGE_CONFIRMATION_DENIED', 'A hook in the firmware refused the confirm, for instance because its own checks did not pass.', 'The firmware\'s own hooks and its log.'],
  ['IMG_MGMT_ERR_IMAGE_SETTING_TEST_TO_ACTIVE_DENIED', 'The image that runs was to be marked for a trial; the same image lies in both slots, or the wrong hash was named.', state],
  ['IMG_MGMT_ERR_ACTIVE_SLOT_NOT_KNOWN', 'The firmware cannot tell which slot it runs from: it and the bootloader were built with different modes.', state],
]

const os: readonly Row[] = [
  ['OS_MGMT_ERR_OK', 'Nothing is wrong.', 'The answer itself.'],
  ['OS_MGMT_ERR_UNKNOWN', 'The firmware met an error that it has no name for.', bootOutput],
  ['OS_MGMT_ERR_INVALID_FORMAT', 'The format of an application-info request has a letter that this firmware does not know.', recipeAndBoard],
  ['OS_MGMT_ERR_QUERY_YIELDS_NO_ANSWER', 'The bootloader-info query is one that this firmware has no answer to.', recipeAndBoard],
  ['OS_MGMT_ERR_RTC_NOT_SET', 'The board\'s clock has run since power-up without ever being set.', 'Its date and time on the console.'],
  ['OS_MGMT_ERR_RTC_COMMAND_FAILED', 'The driver of the clock chip returned an error.', bootOutput],
  ['OS_MGMT_ERR_QUERY_RESPONSE_VALUE_NOT_VALID', 'The answer to the query could not be made from what the firmware knows.', recipeAndBoard],
]

const statistics: readonly Row[] = [
  ['STAT_MGMT_ERR_OK', 'Nothing is wrong.', 'The answer itself.'],
  ['STAT_MGMT_ERR_UNKNOWN', 'The firmware met an error that it has no name for.', bootOutput],
  ['STAT_MGMT_ERR_INVALID_GROUP', 'The firmware registers no statistics under that name.', recipeAndBoard],
  ['STAT_MGMT_ERR_INVALID_STAT_NAME', 'A counter of that group has no name in this build (CONFIG_STATS_NAMES is off).', recipeAndBoard],
  ['STAT_MGMT_ERR_INVALID_STAT_SIZE', 'A counter has a size that the firmware cannot report.', recipeAndBoard],
  ['STAT_MGMT_ERR_WALK_ABORTED', 'Reading the counters stopped in the middle, most often because the answer was too long.', recipeAndBoard],
]

const settings: readonly Row[] = [
  ['SETTINGS_MGMT_ERR_OK', 'Nothing is wrong.', 'The answer itself.'],
  ['SETTINGS_MGMT_ERR_UNKNOWN', 'The firmware met an error that it has no name for.', bootOutput],
  ['SETTINGS_MGMT_ERR_KEY_TOO_LONG', 'The setting\'s name is longer than the firmware was built for.', recipeAndBoard],
  ['SETTINGS_MGMT_ERR_KEY_NOT_FOUND', 'No setting of that name exists.', recipeAndBoard],
  ['SETTINGS_MGMT_ERR_READ_NOT_SUPPORTED', 'The part of the firmware behind the setting offers no reading.', recipeAndBoard],
  ['SETTINGS_MGMT_ERR_ROOT_KEY_NOT_FOUND', 'No part of the firmware handles settings under that first name.', recipeAndBoard],
  ['SETTINGS_MGMT_ERR_WRITE_NOT_SUPPORTED', 'The part of the firmware behind the setting offers no writing.', recipeAndBoard],
  ['SETTINGS_MGMT_ERR_DELETE_NOT_SUPPORTED', 'The settings backend of the firmware offers no deleting.', recipeAndBoard],
  ['SETTINGS_MGMT_ERR_SAVE_NOT_SUPPORTED', 'The settings backend of the firmware offers no saving.', recipeAndBoard],
]

const files: readonly Row[] = [
  ['FS_MGMT_ERR_OK', 'Nothing is wrong.', 'The answer itself.'],
  ['FS_MGMT_ERR_UNKNOWN', 'The firmware met an error that it has no name for.', bootOutput],
  ['FS_MGMT_ERR_FILE_INVALID_NAME', 'The path is none that its file system takes; it must be whole, from the mount point on.', recipeAndBoard],
  ['FS_MGMT_ERR_FILE_NOT_FOUND', 'There is no file at that path.', recipeAndBoard],
  ['FS_MGMT_ERR_FILE_IS_DIRECTORY', 'The path names a folder.', recipeAndBoard],
  ['FS_MGMT_ERR_FILE_OPEN_FAILED', 'The file system could not open the file: not mounted, damaged, or too many files open.', bootOutput],
  ['FS_MGMT_ERR_FILE_SEEK_FAILED', 'Moving within the file failed: a damaged file system.', bootOutput],
  ['FS_MGMT_ERR_FILE_READ_FAILED', 'Reading the file failed: a damaged file system or worn flash.', bootOutput],
  ['FS_MGMT_ERR_FILE_TRUNCATE_FAILED', 'The file could not be cut off before it is written anew.', bootOutput],
  ['FS_MGMT_ERR_FILE_DELETE_FAILED', 'The old file could not be deleted before it is written anew.', bootOutput],
  ['FS_MGMT_ERR_FILE_WRITE_FAILED', 'Writing the file failed: most often the file system is full.', bootOutput],
  ['FS_MGMT_ERR_FILE_OFFSET_NOT_VALID', 'The piece does not follow the one before it: a piece was lost on the line.', history],
  ['FS_MGMT_ERR_FILE_OFFSET_LARGER_THAN_FILE', 'The piece that was asked for begins past the file\'s end; the file changed meanwhile.', history],
  ['FS_MGMT_ERR_CHECKSUM_HASH_NOT_FOUND', 'The firmware was built without the checksum that was asked for.', recipeAndBoard],
  ['FS_MGMT_ERR_MOUNT_POINT_NOT_FOUND', 'No file system is mounted at the beginning of that path.', recipeAndBoard],
  ['FS_MGMT_ERR_READ_ONLY_FILESYSTEM', 'The file system is mounted for reading only.', recipeAndBoard],
  ['FS_MGMT_ERR_FILE_EMPTY', 'The file is empty, and there is nothing to compute a checksum over.', recipeAndBoard],
]

const shell: readonly Row[] = [
  ['SHELL_MGMT_ERR_OK', 'Nothing is wrong.', 'The answer itself.'],
  ['SHELL_MGMT_ERR_UNKNOWN', 'The firmware met an error that it has no name for.', bootOutput],
  ['SHELL_MGMT_ERR_COMMAND_TOO_LONG', 'The command line is longer than the shell\'s buffer (CONFIG_SHELL_CMD_BUFF_SIZE).', recipeAndBoard],
  ['SHELL_MGMT_ERR_EMPTY_COMMAND', 'Nothing was left to run after the line was taken apart.', recipeAndBoard],
]

/** A group of codes: `number` null stands for the plain codes that any group may answer. */
export type CodeGroup = Readonly<{ name: string; number: number | null; codes: readonly BoardCode[] }>

const tables: Readonly<Record<string, readonly Row[]>> = { smp: mgmt, os, image, statistics, settings, files, shell }
const own: BoardCode = { code: userCode, name: 'MGMT_ERR_EPERUSER', cause: 'Codes from 256 on are the firmware\'s own; only who wrote it knows them.', evidence: bootOutput }

export const codeGroups: readonly CodeGroup[] = codeGroupNames.map(([name, number]) => {
  const codes = (tables[name] ?? []).map(([called, cause, evidence], code): BoardCode => ({ code, name: called, cause, evidence }))
  return { name, number, codes: number === null ? [...codes, own] : codes }
})
