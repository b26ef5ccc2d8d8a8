// Image group (1) of the practice board's SMP server, after Zephyr's img_mgmt.c, img_mgmt_state.c and
// zephyr_img_mgmt.c: list and mark images, upload, erase, slot info. The upload's session lives in RAM and is gone after
// a reset; data go to flash through a 512-byte buffer. Surprises kept: during a test run the old image is shown as
// confirmed, confirming it by hash answers ok and does nothing, any refused upload request forgets the session, and the
// erase of an empty slot is an error.
import { createHash } from 'node:crypto'
import { sameBytes } from '../base/bytes.ts'
import { assert } from '../base/failure.ts'
import type { CborMap } from '../smp/message.ts'
import { erasedByte } from './flash.ts'
import type { FlashArea } from './flash.ts'
import type { BoardProfile } from './profiles.ts'
import { body, groupError, mgmt, plainError, readFields } from './answer.ts'
import type { Answer, HandlerTable, ImageGroup, ServerSeat, UploadRequest } from './answer.ts'
import { compareWithoutBuild } from './load-highest.ts'
import { imageAt, listedAt, nextBoot, setNext, slotAt, slotInUse, slotsOfMode, uploadSlot } from './next-boot.ts'
import type { SeenSlots } from './next-boot.ts'
import type { TakeOut } from './package-layers.ts'
import { packageBytesIn, packedHeader } from './package-place.ts'
import { fixedAddress, headerBytes, headerFrom, listedVersion } from './slot-image.ts'
import type { SlotHeader } from './slot-image.ts'
import type { Slots } from './swap.ts'

const imageGroup = 1
/** IMG_MGMT_ERR codes in use. */
const code = {
  unknown: 1, hashNotFound: 8, noFreeSlot: 9, flashOpen: 10, flashWrite: 12, badOffset: 20, badLength: 21, badHeader: 22, badMagic: 23,
  badHash: 24, badAddress: 25, notNewer: 27, alreadyPending: 28, tooLarge: 30, overrun: 31,
} as const
const shaBytes = 32
/** CONFIG_IMG_BLOCK_BUF_SIZE: what the flash stream collects before it writes. */
const streamBytes = 512

const refused = (why: number): Answer => groupError(imageGroup, why)

type UploadSession = { image: number; slot: 0 | 1; sizeBytes: number; offset: number; sha: Uint8Array }

/** The image group's state of one running firmware. A new one begins at every reset. */
export class ImageServer implements ImageGroup {
  /** The slots of every image, the application's first. */
  readonly #images: readonly SeenSlots[]
  readonly #profile: BoardProfile
  #session: UploadSession | null = null
  #stream: FlashStream
  /** Called after each upload chunk taken, with the bytes written so far and the whole. */
  onUploaded: (offset: number, sizeBytes: number) => void = () => {}

  /** `active` is the slot whose image runs; `takeOut` as its bootloader's, where that takes packages that are not plain. */
  constructor(slots: Slots, profile: BoardProfile, active: 0 | 1 = 0, takeOut: TakeOut | null = null) {
    const own: SeenSlots = { slots, mode: profile.mode, active, packages: profile.packages !== null, ...(takeOut === null ? {} : { takeOut }) }
    this.#images = [own, ...(slots.others ?? []).map((others): SeenSlots => ({ slots: others, mode: profile.mode, active: 0 }))]
    this.#profile = profile
    this.#stream = new FlashStream(slots.secondary.area)
  }

