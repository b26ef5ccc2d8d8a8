// The language of what the program itself says, and of what Chromium draws by itself: date fields and their calendars follow
// the locale that the runtime begins with, so a chosen language is told to it before it is ready. What surprised us: on Linux
// Chromium asks GLib, which puts LANGUAGE above the switch; and whoever asks for the system's languages then gets the chosen
// one back, so the system's own are read first and handed to the page by the preload script.
import { app } from 'electron'
import { languageOf, tagOf } from '../contract/languages.ts'
import type { LanguageName, SettingsView } from '../contract/views.ts'
import { de } from './words/de.ts'
import { en } from './words/en.ts'
import type { ShellWords } from './words/en.ts'
import { es } from './words/es.ts'
import { zh } from './words/zh.ts'

const books: Readonly<Record<LanguageName, ShellWords>> = { en, de, es, zh }

/** As the system has them, the first the dearest; read before anything is changed. */
export const systemLanguages: readonly string[] = app.getPreferredSystemLanguages().slice(0, 16)

let spoken: LanguageName = languageOf(systemLanguages)

/** To be called before the runtime is ready. */
export function beginIn(setting: SettingsView['language']): void {
  speakIn(setting)
  if (setting === 'system') return
  // Chromium's name of it; a form with a script it does not know.
  const tag = setting === 'zh' ? 'zh-CN' : tagOf(setting, systemLanguages)
  app.commandLine.appendSwitch('lang', tag)
  if (process.platform === 'linux') process.env['LANGUAGE'] = tag.replace('-', '_')
}

/** From now on; what Chromium draws follows at the next start. True when that is another language than before. */
export function speakIn(setting: SettingsView['language']): boolean {
  const before = spoken
  spoken = setting === 'system' ? languageOf(systemLanguages) : setting
  return spoken !== before
}

export function shellWords(): ShellWords {
  return books[spoken]
}
