// Intel HEX in and out as the intelhex package (which imgtool uses) reads and writes it: 16 bytes a record, an extended
// linear address before each 64 KiB once anything lies above the first, upper case, LF. Gaps read as 0xff. What
// surprised us: a padded image in HEX holds only the image, image_ok and the magic, not the padding between.
import { concat, filled } from '../base/bytes.ts'
import { attempt, refuse } from '../base/failure.ts'
import type { Failure } from '../base/failure.ts'
import { FIRMWARE_BYTES_MAX } from './format.ts'
import type { SignedImage } from './sign.ts'
import { maxAlignOf, trailerMagic, trailerOffsets } from './trailer.ts'
import type { Endian } from './tlv.ts'

/** Bytes at an address. */
export type HexPiece = Readonly<{ address: number; bytes: Uint8Array }>

export type HexImage = Readonly<{ baseAddress: number; bytes: Uint8Array }>

/** Four characters of text a byte, and the records' heads. */
export const HEX_TEXT_MAX = 4 * FIRMWARE_BYTES_MAX
const recordBytes = 16
/** What a file may leave out between its pieces, all together: the rest of a slot, and not the memory of this machine. */
export const HEX_GAPS_MAX = 16 * 1024 * 1024
/** Count, address, type, 255 data bytes, checksum. */
const recordBytesMax = 260

/** True for a name that ends in .hex, as imgtool decides. */
export function isHexName(name: string): boolean {
  return /\.hex$/i.test(name)
}

/** Reads a HEX file into one block from its lowest to its highest address; facts of a refusal carry `line`. */
export function readHex(text: string | Uint8Array): HexImage | Failure {
  return attempt(() => {
    if (text.length > HEX_TEXT_MAX) refuse('too-large', `The HEX file has ${text.length} characters, more than any firmware needs. Is it the right file?`, { characters: text.length })
    return joinRuns(readRecords(typeof text === 'string' ? text : new TextDecoder('latin1').decode(text)))
  })
}

function bad(line: number, what: string): never {
  refuse('bad-hex', `Line ${line} of the HEX file ${what}: the file is damaged, or it is no Intel HEX.`, { line })
}

/** Runs of contiguous bytes: each byte is held once, whatever order the records come in. */
type Runs = { data: Uint8Array; filled: number; runs: { address: number; start: number; length: number }[] }

function readRecords(text: string): Runs {
  const runs: Runs = { data: new Uint8Array(text.length >> 1), filled: 0, runs: [] }
  const bytes = new Uint8Array(recordBytesMax)
  let base = 0
  let line = 0
  let ended = false
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const record = text.slice(at, end).trim()
    at = end + 1
    line++
    if (record === '') continue
    if (ended) bad(line, 'follows the end record')
    const length = hexBytes(record, bytes, line)
    const count = bytes[0] ?? 0
    if (length !== count + 5) bad(line, `announces ${count} bytes and holds ${length - 5}`)
    const data = bytes.subarray(4, 4 + count)
    const offset = (bytes[1] ?? 0) * 256 + (bytes[2] ?? 0)
    switch (bytes[3]) {
      case 0:
        if (offset + count > 0x10000) bad(line, 'runs past the end of its 64 KiB')
        addRun(runs, base + offset, data)
        break
      case 1:
        if (count !== 0) bad(line, 'is an end record with data')
        ended = true
        break
      case 2:
      case 4:
        if (count !== 2 || offset !== 0) bad(line, 'is a malformed address record')
        base = ((data[0] ?? 0) * 256 + (data[1] ?? 0)) * (bytes[3] === 2 ? 16 : 0x10000)
        break
      case 3:
      case 5:
        // Start address: of no meaning for an image, but its shape is checked.
        if (count !== 4 || offset !== 0) bad(line, 'is a malformed start record')
        break
      default:
        bad(line, `is of the unknown type ${bytes[3] ?? 0}`)
    }
  }
  if (!ended) bad(line, 'is the last, but the end record is missing')
  return runs
}

function addRun(into: Runs, address: number, data: Uint8Array): void {
  if (data.length === 0) return
  into.data.set(data, into.filled)
  const last = into.runs[into.runs.length - 1]
  if (last !== undefined && last.address + last.length === address) last.length += data.length
  else into.runs.push({ address, start: into.filled, length: data.length })
  into.filled += data.length
}

/** Decodes a record into `bytes`, checks its sum, and says how many bytes it was. */
function hexBytes(record: string, bytes: Uint8Array, line: number): number {
  if (record.charCodeAt(0) !== 0x3a) bad(line, 'does not begin with a colon')
  if (record.length % 2 !== 1 || record.length < 11 || record.length > 2 * recordBytesMax + 1) bad(line, 'has a wrong length')
  const length = (record.length - 1) / 2
  let sum = 0
  for (let i = 0; i < length; i++) {
    const high = digit(record.charCodeAt(2 * i + 1))
    const low = digit(record.charCodeAt(2 * i + 2))
    if (high < 0 || low < 0) bad(line, 'holds something that is no hex digit')
    bytes[i] = high * 16 + low
    sum += high * 16 + low
  }
  if (sum % 256 !== 0) bad(line, 'has a wrong checksum')
  return length
}

function digit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}

