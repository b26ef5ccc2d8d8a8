// The house itself: which view is open, what the station is, and whether it opened at all.
import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { ArgsOf } from '../../main/contract/api.ts'
import type { AboutView, FailureView, SettingsView } from '../../main/contract/views.ts'
import { ask } from '../ask.ts'
import { languageOfSystem } from '../words/locale.ts'
import { speak } from '../words/words.ts'

export const viewNames = ['line', 'recipes', 'desk', 'images', 'keys', 'boards', 'failures', 'log', 'people', 'settings'] as const
export type ViewName = typeof viewNames[number]

/** What was chosen; before the settings are known, and where they say so, the system's language. */
const spokenIn = (settings: SettingsView | null) => (settings === null || settings.language === 'system' ? languageOfSystem() : settings.language)

export const useHouse = defineStore('house', () => {
  // A reload comes back to the log's entry that its address names (log/LogView.vue).
  const view = ref<ViewName>(typeof location !== 'undefined' && location.hash.startsWith('#log') ? 'log' : 'line')
  const state = ref<'opening' | 'open' | 'failed'>('opening')
  const failure = shallowRef<FailureView | null>(null)
  const about = shallowRef<AboutView | null>(null)
  const settings = shallowRef<SettingsView | null>(null)

  /** Asks who is there. The shell opens the station on this call, so a failure here is why it could not open. */
  async function open(): Promise<boolean> {
    await speak(spokenIn(settings.value))
    const reply = await ask('about', {})
    failure.value = reply.ok ? null : reply.failure
    if (!reply.ok) {
      state.value = 'failed'
      return false
    }
    about.value = reply.value
    const kept = await ask('settings', {})
    if (kept.ok) settings.value = kept.value
    await speak(spokenIn(settings.value))
    state.value = 'open'
    return true
  }

  async function change(args: ArgsOf<'changeSettings'>): Promise<FailureView | null> {
    const reply = await ask('changeSettings', args)
    if (!reply.ok) return reply.failure
    settings.value = reply.value
    await speak(spokenIn(reply.value))
    return null
  }

  return { view, state, failure, about, settings, open, change }
})
