// Group 1, images: which image lies in which slot and how it stands, upload, mark for test, confirm, erase
// (docs.zephyrproject.org services/device_mgmt/smp_groups/smp_group_1.html; subsys/mgmt/mcumgr/grp/img_mgmt).
// Surprises: a slot whose image does not parse is simply missing from the list; build number 0 is left out of the version;
// while a new image runs on test, the OLD one in slot 1 is shown as confirmed; confirming the old one then answers
// ok and changes nothing; erasing an empty slot is refused with code 1.
import { readBody, has, takeBytes, takeCount, takeCountOr, takeFlag, takeMaps, takeText } from './body.ts'
import { nothing, smpGroup } from './commands.ts'
import type { Nothing, SmpCommand } from './commands.ts'
import { refuse } from '../base/failure.ts'
import type { CborMap } from './message.ts'

/** Command numbers in group 1. */
export const imageCommand = { state: 0, upload: 1, file: 2, coreList: 3, coreLoad: 4, erase: 5, slotInfo: 6 } as const

const imagesMax = 16
/** SHA-256, SHA-384 and SHA-512 images. */
const hashLengths = [32, 48, 64]

export type SlotState = Readonly<{
  image: number
  slot: number
  /** As the board writes it: `1.1.0`, or `1.1.0.7` with a build number. */
  version: string
  /** The image's hash TLV. Null where a server lists none. */
  hash: Uint8Array | null
  bootable: boolean
  /** Will be swapped in at the next reset. */
  pending: boolean
  confirmed: boolean
  active: boolean
  /** Will stay after that swap without a confirm. */
  permanent: boolean
}>

export type ImageState = Readonly<{ slots: readonly SlotState[]; splitStatus: number | null }>

function readState(name: string, body: CborMap): ReturnType<typeof imageState.decode> {
  return readBody(name, () => {
    const slots = takeMaps(body, 'images', imagesMax).map(readSlot)
    const places = new Set(slots.map((slot) => `${slot.image}/${slot.slot}`))
    if (places.size !== slots.length) refuse('field', 'a slot is listed twice')
    return { slots, splitStatus: takeCountOr(body, 'splitStatus', null) }
  })
}

function readSlot(item: CborMap): SlotState {
  return {
    image: takeCountOr(item, 'image', 0, 0xff),
    slot: takeCount(item, 'slot', 0xff),
    version: takeText(item, 'version', 32),
    hash: has(item, 'hash') ? takeBytes(item, 'hash', hashLengths) : null,
    bootable: takeFlag(item, 'bootable'),
    pending: takeFlag(item, 'pending'),
    confirmed: takeFlag(item, 'confirmed'),
    active: takeFlag(item, 'active'),
    permanent: takeFlag(item, 'permanent'),
  }
}

/** Images in all slots as the board sees them. */
export const imageState: SmpCommand<Nothing, ImageState> = {
  name: 'image state',
  group: smpGroup.image,
  command: imageCommand.state,
  op: 'read',
  encode: () => ({}),
  decode: (body) => readState('image state', body),
}

/**
 * Marks the image with that hash for a test boot (`confirm: false`) or for good (`confirm: true`); without a hash,
 * `confirm: true` confirms the running image. Answers with the new state.
 */
export const setImageState: SmpCommand<{ hash?: Uint8Array; confirm: boolean }, ImageState> = {
  name: 'set image state',
  group: smpGroup.image,
  command: imageCommand.state,
  op: 'write',
  encode: ({ hash, confirm }) => ({ ...(hash ? { hash } : {}), confirm }),
  decode: (body) => readState('set image state', body),
}

export type UploadArgs = Readonly<{
  off: number
  data: Uint8Array
  /** The next four belong to the first chunk (off 0) only. */
  image?: number
  lengthBytes?: number
  sha256?: Uint8Array
  upgradeOnly?: boolean
}>

export type UploadReply = Readonly<{
  /** Where the board stands: the offset it wants next. */
  off: number
  /** Whether the whole upload has the stated hash; null where the board does not say. */
  match: boolean | null
}>

/** The body of an upload request; the one place that knows the order of its keys. */
export function uploadBody(args: UploadArgs): CborMap {
  return {
    ...(args.image ? { image: args.image } : {}),
    off: args.off,
    ...(args.lengthBytes === undefined ? {} : { len: args.lengthBytes }),
    data: args.data,
    ...(args.sha256 ? { sha: args.sha256 } : {}),
    ...(args.upgradeOnly ? { upgrade: true } : {}),
  }
}

/** One chunk. A wrong offset is no error: the reply says which one the board wants. */
export const upload: SmpCommand<UploadArgs, UploadReply> = {
  name: 'image upload',
  group: smpGroup.image,
  command: imageCommand.upload,
  op: 'write',
  encode: uploadBody,
  decode: (body) =>
    readBody('image upload', () => ({ off: takeCount(body, 'off'), match: has(body, 'match') ? takeFlag(body, 'match') : null })),
}

/** Erases a slot, by default slot 1. Takes as long as its flash: 85 ms a page, 8.9 s for 420 KiB on an nRF52840. */
export const eraseSlot: SmpCommand<{ slot?: number }, Nothing> = {
  name: 'erase slot',
  group: smpGroup.image,
  command: imageCommand.erase,
  op: 'write',
  encode: ({ slot }): CborMap => (slot === undefined ? {} : { slot }),
  decode: () => nothing,
}

export type SlotPlace = Readonly<{
  slot: number
  /** Null where the board could not say (it then reports a code for this slot only). */
  sizeBytes: number | null
  /** What to put in an upload's `image` to reach this slot, where that is possible at all. */
  uploadImage: number | null
}>

export type SlotInfo = Readonly<{
  images: readonly Readonly<{ image: number; slots: readonly SlotPlace[]; maxImageBytes: number | null }>[]
}>

/** Sizes of the slots. Came with Zephyr 4.0; older boards answer code 8. */
export const slotInfo: SmpCommand<Nothing, SlotInfo> = {
  name: 'slot info',
  group: smpGroup.image,
  command: imageCommand.slotInfo,
  op: 'read',
  encode: () => ({}),
  decode: (body) =>
    readBody('slot info', () => ({
      images: takeMaps(body, 'images', imagesMax).map((item) => ({
        image: takeCountOr(item, 'image', 0, 0xff),
        slots: takeMaps(item, 'slots', imagesMax).map((slot) => ({
          slot: takeCount(slot, 'slot', 0xff),
          sizeBytes: takeCountOr(slot, 'size', null),
          uploadImage: takeCountOr(slot, 'upload_image_id', null, 0xff),
        })),
        maxImageBytes: takeCountOr(item, 'max_image_size', null),
      })),
    })),
}
