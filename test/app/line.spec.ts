// The main job in the window: eight practice boards from attached to CONFIRMED with one press, a board's history, a log
// that holds; and the board whose new firmware fails its proof.
import { eightAttached, expect, picture, test, view } from './station-window.ts'

test('first start: eight boards attached, one press, eight CONFIRMED, and the log holds', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await expect(page.locator('[data-part=practice-note]')).toContainText('practice boards')
  await expect(page.getByRole('button', { name: 'Start' })).toBeEnabled()
  await picture(page, '01-line-attached')

  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-look=working]').first()).toBeVisible()
  // A good part of the way, so that the picture shows gauges that move.
  await expect.poll(async () => Number(await page.getByRole('progressbar').first().getAttribute('aria-valuenow'))).toBeGreaterThan(30)
  await picture(page, '02-line-running')
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
  await expect(page.locator('[data-outcome=confirmed]')).toContainText('8')
  await expect(page.locator('[data-part=announced-end]')).toContainText('8 good, 0 not good')
  await expect(page.getByRole('button', { name: 'Start' })).toBeVisible()
  await picture(page, '03-line-confirmed')

  await page.locator('[data-bay="3"]').click()
  const history = page.getByRole('complementary', { name: 'Bay 3' })
  await expect(history.locator('[data-step]').first()).toBeVisible()
  await expect(history.locator('.word')).toHaveText('Confirmed')
  expect(await history.locator('[data-step]').count()).toBeGreaterThan(6)
  await picture(page, '04-board-history')
  await page.keyboard.press('Escape')

  await view(page, 'Log').click()
  await page.getByRole('button', { name: 'Verify' }).click()
  await expect(page.locator('[data-part=verdict]')).toContainText('The log holds')
  expect(await page.locator('.rows [data-kind]').count()).toBeGreaterThan(10)
  await page.locator('.rows [data-kind=log-verified]').first().waitFor()
  await picture(page, '05-log')
  await page.getByLabel('Kind').selectOption('outcome')
  await expect(page.locator('.rows [data-kind]')).toHaveCount(8)
})

test('a board whose firmware fails its proof goes back: seven CONFIRMED, one REVERTED, and the panel says what to do', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Practice line' }).click()
  await picture(page, '06-practice-sheet')
  await page.getByLabel('Faults').fill('3:fails-proof')
  await page.getByRole('button', { name: 'Restart practice boards' }).click()
  await expect(page.getByRole('dialog')).toBeHidden({ timeout: 30_000 })
  await eightAttached(page)

  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(7, { timeout: 90_000 })
  await expect(page.locator('[data-bay="3"]')).toHaveAttribute('data-look', 'reverted', { timeout: 60_000 })
  await expect(page.locator('[data-bay="3"]')).toContainText('1.0.0')
  await page.locator('[data-bay="3"]').click()
  const panel = page.getByRole('complementary', { name: 'Bay 3' })
  await expect(panel).toContainText('What to do')
  await expect(panel.locator('[data-step].failed')).not.toHaveCount(0)
  await picture(page, '07-reverted')
})

