// Texts of the program itself: its native dialogs, its menu, its last words. The page's own are in renderer/words.

export const en = {
  allFiles: 'All files',
  open: {
    firmware: { title: 'Choose firmware', files: 'Firmware' },
    image: { title: 'Choose a signed image, a firmware package or an update archive', files: 'Signed image, package or archive' },
    key: { title: 'Choose a key', files: 'PEM' },
    module: { title: 'Choose the PKCS#11 module of your token', files: 'PKCS#11 module' },
    text: { title: 'Choose the signature', files: 'Signature, base64' },
    value: { title: 'Choose the file that goes into the TLV', files: '' },
    table: { title: 'Choose the table of unit data', files: 'Table' },
    folder: { title: 'Choose the folder that events go to', files: '' },
    log: { title: 'Choose a log to look at', files: 'Log or audit bundle' },
  },
  save: {
    signed: { title: 'Save the signed image', files: 'Signed image' },
    digest: { title: 'Save what is to be signed', files: 'Digest' },
    bundle: { title: 'Save the audit bundle', files: 'Audit bundle' },
    recall: { title: 'Save the recalled units', files: 'Table' },
    history: { title: 'Save the unit\'s history', files: 'Table' },
    receipts: { title: 'Save the load receipts', files: 'Load receipts' },
    'report-html': { title: 'Save the report', files: 'Web page' },
    'report-pdf': { title: 'Save the report', files: 'PDF' },
    'label-zpl': { title: 'Save the label', files: 'ZPL label' },
    'label-pdf': { title: 'Save the label', files: 'PDF' },
  },
  quit: {
    title: 'A batch is running',
    message: 'A batch is running.',
    detail: 'Boards that are being written end as stopped; each keeps a bootable image. The log says how far each one came.',
    keep: 'Keep running',
    stop: 'Stop the batch and quit',
  },
  menu: {
    station: 'Station', lookFile: 'Look at a log file or bundle…', lookHome: 'Look at a home\'s log…', quit: 'Quit',
    edit: 'Edit', undo: 'Undo', redo: 'Redo', cut: 'Cut', copy: 'Copy', paste: 'Paste', selectAll: 'Select all',
    view: 'View', reload: 'Reload', actualSize: 'Actual size', zoomIn: 'Larger', zoomOut: 'Smaller', fullScreen: 'Full screen', tools: 'Developer tools',
  },
  notOpened: 'The log was not opened',
  fault: {
    title: 'Slotwright stopped',
    says: 'There is a fault in Slotwright and it cannot go on.',
    station: 'The log is safe: what was done is written, and the next start says how far each board came.',
    auditor: 'The log that was looked at is as it was.',
    more: 'The terminal shows more.',
  },
} as const

type Words<T> = { readonly [K in keyof T]: T[K] extends string ? string : Words<T[K]> }

/** What every language has. */
export type ShellWords = Words<typeof en>
