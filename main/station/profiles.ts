// Board profiles: those that come with the program, and the station's own in the home's `profiles` folder, one JSON file
// each, so that they can be copied to the next station. An own one of the same name counts before a built-in one. Files
// are parsed as strictly as anything from outside.
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Failure, failed } from '../base/failure.ts'
import { boardProfile, profileName } from '../contract/board-profile.ts'
import type { BoardProfileView } from '../contract/board-profile.ts'
import type { BoardView } from '../contract/views.ts'
import { commonProfile } from '../line/profile.ts'
import type { BoardProfile } from '../line/profile.ts'
import esp32 from '../../resources/profiles/esp32.json'
import nrf52840 from '../../resources/profiles/nrf52840.json'
import nrf5340 from '../../resources/profiles/nrf5340.json'
import nrf54l15 from '../../resources/profiles/nrf54l15.json'
import rawUart from '../../resources/profiles/raw-uart.json'
import recoveryCatch from '../../resources/profiles/recovery-catch.json'
import recoveryLines from '../../resources/profiles/recovery-lines.json'
import rp2040 from '../../resources/profiles/rp2040.json'
import stm32f4 from '../../resources/profiles/stm32f4.json'
import stm32h7 from '../../resources/profiles/stm32h7.json'
import stm32l4 from '../../resources/profiles/stm32l4.json'

const fileBytesMax = 64 * 1024
const profilesMax = 500

/** Bundled with the program, so that they are there wherever it runs. */
const builtIn: readonly BoardProfileView[] = [commonProfile, nrf52840, nrf5340, nrf54l15, stm32l4, stm32f4, stm32h7, esp32, rp2040, rawUart, recoveryCatch, recoveryLines]
  .map((profile) => ({ ...boardProfile.parse(profile), from: 'built-in' }))

export function profilesFolderOf(home: string): string {
  return join(home, 'profiles')
}

/** All profiles by name, own ones in the place of built-in ones. Kinds: `bad-profile`, which names the file, `cannot-read`. */
export async function listProfiles(home: string): Promise<BoardProfileView[] | Failure> {
  const own = await ownProfiles(home)
  if (failed(own)) return own
  const names = new Set(own.map(({ name }) => name))
  return [...builtIn.filter(({ name }) => !names.has(name)), ...own].sort((a, b) => a.name.localeCompare(b.name, 'en'))
}

/** The profile of that name; null means the common one. Kinds: `no-such-profile`, `bad-profile`, `cannot-read`. */
export async function findProfile(home: string, name: string | null): Promise<BoardProfile | Failure> {
  if (name === null) return commonProfile
  const profiles = await listProfiles(home)
  if (failed(profiles)) return profiles
  const found = profiles.find((profile) => profile.name === name)
  return found ?? new Failure('no-such-profile', `There is no board profile "${name}". There are: ${profiles.map((profile) => profile.name).join(', ')}.`)
}

/** Keeps a profile in the home, over an own one of that name. Kinds: `cannot-write`, `too-many-profiles`. */
export async function saveProfile(home: string, profile: BoardProfile): Promise<BoardProfileView | Failure> {
  const own = await ownProfiles(home)
  if (failed(own)) return own
  if (own.length >= profilesMax && !own.some(({ name }) => name === profile.name)) return new Failure('too-many-profiles', `The station keeps at most ${profilesMax} board profiles. Remove one first.`)
  const folder = profilesFolderOf(home)
  const file = join(folder, `${profile.name}.json`)
  const kept = boardProfile.parse(profile)
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(`${file}.new`, `${JSON.stringify(kept, null, 2)}\n`)
    await rename(`${file}.new`, file)
  } catch (error) {
    return new Failure('cannot-write', `${file} cannot be written (${(error as Error).message}). Check the permissions of the station's home.`, { path: file })
  }
  return { ...kept, from: 'station' }
}

/** Takes an own profile away; a built-in one of that name counts again. Kinds: `no-such-profile`, `cannot-write`. */
export async function removeProfile(home: string, name: string): Promise<void | Failure> {
  const path = join(profilesFolderOf(home), `${name}.json`)
  if (!(await stat(path).then(() => true, () => false))) return new Failure('no-such-profile', `"${name}" is no board profile of this station's own, so it cannot be removed.`)
  await rm(path, { force: true })
}

/** What a board's own answers make of a profile: its flash where it tells it, the rest from the one it was asked with. */
export function profileFrom(board: BoardView, name: string, asked: BoardProfile): BoardProfile {
  const slot = board.slots.find(({ image, bytes }) => image === 0 && bytes !== null)
  const { from: _from, ...rest } = { from: null, ...asked }
  return {
    ...rest, name,
    says: `Asked of ${board.board ?? 'a board'}${board.bootloader === null ? '' : `, ${board.bootloader}`}${board.mode === null ? '' : `, ${board.mode}`}.`,
    slotBytes: slot?.bytes ?? asked.slotBytes,
    framing: board.framing ?? asked.framing,
    bufferBytes: board.bufferBytes ?? asked.bufferBytes,
    bufferCount: board.bufferCount ?? asked.bufferCount,
  }
}

/** A profile out of a file that somebody names. Kinds: `cannot-read`, `bad-profile`. */
export async function readProfile(path: string): Promise<BoardProfile | Failure> {
  let text: string
  try {
    if ((await stat(path)).size > fileBytesMax) return badProfile(path, 'it is larger than 64 KiB')
    text = await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return new Failure('cannot-read', `${path} cannot be read: there is no such file. Check the name and the folder.`, { path })
    return new Failure('cannot-read', `${path} cannot be read (${(error as Error).message}).`, { path })
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return badProfile(path, 'it is no JSON')
  }
  const parsed = boardProfile.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  return badProfile(path, issue === undefined ? 'its fields are not those of a profile' : `${issue.path.join('.') || 'the whole'}: ${issue.message}`)
}

async function ownProfiles(home: string): Promise<BoardProfileView[] | Failure> {
  const names = await readdir(profilesFolderOf(home)).catch(() => [])
  const own: BoardProfileView[] = []
  for (const file of names.filter((each) => each.endsWith('.json')).slice(0, profilesMax)) {
    const profile = await readProfile(join(profilesFolderOf(home), file))
    if (failed(profile)) return profile
    if (`${profile.name}.json` !== file) return badProfile(file, `it names itself "${profile.name}"; name the file ${profile.name}.json`)
    own.push({ ...boardProfile.parse(profile), from: 'station' })
  }
  return own
}

function badProfile(path: string, what: string): Failure<'bad-profile'> {
  return new Failure('bad-profile', `The board profile ${basename(path)} cannot be used: ${what}.`, { path })
}

/** A name, or a file where it looks like one. Kinds: those of `findProfile` and `readProfile`. */
export function namedProfile(home: string, text: string): Promise<BoardProfile | Failure> {
  return profileName.safeParse(text).success ? findProfile(home, text) : readProfile(text)
}
