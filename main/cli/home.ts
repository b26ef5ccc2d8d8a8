// Which home a call means.
import { homeFolder as folderOf, makeHome } from '../station/home.ts'
import type { Failure } from '../base/failure.ts'
import type { Call } from './call.ts'

/** The home folder, absolute; not made here. */
export function homeFolder(call: Call): string {
  return folderOf(call.home)
}

/** Makes the home before work whose result must be logged there, so that nothing is made which cannot be. Kind `home-not-writable`. */
export async function prepareHome(call: Call): Promise<null | Failure> {
  return await makeHome(homeFolder(call)) ?? null
}
