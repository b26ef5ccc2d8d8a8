// Signing in the window and running the line with what was signed. The native dialogs are answered in their stead; all
// else is the real thing.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerOpenDialog, answerSaveDialog, eightAttached, expect, picture, test, view, writeFirmware } from './station-window.ts'

test('sign an image at the desk, load it on the line, and eight boards run it', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  const firmware = join(home, 'app.bin')
  const target = join(home, 'app.signed.bin')
  writeFirmware(firmware)

  await view(page, 'Signing').click()
  await expect(page.getByRole('button', { name: 'Sign and save' })).toBeDisabled()
  await answerOpenDialog(app, firmware)
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await expect(page.locator('#desk').getByText('20,000 B')).toBeVisible()
  await page.getByRole('radio', { name: /practice/ }).click()
  await page.getByLabel('Version').fill('1.2')
  await page.getByLabel('Version').blur()
  await expect(page.getByText('A version is three numbers')).toBeVisible()
  await expect(page.locator('[data-part=missing]')).toContainText('a version')
  await page.getByLabel('Version').fill('2.0.1')

  await answerSaveDialog(app, null)
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.getByText('no place to save was chosen')).toBeVisible()
  expect(existsSync(target)).toBe(false)

  await answerSaveDialog(app, target)
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.locator('[data-part=signed]')).toContainText('2.0.1')
  await expect(page.locator('[data-part=signed]')).toContainText('app.signed.bin')
  expect(existsSync(target)).toBe(true)
  await picture(page, '10-signed')

  await page.getByRole('button', { name: 'Load it on the line' }).click()
  await expect(page.locator('[data-part=image-name]')).toHaveText('app.signed.bin')
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
  await expect(page.locator('[data-bay="8"]')).toContainText('2.0.1')

  await view(page, 'Boards').click()
  await page.locator('[data-port]').first().getByRole('button', { name: 'Ask' }).click()
  await expect(page.locator('[data-part=board] .slots .active')).toContainText('2.0.1')
  await picture(page, '11-boards')
})

test('a file that is no image is refused on the line with a sentence, and the sample stays usable', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  const junk = join(home, 'notes.bin')
  writeFileSync(junk, 'these are not the bytes you are looking for'.repeat(20))
  await answerOpenDialog(app, junk)
  await page.getByRole('button', { name: 'Change' }).click()
  await expect(page.getByRole('button', { name: 'Start' })).toBeDisabled()
  await expect(page.locator('#why-not')).toContainText('Choose an image')
  await expect(page.getByRole('alert')).toContainText('No MCUboot image')
  await picture(page, '12-not-an-image')
  await page.getByRole('button', { name: 'Use the sample image' }).click()
  await expect(page.getByRole('button', { name: 'Start' })).toBeEnabled()
  await expect(page.getByRole('alert')).toHaveCount(0)
})

test('keys: a production key needs its passphrase, is made, unlocks only with the right one, and can be retired', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  await view(page, 'Keys').click()
  await expect(page.locator('[data-key=practice]')).toContainText('Test')
  await page.getByRole('button', { name: 'Make a key' }).click()
  await page.getByLabel('Name').fill('release-2026')
  await expect(page.getByRole('button', { name: 'Make the key' })).toBeDisabled()
  await page.getByLabel('New passphrase').fill('correct horse')
  await page.getByLabel('The same again').fill('correct house')
  await expect(page.getByText('The two are not the same')).toBeVisible()
  await page.getByLabel('The same again').fill('correct horse')
  await picture(page, '13-make-key')
  await page.getByRole('button', { name: 'Make the key' }).click()
  await expect(page.locator('[data-key="release-2026"]')).toContainText('Production')
  await picture(page, '14-keys')

  const firmware = join(home, 'app.bin')
  writeFirmware(firmware)
  await view(page, 'Signing').click()
  await answerOpenDialog(app, firmware)
  await answerSaveDialog(app, join(home, 'app.signed.bin'))
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await page.getByRole('radio', { name: /release-2026/ }).click()
  await page.getByLabel('Version').fill('1.0.1')
  await page.getByLabel('Passphrase of release-2026').fill('wrong')
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.getByRole('alert')).toContainText(/passphrase/i)
  expect(existsSync(join(home, 'app.signed.bin'))).toBe(false)
  await expect(page.getByLabel('Passphrase of release-2026')).toHaveValue('')
  await page.getByLabel('Passphrase of release-2026').fill('correct horse')
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.locator('[data-part=signed]')).toContainText('release-2026')

  await view(page, 'Keys').click()
  await page.locator('[data-key="release-2026"]').getByRole('button', { name: 'Retire' }).click()
  await page.getByRole('button', { name: 'Retire the key' }).click()
  await expect(page.locator('[data-key="release-2026"]')).toContainText('Retired')
})
