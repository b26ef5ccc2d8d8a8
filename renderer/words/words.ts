// The book of words: vue-i18n in its composition form. English comes with the page; another language is fetched when it is
// chosen, and English stands in for whatever it lacks. Messages are compiled to an AST, not to code, so the page's policy
// can forbid eval.
import { createI18n } from 'vue-i18n'
import type { LanguageName } from '../../main/contract/views.ts'
import { en } from './en/index.ts'
import { spoken, tagOf } from './locale.ts'

export const words = createI18n({ legacy: false, locale: 'en', fallbackLocale: 'en', messages: { en } })

/** A language's texts: the groups of en/index.ts, and what the station says itself (told.ts, failures.ts). */
export type Book = Readonly<Record<string, unknown>>

const books: Readonly<Record<Exclude<LanguageName, 'en'>, () => Promise<Book>>> = {
  de: async () => (await import('./de/index.ts')).de,
  es: async () => (await import('./es/index.ts')).es,
  zh: async () => (await import('./zh/index.ts')).zh,
}

const fetched = new Set<LanguageName>(['en'])
let wanted: LanguageName = 'en'

/** From now on the window speaks this language: texts, numbers, dates, and what screen readers are told of it. */
export async function speak(language: LanguageName): Promise<void> {
  wanted = language
  if (!fetched.has(language) && language !== 'en') {
    const book = await books[language]()
    // The book's type is English's; a test holds that the others have the same keys.
    words.global.setLocaleMessage(language as 'en', book as typeof en)
    fetched.add(language)
  }
  // Another choice may have come while the book was fetched.
  if (wanted !== language) return
  words.global.locale.value = language as 'en'
  spoken.value = language
  if (typeof document !== 'undefined') document.documentElement.lang = tagOf(language)
}
