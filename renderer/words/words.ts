// The book of words: vue-i18n in its composition form, one language for now. Messages are compiled to an AST, not to
// code, so the page's policy can forbid eval.
import { createI18n } from 'vue-i18n'
import { en } from './en/index.ts'

export const words = createI18n({ legacy: false, locale: 'en', fallbackLocale: 'en', messages: { en } })
