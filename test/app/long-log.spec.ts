// A long log in the auditor's window: any place is reached by the bar, the wheel and a number, only rows in sight are in
// the page, and looking changes no byte. 20,000 entries here; `npm run bench:log-window` does it with a million and keeps
// the figures (SLOTWRIGHT_LOG_ENTRIES says how many, SLOTWRIGHT_FIGURES where to).
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { breaches } from './axe.ts'
import { answerOpenDialog, answerSaveDialog, expect, picture, test } from './station-window.ts'
import { writeLongLog } from './long-log.ts'

const entries = Number(process.env['SLOTWRIGHT_LOG_ENTRIES'] ?? 20_000)
const figuresFile = process.env['SLOTWRIGHT_FIGURES']
const last = entries - 1

const filesOf = (home: string) => Object.fromEntries(readdirSync(home, { recursive: true, withFileTypes: true }).filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name)).map((file) => [file, createHash('sha256').update(readFileSync(file)).digest('hex')]))
const list = (page: Page) => page.getByRole('listbox', { name: 'Entries' })
const seqs = (page: Page) => page.locator('[data-seq]').evaluateAll((rows) => rows.map((row) => Number((row as HTMLElement).dataset['seq'])))

/** Times between frames while the bar is dragged from one end to the other, and how many of them showed rows unread. */
async function drag(page: Page, frames: number): Promise<{ times: number[]; unread: number }> {
  return await list(page).evaluate(async (box, count) => {
    const times: number[] = []
    let unread = 0
    let before = performance.now()
    for (let frame = 0; frame <= count; frame++) {
      box.scrollTop = ((box.scrollHeight - box.clientHeight) * frame) / count
      const now = await new Promise<number>((resolve) => { requestAnimationFrame(resolve) })
      times.push(now - before)
      before = now
      if (box.querySelector('[data-seq]') === null) unread++
    }
    return { times: times.slice(1), unread }
  }, frames)
}

/** The same while it is scrolled on by four rows a frame, from the top, as by a steady wheel. */
async function scrollOn(page: Page, frames: number): Promise<{ times: number[]; unread: number }> {
  await list(page).evaluate((box) => { box.scrollTop = 0 })
  await expect(page.locator(`[data-seq="${last}"]`)).toBeVisible()
  return await list(page).evaluate(async (box, count) => {
    const times: number[] = []
    let unread = 0
    let before = performance.now()
    for (let frame = 0; frame <= count; frame++) {
      // A made-up turn of the wheel does not scroll by itself where the list leaves it to the browser.
      if (box.dispatchEvent(new WheelEvent('wheel', { deltaY: 160, bubbles: true, cancelable: true }))) box.scrollTop += 160
      const now = await new Promise<number>((resolve) => { requestAnimationFrame(resolve) })
      times.push(now - before)
      before = now
      if (box.querySelector('[role=option]:not([data-seq])') !== null) unread++
    }
    return { times: times.slice(1), unread }
  }, frames)
}

