// Firmware and images as files: binary, or Intel HEX where the name ends in .hex, as imgtool decides it. The HEX reader is
// loaded only for such a name.
import { utf8 } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import type { Room } from '../base/room.ts'
import { FIRMWARE_BYTES_MAX } from '../image/format.ts'
import type { SignOptions } from '../image/options.ts'
import type { SignedImage } from '../image/sign.ts'
import { readInput } from './files.ts'

/** A file's content; `address` is where a HEX file puts its first byte, null for a binary. */
export type FileContent = Readonly<{ bytes: Uint8Array; address: number | null }>

const isHexName = (path: string): boolean => path.toLowerCase().endsWith('.hex')

/**
 * Firmware or an image in its file. Kinds: those of `readInput` and of reading HEX (`bad-hex`, `too-large`). Under
 * `allowEmpty` a binary of 0 bytes is content, as it is for imgtool. `room` as for `readInput`; HEX has its own memory.
 */
export async function readContent(path: string, what: 'firmware file' | 'image', options: { allowEmpty?: boolean; room?: Room } = {}): Promise<FileContent | Failure> {
  if (!isHexName(path)) {
    const bytes = await readInput(path, what, FIRMWARE_BYTES_MAX, options.room)
    if (failed(bytes) && bytes.kind === 'empty-file' && options.allowEmpty === true) return { bytes: new Uint8Array(0), address: null }
    return failed(bytes) ? bytes : { bytes, address: null }
  }
  const { HEX_TEXT_MAX, readHex } = await import('../image/hex.ts')
  const text = await readInput(path, 'HEX file', HEX_TEXT_MAX)
  const read = failed(text) ? text : readHex(text)
  if (failed(read)) return read.says.includes(path) ? read : new Failure(read.kind, `${path}: ${read.says}`, read.facts)
  return { bytes: read.bytes, address: read.baseAddress }
}

/** An image's bytes, from either kind of file. */
export async function readImageFile(path: string): Promise<Uint8Array | Failure> {
  const content = await readContent(path, 'image')
  return failed(content) ? content : content.bytes
}

/**
 * The bytes of an output file. In HEX the image lies at `hexAddress`, else where the input's firmware lay, less a header
 * that was put before it. Kind `bad-option` when neither is known.
 */
export async function encodeImageFile(path: string, signed: SignedImage, options: SignOptions, addresses: Readonly<{ input: number | null; hexAddress: number | undefined }>): Promise<Uint8Array | Failure> {
  if (!isHexName(path)) return signed.bytes
  const { addressOfImage, imageToHex } = await import('../image/hex.ts')
  const text = imageToHex(signed, addressOfImage(addresses.input, addresses.hexAddress, options), options)
  return failed(text) ? text : utf8(text)
}
