// Which home a call means.
import { homeFolder as folderOf } from '../station/home.ts'
import type { Call } from './call.ts'

/** The home folder, absolute; not made here. */
export function homeFolder(call: Call): string {
  return folderOf(call.home)
}
