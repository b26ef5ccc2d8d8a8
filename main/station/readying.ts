// What stands before the first board is asked: the opened file read and judged, the form it is sent in, the unit's data,
// the board profile. A batch begins with it and a preview ends with it, so that the two can never say different things.
import { Failure, failed } from '../base/failure.ts'
import type { CheckedArgsOf } from '../contract/api.ts'
import type { BoardProfile } from '../line/profile.ts'
import { parseTable } from '../line/unit-data.ts'
import type { UnitTable } from '../line/unit-data.ts'
import { practiceProfile } from '../practice/profiles.ts'
import { checkFile, readFile } from './bundled.ts'
import type { ReadFile } from './bundled.ts'
import type { DeskWorld } from './desk.ts'
import type { OpenedFile } from './files.ts'
import type { Occupied } from './fleet.ts'
import { admitter } from './installed.ts'
import { profileNamed } from './profile-calls.ts'
import { asSent } from './sending.ts'
import type { World } from './world.ts'

export type Readied = Readonly<{
  opened: OpenedFile
  /** The images as they go to the boards. */
  sent: ReadFile
  unitTable: UnitTable | null
  /** Hardware type of the boards, by the recipe's or the profile's word. */
  hardware: string | null
  profileFor(board: Occupied): BoardProfile
  /** A package's own word on which boards may have it; left out for anything else. */
  admit?: (board: Occupied) => Failure | null
}>

export type Wanted = Pick<CheckedArgsOf<'startBatch'>, 'file' | 'recipe' | 'unitTable'>

/** Kinds: `file-not-open`, `bad-table`, those of reading and judging an image, of `asSent` and of `findProfile`. */
export async function readied(world: World, { file, recipe, unitTable: table }: Wanted): Promise<Readied | Failure> {
  const { desk } = world
  const opened = desk.files.get(file)
  if (failed(opened)) return opened
  const image = await imageOf(desk, opened)
  if (failed(image)) return image
  const wrong = checkFile(image, recipe)
  if (wrong !== null) return wrong
  const sent = asSent(opened, image, recipe.send)
  if (failed(sent)) return sent
  const unitTable = unitTableOf(desk, table)
  if (failed(unitTable)) return unitTable
  const profile = await profileNamed(world, recipe.profile ?? null)
  if (failed(profile)) return profile
  const known = profile.hardware ?? null
  if (recipe.hardware !== undefined && known !== null && recipe.hardware !== known) return new Failure('hardware-differs', `The recipe says that the boards are hardware ${recipe.hardware}, its board profile "${profile.name}" says ${known}. Correct the one that is wrong.`)
  const hardware = recipe.hardware ?? known
  return {
    opened, sent, unitTable, hardware,
    profileFor: ({ port }) => (port.practice ? { ...profile, slotBytes: practiceProfile.slot1.sizeBytes } : profile),
    ...(opened.package === undefined ? {} : { admit: admitter(world.audit, opened.package, { ...recipe, hardware: hardware ?? undefined }) }),
  }
}

/** Judged with the ring's keys and with public ones whose private half rests elsewhere. */
export async function imageOf(desk: DeskWorld, file: OpenedFile): Promise<ReturnType<typeof readFile>> {
  const [own, known] = await Promise.all([desk.keyring.list(), desk.known?.list() ?? []])
  if (failed(own)) return own
  return failed(known) ? known : readFile(file, [...own, ...known])
}

/** The table of unit data that was opened under that id; null where none was named. Kinds: `file-not-open`, `bad-table`. */
function unitTableOf(desk: DeskWorld, id: string | null): UnitTable | null | Failure {
  if (id === null) return null
  const file = desk.files.get(id)
  if (failed(file)) return file
  try {
    return parseTable(new TextDecoder('utf-8', { fatal: true }).decode(file.bytes))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    return new Failure('bad-table', `"${file.name}" is no UTF-8 text. Save the table as comma-separated UTF-8 text.`)
  }
}
