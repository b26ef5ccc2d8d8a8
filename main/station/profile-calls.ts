// The calls about board profiles: which one a batch or a question to a board goes by, and keeping the station's own.
import { createHash } from 'node:crypto'
import { Failure, failed } from '../base/failure.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import { boardProfile } from '../contract/board-profile.ts'
import type { BoardProfileView } from '../contract/board-profile.ts'
import type { BoardView } from '../contract/views.ts'
import type { BoardProfile } from '../line/profile.ts'
import { askBoard } from './ask.ts'
import { findProfile, profileFrom, removeProfile, saveProfile } from './profiles.ts'
import type { World } from './world.ts'

/** The profile of that name with the line rate that counts: the command line's, else its own, else the station's. */
export async function profileNamed(world: World, name: string | null): Promise<BoardProfile | Failure> {
  const profile = await findProfile(world.home, name)
  return failed(profile) ? profile : { ...profile, baudRate: world.baudRate ?? profile.baudRate ?? world.settings.baudRate }
}

/** What the board on that port says of itself. Kinds: `port-held`, those of `askBoard` and `findProfile`. */
export async function askedBoard(world: World, port: string, profileName: string | null): Promise<BoardView | Failure> {
  if (world.batch?.isWorkingOn(port) === true) return new Failure('port-held', `A run is working on ${port}. Wait until it has ended.`)
  const profile = await profileNamed(world, profileName)
  return failed(profile) ? profile : await askBoard(port, world.ports, world.clock, profile)
}

export async function profileFromBoard(world: World, { port, name, like }: CheckedArgsOf<'profileFromBoard'>): Promise<BoardProfileView | Failure> {
  const asked = await findProfile(world.home, like)
  if (failed(asked)) return asked
  const board = await askedBoard(world, port, like)
  return failed(board) ? board : { ...boardProfile.parse(profileFrom(board, name, asked)), from: 'station' }
}

/** Notes the change in the log, then keeps the profile, or takes it away (null). */
export async function keepProfile(world: World, name: string, profile: BoardProfile | null): Promise<BoardProfileView | null | Failure> {
  const after = profile === null ? 'removed' : `sha256 ${createHash('sha256').update(JSON.stringify(profile)).digest('hex')}`
  const noted = world.log.recordAct({ kind: 'settings', data: { name: `board profile ${name}`.slice(0, 64), after } }, 'engineer')
  if (failed(noted)) return noted
  if (profile !== null) return await saveProfile(world.home, profile)
  const removed = await removeProfile(world.home, name)
  return failed(removed) ? removed : null
}
