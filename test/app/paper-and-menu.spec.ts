// What a person does beside the page: the print button, up to what the system is asked to print, and every entry of the
// menu, pressed as Alt and a click press it. The system's own dialogs are nobody's to test; what goes in and what comes back is.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { _electron, type ElectronApplication } from '@playwright/test'
import { answerOpenDialog, built, command, executable, expect, sandbox, test, view } from './station-window.ts'

type Printed = Readonly<{ options: { pageSize: unknown; printBackground: boolean; margins?: unknown }; url: string }>

/** The next print goes to a PDF file, and the dialog answers so. */
async function answerPrint(app: ElectronApplication, file: string, done: boolean, reason = ''): Promise<void> {
  await app.evaluate(({ BrowserWindow }, { target, answer, why }) => {
    const [window] = BrowserWindow.getAllWindows()
    const { writeFileSync } = process.getBuiltinModule('node:fs')
    const kind = Object.getPrototypeOf(window?.webContents) as { print: unknown }
    const told: unknown[] = []
    Object.assign(globalThis, { printed: told })
    kind.print = function (this: Electron.WebContents, options: object, back: (done: boolean, reason: string) => void) {
      told.push({ options, url: this.getURL() })
      void this.printToPDF({ printBackground: true }).then((pdf) => {
        writeFileSync(target, pdf)
        back(answer, why)
      })
    }
  }, { target: file, answer: done, why: reason })
}
const printed = (app: ElectronApplication) => app.evaluate(() => (globalThis as unknown as { printed: Printed[] }).printed)