test('any place of a long log is reached, only rows in sight are in the page, and no byte changes', async ({ open, home }) => {
  test.setTimeout(entries > 100_000 ? 900_000 : 120_000)
  await writeLongLog(home, entries)
  const before = filesOf(home)
  const startedMs = performance.now()
  const { page, complaints, app } = await open(home, ['--auditor', home])
  await expect(page.locator('[data-part=auditing]')).toContainText('Read only')
  await expect(page.locator(`[data-seq="${last}"]`)).toBeVisible({ timeout: 60_000 })
  const firstRowsMs = performance.now() - startedMs
  await expect(page.locator('[data-part=log-state]')).toContainText('The log holds', { timeout: 300_000 })
  await expect(page.locator('[data-part=log-size]')).toContainText(entries.toLocaleString('en'))

  const { times, unread } = await drag(page, figuresFile === undefined ? 60 : 300)
  await expect(page.locator('[data-seq="0"]')).toBeVisible()
  expect(await page.locator('[role=option]').count()).toBeLessThan(60)
  const steady = await scrollOn(page, figuresFile === undefined ? 30 : 300)
  const jumpedMs = performance.now()
  await list(page).evaluate((box) => { box.scrollTop = (box.scrollHeight - box.clientHeight) / 2 })
  await expect.poll(async () => Math.abs(((await seqs(page))[0] ?? 0) - entries / 2)).toBeLessThan(40)
  const jumpMs = performance.now() - jumpedMs
  const middle = await seqs(page)
  expect(middle).toEqual(middle.map((_, i) => (middle[0] ?? 0) - i))

  // The wheel passes over no row, however long the log is.
  await list(page).hover()
  await page.mouse.wheel(0, 400)
  await expect.poll(async () => (await seqs(page))[0]).toBe((middle[0] ?? 0) - 10)
  await list(page).focus()
  await page.keyboard.press('End')
  await expect(page.locator('[data-seq="0"][aria-selected=true]')).toBeVisible()
  await page.getByLabel('Go to entry').fill('7777')
  await page.getByLabel('Go to entry').press('Enter')
  await expect(page.locator('[data-seq="7777"][aria-selected=true]')).toBeVisible()
  await expect(page.locator('[data-part=proof]')).toContainText('This entry stands in the log')
  expect(await breaches(page, 'Log')).toEqual([])
  await page.reload()
  await expect(page.locator('[data-seq="7777"][aria-selected=true]')).toBeVisible({ timeout: 60_000 })
  await picture(page, '55-long-log')

  const searchedMs = performance.now()
  await page.getByRole('searchbox', { name: 'Search' }).fill('SN-000777')
  await expect(page.locator('[data-part=log-size]')).toContainText('10 entries fit', { timeout: 120_000 })
  const searchMs = performance.now() - searchedMs
  await expect(page.locator('[data-seq]')).toHaveCount(10)
  await page.getByRole('button', { name: 'Clear the filter' }).click()
  await expect(page.locator('[data-part=log-size]')).toContainText(entries.toLocaleString('en'))

  const countedMs = performance.now()
  await page.getByRole('tab', { name: 'Figures' }).click()
  await page.getByLabel('Figures of').selectOption('all')
  await expect(page.locator('[data-part=failures]')).toContainText('no-return', { timeout: 120_000 })
  await expect(page.locator('[data-part=by-bay] [data-part=column]')).toHaveCount(16)
  const figuresMs = performance.now() - countedMs
  await picture(page, '56-figures')
  await page.locator('[data-part=by-bay]').getByRole('button', { name: 'As a table' }).click()
  await expect(page.locator('[data-part=by-bay] tbody tr')).toHaveCount(16)
  expect(await breaches(page, 'Log')).toEqual([])

  await page.getByRole('tab', { name: 'Recall' }).click()
  await page.getByLabel('Find units by').selectOption('image')
  await page.getByLabel('Hash', { exact: true }).fill('00000000')
  await page.getByRole('button', { name: 'Find units' }).click()
  await expect(page.getByRole('alert')).toContainText('The log knows no image')
  expect(await app.evaluate(({ app: shell }) => shell.getPath('userData'))).not.toContain(home)
  expect(filesOf(home)).toEqual(before)
  expect(complaints).toEqual([])

  if (figuresFile === undefined) return
  const frameMs = (all: readonly number[]) => {
    const sorted = [...all].sort((a, b) => a - b)
    const at = (share: number) => Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1))
    return { median: at(0.5), p95: at(0.95), p99: at(0.99), longest: at(1) }
  }
  const figures = {
    measuredAt: new Date().toISOString(), processor: cpus()[0]?.model.trim(), cores: availableParallelism(), load: Number((loadavg()[0] ?? 0).toFixed(2)), command: 'npm run bench:log-window', entries,
    scrolling: { frames: steady.times.length, frameMs: frameMs(steady.times), framesWithUnreadRows: steady.unread }, dragging: { frames: times.length, frameMs: frameMs(times), framesWithoutReadRows: unread },
    firstRowsMs: Math.round(firstRowsMs), jumpMs: Math.round(jumpMs), searchMs: Math.round(searchMs), figuresMs: Math.round(figuresMs),
  }
  writeFileSync(figuresFile, `${JSON.stringify(figures, null, 1)}\n`)
  console.log(JSON.stringify(figures, null, 1))
})

