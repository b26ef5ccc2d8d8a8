// Firmware packages through the window: the practice line gets bootloaders that unpack them, the recipe sends the package
// whole, and the batch's receipts are signed, saved and verified.
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { breaches } from './axe.ts'
import { answerOpenDialog, answerSaveDialog, command, eightAttached, expect, picture, test, view, writeFirmware } from './station-window.ts'

const hardware = '1.3.6.1.4.1.99999.7.1'

test('a package goes out whole, the boards unpack it, one goes back, and what the station signed of it verifies', async ({ open, home }) => {
  const at = (name: string) => join(home, name)
  writeFirmware(at('app.bin'))
  const own = ['--home', home]
  command('sign', at('app.bin'), at('app.img'), '--key', 'practice', '-v', '1.4.0', '-H', '0x200', '--pad-header', '-S', '0x69000', ...own)
  command('package', 'certify', at('station.crt'), '--key', 'practice', '--name', 'Line station', '--role', 'both', ...own)
  command('package', 'make', at('app.img'), at('app.cms'), '--key', 'practice', '--hardware', hardware, '--id', '1.3.6.1.4.1.99999.2', '--description', 'Pump controller', ...own)

  const { app, page, complaints } = await open()
  await eightAttached(page)
  await page.getByRole('button', { name: 'Practice line' }).click()
  await page.getByLabel('Boards', { exact: true }).fill('3')
  await page.getByLabel('Faults').fill('2:fails-proof,3:power-cut@9')
  await page.getByLabel('Their bootloader takes').selectOption('unwrap')
  await picture(page, '60-practice-loader')
  expect(await breaches(page, 'Sheet', '[role=dialog]')).toEqual([])
  await page.getByRole('button', { name: 'Restart practice boards' }).click()
  await expect(page.getByRole('dialog')).toBeHidden({ timeout: 30_000 })
  await eightAttached(page, 3)

  await answerOpenDialog(app, at('app.cms'))
  await page.getByRole('button', { name: /^(Choose image|Change)/ }).click()
  await page.getByRole('button', { name: 'Recipe', exact: true }).click()
  await page.getByLabel('Of a firmware package, send').selectOption('whole')
  await page.getByLabel('Hardware type of the boards').fill(hardware)
  await picture(page, '61-recipe-package')
  expect(await breaches(page, 'Sheet', '[role=dialog]')).toEqual([])
  await page.getByRole('button', { name: 'Done' }).click()
  await page.getByRole('button', { name: 'Start' }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(2, { timeout: 90_000 })
  await expect(page.locator('[data-bay="2"]')).toHaveAttribute('data-look', 'reverted', { timeout: 60_000 })
  await picture(page, '62-package-confirmed')

  await view(page, 'Log').click()
  await page.getByRole('tab', { name: 'Figures' }).click()
  await page.getByRole('button', { name: 'Receipts' }).click()
  await page.getByLabel('Key that signs').selectOption('practice')
  await answerSaveDialog(app, at('receipts.zip'))
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.locator('[data-part=receipts-saved]')).toContainText('Receipts: 2. Error reports: 1.')
  await expect(page.locator('[data-part=receipts-saved]')).toContainText('Line station')
  await picture(page, '63-receipts')
  expect(await breaches(page, 'Sheet', '[role=dialog]')).toEqual([])
  expect(complaints).toEqual([])

  mkdirSync(at('out'))
  execFileSync('unzip', ['-q', at('receipts.zip'), '-d', at('out')])
  const files = execFileSync('find', [at('out'), '-name', '*.cms'], { encoding: 'utf8' }).trim().split('\n')
  expect(files.filter((file) => file.endsWith('.error.cms')).map((file) => /PB-\d+/.exec(file)?.[0])).toEqual(['PB-0002'])
  for (const file of files) expect(command('package', 'verify-receipt', file, '--trust', at('station.crt'), '--json', ...own)).toContain('"holds":true')
})
