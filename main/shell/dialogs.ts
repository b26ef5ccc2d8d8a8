// The native dialogs: the only way a path gets from a person to the station when there is a window. They speak the window's
// language, as it is when they open.
import { dialog, type BrowserWindow } from 'electron'
import { basename, dirname, join } from 'node:path'
import type { FilePurpose } from '../contract/api.ts'
import type { SavedKind } from './answer.ts'
import type { FileView } from '../contract/views.ts'
import { shellWords } from './language.ts'

const opens: Readonly<Record<FilePurpose | 'module', readonly string[]>> = {
  firmware: ['bin', 'hex'],
  image: ['bin', 'hex', 'img', 'zip', 'p7m', 'p7s', 'cms', 'der', 'fwp'],
  key: ['pem', 'key', 'pub'],
  module: ['so', 'dll', 'dylib'],
  text: ['sig', 'b64', 'base64', 'txt'],
  value: [],
  table: ['csv', 'txt'],
}

/** Names that are proposed; those of an image and of its digest come from the image's. */
const saves: Readonly<Record<SavedKind, Readonly<{ name: string; extensions: string[] }>>> = {
  signed: { name: '', extensions: ['bin', 'hex'] },
  digest: { name: '', extensions: ['digest'] },
  bundle: { name: 'audit-bundle.zip', extensions: ['zip'] },
  recall: { name: 'recall.csv', extensions: ['csv'] },
  history: { name: 'unit-history.csv', extensions: ['csv'] },
  receipts: { name: 'receipts.zip', extensions: ['zip'] },
  'report-html': { name: 'batch-report.html', extensions: ['html'] },
  'report-pdf': { name: 'batch-report.pdf', extensions: ['pdf'] },
  'label-zpl': { name: 'label.zpl', extensions: ['zpl'] },
  'label-pdf': { name: 'label.pdf', extensions: ['pdf'] },
}

/** The dialogs of one window; they remember the folder that was used last. */
export function makeDialogs(window: () => BrowserWindow | null): Readonly<{
  chooseFile(purpose: FilePurpose | 'module'): Promise<string | null>
  chooseFolder(): Promise<string | null>
  chooseTarget(source: FileView | null, what: SavedKind): Promise<string | null>
  stopAndQuit(): Promise<boolean>
}> {
  let folder: string | null = null

  return {
    async chooseFile(purpose) {
      const { allFiles, open: { [purpose]: { title, files } } } = shellWords()
      const extensions = [...opens[purpose]]
      const filters = [...(extensions.length === 0 ? [] : [{ name: files, extensions }]), { name: allFiles, extensions: ['*'] }]
      const options = { title, filters, properties: ['openFile' as const], ...(folder === null ? {} : { defaultPath: folder }) }
      const ours = window()
      const { canceled, filePaths } = await (ours === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(ours, options))
      const path = filePaths[0]
      if (canceled || path === undefined) return null
      folder = dirname(path)
      return path
    },
    async chooseFolder() {
      const { title } = shellWords().open.folder
      const options = { title, properties: ['openDirectory' as const, 'createDirectory' as const], ...(folder === null ? {} : { defaultPath: folder }) }
      const ours = window()
      const { canceled, filePaths } = await (ours === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(ours, options))
      return canceled ? null : filePaths[0] ?? null
    },
    async chooseTarget(source, what) {
      const { title, files } = shellWords().save[what]
      const from = source?.name ?? 'firmware.bin'
      const name = what === 'signed' ? signedName(from) : what === 'digest' ? `${basename(from)}.digest` : saves[what].name
      const options = { title, filters: [{ name: files, extensions: saves[what].extensions }], defaultPath: folder === null ? name : join(folder, name) }
      const ours = window()
      const { canceled, filePath } = await (ours === null ? dialog.showSaveDialog(options) : dialog.showSaveDialog(ours, options))
      if (canceled || filePath === '') return null
      folder = dirname(filePath)
      return filePath
    },
    async stopAndQuit() {
      const { title, message, detail, keep, stop } = shellWords().quit
      const options = { type: 'warning' as const, title, message, buttons: [keep, stop], defaultId: 0, cancelId: 0, detail }
      const ours = window()
      const { response } = await (ours === null ? dialog.showMessageBox(options) : dialog.showMessageBox(ours, options))
      return response === 1
    },
  }
}

/** `zephyr.bin` → `zephyr.signed.bin`; the folder is never taken from a file's name. */
export function signedName(name: string): string {
  const plain = basename(name)
  const dot = plain.lastIndexOf('.')
  return dot > 0 ? `${plain.slice(0, dot)}.signed${plain.slice(dot)}` : `${plain}.signed.bin`
}
