// Recipes in revisions: draft, released, withdrawn. A release puts the revision's canonical bytes into the log with their
// hash and the log key's signature (Ed25519); at every start the bytes are held against both, so that a recipe changed in
// the database starts nothing. What is hashed is the text as it was released: a later version's new defaults change no old recipe.
import { createHash, createPublicKey, randomBytes, verify } from 'node:crypto'
import { z } from 'zod'
import { utf8 } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import { recipeBody } from '../contract/api.ts'
import type { CheckedArgsOf, RecipeBody } from '../contract/api.ts'
import type { StoredRecipeView } from '../contract/recipes.ts'
import { canonicalText } from '../log/canonical.ts'
import { ed25519SpkiPrefix, keysOf } from '../log/checkpoint.ts'
import { readLogPublicKey } from '../store/checkpoints.ts'
import { deleteDraft, listRecipes, markReleased, recipesMax, saveRecipe } from '../store/recipes.ts'
import type { StoredRecipe } from '../store/recipes.ts'
import { fromJson } from '../store/settings.ts'
import { text as textOf } from './history.ts'
import type { Logbook } from './logbook.ts'
import { failureView } from './views.ts'

const textMax = 200_000
/** Longer ones are in the log by their hash alone. */
const loggedMax = 16_000
/** What the signature covers begins with these words, so that it is never taken for one over anything else. */
const signedAs = 'slotwright recipe release v1\n'

const keptSchema = z.strictObject({
  version: z.literal(1),
  recipe: z.string().max(64),
  /** Canonical text of `said`. */
  text: z.string().max(textMax),
  release: z.strictObject({ at: z.string().max(40), by: z.string().max(200), entry: z.number().int().min(0), sha256: z.string().max(64), signature: z.string().max(200) }).nullable(),
  withdrawnAt: z.string().max(40).nullable(),
})
const said = z.strictObject({ v: z.literal(1), recipe: z.string(), revision: z.number().int(), body: recipeBody })

type Kept = z.output<typeof keptSchema>
type Revision = Readonly<{ row: StoredRecipe<Kept>; body: RecipeBody }>

export type RecipeWorld = Readonly<{ log: Logbook; clock: Clock; changed(): void }>

const rowId = (id: string, revision: number) => `${id}.${revision}`
const sha256 = (text: string) => createHash('sha256').update(text, 'utf8').digest('hex')

function revisions({ log }: RecipeWorld): Revision[] | Failure {
  const listed = listRecipes(log.audit.database, keptSchema)
  if (failed(listed)) return listed
  return listed.recipes.flatMap((row) => {
    const parsed = said.safeParse(fromJson(row.body.text))
    return parsed.success ? [{ row, body: parsed.data.body }] : []
  })
}

function revisionsOf(world: RecipeWorld, id: string): Revision[] | Failure {
  const all = revisions(world)
  return failed(all) ? all : all.filter(({ row }) => row.body.recipe === id).sort((a, b) => a.row.revision - b.row.revision)
}

/** Every revision, by name, newest first. */
export function listAllRecipes(world: RecipeWorld): StoredRecipeView[] | Failure {
  const all = revisions(world)
  if (failed(all)) return all
  return all.map((revision) => viewOf(world, revision)).sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id) || b.revision - a.revision)
}

/** Kinds: `no-such-recipe`, `name-taken`, `not-canonical`, `too-many-recipes`, those of the disk. */
export function keepDraft(world: RecipeWorld, { id: named, body }: CheckedArgsOf<'saveRecipe'>): StoredRecipeView | Failure {
  const all = revisions(world)
  if (failed(all)) return all
  const own = all.filter(({ row }) => row.body.recipe === named)
  if (named !== null && own.length === 0) return new Failure('no-such-recipe', 'There is no such recipe any more. Save it as a new one.')
  const { name } = body.recipe
  if (all.some(({ row, body: other }) => row.body.recipe !== named && row.body.withdrawnAt === null && sameName(other.recipe.name, name))) return new Failure('name-taken', `There is another recipe called "${name}". Choose another name.`)
  if (all.length >= recipesMax) return new Failure('too-many-recipes', `A station keeps at most ${recipesMax} revisions of recipes.`)
  const id = named ?? `r${randomBytes(6).toString('hex')}`
  const newest = own.reduce((most, { row }) => Math.max(most, row.revision), 0)
  const draft = own.find(({ row }) => !row.released)
  const revision = draft?.row.revision ?? newest + 1
  const text = canonicalText({ v: 1, recipe: id, revision, body })
  if (failed(text)) return text
  if (text.length > textMax) return new Failure('recipe-too-long', 'The recipe is too long to be kept.')
  const kept: Kept = { version: 1, recipe: id, text, release: null, withdrawnAt: null }
  return keep(world, { row: { id: rowId(id, revision), name, revision, released: false, body: kept }, body })
}

