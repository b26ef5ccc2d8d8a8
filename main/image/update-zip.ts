// Zip archives that bring images: Nordic's dfu_application.zip (nRF Connect SDK, scripts/bootloader/generate_zip.py and
// cmake/sysbuild/zip.cmake) and any other with the same manifest.json. It comes from outside: entries, sizes, names and the
// ratio of every file are bounded before anything is inflated, and nothing touches a disk. What surprised us: the numbers
// in the manifest are strings, and a direct-xip build brings one image for each slot under the same image_index. CRCs are
// not looked at: every image's own hash must hold.
import { createHash } from 'node:crypto'
// The browser's build also on Node: the other one declares a `require` of its own, which the bundler's collides with.
import { zipSync } from 'fflate/browser'
import { z } from 'zod'
import { utf8, viewOf } from '../base/bytes.ts'
import { Failure, failed } from '../base/failure.ts'
import { unzip } from '../base/unzip.ts'
import { FIRMWARE_BYTES_MAX } from './format.ts'

export type UpdateFile = Readonly<{
  /** MCUboot's image number. */
  image: number
  /** 0 or 1 where the archive brings the image linked for each slot; null: for whichever is free. */
  slot: number | null
  /** Name in the archive. */
  name: string
  bytes: Uint8Array
  /** Hex. */
  sha256: string
}>

export type UpdateZip = Readonly<{ name: string | null; files: readonly UpdateFile[] }>

const entriesMax = 64
const imagesMax = 16
const bytesMax = 2 * FIRMWARE_BYTES_MAX
const manifestBytesMax = 256 * 1024
const manifestName = 'manifest.json'
/** Firmware hardly shrinks to a third; runs of padding may, but not to a thousandth as a bomb does. */
const ratioMax = 300
/** Small files may consist of nothing but padding. */
const ratioFreeBytes = 1024 * 1024

/** True when a file begins like a zip archive with anything in it. */
export function looksLikeZip(bytes: Uint8Array): boolean {
  return bytes.length > 30 && viewOf(bytes).getUint32(0, true) === 0x04034b50
}

const number = z.union([z.int(), z.string().regex(/^(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,9})$/).transform(Number)])
/** Fields we do not need are not looked at: the manifest carries whatever its build put there. */
const manifestShape = z.object({
  'format-version': number.optional(),
  name: z.string().max(200).optional(),
  files: z.array(z.object({
    file: z.string().min(1).max(200),
    image_index: number.optional(),
    slot: number.optional(),
    slot_index_primary: number.optional(),
    size: number.optional(),
    type: z.string().max(100).optional(),
  })).min(1).max(imagesMax * 2),
})
type Manifest = z.output<typeof manifestShape>

/**
 * The images of an archive, by image number and slot. Kinds: `bad-archive`, `archive-too-large`, `no-manifest`,
 * `bad-manifest`.
 */
export function openUpdateZip(zip: Uint8Array): UpdateZip | Failure {
  const files = entriesOf(zip)
  if (failed(files)) return files
  const text = files.get(manifestName)
  if (text === undefined) return withoutManifest(files)
  const manifest = readManifest(text)
  if (failed(manifest)) return manifest
  const found: UpdateFile[] = []
  for (const row of manifest.files) {
    const file = fileOf(row, files, manifest.files.length)
    if (failed(file)) return file
    found.push(file)
  }
  const order = (file: UpdateFile) => file.image * 4 + (file.slot ?? 0)
  found.sort((a, b) => order(a) - order(b))
  return whyUnclear(found) ?? { name: manifest.name ?? null, files: found }
}

function entriesOf(zip: Uint8Array): Map<string, Uint8Array> | Failure {
  const seen = new Set<string>()
  let bytes = 0
  let wrong: Failure | null = null
  const refuse = (kind: string, says: string) => {
    wrong ??= new Failure(kind, says)
  }
  try {
    const files = unzip(zip, ({ name, bytes: unpackedBytes, packedBytes }) => {
      bytes += unpackedBytes
      if (seen.size >= entriesMax || bytes > bytesMax) refuse('archive-too-large', `The archive holds more than ${entriesMax} files or ${bytesMax} bytes, more than any update. Is it the right file?`)
      if (unpackedBytes > ratioFreeBytes && unpackedBytes > packedBytes * ratioMax) refuse('archive-too-large', `${shown(name)} unpacks to more than ${ratioMax} times its size, which no firmware does. Do not use this archive.`)
      if (seen.has(name)) refuse('bad-archive', `The archive holds ${shown(name)} twice. Build it again.`)
      if (/^\/|\\|(^|\/)\.\.?(\/|$)|^[A-Za-z]:|\p{Cc}/u.test(name)) refuse('bad-archive', `The archive holds a file whose name leads outside (${shown(name)}). Do not use it.`)
      seen.add(name)
      return wrong === null && !name.endsWith('/')
    })
    return wrong ?? files
  } catch {
    return wrong ?? new Failure('bad-archive', 'The file begins like a zip archive and is damaged. Copy or build it again.')
  }
}

