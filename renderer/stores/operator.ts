// Operator mode: which released recipe is on the line, what the scanner said, and what the runs ask. The station decides
// who may do what; here is only what the big screen shows.
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { FailureView, QuestionView, StationEvent } from '../../main/contract/views.ts'
import type { StoredRecipeView } from '../../main/contract/recipes.ts'
import { ask } from '../ask.ts'
import { readCode } from '../operator/scanner.ts'
import { play, type SoundName } from '../operator/sound.ts'
import { useLine } from './line.ts'

/** The scanner's last word: what was done with it, or why not. */
export type ScanSaid = Readonly<{ code: string; failure: FailureView | null; done: 'serial' | 'next' | 'recipe' | 'person' | 'answer' | 'command' | null }>

const mutedKey = 'slotwright.muted'

export const useOperator = defineStore('operator', () => {
  const line = useLine()
  const on = ref(false)
  const muted = ref(localStorage.getItem(mutedKey) === 'yes')
  /** Sounds made so far, muted or not; for what must show that one was due. */
  const sounds = ref(0)
  const recipes = shallowRef<readonly StoredRecipeView[]>([])
  const picked = ref<string | null>(null)
  const questions = shallowRef<readonly QuestionView[]>([])
  const said = shallowRef<ScanSaid | null>(null)
  const failure = shallowRef<FailureView | null>(null)
  const starting = ref(false)
  /** The bay that the next scan is for. */
  const bay = ref<number | null>(null)

  const released = computed(() => recipes.value.filter((recipe) => recipe.state === 'released' && recipe.problem === null))
  const recipe = computed(() => released.value.find((each) => each.id === picked.value) ?? released.value[0] ?? null)
  /** The recipe names files by their contents; the one on the line must be one of them. */
  const fileFits = computed(() => recipe.value === null || (line.chosen !== null && recipe.value.files.some((file) => file.sha256 === line.chosen?.sha256)))

  function hear(event: StationEvent): void {
    if (event.is === 'questions') questions.value = event.questions
    else if (event.is === 'recipes') void loadRecipes()
  }

  async function loadRecipes(): Promise<void> {
    const reply = await ask('listRecipes', {})
    recipes.value = reply.ok ? reply.value : []
  }

  async function enter(): Promise<void> {
    on.value = true
    await ask('setFullScreen', { on: true })
    await loadRecipes()
    const asked = await ask('questions', {})
    if (asked.ok) questions.value = asked.value
  }

  async function leave(): Promise<void> {
    on.value = false
    said.value = null
    await ask('setFullScreen', { on: false })
  }

  function sound(name: SoundName): void {
    sounds.value++
    if (!muted.value) play(name)
  }

  function mute(silent: boolean): void {
    muted.value = silent
    localStorage.setItem(mutedKey, silent ? 'yes' : 'no')
  }

  async function start(): Promise<void> {
    if (starting.value || line.running) return
    starting.value = true
    failure.value = null
    // What was scanned before is no news of this batch.
    said.value = null
    if (recipe.value === null) {
      await line.start()
      failure.value = line.failure
    } else if (line.chosen !== null) {
      const reply = await ask('startReleased', { recipe: recipe.value.id, file: line.chosen.file, bays: line.target.bays })
      failure.value = reply.ok ? null : reply.failure
    }
    starting.value = false
  }

  async function answer(question: string, yes: boolean): Promise<FailureView | null> {
    const reply = await ask('answerQuestion', { question, yes })
    if (reply.ok) questions.value = reply.value
    return reply.ok ? null : reply.failure
  }

  /** A code came in two pieces; half a serial number is worse than none. */
  function refuseTorn(): void {
    said.value = { code: '', done: null, failure: { kind: 'torn', says: '', facts: {} } }
    sound('refused')
  }

  /** A code was scanned or typed. */
  async function scan(code: string): Promise<void> {
    const result = await carryOut(code)
    said.value = { code, ...result }
    sound(result.failure === null ? 'taken' : 'refused')
  }

  async function carryOut(text: string): Promise<Omit<ScanSaid, 'code'>> {
    const code = readCode(text)
    if (code.is === 'recipe') {
      const found = released.value.find((each) => each.name === code.name || each.id === code.name)
      if (found === undefined || line.running) return { done: null, failure: { kind: found === undefined ? 'no-such-recipe' : 'batch-running', says: '', facts: {} } }
      picked.value = found.id
      return { done: 'recipe', failure: null }
    }
    if (code.is === 'answer') {
      const first = questions.value[0]
      return first === undefined ? { done: null, failure: { kind: 'no-question', says: '', facts: {} } } : { done: 'answer', failure: await answer(first.question, code.yes) }
    }
    if (code.is === 'command') {
      await (code.command === 'start' ? start() : line.stop())
      return { done: 'command', failure: code.command === 'start' ? failure.value : line.failure }
    }
    const rule = line.running ? line.batch?.recipe.serials : undefined
    if (rule !== undefined && fits(rule.format, code.text)) return await giveSerial(code.text)
    const signed = await ask('signIn', { badge: code.text })
    if (signed.ok) return { done: 'person', failure: null }
    if (rule !== undefined) return await giveSerial(code.text)
    return { done: null, failure: signed.failure.kind === 'no-accounts' ? { kind: 'unknown-code', says: '', facts: {} } : signed.failure }
  }

  async function giveSerial(serial: string): Promise<Omit<ScanSaid, 'code'>> {
    const reply = await ask('nameUnit', { serial: serial.slice(0, 64), bay: bay.value })
    if (!reply.ok) return { done: null, failure: reply.failure }
    bay.value = null
    return { done: reply.value.nextSerial === serial ? 'next' : 'serial', failure: null }
  }

  return { on, muted, sounds, released, picked, recipe, fileFits, questions, said, failure, starting, bay, hear, enter, leave, sound, mute, start, answer, scan, refuseTorn }
})

function fits(format: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${format})$`, 'u').test(text)
  } catch {
    return false
  }
}
