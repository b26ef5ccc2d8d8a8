// The other languages' books against the English one: a key that is missing shows English in the middle of a German page,
// a placeholder that is missing leaves out the number that matters, a lost plural form says "1 boards".
import { afterAll, describe, expect, test } from 'vitest'
import { languageNames } from '../../main/contract/views.ts'
import { countText, dayOfMonthText, dayText, decimalText, percentText, timeText } from '../../renderer/figures.ts'
import { de } from '../../renderer/words/de/index.ts'
import { en } from '../../renderer/words/en/index.ts'
import { es } from '../../renderer/words/es/index.ts'
import { languageOfSystem, ownNames, tagOf } from '../../renderer/words/locale.ts'
import { speak, words } from '../../renderer/words/words.ts'
import { zh } from '../../renderer/words/zh/index.ts'

type Tree = { readonly [name: string]: string | Tree }
const flat = (tree: Tree, above = ''): [string, string][] => Object.entries(tree).flatMap(([name, value]): [string, string][] => (typeof value === 'string' ? [[above + name, value]] : flat(value, `${above}${name}.`)))
const english = new Map(flat(en))
/** What only the others have: the station itself speaks English (words-station.test.ts has these). */
const ofStation = /^(failure|todo|told|why|said)\./
const placeholders = (text: string) => [...new Set([...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? ''))].sort()
const forms = (text: string) => text.split(' | ').length

afterAll(() => speak('en'))

describe.each(Object.entries<Tree>({ de, es, zh }))('the book of %s', (language, tree) => {
  const book = new Map(flat(tree))

  test('lacks no text, and has none that English has not', () => {
    expect([...english.keys()].filter((key) => !book.has(key))).toEqual([])
    expect([...book.keys()].filter((key) => !english.has(key) && !ofStation.test(key))).toEqual([])
  })

  test('loses or invents no placeholder and no plural form', () => {
    const differ = [...book].filter(([key, text]) => {
      const own = english.get(key)
      return own !== undefined && (placeholders(own).join() !== placeholders(text).join() || forms(own) !== forms(text))
    })
    expect(differ).toEqual([])
  })

  test('compiles, and shows no sign of the book in what it says', async () => {
    await speak(language as 'de')
    for (const [key, text] of book) {
      const named = Object.fromEntries(placeholders(text).map((name) => [name, 'X']))
      const shown = words.global.t(key, { ...named, n: 2 })
      expect(shown, key).not.toBe(key)
      expect(shown.replaceAll(/\{\}|SN-\[0-9\]\{6\}|\{serial\}/g, ''), key).not.toMatch(/\{|\}|\s\|\s/)
    }
  })

  test('says the same in other words', () => {
    // Names, units and words of the trade stay; whole English sentences do not.
    expect([...book].filter(([key, text]) => english.get(key) === text && text.replaceAll(/\{\w+\}/g, '').split(/\s+/).filter((word) => /^[a-z]{2,}/i.test(word)).length >= 3)).toEqual([])
  })
})

test('numbers and dates that stay English when the language is another', async () => {
  const at = '2026-03-09T14:03:27Z'
  const shown: Record<string, string[]> = {}
  for (const language of languageNames) {
    await speak(language)
    shown[language] = [countText(1_234_567), decimalText(1.5, 1), percentText(0.875), dayText(at), dayOfMonthText(at)]
    expect(timeText(at)).toMatch(/^\d\d:\d\d:\d\d$/)
  }
  expect(shown).toEqual({
    en: ['1,234,567', '1.5', '88 %', '2026-03-09', '03-09'],
    de: ['1.234.567', '1,5', '88 %', '09.03.2026', '09.03.'],
    es: ['1.234.567', '1,5', '88 %', '09/03/2026', '9/3'],
    zh: ['1,234,567', '1.5', '88%', '2026/03/09', '03/09'],
  })
})

test('the system\'s languages, in its order; Traditional Chinese is not Simplified', () => {
  expect(languageOfSystem(['fr-FR', 'de-AT', 'en'])).toBe('de')
  expect(languageOfSystem(['zh-TW', 'es-MX'])).toBe('es')
  expect(languageOfSystem(['zh-Hant-HK'])).toBe('en')
  expect(languageOfSystem(['zh-CN'])).toBe('zh')
  expect(languageOfSystem([])).toBe('en')
  expect(tagOf('de', ['de-CH', 'de'])).toBe('de-CH')
  expect(tagOf('es', ['en-US'])).toBe('es-ES')
  expect(Object.keys(ownNames)).toEqual([...languageNames])
})

test('a choice that comes while another language is fetched is the one that counts', async () => {
  await Promise.all([speak('de'), speak('en')])
  expect(words.global.locale.value).toBe('en')
})
