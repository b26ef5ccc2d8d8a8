// The system libraries that Electron links to, the display the tests bring, and the compiler, on Linux. What is
// missing is found by asking for the library or the program, not for the package, so any distribution will do;
// only Debian and Ubuntu are told (or, as root, given) packages by name.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run, runOrStop, say, SetupStop } from './words.mjs'

// One row a need: how to see that it is there, and the Debian package (the second name is that of releases with 64-bit time).
const running = [
  { library: 'libgtk-3.so.0', packages: ['libgtk-3-0', 'libgtk-3-0t64'] },
  { library: 'libnss3.so', packages: ['libnss3'] },
  { library: 'libasound.so.2', packages: ['libasound2', 'libasound2t64'] },
  { library: 'libgbm.so.1', packages: ['libgbm1'] },
  { program: 'udevadm', packages: ['udev'] },
]
const testing = [{ program: 'Xvfb', packages: ['xvfb'] }]
// The tests sign with keys in a software token, made afresh in a temporary folder.
const tokens = [{ program: 'softhsm2-util', packages: ['softhsm2'] }]
const compiling = [
  { program: 'g++', packages: ['g++'] },
  { program: 'gcc', packages: ['gcc'] },
]
const unpacking = [{ program: 'unzip', packages: ['unzip'] }]
const appImage = [
  { program: 'mksquashfs', packages: ['squashfs-tools'] },
  { program: 'desktop-file-validate', packages: ['desktop-file-utils'] },
]

export const needs = { running, testing, tokens, compiling, unpacking, appImage }

// ldconfig and udevadm may lie in sbin, which is not on every user's PATH.
const programFolders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin']

export function findProgram(name) {
  for (const folder of programFolders) {
    if (folder === '') continue
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this folder
    }
  }
  return undefined
}

async function knownLibraries() {
  const ldconfig = findProgram('ldconfig')
  if (ldconfig === undefined) return undefined
  const listed = await run(ldconfig, ['-p'])
  return listed.code === 0 ? listed.stdout : undefined
}

const libraryFolders = ['/lib', '/usr/lib', '/lib64', '/usr/lib64', '/lib/x86_64-linux-gnu', '/usr/lib/x86_64-linux-gnu', '/lib/aarch64-linux-gnu', '/usr/lib/aarch64-linux-gnu']

function isThere(need, known) {
  if (need.program !== undefined) return findProgram(need.program) !== undefined
  if (known !== undefined) return known.includes(`\t${need.library} `)
  return libraryFolders.some((folder) => existsSync(join(folder, need.library)))
}

const isDebian = () => {
  try {
    return /^(ID|ID_LIKE)=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8')) && findProgram('apt-get') !== undefined
  } catch {
    return false
  }
}

/** Of the names a package has had, the one that this release offers for installing. */
async function packageOffered(names) {
  for (const name of names) {
    const shown = await run('apt-cache', ['policy', name])
    if (/Candidate: (?!\(none\))/.test(shown.stdout)) return name
  }
  return names[0]
}

/** Which of `wanted` this system lacks. */
export async function missingOf(wanted) {
  const known = await knownLibraries()
  return wanted.filter((need) => !isThere(need, known))
}

/**
 * Sees to it that every one of `wanted` is there, or stops with the one command that puts it right.
 * As root on Debian or Ubuntu it installs them itself.
 */
export async function libraries(wanted) {
  if (process.platform !== 'linux') return
  const missing = await missingOf(wanted)
  if (missing.length === 0) return

  const what = missing.map((need) => need.library ?? need.program).join(', ')
  if (!isDebian()) throw new SetupStop(`this system lacks ${what}; install them with its package manager and run the command again`)
  if (process.getuid() !== 0) {
    const packages = await Promise.all(missing.map((need) => packageOffered(need.packages)))
    throw new SetupStop(`this system lacks ${what}. Install them and run the command again:\n  sudo apt-get install ${packages.join(' ')}`)
  }
  say(`installing system packages for ${what} (apt-get)`)
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  await runOrStop('apt-get update', 'apt-get', ['update', '-qq'], { env })
  const packages = await Promise.all(missing.map((need) => packageOffered(need.packages)))
  await runOrStop('apt-get install', 'apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env })

  const stillMissing = await missingOf(missing)
  if (stillMissing.length > 0) {
    throw new SetupStop(`apt-get installed ${packages.join(' ')}, but ${stillMissing.map((need) => need.library ?? need.program).join(', ')} is still not to be found`)
  }
}

/** As `libraries`, where it can be done without asking anybody; elsewhere nothing. */
export async function librariesIfRoot(wanted) {
  if (process.platform === 'linux' && isDebian() && process.getuid() === 0) await libraries(wanted)
}