function joinRuns({ data, filled: dataBytes, runs }: Runs): HexImage {
  if (runs.length === 0) refuse('empty-firmware', 'The HEX file holds no data. Choose the file that the build made.')
  runs.sort((a, b) => a.address - b.address)
  const first = runs[0]?.address ?? 0
  const last = runs[runs.length - 1]
  const end = (last?.address ?? 0) + (last?.length ?? 0)
  let reached = 0
  for (const run of runs) {
    if (run.address < reached) refuse('bad-hex', `The HEX file gives address 0x${run.address.toString(16)} twice.`, { address: run.address })
    reached = run.address + run.length
  }
  if (end - first > FIRMWARE_BYTES_MAX) {
    refuse('too-large', `The HEX file spans ${end - first} bytes, from 0x${first.toString(16)} to 0x${end.toString(16)}; no board takes more than ${FIRMWARE_BYTES_MAX}. It may hold data for several memories: leave the others out.`, { bytes: end - first })
  }
  if (end - first - dataBytes > HEX_GAPS_MAX) {
    refuse('too-large', `The HEX file leaves ${end - first - dataBytes} bytes out between 0x${first.toString(16)} and 0x${end.toString(16)}, more than any slot has room for. It may hold data for several memories: leave the others out.`, { bytes: end - first - dataBytes })
  }
  const bytes = filled(end - first, 0xff)
  for (const run of runs) bytes.set(data.subarray(run.start, run.start + run.length), run.address - first)
  return { baseAddress: first, bytes }
}

const hexTable = Array.from({ length: 256 }, (_, byte) => byte.toString(16).toUpperCase().padStart(2, '0'))

function record(type: number, offset: number, data: Uint8Array): string {
  let sum = data.length + (offset >> 8) + (offset & 0xff) + type
  let text = `:${hexTable[data.length] ?? ''}${hexTable[offset >> 8] ?? ''}${hexTable[offset & 0xff] ?? ''}${hexTable[type] ?? ''}`
  for (const byte of data) {
    sum += byte
    text += hexTable[byte] ?? ''
  }
  return `${text}${hexTable[-sum & 0xff] ?? ''}\n`
}

/** Writes pieces in the order of their addresses; they must not overlap and must end below 4 GiB. */
export function writeHex(pieces: readonly HexPiece[]): string {
  const sorted = [...pieces].filter((piece) => piece.bytes.length > 0).sort((a, b) => a.address - b.address)
  // Adjacent pieces share records, as if they had been one.
  const joined: HexPiece[] = []
  for (const piece of sorted) {
    const last = joined[joined.length - 1]
    if (last !== undefined && last.address + last.bytes.length === piece.address) joined[joined.length - 1] = { address: last.address, bytes: concat(last.bytes, piece.bytes) }
    else joined.push(piece)
  }
  const last = joined[joined.length - 1]
  const needsHigh = last !== undefined && last.address + last.bytes.length - 1 > 0xffff
  const lines: string[] = []
  let high = -1
  for (const piece of joined) {
    for (let at = 0; at < piece.bytes.length; ) {
      const address = piece.address + at
      const upper = Math.floor(address / 0x10000)
      if (needsHigh && upper !== high) {
        lines.push(record(4, 0, Uint8Array.of(upper >> 8, upper & 0xff)))
        high = upper
      }
      const count = Math.min(recordBytes, piece.bytes.length - at, 0x10000 - (address % 0x10000))
      lines.push(record(0, address % 0x10000, piece.bytes.subarray(at, at + count)))
      at += count
    }
  }
  return `${lines.join('')}:00000001FF\n`
}

/**
 * A signed image as HEX. `baseAddress` is where its header goes (imgtool's `-x`, or the input's address less the header
 * that was added). A padded image gets image_ok (with `--test` or `--confirm`) and the magic at the slot's end.
 */
/** Where a signed image lies: at the address asked for, else where its firmware's own HEX file lay, less a header that was put before it. */
export function addressOfImage(firmwareAddress: number | null, hexAddress: number | undefined, options: { headerBytes: number; padHeader?: boolean }): number | undefined {
  return hexAddress ?? (firmwareAddress === null ? undefined : firmwareAddress - (options.padHeader === true ? options.headerBytes : 0))
}

export function imageToHex(signed: SignedImage, baseAddress: number | undefined, options: { test?: boolean; confirm?: boolean; erasedValue?: number; endian?: Endian } = {}): string | Failure {
  return attempt(() => {
    if (baseAddress === undefined) refuse('bad-option', 'A HEX output needs an address, and the input has none: give --hex-addr.', { option: 'hex-addr' })
    const span = signed.padding?.slotBytes ?? signed.imageBytes
    if (!Number.isInteger(baseAddress) || baseAddress < 0 || baseAddress + span > 2 ** 32) refuse('bad-option', 'The image does not fit between --hex-addr and the end of the 32-bit address space.', { option: 'hex-addr' })
    const pieces: HexPiece[] = [{ address: baseAddress, bytes: signed.bytes.subarray(0, signed.imageBytes) }]
    if (signed.padding !== null) {
      const { slotBytes, options: trailer } = signed.padding
      const at = trailerOffsets(slotBytes, trailer)
      const align = maxAlignOf(trailer)
      if ((options.test === true || options.confirm === true) && trailer.overwriteOnly !== true) {
        const flag = filled(align, options.erasedValue ?? 0xff)
        if (options.confirm === true) flag[0] = 1
        // imgtool counts back from the magic's aligned start, which is where image_ok lies in a slot of aligned size.
        const magicRoom = Math.ceil(trailerMagic(align).length / align) * align
        pieces.push({ address: baseAddress + slotBytes - magicRoom - align, bytes: flag })
      }
      pieces.push({ address: baseAddress + at.magic, bytes: trailerMagic(align, options.endian ?? 'little') })
    }
    return writeHex(pieces)
  })
}
