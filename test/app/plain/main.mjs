// A plain browser for the verifier's page: no preload, no Node, its sandbox on, and no network: every request that is not
// for a file on this disk is refused and counted. SLOTWRIGHT_PAGE names the page.
import { app, BrowserWindow } from 'electron'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

app.setPath('userData', mkdtempSync(join(tmpdir(), 'slotwright-plain-')))
globalThis.refused = []
const attached = new Promise((attach) => {
  globalThis.__playwright_run = attach
})
void Promise.all([app.whenReady(), attached]).then(() => {
  const window = new BrowserWindow({ width: 1000, height: 800, webPreferences: { sandbox: true, contextIsolation: true, nodeIntegration: false } })
  window.webContents.session.webRequest.onBeforeRequest((details, answer) => {
    const here = details.url.startsWith('file:')
    if (!here) globalThis.refused.push(details.url)
    answer({ cancel: !here })
  })
  void window.loadFile(process.env.SLOTWRIGHT_PAGE)
})
