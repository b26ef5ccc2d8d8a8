// The window that only looks at a log (`--auditor PATH`): a home, a database file or an audit bundle is opened as a copy and
// nothing of it is written, so the window's own files lie in a folder that goes when it closes. It may stand beside the
// station that writes the log, and beside other windows like it.
import { app, dialog, nativeTheme, protocol, type BrowserWindow } from 'electron'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { realClock } from '../base/clock.ts'
import { failed, type Failure } from '../base/failure.ts'
import { openAuditor, type Auditor } from '../station/auditor.ts'
import { makeAnswer } from './answer.ts'
import { namedAuditor } from './arguments.ts'
import { openBridge, type Bridge } from './bridge.ts'
import { makeDialogs } from './dialogs.ts'
import { makeOwnFolder, removeLeftFolders } from './own-folder.ts'
import { runtimeHere } from './opening.ts'
import { makePage, pageScheme } from './page.ts'
import { paper } from './paper.ts'
import { atFirst } from './remembered.ts'
import { lockContents, lockSession, openWindow, setMenu } from './window.ts'

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
    const { theme } = value as { theme: 'system' | 'light' | 'dark' | 'contrast' }
    nativeTheme.themeSource = theme === 'contrast' ? 'dark' : theme
  },
  report: (method, error) => console.error(`fault in ${method}:`, error),
})

function leave(): void {
  auditor?.close()
  rmSync(windowFolder, { recursive: true, force: true, maxRetries: 3 })
  app.exit(0)
}

function stopAtBug(error: unknown): void {
  console.error(error)
  if (app.isReady()) dialog.showErrorBox('Slotwright stopped', 'There is a fault in Slotwright and it cannot go on. The log that was looked at is as it was. The terminal shows more.')
  app.exit(1)
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave)
process.on('uncaughtException', stopAtBug)
process.on('unhandledRejection', stopAtBug)

app.setPath('userData', windowFolder)
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
protocol.registerSchemesAsPrivileged([{ scheme: pageScheme, privileges: { standard: true, secure: true } }])
app.on('web-contents-created', (_event, contents) => lockContents(contents))
app.on('window-all-closed', leave)
// Quitting by the menu or the system closes windows without the event above.
app.on('will-quit', leave)
// Chromium writes to its folder until the very end; what comes after this goes when the next window opens.
process.on('exit', () => rmSync(windowFolder, { recursive: true, force: true }))
void app.whenReady().then(() => {
  removeLeftFolders(tmpdir())
  protocol.handle(pageScheme, makePage(join(built, 'renderer')))
  lockSession()
  setMenu()
  bridge = openBridge(() => window, answer)
  window = openWindow(join(built, 'preload', 'preload.cjs'), atFirst)
  window.on('closed', () => {
    window = null
  })
})
