// Starts that do not go well: a damaged database, a home that is a file. The window opens all the same and says what is
// wrong and what to do; put right, it goes on without a restart.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eightAttached, expect, picture, startAgain, test, view } from './station-window.ts'

test('a home that is a file: the window says so, and opens once it is put right', async ({ open, home }) => {
  const blocked = join(home, 'taken')
  writeFileSync(blocked, 'a file where the home should be')
  const { page } = await open(blocked)
  await expect(page.getByRole('alert')).toContainText('The station could not open')
  await expect(page.getByRole('alert')).toContainText('--home')
  await expect(page.getByRole('navigation')).toHaveCount(0)
  rmSync(blocked)
  mkdirSync(blocked)
  await page.getByRole('button', { name: 'Try again' }).click()
  await eightAttached(page)
})

test('a damaged database: the window says what to do, shows no stack trace and leaves the file alone', async ({ open, home }) => {
  const first = await open()
  await eightAttached(first.page)
  await first.app.close()
  const database = join(home, databaseName)
  const bytes = readFileSync(database)
  bytes.fill(0x5a, 0, 4096)
  writeFileSync(database, bytes)

  const { page } = await open()
  const alert = page.getByRole('alert')
  await expect(alert).toContainText('The station could not open')
  await expect(alert).not.toContainText(/\bat .*:\d+:\d+|Error:/)
  await picture(page, '20-damaged-database')
  expect(readFileSync(database).equals(bytes)).toBe(true)
})

test('theme and person are kept for the next start', async ({ open }) => {
  const first = await open()
  await eightAttached(first.page)
  await view(first.page, 'Settings').click()
  const person = first.page.getByLabel('Person at the station')
  await person.fill('Ada Lovelace')
  await first.page.locator('form').filter({ has: person }).getByRole('button', { name: 'Save' }).click()
  await expect(first.page.getByText('Saved', { exact: true })).toBeVisible()
  await first.page.getByRole('radio', { name: 'Dark' }).click()
  await expect.poll(() => first.app.evaluate(({ nativeTheme }) => nativeTheme.shouldUseDarkColors)).toBe(true)
  await picture(first.page, '21-settings')
  await first.app.close()

  const { app, page } = await open()
  await eightAttached(page)
  expect(await app.evaluate(({ nativeTheme }) => nativeTheme.themeSource)).toBe('dark')
  await view(page, 'Settings').click()
  await expect(page.getByLabel('Person at the station')).toHaveValue('Ada Lovelace')
})

test('a second start on the same home ends at once and leaves the first one its station', async ({ open, home }) => {
  const { page } = await open()
  await eightAttached(page)
  const code = await new Promise((resolve) => {
    startAgain(home).on('exit', resolve)
  })
  expect(code).toBe(0)
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-look=working]').first()).toBeVisible()
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.locator('[data-bay][data-look=stopped]')).toHaveCount(8, { timeout: 60_000 })
})

const databaseName = 'slotwright.db'
