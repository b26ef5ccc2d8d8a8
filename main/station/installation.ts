// How this very station was installed, from what each kind of package leaves in its surroundings: AppImage and NSIS's
// portable build set a variable, the Debian package has its place in /opt, and a program that runs from its sources is not
// installed at all.
import { basename, dirname, sep } from 'node:path'
import type { PackageKind } from '../release/manifest.ts'

/** `at`: the AppImage or portable program itself, else the program's folder. */
export type Installed = Readonly<{ kind: PackageKind; arch: string; at: string }>

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
  if (env['APPIMAGE'] !== undefined && env['APPIMAGE'] !== '') return { kind: 'AppImage', arch, at: env['APPIMAGE'] }
  return { kind: at.startsWith(`${sep}opt${sep}`) ? 'deb' : 'tar.gz', arch, at }
}
