// The window and everything it is not allowed to do (Electron security checklist): no Node, sandboxed, one page from one
// origin, no other window, no frame, no permission, no request that leaves the machine.
import { BrowserWindow, Menu, app, dialog, nativeTheme, session, type MenuItemConstructorOptions, type Session, type WebContents } from 'electron'
import { spawn } from 'node:child_process'
import { languagesArgument } from '../contract/channels.ts'
import { pageOrigin, pageUrl } from './page.ts'
import { shellWords, systemLanguages } from './language.ts'
import type { Remembered } from './remembered.ts'

export const smallest = { width: 960, height: 640 } as const

const reloadsMax = 3

/** Denies permissions and requests for the session that the page runs in. */
export function lockSession(own: Session = session.defaultSession): void {
  own.setPermissionRequestHandler((_contents, _permission, answer) => answer(false))
  own.setPermissionCheckHandler(() => false)
  own.setDevicePermissionHandler(() => false)
  own.on('will-download', (event) => event.preventDefault())
  // The page needs its own files only. The developer tools have their own scheme and exist in development only.
  own.webRequest.onBeforeRequest((details, answer) => {
    const ours = details.url.startsWith(`${pageOrigin}/`) || details.url.startsWith('data:image/') || (!app.isPackaged && details.url.startsWith('devtools:'))
    answer({ cancel: !ours })
  })
}

/** No page of any kind may go elsewhere, open a window or hold a frame of its own. */
export function lockContents(contents: WebContents): void {
  contents.on('will-navigate', (event) => {
    if (event.url !== pageUrl) event.preventDefault()
  })
  contents.on('will-frame-navigate', (event) => {
    if (!event.isMainFrame || event.url !== pageUrl) event.preventDefault()
  })
  contents.on('will-redirect', (event) => event.preventDefault())
  contents.on('will-attach-webview', (event) => event.preventDefault())
  contents.setWindowOpenHandler(() => ({ action: 'deny' }))
}

/** The system's languages: the page's own `navigator.languages` are those that the runtime was told to begin with. */
const forPreload = [languagesArgument + systemLanguages.join()]

/** Opens the one window; it shows itself when its first frame is drawn. */
export function openWindow(preload: string, remembered: Remembered): BrowserWindow {
  const window = new BrowserWindow({
    width: Math.max(remembered.width, smallest.width),
    height: Math.max(remembered.height, smallest.height),
    useContentSize: true,
    minWidth: smallest.width,
    minHeight: smallest.height,
    title: 'Slotwright',
    show: false,
    autoHideMenuBar: true,
    // The page's own ground, so that the first frame does not flash.
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#111314' : '#e9e7e2',
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      additionalArguments: forPreload,
      devTools: !app.isPackaged,
    },
  })
  if (remembered.maximized) window.maximize()
  window.once('ready-to-show', () => window.show())
  comeBack(window)
  void window.loadURL(pageUrl)
  return window
}

/** A page that died is loaded again, a few times: batch and boards live in this process and go on meanwhile. */
function comeBack(window: BrowserWindow): void {
  let reloads = 0
  window.webContents.on('render-process-gone', (_event, details) => {
    if (details.reason === 'clean-exit' || reloads++ >= reloadsMax) return
    console.error(`the window's page ended (${details.reason}); loading it again`)
    window.webContents.reload()
  })
}

/** A small menu: it carries the keys people expect, and it is hidden until Alt is pressed. Made anew when the language changes. */
export function setMenu(): void {
  const look = (what: 'openFile' | 'openDirectory') => () => void openLog(what).catch((error: unknown) => console.error('opening a log failed:', error))
  const { menu } = shellWords()
  const template: MenuItemConstructorOptions[] = [
    { label: menu.station, submenu: [{ label: menu.lookFile, click: look('openFile') }, { label: menu.lookHome, click: look('openDirectory') }, { type: 'separator' }, { label: menu.quit, role: 'quit' }] },
    {
      label: menu.edit,
      submenu: [
        { label: menu.undo, role: 'undo' }, { label: menu.redo, role: 'redo' }, { type: 'separator' },
        { label: menu.cut, role: 'cut' }, { label: menu.copy, role: 'copy' }, { label: menu.paste, role: 'paste' }, { type: 'separator' }, { label: menu.selectAll, role: 'selectAll' },
      ],
    },
    {
      label: menu.view,
      submenu: [
        { label: menu.reload, role: 'reload' }, { type: 'separator' }, { label: menu.actualSize, role: 'resetZoom' }, { label: menu.zoomIn, role: 'zoomIn' }, { label: menu.zoomOut, role: 'zoomOut' },
        { type: 'separator' }, { label: menu.fullScreen, role: 'togglefullscreen' },
        ...(app.isPackaged ? [] : [{ label: menu.tools, role: 'toggleDevTools' } satisfies MenuItemConstructorOptions]),
      ],
    },
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}

/** Opens a log that the person chooses in a window of its own, which only looks: the program once more, as `--auditor`. */
async function openLog(what: 'openFile' | 'openDirectory'): Promise<void> {
  const { allFiles, open: { log: { title, files } }, notOpened } = shellWords()
  const { canceled, filePaths } = await dialog.showOpenDialog({
    title, properties: [what],
    ...(what === 'openFile' ? { filters: [{ name: files, extensions: ['db', 'sqlite', 'zip'] }, { name: allFiles, extensions: ['*'] }] } : {}),
  })
  const path = filePaths[0]
  if (canceled || path === undefined) return
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
  const child = spawn(process.execPath, [...(app.isPackaged ? [] : [app.getAppPath()]), ...(app.commandLine.hasSwitch('no-sandbox') ? ['--no-sandbox'] : []), `--auditor=${path}`], { detached: true, stdio: 'ignore', env })
  child.on('error', (error) => dialog.showErrorBox(notOpened, error.message))
  child.unref()
}
