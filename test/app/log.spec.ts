// The log as an auditor reads it: its verification state is always in sight, filters narrow it, a unit has a history; and
// every view under axe's rules (WCAG 2.2 A and AA), in both themes.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { breaches } from './axe.ts'
import { answerSaveDialog, eightAttached, expect, picture, test, view } from './station-window.ts'

test('the state of the log stands above it, ages with new entries, and filters find one unit and its history', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
  await view(page, 'Log').click()
  const state = page.locator('[data-part=log-state]')
  await expect(state).toContainText('The log holds')
  await view(page, 'Settings').click()
  await page.getByLabel('Person at the station').fill('Grace Hopper')
  await page.getByRole('button', { name: 'Save' }).first().click()
  await expect(page.getByText('Saved', { exact: true })).toBeVisible()
  await view(page, 'Log').click()
  await expect(state).toContainText(/written since/)
  await expect(state).not.toContainText('nothing written since')

  const bundle = join(station.home, 'audit.zip')
  await answerSaveDialog(station.app, bundle)
  await page.getByRole('button', { name: 'Export bundle' }).click()
  await expect(page.locator('[data-part=bundle]')).toContainText('saved and checked')
  expect(readFileSync(bundle).subarray(0, 2).toString()).toBe('PK')

  await page.getByLabel('Unit', { exact: true }).fill('PB-0003')
  await page.getByLabel('Outcome').selectOption('confirmed')
  await expect(page.locator('[data-seq]')).toHaveCount(1)
  await expect(page.locator('[data-seq]')).toContainText('PB-0003')
  await picture(page, '50-log-narrowed')
  await page.getByLabel('Up to').fill('2001-01-01')
  await page.getByLabel('Up to').blur()
  await expect(page.getByText('No entry matches')).toBeVisible()
  await expect(state).toContainText('The log holds')
  await page.getByRole('button', { name: 'Clear the filter' }).click()
  await expect(page.locator('[data-seq]').first()).toBeVisible()

  await page.getByLabel('Unit', { exact: true }).fill('PB-0003')
  await page.getByLabel('Unit', { exact: true }).blur()
  await page.locator('[data-seq][data-kind=outcome]').click()
  await page.getByRole('button', { name: 'Unit history' }).click()
  const history = page.locator('[data-part=unit-history]')
  await expect(history).toContainText('History of PB-0003')
  await expect(history).toContainText('slot-write-done')
  await picture(page, '51-unit-history')
  await page.keyboard.press('Escape')
  await expect(history).toHaveCount(0)
})

for (const colorScheme of ['dark', 'light'] as const) {
  test(`no view breaks an accessibility rule that a machine can check (${colorScheme})`, async ({ station }) => {
    const { app, page } = station
    await eightAttached(page)
    await app.evaluate(({ nativeTheme }, theme) => {
      nativeTheme.themeSource = theme
    }, colorScheme)
    await page.emulateMedia({ reducedMotion: 'reduce' })
    const wrongs: string[] = []
    for (const name of ['Line', 'Signing', 'Images', 'Keys', 'Boards', 'Log', 'Settings'] as const) {
      await view(page, name).click()
      await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1)
      if (name === 'Log') await expect(page.locator('[data-part=verdict]')).toBeVisible()
      wrongs.push(...await breaches(page, name))
    }
    await view(page, 'Keys').click()
    await page.getByRole('button', { name: 'From a token' }).click()
    await expect(page.getByRole('dialog')).toBeVisible()
    wrongs.push(...await breaches(page, 'Token sheet', '[role=dialog]'))
    expect(wrongs).toEqual([])
  })
}