test('a report and a label are printed as they are shown, noted in the log, and a person may change their mind', async ({ station }) => {
  const { page, app, home } = station
  await expect(page.locator('[data-bay][data-look=ready]')).toHaveCount(8, { timeout: 30_000 })
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
  await view(page, 'Log').click()
  await page.getByRole('tab', { name: 'Figures' }).click()
  const print = page.getByRole('button', { name: 'Print report…' })
  await expect(print).toBeVisible()

  const report = join(home, 'report.pdf')
  await answerPrint(app, report, true)
  await print.click()
  await expect(print).toBeEnabled()
  await expect.poll(() => existsSync(report) && readFileSync(report).length).toBeGreaterThan(20_000)
  expect(await printed(app)).toEqual([expect.objectContaining({ url: expect.stringMatching(/:\/\/paper\//), options: expect.objectContaining({ pageSize: 'A4', printBackground: true }) })])
  expect(readFileSync(report, 'latin1')).not.toContain('/JavaScript')
  await expect(page.getByRole('alert')).toHaveCount(0)

  // Changed their mind: nothing is said and nothing noted. A printer that does not print is told.
  const noted = () => (JSON.parse(command('log', 'list', '--home', home, '--kind', 'export', '--json')) as { entries: { data: { what: string; fileSha256: string } }[] }).entries.map(({ data }) => data)
  await expect.poll(() => noted().filter(({ what }) => what.endsWith('on paper')).length).toBe(1)
  await answerPrint(app, report, false, 'Print job canceled')
  await print.click()
  await expect.poll(async () => (await printed(app)).length).toBe(1)
  await expect(print).toBeEnabled()
  await expect(page.getByRole('alert')).toHaveCount(0)
  await answerPrint(app, report, false, 'Print job failed')
  await print.click()
  await expect(page.getByRole('alert')).toContainText('not printed')
  expect(noted().filter(({ what }) => what.endsWith('on paper'))).toHaveLength(1)

  await page.getByRole('tab', { name: 'Entries' }).click()
  await page.locator('[data-seq][data-kind=outcome]').first().click()
  await page.getByRole('button', { name: 'Unit history' }).click()
  await page.getByRole('button', { name: 'Label…' }).click()
  await expect(page.locator('[data-part=label]')).toBeVisible()
  await answerPrint(app, join(home, 'label.pdf'), true)
  await page.getByRole('dialog').getByRole('button', { name: 'Print…' }).click()
  await expect.poll(() => noted().filter(({ what }) => /^label of PB-000\d, on paper$/.test(what)).length).toBe(1)
  const [label] = await printed(app)
  expect(label?.options).toMatchObject({ pageSize: { width: 50_000, height: 25_000 }, margins: { marginType: 'none' } })
})

/** Presses a menu entry for the first window, wherever it stands. */
async function press(app: ElectronApplication, label: string): Promise<void> {
  await app.evaluate(({ Menu, BrowserWindow }, wanted) => {
    const [window] = BrowserWindow.getAllWindows()
    const item = Menu.getApplicationMenu()?.items.flatMap(({ submenu }) => submenu?.items ?? []).find((one) => one.label === wanted)
    if (item === undefined || window === undefined) throw new Error(`the menu has no "${wanted}"`)
    ;(item.click as (event: object, window: unknown, contents: unknown) => void)({}, window, window.webContents)
  }, label)
}

test('every entry of the menu does what it says', async ({ station }) => {
  const { page, app } = station
  await view(page, 'Log').click()
  const search = page.getByRole('searchbox', { name: 'Search' })
  await search.fill('confirmed')
  await search.focus()
  await press(app, 'Select all')
  await press(app, 'Cut')
  await expect(search).toHaveValue('')
  await press(app, 'Paste')
  await expect(search).toHaveValue('confirmed')
  await press(app, 'Undo')
  await expect(search).toHaveValue('')
  await press(app, 'Redo')
  await expect(search).toHaveValue('confirmed')
  await press(app, 'Select all')
  await press(app, 'Copy')
  expect(await app.evaluate(({ clipboard }) => clipboard.readText())).toBe('confirmed')

  const zoom = () => app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getZoomLevel())
  await press(app, 'Larger')
  await expect.poll(zoom).toBe(0.5)
  await press(app, 'Smaller')
  await press(app, 'Smaller')
  await expect.poll(zoom).toBe(-0.5)
  await press(app, 'Actual size')
  await expect.poll(zoom).toBe(0)
  await page.evaluate(() => Object.assign(globalThis, { before: true }))
  await press(app, 'Reload')
  await expect.poll(() => page.evaluate(() => 'before' in globalThis).catch(() => true)).toBe(false)
  await expect(page.getByRole('navigation')).toBeVisible()

  const gone = app.waitForEvent('close')
  await press(app, 'Quit')
  await gone
})

test('the menu opens a log to look at, a bundle or a home, and nothing where the person changed their mind', async ({ station, home }) => {
  const { app } = station
  const file = join(home, 'slotwright.db')
  await app.evaluate(() => {
    const child = process.getBuiltinModule('node:child_process')
    const started: { program: string; words: readonly string[] }[] = []
    Object.assign(globalThis, { started })
    child.spawn = ((program: string, words: readonly string[]) => {
      started.push({ program, words })
      return { on: () => undefined, unref: () => undefined }
    }) as never
    process.getBuiltinModule('node:module').syncBuiltinESMExports()
  })
  const started = () => app.evaluate(() => (globalThis as unknown as { started: { program: string; words: string[] }[] }).started)
  await answerOpenDialog(app, null)
  await press(app, 'Look at a log file or bundle…')
  await answerOpenDialog(app, file)
  await press(app, 'Look at a log file or bundle…')
  await expect.poll(async () => (await started()).length).toBe(1)
  await answerOpenDialog(app, home)
  await press(app, 'Look at a home\'s log…')
  await expect.poll(async () => (await started()).length).toBe(2)
  const [first, second] = await started()
  expect(first).toMatchObject({ program: executable(), words: expect.arrayContaining([built, `--auditor=${file}`]) })
  expect(second?.words).toContain(`--auditor=${home}`)

  // What it would have started, started: a window that only looks.
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
  const other = await _electron.launch({ executablePath: executable(), args: [...sandbox, ...(first?.words.filter((word) => word !== '--no-sandbox') ?? [])], env: { ...env, LANG: 'en_US.UTF-8', LANGUAGE: 'en' } })
  await expect((await other.firstWindow()).locator('[data-part=auditing]')).toContainText('slotwright.db')
  await other.close()
})
