// What the desk's folded options hold while they are typed, and how they become the contract's. Everything here is left out
// of the call while it stands as imgtool would have it, so that an untouched form signs as it always did.
import type { ArgsOf } from '../../main/contract/api.ts'
import type { FileView } from '../../main/contract/views.ts'
import { numberOf } from './numbers.ts'

type Given = ArgsOf<'sign'>['options']
export type Trailer = 'none' | 'pad' | 'test' | 'confirm'

/** A row of a list; `key` tells rows apart while they are moved about. */
export type Dependency = { key: number; image: string; version: string }
/** `file` takes the place of `text`. */
export type CustomTlv = { key: number; tag: string; text: string; file: FileView | null }

export type MoreOptions = {
  headerAuto: boolean
  trailer: Trailer
  overwriteOnly: boolean
  maxAlign: '' | 8 | 16 | 32
  /** Numbers as typed, decimal or 0x…; empty for imgtool's own. */
  maxSectors: string
  erasedZero: boolean
  endian: 'little' | 'big'
  loadAddress: string
  romFixed: string
  hexAddress: string
  nonBootable: boolean
  sha: 'auto' | '256' | '384' | '512'
  pure: boolean
  publicKeyFormat: 'hash' | 'full'
  padSig: boolean
  dependencies: Dependency[]
  customTlvs: CustomTlv[]
  bootRecord: string
  vid: string
  cid: string
  compression: 'disabled' | 'lzma2' | 'lzma2armthumb'
  encryptTo: FileView | null
  keyBits: 128 | 256
  hmacSha: 'auto' | '256' | '512'
  clear: boolean
  saveEncTlv: boolean
}

export const sectorCountBounds = { min: 1, max: 65_536 } as const
export const addressBounds = { min: 0, max: 0xffff_ffff } as const
export const imageBounds = { min: 0, max: 255 } as const
/** Types free for use (MCUboot image.h, IMAGE_TLV_ANY below and above). */
export const tagBounds = { min: 0xa0, max: 0xfffe } as const
export const rowsMax = 32

export function untouched(): MoreOptions {
  return {
    headerAuto: false, trailer: 'none', overwriteOnly: false, maxAlign: '', maxSectors: '', erasedZero: false, endian: 'little', loadAddress: '', romFixed: '', hexAddress: '', nonBootable: false,
    sha: 'auto', pure: false, publicKeyFormat: 'hash', padSig: false, dependencies: [], customTlvs: [], bootRecord: '', vid: '', cid: '',
    compression: 'disabled', encryptTo: null, keyBits: 128, hmacSha: 'auto', clear: false, saveEncTlv: false,
  }
}

/** A key that no row of this form has; the rows outlive the view that shows them. */
function freshKey(more: MoreOptions): number {
  return 1 + Math.max(0, ...[...more.dependencies, ...more.customTlvs].map((row) => row.key))
}

export function addDependency(more: MoreOptions): void {
  more.dependencies.push({ key: freshKey(more), image: '1', version: '' })
}

export function addCustomTlv(more: MoreOptions): void {
  more.customTlvs.push({ key: freshKey(more), tag: '0x00a0', text: '', file: null })
}

/** MCUboot's version field: major and minor 8 bits, revision 16, build 32 (image.h, struct image_version). */
export function versionHolds(text: string): boolean {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,5})(?:\+(\d{1,10}))?$/.exec(text)
  if (match === null) return false
  const [major, minor, revision, build] = [match[1], match[2], match[3], match[4] ?? '0'].map(Number) as [number, number, number, number]
  return major <= 255 && minor <= 255 && revision <= 0xffff && build <= 0xffff_ffff
}

/** Empty is imgtool's own. */
export function emptyOr(text: string, { min, max }: Readonly<{ min: number; max: number }>): boolean {
  return text === '' || numberOf(text, min, max) !== null
}

/** How many of them are not as imgtool has them. */
export function changedOf(more: MoreOptions): number {
  const plain = untouched()
  return (Object.keys(plain) as (keyof MoreOptions)[]).filter((name) => (Array.isArray(more[name]) ? more[name].length > 0 : more[name] !== plain[name])).length
}

/** True when every figure and row can be sent; what they mean together the station says. */
export function moreHolds(more: MoreOptions): boolean {
  const addresses = [more.loadAddress, more.romFixed, more.hexAddress]
  return emptyOr(more.maxSectors, sectorCountBounds) && addresses.every((text) => emptyOr(text, addressBounds))
    && more.dependencies.every((row) => numberOf(row.image, imageBounds.min, imageBounds.max) !== null && versionHolds(row.version))
    && more.customTlvs.every((row) => numberOf(row.tag, tagBounds.min, tagBounds.max) !== null)
}

/** The contract's options that were touched; only of what `moreHolds`. */
export function moreGiven(more: MoreOptions): Partial<Given> {
  const number = (text: string) => numberOf(text, 0, addressBounds.max) ?? undefined
  const text = (typed: string) => (typed === '' ? undefined : typed)
  const given: { [N in keyof Given]?: Given[N] | undefined } = {
    pad: more.trailer !== 'none',
    confirm: more.trailer === 'confirm',
    test: more.trailer === 'test' || undefined,
    overwriteOnly: more.overwriteOnly || undefined,
    maxAlign: more.maxAlign === '' ? undefined : more.maxAlign,
    maxSectors: number(more.maxSectors),
    erasedValue: more.erasedZero ? 0 : undefined,
    endian: more.endian === 'big' ? 'big' : undefined,
    loadAddress: number(more.loadAddress),
    romFixed: number(more.romFixed),
    hexAddress: number(more.hexAddress),
    nonBootable: more.nonBootable || undefined,
    sha: more.sha === 'auto' ? undefined : more.sha,
    pure: more.pure || undefined,
    publicKeyFormat: more.publicKeyFormat === 'full' ? 'full' : undefined,
    padSig: more.padSig || undefined,
    dependencies: more.dependencies.length === 0 ? undefined : more.dependencies.map(({ image, version }) => ({ image: number(image) ?? 0, version })),
    customTlvs: more.customTlvs.length === 0 ? undefined : more.customTlvs.map(({ tag, text: value, file }) => ({ type: number(tag) ?? 0, ...(file === null ? { value } : { file: file.file }) })),
    bootRecord: text(more.bootRecord),
    vid: text(more.vid),
    cid: text(more.cid),
    compression: more.compression === 'disabled' ? undefined : more.compression,
    encrypt: more.encryptTo === null ? undefined : { keyFile: more.encryptTo.file, keyBits: more.keyBits, hmacSha: more.hmacSha, clear: more.clear, saveEncTlv: more.saveEncTlv },
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
