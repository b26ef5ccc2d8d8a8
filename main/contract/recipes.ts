// Recipes as they are kept: what a batch does and which files it may take, in revisions that are drafts, released or
// withdrawn. A released revision is hashed over its canonical bytes, signed by the station's log key, and never changes.
import { z } from 'zod'
import type { FailureView, RecipeView } from './views.ts'

export const recipeId = z.string().regex(/^r[0-9a-f]{12}$/)

/** A file that a recipe names: the SHA-256 of a signed image or firmware package as it lies on disk. */
export const recipeFile = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** For people; what counts is the hash. */
  name: z.string().max(200).default(''),
  version: z.string().max(64).default(''),
})

export type RecipeState = 'draft' | 'released' | 'withdrawn'

export type RecipeFileView = Readonly<{ sha256: string; name: string; version: string }>

/** One revision of a recipe. */
export type StoredRecipeView = Readonly<{
  id: string
  name: string
  revision: number
  state: RecipeState
  /** What a batch by it does. */
  recipe: RecipeView
  /** Images or packages it may take; a recipe must name one before it is released. */
  files: readonly RecipeFileView[]
  /** What is made by it; keys may be limited to some products. */
  product: string | null
  /** For the operator: which boards, which fixture, what to look out for. */
  notes: string
  /** SHA-256 of the canonical bytes. */
  sha256: string
  releasedAt: string | null
  releasedBy: string | null
  /** The log entry of its release. */
  entry: number | null
  withdrawnAt: string | null
  /** Why a released revision may not be used: changed behind the station's back, or signed by another log. Null: it holds. */
  problem: FailureView | null
}>
