// Any image under the lamp: a proven one, one whose bytes were changed, two side by side, and the room in the slots.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { answerOpenDialog, answerSaveDialog, command, eightAttached, expect, picture, test, view, writeFirmware } from './station-window.ts'

test('an image is shown with what is proven, a changed one is caught, and two versions differ where they differ', async ({ station }) => {
  const { app, page, home } = station
  await eightAttached(page)
  const firmware = join(home, 'app.bin')
  writeFirmware(firmware)
  await view(page, 'Signing').click()
  await answerOpenDialog(app, firmware)
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await page.getByRole('radio', { name: /practice/ }).click()
  const made: string[] = []
  for (const version of ['1.0.0', '2.0.0']) {
    const target = join(home, `app-${version}.bin`)
    made.push(target)
    await answerSaveDialog(app, target)
    await page.getByLabel('Version').fill(version)
    await page.getByRole('button', { name: 'Sign and save' }).click()
    await expect(page.locator('[data-part=signed]')).toContainText(version)
  }
  const [one = '', two = ''] = made
  const broken = join(home, 'changed.bin')
  const bytes = readFileSync(one)
  bytes[0x300] = (bytes[0x300] ?? 0) ^ 1
  writeFileSync(broken, bytes)

  await view(page, 'Images').click()
  await expect(page.getByText('No image opened')).toBeVisible()
  await answerOpenDialog(app, one)
  await page.getByRole('button', { name: 'Open an image' }).click()
  const left = page.locator('[data-image="app-1.0.0.bin"]')
  await expect(left.locator('[data-part=signature]')).toContainText('Signed with practice')
  await expect(left).toContainText('SHA256')
  await expect(page.locator('[data-mode=swap-move]')).toContainText('KiB')
  await picture(page, '40-image')
  await page.getByLabel('Slot size (bytes)').fill('0x4000')
  await page.getByLabel('Slot size (bytes)').blur()
  await expect(page.locator('[data-mode=swap-move]')).toContainText('too large')

  await answerOpenDialog(app, two)
  await page.getByRole('button', { name: 'Compare with' }).click()
  await expect(page.locator('[data-differs=version]')).toContainText('2.0.0')
  await expect(page.locator('[data-differs="header payloadBytes"]')).toHaveCount(0)
  await picture(page, '41-two-images')

  await answerOpenDialog(app, broken)
  await page.getByRole('button', { name: 'Compare with' }).click()
  await expect(page.locator('[data-image="changed.bin"]')).toContainText('does not match its own SHA256 hash')
  await expect(page.locator('[data-differs="hash check"]')).toContainText('differs')

  const junk = join(home, 'notes.bin')
  writeFileSync(junk, 'these are not the bytes you are looking for')
  await answerOpenDialog(app, junk)
  await page.getByRole('button', { name: 'Another' }).click()
  await expect(page.locator('[data-image="notes.bin"]').getByRole('alert')).toContainText('MCUboot')
  await expect(page.locator('[data-part=room]')).toHaveCount(0)
})

test('a firmware package is shown as layers with what was proven, and one whose signature was changed is refused', async ({ open, home }) => {
  const firmware = join(home, 'app.bin')
  const signed = join(home, 'app.signed.bin')
  const packed = join(home, 'app.p7m')
  writeFirmware(firmware)
  const first = await open()
  await eightAttached(first.page)
  await view(first.page, 'Signing').click()
  await answerOpenDialog(first.app, firmware)
  await answerSaveDialog(first.app, signed)
  await first.page.getByRole('button', { name: 'Choose firmware' }).click()
  await first.page.getByRole('radio', { name: /practice/ }).click()
  await first.page.getByLabel('Version').fill('1.4.0')
  await first.page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(first.page.locator('[data-part=signed]')).toContainText('1.4.0')
  await first.app.close()
  command('package', 'make', signed, packed, '--home', home, '--key', 'practice', '--hardware', '1.3.6.1.4.1.99999.1', '--id', '1.3.6.1.4.1.99999.2', '--description', 'Pump controller', '--compress')

  const { app, page } = await open()
  await eightAttached(page)
  await view(page, 'Images').click()
  await answerOpenDialog(app, packed)
  await page.getByRole('button', { name: 'Open an image' }).click()
  const shown = page.locator('[data-part=package]')
  await expect(shown).toContainText('Pump controller')
  await expect(shown.locator('[data-layer=signed]')).toBeVisible()
  await expect(shown.locator('[data-layer=image]')).toContainText('1.4.0')
  await expect(shown).toContainText('1.3.6.1.4.1.99999.1')
  await expect(page.locator('[data-part=signature]')).toContainText('Signed with practice')
  await picture(page, '42-package')

  const bytes = readFileSync(packed)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  const changed = join(home, 'changed.p7m')
  writeFileSync(changed, bytes)
  await answerOpenDialog(app, changed)
  await page.getByRole('button', { name: 'Another' }).click()
  await expect(page.locator('[data-image="changed.p7m"]').getByRole('alert')).toContainText(/signature/i)
  await expect(shown).toHaveCount(0)
})
