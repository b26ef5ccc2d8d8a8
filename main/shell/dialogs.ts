// The native dialogs: the only way a path gets from a person to the station when there is a window.
import { dialog, type BrowserWindow } from 'electron'
import { basename, dirname, join } from 'node:path'
import type { FilePurpose } from '../contract/api.ts'
import type { SavedKind } from './answer.ts'
import type { FileView } from '../contract/views.ts'

const filters: Readonly<Record<FilePurpose | 'module', { title: string; filters: { name: string; extensions: string[] }[] }>> = {
  firmware: { title: 'Choose firmware', filters: [{ name: 'Firmware', extensions: ['bin', 'hex'] }, { name: 'All files', extensions: ['*'] }] },
  image: { title: 'Choose a signed image, a firmware package or an update archive', filters: [{ name: 'Signed image, package or archive', extensions: ['bin', 'hex', 'img', 'zip', 'p7m', 'p7s', 'cms', 'der', 'fwp'] }, { name: 'All files', extensions: ['*'] }] },
  key: { title: 'Choose a key', filters: [{ name: 'PEM', extensions: ['pem', 'key', 'pub'] }, { name: 'All files', extensions: ['*'] }] },
  module: { title: 'Choose the PKCS#11 module of your token', filters: [{ name: 'PKCS#11 module', extensions: ['so', 'dll', 'dylib'] }, { name: 'All files', extensions: ['*'] }] },
  text: { title: 'Choose the signature', filters: [{ name: 'Signature, base64', extensions: ['sig', 'b64', 'base64', 'txt'] }, { name: 'All files', extensions: ['*'] }] },
  value: { title: 'Choose the file that goes into the TLV', filters: [{ name: 'All files', extensions: ['*'] }] },
  table: { title: 'Choose the table of unit data', filters: [{ name: 'Table', extensions: ['csv', 'txt'] }, { name: 'All files', extensions: ['*'] }] },
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
      const options = { ...filters[purpose], properties: ['openFile' as const], ...(folder === null ? {} : { defaultPath: folder }) }
      const ours = window()
      const { canceled, filePaths } = await (ours === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(ours, options))
      const path = filePaths[0]
      if (canceled || path === undefined) return null
      folder = dirname(path)
      return path
    },
    async chooseFolder() {
      const options = { title: 'Choose the folder that events go to', properties: ['openDirectory' as const, 'createDirectory' as const], ...(folder === null ? {} : { defaultPath: folder }) }
      const ours = window()
      const { canceled, filePaths } = await (ours === null ? dialog.showOpenDialog(options) : dialog.showOpenDialog(ours, options))
      return canceled ? null : filePaths[0] ?? null
    },
    async chooseTarget(source, what) {
      const from = source?.name ?? 'firmware.bin'
      const { name, title, filters } = {
        signed: { name: signedName(from), title: 'Save the signed image', filters: [{ name: 'Signed image', extensions: ['bin', 'hex'] }] },
        digest: { name: `${basename(from)}.digest`, title: 'Save what is to be signed', filters: [{ name: 'Digest', extensions: ['digest'] }] },
        bundle: { name: 'audit-bundle.zip', title: 'Save the audit bundle', filters: [{ name: 'Audit bundle', extensions: ['zip'] }] },
        recall: { name: 'recall.csv', title: 'Save the recalled units', filters: [{ name: 'Table', extensions: ['csv'] }] },
        history: { name: 'unit-history.csv', title: 'Save the unit\'s history', filters: [{ name: 'Table', extensions: ['csv'] }] },
        receipts: { name: 'receipts.zip', title: 'Save the load receipts', filters: [{ name: 'Load receipts', extensions: ['zip'] }] },
        'report-html': { name: 'batch-report.html', title: 'Save the report', filters: [{ name: 'Web page', extensions: ['html'] }] },
        'report-pdf': { name: 'batch-report.pdf', title: 'Save the report', filters: [{ name: 'PDF', extensions: ['pdf'] }] },
        'label-zpl': { name: 'label.zpl', title: 'Save the label', filters: [{ name: 'ZPL label', extensions: ['zpl'] }] },
        'label-pdf': { name: 'label.pdf', title: 'Save the label', filters: [{ name: 'PDF', extensions: ['pdf'] }] },
      }[what]
      const options = { title, filters, defaultPath: folder === null ? name : join(folder, name) }
      const ours = window()
      const { canceled, filePath } = await (ours === null ? dialog.showSaveDialog(options) : dialog.showSaveDialog(ours, options))
      if (canceled || filePath === '') return null
      folder = dirname(filePath)
      return filePath
    },
    async stopAndQuit() {
      const options = {
        type: 'warning' as const, title: 'A batch is running', message: 'A batch is running.', buttons: ['Keep running', 'Stop the batch and quit'], defaultId: 0, cancelId: 0,
        detail: 'Boards that are being written end as stopped; each keeps a bootable image. The log says how far each one came.',
      }
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
