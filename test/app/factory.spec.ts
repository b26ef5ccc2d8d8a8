// The factory's own systems in the settings of the real window: a place for events is added, tried and removed, the interface
// gets a token and is turned on, and each secret is seen once.
import { mkdirSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { breaches } from './axe.ts'
import { answerOpenDialog, expect, picture, test, view } from './station-window.ts'

test('events go to an address and a folder; what does not arrive says why; each secret is shown once', async ({ station: { app, page, home } }) => {
  const receiver = createServer((request, response) => { request.resume(); response.writeHead(422).end() })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/events`
  await view(page, 'Settings').click()
  const hooks = page.locator('[data-part="hooks"]')
  await expect(hooks).toContainText('Off: no place is named.')
  await hooks.getByLabel('Address of the receiver').fill(address)
  await hooks.getByRole('button', { name: 'Add the address' }).click()
  await expect(hooks.getByRole('alert')).toContainText('addresses inside the house only')
  await hooks.getByLabel('It lies in the house\'s own network').check()
  await hooks.getByRole('button', { name: 'Add the address' }).click()
  await expect(hooks.locator('code')).toHaveText(/^whsec_[A-Za-z0-9+/]{43}=$/)
  await picture(page, '70-settings-hook-secret')
  await hooks.getByRole('button', { name: 'I have it' }).click()
  await expect(hooks.locator('code')).toHaveCount(0)
  await hooks.getByRole('button', { name: 'Send a test' }).click()
  await expect(hooks.getByRole('alert')).toContainText('does not take this event (422)')

  const folder = join(home, 'incoming')
  mkdirSync(folder)
  await answerOpenDialog(app, null)
  await hooks.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(hooks.getByRole('listitem')).toHaveCount(1)
  await answerOpenDialog(app, folder)
  await hooks.getByRole('button', { name: 'Add a folder…' }).click()
  await expect(hooks.getByRole('listitem')).toHaveCount(2)
  await hooks.getByRole('listitem').nth(1).getByRole('button', { name: 'Send a test' }).click()
  await expect(hooks.getByRole('listitem').nth(1)).toContainText('The test arrived.')
  expect(readdirSync(folder).filter((name) => name.includes('-test-'))).toHaveLength(1)
  // A refusal is something to tell.
  await page.evaluate(async () => {
    const sample = await window.slotwright.call('sampleFile', {})
    if (sample.ok) await window.slotwright.call('startReleased', { recipe: 'r000000000000', file: sample.value.file })
  })
  await expect(hooks.getByRole('listitem').nth(0)).toContainText('Not told yet:', { timeout: 10_000 })
  const aside = hooks.getByRole('group', { name: 'Put aside' })
  await expect(aside).toContainText('One was put aside.', { timeout: 15_000 })
  await aside.getByText('One was put aside.').click()
  await expect(aside.getByText('does not take this event (422). Put aside after 3 attempts')).toBeVisible()
  await picture(page, '71-settings-hooks')
  expect(await breaches(page, 'Settings')).toEqual([])

  await hooks.getByRole('listitem').nth(0).getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await expect(hooks.getByRole('listitem')).toHaveCount(1)
  await expect(hooks).toContainText('incoming')
  await new Promise((resolve) => receiver.close(resolve))
})

test('the interface is off, gets a token, listens where it says, and is turned off again', async ({ station: { page } }) => {
  await view(page, 'Settings').click()
  const plate = page.locator('[data-part="factory-api"]')
  await expect(plate.getByRole('status')).toHaveText('It is off.')
  await plate.getByRole('button', { name: 'Make the token' }).click()
  const token = await plate.locator('code').innerText()
  expect(token).toMatch(/^[A-Za-z0-9_-]{22}$/)
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const port = String((taken.address() as AddressInfo).port)
  await plate.getByLabel('Port').fill('80')
  await expect(plate.getByRole('button', { name: 'Turn on' })).toBeDisabled()
  await plate.getByLabel('Port').fill(port)
  await plate.getByRole('button', { name: 'Turn on' }).click()
  await expect(plate.getByRole('alert')).toContainText('taken by another program')
  await new Promise((resolve) => taken.close(resolve))
  await plate.getByRole('button', { name: 'Turn off' }).click()
  await plate.getByRole('button', { name: 'Turn on' }).click()
  await expect(plate.getByRole('status')).toHaveText(`It listens at http://127.0.0.1:${port}.`)
  const asked = (path: string, as: string) => fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${as}` } })
  expect(await (await asked('/v1/status', token)).json()).toMatchObject({ name: 'Slotwright', batch: null })
  expect((await asked('/v1/status', 'guessed')).status).toBe(401)
  await expect(plate).toContainText('One call without the right token or address was turned away', { timeout: 10_000 })
  await picture(page, '72-settings-factory-api')

  await plate.getByRole('button', { name: 'I have it' }).click()
  await plate.getByRole('button', { name: 'Make a new token…' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Make it' }).click()
  await expect(plate.locator('code')).not.toHaveText(token)
  expect((await asked('/v1/status', token)).status).toBe(401)
  await plate.getByRole('button', { name: 'Turn off' }).click()
  await expect(plate.getByRole('status')).toHaveText('It is off.')
  await expect(asked('/v1/status', token)).rejects.toThrow()
})
