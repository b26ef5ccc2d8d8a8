// Settings in the real window: where updates come from, what was found there, and the licences of what ships.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { command, expect, picture, test } from './station-window.ts'

test('a release is set up, looked for and refused in words; licences are there to read', async ({ station: { page, home } }) => {
  const releases = join(home, 'releases')
  mkdirSync(releases)
  writeFileSync(join(releases, 'slotwright-9.0.0-x64.deb'), 'a package')
  const elsewhere = join(home, 'publisher')
  const keyFile = join(home, 'publisher.pem')
  command('keygen', '--type', 'ed25519', '--out', keyFile, '--no-passphrase', '--home', elsewhere)
  const made = JSON.parse(command('update', 'make', releases, '--key', keyFile, '--name', 'updates.example', '--release', '9.0.0', '--notes', 'Lines start twice as fast.', '--json', '--home', elsewhere)) as { key: string }

  await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Settings' }).click()
  const updates = page.locator('[data-part="updates"]')
  await expect(updates.getByRole('status')).toHaveText('Updates are off.')
  await updates.getByLabel('Where releases lie').fill('releases')
  await updates.getByLabel("Publisher's key").fill(made.key)
  await updates.getByRole('button', { name: 'Save' }).click()
  await expect(updates.getByRole('alert')).toContainText('do not fit')
  await updates.getByLabel('Where releases lie').fill(releases)
  await updates.getByRole('button', { name: 'Save' }).click()
  await expect(updates.getByRole('status')).toContainText('Not looked yet.')
  await updates.getByRole('button', { name: 'Look now' }).click()
  await expect(updates).toContainText('Lines start twice as fast.')
  // This very program runs from its sources, and says what it cannot do about the release.
  await expect(updates.getByRole('alert')).toContainText('runs from its sources')
  await picture(page, 'settings-updates')

  await page.getByRole('button', { name: 'Licences of what is in it…' }).click()
  await expect(page.getByRole('dialog').locator('pre')).toContainText('better-sqlite3')
  await picture(page, 'settings-licences')
})
