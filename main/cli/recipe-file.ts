// Recipes in files, as `provision --recipe` and `recipe save` take them: one JSON object. People name keys as the ring does;
// a recipe holds fingerprints, so that it says the same at another station. What else is in it the station checks.
import { Failure, failed } from '../base/failure.ts'
import type { Call } from './call.ts'
import { readText } from './files.ts'
import { ringOf } from './ring.ts'

export type RecipeObject = Readonly<Record<string, unknown>>

const keysMax = 64
const wholeFingerprint = /^(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})$/

/** The object in a recipe file. Kinds: of reading a file, and `bad-recipe`. */
export async function readRecipeFile(path: string): Promise<RecipeObject | Failure> {
  const text = await readText(path, 'recipe file')
  if (failed(text)) return text
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  return new Failure('bad-recipe', `${path} is not a recipe: it must hold one JSON object, like {"name":"Line 3","mode":"test-and-confirm"}.`, { path })
}

/**
 * The recipe with fingerprints where it names keys of the ring. Kind `no-such-key`; anything that is no list of texts is left
 * to the station, which says what is wrong with it.
 */
export async function withFingerprints(call: Call, recipe: RecipeObject): Promise<RecipeObject | Failure> {
  const { allowedKeys } = recipe
  if (!Array.isArray(allowedKeys) || allowedKeys.length > keysMax) return recipe
  const fingerprints: unknown[] = []
  for (const key of allowedKeys as unknown[]) {
    if (typeof key !== 'string' || wholeFingerprint.test(key)) {
      fingerprints.push(key)
      continue
    }
    const found = await ringOf(call).find(key)
    if (failed(found)) return found
    if (found.entry === null) return new Failure('no-such-key', `"${key.slice(0, 200)}" is a key file, and a recipe names keys of the ring. Add it first: slotwright key add ${key.slice(0, 200)} --name NAME`)
    fingerprints.push(found.entry.fingerprint)
  }
  return { ...recipe, allowedKeys: fingerprints }
}

export const isObject = (value: unknown): value is RecipeObject => typeof value === 'object' && value !== null && !Array.isArray(value)
