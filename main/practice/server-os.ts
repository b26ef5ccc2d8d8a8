// OS group (0) and statistics group (2) of the practice board's SMP server, after Zephyr's os_mgmt.c and stat_mgmt.c:
// echo, task statistics, reset, parameters, application info, bootloader info. Surprises kept: echo takes the read op
// and a missing text, a bootloader query it does not know is a plain rc 3 but an info format it does not know is a group
// error, and an unknown statistics group names group 63 in its error.
import type { CborMap } from '../smp/message.ts'
import { body, groupError, mgmt, plainError, readFields } from './answer.ts'
import type { Answer, HandlerTable, ServerSeat } from './answer.ts'
import type { BootMode } from './swap.ts'

const osGroup = 0
const osInvalidFormat = 2
/** `mode` of the bootloader info query, as MCUboot's BLINFO counts them. */
const modeNumber: Readonly<Record<BootMode, number>> = {
  'single-slot': 0, 'swap-scratch': 1, 'overwrite-only': 2, 'swap-move': 3, 'direct-xip': 4, 'direct-xip-revert': 5, 'ram-load': 6, 'swap-offset': 9,
}

function echo(seat: ServerSeat, payload: Uint8Array): Answer {
  const fields = readFields(payload, { d: 'text' })
  return fields === null ? plainError(mgmt.invalid) : body({ r: seat.echo(fields.d ?? '') })
}

function taskStatistics(seat: ServerSeat): Answer {
  const tasks: Record<string, CborMap> = {}
  for (const { name, prio, tid, state } of seat.profile.tasks) tasks[name] = { prio, tid, state }
  return body({ tasks })
}

function reset(seat: ServerSeat, payload: Uint8Array): Answer {
  const fields = readFields(payload, { boot_mode: 'count' })
  seat.requestReset(seat.profile.recovery !== null && fields?.boot_mode === 1)
  return body({})
}

function parameters(seat: ServerSeat): Answer {
  return body({ buf_size: seat.profile.bufferBytes, buf_count: seat.profile.bufferCount })
}

/** Format letters in the order the server writes their answers. */
const infoLetters = 'snrvmpio'

function applicationInfo(seat: ServerSeat, payload: Uint8Array): Answer {
  const fields = readFields(payload, { format: 'text' })
  if (fields === null) return plainError(mgmt.invalid)
  const asked = fields.format === undefined || fields.format === '' ? 's' : fields.format
  for (const letter of asked) if (letter !== 'a' && !infoLetters.includes(letter)) return groupError(osGroup, osInvalidFormat)
  const { info } = seat.profile
  const texts: Readonly<Record<string, string>> = {
    s: info.kernel, n: info.node ?? seat.serial, r: info.release, v: info.version, m: info.machine, p: info.processor, i: info.platform, o: 'Zephyr',
  }
  const wanted = [...infoLetters].filter((letter) => asked.includes(letter) || asked.includes('a'))
  return body({ output: wanted.map((letter) => texts[letter]).join(' ') })
}

function bootloaderInfo(seat: ServerSeat, payload: Uint8Array): Answer {
  const fields = readFields(payload, { query: 'text' })
  if (fields === null) return plainError(mgmt.invalid)
  if (fields.query === undefined) return body({ bootloader: 'MCUboot' })
  return fields.query === 'mode' ? body({ mode: modeNumber[seat.profile.mode], ...(seat.profile.noDowngrade ? { 'no-downgrade': true } : {}) }) : plainError(mgmt.invalid)
}

export const osHandlers: HandlerTable = {
  0: { read: echo, write: echo },
  2: { read: taskStatistics },
  5: { write: reset },
  6: { read: parameters },
  7: { read: applicationInfo },
  8: { read: bootloaderInfo },
}

/** OS group error under a version 0 header (os_mgmt_translate_error_code). */
export function translateOsError(code: number): number {
  return code === osInvalidFormat ? mgmt.invalid : mgmt.unknown
}

const statisticsName = 'smp_svr_stats'
const selfTestStatistics = 'selftest'
const basicGroup = 63
const basicNoSuchGroup = 3

function readStatistics(seat: ServerSeat, payload: Uint8Array): Answer {
  const fields = readFields(payload, { name: 'text' })
  if (fields === null) return plainError(mgmt.invalid)
  if (fields.name === selfTestStatistics && seat.profile.unitGroups) return body({ name: selfTestStatistics, fields: { sensors_ok: seat.selfTestPasses ? 4 : 3, runs: 1 } })
  if (fields.name !== statisticsName) return groupError(basicGroup, basicNoSuchGroup)
  return body({ name: statisticsName, fields: { ticks: Math.floor(seat.uptimeMs() / 1000) } })
}

function listStatistics(seat: ServerSeat): Answer {
  return body({ rc: 0, stat_list: seat.profile.unitGroups ? [statisticsName, selfTestStatistics] : [statisticsName] })
}

export const statHandlers: HandlerTable = { 0: { read: readStatistics }, 1: { read: listStatistics } }
