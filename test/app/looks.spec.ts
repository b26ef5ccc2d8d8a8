// How the window looks where people need it larger or sharper: at 200 % nothing is cut off or lies on something else, and
// operator mode and the sheets hold axe's rules in every theme.
import type { Page } from '@playwright/test'
import { writeFileSync } from 'node:fs'
import type { ElectronApplication } from '@playwright/test'
import { breaches } from './axe.ts'
import { eightAttached, expect, test, view } from './station-window.ts'

const views = ['Line', 'Recipes', 'Signing', 'Images', 'Keys', 'Boards', 'Failures', 'Log', 'Settings'] as const

/** The whole window as it is on the screen; the page's own screenshots know nothing of the zoom. */
async function snap(app: ElectronApplication, name: string): Promise<void> {
  const png = await app.evaluate(async ({ BrowserWindow }) => (await BrowserWindow.getAllWindows()[0]!.webContents.capturePage()).toPNG().toString('base64'))
  writeFileSync(`test-results/screens/${name}.png`, Buffer.from(png, 'base64'))
}

/** Controls that are cut off where nothing scrolls, whose words do not fit, or that lie on one another. */
function crowded(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const nameOf = (element: Element) => `${element.tagName.toLowerCase()} "${(element.getAttribute('aria-label') ?? element.textContent ?? '').trim().slice(0, 30)}"`
    const scroller = (element: Element): Element | null => {
      for (let up = element.parentElement; up !== null; up = up.parentElement) {
        const { overflowX, overflowY } = getComputedStyle(up)
        if (/auto|scroll/.test(overflowX + overflowY) && (up.scrollHeight > up.clientHeight || up.scrollWidth > up.clientWidth)) return up
      }
      return null
    }
    const root = document.querySelector('[role=dialog]') ?? document.body
    const controls = [...root.querySelectorAll('button, input:not([type=checkbox]), select')].filter((element) => element.checkVisibility() && element.closest('.unseen') === null && element.getBoundingClientRect().width > 1)
    const wrongs: string[] = []
    for (const [at, control] of controls.entries()) {
      const box = control.getBoundingClientRect()
      if ((box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.left < -1 || box.top < -1) && scroller(control) === null) wrongs.push(`${nameOf(control)} is cut off`)
      if (control instanceof HTMLButtonElement && control.scrollWidth > control.clientWidth + 2) wrongs.push(`the words of ${nameOf(control)} do not fit`)
      for (const other of controls.slice(at + 1)) {
        const there = other.getBoundingClientRect()
        const [wide, high] = [Math.min(box.right, there.right) - Math.max(box.left, there.left), Math.min(box.bottom, there.bottom) - Math.max(box.top, there.top)]
        if (wide > 3 && high > 3 && !control.contains(other) && !other.contains(control) && scroller(control) === scroller(other)) wrongs.push(`${nameOf(control)} lies on ${nameOf(other)}`)
      }
    }
    return wrongs
  })
}

test('at 200 % every view can still be used: no control is cut off, none lies on another', async ({ station }) => {
  const { app, page } = station
  await eightAttached(page)
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.setZoomFactor(2))
  await expect.poll(() => page.evaluate(() => innerWidth)).toBeLessThan(700)
  const wrongs: string[] = []
  for (const name of views) {
    await view(page, name).click()
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1)
    if (name === 'Recipes') await page.getByRole('button', { name: 'New recipe' }).click()
    if (name === 'Boards') await page.getByRole('button', { name: /^Console of/ }).first().click()
    wrongs.push(...(await crowded(page)).map((wrong) => `${name}: ${wrong}`))
    await snap(app, `50-zoom-${name.toLowerCase()}`)
  }
  await view(page, 'Line').click()
  await page.getByRole('button', { name: 'Recipe', exact: true }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  wrongs.push(...(await crowded(page)).map((wrong) => `Recipe: ${wrong}`))
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Practice line' }).click()
  await expect(page.getByRole('dialog')).toBeVisible()
  wrongs.push(...(await crowded(page)).map((wrong) => `Practice line: ${wrong}`))
  await snap(app, '50-zoom-practice')
  await page.keyboard.press('Escape')
  await page.getByRole('navigation').getByRole('button', { name: 'Operator' }).click()
  await expect(page.locator('[data-part=operator] [data-bay]')).toHaveCount(8)
  wrongs.push(...(await crowded(page)).map((wrong) => `Operator: ${wrong}`))
  await snap(app, '50-zoom-operator')
  expect(wrongs).toEqual([])
})

test('operator mode, sheets and the high-contrast theme hold axe\'s rules', async ({ station }) => {
  const { app, page } = station
  await eightAttached(page)
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const wrongs: string[] = []
  const check = async (what: string) => wrongs.push(...await breaches(page, what))
  const operator = page.locator('[data-part=operator]')
  await page.getByRole('navigation').getByRole('button', { name: 'Operator' }).click()
  await operator.getByRole('button', { name: 'Start', exact: true }).click()
  await expect(operator.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
  for (const theme of ['light', 'dark', 'contrast'] as const) {
    await page.evaluate((name) => window.slotwright.call('changeSettings', { theme: name }), theme)
    await page.evaluate((name) => { document.documentElement.dataset['theme'] = name }, theme)
    await expect.poll(() => app.evaluate(({ nativeTheme }) => nativeTheme.themeSource)).toBe(theme === 'contrast' ? 'dark' : theme)
    await check(`Operator, ${theme}`)
  }
  await page.screenshot({ path: 'test-results/screens/51-operator-contrast.png' })
  await operator.getByRole('button', { name: 'Leave operator mode' }).click()
  // The rules are the same in every theme and log.spec.ts holds all views to them; these have the most colours.
  for (const name of ['Line', 'Keys', 'Log'] as const) {
    await view(page, name).click()
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1)
    await check(`${name}, contrast`)
  }
  await view(page, 'Line').click()
  for (const name of ['Bay map', 'Connect a board', 'Recipe', 'Practice line']) {
    await page.getByRole('main').getByRole('button', { name }).first().click()
    await expect(page.getByRole('dialog')).toBeVisible()
    await check(name)
    await page.keyboard.press('Escape')
  }
  expect(wrongs).toEqual([])
})