test('practice boards of another kind: two images, encrypted, swapped through scratch; the sample is made for them and they are CONFIRMED', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Practice line' }).click()
  const sheet = page.getByRole('dialog')
  await sheet.getByLabel('Boards', { exact: true }).fill('2')
  await sheet.getByLabel('Line rate (baud)').selectOption('1000000')
  // What one choice excludes goes with it.
  await sheet.getByLabel('Their bootloader takes').selectOption('in-place')
  await expect(sheet.getByLabel('Their bootloader', { exact: true })).toHaveValue('direct-xip-revert')
  await expect(sheet.getByLabel('Images each board has')).toBeDisabled()
  await expect(sheet.getByLabel('Updates are encrypted')).toBeDisabled()
  await picture(page, '06-practice-in-place')
  await sheet.getByLabel('Their bootloader', { exact: true }).selectOption('swap-scratch')
  await expect(sheet.getByLabel('Their bootloader takes')).toHaveValue('')
  await sheet.getByLabel('Images each board has').selectOption('2')
  await sheet.getByLabel('Updates are encrypted').selectOption('256')
  await sheet.getByLabel('They keep security counters').check()
  await picture(page, '06-practice-kinds')
  await page.getByRole('button', { name: 'Restart practice boards' }).click()
  await expect(sheet).toBeHidden({ timeout: 30_000 })
  await eightAttached(page, 2)
  await expect(page.getByText('2-images-counted-sealed-256')).toBeVisible()
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(2, { timeout: 90_000 })
  await picture(page, '06-practice-kinds-confirmed')

  await page.getByRole('button', { name: 'Practice line' }).click()
  await expect(sheet.getByLabel('Their bootloader', { exact: true })).toHaveValue('swap-scratch')
  await expect(sheet.getByLabel('Updates are encrypted')).toHaveValue('256')
})

test('faults that do not exist are refused with the grammar, and the boards stay', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Practice line' }).click()
  await page.getByLabel('Faults').fill('3:explodes')
  await page.getByRole('button', { name: 'Restart practice boards' }).click()
  await expect(page.getByRole('dialog').getByRole('alert')).toContainText('BAY:FAULT')
})

test('Stop ends every run as stopped, the boards keep a bootable image, and the next Start finishes the job', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Start' }).click()
  await expect.poll(async () => Number(await page.getByRole('progressbar').first().getAttribute('aria-valuenow'))).toBeGreaterThan(10)
  await page.getByRole('button', { name: 'Stop' }).click()
  await expect(page.locator('[data-bay][data-look=stopped]')).toHaveCount(8, { timeout: 60_000 })
  await expect(page.locator('[data-part=announced-end]')).toContainText('0 good, 8 not good')
  await picture(page, '08-stopped')
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
})

test('by keyboard alone: start, walk the bays, read a history, come back', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Start' }).focus()
  await page.keyboard.press('Enter')
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
  await page.locator('[data-bay="1"]').focus()
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowDown')
  await expect(page.locator('[data-bay="6"]')).toBeFocused()
  await page.keyboard.press('Enter')
  const panel = page.getByRole('complementary', { name: 'Bay 6' })
  await expect(panel.locator('[data-step]').first()).toBeVisible()
  await page.keyboard.press('Escape')
  await expect(panel).toHaveCount(0)
  await expect(page.locator('[data-bay="6"]')).toBeFocused()
  await page.keyboard.press('Control+8')
  await expect(page.getByRole('button', { name: 'Verify' })).toBeVisible()
})

test('sixty-four practice boards: every bay in sight, none clipped', async ({ station }) => {
  const { page } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Practice line' }).click()
  await page.getByLabel('Boards', { exact: true }).fill('64')
  await page.getByRole('button', { name: 'Restart practice boards' }).click()
  await eightAttached(page, 64)
  await expect(page.locator('[data-bay="64"]')).toBeInViewport({ ratio: 1 })
  const clipped = await page.locator('[data-part=word]').evaluateAll((words) => words.filter((word) => word.scrollWidth > word.clientWidth).length)
  expect(clipped).toBe(0)
  await picture(page, '09-sixty-four')
})

test('closing the window while a batch runs asks first, and keeps running when told so', async ({ station }) => {
  const { app, page } = station
  await eightAttached(page)
  await app.evaluate(({ dialog }) => {
    Object.assign(globalThis, { asked: 0 })
    dialog.showMessageBox = () => {
      ;(globalThis as unknown as { asked: number }).asked++
      return Promise.resolve({ response: 0, checkboxChecked: false })
    }
  })
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.getByRole('button', { name: 'Stop' })).toBeVisible()
  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close())
  await expect.poll(() => app.evaluate(() => (globalThis as unknown as { asked: number }).asked)).toBe(1)
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
})
