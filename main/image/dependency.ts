// What an image asks of the other images of its board (IMAGE_TLV_DEPENDENCY, struct image_dependency in bootutil/image.h):
// an image number and the least version it must have. Only the protected area counts, where the hash covers it.
import { viewOf } from '../base/bytes.ts'
import type { ImageVersion } from './version.ts'

const dependencyBytes = 12

/** image id u8 · 3 pad · version 8; null for a value of another length. */
export function dependencyOf(value: Uint8Array): { image: number; version: ImageVersion } | null {
  if (value.length !== dependencyBytes) return null
  const view = viewOf(value)
  return { image: view.getUint8(0), version: { major: view.getUint8(4), minor: view.getUint8(5), revision: view.getUint16(6, true), build: view.getUint32(8, true) } }
}
