// Languages by their tags (BCP 47), as systems name them: which of ours somebody's system speaks, and in which regional form.
import { languageNames, type LanguageName } from './views.ts'

const plainTags: Readonly<Record<LanguageName, string>> = { en: 'en-GB', de: 'de-DE', es: 'es-ES', zh: 'zh-Hans-CN' }

const nameIn = (tag: string): string => tag.toLowerCase().split('-')[0] ?? ''

/** The first of these that there are words for; English when there is none. */
export function languageOf(tags: readonly string[]): LanguageName {
  for (const tag of tags) {
    const known = languageNames.find((name) => name === nameIn(tag))
    // Traditional Chinese is another script, not another accent.
    if (known !== undefined && !(known === 'zh' && /-(hant|tw|hk|mo)\b/i.test(tag))) return known
  }
  return 'en'
}

/** The tag for Intl: the system's own form of this language, which decides how numbers look, or the plain one. */
export function tagOf(language: LanguageName, tags: readonly string[]): string {
  if (language === 'zh') return plainTags.zh
  return tags.find((tag) => nameIn(tag) === language && /^[a-zA-Z]{2}-[a-zA-Z]{2}$/.test(tag)) ?? plainTags[language]
}