function keep(world: RecipeWorld, revision: Revision): StoredRecipeView | Failure {
  const written = saveRecipe(world.log.audit.database, revision.row)
  if (failed(written)) return written
  world.changed()
  return viewOf(world, revision)
}

export function dropDraft(world: RecipeWorld, id: string): StoredRecipeView[] | Failure {
  const own = revisionsOf(world, id)
  if (failed(own)) return own
  const draft = own.find(({ row }) => !row.released)
  if (draft === undefined) return new Failure('no-such-recipe', 'This recipe has no draft.')
  const gone = deleteDraft(world.log.audit.database, draft.row.id)
  if (failed(gone)) return gone
  world.changed()
  return listAllRecipes(world)
}

/** Signs and logs the draft. Kinds: `no-such-recipe`, `names-no-file`, those of the log's key, the log and the disk. */
export async function release(world: RecipeWorld, id: string): Promise<StoredRecipeView | Failure> {
  const { log, clock } = world
  const own = revisionsOf(world, id)
  if (failed(own)) return own
  const draft = own.find(({ row }) => !row.released)
  if (draft === undefined) return log.refuse('release a recipe', new Failure('no-such-recipe', 'This recipe has no draft to release. Change it first.'))
  const { name, revision } = draft.row
  if (draft.body.files.length === 0) return log.refuse('release a recipe', new Failure('names-no-file', `"${name}" names no image or package. Add the files that it is for: operators start it with those only.`))
  const signer = log.audit.logSigner()
  if (failed(signer)) return signer
  const { text } = draft.row.body
  const hash = sha256(text)
  const signed = await signer.sign({ message: utf8(signedAs + text) })
  if (failed(signed)) return signed
  const signature = Buffer.from(signed).toString('base64')
  const entry = log.recordAct({ kind: 'recipe-released', data: { recipe: id, name: name.slice(0, 200), revision, recipeSha256: hash, ...(text.length <= loggedMax ? { content: text } : {}), signature } }, 'engineer')
  if (failed(entry)) return entry
  const by = log.person
  const body: Kept = { ...draft.row.body, release: { at: new Date(clock.wallMs()).toISOString(), by, entry, sha256: hash, signature } }
  return keep(world, { ...draft, row: { ...draft.row, released: true, body } })
}

/** Kinds: `no-such-recipe`, those of the log and the disk. */
export function withdraw(world: RecipeWorld, { id, revision: wanted }: CheckedArgsOf<'withdrawRecipe'>): StoredRecipeView | Failure {
  const own = revisionsOf(world, id)
  if (failed(own)) return own
  const found = own.find(({ row }) => row.released && row.revision === wanted)
  const made = found?.row.body.release ?? null
  if (found === undefined || made === null) return new Failure('no-such-recipe', 'There is no such released revision.')
  if (found.row.body.withdrawnAt !== null) return viewOf(world, found)
  const noted = world.log.recordAct({ kind: 'recipe-withdrawn', data: { recipe: id, name: found.row.name.slice(0, 200), revision: wanted, recipeSha256: made.sha256 } }, 'engineer')
  if (failed(noted)) return noted
  const body: Kept = { ...found.row.body, withdrawnAt: new Date(world.clock.wallMs()).toISOString() }
  const written = markReleased(world.log.audit.database, found.row.id, body)
  if (failed(written)) return written
  world.changed()
  return viewOf(world, { ...found, row: { ...found.row, body } })
}

