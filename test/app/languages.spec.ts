// The window in each of its languages: everything on the line and in the settings changes over at once, numbers and dates
// too, no English stays behind, and the choice is there again after a restart.
import type { Page } from '@playwright/test'
import { de } from '../../renderer/words/de/index.ts'
import { es } from '../../renderer/words/es/index.ts'
import { zh } from '../../renderer/words/zh/index.ts'
import { eightAttached, expect, picture, test } from './station-window.ts'

/** Words that no German, Spanish or Chinese sentence has; names and units stay what they are. */
const englishWord = /\b(the|of|and|is|are|with|for|not|this|that|from|by|at|waiting|attached|empty|choose|settings|line)\b/i
/** All that a person reads or hears on the page, but for what is marked as English or as code. */
async function readable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const texts: string[] = []
    const walk = (node: Node): void => {
      if (node instanceof Element) {
        if (node.matches('[lang=en], code, script, style')) return
        for (const name of ['aria-label', 'title', 'placeholder']) texts.push(node.getAttribute(name) ?? '')
      } else if (node instanceof Text) texts.push(node.data)
      for (const child of node.childNodes) walk(child)
    }
    walk(document.body)
    // Paths are nobody's words.
    return texts.map((text) => text.replaceAll(/\S*[/\\]\S*/g, '').trim()).filter((text) => text !== '')
  })
}

const rail = (page: Page, name: string) => page.getByRole('navigation').first().getByRole('button', { name, exact: true })
const choose = async (page: Page, language: string) => {
  await page.locator('#language').selectOption(language)
  await expect(page.locator('html')).toHaveAttribute('lang', new RegExp(`^${language}`))
}

test('each language changes the whole page, dates too, and is kept over a restart', async ({ open }) => {
  const { app, page, complaints } = await open()
  await eightAttached(page)
  await rail(page, 'Settings').click()
  await expect(page.locator('#language')).toHaveValue('system')
  for (const [language, book, day] of [['de', de, /^\d\d\.\d\d\.\d{4} /], ['es', es, /^\d\d\/\d\d\/\d{4} /], ['zh', zh, /^\d{4}\/\d\d\/\d\d /]] as const) {
    await choose(page, language)
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(book.settings.title)
    expect((await readable(page)).filter((text) => englishWord.test(text)), `settings in ${language}`).toEqual([])

    await rail(page, book.app.line).click()
    await expect(page.getByRole('heading', { level: 1 })).toHaveText(book.line.title)
    await expect(page.locator('[data-bay="1"]')).toHaveAttribute('aria-label', new RegExp(book.told.bay.attached.replaceAll('.', '\\.')))
    expect((await readable(page)).filter((text) => englishWord.test(text)), `line in ${language}`).toEqual([])
    await picture(page, `line-${language}`)

    await rail(page, book.app.log).click()
    await expect(page.locator('[data-seq] > span').nth(1)).toHaveText(day)
    await rail(page, book.app.settings).click()
  }
  await choose(page, 'de')
  expect(complaints, 'the page must not complain').toEqual([])
  await app.close()

  const again = await open()
  await expect(again.page.locator('html')).toHaveAttribute('lang', /^de/)
  // What Chromium draws itself (date fields), and what the program says: its menu, its dialogs.
  expect(await again.app.evaluate(({ app }) => app.getLocale())).toMatch(/^de/)
  const menu = () => again.app.evaluate(({ Menu }) => Menu.getApplicationMenu()?.items.map(({ label }) => label))
  expect(await menu()).toEqual(['Station', 'Bearbeiten', 'Ansicht'])
  await again.app.evaluate(({ dialog }) => {
    dialog.showOpenDialog = (...asked: unknown[]) => {
      Object.assign(globalThis, { asked: asked.at(-1) })
      return Promise.resolve({ canceled: true, filePaths: [] })
    }
  })
  await again.page.evaluate(() => window.slotwright.call('chooseFile', { purpose: 'firmware' }))
  expect(await again.app.evaluate(() => JSON.stringify((globalThis as { asked?: unknown }).asked))).toMatch(/Firmware wählen.*Alle Dateien/)
  await rail(again.page, de.app.settings).click()
  await expect(again.page.locator('#language')).toHaveValue('de')
  await again.page.locator('#language').selectOption('system')
  await expect(again.page.locator('html')).toHaveAttribute('lang', /^en/)
  await expect(again.page.getByRole('heading', { level: 1 })).toHaveText('Settings')
  expect(await menu()).toEqual(['Station', 'Edit', 'View'])
})
