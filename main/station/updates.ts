// The station's own updates: a signed release note in a folder or at an address of the owner's choice, read when a person
// asks (or at a start, where the owner wants that), fetched when they ask, and put in place when they ask once more, never
// while a batch runs. What is put in place is the very file that the note names. Off until a source and a key are set.
import { execFile } from 'node:child_process'
import { chmod, copyFile, mkdtemp, open, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { said } from '../base/said.ts'
import { updateSettings } from '../contract/update-view.ts'
import type { UpdateSettings, UpdateView } from '../contract/update-view.ts'
import { parseNoteKey } from '../log/checkpoint.ts'
import { fileFor, newer, openRelease } from '../release/manifest.ts'
import type { Release, ReleaseFile } from '../release/manifest.ts'
import type { OpenDatabase } from '../store/database.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { Installed } from './installation.ts'
import type { Logbook } from './logbook.ts'
import { fetchReleaseFile, folderOfUpdates, isWhole, readReleaseNote } from './release-source.ts'

const run = promisify(execFile)
const settingName = 'updates'
const off: UpdateSettings = { source: null, key: null, atStart: false }
const tellEveryMs = 200
const unpackTimeoutMs = 120_000

export type UpdateWorld = Readonly<{
  home: string
  version: string
  installed: Installed | null
  database: OpenDatabase
  log: Logbook
  clock: Clock
  batchRuns(): boolean
  onChange(view: UpdateView): void
}>

type Found = Readonly<{ release: Release; file: ReleaseFile }>

export class Updates {
  readonly #world: UpdateWorld
  #settings: UpdateSettings
  #state: UpdateView['state']
  #found: Found | null = null
  #release: Release | null = null
  #fetchedBytes = 0
  #fetched: string | null = null
  #todo: UpdateView['todo'] = null
  #toldAtMs = -Infinity
  /** One thing at a time. */
  #busy = false

  constructor(world: UpdateWorld, settings: UpdateSettings) {
    this.#world = world
    this.#settings = settings
    this.#state = settings.source === null || settings.key === null ? 'off' : 'unknown'
  }

  /** Reads the settings; what does not fit counts as off. */
  static open(world: UpdateWorld): Updates | Failure {
    const settings = readSetting<UpdateSettings>(world.database, settingName, updateSettings, off)
    return failed(settings) ? settings : new Updates(world, settings)
  }

  view(): UpdateView {
    const { version, installed } = this.#world
    const release = this.#release === null ? null : { version: this.#release.version, day: this.#release.day, notes: this.#release.notes, bytes: this.#found?.file.bytes ?? 0 }
    return { ...this.#settings, running: version, installed: installed?.kind ?? null, state: this.#state, release, fetchedBytes: this.#fetchedBytes, todo: this.#todo }
  }

  /** Kinds: `bad-note-key`, the disk's. The change is in the log before it counts. */
  set(wanted: UpdateSettings): UpdateView | Failure {
    if (this.#busy) return busy()
    const key = wanted.key === null ? null : parseNoteKey(wanted.key)
    if (failed(key)) return new Failure(key.kind, 'The publisher\'s key is name+id+base64, in one piece, as "slotwright update make" prints it. Copy it again.')
    for (const name of ['source', 'key', 'atStart'] as const) {
      if (wanted[name] === this.#settings[name]) continue
      const noted = this.#world.log.recordAct({ kind: 'settings', data: { name: `updates.${name}`, before: `${this.#settings[name] ?? 'none'}`, after: `${wanted[name] ?? 'none'}` } }, 'administrator')
      if (failed(noted)) return noted
    }
    const written = writeSetting(this.#world.database, settingName, wanted)
    if (failed(written)) return written
    this.#settings = wanted
    this.#forget(wanted.source === null || wanted.key === null ? 'off' : 'unknown')
    return this.#tell()
  }

  /** Looks for a newer release. Kinds: `updates-off`, `no-release-source`, `release-not-signed`, `bad-release`, `no-file-for-this`, `not-installed`. */
  check(): Promise<UpdateView | Failure> {
    return this.#alone(async ({ source, key }) => {
      this.#forget('checking')
      this.#tell()
      const note = await readReleaseNote(source, this.#world.clock)
      const trusted = parseNoteKey(key)
      const release = failed(note) ? note : failed(trusted) ? trusted : openRelease(note, trusted)
      if (failed(release)) return this.#failed(release)
      this.#release = release
      if (failed(newer(release, this.#world.version) ?? null)) {
        this.#state = 'current'
        return this.#tell()
      }
      const { installed } = this.#world
      if (installed === null) return this.#failed(new Failure('not-installed', `Release ${release.version} is there, but this station runs from its sources. Update those, or install a package.`))
      const file = fileFor(release, { version: this.#world.version, kind: installed.kind, arch: installed.arch })
      if (failed(file)) return this.#failed(file)
      this.#found = { release, file }
      this.#state = 'newer'
      return this.#tell()
    })
  }

  /** Fetches what `check` found. Kinds besides: `nothing-newer`, `wrong-file`, `cannot-keep-release`. */
  fetch(): Promise<UpdateView | Failure> {
    return this.#alone(async ({ source }) => {
      const found = this.#found
      if (found === null) return new Failure('nothing-newer', 'There is nothing to fetch. Look for a newer version first.')
      this.#state = 'fetching'
      const path = await fetchReleaseFile(source, found.file, folderOfUpdates(this.#world.home), (bytes) => {
        this.#fetchedBytes = bytes
        if (this.#world.clock.monotonicMs() - this.#toldAtMs >= tellEveryMs) this.#tell()
      }, this.#world.clock)
      if (failed(path)) return this.#failed(path)
      const { version } = found.release
      const noted = this.#world.log.recordAct({ kind: 'update-fetched', data: { version, file: found.file.name, fileSha256: found.file.sha256, source: source.slice(0, 200) } }, 'administrator')
      if (failed(noted)) return noted
      this.#fetched = path
      this.#fetchedBytes = found.file.bytes
      this.#state = 'fetched'
      return this.#tell()
    })
  }

  /** Puts it in place, or says what the person does for that. Kinds besides: `batch-runs`, `nothing-fetched`, `cannot-replace`. */
  apply(): Promise<UpdateView | Failure> {
    return this.#alone(async () => {
      const [found, path, { installed, log }] = [this.#found, this.#fetched, this.#world]
      if (this.#world.batchRuns()) return new Failure('batch-runs', 'A batch runs. Let it end or stop it, then update.')
      if (found === null || path === null || installed === null) return new Failure('nothing-fetched', 'There is nothing to put in place. Fetch the newer version first.')
      // The file has lain on a disk that others may write to.
      if (!(await isWhole(path, found.file))) return this.#failed(new Failure('wrong-file', `${path} is not what was fetched any more. Fetch it again.`))
      const todo = await putInPlace(path, found, installed)
      if (failed(todo)) return this.#failed(todo)
      const noted = log.recordAct({ kind: 'update-applied', data: { version: found.release.version, file: found.file.name, fileSha256: found.file.sha256, how: installed.kind } }, 'administrator')
      if (failed(noted)) return noted
      this.#todo = todo
      this.#state = 'applied'
      return this.#tell()
    })
  }

  async #alone(work: (set: { source: string; key: string }) => Promise<UpdateView | Failure>): Promise<UpdateView | Failure> {
    const { source, key } = this.#settings
    if (source === null || key === null) return new Failure('updates-off', 'Updates are off. Set where releases lie and the publisher\'s key.')
    if (this.#busy) return busy()
    this.#busy = true
    try {
      return await work({ source, key })
    } finally {
      this.#busy = false
    }
  }

  /** A release that was not taken is worth an entry: somebody may have meddled with it. */
  #failed(failure: Failure): Failure {
    if (this.#state === 'checking') this.#state = 'unknown'
    if (this.#state === 'fetching') this.#state = 'newer'
    this.#tell()
    return this.#world.log.refuse('take an update', failure)
  }

  #forget(state: UpdateView['state']): void {
    this.#state = state
    this.#found = null
    this.#release = null
    this.#fetched = null
    this.#fetchedBytes = 0
    this.#todo = null
  }

  #tell(): UpdateView {
    this.#toldAtMs = this.#world.clock.monotonicMs()
    const view = this.view()
    this.#world.onChange(view)
    return view
  }
}

function busy(): Failure {
  return new Failure('update-busy', 'An update is being looked for, fetched or put in place already. Wait until that is done.')
}

/** What each kind of installation can do by itself, and what is left to the person. */
async function putInPlace(path: string, { release, file }: Found, installed: Installed): Promise<UpdateView['todo'] | Failure> {
  try {
    switch (installed.kind) {
      case 'AppImage': {
        await replaceFile(path, installed.at)
        return { ...said('update-in-place', `Version ${release.version} is in place. Close the station and start it again.`, { version: release.version }), file: null, command: null }
      }
      case 'tar.gz': {
        const folder = await unpackBeside(path, installed.at, release.version)
        if (failed(folder)) return folder
        return { ...said('update-beside', `Version ${release.version} lies in ${folder}, beside this one. Close the station and start it from there; home and log are the same.`, { version: release.version, folder }), file: null, command: join(folder, 'slotwright-station') }
      }
      case 'deb': return { ...said('update-to-install', 'Close the station, then have the package installed; that needs the administrator of this computer.'), file: null, command: `sudo apt install '${path.replaceAll("'", "'\\''")}'` }
      case 'portable.exe': return { ...said('update-own-program', `Version ${release.version} is a program of its own. Close the station and use it in place of this one.`, { version: release.version }), file: dirname(path), command: null }
      case 'setup.exe': case 'dmg': return { ...said('update-installer', 'The installer opens. Close the station before you go through with it.'), file: path, command: null }
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'it did not work'
    return new Failure('cannot-replace', `${file.name} cannot be put in the place of ${installed.at}: ${code}. Have the folder's permissions changed, or install ${path} by hand.`)
  }
}

/** All of the new program or all of the old one, whatever happens in between. */
async function replaceFile(path: string, place: string): Promise<void> {
  const beside = join(dirname(place), `.${basename(place)}.new`)
  try {
    await copyFile(path, beside)
    await chmod(beside, 0o755)
    const handle = await open(beside, 'r+')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(beside, place)
  } finally {
    await rm(beside, { force: true })
  }
}

async function unpackBeside(path: string, programFolder: string, version: string): Promise<string | Failure> {
  const around = dirname(programFolder)
  const folder = join(around, `slotwright-${version}`)
  // Nobody knows any more whose doing that folder is, so it is neither believed nor written over.
  if (await stat(folder).then(() => true, () => false)) {
    return new Failure('cannot-replace', `${folder} is there already. If an earlier update put it there, close this station and start that one; else move the folder away and update again.`)
  }
  const staging = await mkdtemp(join(around, '.slotwright-new-'))
  try {
    await run('tar', ['--extract', '--gzip', '--file', path, '--directory', staging], { timeout: unpackTimeoutMs })
    await rename(join(staging, `slotwright-${version}`), folder)
    return folder
  } finally {
    await rm(staging, { recursive: true, force: true })
  }
}