export type Startable = Readonly<{ id: string; revision: number; body: RecipeBody }>

/**
 * The newest released revision, checked, for a file with this hash. Kinds: `no-such-recipe`, `recipe-not-released`,
 * `recipe-broken`, `file-not-in-recipe`.
 */
export function startable(world: RecipeWorld, id: string, file: Readonly<{ name: string; sha256: string }>): Startable | Failure {
  const own = revisionsOf(world, id)
  if (failed(own)) return own
  if (own.length === 0) return new Failure('no-such-recipe', 'There is no such recipe any more. Choose another one.')
  const found = own.findLast(({ row }) => row.released && row.body.withdrawnAt === null)
  if (found === undefined) return new Failure('recipe-not-released', `"${own.at(-1)?.row.name ?? ''}" is not released${own.some(({ row }) => row.released) ? ' any more' : ''}. An engineer can release it.`)
  const problem = problemOf(world, found)
  if (problem !== null) return problem
  if (!found.body.files.some(({ sha256: named }) => named === file.sha256)) {
    return new Failure('file-not-in-recipe', `The recipe "${found.row.name}" does not name the file "${file.name}" with the contents it has now. Take one of: ${found.body.files.map(({ name, sha256: hash }) => `${name === '' ? 'a file' : name} (${hash.slice(0, 12)}…)`).join(', ').slice(0, 500)}.`, { sha256: file.sha256 })
  }
  return { id, revision: found.row.revision, body: found.body }
}

/** Why a released revision may not be used (`recipe-broken`); null when hash, signature and log say the same. */
function problemOf({ log }: RecipeWorld, { row }: Revision): Failure | null {
  const { release: released, text, recipe } = row.body
  if (released === null) return row.released ? broken(row.name, 'it has no release') : null
  if (row.id !== rowId(recipe, row.revision) || !saysOf(text, recipe, row.revision)) return broken(row.name, 'it lies in another\'s place')
  if (sha256(text) !== released.sha256) return broken(row.name, 'its contents are not what was released')
  const known = readLogPublicKey(log.audit.database.folder)
  if (known === null || failed(known)) return broken(row.name, 'this log has no key that could have released it')
  // A log's key may have handed over since: any of them released recipes.
  const keys = keysOf(known).map(({ key }) => createPublicKey({ key: Buffer.concat([ed25519SpkiPrefix, key.publicKey]), format: 'der', type: 'spki' }))
  if (!keys.some((key) => verify(null, utf8(signedAs + text), key, Buffer.from(released.signature, 'base64')))) return broken(row.name, 'its signature is not this station\'s')
  const entry = log.audit.get(released.entry)
  if (entry === null || failed(entry) || failed(entry.entry) || entry.entry.kind !== 'recipe-released' || textOf(entry.entry, 'recipeSha256') !== released.sha256) return broken(row.name, 'the log does not know its release')
  return null
}

const broken = (name: string, why: string) => new Failure('recipe-broken', `The recipe "${name}" cannot be used: ${why}. Have an engineer look at it and release it again.`)

function saysOf(text: string, recipe: string, revision: number): boolean {
  const parsed = said.safeParse(fromJson(text))
  return parsed.success && parsed.data.recipe === recipe && parsed.data.revision === revision
}

function viewOf(world: RecipeWorld, revision: Revision): StoredRecipeView {
  const { row, body } = revision
  const { release: released, withdrawnAt, recipe, text } = row.body
  const problem = row.released ? problemOf(world, revision) : null
  return {
    id: recipe, name: row.name, revision: row.revision, state: withdrawnAt !== null ? 'withdrawn' : row.released ? 'released' : 'draft',
    recipe: body.recipe, files: body.files, product: body.product, notes: body.notes, sha256: sha256(text),
    releasedAt: released?.at ?? null, releasedBy: released?.by ?? null, entry: released?.entry ?? null, withdrawnAt,
    problem: problem === null ? null : failureView(problem),
  }
}

function sameName(a: string, b: string): boolean {
  const read = (name: string) => name.normalize('NFKC').trim().toLowerCase()
  return read(a) === read(b)
}
