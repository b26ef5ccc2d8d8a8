// Image group (1) of the practice board's SMP server, after Zephyr's img_mgmt.c, img_mgmt_state.c and
// zephyr_img_mgmt.c: list and mark images, upload, erase, slot info. The upload's session lives in RAM and is gone after
// a reset; data go to flash through a 512-byte buffer. Surprises kept: during a test run the old image is shown as
// confirmed, confirming it by hash answers ok and does nothing, any refused upload request forgets the session, and the
// erase of an empty slot is an error.
import { createHash } from 'node:crypto'
import { sameBytes } from '../base/bytes.ts'
import type { CborMap } from '../smp/message.ts'
import { erasedByte } from './flash.ts'
import type { FlashArea } from './flash.ts'
import type { BoardProfile } from './profiles.ts'
import { body, groupError, mgmt, plainError, readFields } from './answer.ts'
import type { Answer, HandlerTable, ServerSeat } from './answer.ts'
import { headerBytes, headerFrom, listedVersion, readHeader, readListed } from './slot-image.ts'
import type { SlotHeader } from './slot-image.ts'
import type { Slot, Slots } from './swap.ts'
import { decideSwap } from './trailer.ts'

const imageGroup = 1
/** IMG_MGMT_ERR codes in use. */
const code = {
  unknown: 1, noFreeSlot: 9, flashOpen: 10, flashWrite: 12, badOffset: 20, badLength: 21, badHeader: 22, badMagic: 23, badHash: 24,
  notNewer: 27, alreadyPending: 28, tooLarge: 30, overrun: 31, testOfActive: 33, hashNotFound: 8, badTrailer: 29,
} as const
const shaBytes = 32
/** CONFIG_IMG_BLOCK_BUF_SIZE: what the flash stream collects before it writes. */
const streamBytes = 512

const refused = (why: number): Answer => groupError(imageGroup, why)

/** Slot 0 runs; slot 1 takes uploads. What comes next is read from the trailers each time, as the server does. */
type NextBoot = Readonly<{ slot: 0 | 1; as: 'normal' | 'test' | 'revert' }>

type UploadSession = { sizeBytes: number; offset: number; sha: Uint8Array }

/** The image group's state of one running firmware. A new one begins at every reset. */
export class ImageServer {
  readonly #slots: Slots
  readonly #profile: BoardProfile
  #session: UploadSession | null = null
  #stream: FlashStream
  /** Called after each upload chunk taken, with the bytes written so far and the whole. */
  onUploaded: (offset: number, sizeBytes: number) => void = () => {}

  constructor(slots: Slots, profile: BoardProfile) {
    this.#slots = slots
    this.#profile = profile
    this.#stream = new FlashStream(slots.secondary.area)
  }

