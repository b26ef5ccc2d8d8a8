// The slot's trailer: magic, image_ok, copy_done, swap_info, swap_size, keys and swap status at the slot's end, and the
// table by which MCUboot decides which swap they cause (bootutil_public.c, bootutil_misc.c). What surprised us: the
// magic's alignment padding comes before it, and imgtool reserves a 16-byte key slot even for AES-256.
import { allBytes, concat, filled, fromHex, sameBytes, viewOf } from '../base/bytes.ts'
import { assert } from '../base/failure.ts'
import type { Endian } from './tlv.ts'

export type MaxAlign = 8 | 16 | 32
export type WriteAlign = 1 | 2 | 4 | 8 | 16 | 32
export const writeAligns: readonly WriteAlign[] = [1, 2, 4, 8, 16, 32]
export const maxAligns: readonly MaxAlign[] = [8, 16, 32]

export const MAGIC_BYTES = 16
export const SECTORS_DEFAULT = 128
// Progress marks a sector goes through: move, swap, swap; swap-using-offset has no move (bootutil_area.h).
const statesPerSector = (options: Pick<TrailerOptions, 'swapOffset'>) => (options.swapOffset === true ? 2 : 3)
const magic8 = fromHex('77c295f360d2ef7f3552500f2cb67980') ?? new Uint8Array(0)
const magicTail = fromHex('2de15d29410b8d77679c110f1f8a') ?? new Uint8Array(0)

/** Ways MCUboot brings an update in; numbers are Zephyr's answer to bootloader info "mode". */
export const swapModes = {
  single: 0, 'swap-scratch': 1, overwrite: 2, 'swap-move': 3, 'direct-xip': 4, 'direct-xip-revert': 5, 'ram-load': 6,
  'firmware-loader': 7, 'single-ram-load': 8, 'swap-offset': 9,
} as const
export type SwapMode = keyof typeof swapModes

export function alignUp(value: number, align: number): number {
  return Math.ceil(value / align) * align
}

/** The 16 magic bytes for a BOOT_MAX_ALIGN. */
export function trailerMagic(maxAlign: MaxAlign, endian: Endian = 'little'): Uint8Array {
  if (maxAlign === 8) return magic8
  return concat(endian === 'little' ? Uint8Array.of(maxAlign, 0) : Uint8Array.of(0, maxAlign), magicTail)
}

/** The alignment a magic stands for, or null when these are no magic bytes. */
export function alignOfMagic(magic: Uint8Array): MaxAlign | null {
  if (sameBytes(magic, magic8)) return 8
  for (const align of [16, 32] as const) {
    for (const endian of ['little', 'big'] as const) if (sameBytes(magic, trailerMagic(align, endian))) return align
  }
  return null
}

export type TrailerOptions = Readonly<{
  /** Smallest write of the flash, bytes (`--align`). */
  align: WriteAlign
  /** BOOT_MAX_ALIGN (`--max-align`); 8, or `align` when that is larger. */
  maxAlign?: MaxAlign
  /** BOOT_MAX_IMG_SECTORS (`--max-sectors`), 128 when left out. */
  maxSectors?: number
  overwriteOnly?: boolean
  /** Bytes of one saved encryption key or TLV; 0 or absent for plain images. imgtool says 16 for either AES. */
  keySlotBytes?: number
  /** swap-using-offset keeps one more field, and two marks a sector instead of three. */
  swapOffset?: boolean
}>

/** BOOT_MAX_ALIGN as imgtool derives it. */
export function maxAlignOf(options: Pick<TrailerOptions, 'align' | 'maxAlign'>): MaxAlign {
  return options.maxAlign ?? (options.align === 32 ? 32 : options.align === 16 ? 16 : 8)
}

/** Bytes the trailer takes at the slot's end (imgtool `_trailer_size`; bootutil `boot_trailer_sz`). */
export function trailerBytes(options: TrailerOptions): number {
  const a = maxAlignOf(options)
  if (options.overwriteOnly === true) return 2 * a + alignUp(MAGIC_BYTES, a)
  const status = (options.maxSectors ?? SECTORS_DEFAULT) * statesPerSector(options) * options.align
  const keys = 2 * alignUp(options.keySlotBytes ?? 0, a)
  return status + keys + (options.swapOffset === true ? 5 : 4) * a + alignUp(MAGIC_BYTES, a)
}

/** Offsets of the fields, in bytes from the slot's start. */
export type TrailerOffsets = Readonly<{
  magic: number
  imageOk: number
  copyDone: number
  swapInfo: number
  swapSize: number
  /** Only swap-using-offset has it. */
  tlvSizes?: number
  /** Where the swap status begins: the trailer's first byte. */
  status: number
}>

