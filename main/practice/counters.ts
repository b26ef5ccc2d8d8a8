// Security counters as a bootloader with MCUBOOT_HW_ROLLBACK_PROT keeps them (boot/bootutil/src/security_cnt.h): one number
// for each image that only grows, in a sector of their own that stands for the part's one-time memory. An image below it, or
// with none, does not verify. Surprise: the number rises only once an image is confirmed, so a test run can still go back.
import { viewOf } from '../base/bytes.ts'
import { assert, failed } from '../base/failure.ts'
import { parseImage } from '../image/format.ts'
import { TLV } from '../image/tlv.ts'
import type { FlashArea } from './flash.ts'

/** image u32 · counter u32, appended. */
const recordBytes = 8
const blank = 0xffff_ffff

export class SecurityCounters {
  readonly #area: FlashArea

  constructor(area: FlashArea) {
    this.#area = area
  }

  /** 0 before anything was kept. */
  read(image: number): number {
    let most = 0
    for (const record of this.#records()) if (record.image === image) most = Math.max(most, record.counter)
    return most
  }

  raise(image: number, counter: number): void {
    if (counter <= this.read(image)) return
    const at = this.#records().length * recordBytes
    assert(at + recordBytes <= this.#area.sizeBytes, 'the counters of a practice board are not raised five hundred times')
    const bytes = new Uint8Array(recordBytes)
    viewOf(bytes).setUint32(0, image, true)
    viewOf(bytes).setUint32(4, counter, true)
    this.#area.write(at, bytes)
  }

  #records(): { image: number; counter: number }[] {
    const view = viewOf(this.#area.read(0, this.#area.sizeBytes))
    const records: { image: number; counter: number }[] = []
    for (let at = 0; at + recordBytes <= this.#area.sizeBytes; at += recordBytes) {
      const image = view.getUint32(at, true)
      if (image === blank) break
      records.push({ image, counter: view.getUint32(at + 4, true) })
    }
    return records
  }
}

/** The security counter in the protected area of that image; null when it has none. */
export function securityCounterOf(image: Uint8Array): number | null {
  const parsed = parseImage(image)
  if (failed(parsed)) return null
  const tlv = parsed.protectedTlvs.find(({ type, value }) => type === TLV.SEC_CNT && value.length === 4)
  return tlv === undefined ? null : viewOf(tlv.value).getUint32(0, true)
}
