// MCUboot's serial recovery (boot/boot_serial/src/boot_serial.c), in which the bootloader itself answers: echo, console
// echo, reset, buffer sizes, images and upload. Uploads go over the PRIMARY slot, which is erased whole first. Surprises
// kept: every answer has an `rc`, a wrong offset is rc 0 with the offset wanted, nearly every wrong is rc 3, only images
// that verify are listed and none is called active, and a chunk is shortened to the flash's write block.
import { concat } from '../base/bytes.ts'
import { encodeHeader, encodeIndefinite } from '../smp/message.ts'
import type { CborMap } from '../smp/message.ts'
import { mgmt, readFields } from './answer.ts'
import { erasedByte } from './flash.ts'
import type { RecoveryBuild } from './profiles.ts'
import { imageHolds } from './slot-check.ts'
import type { Bootloader } from './slot-check.ts'
import { listedVersion, readListed } from './slot-image.ts'
import { secondaryImage } from './swap.ts'

const headerBytes = 8

/** One stay in recovery; its upload state is gone after a reset. */
export class RecoveryServer {
  readonly #loader: Bootloader
  readonly #build: RecoveryBuild
  readonly #requestReset: () => void
  #sizeBytes = 0
  #offset = 0
  /** Called after each chunk taken, with the bytes written so far and the whole. */
  onUploaded: (offset: number, sizeBytes: number) => void = () => {}

  constructor(loader: Bootloader, build: RecoveryBuild, requestReset: () => void) {
    this.#loader = loader
    this.#build = build
    this.#requestReset = requestReset
  }

  /** The replies to one packet: one, or none when it is no whole request. */
  answer(packet: Uint8Array): Uint8Array[] {
    const payload = packet.subarray(headerBytes)
    const op = (packet[0] ?? 0) & 7
    const bodyBytes = ((packet[2] ?? 0) << 8) | (packet[3] ?? 0)
    if (packet.length < headerBytes || (op !== 0 && op !== 2) || payload.length < bodyBytes) return []
    const group = ((packet[4] ?? 0) << 8) | (packet[5] ?? 0)
    const command = packet[7] ?? 0
    const body = encodeIndefinite(this.#do(group, command, op === 0, payload))
    return [concat(encodeHeader({ op: op === 0 ? 'read-rsp' : 'write-rsp', version: ((packet[0] ?? 0) >> 3) & 3, group, seq: packet[6] ?? 0, command, bodyBytes: body.length }), body)]
  }

  #do(group: number, command: number, read: boolean, payload: Uint8Array): CborMap {
    if (group === 0 && command === 0) {
      const fields = readFields(payload, { d: 'text' })
      return fields?.d === undefined ? { rc: mgmt.invalid } : { r: fields.d }
    }
    if (group === 0 && command === 1) return { rc: 0 }
    if (group === 0 && command === 5) {
      this.#requestReset()
      return { rc: 0 }
    }
    if (group === 0 && command === 6 && this.#build.tellsParameters) return { buf_size: this.#build.receiveBytes, buf_count: 1 }
    if (group === 1 && command === 0 && read) return { images: this.#images() }
    if (group === 1 && command === 1) return this.#upload(payload)
    return { rc: mgmt.notSupported }
  }

  #images(): CborMap[] {
    const { slots, mode } = this.#loader
    const areas = mode === 'single-slot' ? [slots.primary.area] : [slots.primary.area, secondaryImage(slots)]
    return areas.flatMap((area, slot) => {
      const listed = readListed(area)
      if (listed === null || !imageHolds(this.#loader, area)) return []
      return [{ slot, ...(this.#build.listsHash ? { hash: listed.hash } : {}), version: listedVersion(listed.header) }]
    })
  }

  #upload(payload: Uint8Array): CborMap {
    const { area } = this.#loader.slots.primary
    const fields = readFields(payload, { image: 'count', data: 'bytes', len: 'count', off: 'count' })
    if (fields === null || fields.off === undefined || fields.data === undefined || (fields.image ?? 0) > 1) return { rc: mgmt.invalid }
    if (fields.off === 0) {
      if (fields.len === undefined || fields.len > area.sizeBytes) return { rc: mgmt.invalid }
      this.#offset = 0
      this.#sizeBytes = fields.len
      area.erase(0, area.sizeBytes)
    } else if (fields.off !== this.#offset) {
      return { rc: 0, off: this.#offset }
    }
    if (this.#offset + fields.data.length > this.#sizeBytes) return { rc: mgmt.invalid }
    return this.#write(fields.data)
  }

  #write(data: Uint8Array): CborMap {
    const { area } = this.#loader.slots.primary
    const block = area.writeBlockBytes
    const last = this.#offset + data.length === this.#sizeBytes
    const taken = last ? data.length : data.length - (data.length % block)
    const padded = new Uint8Array(Math.ceil(taken / block) * block).fill(erasedByte)
    padded.set(data.subarray(0, taken))
    if (!area.write(this.#offset, padded)) return { rc: mgmt.invalid }
    this.#offset += taken
    this.onUploaded(this.#offset, this.#sizeBytes)
    return { rc: 0, off: this.#offset }
  }
}