/** Where the fields lie in a slot of `slotBytes`. */
export function trailerOffsets(slotBytes: number, options: TrailerOptions): TrailerOffsets {
  const a = maxAlignOf(options)
  const magic = slotBytes - MAGIC_BYTES
  // From the end, not rounded down from the start: the same in any real slot, whose size is a multiple of the alignment,
  // and right also for a file that only ends where the slot ends.
  const imageOk = slotBytes - alignUp(MAGIC_BYTES, a) - a
  const copyDone = imageOk - a
  const swapInfo = copyDone - a
  const offset = options.swapOffset === true
  return {
    magic, imageOk, copyDone, swapInfo,
    swapSize: swapInfo - (offset ? 2 : 1) * a,
    ...(offset ? { tlvSizes: swapInfo - a } : {}),
    status: slotBytes - trailerBytes(options),
  }
}

export type TrailerFlag = 'set' | 'unset' | 'bad'
export type SwapType = 'none' | 'test' | 'perm' | 'revert'
const swapTypes: readonly (SwapType | undefined)[] = [undefined, 'none', 'test', 'perm', 'revert']

/** What a slot's trailer says (bootutil `boot_read_swap_state`). */
export type TrailerState = Readonly<{
  magic: 'good' | 'bad' | 'unset'
  imageOk: TrailerFlag
  copyDone: TrailerFlag
  /** The swap under way, from swap_info; `none` when erased or out of range. */
  swapType: SwapType
  imageNumber: number
  /** Null when erased. */
  swapSizeBytes: number | null
}>

/** A trailer nobody has written to. */
export const erasedTrailer: TrailerState = { magic: 'unset', imageOk: 'unset', copyDone: 'unset', swapType: 'none', imageNumber: 0, swapSizeBytes: null }

/**
 * Reads the trailer at the end of `slot` (a whole slot, or any bytes that end where the slot ends and hold at least the
 * fields). Without `maxAlign` the magic decides; with it, a magic of another alignment is bad, as on the board.
 */
export function decodeTrailer(slot: Uint8Array, options: { maxAlign?: MaxAlign; erasedValue?: number; endian?: Endian; swapOffset?: boolean } = {}): TrailerState {
  const erased = options.erasedValue ?? 0xff
  const magicBytes = slot.subarray(Math.max(0, slot.length - MAGIC_BYTES))
  const found = alignOfMagic(magicBytes)
  const a = options.maxAlign ?? found ?? 8
  const offsets = trailerOffsets(slot.length, { align: 1, maxAlign: a, maxSectors: 0, swapOffset: options.swapOffset ?? false })
  if (offsets.swapSize < 0) return { ...erasedTrailer, magic: magicBytes.length === MAGIC_BYTES && found === a ? 'good' : 'bad' }
  const magic = allBytes(magicBytes, erased) ? 'unset' : found === a ? 'good' : 'bad'
  const flag = (at: number): TrailerFlag => (slot[at] === erased ? 'unset' : slot[at] === 1 ? 'set' : 'bad')
  const info = slot[offsets.swapInfo] ?? erased
  const type = info === erased ? undefined : swapTypes[info & 0x0f]
  const size = slot.subarray(offsets.swapSize, offsets.swapSize + 4)
  return {
    magic,
    imageOk: flag(offsets.imageOk),
    copyDone: flag(offsets.copyDone),
    swapType: type ?? 'none',
    imageNumber: type === undefined ? 0 : info >> 4,
    swapSizeBytes: allBytes(size, erased) ? null : viewOf(size).getUint32(0, options.endian !== 'big'),
  }
}

/** Fields to write; what is left out stays erased. */
export type TrailerFields = Readonly<{ magic?: boolean; imageOk?: boolean; copyDone?: boolean; swapType?: SwapType; imageNumber?: number; swapSizeBytes?: number }>

/** The trailer's bytes, `trailerBytes(options)` long. A flag is one byte 0x01; the rest of its write unit stays erased. */
export function encodeTrailer(fields: TrailerFields, options: TrailerOptions, erasedValue = 0xff, endian: Endian = 'little'): Uint8Array {
  const length = trailerBytes(options)
  const bytes = filled(length, erasedValue)
  const at = trailerOffsets(length, options)
  if (fields.magic === true) bytes.set(trailerMagic(maxAlignOf(options), endian), at.magic)
  if (fields.imageOk === true) bytes[at.imageOk] = 1
  if (fields.copyDone === true) bytes[at.copyDone] = 1
  if (fields.swapType !== undefined) bytes[at.swapInfo] = swapTypes.indexOf(fields.swapType) | ((fields.imageNumber ?? 0) << 4)
  if (fields.swapSizeBytes !== undefined) viewOf(bytes).setUint32(at.swapSize, fields.swapSizeBytes, endian === 'little')
  assert(bytes.length === length, 'a trailer fills its room')
  return bytes
}

