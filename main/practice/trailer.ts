// The image trailer in flash as MCUboot keeps it (boot/bootutil/src/bootutil_public.c, bootutil_misc.c,
// bootutil_area.c). Counted from the end of a slot: magic 16 · image_ok · copy_done · swap_info · swap_size, each in a
// field of BOOT_MAX_ALIGN bytes, below them one status entry a sector and state. Surprise: fields are as wide as the
// maximum alignment, but status entries only as wide as the part's real write block; and swap-using-offset squeezes one
// more field (the sizes of both unprotected TLV areas) between swap_info and swap_size.
import { fromHex, sameBytes } from '../base/bytes.ts'
import { assert } from '../base/failure.ts'
import { erasedByte } from './flash.ts'
import type { FlashArea } from './flash.ts'

/** BOOT_MAX_IMG_SECTORS: how many sectors the status has room for, used or not. */
export const statusSectorsMax = 128
/** Status entries for one sector: BOOT_STATUS_STATE_COUNT. */
export const statusEntriesPerSector = 3
const magicBytes = 16
const flagSet = 0x01

const magic8 = fromHex('77c295f360d2ef7f3552500f2cb67980')!
const magicTail = fromHex('2de15d29410b8d77679c110f1f8a')!

export type SwapType = 'none' | 'test' | 'perm' | 'revert'
const swapTypeNumber: Readonly<Record<SwapType, number>> = { none: 1, test: 2, perm: 3, revert: 4 }
const swapTypes: readonly (SwapType | undefined)[] = [undefined, 'none', 'test', 'perm', 'revert']

/** `offset`: as swap-using-offset lays it out, with two states a sector and one field more. */
export type TrailerLayout = 'usual' | 'offset'

/** Swap states a sector passes through in swap-using-offset. */
export const offsetStatesPerSector = 2

export type Magic = 'good' | 'bad' | 'unset'
export type Flag = 'set' | 'unset' | 'bad'

export type SwapState = Readonly<{ magic: Magic; swapType: SwapType; /** Number of the image that is swapped; only where `swapType` is said. */ image: number; copyDone: Flag; imageOk: Flag }>

/** BOOT_MAX_ALIGN of the bootloader, 8, 16 or 32. */
export type MaxAlign = 8 | 16 | 32

function magicOf(align: MaxAlign): Uint8Array {
  return align === 8 ? magic8 : Uint8Array.of(align, 0, ...magicTail)
}

function alignDown(value: number, align: number): number {
  return value - (value % align)
}

function alignUp(value: number, align: number): number {
  return alignDown(value + align - 1, align)
}

/** One slot's trailer: where its fields lie, what they say, and writing them the way bootutil does. */
export class Trailer {
  readonly area: FlashArea
  readonly align: MaxAlign
  readonly imageOkOffset: number
  readonly copyDoneOffset: number
  readonly swapInfoOffset: number
  readonly swapSizeOffset: number
  /** Room for the key of each slot's image, where the bootloader decrypts; 0 bytes else. */
  readonly #keyField: number
  readonly #keyBytes: 0 | 16 | 32
  /** Null but in swap-using-offset. */
  readonly tlvSizesOffset: number | null
  readonly statusOffset: number
  /** Bytes from the first status entry to the end of the slot. */
  readonly sizeBytes: number
  readonly statusEntries: number

  /** The scratch area keeps the status of a single sector only. */
  constructor(area: FlashArea, align: MaxAlign, sectors: number = statusSectorsMax, layout: TrailerLayout = 'usual', keyBytes: 0 | 16 | 32 = 0) {
    this.area = area
    this.align = align
    this.imageOkOffset = alignDown(area.sizeBytes - magicBytes - align, align)
    this.copyDoneOffset = this.imageOkOffset - align
    this.swapInfoOffset = this.copyDoneOffset - align
    this.tlvSizesOffset = layout === 'offset' ? this.swapInfoOffset - align : null
    this.swapSizeOffset = (this.tlvSizesOffset ?? this.swapInfoOffset) - align
    this.#keyBytes = keyBytes
    this.#keyField = alignUp(keyBytes, align)
    this.statusEntries = sectors * (layout === 'offset' ? offsetStatesPerSector : statusEntriesPerSector)
    this.sizeBytes = this.statusEntries * area.writeBlockBytes + 2 * this.#keyField + (layout === 'offset' ? 5 : 4) * align + alignUp(magicBytes, align)
    this.statusOffset = area.sizeBytes - this.sizeBytes
  }

