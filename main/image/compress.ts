// Compressed images: raw LZMA2 with imgtool's settings (dictionary 131072, pb 2, lc 3, lp 1, preset 9's search), optionally
// behind liblzma's ARM-Thumb filter, and a two-byte header. liblzma itself does the work, so the bytes equal imgtool's.
// What surprised us: lzma-native applies `preset` last and over everything, so each setting is spelled out instead.
import { Failure, attempt, failed, refuse } from '../base/failure.ts'
import { concat } from '../base/bytes.ts'
import { FIRMWARE_BYTES_MAX } from './format.ts'

export type Compression = 'lzma2' | 'lzma2armthumb'

const settings = { dictSize: 131_072, pb: 2, lc: 3, lp: 1 } as const
/** Larger dictionaries are refused on reading: MCUboot's own decoder has 128 KiB, and the memory would be ours. */
const dictionaryBytesMax = 4 * 1024 * 1024

/** The two bytes before the stream: coded dictionary size, then (pb·5 + lp)·9 + lc (imgtool create_lzma2_header). */
const streamHeader = Uint8Array.of(10, (settings.pb * 5 + settings.lp) * 9 + settings.lc)

/** Compresses firmware; the caller decides whether it got smaller. */
export async function compressFirmware(firmware: Uint8Array, kind: Compression): Promise<{ header: Uint8Array; stream: Uint8Array } | Failure> {
  const stream = await runLzma('rawEncoder', firmware, kind, settings)
  return failed(stream) ? stream : { header: streamHeader, stream }
}

/**
 * Undoes `compressFirmware`, header included. `sizeBytes` is what the DECOMP_SIZE TLV promises. The stream's own chunk
 * heads are added up first, so that a hostile image cannot make us unpack more than it promised.
 */
export async function decompressFirmware(payload: Uint8Array, kind: Compression, sizeBytes: number): Promise<Uint8Array | Failure> {
  const checked = attempt(() => {
    if (sizeBytes > FIRMWARE_BYTES_MAX) refuse('bad-compression', `The image promises ${sizeBytes} bytes of firmware, more than any board takes.`, { sizeBytes })
    const [coded, props] = payload
    if (coded === undefined || props === undefined || coded > 40 || props >= 225) refuse('bad-compression', 'The compressed firmware lacks its two header bytes, or they are damaged.', { offset: 0 })
    const dictSize = (2 | (coded & 1)) * 2 ** (Math.floor(coded / 2) + 11)
    if (dictSize > dictionaryBytesMax) refuse('bad-compression', `The compressed firmware wants a dictionary of ${dictSize} bytes; boards have 131072.`, { offset: 0, dictSize })
    const promised = unpackedSize(payload)
    if (promised !== sizeBytes) refuse('bad-compression', `The compressed firmware unpacks to ${promised} bytes, but the image promises ${sizeBytes}.`, { unpacked: promised, sizeBytes })
    return { dictSize, lc: props % 9, lp: Math.floor(props / 9) % 5, pb: Math.floor(props / 45) }
  })
  if (failed(checked)) return checked
  return runLzma('rawDecoder', payload.subarray(streamHeader.length, lzma2End(payload)), kind, checked)
}

/** Total of the LZMA2 chunks' unpacked sizes (xz-file-format §5.3.1 by way of liblzma's lzma2_decoder.c). */
function unpackedSize(payload: Uint8Array): number {
  return walkChunks(payload).unpacked
}

function lzma2End(payload: Uint8Array): number {
  return walkChunks(payload).end
}

function walkChunks(payload: Uint8Array): { unpacked: number; end: number } {
  let at: number = streamHeader.length
  let unpacked = 0
  const u16 = (index: number) => (payload[index] ?? 0) * 256 + (payload[index + 1] ?? 0)
  while (at < payload.length) {
    const control = payload[at] ?? 0
    if (control === 0) return { unpacked, end: at + 1 }
    if (control > 2 && control < 0x80) refuse('bad-compression', `The compressed firmware has a bad chunk at byte ${at}.`, { offset: at })
    if (control < 0x80) {
      unpacked += u16(at + 1) + 1
      at += 3 + u16(at + 1) + 1
    } else {
      unpacked += (control & 0x1f) * 0x10000 + u16(at + 1) + 1
      at += (control >= 0xc0 ? 6 : 5) + u16(at + 3) + 1
    }
    if (unpacked > FIRMWARE_BYTES_MAX) refuse('bad-compression', 'The compressed firmware unpacks to more than any board takes.', { offset: at })
  }
  return refuse('bad-compression', 'The compressed firmware ends before its end mark.', { offset: payload.length })
}

async function runLzma(coder: 'rawEncoder' | 'rawDecoder', input: Uint8Array, kind: Compression, options: { dictSize: number; pb: number; lc: number; lp: number }): Promise<Uint8Array | Failure> {
  // Loaded on first use: most commands never compress.
  const { default: lzma } = await import('lzma-native')
  const search = { mode: lzma.MODE_NORMAL, mf: lzma.MF_BT4, niceLen: 64, depth: 0 }
  const filters = [
    ...(kind === 'lzma2armthumb' ? [{ id: lzma.FILTER_ARMTHUMB }] : []),
    { id: lzma.FILTER_LZMA2, options: { ...options, ...search } },
  ]
  return new Promise((resolve) => {
    const parts: Uint8Array[] = []
    let stream: ReturnType<typeof lzma.createStream>
    const fail = () => resolve(new Failure('bad-compression', coder === 'rawDecoder' ? 'The compressed firmware is damaged and does not unpack.' : 'The firmware could not be compressed.'))
    try {
      // Synchronous: the addon's own threads would outlive a process that exits in the middle.
      stream = lzma.createStream(coder, { filters, synchronous: true })
    } catch {
      return fail()
    }
    stream.on('data', (part: Uint8Array) => parts.push(part))
    stream.on('error', fail)
    stream.on('end', () => resolve(concat(...parts)))
    stream.end(Buffer.from(input.buffer, input.byteOffset, input.length))
  })
}
