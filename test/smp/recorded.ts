// Reads the recorded exchanges for the tests. The vectors' own README says where they come from.
import { readFileSync } from 'node:fs'
import { fromHex } from '../../main/base/bytes.ts'

export type RecordedMessage = {
  version: number
  op: number
  group: number
  id: number
  seq: number
  len?: number
  cbor_hex: string
  frame_hex: string
  body?: unknown
}
export type RecordedBytes = { frame_hex: string; bytes: number }
export type Exchange = { file: string; name: string; note: string; request: RecordedMessage | RecordedBytes; responses: RecordedMessage[] }

const files = ['basics', 'update-swap-move', 'update-swap-move-image-check']

export const exchanges: readonly Exchange[] = files.flatMap((file) =>
  readFileSync(new URL(`../vectors/smp/${file}.jsonl`, import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const { name, note, request, response } = JSON.parse(line) as { name: string; note: string; request: Exchange['request']; response: RecordedMessage | RecordedMessage[] | null }
      return { file, name, note, request, responses: response === null ? [] : Array.isArray(response) ? response : [response] }
    }),
)

export function hex(text: string): Uint8Array {
  const bytes = fromHex(text)
  if (!bytes) throw new Error(`not hex: ${text.slice(0, 40)}`)
  return bytes
}

export function isMessage(request: Exchange['request']): request is RecordedMessage {
  return 'cbor_hex' in request
}
