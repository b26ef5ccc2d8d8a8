// The desk's folded options: what is set there reaches the image, the sizes are said before anything is signed and hold
// afterwards, and with everything open the desk keeps axe's rules and stays usable at 200 %.
import { generateKeyPairSync } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { breachesInBothThemes } from './axe.ts'
import { answerOpenDialog, answerSaveDialog, command, eightAttached, expect, picture, test, view, writeFirmware, type StationWindow } from './station-window.ts'

/** Firmware and key chosen, a version typed, everything unfolded. */
async function atTheDesk({ app, page, home }: StationWindow): Promise<void> {
  await eightAttached(page)
  const firmware = join(home, 'app.bin')
  writeFirmware(firmware)
  // Sixty-four vectors, whose table asks for 256 bytes of header.
  const bytes = readFileSync(firmware)
  for (let vector = 2; vector < 64; vector++) bytes.writeUInt32LE(0x0000_c201 + 16 * vector, 4 * vector)
  writeFileSync(firmware, bytes)
  await view(page, 'Signing').click()
  await answerOpenDialog(app, firmware)
  await page.getByRole('button', { name: 'Choose firmware' }).click()
  await page.getByRole('radio', { name: /practice/ }).click()
  await page.getByLabel('Version', { exact: true }).fill('3.1.4')
  await page.locator('[data-part=more] summary').click()
}

const freeIn = (page: Page, mode: string) => page.locator(`[data-part=size] tr[data-mode="${mode}"] td`).last()
const imageBytes = async (page: Page) => Number((await page.locator('[data-part=size] .sum dd').innerText()).replace(/\D/g, ''))

test('sizes are said for every swap mode before signing, follow each option, and are those of the image', async ({ station }) => {
  const { app, page, home } = station
  await atTheDesk(station)
  await expect(page.locator('[data-part=size] tr[data-mode]')).not.toHaveCount(0)
  const plain = await imageBytes(page)
  await page.getByLabel('Slot size (bytes)').fill('0x5200')
  await expect(freeIn(page, 'swap-move')).toContainText('too large')
  await expect(freeIn(page, 'overwrite')).not.toContainText('too large')
  await page.getByLabel('Slot size (bytes)').fill('0x10000')
  await expect(freeIn(page, 'swap-move')).not.toContainText('too large')

  await page.getByLabel('Hash --sha').selectOption('512')
  await page.getByLabel('Public key in the image').selectOption('full')
  await expect.poll(() => imageBytes(page)).toBeGreaterThan(plain)
  const larger = await imageBytes(page)
  await page.getByLabel('Trailer', { exact: false }).first().selectOption('test')
  await answerSaveDialog(app, join(home, 'app.signed.bin'))
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.locator('[data-part=signed]')).toContainText('3.1.4')
  const inspected = JSON.parse(command('inspect', join(home, 'app.signed.bin'), '--json')) as { imageBytes: number }
  expect(inspected.imageBytes).toBe(larger)
  expect(readFileSync(join(home, 'app.signed.bin')).length).toBe(0x10000)
})

