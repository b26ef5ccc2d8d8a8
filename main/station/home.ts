// Where a station keeps its database, keys and practice boards: the platform's application-data folder, or the one that
// was named. Only the owner may look inside (0700), since private keys rest there.
import { chmod, mkdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { Failure } from '../base/failure.ts'

type Surroundings = Readonly<{ platform: NodeJS.Platform; env: Readonly<Record<string, string | undefined>>; userFolder: string }>

const here = (): Surroundings => ({ platform: process.platform, env: process.env, userFolder: homedir() })

/** The home folder: the named one, else SLOTWRIGHT_HOME, else the platform's own place (XDG, Library, AppData). */
export function homeFolder(named: string | null, around: Surroundings = here()): string {
  const { platform, env, userFolder } = around
  const chosen = named ?? (env['SLOTWRIGHT_HOME'] || null)
  if (chosen !== null) return resolve(chosen)
  if (platform === 'win32') return join(env['APPDATA'] || join(userFolder, 'AppData', 'Roaming'), 'Slotwright')
  if (platform === 'darwin') return join(userFolder, 'Library', 'Application Support', 'Slotwright')
  // The XDG base directory specification: a relative path is to be ignored.
  const xdg = env['XDG_DATA_HOME']
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(userFolder, '.local', 'share'), 'slotwright')
}

/** The station's own keys. */
export function keysFolderOf(home: string): string {
  return join(home, 'keys')
}

/** Public keys it has met, whose private half rests elsewhere. */
export function knownKeysFolderOf(home: string): string {
  return join(home, 'known-keys')
}

/** Makes the folder where it is missing, for the owner alone. Kind `home-not-writable`. */
export async function makeHome(folder: string): Promise<void | Failure> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (made !== undefined) await chmod(folder, 0o700)
    if (!(await stat(folder)).isDirectory()) return notWritable(folder, 'it is not a folder')
  } catch (error) {
    return notWritable(folder, reasonOf(error))
  }
}

function notWritable(folder: string, why: string): Failure {
  return new Failure('home-not-writable', `The home folder ${folder} cannot be used: ${why}. Choose another with --home, or have its permissions changed.`)
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'EACCES' || code === 'EPERM') return 'this user has no permission'
  if (code === 'EROFS') return 'it lies on a read-only disk'
  if (code === 'ENOTDIR' || code === 'EEXIST') return 'a file stands where a folder should be'
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full'
  return `the system says ${code || 'no'}`
}