  state(): SwapState {
    const magic = this.area.read(this.area.sizeBytes - magicBytes, magicBytes)
    const info = this.area.read(this.swapInfoOffset, 1)[0]!
    return {
      magic: sameBytes(magic, magicOf(this.align)) ? 'good' : magic.every((byte) => byte === erasedByte) ? 'unset' : 'bad',
      swapType: swapTypes[info & 0x0f] ?? 'none',
      image: info >> 4,
      copyDone: this.#flag(this.copyDoneOffset),
      imageOk: this.#flag(this.imageOkOffset),
    }
  }

  swapSize(): number {
    const bytes = this.area.read(this.swapSizeOffset, 4)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  }

  writeMagic(): void {
    const start = alignDown(this.area.sizeBytes - magicBytes, this.align)
    const field = new Uint8Array(this.area.sizeBytes - start).fill(erasedByte)
    field.set(magicOf(this.align), field.length - magicBytes)
    this.#write(start, field)
  }

  writeImageOk(): void {
    this.#write(this.imageOkOffset, Uint8Array.of(flagSet))
  }

  writeCopyDone(): void {
    this.#write(this.copyDoneOffset, Uint8Array.of(flagSet))
  }

  writeSwapInfo(type: SwapType, image = 0): void {
    this.#write(this.swapInfoOffset, Uint8Array.of((image << 4) | swapTypeNumber[type]))
  }

  /** How far into its slot the upgrade began, kept behind the swap size in the same field; 0 where nothing is written. */
  swapShift(): number {
    const bytes = this.area.read(this.swapSizeOffset + 4, 4)
    const shift = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
    return shift === 0xffff_ffff ? 0 : shift
  }

  writeSwapSize(size: number, shift = 0): void {
    const bytes = new Uint8Array(shift === 0 ? 4 : 8)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, size, true)
    if (shift !== 0) view.setUint32(4, shift, true)
    this.#write(this.swapSizeOffset, bytes)
  }

  /** Key of the image of slot 0 or 1 (boot_write_enc_key); nothing is written for one that is not encrypted. */
  writeKey(slot: 0 | 1, key: Uint8Array | null): void {
    if (key !== null && this.#keyField > 0) this.#write(this.#keyOffset(slot), key)
  }

  readKey(slot: 0 | 1): Uint8Array | null {
    if (this.#keyBytes === 0) return null
    const key = this.area.read(this.#keyOffset(slot), this.#keyBytes)
    return key.every((byte) => byte === erasedByte) ? null : key.slice()
  }

  #keyOffset(slot: 0 | 1): number {
    return this.swapSizeOffset - (slot + 1) * this.#keyField
  }

  /** Bytes of the unprotected TLV areas of both images, which cannot be found any more once sectors have moved. */
  writeTlvSizes(primary: number, secondary: number): void {
    assert(this.tlvSizesOffset !== null, 'only swap-using-offset keeps the sizes of TLV areas')
    this.#write(this.tlvSizesOffset, Uint8Array.of(primary, primary >> 8, secondary, secondary >> 8))
  }

  /** True when status entry `index` has been written. */
  statusWritten(index: number): boolean {
    return this.area.read(this.statusOffset + index * this.area.writeBlockBytes, 1)[0] !== erasedByte
  }

  writeStatus(index: number, value: number): void {
    assert(index < this.statusEntries, 'the status has room for every sector')
    this.#write(this.statusOffset + index * this.area.writeBlockBytes, Uint8Array.of(value))
  }

  /** Erases the sectors that hold the trailer, the last one first. */
  scramble(): void {
    const first = alignDown(this.statusOffset, this.area.sectorBytes)
    this.area.erase(first, this.area.sizeBytes - first, true)
  }

  #flag(offset: number): Flag {
    const byte = this.area.read(offset, 1)[0]!
    return byte === erasedByte ? 'unset' : byte === flagSet ? 'set' : 'bad'
  }

  #write(offset: number, bytes: Uint8Array): void {
    const block = new Uint8Array(alignUp(bytes.length, this.area.writeBlockBytes)).fill(erasedByte)
    block.set(bytes)
    assert(this.area.write(offset, block), `trailer of ${this.area.name} is written into erased flash`)
  }
}

/** Which swap the trailers ask for (boot_swap_tables in bootutil_public.c; the order of the questions matters). */
export function decideSwap(primary: SwapState, secondary: SwapState, layout: TrailerLayout = 'usual'): SwapType {
  if (layout === 'offset' && secondary.magic === 'good' && secondary.imageOk === 'unset' && secondary.copyDone === 'set') return 'revert'
  if (secondary.magic === 'good' && secondary.imageOk === 'unset') return 'test'
  if (secondary.magic === 'good' && secondary.imageOk === 'set') return 'perm'
  if (primary.magic === 'good' && primary.imageOk === 'unset' && primary.copyDone === 'set') return 'revert'
  return 'none'
}
