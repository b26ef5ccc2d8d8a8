// People in the real window: the first account shuts an open station, a name and PIN or a badge opens it, and what somebody
// sees follows their roles. The shell refuses what is not theirs, whatever the page asks.
import { breachesInBothThemes } from './axe.ts'
import { expect, picture, test } from './station-window.ts'
import type { Page } from '@playwright/test'

const rail = (page: Page) => page.getByRole('navigation', { name: 'Views' })
const views = (page: Page) => rail(page).getByRole('button').allInnerTexts()

/** What a page that was taken over can do: call anything. */
const callFromPage = (page: Page, method: string, args: unknown) => page.evaluate(
  ([name, given]) => (window as unknown as { slotwright: { call(method: unknown, args: unknown): Promise<{ ok: boolean; failure?: { kind: string } }> } }).slotwright.call(name, given), [method, args] as const,
)

async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, text] of Object.entries(fields)) await page.getByRole('dialog').getByLabel(label, { exact: true }).fill(text)
}

/** As a scanner: keys faster than anybody types, and Enter. */
async function scan(page: Page, code: string): Promise<void> {
  await page.keyboard.type(code)
  await page.keyboard.press('Enter')
}

test('from the first account to an operator with a badge', async ({ station: { page } }) => {
  const wrongs: string[] = []
  await rail(page).getByRole('button', { name: 'People' }).click()
  await expect(page.getByRole('heading', { name: 'This station is open' })).toBeVisible()
  await picture(page, 'people-open')
  await page.getByRole('button', { name: 'Make the first account' }).click()
  await fill(page, { Name: 'Ada Lovelace', 'PIN or passphrase': '4711', 'The same again': '4711' })
  await picture(page, 'people-first')
  wrongs.push(...await breachesInBothThemes(page, 'First account'))
  await page.getByRole('button', { name: 'Add', exact: true }).click()

  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  expect(await callFromPage(page, 'listKeys', {})).toMatchObject({ ok: false, failure: { kind: 'not-signed-in' } })
  await page.getByRole('radio', { name: 'Ada Lovelace' }).click()
  await page.getByLabel('PIN', { exact: true }).fill('0000')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toContainText('do not belong together')
  await picture(page, 'sign-in-wrong')
  wrongs.push(...await breachesInBothThemes(page, 'Sign-in'))
  // The station waits a second after the first wrong try; until then it says so.
  await expect(async () => {
    await page.getByLabel('PIN', { exact: true }).fill('4711')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await expect(rail(page)).toBeVisible({ timeout: 1_500 })
  }).toPass()

  await rail(page).getByRole('button', { name: 'People' }).click()
  await page.getByRole('button', { name: 'Add a person' }).click()
  await fill(page, { Name: 'Olaf', Badge: 'BADGE-0815-OLAF' })
  await picture(page, 'people-add')
  wrongs.push(...await breachesInBothThemes(page, 'New account'))
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await expect(page.locator('[data-person="Olaf"]')).toContainText('Signs in with a badge')
  await picture(page, 'people-list')
  wrongs.push(...await breachesInBothThemes(page, 'People'))

  await page.locator('[data-part=who]').click()
  await picture(page, 'people-who')
  wrongs.push(...await breachesInBothThemes(page, 'Who is here'))
  await page.getByRole('dialog').getByRole('button', { name: 'Lock' }).click()
  await expect(page.getByText('Ada Lovelace was here')).toBeVisible()
  await scan(page, 'BADGE-0815-OLAF')
  await expect(page.locator('[data-part=who]')).toContainText('Olaf')
  await picture(page, 'people-operator')
  await page.getByRole('button', { name: 'Leave', exact: false }).first().click()
  expect((await views(page)).map((text) => text.trim())).toEqual(['Images', 'Boards', 'Log', 'Settings', 'Operator', 'Olaf'])
  await picture(page, 'people-operator-views')
  expect(await callFromPage(page, 'listPeople', {})).toMatchObject({ ok: false, failure: { kind: 'role-missing' } })
  expect(await callFromPage(page, 'startBatch', { file: 'f1', recipe: {} })).toMatchObject({ ok: false, failure: { kind: 'role-missing' } })
  // No dialog opens for what is refused.
  expect(await callFromPage(page, 'exportLog', { saveAs: null })).toMatchObject({ ok: false, failure: { kind: 'role-missing' } })
  expect(wrongs).toEqual([])
})
