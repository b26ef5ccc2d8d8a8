// Group 8, files on the board's file system (docs.zephyrproject.org …/smp_groups/smp_group_8.html;
// subsys/mgmt/mcumgr/grp/fs_mgmt): a file is read and written in pieces, each naming its offset. Surprise: only the
// first reply of a download tells the file's length, and an upload to offset 0 cuts off what was there.
import { Failure, failed } from '../base/failure.ts'
import { concat } from '../base/bytes.ts'
import { has, readBody, takeCount } from './body.ts'
import type { SmpClient } from './client.ts'
import { smpGroup } from './commands.ts'
import type { SmpCommand } from './commands.ts'
import { refuse } from '../base/failure.ts'
import type { CborMap } from './message.ts'

/** Largest file that is read or written here. */
export const fileBytesMax = 64 * 1024
/** Bytes of a piece, besides what fits into the board's buffer: name and heads take their share. */
const pieceBytesMin = 32

type Piece = Readonly<{ off: number; data: Uint8Array; lengthBytes: number | null }>

export const downloadPiece: SmpCommand<{ path: string; off: number }, Piece> = {
  name: 'file download',
  group: smpGroup.files,
  command: 0,
  op: 'read',
  encode: ({ path, off }) => ({ off, name: path }),
  decode: (body) =>
    readBody('file download', () => {
      const data = Object.hasOwn(body, 'data') ? body['data'] : undefined
      if (!(data instanceof Uint8Array)) return refuse('field', '"data" is no byte string')
      return { off: takeCount(body, 'off'), data, lengthBytes: has(body, 'len') ? takeCount(body, 'len') : null }
    }),
}

export const uploadPiece: SmpCommand<{ path: string; off: number; data: Uint8Array; lengthBytes: number | null }, { off: number }> = {
  name: 'file upload',
  group: smpGroup.files,
  command: 0,
  op: 'write',
  encode: ({ path, off, data, lengthBytes }): CborMap => ({ off, data, name: path, ...(lengthBytes === null ? {} : { len: lengthBytes }) }),
  decode: (body) => readBody('file upload', () => ({ off: takeCount(body, 'off') })),
}

export type FileOptions = Readonly<{ timeoutMs: number; signal?: AbortSignal }>

/** A whole file. Failure kinds: those of an exchange, `file-too-large`, `garbled` when the pieces do not follow each other. */
export async function readFile(client: SmpClient, path: string, options: FileOptions): Promise<Uint8Array | Failure> {
  const pieces: Uint8Array[] = []
  let at = 0
  let lengthBytes: number | null = null
  do {
    const piece: Piece | Failure = await client.request(downloadPiece, { path, off: at }, options)
    if (failed(piece)) return piece
    lengthBytes ??= piece.lengthBytes
    if (lengthBytes === null || piece.off !== at || (piece.data.length === 0 && at < lengthBytes) || at + piece.data.length > lengthBytes) {
      return new Failure('garbled', `The board sends the file ${path} in pieces that do not follow each other. Its firmware may speak another dialect; read its log.`)
    }
    if (lengthBytes > fileBytesMax) return new Failure('file-too-large', `The file ${path} on the board has ${lengthBytes} bytes; at most ${fileBytesMax} are read.`)
    pieces.push(piece.data)
    at += piece.data.length
  } while (at < lengthBytes)
  return concat(...pieces)
}

/** Writes a whole file over whatever was there. `bufferBytes` is the board's own. Failure kinds: those of an exchange, `garbled`. */
export async function writeFile(client: SmpClient, path: string, content: Uint8Array, bufferBytes: number, options: FileOptions): Promise<void | Failure> {
  // Header 8, framing 4, the map's keys and heads about 40, and the path.
  const pieceBytes = Math.max(pieceBytesMin, bufferBytes - 52 - path.length * 3)
  let at = 0
  do {
    const data = content.subarray(at, at + pieceBytes)
    const reply = await client.request(uploadPiece, { path, off: at, data, lengthBytes: at === 0 ? content.length : null }, options)
    if (failed(reply)) return reply
    if (reply.off !== at + data.length) return new Failure('garbled', `The board does not take the file ${path} in order: it is at ${reply.off} instead of ${at + data.length}. Check cable and baud rate, then try again.`)
    at = reply.off
  } while (at < content.length)
}
