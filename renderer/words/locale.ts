// Which language the window speaks, and what Intl is told for it. A regional form that the person's own system has (de-CH,
// es-MX) is kept, since it decides how numbers look.
import { shallowRef } from 'vue'
import { languageOf, tagOf as tagIn } from '../../main/contract/languages.ts'
import type { LanguageName } from '../../main/contract/views.ts'

/** The language spoken now; texts and figures that were drawn with it are drawn anew when it changes. */
export const spoken = shallowRef<LanguageName>('en')

export const ownNames: Readonly<Record<LanguageName, string>> = { en: 'English', de: 'Deutsch', es: 'Español', zh: '中文' }

// The page's own `navigator.languages` are those that this program was started with, which may have been chosen.
const ofSystem = (): readonly string[] => (typeof window === 'undefined' ? [] : window.slotwright.languages)

/** The first language of the system that the window has words for; English when there is none. */
export function languageOfSystem(tags: readonly string[] = ofSystem()): LanguageName {
  return languageOf(tags)
}

/** The tag for Intl and for the page's lang attribute: the system's own form of this language, or the plain one. */
export function tagOf(language: LanguageName, tags: readonly string[] = ofSystem()): string {
  return tagIn(language, tags)
}
