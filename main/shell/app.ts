// The program with a window. One for each home folder: a second start brings the first one's window forward. The station
// lives in this process; the window may die and come back without a batch noticing.
import { app, nativeTheme, shell } from 'electron'
import type { BrowserWindow } from 'electron'
import { accessSync, constants, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { failed, type Failure } from '../base/failure.ts'
import type { MethodName } from '../contract/api.ts'
import type { UpdateView } from '../contract/update-view.ts'
import type { SettingsView } from '../contract/views.ts'
import { homeFolder } from '../station/home.ts'
import type { Session } from '../station/session.ts'
import type { Station } from '../station/station.ts'
import { makeAnswer } from './answer.ts'
import { namedHome } from './arguments.ts'
import { openBridge, type Bridge } from './bridge.ts'
import { makeDialogs } from './dialogs.ts'
import { beginIn, speakIn } from './language.ts'
import { makeOpening } from './opening.ts'
import { removeLeftFolders } from './own-folder.ts'
import { beginPages, beginProgram, themeSourceOf } from './program.ts'
import { recall, remember, type Remembered } from './remembered.ts'
import { openWindow, setMenu } from './window.ts'

const home = homeFolder(namedHome(process.argv.slice(1)))
const windowFolder = folderForWindow(home)
const rememberedFile = join(windowFolder, 'window.json')
const built = join(app.getAppPath(), 'out')

let window: BrowserWindow | null = null
let bridge: Bridge | null = null
let remembered: Remembered = recall(rememberedFile)
let leaving: Promise<void> | null = null
/** Whether a batch goes on, by the station's own events. */
let batchRuns = false

const dialogs = makeDialogs(() => window)
const opening = makeOpening({ home, version: app.getVersion(), practiceEntry: join(built, 'main', 'practice.js'), tokenEntry: join(built, 'main', 'tokens.js'), noticesFile: join(built, 'NOTICES.txt') }, settle)

/** Chromium's own files lie beside the database; where the home cannot be written, the window still has to say so. */
function folderForWindow(folder: string): string {
  const wanted = join(folder, 'window')
  try {
    mkdirSync(wanted, { recursive: true, mode: 0o700 })
    accessSync(wanted, constants.W_OK)
    return wanted
  } catch {
    // A folder of our own making: one with a name to be guessed could have been laid there by somebody else.
    return mkdtempSync(join(tmpdir(), 'slotwright-window-'))
  }
}

/** The window's own place at the station: who is signed in there. */
let seat: Session | null = null

/** Joins a station that has just been opened to window and theme, and gives a newcomer boards to begin with. */
async function settle(station: Station): Promise<void> {
  station.watch((event) => {
    if (event.is === 'batch') batchRuns = event.batch !== null && event.batch.status !== 'ended'
  })
  const session = station.seat({ locksIdle: true })
  seat = session
  session.api.subscribe((event) => bridge?.tell(event))
  const settings = await station.settings({})
  if (!failed(settings)) useSettings(settings)
  // Practice boards never join a line that has real ones, and do not come back to a person who has put them away.
  const ports = await station.listPorts({})
  // Where people have accounts nobody is here yet.
  if (!session.view().open || !remembered.practice || failed(ports) || ports.some((port) => !port.practice)) return
  // The practice key and the sample are made here, in one go, before the boards' own first image needs that key too.
  const sample = await station.sampleFile({})
  const says = (failure: Failure) => console.error(`the practice line did not start: ${failure.says}`)
  if (failed(sample)) return says(sample)
  // Not awaited: the window shows the boards being wired up meanwhile.
  void station.startPractice({}).then((started) => {
    if (failed(started)) says(started)
  })
}

function useSettings({ theme, language }: SettingsView): void {
  nativeTheme.themeSource = themeSourceOf(theme)
  if (speakIn(language)) setMenu()
  keep({ theme, language })
}

function keep(change: Partial<Remembered>): void {
  remembered = { ...remembered, ...change }
  void remember(rememberedFile, remembered)
}

/** An installer is the system's to open; nothing else that a view names ever is. */
function openInstaller({ todo }: UpdateView): void {
  if (todo?.file !== null && todo?.file !== undefined) void shell.openPath(todo.file)
}

/** What the shell itself must follow when the window's call went well. */
function followed(method: MethodName, value: unknown): void {
  if (method === 'applyUpdate') openInstaller(value as UpdateView)
  if (method === 'changeSettings') useSettings(value as SettingsView)
  if (method === 'startPractice') keep({ practice: true })
  if (method === 'stopPractice') keep({ practice: false })
}

const answer = makeAnswer({
  station: async () => {
    const station = await opening.station()
    return failed(station) || seat === null ? station : seat.api
  },
  chooseFile: dialogs.chooseFile,
  chooseFolder: dialogs.chooseFolder,
  chooseTarget: dialogs.chooseTarget,
  fullScreen: (on) => {
    window?.setFullScreen(on)
    return on && window !== null
  },
  done: followed,
  report: (method, error) => console.error(`fault in ${method}:`, error),
})

function showWindow(): void {
  window = openWindow(join(built, 'preload', 'preload.cjs'), remembered)
  // Told by Chromium's browser process: a page cannot pretend that somebody is there.
  window.webContents.on('input-event', () => seat?.touch())
  window.on('close', (event) => {
    if (window !== null && !window.isDestroyed()) {
      const [width = remembered.width, height = remembered.height] = window.getContentSize()
      keep(window.isMaximized() ? { maximized: true } : { width, height, maximized: false })
    }
    if (leaving !== null || !batchRuns) return
    event.preventDefault()
    void dialogs.stopAndQuit().then((quit) => {
      if (quit) leave()
    })
  })
  window.on('closed', () => {
    window = null
  })
}

/** Stops runs, closes the station and ends; a second call changes nothing. */
function leave(): void {
  leaving ??= opening.close().catch((error: unknown) => console.error('closing the station failed:', error)).finally(() => app.exit(0))
}

beginIn(remembered.language)
beginProgram({ windowFolder, leave, of: 'station' })

if (app.requestSingleInstanceLock()) {
  app.on('second-instance', () => {
    if (window === null) return
    if (window.isMinimized()) window.restore()
    window.focus()
  })
  app.on('window-all-closed', () => leave())
  app.on('before-quit', (event) => {
    // The station is closed first, then the program ends by itself.
    event.preventDefault()
    if (window !== null && leaving === null && batchRuns) window.close()
    else leave()
  })
  void app.whenReady().then(() => {
    nativeTheme.themeSource = themeSourceOf(remembered.theme)
    beginPages(built)
    bridge = openBridge(() => window, answer)
    showWindow()
    removeLeftFolders(tmpdir())
  })
} else {
  app.quit()
}
