// Group 3, settings: values by name, as bytes (docs.zephyrproject.org …/smp_groups/smp_group_3.html;
// subsys/mgmt/mcumgr/grp/settings_mgmt). Surprise: a write is only in RAM until it is saved, and a board may answer a write
// of a name that nobody handles with success; only reading it back tells.
import { refuse } from '../base/failure.ts'
import { readBody } from './body.ts'
import { nothing, smpGroup } from './commands.ts'
import type { Nothing, SmpCommand } from './commands.ts'

export const settingsCommand = { value: 0, remove: 1, commit: 2, loadSave: 3 } as const

/** `maxBytes` asks for more than the server's default; what is longer than it can give comes cut. */
export const readSetting: SmpCommand<{ name: string; maxBytes: number }, { value: Uint8Array }> = {
  name: 'read setting',
  group: smpGroup.settings,
  command: settingsCommand.value,
  op: 'read',
  encode: ({ name, maxBytes }) => ({ name, max_size: maxBytes }),
  decode: (body) =>
    readBody('read setting', () => {
      const value = Object.hasOwn(body, 'val') ? body['val'] : undefined
      return value instanceof Uint8Array ? { value } : refuse('field', '"val" is no byte string')
    }),
}

export const writeSetting: SmpCommand<{ name: string; value: Uint8Array }, Nothing> = {
  name: 'write setting',
  group: smpGroup.settings,
  command: settingsCommand.value,
  op: 'write',
  encode: ({ name, value }) => ({ name, val: value }),
  decode: () => nothing,
}

/** Hands written values to the firmware's modules. */
export const commitSettings: SmpCommand<Nothing, Nothing> = {
  name: 'commit settings',
  group: smpGroup.settings,
  command: settingsCommand.commit,
  op: 'write',
  encode: () => ({}),
  decode: () => nothing,
}

/** Writes all values to the board's storage. */
export const saveSettings: SmpCommand<Nothing, Nothing> = {
  name: 'save settings',
  group: smpGroup.settings,
  command: settingsCommand.loadSave,
  op: 'write',
  encode: () => ({}),
  decode: () => nothing,
}
