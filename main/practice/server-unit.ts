// What a product's own firmware offers beside updates: settings (group 3), files (group 8) and a shell (group 9), after
// Zephyr's settings_mgmt.c, fs_mgmt.c and shell_mgmt.c. Enough for self-tests and unit data: a shell that knows four
// commands, a file with the self-test's result, settings that last when they were saved. Surprises kept: a setting longer
// than the server's buffer is cut when it is read, and what was not saved is gone after a reset.
import { utf8 } from '../base/bytes.ts'
import { body, groupError, mgmt, plainError, readFields } from './answer.ts'
import type { Answer, HandlerTable, ServerSeat, UnitGroup } from './answer.ts'

const settingsGroup = 3
const filesGroup = 8
const settingsCode = { keyTooLong: 2, keyNotFound: 3, rootNotFound: 5 } as const
const filesCode = { notFound: 3, badOffset: 11, offsetPastEnd: 12, noMount: 14 } as const
/** CONFIG_MCUMGR_GRP_SETTINGS_NAME_LEN and _VALUE_LEN, as a product would set them. */
const settingNameMax = 32
const settingBytesMax = 128
const settingsMax = 64
const filesMax = 16
const fileBytesMax = 64 * 1024
/** CONFIG_MCUMGR_GRP_FS_DL_CHUNK_SIZE of a small build. */
const downloadBytes = 192

export const selfTestPath = '/lfs/selftest.txt'
/** Roots that some module of the firmware handles (settings_register). */
const settingRoots = ['unit', 'wifi', 'cal']

/** What survives a reset: it lies in flash beside the images. */
export class UnitStorage {
  readonly files = new Map<string, Uint8Array>()
  readonly savedSettings = new Map<string, Uint8Array>()
}

/** One running firmware's view of it. A new one begins at every reset. */
export class UnitServer implements UnitGroup {
  readonly #storage: UnitStorage
  readonly #settings: Map<string, Uint8Array>
  readonly #selfTestPasses: boolean
  #writing: { path: string; content: Uint8Array; at: number } | null = null

  constructor(storage: UnitStorage, selfTestPasses: boolean) {
    this.#storage = storage
    this.#settings = new Map(storage.savedSettings)
    this.#selfTestPasses = selfTestPasses
  }

  readSetting(name: string, maxBytes: number): Answer {
    const why = nameTrouble(name)
    if (why !== 0) return groupError(settingsGroup, why)
    const value = this.#settings.get(name)
    if (value === undefined) return groupError(settingsGroup, settingsCode.keyNotFound)
    const cut = value.slice(0, Math.min(maxBytes, settingBytesMax))
    return body(maxBytes > settingBytesMax ? { val: cut, max_size: settingBytesMax } : { val: cut })
  }

