// imgtool's `dumpinfo`, its keys and its looks, as text, YAML or JSON (scripts/imgtool/dumpinfo.py). For scripts that
// already read it; people are better served by inspect.ts. What surprised us: its text gives no trailer offset, and swap
// flags are named from a table that is not the trailer's own.
import { toHex, viewOf } from '../base/bytes.ts'
import { failed } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { IMAGE_FLAGS, IMAGE_MAGIC, formatVersion, isEncrypted, parseImage } from './format.ts'
import type { ImageFile } from './format.ts'
import { TLV_INFO_MAGIC, TLV_PROTECTED_INFO_MAGIC, tlvName } from './tlv.ts'
import type { Tlv } from './tlv.ts'
import { MAGIC_BYTES, alignOfMagic, alignUp } from './trailer.ts'

type DumpTlv = { type: number; type_name: string; len: number; data: Uint8Array }
type DumpArea = { magic: number; tlv_tot: number } | Record<string, never>

/** imgtool's structure; bytes are Uint8Array here and hex or base64 in the outputs. */
export type DumpInfo = Readonly<{
  filename: string
  header: { magic: number; load_addr: number; hdr_size: number; protected_tlv_size: number; img_size: number; flags: number; version: string }
  tlv_area: { tlv_hdr_prot: DumpArea; tlvs_prot: DumpTlv[]; tlv_hdr: DumpArea; tlvs: DumpTlv[] }
  trailer: { magic?: Uint8Array; image_ok?: number; copy_done?: number; swap_info?: number; swap_size?: number; key_field_len?: number }
}>

/** What imgtool would say of this file. */
export function dumpInfo(bytes: Uint8Array, filename: string): DumpInfo | Failure {
  const image = parseImage(bytes)
  if (failed(image)) return image
  const { header } = image
  const asDump = (tlv: Tlv): DumpTlv => ({ type: tlv.type, type_name: tlvName(tlv.type), len: tlv.value.length, data: tlv.value })
  return {
    filename,
    header: {
      magic: IMAGE_MAGIC, load_addr: header.loadAddress, hdr_size: header.headerBytes, protected_tlv_size: header.protectedTlvBytes,
      img_size: header.payloadBytes, flags: header.flags, version: formatVersion(header.version),
    },
    tlv_area: {
      tlv_hdr_prot: header.protectedTlvBytes === 0 ? {} : { magic: TLV_PROTECTED_INFO_MAGIC, tlv_tot: header.protectedTlvBytes },
      tlvs_prot: image.protectedTlvs.map(asDump),
      tlv_hdr: { magic: TLV_INFO_MAGIC, tlv_tot: image.imageBytes - image.signedRegion.length },
      tlvs: image.tlvs.map(asDump),
    },
    trailer: image.rest.length === 0 ? {} : trailerOf(bytes, image),
  }
}

function trailerOf(bytes: Uint8Array, image: ImageFile): DumpInfo['trailer'] {
  const magic = bytes.subarray(Math.max(0, bytes.length - MAGIC_BYTES))
  const align = alignOfMagic(magic)
  if (align === null) return { magic }
  const imageOk = bytes.length - alignUp(MAGIC_BYTES, align) - align
  const swapSize = imageOk - 3 * align
  if (swapSize < 0) return { magic }
  return {
    magic,
    image_ok: bytes[imageOk] ?? 0,
    copy_done: bytes[imageOk - align] ?? 0,
    swap_info: bytes[imageOk - 2 * align] ?? 0,
    swap_size: viewOf(bytes).getUint32(swapSize, image.endian === 'little'),
    ...(isEncrypted(image.header) ? { key_field_len: alignUp(16, align) * 2 } : {}),
  }
}

/** JSON with an indent of 2, bytes as hex, other than ASCII escaped, as Python writes it. */
export function dumpJson(info: DumpInfo): string {
  const text = JSON.stringify(info, (_key, value: unknown) => (value instanceof Uint8Array ? toHex(value) : value), 2)
  return `${text.replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`
}

/** YAML as PyYAML writes it: bytes as !!binary base64 in lines of 76. */
export function dumpYaml(info: DumpInfo): string {
  return `${yamlLines(info, '').join('\n')}\n`
}

type YamlValue = string | number | Uint8Array | YamlMap | readonly YamlMap[]
type YamlMap = Readonly<{ [key: string]: YamlValue }>

function yamlLines(map: YamlMap, indent: string): string[] {
  return Object.entries(map).flatMap(([key, value]) => {
    if (typeof value === 'number') return [`${indent}${key}: ${value}`]
    if (typeof value === 'string') return [`${indent}${key}: ${yamlText(value)}`]
    if (value instanceof Uint8Array) return binaryLines(key, value, indent)
    if (Array.isArray(value)) {
      const items = value as readonly YamlMap[]
      if (items.length === 0) return [`${indent}${key}: []`]
      return [`${indent}${key}:`, ...items.flatMap((item) => yamlLines(item, `${indent}  `).map((line, i) => (i === 0 ? `${indent}- ${line.slice(indent.length + 2)}` : line)))]
    }
    const lines = yamlLines(value as YamlMap, `${indent}  `)
    return lines.length === 0 ? [`${indent}${key}: {}`] : [`${indent}${key}:`, ...lines]
  })
}

function binaryLines(key: string, value: Uint8Array, indent: string): string[] {
  if (value.length === 0) return [`${indent}${key}: !!binary ""`]
  const base64 = btoa(String.fromCharCode(...value.subarray(0, 0xffff)))
  return [`${indent}${key}: !!binary |`, ...(base64.match(/.{1,76}/g) ?? []).map((line) => `${indent}  ${line}`)]
}