  listState(): Answer {
    const images: CborMap[] = []
    for (const [image, seen] of this.#images.entries()) {
      const { active, mode } = seen
      const next = nextBoot(seen)
      const changes = next.slot !== active
      for (const slot of slotsOfMode(mode)) {
        if (slot === active && image > 0 && this.#profile.othersUnlisted) continue
        if (slot === active) this.#list(images, image, slot, { confirmed: next.as !== 'revert', active: true })
        else this.#list(images, image, slot, { pending: changes && next.as !== 'revert', confirmed: changes && next.as === 'revert', permanent: changes && next.as === 'normal' })
      }
    }
    return body(this.#profile.frugalList ? { images } : { images, splitStatus: 0 })
  }

  setState(hash: Uint8Array | undefined, confirm: boolean): Answer {
    let seen = this.#seenOf(0)
    let slot = seen.active
    if (hash === undefined || hash.length === 0) {
      if (!confirm) return refused(code.badHash)
    } else {
      if (hash.length !== shaBytes) return refused(code.badHash)
      const found = this.#findByHash(hash)
      if (found === null) return refused(code.hashNotFound)
      ;({ seen, slot } = found)
    }
    const why = setNext(seen, slot, confirm)
    return why === 0 ? this.listState() : refused(why)
  }

  #findByHash(hash: Uint8Array): { seen: SeenSlots; slot: 0 | 1 } | null {
    for (const seen of this.#images) {
      const slot = slotsOfMode(seen.mode).find((each) => sameBytes(listedAt(seen, each)?.hash ?? new Uint8Array(0), hash))
      if (slot !== undefined) return { seen, slot }
    }
    return null
  }

  #seenOf(image: number): SeenSlots {
    const seen = this.#images[image]
    assert(seen !== undefined, 'an image number was looked at before')
    return seen
  }

