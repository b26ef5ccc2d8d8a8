// Revisions of recipes by id. One is edited freely until it is released; from then on it stays as it is, and a change means
// the next revision. What a revision says is the caller's schema; here it is a JSON body.
import type { z } from 'zod'
import { Failure } from '../base/failure.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'
import { fromJson } from './settings.ts'

export type StoredRecipe<T> = Readonly<{ id: string; name: string; revision: number; released: boolean; body: T }>

type Row = { id: string; name: string; revision: number; released: number; body: string }

/** Revisions kept at one station. */
export const recipesMax = 5_000

/** All revisions whose body fits the schema, by name and revision; the others are counted in `unreadable`. */
export function listRecipes<T>(database: OpenDatabase, schema: z.ZodType<T>): { recipes: StoredRecipe<T>[]; unreadable: number } | Failure {
  try {
    const rows = database.sql.prepare('SELECT id, name, revision, released, body FROM recipes ORDER BY name, revision LIMIT ?').all(recipesMax) as Row[]
    const recipes = rows.flatMap(({ body, released, ...row }) => {
      const parsed = schema.safeParse(fromJson(body))
      return parsed.success ? [{ ...row, released: released === 1, body: parsed.data }] : []
    })
    return { recipes, unreadable: rows.length - recipes.length }
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

/** Writes a revision, over the one with its id unless that was released (`recipe-released`). */
export function saveRecipe<T>(database: OpenDatabase, recipe: StoredRecipe<T>): void | Failure {
  const { id, name, revision, released, body } = recipe
  return change(database, () => {
    const written = database.sql
      .prepare(
        `INSERT INTO recipes (id, name, revision, released, body) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, revision = excluded.revision, released = excluded.released, body = excluded.body
         WHERE recipes.released = 0`,
      )
      .run(id, name, revision, released ? 1 : 0, JSON.stringify(body))
    return written.changes > 0 ? undefined : new Failure('recipe-released', `The recipe ${name} is released and stays as it is. Save the change as a new revision.`)
  })
}

/** Marks what lies around a released revision (that it was withdrawn); what was signed is the caller's to leave alone. */
export function markReleased<T>(database: OpenDatabase, id: string, body: T): void | Failure {
  return change(database, () => {
    const written = database.sql.prepare('UPDATE recipes SET body = ? WHERE id = ? AND released = 1').run(JSON.stringify(body), id)
    return written.changes > 0 ? undefined : new Failure('no-such-recipe', 'There is no such released recipe.')
  })
}

/** Throws a draft away. Fails with `no-such-recipe` where there is none. */
export function deleteDraft(database: OpenDatabase, id: string): void | Failure {
  return change(database, () => {
    const gone = database.sql.prepare('DELETE FROM recipes WHERE id = ? AND released = 0').run(id)
    return gone.changes > 0 ? undefined : new Failure('no-such-recipe', 'There is no such draft.')
  })
}

function change(database: OpenDatabase, work: () => void | Failure): void | Failure {
  try {
    return work()
  } catch (error) {
    return diskFailure(error, database.path)
  }
}
