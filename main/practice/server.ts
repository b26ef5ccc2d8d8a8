// Zephyr's SMP server as boards run it (subsys/mgmt/mcumgr/smp/src/smp.c): one request packet in, its replies out,
// with the recorded server's answers also where they surprise. Replies are open-ended CBOR maps; bodies are read
// leniently, since zcbor never looks behind the map nor at the header's length; a request that is no SMP header at all
// meets silence, an error ends the packet. No transport and no time in here.
import { concat } from '../base/bytes.ts'
import { encodeHeader, encodeIndefinite } from '../smp/message.ts'
import type { CborMap } from '../smp/message.ts'
import { mgmt, plainError } from './answer.ts'
import type { Answer, HandlerTable, ServerSeat } from './answer.ts'
import { imageHandlers, translateImageError } from './server-image.ts'
import { filesHandlers, settingsHandlers, shellHandlers } from './server-unit.ts'
import { osHandlers, statHandlers, translateOsError } from './server-os.ts'
import type { BoardProfile } from './profiles.ts'

export const smpHeaderBytes = 8

const groups: Readonly<Record<number, HandlerTable | undefined>> = {
  0: osHandlers, 1: imageHandlers, 2: statHandlers, 3: settingsHandlers, 8: filesHandlers, 9: shellHandlers,
}
const translations: Readonly<Record<number, ((code: number) => number) | undefined>> = { 0: translateOsError, 1: translateImageError }

/** The replies to one packet, in order; none when Zephyr would stay silent. */
export function answerPacket(seat: ServerSeat, packet: Uint8Array): Uint8Array[] {
  const replies: Uint8Array[] = []
  for (let at = 0; packet.length - at >= smpHeaderBytes;) {
    const request = readRequest(packet, at)
    const payload = packet.subarray(at + smpHeaderBytes)
    const answer = payload.length < request.bodyBytes ? plainError(mgmt.corrupt) : answerRequest(seat, request, payload)
    replies.push(encodeReply(seat.profile, request, answer))
    if (isError(request, answer)) break
    at += smpHeaderBytes + request.bodyBytes
  }
  return replies
}

type Request = Readonly<{ op: number; version: number; bodyBytes: number; group: number; seq: number; command: number }>

function readRequest(packet: Uint8Array, at: number): Request {
  return {
    op: packet[at]! & 7,
    version: (packet[at]! >> 3) & 3,
    bodyBytes: (packet[at + 2]! << 8) | packet[at + 3]!,
    group: (packet[at + 4]! << 8) | packet[at + 5]!,
    seq: packet[at + 6]!,
    command: packet[at + 7]!,
  }
}

const opRead = 0
const opWrite = 2

function answerRequest(seat: ServerSeat, request: Request, payload: Uint8Array): Answer {
  if (request.op !== opRead && request.op !== opWrite) return plainError(mgmt.notSupported)
  if (request.version > 1) return plainError(mgmt.tooNew)
  const pair = groups[request.group]?.[request.command]
  const handler = request.op === opRead ? pair?.read : pair?.write
  return handler ? handler(seat, payload) : plainError(mgmt.notSupported)
}

/** Group errors are ordinary replies under version 1; everything else that is wrong ends the packet. */
function isError(request: Request, answer: Answer): boolean {
  return answer.is === 'rc' || (answer.is === 'err' && request.version === 0)
}

function encodeReply(profile: BoardProfile, request: Request, answer: Answer): Uint8Array {
  let bytes = encodeIndefinite(replyBody(request, answer))
  if (smpHeaderBytes + bytes.length > profile.bufferBytes) bytes = encodeIndefinite({ rc: mgmt.messageSize })
  const { group, seq, command } = request
  const op = request.op === opRead ? 'read-rsp' : 'write-rsp'
  return concat(encodeHeader({ op, version: Math.min(request.version, 1), group, seq, command, bodyBytes: bytes.length }), bytes)
}

function replyBody(request: Request, answer: Answer): CborMap {
  if (answer.is === 'body') return answer.body
  if (answer.is === 'rc') return { rc: answer.code }
  if (request.version === 0) return { rc: translations[answer.group]?.(answer.code) ?? mgmt.unknown }
  return { err: { group: answer.group, rc: answer.code } }
}
