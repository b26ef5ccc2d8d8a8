// Reads a zip archive that nobody vouches for (PKWARE APPNOTE 6.3.9, sections 4.3.7, 4.3.12 and 4.3.16; no zip64, no
// encryption). fflate inflates; the directory is read here, because its `unzipSync` believes the length that the directory
// states and goes on inflating past it: half a megabyte that unfolds to 512 MiB held the station for three seconds, and a
// file as large as we take would have held it for minutes.
import { Inflate, inflateSync } from 'fflate/browser'
import { sameBytes, viewOf } from './bytes.ts'

/** What the directory says of a file, before anything of it is unpacked. */
export type ZipEntry = Readonly<{ name: string; packedBytes: number; bytes: number }>

const endBytes = 22
const commentBytesMax = 0xffff
const directoryBytes = 46
const localBytes = 30
const stored = 0
const deflated = 8
const encrypted = 1
const namesAreUtf8 = 0x800
const sizesBehind = 8
const utf8Names = new TextDecoder('utf-8', { fatal: true })
/** Deflate unfolds at most 1,032 times, so that a piece never makes more than 17 MB before it is counted. */
const pieceBytes = 16 * 1024

/**
 * The files of an archive by name, in the directory's order; `take` is asked for each and may leave it out, and when it
 * throws nothing more is unpacked. Throws when the archive is damaged or not what its directory says. `alike`: every program
 * must see the same files, those that read the directory and those that read from the front, so that nobody is shown others
 * than were checked; nothing may lie before, between or behind them.
 */
export function unzip(zip: Uint8Array, take: (entry: ZipEntry) => boolean, alike = false): Map<string, Uint8Array> {
  const view = viewOf(zip)
  const end = endOf(zip, view)
  const count = view.getUint16(end + 10, true)
  const files = new Map<string, Uint8Array>()
  const directory = view.getUint32(end + 16, true)
  const places: Place[] = []
  let at = directory
  let packedAll = 0
  for (let i = 0; i < count; i++) {
    if (at + directoryBytes > end || view.getUint32(at, true) !== 0x02014b50) throw new Error('the directory is damaged')
    const flags = view.getUint16(at + 8, true)
    const method = view.getUint16(at + 10, true)
    const packedBytes = view.getUint32(at + 20, true)
    const bytes = view.getUint32(at + 24, true)
    const nameBytes = view.getUint16(at + 28, true)
    const next = at + directoryBytes + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true)
    const name = nameOf(zip.subarray(at + directoryBytes, at + directoryBytes + nameBytes), flags)
    // Files that share their bytes are how a small archive unfolds without end.
    packedAll += packedBytes
    if (packedAll > zip.length) throw new Error('the files lie over each other')
    if (alike) places.push({ from: view.getUint32(at + 42, true), packedBytes, name: zip.subarray(at + directoryBytes, at + directoryBytes + nameBytes), method, flags })
    if (take({ name, packedBytes, bytes })) files.set(name, contentOf(zip, view, { from: view.getUint32(at + 42, true), packedBytes, bytes, method, flags }))
    at = next
  }
  if (alike && (at !== end || end + endBytes !== zip.length || view.getUint16(end + 8, true) !== count)) throw new Error('something lies behind the files')
  if (alike) seenAlike(zip, view, places, directory)
  return files
}

type Place = Readonly<{ from: number; packedBytes: number; name: Uint8Array; method: number; flags: number }>

/** Each file is called before its bytes what the directory calls it, and ends where the next begins. */
function seenAlike(zip: Uint8Array, view: DataView, places: readonly Place[], directory: number): void {
  let at = 0
  for (const { from, packedBytes, name, method, flags } of [...places].sort((a, b) => a.from - b.from)) {
    if (from !== at || from + localBytes > directory || view.getUint32(from, true) !== 0x04034b50) throw new Error('something lies between the files')
    const nameAt = from + localBytes
    const same = view.getUint16(from + 26, true) === name.length && sameBytes(zip.subarray(nameAt, nameAt + name.length), name)
    if (!same || view.getUint16(from + 6, true) !== flags || view.getUint16(from + 8, true) !== method) throw new Error('a file has two names')
    at = nameAt + name.length + view.getUint16(from + 28, true) + packedBytes
    // Sizes that were not known when the file was begun stand behind it.
    if ((flags & sizesBehind) !== 0) at += at + 4 <= directory && view.getUint32(at, true) === 0x08074b50 ? 16 : 12
  }
  if (at !== directory) throw new Error('something lies between the files')
}

/** Where the end of the directory's record begins; a comment may stand behind it. */
function endOf(zip: Uint8Array, view: DataView): number {
  for (let at = zip.length - endBytes; at >= 0 && at >= zip.length - endBytes - commentBytesMax; at--) {
    if (view.getUint32(at, true) === 0x06054b50) return at
  }
  throw new Error('there is no directory')
}

function nameOf(bytes: Uint8Array, flags: number): string {
  return (flags & namesAreUtf8) !== 0 ? utf8Names.decode(bytes) : String.fromCharCode(...bytes.subarray(0, 4096))
}

function contentOf(zip: Uint8Array, view: DataView, { from, packedBytes, bytes, method, flags }: Readonly<{ from: number; packedBytes: number; bytes: number; method: number; flags: number }>): Uint8Array {
  if ((flags & encrypted) !== 0) throw new Error('a file is encrypted')
  if (from + localBytes > zip.length || view.getUint32(from, true) !== 0x04034b50) throw new Error('a file is not where the directory says')
  const begin = from + localBytes + view.getUint16(from + 26, true) + view.getUint16(from + 28, true)
  if (begin + packedBytes > zip.length) throw new Error('a file is cut off')
  const packed = zip.subarray(begin, begin + packedBytes)
  if (method === stored && packedBytes === bytes) return packed.slice()
  if (method !== deflated) throw new Error('a file is packed in another way')
  const content = packedBytes <= pieceBytes ? inflateSync(packed, { out: new Uint8Array(bytes + 1) }) : inflatedInPieces(packed, bytes)
  if (content.length !== bytes) throw new Error('a file is not as long as the directory says')
  return content
}

/** Stops at the first piece that makes more than `bytes`. */
function inflatedInPieces(packed: Uint8Array, bytes: number): Uint8Array {
  const content = new Uint8Array(bytes)
  let at = 0
  const inflate = new Inflate((made) => {
    if (at + made.length > bytes) throw new Error('a file is longer than the directory says')
    content.set(made, at)
    at += made.length
  })
  for (let from = 0; from < packed.length; from += pieceBytes) inflate.push(packed.subarray(from, from + pieceBytes), from + pieceBytes >= packed.length)
  return content.subarray(0, at)
}
