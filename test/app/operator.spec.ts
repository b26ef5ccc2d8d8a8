// Operator mode as somebody in gloves uses it: by keys and scanner alone, to the end of a batch that a quota ends and of
// one that too many failures end; and the fixture's own arrangement.
import { eightAttached, expect, picture, test } from './station-window.ts'
import type { ElectronApplication } from '@playwright/test'

/** As a scanner types it: key after key into the window, faster than a test runner can. */
async function scan(app: ElectronApplication, code: string): Promise<void> {
  await app.evaluate(({ BrowserWindow }, text) => {
    const contents = BrowserWindow.getAllWindows()[0]!.webContents
    for (const letter of [...text, 'Return']) {
      const keyCode = letter === ' ' ? 'Space' : letter
      const modifiers = /^[A-Z:]$/.test(letter) ? ['shift' as const] : []
      contents.sendInputEvent({ type: 'keyDown', keyCode, modifiers })
      if (letter !== 'Return') contents.sendInputEvent({ type: 'char', keyCode: letter, modifiers })
      contents.sendInputEvent({ type: 'keyUp', keyCode, modifiers })
    }
  }, code)
}

test('by keys alone: into operator mode, start, eight CONFIRMED, each heard; a scanner\'s Enter presses no button', async ({ station }) => {
  const { page, app } = station
  await eightAttached(page)
  await page.evaluate(() => window.slotwright.call('layBays', { rows: 2, columns: 4 }))
  const released = await page.evaluate(async () => {
    const sample = await window.slotwright.call('sampleFile', {})
    if (!sample.ok) return sample.failure.says
    const saved = await window.slotwright.call('saveRecipe', { id: null, body: {
      recipe: { name: 'Sensor board', quota: 8, tests: [{ test: 'question', asks: 'Does the green light blink?' }] }, files: [{ sha256: sample.value.sha256 }], notes: 'Fixture A, blue lid',
    } })
    const done = saved.ok ? await window.slotwright.call('releaseRecipe', { id: saved.value.id }) : saved
    return done.ok ? done.value.state : done.failure.says
  })
  expect(released).toBe('released')
  await page.getByRole('navigation').getByRole('button', { name: 'Operator' }).press('Enter')
  const operator = page.locator('[data-part=operator]')
  await expect(operator.locator('[data-bay][data-look=ready]')).toHaveCount(8)
  expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.isFullScreen())).toBe(true)
  const start = operator.getByRole('button', { name: 'Start', exact: true })
  await expect(start).toBeFocused()
  await expect(operator.locator('[data-part=job]')).toHaveText('Sensor board')
  await expect(operator.locator('[data-part=score]')).toContainText('0 of 8 good')
  await picture(page, '30-operator-ready')

  // A code that means nothing to anybody, while Start has the focus.
  await scan(app, '4006381333931')
  await expect(operator.locator('[data-part=scanned]')).toHaveText('The code 4006381333931 means nothing here.')
  await expect(start).toBeVisible()
  await scan(app, 'recipe:Sensor board')
  await expect(operator.locator('[data-part=scanned]')).toHaveText('Recipe chosen: recipe:Sensor board')

  await start.press('Enter')
  await expect(operator.locator('[data-look=working]').first()).toBeVisible()
  // A good part of the way, so that the picture shows gauges that move.
  await expect.poll(async () => Number(await operator.getByRole('progressbar').first().getAttribute('aria-valuenow'))).toBeGreaterThan(30)
  await picture(page, '31-operator-running')
  // Each board asks; a card answers.
  const confirmed = operator.locator('[data-bay][data-look=confirmed]')
  const question = operator.locator('[data-part=question]')
  await expect(question).toContainText('Does the green light blink?', { timeout: 60_000 })
  await picture(page, '31-operator-question')
  await operator.getByRole('button', { name: 'Yes', exact: true }).click()
  for (let answered = 1; answered < 8; answered++) {
    await expect(operator.locator('[data-bay][data-look=asks]').or(confirmed)).not.toHaveCount(0)
    await expect(question).toBeVisible()
    await scan(app, 'answer:yes')
    await expect(operator.locator('[data-part=scanned]')).toHaveText('Answered.')
  }
  await expect(confirmed).toHaveCount(8, { timeout: 90_000 })
  await expect(operator.locator('[data-part=score]')).toContainText('8 of 8 good')
  await expect(operator.locator('[data-part=firstPass]')).toHaveText('100 %')
  expect(Number(await operator.locator('[data-part=sound]').getAttribute('data-sounds'))).toBeGreaterThan(1)
  await picture(page, '32-operator-confirmed')
  // Two metres: the big word is large, and every target takes a finger.
  const word = await operator.locator('[data-part=word]').first().evaluate((node) => Number.parseFloat(getComputedStyle(node).fontSize))
  expect(word).toBeGreaterThan(26)
  for (const button of await operator.getByRole('button').all()) expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(48)
  await operator.getByRole('button', { name: 'Leave operator mode' }).click()
  await expect(page.getByRole('navigation')).toBeVisible()
})

test('serial numbers are scanned for each unit, a used one is refused, and failures in a row end the batch with the reason', async ({ station }) => {
  const { page, app } = station
  await eightAttached(page)
  await page.getByRole('button', { name: 'Practice line' }).click()
  await page.getByLabel('Boards', { exact: true }).fill('3')
  await page.getByLabel('Faults').fill('1:fails-proof,2:fails-proof')
  await page.getByRole('button', { name: 'Restart practice boards' }).click()
  await expect(page.getByRole('dialog')).toBeHidden({ timeout: 30_000 })
  await eightAttached(page, 3)

  await page.getByRole('button', { name: 'Recipe', exact: true }).click()
  await page.getByLabel('Go on with boards that come later').check()
  await page.getByLabel('Stop after this many failures in a row').fill('2')
  await page.getByLabel('Serial numbers to scan look like').fill('SN-[0-9]{4}')
  await picture(page, '33-recipe-sheet')
  await page.getByRole('button', { name: 'Done' }).click()

  await page.getByRole('navigation').getByRole('button', { name: 'Operator' }).click()
  const operator = page.locator('[data-part=operator]')
  await operator.getByRole('button', { name: 'Start', exact: true }).click()
  await expect(operator.locator('[data-bay][data-look=asks]')).toHaveCount(3)
  await scan(app, 'SN-0001')
  await expect(operator.locator('[data-part=scanned]')).toHaveText('Noted for the unit: SN-0001')
  await scan(app, 'SN-0001')
  await expect(operator.locator('[data-part=scanned]')).toContainText('was given to another unit')
  await picture(page, '34-operator-scan')
  await scan(app, 'SN-0002')
  await expect(operator.getByRole('alert').filter({ hasText: 'stopped by itself' })).toContainText('2 boards in a row', { timeout: 90_000 })
  await expect(operator.locator('[data-bay][data-look=reverted]')).toHaveCount(2)
  await picture(page, '35-operator-stopped')
})