test('every option that is set in the window is in the image; a wrong one is said beside it, and one press takes all back', async ({ station }) => {
  const { app, page, home } = station
  await atTheDesk(station)
  await page.getByRole('button', { name: 'Add an image' }).click()
  await page.getByRole('button', { name: 'Add an image' }).click()
  await expect(page.locator('[data-part=missing]')).toContainText('a correction where a field is marked')
  await page.getByLabel('Lowest version').first().fill('1.2.3+4')
  await page.getByRole('button', { name: 'Remove image 1' }).last().click()
  for (const [tag, value] of [['0x00a0', 'typed'], ['0x00a1', '0x0badcafe']] as const) {
    await page.getByRole('button', { name: 'Add a TLV' }).click()
    await page.getByLabel('Tag').last().fill(tag)
    await page.getByLabel('Value', { exact: true }).last().fill(value)
  }
  await view(page, 'Keys').click()
  await view(page, 'Signing').click()
  await page.locator('[data-part=more] summary').click()
  await page.getByRole('button', { name: 'Add a TLV' }).click()
  await page.getByLabel('Tag').last().fill('0x1')
  await expect(page.locator('[data-part=missing]')).toBeVisible()
  await page.getByLabel('Tag').last().fill('0x00a2')
  await page.getByLabel('Boot record').fill('SPE')
  await page.getByLabel('Vendor').fill('example.org')
  await page.getByLabel('Class of device').fill('lamp')
  await page.getByLabel('Address in RAM').fill('0x20010000')
  await page.getByLabel('Not to be booted').check()
  await page.getByRole('radio', { name: 'A number' }).click()
  await page.getByLabel('Counter value').fill('77')
  writeFileSync(join(home, 'board.pub'), generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }))
  await answerOpenDialog(app, join(home, 'board.pub'))
  await page.getByRole('button', { name: 'Encrypt for a key' }).click()
  await page.getByLabel('AES key').selectOption('256')
  await page.getByLabel('Leave the firmware readable').check()
  await expect(page.locator('[data-part=more] .changed')).toHaveText('11 changed')
  await answerSaveDialog(app, join(home, 'all.bin'))
  await page.getByRole('button', { name: 'Sign and save' }).click()
  await expect(page.locator('[data-part=signed]')).toContainText('3.1.4')
  const { header, tlvs } = JSON.parse(command('inspect', join(home, 'all.bin'), '--json')) as { header: { loadAddress: number; flagNames: string[] }; tlvs: { name: string; type: number; hex: string }[] }
  expect(header.flagNames).toEqual(expect.arrayContaining(['NON_BOOTABLE', 'RAM_LOAD', 'ENCRYPTED_AES256']))
  expect(header.loadAddress).toBe(0x2001_0000)
  expect(tlvs.map(({ name }) => name)).toEqual(expect.arrayContaining(['SEC_CNT', 'DEPENDENCY', 'BOOT_RECORD', 'UUID_VID', 'UUID_CID', 'ENCX25519']))
  expect(tlvs.filter(({ type }) => type >= 0xa0 && type <= 0xa2).map(({ hex }) => hex)).toEqual([Buffer.from('typed').toString('hex'), '0badcafe', ''])

  await page.getByRole('button', { name: 'Back to what imgtool does by itself' }).click()
  await expect(page.locator('[data-part=more] .changed')).toHaveCount(0)
  await page.getByLabel('Header size from the vector table').check()
  await expect(page.getByText('From the vector table: 256.')).toBeVisible()
})

test('with everything open the desk keeps axe\'s rules in both themes, and nothing is cut off at 200 %', async ({ station }) => {
  const { app, page, home } = station
  await atTheDesk(station)
  writeFileSync(join(home, 'board.pub'), generateKeyPairSync('x25519').publicKey.export({ type: 'spki', format: 'pem' }))
  await answerOpenDialog(app, join(home, 'board.pub'))
  await page.getByRole('button', { name: 'Encrypt for a key' }).click()
  await page.getByRole('button', { name: 'Add an image' }).click()
  await expect(page.getByText('Three numbers, and a build number if you use one').last()).toBeVisible()
  await expect(page.locator('[data-part=size]')).toContainText('Still needed: a correction where a field is marked.')
  await page.getByLabel('Lowest version').fill('1.0.0')
  await page.getByRole('button', { name: 'Add a TLV' }).click()
  await page.getByRole('radio', { name: 'A number' }).click()
  await page.getByLabel('Counter value').fill('3')
  await page.getByLabel('Compression').selectOption('lzma2')
  await expect(page.locator('[data-part=size] tr[data-mode]')).not.toHaveCount(0)
  expect(await breachesInBothThemes(page, 'Signing')).toEqual([])
  await page.locator('[data-part=more]').scrollIntoViewIfNeeded()
  await page.locator('[data-part=more] legend').first().evaluate((legend) => legend.scrollIntoView())
  await picture(page, '15-desk-options')
  await page.locator('[data-part=more] legend').nth(2).evaluate((legend) => legend.scrollIntoView())
  await picture(page, '16-desk-options-content')
  await page.locator('[data-part=more] legend').last().evaluate((legend) => legend.scrollIntoView())
  await picture(page, '17-desk-options-seal')

  await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.setZoomFactor(2))
  await expect.poll(() => page.evaluate(() => innerWidth)).toBeLessThan(700)
  const wide = await page.evaluate(() => {
    const body = document.querySelector('.view-body') as HTMLElement
    const edge = body.getBoundingClientRect().right
    return [...body.querySelectorAll('input, select, button, dd, td, legend')].filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > edge + 1).map((one) => `${one.tagName} ${one.id} ${one.textContent?.trim().slice(0, 30)}`)
  })
  expect(wide).toEqual([])
})
