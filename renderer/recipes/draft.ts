// A recipe while it is being written: what stands in the fields, texts as they were typed, and the way to the contract's
// body and back. What is wrong with it is the contract's own word (recipeBody), so that the form can accept nothing that
// the station refuses.
import { recipeBody } from '../../main/contract/api.ts'
import type { ArgsOf } from '../../main/contract/api.ts'
import type { RecipeFileView, StoredRecipeView } from '../../main/contract/recipes.ts'
import type { ProofName, RecipeView, UpgradeMode } from '../../main/contract/views.ts'

export type TestKind = 'os-info' | 'statistic' | 'shell' | 'console' | 'file' | 'question'
export const testKinds: readonly TestKind[] = ['os-info', 'statistic', 'shell', 'console', 'file', 'question']

/** Every field of every kind; a kind shows its own. */
export type TestDraft = {
  test: TestKind
  format: string
  matches: string
  group: string
  name: string
  min: string
  max: string
  command: string
  returns: string
  path: string
  sha256: string
  asks: string
  timeoutSeconds: string
}
export type DataDraft = { what: 'setting' | 'file'; name: string; value: string; secret: boolean }

export type Draft = {
  name: string
  mode: UpgradeMode
  proofs: ProofName[]
  allowDowngrade: boolean
  needsWayBack: boolean
  class: '' | 'production' | 'test'
  allowedKeys: string[]
  /** Empty: the common one. */
  profile: string
  quota: string
  stopAfterFailures: string
  rolling: boolean
  serials: string
  send: 'image' | 'whole' | 'in-place'
  hardware: string
  /** One a line, or with blanks between. */
  communities: string
  tests: TestDraft[]
  data: DataDraft[]
  files: RecipeFileView[]
  product: string
  notes: string
}

export type Body = ArgsOf<'saveRecipe'>['body']
export type RecipeArgs = ArgsOf<'previewRecipe'>['recipe']

export function emptyTest(test: TestKind): TestDraft {
  return { test, format: 'a', matches: '', group: '', name: '', min: '', max: '', command: '', returns: '0', path: '', sha256: '', asks: '', timeoutSeconds: test === 'question' ? '120' : '5' }
}

export function emptyDraft(): Draft {
  return {
    name: '', mode: 'test-and-confirm', proofs: ['echo', 'active-hash', 'version'], allowDowngrade: false, needsWayBack: false, class: '', allowedKeys: [], profile: '',
    quota: '', stopAfterFailures: '3', rolling: false, serials: '', send: 'image', hardware: '', communities: '', tests: [], data: [], files: [], product: '', notes: '',
  }
}

const optional = (value: number | null | undefined) => (value === null || value === undefined ? '' : String(value))

export function draftOf({ recipe, files, product, notes }: Pick<StoredRecipeView, 'recipe' | 'files' | 'product' | 'notes'>): Draft {
  return {
    name: recipe.name, mode: recipe.mode, proofs: [...recipe.proofs], allowDowngrade: recipe.allowDowngrade, needsWayBack: recipe.needsWayBack === true, class: recipe.class ?? '',
    allowedKeys: [...recipe.allowedKeys], profile: recipe.profile ?? '', quota: optional(recipe.quota), stopAfterFailures: optional(recipe.stopAfterFailures), rolling: recipe.rolling === true,
    serials: recipe.serials?.format ?? '', send: recipe.send ?? 'image', hardware: recipe.hardware ?? '', communities: (recipe.communities ?? []).join('\n'),
    tests: (recipe.tests ?? []).map(testDraftOf), data: (recipe.unitData ?? []).map((item) => ({ ...item })), files: [...files], product: product ?? '', notes,
  }
}

function testDraftOf(test: NonNullable<RecipeView['tests']>[number]): TestDraft {
  const draft = { ...emptyTest(test.test), timeoutSeconds: String(test.timeoutMs / 1000) }
  switch (test.test) {
    case 'os-info': return { ...draft, format: test.format, matches: test.matches }
    case 'statistic': return { ...draft, group: test.group, name: test.name, min: String(test.min), max: String(test.max) }
    case 'shell': return { ...draft, command: test.command.map(quoted).join(' '), returns: String(test.returns), matches: test.matches ?? '' }
    case 'console': return { ...draft, matches: test.matches }
    case 'file': return { ...draft, path: test.path, matches: test.matches ?? '', sha256: test.sha256 ?? '' }
    case 'question': return { ...draft, asks: test.asks }
  }
}

