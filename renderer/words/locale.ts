// Which language the window speaks, and what Intl is told for it. A regional form that the person's own system has (de-CH,
// es-MX) is kept, since it decides how numbers look.
import { shallowRef } from 'vue'
import { languageNames, type LanguageName } from '../../main/contract/views.ts'

/** The language spoken now; texts and figures that were drawn with it are drawn anew when it changes. */
export const spoken = shallowRef<LanguageName>('en')

const plainTags: Readonly<Record<LanguageName, string>> = { en: 'en-GB', de: 'de-DE', es: 'es-ES', zh: 'zh-Hans-CN' }
export const ownNames: Readonly<Record<LanguageName, string>> = { en: 'English', de: 'Deutsch', es: 'Español', zh: '中文' }

const ofSystem = (): readonly string[] => (typeof navigator === 'undefined' ? [] : navigator.languages)
const languageOf = (tag: string): string => tag.toLowerCase().split('-')[0] ?? ''

/** The first language of the system that the window has words for; English when there is none. */
export function languageOfSystem(tags: readonly string[] = ofSystem()): LanguageName {
  for (const tag of tags) {
    const known = languageNames.find((name) => name === languageOf(tag))
    // Traditional Chinese is another script, not another accent.
    if (known !== undefined && !(known === 'zh' && /-(hant|tw|hk|mo)\b/i.test(tag))) return known
  }
  return 'en'
}

/** The tag for Intl and for the page's lang attribute: the system's own form of this language, or the plain one. */
export function tagOf(language: LanguageName, tags: readonly string[] = ofSystem()): string {
  if (language === 'zh') return plainTags.zh
  return tags.find((tag) => languageOf(tag) === language && /^[a-zA-Z]{2}-[a-zA-Z]{2}$/.test(tag)) ?? plainTags[language]
}
