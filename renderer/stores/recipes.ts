// Recipes as an engineer works on them: all revisions, the one that is open, its draft while it is written, and what it
// would do to the boards attached now. Lists come whole from the station and replace what was there.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { BoardProfileView } from '../../main/contract/board-profile.ts'
import type { PreviewView } from '../../main/contract/engineer.ts'
import type { StoredRecipeView } from '../../main/contract/recipes.ts'
import type { FailureView, FileView, StationEvent } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { bodyOf, draftOf, emptyDraft } from '../recipes/draft.ts'
import type { Draft } from '../recipes/draft.ts'
import { useLine } from './line.ts'
import { useUnlocking } from './unlocking.ts'

/** Which revision is open; `new`: one that is not saved yet. */
export type Open = Readonly<{ id: string; revision: number }> | 'new' | null

export const useRecipes = defineStore('recipes', () => {
  const line = useLine()
  const rows = shallowRef<readonly StoredRecipeView[]>([])
  const profiles = shallowRef<readonly BoardProfileView[]>([])
  const loaded = ref(false)
  const open = shallowRef<Open>(null)
  const draft = ref<Draft>(emptyDraft())
  /** The draft as it was last saved, to tell whether something was changed. */
  const saved = ref(JSON.stringify(emptyDraft()))
  const failure = shallowRef<FailureView | null>(null)
  const asking = ref<'save' | 'release' | 'withdraw' | 'delete' | 'file' | 'preview' | 'profiles' | null>(null)
  /** The image or package that a preview is about. */
  const file = shallowRef<FileView | null>(null)
  /** Unit data by serial number, where the recipe takes some from a table. */
  const table = shallowRef<FileView | null>(null)
  const preview = shallowRef<Readonly<{ view: PreviewView; atMs: number; of: string }> | null>(null)

  /** The newest revision of each recipe. */
  const newest = computed(() => rows.value.filter((row, at) => rows.value.findIndex(({ id }) => id === row.id) === at))
  const row = computed(() => {
    const which = open.value
    return which === null || which === 'new' ? null : rows.value.find(({ id, revision }) => id === which.id && revision === which.revision) ?? null
  })
  const editable = computed(() => open.value === 'new' || row.value?.state === 'draft')
  const changed = computed(() => editable.value && JSON.stringify(draft.value) !== saved.value)
  const checked = computed(() => bodyOf(draft.value))
  const subject = computed(() => file.value ?? (line.chosen === null ? null : { file: line.chosen.file, name: line.chosen.name, sha256: line.chosen.sha256, image: line.chosen.image, problem: line.chosen.problem, bytes: line.chosen.bytes }))
  const needsTable = computed(() => draft.value.data.some(({ value }) => /\{(?!serial\})[^}]+\}/.test(value)))
  const previewOf = computed(() => JSON.stringify([draft.value, subject.value?.file ?? null, table.value?.file ?? null]))

  function hear(event: StationEvent): void {
    if (event.is === 'recipes' && loaded.value) void load()
  }

  async function load(): Promise<void> {
    const [listed, known] = await Promise.all([ask('listRecipes', {}), ask('listProfiles', {})])
    if (listed.ok) rows.value = listed.value
    if (known.ok) profiles.value = known.value
    failure.value = !listed.ok ? listed.failure : !known.ok ? known.failure : null
    loaded.value = true
    const first = rows.value[0]
    if (open.value === null && first !== undefined) show(first)
  }

  function take(which: Open, of: Draft): void {
    open.value = which
    draft.value = of
    saved.value = JSON.stringify(of)
    failure.value = null
    preview.value = null
  }

  function show(wanted: StoredRecipeView): void {
    take({ id: wanted.id, revision: wanted.revision }, draftOf(wanted))
  }

  function begin(): void {
    take('new', emptyDraft())
    saved.value = ''
  }

  async function save(): Promise<boolean> {
    const { body } = checked.value
    if (body === null) return false
    asking.value = 'save'
    const reply = await ask('saveRecipe', { id: row.value?.id ?? null, body })
    return await settle(reply)
  }

  /** A draft of the next revision, with everything as it is in this one. */
  async function revise(): Promise<boolean> {
    if (row.value === null) return false
    const { body } = checked.value
    if (body === null) return false
    asking.value = 'save'
    return await settle(await ask('saveRecipe', { id: row.value.id, body }))
  }

  async function release(): Promise<boolean> {
    if (row.value === null) return false
    asking.value = 'release'
    return await settle(await ask('releaseRecipe', { id: row.value.id }))
  }

  async function withdraw(): Promise<boolean> {
    if (row.value === null) return false
    asking.value = 'withdraw'
    return await settle(await ask('withdrawRecipe', { id: row.value.id, revision: row.value.revision }))
  }

  async function settle(reply: Readonly<{ ok: true; value: StoredRecipeView } | { ok: false; failure: FailureView }>): Promise<boolean> {
    if (reply.ok) {
      // Saving or releasing changes nothing of what the boards were asked about.
      const asked = preview.value
      const fresh = asked?.of === previewOf.value
      await load()
      show(reply.value)
      preview.value = asked === null || !fresh ? asked : { ...asked, of: previewOf.value }
    }
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
    return reply.ok
  }

  async function remove(): Promise<boolean> {
    if (row.value === null) return false
    asking.value = 'delete'
    const reply = await ask('deleteDraft', { id: row.value.id })
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok) return false
    rows.value = reply.value
    const next = rows.value[0]
    if (next === undefined) take(null, emptyDraft())
    else show(next)
    return true
  }

  async function choose(): Promise<FileView | null> {
    asking.value = 'file'
    const reply = await useUnlocking().chooseImage()
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok || reply.value === null) return null
    // A package that waits for its passphrase is one all the same; anything else without an image goes onto no board.
    const { image, problem } = reply.value
    if (image === null && problem !== null && problem.kind !== 'firmware-key-locked') {
      failure.value = problem
      return null
    }
    file.value = reply.value
    return reply.value
  }

  async function chooseTable(): Promise<void> {
    asking.value = 'file'
    const reply = await ask('chooseFile', { purpose: 'table' })
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok && reply.value !== null) table.value = reply.value
  }

  /** Asks the boards what the recipe, as it stands in the fields, would do to each. */
  async function look(): Promise<void> {
    const { body } = checked.value
    if (body === null || subject.value === null || asking.value !== null) return
    const of = previewOf.value
    asking.value = 'preview'
    const reply = await ask('previewRecipe', { file: subject.value.file, recipe: body.recipe, unitTable: needsTable.value ? table.value?.file ?? null : null })
    asking.value = null
    failure.value = reply.ok ? null : reply.failure
    if (reply.ok) preview.value = { view: reply.value, atMs: Date.now(), of }
  }

  return {
    rows, profiles, loaded, open, row, draft, failure, asking, table, needsTable, preview, previewOf, newest, editable, changed, checked, subject,
    hear, load, show, begin, save, revise, release, withdraw, remove, choose, chooseTable, look,
  }
})
