// The window that only looks at a log (`--auditor PATH`): a home, a database file or an audit bundle is opened as a copy and
// nothing of it is written, so the window's own files lie in a folder that goes when it closes. It may stand beside the
// station that writes the log, and beside other windows like it.
import { app, nativeTheme, type BrowserWindow } from 'electron'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../base/clock.ts'
import { failed, type Failure } from '../base/failure.ts'
import type { SettingsView } from '../contract/views.ts'
import { openAuditor, type Auditor } from '../station/auditor.ts'
import { makeAnswer } from './answer.ts'
import { namedAuditor } from './arguments.ts'
import { openBridge, type Bridge } from './bridge.ts'
import { makeDialogs } from './dialogs.ts'
import { speakIn } from './language.ts'
import { makeOwnFolder, removeLeftFolders } from './own-folder.ts'
import { runtimeHere } from './opening.ts'
import { paper } from './paper.ts'
import { beginPages, beginProgram, themeSourceOf } from './program.ts'
import { atFirst } from './remembered.ts'
import { openWindow, setMenu } from './window.ts'

const path = namedAuditor(process.argv) ?? ''
const windowFolder = makeOwnFolder(tmpdir())
const built = join(app.getAppPath(), 'out')

let window: BrowserWindow | null = null
let bridge: Bridge | null = null
let attempt: Promise<Auditor | Failure> | null = null
let auditor: Auditor | null = null

/** One attempt at a time; one that failed is made again when the page asks again. */
function opened(): Promise<Auditor | Failure> {
  attempt ??= openAuditor({ path, version: app.getVersion(), runtime: runtimeHere(), clock: realClock, paper, tempFolder: windowFolder }).then((answer) => {
    if (failed(answer)) attempt = null
    else {
      auditor = answer
      answer.subscribe((event) => bridge?.tell(event))
    }
    return answer
  })
  return attempt
}

const dialogs = makeDialogs(() => window)
const answer = makeAnswer({
  station: opened,
  chooseFile: dialogs.chooseFile,
  chooseFolder: dialogs.chooseFolder,
  chooseTarget: dialogs.chooseTarget,
  fullScreen: () => false,
  done(method, value) {
    if (method !== 'changeSettings') return
    const { theme, language } = value as SettingsView
    nativeTheme.themeSource = themeSourceOf(theme)
    if (speakIn(language)) setMenu()
  },
  report: (method, error) => console.error(`fault in ${method}:`, error),
})

function leave(): void {
  auditor?.close()
  rmSync(windowFolder, { recursive: true, force: true, maxRetries: 3 })
  app.exit(0)
}

beginProgram({ windowFolder, leave, of: 'auditor' })
app.on('window-all-closed', leave)
// Quitting by the menu or the system closes windows without the event above.
app.on('will-quit', leave)
// Chromium writes to its folder until the very end; what comes after this goes when the next window opens.
process.on('exit', () => rmSync(windowFolder, { recursive: true, force: true }))
void app.whenReady().then(() => {
  removeLeftFolders(tmpdir())
  beginPages(built)
  bridge = openBridge(() => window, answer)
  window = openWindow(join(built, 'preload', 'preload.cjs'), atFirst)
  window.on('closed', () => {
    window = null
  })
})
