// The first hour at a station: the guide to a whole practice batch, the first board and what is between it and the person,
// the bay map taught by pressing bays; and how all of it looks in every theme and size.
import { eightAttached, expect, picture, test, view } from './station-window.ts'

test('first start: the guide ticks itself off to a finished batch, says where the first board goes, and does not come back', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  const guide = page.locator('[data-part=guide]')
  await expect(guide.locator('[data-done=true]')).toHaveCount(1)
  await picture(page, '40-guide')
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(guide.locator('[data-done=true]')).toHaveCount(3, { timeout: 90_000 })
  await page.locator('[data-bay="2"]').click()
  await expect(guide).toContainText('That was a whole batch')
  await picture(page, '41-guide-done')
  await page.keyboard.press('Escape')

  // A practice board stands in for the first real one: nothing else is plugged into this machine.
  await guide.getByRole('button', { name: 'Connect my first board' }).click()
  const sheet = page.getByRole('dialog')
  await sheet.getByRole('button', { name: 'Check this port' }).click()
  await expect(sheet.locator('[data-finding=answers]')).toContainText('MCUboot', { timeout: 20_000 })
  await picture(page, '42-first-board')
  await sheet.getByRole('button', { name: 'To the line' }).click()
  await page.reload()
  await expect(page.locator('[data-bay="1"]')).toBeVisible()
  await expect(guide).toBeHidden()
})

test('the bay map: laid out, taught by pressing bays, and the line stands as the fixture does', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Bay map' }).click()
  const sheet = page.getByRole('dialog')
  await sheet.getByLabel('Rows').fill('2')
  await sheet.getByLabel('Columns').fill('5')
  await sheet.getByRole('button', { name: 'Lay out' }).click()
  await sheet.getByLabel('Board to teach').selectOption('PB-0001')
  await sheet.locator('[data-map-bay="10"]').click()
  await expect(sheet.locator('[data-part=teach]')).toContainText('Bay 10 is')
  await expect(page.locator('button.tile[data-bay="10"]')).toContainText('PB-0001')
  await picture(page, '43-bay-map')
  await sheet.getByRole('button', { name: 'Blink this one' }).click()
  await expect(sheet.getByRole('button', { name: 'Blinking' })).toBeDisabled()
  await expect(sheet.getByRole('button', { name: 'Blink this one' })).toBeEnabled({ timeout: 10_000 })
  await page.keyboard.press('Escape')
  await page.getByRole('navigation').getByRole('button', { name: 'Operator' }).click()
  const [first, last] = [page.locator('[data-bay="1"]'), page.locator('[data-bay="10"]')]
  await expect(last).toHaveAttribute('data-look', 'ready')
  const [top, bottom] = [(await first.boundingBox())!, (await last.boundingBox())!]
  expect(bottom.y).toBeGreaterThan(top.y)
  expect(bottom.x).toBeGreaterThan(top.x)
})

test('high contrast is chosen in the settings and kept over a restart', async ({ open, home }) => {
  const first = await open(home)
  await view(first.page, 'Settings').click()
  await first.page.getByRole('radio', { name: 'High contrast' }).click()
  await expect(first.page.locator('html')).toHaveAttribute('data-theme', 'contrast')
  await picture(first.page, '44-settings-contrast')
  await first.app.close()
  const again = await open(home)
  await eightAttached(again.page)
  await expect(again.page.locator('html')).toHaveAttribute('data-theme', 'contrast')
  await picture(again.page, '45-line-contrast')
  expect([...first.complaints, ...again.complaints]).toEqual([])
})
