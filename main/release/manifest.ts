// What a new version of the station comes with: one signed note (C2SP.org/signed-note, as the log's checkpoints are) that
// names version, day and every file with its length and SHA-256. The owner of the stations signs it with an Ed25519 key of
// their own; nothing here trusts the place it was fetched from.
import { toHex } from '../base/bytes.ts'
import { Failure, attempt, must, refuse } from '../base/failure.ts'
import { noteBytesMax, openNote } from '../log/checkpoint.ts'
import type { NoteKey } from '../log/checkpoint.ts'

/** The file's name wherever releases lie. */
export const releaseFile = 'slotwright-release.txt'
export { noteBytesMax as releaseBytesMax }

const firstLine = 'slotwright-release/v1'
const filesMax = 64
const fileBytesMax = 4 * 1024 ** 3

/** How a station was installed, and so what replaces it. */
export type PackageKind = 'deb' | 'tar.gz' | 'AppImage' | 'setup.exe' | 'portable.exe' | 'dmg'
export const packageKinds: readonly PackageKind[] = ['deb', 'tar.gz', 'AppImage', 'setup.exe', 'portable.exe', 'dmg']

const platforms = { deb: 'linux', 'tar.gz': 'linux', AppImage: 'linux', 'setup.exe': 'win32', 'portable.exe': 'win32', dmg: 'darwin' } as const

export type ReleaseFile = Readonly<{ kind: PackageKind; arch: string; name: string; bytes: number; sha256: string }>
/** `version` is MAJOR.MINOR.PATCH, `day` YYYY-MM-DD, `notes` one line for the person who decides. */
export type Release = Readonly<{ version: string; day: string; notes: string; files: readonly ReleaseFile[] }>

const versionPattern = /^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$/
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/** What a package file is, by its name: `slotwright-0.2.0-x64.deb`, `slotwright-0.2.0-x64-setup.exe`; null for others. */
export function packageFileNamed(name: string, version: string): Pick<ReleaseFile, 'kind' | 'arch' | 'name'> | null {
  const begin = `slotwright-${version}-`
  if (!name.startsWith(begin)) return null
  const kind = packageKinds.find((end) => name.endsWith(end.endsWith('.exe') ? `-${end}` : `.${end}`))
  if (kind === undefined) return null
  const arch = name.slice(begin.length, -(kind.length + 1))
  return /^[a-z0-9_]{2,16}$/.test(arch) ? { kind, arch, name } : null
}

/** The text to sign. Kinds: `bad-release` for what no station would read. */
export function releaseText(release: Release): string | Failure {
  const text = [
    firstLine, `version ${release.version}`, `day ${release.day}`, `notes ${release.notes}`,
    ...release.files.map(({ kind, arch, name, bytes, sha256 }) => `file ${kind} ${arch} ${name} ${bytes} ${sha256}`),
  ].map((line) => `${line}\n`).join('')
  const read = parseRelease(text)
  return read instanceof Failure ? read : text
}

const bad = (why: string): never => refuse('bad-release', `The release note does not fit: ${why}. Ask whoever publishes the releases.`)

function parseRelease(text: string): Release | Failure {
  return attempt(() => {
    const [first, version, day, notes, ...files] = text.replace(/\n$/, '').split('\n')
    if (first !== firstLine) bad(`it begins with another word than ${firstLine}`)
    const valueOf = (line: string | undefined, name: string, pattern: RegExp) => {
      const value = line?.startsWith(`${name} `) === true ? line.slice(name.length + 1) : bad(`the line "${name}" is missing`)
      return pattern.test(value) ? value : bad(`its ${name} cannot be read`)
    }
    if (files.length === 0 || files.length > filesMax) bad(`it names ${files.length} files`)
    const read = {
      version: valueOf(version, 'version', versionPattern), day: valueOf(day, 'day', /^\d{4}-\d{2}-\d{2}$/),
      notes: valueOf(notes, 'notes', /^[^\p{Cc}]{0,500}$/u), files: files.map(parseFile),
    }
    if (new Set(read.files.map(({ name }) => name)).size < read.files.length) bad('it names a file twice')
    return read
  })
}

function parseFile(line: string): ReleaseFile {
  const [word, kindText = '', arch = '', name = '', bytesText = '', sha256 = '', ...rest] = line.split(' ')
  const kind = packageKinds.find((one) => one === kindText) ?? bad(`it has the unknown kind of package "${kindText.slice(0, 20)}"`)
  const bytes = /^[1-9][0-9]{0,11}$/.test(bytesText) ? Number(bytesText) : bad('a file has no length')
  if (word !== 'file' || rest.length > 0 || !/^[a-z0-9_]{2,16}$/.test(arch) || !namePattern.test(name) || bytes > fileBytesMax || !/^[0-9a-f]{64}$/.test(sha256)) bad('a file\'s line cannot be read')
  return { kind, arch, name, bytes, sha256 }
}

/**
 * The release that a note holds, signed by this key. Kinds: those of `openNote` (`bad-note`, `not-signed` …) told as
 * `release-not-signed`, `bad-release`.
 */
export function openRelease(note: string, key: NoteKey): Release | Failure {
  const opened = openNote(note, [key])
  if (opened instanceof Failure) {
    return new Failure('release-not-signed', `The release is not signed by the key ${key.name} (${toHex(key.id)}) that this station trusts, so nothing of it was taken. ${opened.says}`)
  }
  return parseRelease(opened.text)
}

/** Positive when `left` is the newer; versions that are none count as the oldest. */
export function compareReleases(left: string, right: string): number {
  const [a, b] = [numbersOf(left), numbersOf(right)]
  for (const [at, number] of a.entries()) if (number !== (b[at] ?? 0)) return number - (b[at] ?? 0)
  return 0
}

function numbersOf(version: string): number[] {
  // A package of the tests carries a longer name behind the numbers.
  return (versionPattern.exec(version.split('-')[0] ?? '') ?? []).slice(1).map(Number)
}

/** The release's file for such an installation. Kinds: `not-newer`, `no-file-for-this`. */
export function fileFor(release: Release, here: Readonly<{ version: string; kind: PackageKind; arch: string }>): ReleaseFile | Failure {
  return attempt(() => {
    must(newer(release, here.version))
    return release.files.find(({ kind, arch }) => kind === here.kind && arch === here.arch)
      ?? refuse('no-file-for-this', `Release ${release.version} has no ${here.kind} for ${platforms[here.kind]} ${here.arch}, which this station was installed from. Ask whoever publishes the releases.`)
  })
}

/** Nothing, or kind `not-newer`: a station never goes back by itself, since an older one might not read its log. */
export function newer(release: Release, running: string): null | Failure {
  if (compareReleases(release.version, running) > 0) return null
  return new Failure('not-newer', `This station runs ${running}; the release is ${release.version}. A station is not taken back to an older version: install that by hand if you must.`)
}