const quoted = (word: string) => (/[\s"]/.test(word) ? `"${word.replace(/[\\"]/g, '\\$&')}"` : word)

/** A command line in its words: blanks divide, double quotes hold together, and within them \" and \\ stand for the sign itself. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|([^\s"]+)/g)].map(([, held, plain]) => held?.replace(/\\(.)/g, '$1') ?? plain ?? '').filter((word) => word !== '')
}

/** What was typed as a number; NaN, which no schema takes, for anything else. */
function numberOf(text: string): number {
  return /^\s*-?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : NaN
}
const numberOrNull = (text: string) => (text.trim() === '' ? null : numberOf(text))

function testOf(draft: TestDraft): object {
  const timeoutMs = Math.round(numberOf(draft.timeoutSeconds) * 1000)
  const matches = draft.matches === '' ? null : draft.matches
  switch (draft.test) {
    case 'os-info': return { test: draft.test, format: draft.format, matches: draft.matches, timeoutMs }
    case 'statistic': return { test: draft.test, group: draft.group.trim(), name: draft.name.trim(), min: numberOf(draft.min), max: numberOf(draft.max), timeoutMs }
    case 'shell': return { test: draft.test, command: wordsOf(draft.command), returns: numberOf(draft.returns), matches, timeoutMs }
    case 'console': return { test: draft.test, matches: draft.matches, timeoutMs }
    case 'file': return { test: draft.test, path: draft.path.trim(), matches, sha256: draft.sha256.trim() === '' ? null : draft.sha256.trim().toLowerCase(), timeoutMs }
    case 'question': return { test: draft.test, asks: draft.asks, timeoutMs }
  }
}

function rawBody(draft: Draft): object {
  const communities = draft.communities.split(/[\s,]+/).filter((word) => word !== '')
  return {
    recipe: {
      name: draft.name.trim(), mode: draft.mode, allowedKeys: [...draft.allowedKeys], allowDowngrade: draft.allowDowngrade, proofs: [...draft.proofs], quota: numberOrNull(draft.quota),
      stopAfterFailures: numberOrNull(draft.stopAfterFailures),
      ...(draft.class === '' ? {} : { class: draft.class }), ...(draft.needsWayBack ? { needsWayBack: true } : {}), ...(draft.rolling ? { rolling: true } : {}),
      ...(draft.profile === '' ? {} : { profile: draft.profile }), ...(draft.serials === '' ? {} : { serials: { format: draft.serials } }),
      ...(draft.send === 'image' ? {} : { send: draft.send }), ...(draft.hardware.trim() === '' ? {} : { hardware: draft.hardware.trim() }),
      ...(communities.length === 0 ? {} : { communities }),
      ...(draft.tests.length === 0 ? {} : { tests: draft.tests.map(testOf) }),
      ...(draft.data.length === 0 ? {} : { unitData: draft.data.map(({ what, name, value, secret }) => ({ what, name: name.trim(), value, secret })) }),
    },
    files: draft.files.map((file) => ({ ...file })),
    product: draft.product.trim() === '' ? null : draft.product.trim(),
    notes: draft.notes,
  }
}

/** The body that would be saved, or the fields that are wrong: `quota`, `tests.0.matches`, `data.1.value`. */
export function bodyOf(draft: Draft): Readonly<{ body: Body; wrong: null } | { body: null; wrong: ReadonlySet<string> }> {
  const parsed = recipeBody.safeParse(rawBody(draft))
  if (parsed.success) return { body: parsed.data, wrong: null }
  return { body: null, wrong: new Set(parsed.error.issues.map(({ path }) => fieldOf(path.map(String)))) }
}

const fieldNames: Readonly<Record<string, string>> = { unitData: 'data', timeoutMs: 'timeoutSeconds', format: 'format' }

/** The form's field for a place in the body. */
function fieldOf(path: readonly string[]): string {
  const [first, ...rest] = path[0] === 'recipe' ? path.slice(1) : path
  if (first === 'serials' || first === 'communities') return first
  if (first === 'files' || first === undefined) return first ?? ''
  return [fieldNames[first] ?? first, ...rest.slice(0, 2).map((part) => fieldNames[part] ?? part)].join('.')
}