  writeSetting(name: string, value: Uint8Array): Answer {
    const why = nameTrouble(name)
    if (why !== 0) return groupError(settingsGroup, why)
    if (this.#settings.size >= settingsMax && !this.#settings.has(name)) return plainError(mgmt.unknown)
    this.#settings.set(name, value.slice())
    return body({})
  }

  saveSettings(): Answer {
    this.#storage.savedSettings.clear()
    for (const [name, value] of this.#settings) this.#storage.savedSettings.set(name, value)
    return body({})
  }

  download(path: string, off: number): Answer {
    const content = path === selfTestPath ? utf8(this.#selfTestPasses ? 'result=pass\nsensors=4\n' : 'result=fail\nsensors=3\n') : this.#storage.files.get(path)
    if (content === undefined) return groupError(filesGroup, path.startsWith('/lfs/') ? filesCode.notFound : filesCode.noMount)
    if (off > content.length) return groupError(filesGroup, filesCode.offsetPastEnd)
    const data = content.slice(off, off + downloadBytes)
    return body(off === 0 ? { off, data, len: content.length } : { off, data })
  }

  upload(path: string, off: number, data: Uint8Array, lengthBytes: number | undefined): Answer {
    if (!path.startsWith('/lfs/')) return groupError(filesGroup, filesCode.noMount)
    if (off === 0) {
      if (lengthBytes === undefined || lengthBytes > fileBytesMax || this.#storage.files.size >= filesMax) return plainError(mgmt.invalid)
      this.#writing = { path, content: new Uint8Array(lengthBytes), at: 0 }
    }
    const writing = this.#writing
    // A piece that does not follow is answered with where the file stands.
    if (writing === null || writing.path !== path) return groupError(filesGroup, filesCode.badOffset)
    if (off !== writing.at) return body({ off: writing.at })
    if (off + data.length > writing.content.length) return plainError(mgmt.invalid)
    writing.content.set(data, off)
    writing.at += data.length
    this.#storage.files.set(path, writing.content.slice(0, writing.at))
    if (writing.at === writing.content.length) this.#writing = null
    return body({ off: off + data.length })
  }

  shell(argv: readonly string[], seat: ServerSeat): Answer {
    const [command = '', ...args] = argv
    const say = (o: string, ret = 0) => body({ o, ret })
    switch (command) {
      case '': return groupError(9, 3)
      case 'echo': return say(`${args.join(' ')}\n`)
      case 'version': return say(`Zephyr version ${seat.profile.info.release}\n`)
      case 'uptime': return say(`Uptime: ${Math.floor(seat.uptimeMs())} ms\n`)
      case 'selftest': return this.#selfTestPasses ? say('sensor 1 ok\nsensor 2 ok\nself-test passed\n') : say('sensor 1 ok\nsensor 2 does not answer\nself-test failed\n', 1)
      // -ENOEXEC, as Zephyr's shell returns it.
      default: return say(`${command}: command not found\n`, -8)
    }
  }
}

/** 0, or the group's code for why a setting of that name is not there. */
function nameTrouble(name: string): number {
  if (name.length >= settingNameMax) return settingsCode.keyTooLong
  return settingRoots.includes(name.split('/')[0] ?? '') ? 0 : settingsCode.rootNotFound
}

type Asked = (seat: ServerSeat, payload: Uint8Array) => Answer

/** Not built in: the recorded server's answer to a group that it lacks. */
const built = (asked: (unit: UnitGroup, seat: ServerSeat, payload: Uint8Array) => Answer): Asked =>
  (seat, payload) => (seat.profile.unitGroups ? asked(seat.unit, seat, payload) : plainError(mgmt.notSupported))

export const settingsHandlers: HandlerTable = {
  0: {
    read: built((unit, _seat, payload) => {
      const fields = readFields(payload, { name: 'text', max_size: 'count' })
      return fields === null || !fields.name ? plainError(mgmt.invalid) : unit.readSetting(fields.name, fields.max_size ?? settingBytesMax)
    }),
    write: built((unit, _seat, payload) => {
      const fields = readFields(payload, { name: 'text', val: 'bytes' })
      return fields === null || !fields.name ? plainError(mgmt.invalid) : unit.writeSetting(fields.name, fields.val ?? new Uint8Array(0))
    }),
  },
  2: { write: built(() => body({})) },
  3: { write: built((unit) => unit.saveSettings()) },
}

export const filesHandlers: HandlerTable = {
  0: {
    read: built((unit, _seat, payload) => {
      const fields = readFields(payload, { off: 'count', name: 'text' })
      return fields === null || !fields.name || fields.off === undefined ? plainError(mgmt.invalid) : unit.download(fields.name, fields.off)
    }),
    write: built((unit, _seat, payload) => {
      const fields = readFields(payload, { off: 'count', name: 'text', data: 'bytes', len: 'count' })
      return fields === null || !fields.name || fields.off === undefined ? plainError(mgmt.invalid) : unit.upload(fields.name, fields.off, fields.data ?? new Uint8Array(0), fields.len)
    }),
  },
}

export const shellHandlers: HandlerTable = {
  0: {
    write: built((unit, seat, payload) => {
      const fields = readFields(payload, { argv: 'texts' })
      return fields === null ? plainError(mgmt.invalid) : unit.shell(fields.argv ?? [], seat)
    }),
  },
}
