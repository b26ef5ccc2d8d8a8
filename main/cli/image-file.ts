// Firmware and images as files.
import { Failure } from '../base/failure.ts'
import { FIRMWARE_BYTES_MAX } from '../image/format.ts'
import { readInput } from './files.ts'

/** imgtool takes the name for the format: .hex is Intel HEX, all else binary. */
function refuseHex(path: string): Failure | null {
  if (!path.toLowerCase().endsWith('.hex')) return null
  return new Failure('hex-file', `${path} is named as Intel HEX, which this version neither reads nor writes. Use the .bin file, or convert it: objcopy -I ihex -O binary app.hex app.bin`, { path })
}

/** Firmware in its file. Kinds: those of `readInput`, `hex-file`. */
export async function readFirmware(path: string): Promise<Uint8Array | Failure> {
  return refuseHex(path) ?? await readInput(path, 'firmware file', FIRMWARE_BYTES_MAX)
}

/** An image in its file. Kinds: those of `readInput`, `hex-file`. */
export async function readImageFile(path: string): Promise<Uint8Array | Failure> {
  return refuseHex(path) ?? await readInput(path, 'image', FIRMWARE_BYTES_MAX)
}

/** Refuses an output that would have to be Intel HEX. */
export function checkOutputName(path: string): null | Failure {
  return refuseHex(path)
}
