// axe's rules (WCAG 2.2 A and AA, and its own best practice) on what the window shows.
import AxeBuilder from '@axe-core/playwright'
import { expect, type Page } from '@playwright/test'

/** What breaks a rule on what is shown now, each said with `what` it was; `part` narrows it to that selector. */
export async function breaches(page: Page, what: string, part?: string): Promise<string[]> {
  // Axe opens a page of its own for its frames, which Electron has not; the window has no frames.
  const whole = new AxeBuilder({ page }).setLegacyMode().withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
  const { violations, passes } = await (part === undefined ? whole : whole.include(part)).analyze()
  expect(passes.map(({ id }) => id), 'axe must have seen something').toContain('color-contrast')
  return violations.map(({ id, nodes }) => `${what}: ${id} at ${nodes.map(({ target }) => target.join(' ')).slice(0, 3).join(' | ')}`)
}

/** The same in the dark and the light theme; the page follows the system's again afterwards. */
export async function breachesInBothThemes(page: Page, what: string): Promise<string[]> {
  const found: string[] = []
  for (const colorScheme of ['dark', 'light'] as const) {
    // Colours half-way through a transition would be judged.
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    found.push(...await breaches(page, `${what}, ${colorScheme}`))
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  return found
}