/**
 * Which swap MCUboot would make at the next boot (boot_swap_tables in bootutil_public.c, first row that matches):
 * [swap-offset: secondary good, not ok, copied → revert] · secondary good, ok unset → test · secondary good, ok set →
 * perm · primary good, ok unset, copied → revert · else none. A bad flag matches neither set nor unset.
 */
export function decideSwap(primary: TrailerState, secondary: TrailerState, options: { swapOffset?: boolean } = {}): SwapType {
  if (secondary.magic === 'good') {
    if (options.swapOffset === true && secondary.imageOk === 'unset' && secondary.copyDone === 'set') return 'revert'
    if (secondary.imageOk === 'unset') return 'test'
    if (secondary.imageOk === 'set') return 'perm'
  }
  if (primary.magic === 'good' && primary.imageOk === 'unset' && primary.copyDone === 'set') return 'revert'
  return 'none'
}

export type SlotGeometry = TrailerOptions & Readonly<{
  primaryBytes: number
  /** Absent where there is one slot only. */
  secondaryBytes?: number
  /** Erase sector of the primary slot, bytes. */
  sectorBytes: number
}>

/**
 * The largest image (header to last TLV, bytes) the loader accepts in this mode (`bootutil_max_image_size` and each
 * mode's `app_max_size`). 0 when the slots are too small for anything. Note that imgtool allows more than swap-move does.
 */
export function largestImage(mode: SwapMode, slots: SlotGeometry): number {
  const secondary = slots.secondaryBytes ?? slots.primaryBytes
  const smaller = Math.min(slots.primaryBytes, secondary)
  const trailer = trailerBytes({ ...slots, overwriteOnly: false, swapOffset: mode === 'swap-offset' })
  // One-slot modes keep no swap status (boot_status_entry_sz is 0 there).
  const withoutStatus = trailerBytes({ ...slots, overwriteOnly: false, maxSectors: 0 })
  const sector = slots.sectorBytes
  const wholeSectors = (bytes: number) => Math.floor(bytes / sector) * sector
  const trailerSectors = alignUp(trailer, sector)
  // Overwrite, direct-xip and RAM load only keep the fields from swap_info up free (boot_swap_info_off).
  const fieldsOnly = (bytes: number) => trailerOffsets(bytes, { ...slots, overwriteOnly: false }).swapInfo
  const size = {
    'swap-move': () => Math.min(wholeSectors(slots.primaryBytes) - trailerSectors - sector, wholeSectors(secondary) - trailerSectors),
    'swap-offset': () => Math.min(wholeSectors(slots.primaryBytes) - trailerSectors, wholeSectors(secondary) - trailerSectors - sector),
    'swap-scratch': () => scratchMax(smaller, trailer, slots),
    overwrite: () => fieldsOnly(smaller),
    'direct-xip': () => fieldsOnly(smaller),
    'direct-xip-revert': () => fieldsOnly(smaller),
    'ram-load': () => fieldsOnly(smaller),
    single: () => slots.primaryBytes - withoutStatus,
    'firmware-loader': () => slots.primaryBytes - withoutStatus,
    'single-ram-load': () => slots.primaryBytes - withoutStatus,
  } satisfies Record<SwapMode, () => number>
  return Math.max(0, size[mode]())
}

// swap_scratch.c, app_max_size_adjust_to_trailer: the image ends before the trailer, unless the sectors shared with the
// trailer leave too little room for scratch's own trailer (one status entry), which is copied with them.
function scratchMax(slot: number, trailer: number, slots: SlotGeometry): number {
  const usable = Math.floor(slot / slots.sectorBytes) * slots.sectorBytes
  const trailerAt = usable - trailer
  if (trailerAt <= 0) return 0
  const scratchTrailer = trailer - ((slots.maxSectors ?? SECTORS_DEFAULT) - 1) * statesPerSector({}) * slots.align
  const inFirstSector = alignUp(trailerAt, slots.sectorBytes) - trailerAt
  return trailerAt - Math.max(0, scratchTrailer - inFirstSector)
}
