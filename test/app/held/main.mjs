// The app as it is, held at the door: Playwright says when it has attached (it calls __playwright_run), and only then the app
// hears that Electron is ready. Without this, a window that opens in the very moment of attaching hangs the launch, about
// once in thirty. SLOTWRIGHT_BUILT names the folder that holds package.json and out/.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { app } from 'electron'

const folder = process.env.SLOTWRIGHT_BUILT
const { productName, version, main } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
app.setAppPath(folder)
app.setName(productName)
app.setVersion(version)

const ready = app.whenReady()
const attached = new Promise((attach) => {
  globalThis.__playwright_run = attach
})
app.whenReady = () => attached.then(() => ready)

await import(pathToFileURL(join(folder, main)).href)
