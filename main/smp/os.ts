// Group 0, the operating system: echo, tasks, reset, buffer sizes, what firmware and bootloader say of themselves
// (docs.zephyrproject.org services/device_mgmt/smp_groups/smp_group_0.html; subsys/mgmt/mcumgr/grp/os_mgmt).
// A board without one of these answers code 8; parameters and bootloader info are younger than many boards in use.
import { plainText } from './line.ts'
import { readBody, has, isMap, takeCount, takeCountOr, takeFlag, takeInteger, takeText } from './body.ts'
import { nothing, smpGroup } from './commands.ts'
import type { Nothing, SmpCommand } from './commands.ts'
import type { CborMap } from './message.ts'
import { refuse } from '../base/failure.ts'

/** Command numbers in group 0. */
export const osCommand = {
  echo: 0,
  consoleEcho: 1,
  taskStatistics: 2,
  memoryPools: 3,
  dateTime: 4,
  reset: 5,
  parameters: 6,
  appInfo: 7,
  bootloaderInfo: 8,
} as const

const textMax = 1024
const tasksMax = 64

/** Says the text back. */
export const echo: SmpCommand<{ text: string }, { text: string }> = {
  name: 'echo',
  group: smpGroup.os,
  command: osCommand.echo,
  op: 'write',
  encode: ({ text }) => ({ d: text }),
  decode: (body) => readBody('echo', () => ({ text: takeText(body, 'r', 8192, 'several') })),
}

/** Whether the console repeats what it hears. Serial recovery wants it off. */
export const consoleEcho: SmpCommand<{ on: boolean }, Nothing> = {
  name: 'console echo',
  group: smpGroup.os,
  command: osCommand.consoleEcho,
  op: 'write',
  encode: ({ on }) => ({ echo: on ? 1 : 0 }),
  decode: () => nothing,
}

export type TaskStatistics = Readonly<{
  name: string
  priority: number
  id: number
  state: number
  /** In 4-byte words. */
  stackUsedWords?: number
  stackSizeWords?: number
  contextSwitches?: number
  runTimeTicks?: number
}>

/** Threads of the running firmware. */
export const taskStatistics: SmpCommand<Nothing, { tasks: readonly TaskStatistics[] }> = {
  name: 'task statistics',
  group: smpGroup.os,
  command: osCommand.taskStatistics,
  op: 'read',
  encode: () => ({}),
  decode: (body) =>
    readBody('task statistics', () => {
      const tasks = Object.hasOwn(body, 'tasks') ? body['tasks'] : undefined
      if (!isMap(tasks)) return refuse('field', '"tasks" is no map')
      const entries = Object.entries(tasks)
      if (entries.length > tasksMax) refuse('field', `more than ${tasksMax} tasks`)
      return { tasks: entries.map(([name, task]) => (isMap(task) ? readTask(name, task) : refuse('field', 'a task is no map'))) }
    }),
}

function readTask(name: string, task: CborMap): TaskStatistics {
  return {
    name: plainText(name.slice(0, textMax)),
    priority: takeInteger(task, 'prio'),
    id: takeCount(task, 'tid'),
    state: takeCount(task, 'state'),
    stackUsedWords: takeCountOr(task, 'stkuse', undefined),
    stackSizeWords: takeCountOr(task, 'stksiz', undefined),
    contextSwitches: takeCountOr(task, 'cswcnt', undefined),
    runTimeTicks: takeCountOr(task, 'runtime', undefined, Number.MAX_SAFE_INTEGER),
  }
}

/** The board's clock, as the board writes it (RFC 3339 without zone, if it keeps time at all). */
export const dateTime: SmpCommand<Nothing, { dateTime: string }> = {
  name: 'date and time',
  group: smpGroup.os,
  command: osCommand.dateTime,
  op: 'read',
  encode: () => ({}),
  decode: (body) => readBody('date and time', () => ({ dateTime: takeText(body, 'datetime', 64) })),
}