const shown = (name: string) => JSON.stringify(name.slice(0, 80))

function readManifest(text: Uint8Array): Manifest | Failure {
  if (text.length > manifestBytesMax) return new Failure('bad-manifest', `The archive's ${manifestName} has ${text.length} bytes; no update needs that many.`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text))
  } catch {
    return new Failure('bad-manifest', `The archive's ${manifestName} is no JSON text. Build the archive again.`)
  }
  const read = manifestShape.safeParse(value)
  if (read.success) return read.data
  const issue = read.error.issues[0]
  return new Failure('bad-manifest', `The archive's ${manifestName} is not as the nRF Connect SDK writes it: ${issue === undefined ? 'unreadable' : `${issue.path.join('.') || 'it'}: ${issue.message}`}.`)
}

function fileOf(row: Manifest['files'][number], files: ReadonlyMap<string, Uint8Array>, count: number): UpdateFile | Failure {
  const bytes = files.get(row.file)
  if (bytes === undefined) return new Failure('bad-manifest', `The archive's ${manifestName} names ${shown(row.file)}, and the archive has no such file. Build it again.`)
  if (row.size !== undefined && row.size !== bytes.length) {
    return new Failure('bad-manifest', `${shown(row.file)} has ${bytes.length} bytes and the archive's ${manifestName} says ${row.size}: the archive was put together from different builds. Build it again.`)
  }
  // Slots count from 1 in `slot_index_primary`, from 0 in `slot`; two for each image.
  const image = row.image_index ?? (row.slot === undefined ? undefined : Math.floor(row.slot / 2)) ?? (row.slot_index_primary === undefined ? undefined : Math.floor((row.slot_index_primary - 1) / 2)) ?? (count === 1 ? 0 : undefined)
  if (image === undefined || image < 0 || image >= imagesMax) {
    return new Failure('bad-manifest', `The archive's ${manifestName} does not say which image ${shown(row.file)} is (image_index, 0 to ${imagesMax - 1}).`)
  }
  const slot = row.slot === undefined ? null : row.slot % 2
  return { image, slot, name: row.file, bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Why it is not clear which file goes where; null when it is. */
function whyUnclear(files: readonly UpdateFile[]): Failure | null {
  if (!files.some(({ image }) => image === 0)) return new Failure('bad-manifest', 'The archive brings no image 0, which is the application. Take the archive of the whole update.')
  for (const file of files) {
    const same = files.filter(({ image }) => image === file.image)
    if (same.length > 1 && (same.length > 2 || same[0]?.slot === null || same[0]?.slot === same[1]?.slot)) {
      return new Failure('bad-manifest', `The archive brings image ${file.image} ${same.length} times and does not say for which slot each is. Build it again.`)
    }
    if (same.length > 1 && file.image > 0) return new Failure('bad-manifest', `The archive brings image ${file.image} for each of its slots; only image 0 can be chosen by slot here.`)
  }
  return null
}

/** Without a manifest one lone image is what is meant; of several nobody could say which is which. */
function withoutManifest(files: ReadonlyMap<string, Uint8Array>): UpdateZip | Failure {
  const images = [...files].filter(([name]) => /\.bin$/i.test(name))
  const [only] = images
  if (only !== undefined && images.length === 1) {
    const [name, bytes] = only
    return { name: null, files: [{ image: 0, slot: null, name, bytes, sha256: createHash('sha256').update(bytes).digest('hex') }] }
  }
  return new Failure('no-manifest', `The archive has no ${manifestName} that says which image is which, and ${images.length === 0 ? 'no' : `${images.length}`} files called *.bin. Take the dfu_application.zip that the build makes.`)
}

/** An archive of images with the manifest that generate_zip.py writes, its numbers as strings. The same images give the same bytes. */
export function updateArchive(files: readonly Readonly<{ image: number; name: string; bytes: Uint8Array; version: string }>[]): Uint8Array {
  const rows = files.map(({ image, name, bytes, version }) => ({
    type: 'application', image_index: String(image), slot_index_primary: String(2 * image + 1), slot_index_secondary: String(2 * image + 2), version_MCUBOOT: version, size: bytes.length, file: name,
  }))
  const manifest = utf8(JSON.stringify({ 'format-version': 1, files: rows }, null, 4))
  // A zip knows no time before 1980.
  return zipSync(Object.fromEntries([...files.map(({ name, bytes }) => [name, bytes] as const), [manifestName, manifest] as const]), { level: 6, mtime: new Date(Date.UTC(1980, 0, 2)) })
}