  listState(): Answer {
    const next = this.#nextBoot()
    const images: CborMap[] = []
    this.#list(images, 0, { confirmed: next.as !== 'revert', active: true })
    const other = next.slot === 1
    this.#list(images, 1, {
      pending: other && next.as !== 'revert', confirmed: other && next.as === 'revert', permanent: other && next.as === 'normal',
    })
    return body(this.#profile.frugalList ? { images } : { images, splitStatus: 0 })
  }

  setState(hash: Uint8Array | undefined, confirm: boolean): Answer {
    let slot: 0 | 1 = 0
    if (hash === undefined || hash.length === 0) {
      if (!confirm) return refused(code.badHash)
    } else {
      if (hash.length !== shaBytes) return refused(code.badHash)
      const found = ([0, 1] as const).find((each) => sameBytes(readListed(this.#slot(each).area)?.hash ?? new Uint8Array(0), hash))
      if (found === undefined) return refused(code.hashNotFound)
      slot = found
    }
    const why = this.#setNext(slot, confirm)
    return why === 0 ? this.listState() : refused(why)
  }

  erase(slot = 1): Answer {
    if (slot > 1) return refused(code.flashOpen)
    const { area } = this.#slot(slot as 0 | 1)
    if (readListed(area) !== null && this.#inUse(slot as 0 | 1)) return refused(code.noFreeSlot)
    this.#session = null
    if (area.isErased()) {
      if (this.#profile.emptyEraseFails) return refused(code.unknown)
    } else {
      area.erase(0, area.sizeBytes)
    }
    return body(this.#profile.legacyRc ? { rc: 0 } : {})
  }

  slotInfo(): Answer {
    const places = ([0, 1] as const).map((slot) => ({ slot, size: this.#slot(slot).area.sizeBytes }))
    return body({ images: [{ image: 0, slots: places }] })
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
      return this.#begin(request.len!, data, request.sha ?? new Uint8Array(0))
    }
    if (this.#session === null || request.off !== this.#session.offset) return this.#uploadReply()
    return this.#take(this.#session, data)
  }

  #slot(slot: 0 | 1): Slot {
    return slot === 0 ? this.#slots.primary : this.#slots.secondary
  }

  #nextBoot(): NextBoot {
    const type = decideSwap(this.#slots.primary.trailer.state(), this.#slots.secondary.trailer.state())
    if (type === 'none') return { slot: 0, as: 'normal' }
    return { slot: 1, as: type === 'perm' ? 'normal' : type }
  }

  #inUse(slot: 0 | 1): boolean {
    const next = this.#nextBoot()
    if (next.as !== 'normal' && slot === next.slot) return true
    return next.slot === 1 && next.as === 'normal' ? true : slot === 0
  }

  #list(images: CborMap[], slot: 0 | 1, flags: { pending?: boolean; confirmed?: boolean; active?: boolean; permanent?: boolean }): void {
    const listed = readListed(this.#slot(slot).area)
    if (listed === null) return
    const all = {
      bootable: listed.header.bootable,
      pending: flags.pending ?? false,
      confirmed: flags.confirmed ?? false,
      active: flags.active ?? false,
      permanent: flags.permanent ?? false,
    }
    const shown = this.#profile.frugalList ? Object.fromEntries(Object.entries(all).filter(([, value]) => value)) : all
    images.push({ slot, version: listedVersion(listed.header), hash: listed.hash, ...shown })
  }

  /** 0, or why not (img_mgmt_set_next_boot_slot, boot_set_next). */
  #setNext(slot: 0 | 1, confirm: boolean): number {
    if (!confirm && slot === 0) return code.testOfActive
    const next = this.#nextBoot()
    if (next.as === 'test') return !confirm && slot === next.slot ? 0 : code.alreadyPending
    if (confirm && slot === next.slot) return 0
    if (next.as === 'normal' && next.slot === 1) return code.alreadyPending
    if (next.as === 'revert' && !confirm) return code.alreadyPending
    return slot === 0 ? confirmRunning(this.#slots.primary) : markUpgrade(this.#slots.secondary, confirm)
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
    const header = headerFrom(data)
    if (header.magic !== 'image') return code.badMagic
    if (sha !== undefined && sha.length > shaBytes) return code.badHash
    if (this.#resumes(sha)) return 0
    if (this.#inUse(1)) return code.noFreeSlot
    if (len > this.#slots.secondary.area.sizeBytes) return code.tooLarge
    return request.upgrade === true && !isNewer(header, readHeader(this.#slots.primary.area)) ? code.notNewer : 0
  }

  #resumes(sha: Uint8Array | undefined): boolean {
    return sha !== undefined && sha.length > 0 && this.#session !== null && sameBytes(this.#session.sha, sha)
  }

  #begin(sizeBytes: number, data: Uint8Array, sha: Uint8Array): Answer {
    const { area } = this.#slots.secondary
    const session: UploadSession = { sizeBytes, offset: 0, sha: sha.slice() }
    this.#session = session
    if (this.#profile.imageCheck && sha.length === shaBytes && contentMatches(area, sizeBytes, sha)) {
      session.offset = sizeBytes
      return this.#finish(session, true)
    }
    if (!area.isErased()) eraseForUpload(area, sizeBytes)
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
    return this.#finish(session, contentMatches(this.#slots.secondary.area, session.sizeBytes, session.sha))
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
type UploadRequest = Readonly<{ data?: Uint8Array; len?: number; off?: number; sha?: Uint8Array; upgrade?: boolean }>

function confirmRunning({ trailer }: Slot): number {
  const { magic, imageOk } = trailer.state()
  if (magic === 'bad') return code.badTrailer
  if (magic === 'good' && imageOk === 'unset') trailer.writeImageOk()
  return 0
}

function markUpgrade({ trailer }: Slot, permanent: boolean): number {
  const { magic } = trailer.state()
  if (magic === 'bad') return code.badMagic
  if (magic === 'unset') {
    trailer.writeMagic()
    if (permanent) trailer.writeImageOk()
    trailer.writeSwapInfo(permanent ? 'perm' : 'test')
  }
  return 0
}

/** Upgrade-only uploads compare without the build number. */
function isNewer(candidate: SlotHeader, running: SlotHeader): boolean {
  const by = candidate.major - running.major || candidate.minor - running.minor || candidate.revision - running.revision
  return by > 0
}

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
