// `profile`: what the line knows of kinds of boards that they do not tell themselves. The built-in ones, and the station's
// own, each a JSON file that can be carried to the next station.
import type { Command } from 'commander'
import { failed } from '../../base/failure.ts'
import type { Failure } from '../../base/failure.ts'
import type { BoardProfileView } from '../../contract/board-profile.ts'
import { findProfile, listProfiles, readProfile } from '../../station/profiles.ts'
import type { Act, Answer, Call } from '../call.ts'
import { homeFolder } from '../home.ts'
import { withStation } from '../station-call.ts'
import { columns } from '../terminal.ts'

const noPorts = { ports: [], keys: [] } as const

export function declare(command: Command, act: Act): void {
  command.command('list').description('all profiles, built-in and own').action(act(list))
  command.command('show').description('one profile as JSON, as `profile add` takes it').argument('<name>', 'a name from `profile list`').action(act(show))
  command.command('add').description('keep a profile from a JSON file in this station, over an own one of its name').argument('<file>', 'what `profile show` printed, edited or not').action(act(add))
  command.command('remove').description('take an own profile away').argument('<name>', 'a name from `profile list`').action(act(remove))
}

async function list(call: Call): Promise<Answer | Failure> {
  const profiles = await listProfiles(homeFolder(call))
  return failed(profiles) ? profiles : { document: profiles, words: profileRows(call, profiles) }
}

function profileRows({ paint }: Call, profiles: readonly BoardProfileView[]): string {
  return columns([
    ['name', 'from', 'what for'].map(paint.dim),
    ...profiles.map(({ name, from, says }) => [paint.bold(name), from, says]),
  ])
}

async function show(call: Call, [name = '']: readonly string[]): Promise<Answer | Failure> {
  const profile = await findProfile(homeFolder(call), name)
  if (failed(profile)) return profile
  const { from: _from, ...written } = profile as BoardProfileView
  return { document: written, words: JSON.stringify(written, null, 2) }
}

async function add(call: Call, [file = '']: readonly string[]): Promise<Answer | Failure> {
  const profile = await readProfile(file)
  if (failed(profile)) return profile
  return await withStation(call, noPorts, async (station) => {
    const kept = await station.saveProfile({ profile })
    return failed(kept) ? kept : { document: kept, words: `The profile "${kept.name}" is kept. Use it with --profile ${kept.name}.` }
  })
}

async function remove(call: Call, [name = '']: readonly string[]): Promise<Answer | Failure> {
  return await withStation(call, noPorts, async (station) => {
    const left = await station.removeProfile({ name })
    return failed(left) ? left : { document: left, words: `The profile "${name}" is removed.` }
  })
}