export const setDateTime: SmpCommand<{ dateTime: string }, Nothing> = {
  name: 'set date and time',
  group: smpGroup.os,
  command: osCommand.dateTime,
  op: 'write',
  encode: ({ dateTime }) => ({ datetime: dateTime }),
  decode: () => nothing,
}

/**
 * Restarts the board. The reply comes at once, the reset about 250 ms later; requests in between are still answered.
 * `bootMode: 'recovery'` asks the bootloader to stay (retention boot mode 1), where the firmware supports it.
 */
export const reset: SmpCommand<{ force?: boolean; bootMode?: 'normal' | 'recovery' }, Nothing> = {
  name: 'reset',
  group: smpGroup.os,
  command: osCommand.reset,
  op: 'write',
  encode: ({ force, bootMode }) => ({
    ...(force ? { force: true } : {}),
    ...(bootMode ? { boot_mode: bootMode === 'recovery' ? 1 : 0 } : {}),
  }),
  decode: () => nothing,
}

export type BoardParameters = Readonly<{
  /** One net buffer; over a console 4 bytes of it go to framing, so the largest message is this less 4. */
  bufferBytes: number
  bufferCount: number
}>

/** How large and how many messages the board can hold. */
export const parameters: SmpCommand<Nothing, BoardParameters> = {
  name: 'parameters',
  group: smpGroup.os,
  command: osCommand.parameters,
  op: 'read',
  encode: () => ({}),
  decode: (body) =>
    readBody('parameters', () => {
      const bufferBytes = takeCount(body, 'buf_size', 0xffff)
      // Header, the map around a first chunk and MCUboot's 32-byte image header must fit, or no upload can begin.
      if (bufferBytes < 96) refuse('field', `a buffer of ${bufferBytes} bytes is too small for any upload`)
      return { bufferBytes, bufferCount: takeCount(body, 'buf_count', 0xffff) }
    }),
}

/**
 * What the firmware says of itself. `format` picks fields like uname: s kernel, n node, r release, v version,
 * b build time, m machine, p processor, i hardware platform, o operating system, a all.
 */
export const appInfo: SmpCommand<{ format?: string }, { output: string }> = {
  name: 'application info',
  group: smpGroup.os,
  command: osCommand.appInfo,
  op: 'read',
  encode: ({ format }): CborMap => (format === undefined ? {} : { format }),
  decode: (body) => readBody('application info', () => ({ output: takeText(body, 'output', textMax) })),
}

/** How MCUboot swaps (bootutil/boot_status.h MCUBOOT_MODE_*), in the order of their numbers. */
export const swapModes = [
  'single-slot',
  'swap-scratch',
  'overwrite-only',
  'swap-move',
  'direct-xip',
  'direct-xip-revert',
  'ram-load',
  'firmware-loader',
  'single-slot-ram-load',
  'swap-offset',
] as const
export type SwapMode = (typeof swapModes)[number]

/** The bootloader's name, `MCUboot` where it is one. */
export const bootloaderName: SmpCommand<Nothing, { bootloader: string }> = {
  name: 'bootloader info',
  group: smpGroup.os,
  command: osCommand.bootloaderInfo,
  op: 'read',
  encode: () => ({}),
  decode: (body) => readBody('bootloader info', () => ({ bootloader: takeText(body, 'bootloader', 64) })),
}

/** How the bootloader swaps; `unknown` for a mode this station does not know. `noDowngrade`: it refuses older versions. */
export const bootloaderMode: SmpCommand<Nothing, { mode: SwapMode | 'unknown'; modeNumber: number; noDowngrade: boolean }> = {
  name: 'bootloader mode',
  group: smpGroup.os,
  command: osCommand.bootloaderInfo,
  op: 'read',
  encode: () => ({ query: 'mode' }),
  decode: (body) =>
    readBody('bootloader mode', () => {
      const modeNumber = has(body, 'mode') ? takeInteger(body, 'mode') : -1
      return { mode: swapModes[modeNumber] ?? ('unknown' as const), modeNumber, noDowngrade: takeFlag(body, 'no-downgrade') }
    }),
}
