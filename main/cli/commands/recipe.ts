// `recipe`: the station's own recipes in revisions. A draft is saved as often as one likes; released, it is signed and
// logged, and `provision --recipe NAME` takes it for the files that it names.
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import type { Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import { looksLikePackage } from '../../cms/package.ts'
import type { ArgsOf } from '../../contract/api.ts'
import type { StoredRecipeView } from '../../contract/recipes.ts'
import { inspectImage } from '../../image/inspect.ts'
import { looksLikeZip } from '../../image/update-zip.ts'
import type { Act, Answer, Call } from '../call.ts'
import { readImageFile } from '../image-file.ts'
import { wholeNumber } from '../numbers.ts'
import { isObject, readRecipeFile, withFingerprints } from '../recipe-file.ts'
import { withStation } from '../station-call.ts'
import type { CalledStation } from '../station-call.ts'
import { columns } from '../terminal.ts'

type Body = ArgsOf<'saveRecipe'>['body']
type SaveFlags = Readonly<{ file?: readonly string[]; product?: string; notes?: string }>
type RevisionFlags = Readonly<{ revision?: number }>

const noPorts = { ports: [], keys: [] } as const
const collect = (text: string, before: readonly string[] = []): string[] => [...before, text]
const revisionOption = ['--revision <n>', 'this revision (default: the newest)'] as const
const revisionMax = 1_000_000

export function declare(command: Command, act: Act): void {
  command.command('list').description('all recipes, newest revision first').action(act(list))
  command.command('show').description('one recipe, as `recipe save` takes it').argument('<name>', 'name of the recipe').option(...revisionOption, wholeNumber(1, revisionMax)).action(act<RevisionFlags>(show))
  command.command('save').description('make a recipe, change its draft, or begin its next revision')
    .argument('<json>', 'file with the recipe: name, mode, allowedKeys, … as for provision, or what `recipe show` printed')
    .option('--file <image>', 'image or package that it is for (may be repeated; replaces those of the file)', collect)
    .option('--product <name>', 'what is made by it')
    .option('--notes <text>', 'a word to the operator')
    .action(act<SaveFlags>(save))
  command.command('release').description('sign and log the draft; it then stays as it is').argument('<name>', 'name of the recipe').action(act<object>(release))
  command.command('withdraw').description('let no batch start by a released revision any more').argument('<name>', 'name of the recipe').option(...revisionOption, wholeNumber(1, revisionMax)).action(act<RevisionFlags>(withdraw))
  command.command('verify').description('hold every released revision against its hash, signature and log entry').argument('[name]', 'only this recipe (default: all of them)').action(act<object>(verify))
}

async function list(call: Call): Promise<Answer | Failure> {
  return withRecipes(call, async (_station, recipes) => ({ document: recipes, words: recipes.length === 0 ? 'There are no recipes yet. Save one with: slotwright recipe save FILE.json' : table(call, recipes) }))
}

function table({ paint }: Call, recipes: readonly StoredRecipeView[]): string {
  return columns([
    ['recipe', 'revision', 'state', 'released', 'by', 'files'].map(paint.dim),
    ...recipes.map((one) => [
      paint.bold(one.name), String(one.revision), one.problem !== null ? paint.bad('broken') : one.state === 'released' ? paint.good('released') : one.state, one.releasedAt?.slice(0, 16).replace('T', ' ') ?? '–', one.releasedBy ?? '–',
      one.files.map(({ name, sha256 }) => name || sha256.slice(0, 12)).join(', ') || '–',
    ]),
  ])
}

async function show(call: Call, [name = '']: readonly string[], flags: RevisionFlags): Promise<Answer | Failure> {
  return withRecipes(call, async (_station, recipes) => {
    const found = revisionOf(recipes, name, flags.revision)
    if (failed(found)) return found
    const { recipe, files, product, notes } = found
    return { document: found, words: JSON.stringify({ recipe, files, product, notes }, null, 2) }
  })
}

async function save(call: Call, [path = '']: readonly string[], flags: SaveFlags): Promise<Answer | Failure> {
  const value = await readRecipeFile(path)
  if (failed(value)) return value
  // What `recipe show` printed has the recipe in a field; one for `provision` is the recipe itself.
  const shown = 'recipe' in value && isObject(value['recipe']) ? value['recipe'] : null
  const recipe = await withFingerprints(call, shown ?? value)
  if (failed(recipe)) return recipe
  const read: Body = shown === null ? { recipe } : { ...value, recipe }
  const files: NonNullable<Body['files']> = []
  for (const file of flags.file ?? []) {
    const named = await fileOf(file)
    if (failed(named)) return named
    files.push(named)
  }
  const body: Body = { ...read, ...(files.length === 0 ? {} : { files }), ...(flags.product === undefined ? {} : { product: flags.product }), ...(flags.notes === undefined ? {} : { notes: flags.notes }) }
  return withRecipes(call, async (station, recipes) => {
    const there = recipes.find((one) => sameName(one.name, body.recipe.name ?? 'Default'))
    const saved = await station.saveRecipe({ id: there?.id ?? null, body })
    return failed(saved) ? saved : { document: saved, words: `"${saved.name}", revision ${saved.revision}, is a draft for ${saved.files.length === 0 ? 'no file yet' : saved.files.map((one) => one.name).join(', ')}. Release it with: slotwright recipe release "${saved.name}"` }
  })
}

/** A file as a recipe names it; the version is an image's own. */
async function fileOf(path: string): Promise<{ sha256: string; name: string; version: string } | Failure> {
  const bytes = await readImageFile(path)
  if (failed(bytes)) return bytes
  const report = inspectImage(bytes)
  // Found out here, not by the operator who wants to start it.
  if (failed(report) && !looksLikePackage(bytes) && !looksLikeZip(bytes)) return new Failure(report.kind, `${path}: ${report.says}`, report.facts)
  return { sha256: createHash('sha256').update(bytes).digest('hex'), name: basename(path).slice(0, 200), version: failed(report) ? '' : report.version }
}

async function release(call: Call, [name = '']: readonly string[]): Promise<Answer | Failure> {
  return withRecipes(call, async (station, recipes) => {
    const found = revisionOf(recipes, name)
    if (failed(found)) return found
    const released = await station.releaseRecipe({ id: found.id })
    return failed(released) ? released : { document: released, words: `"${released.name}", revision ${released.revision}, is released: ${released.sha256}, log entry ${released.entry}.` }
  })
}

async function withdraw(call: Call, [name = '']: readonly string[], flags: RevisionFlags): Promise<Answer | Failure> {
  return withRecipes(call, async (station, recipes) => {
    const found = revisionOf(recipes.filter((one) => one.state !== 'draft'), name, flags.revision)
    if (failed(found)) return found
    const gone = await station.withdrawRecipe({ id: found.id, revision: found.revision })
    return failed(gone) ? gone : { document: gone, words: `"${gone.name}", revision ${gone.revision}, is withdrawn.` }
  })
}

async function verify(call: Call, [name]: readonly string[]): Promise<Answer | Failure> {
  return withRecipes(call, async (_station, recipes) => {
    const released = recipes.filter((one) => one.state !== 'draft' && (name === undefined || sameName(one.name, name)))
    if (name !== undefined && released.length === 0) return new Failure('no-such-recipe', `No revision of "${name.slice(0, 120)}" was released. See: slotwright recipe list`)
    const broken = released.filter((one) => one.problem !== null)
    const words = released.map((one) => `${one.problem === null ? call.paint.good('holds') : call.paint.bad('broken')}  ${one.name}, revision ${one.revision}${one.problem === null ? '' : `: ${one.problem.says}`}`)
    return { document: { recipes: released, holds: broken.length === 0 }, words: words.length === 0 ? 'Nothing was released yet.' : words.join('\n'), good: broken.length === 0 }
  })
}

async function withRecipes(call: Call, work: (station: CalledStation, recipes: readonly StoredRecipeView[]) => Promise<Answer | Failure>): Promise<Answer | Failure> {
  return withStation(call, noPorts, async (station) => {
    const recipes = await station.listRecipes({})
    return failed(recipes) ? recipes : work(station, recipes)
  })
}

/** Rows come newest revision first. */
function revisionOf(recipes: readonly StoredRecipeView[], name: string, revision?: number): StoredRecipeView | Failure {
  const found = recipes.find((one) => sameName(one.name, name) && (revision === undefined || one.revision === revision))
  return found ?? new Failure('no-such-recipe', `There is no ${revision === undefined ? 'recipe' : `revision ${revision} of a recipe`} called "${name.slice(0, 120)}". See: slotwright recipe list`)
}

const sameName = (a: string, b: string): boolean => a.trim().toLowerCase() === b.trim().toLowerCase()
