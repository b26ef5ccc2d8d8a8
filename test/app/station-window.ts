// The real window on a home of its own: starts Electron as `npm start` does, closes it, and takes a picture of a view in
// both themes. Whatever the page or the main process complains about is collected, and a test fails on it.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { _electron, expect, test as base, type ElectronApplication, type Page } from '@playwright/test'

const root = resolve(import.meta.dirname, '..', '..')
const screens = join(root, 'test-results', 'screens')

export type StationWindow = Readonly<{
  app: ElectronApplication
  page: Page
  home: string
  /** What the page's console said as error or warning, and page errors. */
  complaints: string[]
}>

type Fixtures = { home: string; open: (home?: string, more?: readonly string[]) => Promise<StationWindow>; station: StationWindow }

/** The runtime's executable. */
export function executable(): string {
  return readFileSync(join(root, '.runtime', 'electron-path'), 'utf8').trim()
}

/** The folder with package.json and out/: the project, or what a developer has just built elsewhere. */
export const built = process.env['SLOTWRIGHT_BUILT'] ?? root
export const sandbox = process.platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []

function env(): Record<string, string> {
  const kept = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && entry[0] !== 'ELECTRON_RUN_AS_NODE')
  return { ...Object.fromEntries(kept), SLOTWRIGHT_BUILT: built, LANG: 'en_US.UTF-8', LANGUAGE: 'en' }
}

/** The program once more, as from a second icon, on a home that may be in use. */
export function startAgain(home: string): ChildProcess {
  return spawn(executable(), [...sandbox, built, '--home', home], { env: env(), stdio: 'ignore' })
}

const closeMs = 20_000

/** False for a program that did not end when asked to; it is killed then, so that the next test does not wait for it. */
async function closes({ app, child }: Readonly<{ app: ElectronApplication; child: ChildProcess }>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((done) => {
    timer = setTimeout(() => done(false), closeMs)
  })
  const ended = await Promise.race([app.close().then(() => true), late])
  clearTimeout(timer)
  if (!ended) child.kill('SIGKILL')
  return ended
}

/** One command of the command line that was built with the window. */
export function command(...args: string[]): string {
  return execFileSync(executable(), [join(built, 'out', 'cli', 'start.js'), ...args], { env: { ...env(), ELECTRON_RUN_AS_NODE: '1' }, encoding: 'utf8' })
}

export const test = base.extend<Fixtures>({
  // The empty pattern is how Playwright is told that a fixture needs no other.
  home: async ({}, use) => {
    const home = mkdtempSync(join(tmpdir(), 'slotwright-window-'))
    await use(home)
    rmSync(home, { recursive: true, force: true })
  },
  open: async ({ home }, use) => {
    const started: { app: ElectronApplication; child: ChildProcess }[] = []
    await use(async (ownHome = home, more = []) => {
      const app = await _electron.launch({ executablePath: executable(), args: [...sandbox, join(import.meta.dirname, 'held'), '--home', ownHome, ...more], env: env() })
      // Asked for now: Playwright does not tell the process of a program that a test has closed.
      started.push({ app, child: app.process() })
      const page = await app.firstWindow({ timeout: 30_000 })
      const complaints: string[] = []
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
      })
      page.on('pageerror', (error) => complaints.push(error.message))
      return { app, page, home: ownHome, complaints }
    })
    const stuck = await Promise.all(started.map(closes))
    expect(stuck, 'the program must end when its window is closed').not.toContain(false)
  },
  station: async ({ open }, use) => {
    const station = await open()
    await use(station)
    expect(station.complaints, 'the page must not complain').toEqual([])
  },
})

export { expect }

/** Pictures of what is shown now, dark and light, under test-results/screens. */
export async function picture(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.screenshot({ path: join(screens, `${name}-${colorScheme}.png`) })
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
}

/** Waits for the practice line: `count` bays, each with an attached board. */
export async function eightAttached(page: Page, count = 8): Promise<void> {
  await expect(page.locator('[data-bay][data-look=ready]')).toHaveCount(count, { timeout: 30_000 })
}

export const view = (page: Page, name: 'Line' | 'Recipes' | 'Signing' | 'Images' | 'Keys' | 'Boards' | 'Failures' | 'Log' | 'Settings') => page.getByRole('navigation').getByRole('button', { name, exact: true })

/** What the person chooses in the next open dialogs; null when they change their mind. */
export async function answerOpenDialog(app: ElectronApplication, path: string | null): Promise<void> {
  await app.evaluate(({ dialog }, chosen) => {
    dialog.showOpenDialog = () => Promise.resolve({ canceled: chosen === null, filePaths: chosen === null ? [] : [chosen] })
  }, path)
}

/** The same for save dialogs. */
export async function answerSaveDialog(app: ElectronApplication, path: string | null): Promise<void> {
  await app.evaluate(({ dialog }, chosen) => {
    dialog.showSaveDialog = () => Promise.resolve({ canceled: chosen === null, filePath: chosen ?? '' })
  }, path)
}

/** Firmware that no practice board has seen: an ARM vector table in front of counted bytes. */
export function writeFirmware(path: string): void {
  const bytes = Buffer.from(Array.from({ length: 20_000 }, (_, at) => (at * 31 + (at >> 8)) & 0xff))
  bytes.writeUInt32LE(0x2000_4000, 0)
  bytes.writeUInt32LE(0x0000_c201, 4)
  writeFileSync(path, bytes)
}