test('a batch\'s report, a unit\'s label and a recall leave the window on paper, each noted in the log', async ({ station }) => {
  const { page, app, home } = station
  await expect(page.locator('[data-bay][data-look=ready]')).toHaveCount(8, { timeout: 30_000 })
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await expect(page.locator('[data-bay][data-look=confirmed]')).toHaveCount(8, { timeout: 90_000 })
  await page.getByRole('navigation').getByRole('button', { name: 'Log', exact: true }).click()
  await page.getByRole('tab', { name: 'Figures' }).click()
  await expect(page.locator('[data-part=shares]')).toContainText('Confirmed: 8')
  const saved = async (button: string, name: string) => {
    await answerSaveDialog(app, join(home, name))
    await page.getByRole('button', { name: button }).click()
    await expect(page.locator('[data-part=saved]').last()).toContainText(name)
    return readFileSync(join(home, name))
  }
  expect((await saved('Save report…', 'r.html')).toString()).toContain('PB-0008')
  const pdf = await saved('Save PDF…', 'r.pdf')
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-')
  expect(pdf.length).toBeGreaterThan(20_000)

  await page.getByRole('tab', { name: 'Entries' }).click()
  await page.getByLabel('Outcome').selectOption('confirmed')
  await page.locator('[data-seq][data-kind=outcome]').first().click()
  await page.getByRole('button', { name: 'Who else got this image' }).click()
  await expect(page.locator('[data-part=recalled] [data-still=yes]')).toHaveCount(8)
  expect(await breaches(page, 'Log')).toEqual([])
  await picture(page, '57-recall')
  expect((await saved('Save table…', 'recall.csv')).toString().split('\r\n')).toHaveLength(1 + 8 + 1)
  // Nobody types a hash: what went onto boards is there to choose, and a file says its own.
  await page.getByRole('button', { name: 'Something else' }).click()
  expect(await breaches(page, 'Log')).toEqual([])
  await page.locator('[data-choice]', { hasText: '1.1.0' }).getByRole('button').click()
  await expect(page.locator('[data-part=recalled] [data-still=yes]')).toHaveCount(8)
  await answerOpenDialog(app, join(import.meta.dirname, '..', 'vectors', 'imgtool', 'images', 'rsa-3072.bin'))
  await page.getByRole('button', { name: 'From a file' }).click()
  await expect(page.getByRole('alert')).toContainText('The log knows no image')
  await page.locator('[data-choice]', { hasText: '1.1.0' }).getByRole('button').click()
  await page.getByRole('button', { name: 'PB-0003', exact: true }).click()
  await page.getByRole('button', { name: 'Label…' }).click()
  await expect(page.locator('[data-part=label]')).toBeVisible()
  expect(await breaches(page, 'Log')).toEqual([])
  await picture(page, '58-label')
  expect((await saved('Save ZPL…', 'l.zpl')).toString()).toMatch(/^\^XA\n[^]*\^BQN,2,[0-9]+[^]*PB-0003[^]*\^XZ\n$/)
  const label = await saved('Save PDF…', 'l.pdf')
  // 50 × 25 mm in points.
  expect(label.toString('latin1')).toMatch(/\/MediaBox \[0 0 14[12][.0-9]* 7[01][.0-9]*\]/)
  await page.keyboard.press('Escape')
  await page.getByRole('tab', { name: 'Entries' }).click()
  await page.getByRole('button', { name: 'Clear the filter' }).click()
  await page.getByLabel('Kind').selectOption('export')
  await expect(page.locator('[data-seq][data-kind=export]')).toHaveCount(5)
})
