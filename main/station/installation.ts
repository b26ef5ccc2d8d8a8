// How this very station was installed, from what each kind of package leaves in its surroundings: AppImage and NSIS's
// portable build set a variable, the Debian package has its place in /opt, and a program that runs from its sources is not
// installed at all. What surprised us: whatever is started from a terminal that is itself an AppImage inherits that one's
// variables, and an update would have replaced the terminal; so the program has to lie where the variables say.
import { realpathSync } from 'node:fs'
import { basename, dirname, join, sep } from 'node:path'
import type { PackageKind } from '../release/manifest.ts'

/** `at`: the AppImage or portable program itself, else the program's folder. */
export type Installed = Readonly<{ kind: PackageKind; arch: string; at: string }>

/** Where scripts/package/linux.mjs has the Debian package put the program. */
const placeOfDeb = join(sep, 'opt', 'Slotwright')

type Surroundings = Readonly<{ platform: NodeJS.Platform; arch: string; execPath: string; env: Readonly<Record<string, string | undefined>> }>

/** Null when the program runs from its sources: then its file is Electron's own. */
export function installedHere(here: Surroundings = process): Installed | null {
  const { platform, arch, execPath, env } = here
  const at = dirname(execPath)
  if (platform === 'darwin') return basename(execPath) === 'Slotwright' ? { kind: 'dmg', arch, at } : null
  if (platform === 'win32') {
    const portable = env['PORTABLE_EXECUTABLE_FILE']
    if (portable !== undefined) return { kind: 'portable.exe', arch, at: portable }
    return basename(execPath).toLowerCase() === 'slotwright.exe' ? { kind: 'setup.exe', arch, at } : null
  }
  if (basename(execPath) !== 'slotwright-station') return null
  const { APPIMAGE: image = '', APPDIR: folder = '' } = env
  if (image !== '' && folder !== '' && at === trueName(folder)) return { kind: 'AppImage', arch, at: image }
  return { kind: at === placeOfDeb ? 'deb' : 'tar.gz', arch, at }
}

/** A temporary folder's name may lead through links, and the program's own never does. */
function trueName(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return join(folder)
  }
}
