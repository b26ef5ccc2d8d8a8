// The verifier's page in a real browser window without Node and without a network, opened as a file, as an auditor would
// open it: a good bundle holds, a changed one does not and names the entry, and nothing leaves the page.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { _electron, type ElectronApplication } from '@playwright/test'
import { unzipSync, zipSync } from 'fflate'
import { built, command, executable, expect, picture, sandbox, test } from './station-window.ts'

let app: ElectronApplication | null = null
test.afterEach(async () => {
  await app?.close()
  app = null
})

test('the page verifies a bundle offline, and names the first entry that was changed', async ({ home }) => {
  command('tour', '--home', home)
  const [good, forged] = [join(home, 'audit.zip'), join(home, 'forged.zip')]
  command('log', 'export', '--home', home, '--no-pdf', good)
  const files = unzipSync(readFileSync(good))
  const lines = new TextDecoder().decode(files['entries.jsonl']).split('\n')
  const at = lines.findIndex((line) => line.includes('"kind":"outcome"'))
  lines[at] = (lines[at] ?? '').replace('"outcome":"confirmed"', '"outcome":"unchanged"')
  writeFileSync(forged, zipSync({ ...files, 'entries.jsonl': new TextEncoder().encode(lines.join('\n')) }))

  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
  app = await _electron.launch({ executablePath: executable(), args: [...sandbox, join(import.meta.dirname, 'plain')], env: { ...env, SLOTWRIGHT_PAGE: join(built, 'out', 'verify', 'verify.html') } })
  const page = await app.firstWindow()
  const complaints: string[] = []
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(error.message))
  expect(page.url()).toMatch(/^file:/)
  expect(await page.evaluate(() => typeof (globalThis as { require?: unknown; process?: unknown }).require + typeof (globalThis as { process?: unknown }).process)).toBe('undefinedundefined')

  await page.locator('#chooser').setInputFiles(good)
  await expect(page.locator('#status')).toHaveText('The bundle holds.')
  await expect(page.locator('#findings .holds').first()).toBeVisible()
  await picture(page, '60-verify-page')
  // A checkpoint taken away earlier, dropped beside the bundle.
  const kept = join(home, 'checkpoints', readdirSync(join(home, 'checkpoints')).sort()[0] ?? '')
  await page.locator('#chooser').setInputFiles([good, kept])
  await expect(page.locator('#findings')).toContainText('The log continues your checkpoint')
  await expect(page.locator('#status')).toHaveText('The bundle holds.')
  await page.locator('#chooser').setInputFiles(forged)
  await expect(page.locator('#status')).toContainText('does not hold')
  await expect(page.locator('#what')).toHaveText('forged.zip')
  await expect(page.locator('#findings')).toContainText(`Entry ${at} is the first that was changed`)
  await picture(page, '61-verify-page-broken')
  const merged = join(home, 'merged.zip')
  command('log', 'merge', '--home', home, '--sign', merged, good)
  const key = readFileSync(join(home, 'log-key.pub'), 'utf8').trim()
  // Another log's key beside it, as of a hall that the report leaves out.
  await page.locator('#key').fill(`${key} example.com/hall-2+6736560b+AWpqP72usfdviJqaFCE6o3jvC4Ft0RXUhufTZ9uorTcT`)
  await page.locator('#chooser').setInputFiles(merged)
  await expect(page.locator('#status')).toHaveText('The merged report holds.')
  await expect(page.locator('#findings .note').first()).toContainText('nothing of the log example.com/hall-2')
  await expect(page.locator('#findings')).toContainText('was put together and signed by slotwright/log/')
  await page.locator('#key').fill('not a key')
  await page.locator('#chooser').setInputFiles(good)
  await expect(page.locator('#status')).toContainText('does not read')
  expect(await app.evaluate(() => (globalThis as unknown as { refused: string[] }).refused)).toEqual([])
  expect(complaints).toEqual([])
})