const yamlWords = /^(y|n|yes|no|true|false|on|off|null|~|)$/i
const numberLike = /^[-+]?[0-9][0-9_.,:-]*(e[-+]?[0-9]+)?$|^0x[0-9a-f]+$/i

function yamlText(text: string): string {
  if (/[^\x20-\x7e]/.test(text)) {
    const escaped = JSON.stringify(text).replace(/[\u007f-\uffff]/g, (char) => {
      const code = char.charCodeAt(0).toString(16).toUpperCase()
      return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`
    })
    return escaped
  }
  const plain = /^[A-Za-z0-9_](?:[A-Za-z0-9_.+()\- ]*[A-Za-z0-9_.+()-])?$/.test(text) && !yamlWords.test(text) && !numberLike.test(text)
  return plain ? text : `'${text.replaceAll("'", "''")}'`
}

const width = 60
const hex = (value: number) => `0x${value.toString(16)}`
const row = (text: string) => `#### ${text} `.padEnd(width, '#')
const byteText = (byte: number) => `0x${byte.toString(16).padStart(2, '0')} `

/** imgtool's text for people. */
export function dumpHuman(info: DumpInfo): string {
  const { header, tlv_area: area, trailer } = info
  const lines = [`Printing content of signed image: ${info.filename} `, '', row('Image header (offset: 0x0)')]
  for (const [key, value] of Object.entries(header)) {
    const shown = key === 'flags' ? flagText(header.flags) : typeof value === 'string' ? value : hex(value)
    lines.push(`${key}:${' '.repeat(19 - key.length)}${shown}`)
  }
  lines.push('#'.repeat(width), row(`Payload (offset: ${hex(header.hdr_size)})`), ...frame(`FW image (size: ${hex(header.img_size)} Bytes)`))
  const tlvOffset = header.hdr_size + header.img_size
  if ('magic' in area.tlv_hdr_prot) lines.push(...areaText('Protected TLV area', tlvOffset, area.tlv_hdr_prot as { magic: number; tlv_tot: number }, area.tlvs_prot))
  lines.push(...areaText('TLV area', tlvOffset + header.protected_tlv_size, area.tlv_hdr as { magic: number; tlv_tot: number }, area.tlvs))
  if (trailer.magic !== undefined) lines.push(...trailerText(trailer, trailer.magic))
  lines.push(row('End of Image '))
  return `${lines.join('\n')}\n`
}

function flagText(flags: number): string {
  const set = Object.entries(IMAGE_FLAGS).filter(([, bit]) => (flags & bit) !== 0)
  if (flags === 0) return hex(flags)
  return set.map(([name, bit]) => `${name} (${hex(bit)})`).join(`\n${' '.repeat(20)}`)
}

function frame(content: string): string[] {
  const blank = `|${' '.repeat(width - 2)}|`
  const before = `|${' '.repeat(Math.floor((width - content.length) / 2) - 1)}`
  return [blank, `${before}${content}${' '.repeat(Math.max(0, width - before.length - content.length - 1))}|`, blank, '#'.repeat(width)]
}

function areaText(name: string, offset: number, head: { magic: number; tlv_tot: number }, tlvs: readonly DumpTlv[]): string[] {
  const indent = ' '.repeat(7)
  const lines = [row(`${name} (offset: ${hex(offset)})`), `magic:     ${hex(head.magic)}`, `area size: ${hex(head.tlv_tot)}`]
  if (tlvs.length === 0) lines.push('')
  for (const tlv of tlvs) {
    lines.push(`${indent} ${'-'.repeat(45)}`, `${indent} type: ${tlv.type_name} (${hex(tlv.type)})`, `${indent} len:  ${hex(tlv.len)}`)
    const rows = Math.max(1, Math.ceil(tlv.data.length / 8))
    for (let i = 0; i < rows; i++) {
      const text = [...tlv.data.subarray(8 * i, 8 * i + 8)].map(byteText).join('')
      lines.push(`${i === 0 ? `${indent} data: ` : ' '.repeat(14)}${text}`)
    }
  }
  return [...lines, '#'.repeat(width)]
}

const statusNames: Readonly<Record<number, string>> = { 1: 'SET', 2: 'BAD', 3: 'UNSET', 4: 'ANY' }
const status = (value: number) => `${statusNames[value] ?? 'INVALID'} (${hex(value)})`

function trailerText(trailer: DumpInfo['trailer'], magic: Uint8Array): string[] {
  const lines = [
    row('Image trailer (offset: unknown)'),
    '(Note: some fields may not be used, depending on the update ', 'strategy)', '',
    'swap status: (len: unknown)',
    `enc. keys:   ${trailer.key_field_len === undefined ? 'Image not encrypted' : `(len: ${hex(trailer.key_field_len)}, if BOOT_SWAP_SAVE_ENCTLV is unset)`}`,
  ]
  if (trailer.swap_size !== undefined) lines.push(`swap size:   ${trailer.swap_size === 0xffffffff ? 'unknown' : `${hex(trailer.swap_size)} octal: ${trailer.swap_size}`}`)
  if (trailer.swap_info !== undefined) lines.push(`swap_info:   ${status(trailer.swap_info)}`)
  if (trailer.copy_done !== undefined) lines.push(`copy_done:   ${status(trailer.copy_done)}`)
  if (trailer.image_ok !== undefined) lines.push(`image_ok:    ${status(trailer.image_ok)}`)
  const bytes = [...magic].map(byteText)
  lines.push(`boot magic:  ${bytes.slice(0, 8).join('')}`, `${' '.repeat(13)}${bytes.slice(8).join('')}`, '')
  return lines
}