  /** By default the slot that does not run. Slots of all images count through. */
  erase(asked: number = 1 - this.#seenOf(0).active): Answer {
    const seen = this.#images[Math.floor(asked / 2)]
    const slot = seen === undefined ? undefined : slotsOfMode(seen.mode).find((each) => each === asked % 2)
    if (seen === undefined || slot === undefined) return refused(code.flashOpen)
    const { area } = slotAt(seen, slot)
    if (listedAt(seen, slot) !== null && slotInUse(seen, slot)) return refused(code.noFreeSlot)
    this.#session = null
    if (area.isErased()) {
      if (this.#profile.emptyEraseFails) return refused(code.unknown)
    } else {
      area.erase(0, area.sizeBytes)
    }
    return body(this.#profile.legacyRc ? { rc: 0 } : {})
  }

  slotInfo(): Answer {
    const images = this.#images.map((seen, image) => ({ image, slots: slotsOfMode(seen.mode).map((slot) => ({ slot, size: slotAt(seen, slot).area.sizeBytes })) }))
    return body({ images })
  }

  upload(request: UploadRequest): Answer {
    const why = this.#refusal(request)
    if (why !== 0) {
      this.#session = null
      return refused(why)
    }
    const data = request.data ?? new Uint8Array(0)
    if (request.off === 0) {
      if (this.#resumes(request.sha)) return this.#uploadReply()
      return this.#begin(this.#wanted(request), request.len!, data, request.sha ?? new Uint8Array(0))
    }
    if (this.#session === null || request.off !== this.#session.offset) return this.#uploadReply()
    return this.#take(this.#session, data)
  }

  /** The image that an upload is for; a server built for one takes any number for that. */
  #wanted({ image }: UploadRequest): number {
    return this.#images.length === 1 ? 0 : image ?? 0
  }

  #list(images: CborMap[], image: number, slot: 0 | 1, flags: { pending?: boolean; confirmed?: boolean; active?: boolean; permanent?: boolean }): void {
    const listed = listedAt(this.#seenOf(image), slot)
    if (listed === null) return
    const all = {
      bootable: listed.header.bootable,
      pending: flags.pending ?? false,
      confirmed: flags.confirmed ?? false,
      active: flags.active ?? false,
      permanent: flags.permanent ?? false,
    }
    const shown = this.#profile.frugalList ? Object.fromEntries(Object.entries(all).filter(([, value]) => value)) : all
    images.push({ ...(this.#images.length > 1 ? { image } : {}), slot, version: listedVersion(listed.header), hash: listed.hash, ...shown })
  }

  #refusal(request: UploadRequest): number {
    const { off, len, sha } = request
    const data = request.data ?? new Uint8Array(0)
    if (off === undefined) return code.badOffset
    if (off > 0) {
      if (this.#session === null || off !== this.#session.offset) return 0
      return off + data.length > this.#session.sizeBytes ? code.overrun : 0
    }
    if (data.length < headerBytes) return code.badHeader
    if (len === undefined) return code.badLength
    const packed = this.#packed(data, len)
    const header = packed === null ? headerFrom(data) : packed.header
    if (packed === null && header?.magic !== 'image') return code.badMagic
    if (sha !== undefined && sha.length > shaBytes) return code.badHash
    if (this.#resumes(sha)) return 0
    const seen = this.#images[this.#wanted(request)]
    const slot = seen === undefined ? null : uploadSlot(seen)
    if (seen === undefined || slot === null) return code.noFreeSlot
    if (len > imageAt(seen, slot).sizeBytes) return code.tooLarge
    if (packed !== null && packed.address !== null && packed.address !== slotAt(seen, slot).area.address + packed.offset) return code.badAddress
    // Upgrade-only uploads compare without the build number. A package whose head is longer than the first piece tells no version yet.
    const runs = listedAt(seen, seen.active)?.header ?? null
    return request.upgrade === true && header !== null && runs !== null && compareWithoutBuild(header, runs) <= 0 ? code.notNewer : 0
  }

  /**
   * Zephyr's check of the first piece knows MCUboot's magic only (img_mgmt_upload_inspect). Firmware made for such a
   * bootloader takes a DER SEQUENCE of the upload's length as well, and refuses an image fixed to another address
   * (CONFIG_MCUMGR_GRP_IMG_REJECT_DIRECT_XIP_MISMATCHED_SLOT) where it runs from inside.
   */
  #packed(data: Uint8Array, len: number): { header: SlotHeader | null; offset: number; address: number | null } | null {
    if (this.#profile.packages === null || packageBytesIn({ sizeBytes: len, read: (at, length) => data.subarray(at, at + length) }) !== len) return null
    const inside = packedHeader(data, len)
    return { header: inside?.header ?? null, offset: inside?.offset ?? 0, address: inside === null || this.#profile.packages !== 'in-place' ? null : fixedAddress(inside.bytes) }
  }

  #resumes(sha: Uint8Array | undefined): boolean {
    return sha !== undefined && sha.length > 0 && this.#session !== null && sameBytes(this.#session.sha, sha)
  }

  #begin(image: number, sizeBytes: number, data: Uint8Array, sha: Uint8Array): Answer {
    const seen = this.#seenOf(image)
    const slot = uploadSlot(seen)
    assert(slot !== null, 'an upload without a free slot was refused before')
    const area = imageAt(seen, slot)
    const whole = slotAt(seen, slot).area
    const session: UploadSession = { image, slot, sizeBytes, offset: 0, sha: sha.slice() }
    this.#session = session
    if (this.#profile.imageCheck && sha.length === shaBytes && contentMatches(area, sizeBytes, sha)) {
      session.offset = sizeBytes
      return this.#finish(session, true)
    }
    if (!whole.isErased()) eraseForUpload(whole, whole.sizeBytes - area.sizeBytes + sizeBytes)
    this.#stream = new FlashStream(area)
    return this.#take(session, data)
  }

  #take(session: UploadSession, data: Uint8Array): Answer {
    if (data.length === 0) return this.#uploadReply()
    const last = session.offset + data.length === session.sizeBytes
    if (!this.#stream.write(data, last)) {
      this.#session = null
      return refused(code.flashWrite)
    }
    session.offset += data.length
    this.onUploaded(session.offset, session.sizeBytes)
    if (!last) return this.#uploadReply()
    return this.#finish(session, contentMatches(imageAt(this.#seenOf(session.image), session.slot), session.sizeBytes, session.sha))
  }

  #finish(session: UploadSession, match: boolean): Answer {
    this.#session = null
    return body({
      ...(this.#profile.legacyRc ? { rc: 0 } : {}),
      off: session.offset,
      ...(this.#profile.imageCheck ? { match } : {}),
    })
  }

  #uploadReply(): Answer {
    const off = this.#session?.offset ?? 0
    return body(this.#profile.legacyRc ? { rc: 0, off } : { off })
  }
}

const uploadFields = { image: 'count', data: 'bytes', len: 'count', off: 'count', sha: 'bytes', upgrade: 'flag' } as const

function contentMatches(area: FlashArea, sizeBytes: number, sha: Uint8Array): boolean {
  if (sizeBytes > area.sizeBytes) return false
  return sameBytes(createHash('sha256').update(area.read(0, sizeBytes)).digest(), sha)
}

/** Erases the pages the image will fill, and those of the trailer (img_mgmt_erase_image_data). */
function eraseForUpload(area: FlashArea, sizeBytes: number): void {
  const eraseBytes = Math.ceil(sizeBytes / area.sectorBytes) * area.sectorBytes
  if (eraseBytes > 0) area.erase(0, eraseBytes)
  const trailerFields = 16 + 2 * 8
  const trailerOffset = area.sizeBytes - trailerFields
  if (trailerOffset >= eraseBytes) area.erase(trailerOffset, trailerFields)
}

/** Collects upload data and writes them in blocks (flash_img_buffered_write). */
class FlashStream {
  readonly #area: FlashArea
  readonly #buffer = new Uint8Array(streamBytes)
  #filled = 0
  #written = 0

  constructor(area: FlashArea) {
    this.#area = area
  }

  /** False when the flash refuses: not erased, or the end of the slot. */
  write(data: Uint8Array, flush: boolean): boolean {
    for (let at = 0; at < data.length;) {
      const part = data.subarray(at, at + streamBytes - this.#filled)
      this.#buffer.set(part, this.#filled)
      this.#filled += part.length
      at += part.length
      if (this.#filled === streamBytes && !this.#writeOut()) return false
    }
    return flush && this.#filled > 0 ? this.#writeOut() : true
  }

  #writeOut(): boolean {
    const block = this.#area.writeBlockBytes
    const padded = Math.ceil(this.#filled / block) * block
    if (this.#written + padded > this.#area.sizeBytes) return false
    this.#buffer.fill(erasedByte, this.#filled, padded)
    const ok = this.#area.write(this.#written, this.#buffer.subarray(0, padded))
    this.#written += this.#filled
    this.#filled = 0
    return ok
  }
}

export const imageHandlers: HandlerTable = {
  0: {
    read: (seat) => seat.image.listState(),
    write: (seat, payload) => {
      const fields = readFields(payload, { hash: 'bytes', confirm: 'flag' })
      return fields === null ? plainError(mgmt.invalid) : seat.image.setState(fields.hash, fields.confirm ?? false)
    },
  },
  1: {
    write: (seat: ServerSeat, payload) => {
      const fields = readFields(payload, uploadFields)
      return fields === null ? plainError(mgmt.invalid) : seat.image.upload(fields)
    },
  },
  5: {
    write: (seat, payload) => {
      const fields = readFields(payload, { slot: 'count' })
      return fields === null ? plainError(mgmt.invalid) : seat.image.erase(fields.slot)
    },
  },
  6: { read: (seat) => (seat.profile.slotInfo ? seat.image.slotInfo() : plainError(mgmt.notSupported)) },
}

const badState = 6
/** Image group error under a version 0 header (img_mgmt_translate_error_code). */
export function translateImageError(error: number): number {
  if (error === code.noFreeSlot || error === code.notNewer || error === code.alreadyPending) return badState
  if (error === code.badOffset || error === code.badLength || error === code.badHeader || error === code.badHash) return mgmt.invalid
  return mgmt.unknown
}
