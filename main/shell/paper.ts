// Paper out of pages: PDF by Chromium's printToPDF, or the system's print dialog. The page comes from the log, where boards
// choose their own names, so it is shown like a stranger's: no script, no network, a sandbox of its own, and gone afterwards.
// Surprise: a page in no window prints, also without a display, where making even a hidden window ends the program.
import { WebContentsView, session, type WebContents } from 'electron'
import { randomUUID } from 'node:crypto'
import { Failure } from '../base/failure.ts'
import type { Paper } from '../station/reports.ts'
import { pageScheme } from './page.ts'

const pageUrl = `${pageScheme}://paper/page.html`
/** Longest page, and how long Chromium may take over it: some 100 pages a second. */
const pageBytesMax = 64 * 1024 * 1024
const printTimeoutMs = 120_000
const a4Inches = { width: 8.27, height: 11.69 }
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

export const paper: Paper = {
  pdf: (html, size) => onPage(html, async (contents) => {
    const pageSize = size === null ? a4Inches : { width: size.widthMm / 25.4, height: size.heightMm / 25.4 }
    const bytes = await contents.printToPDF({
      pageSize, printBackground: true, preferCSSPageSize: true,
      // A label has no outline worth a tag tree; a report is to be read aloud as well.
      ...(size === null ? { generateTaggedPDF: true, generateDocumentOutline: true, displayHeaderFooter: true, headerTemplate: '<span></span>', footerTemplate: footer } : { margins: { top: 0, bottom: 0, left: 0, right: 0 } }),
    })
    return new Uint8Array(bytes)
  }),
  print: (html, size) => onPage(html, (contents) => new Promise((resolve) => {
    const pageSize = size === null ? 'A4' as const : { width: Math.round(size.widthMm * 1000), height: Math.round(size.heightMm * 1000) }
    contents.print({ printBackground: true, pageSize, ...(size === null ? {} : { margins: { marginType: 'none' as const } }) }, (done, reason) => {
      if (done) resolve(true)
      else if (/cancel/i.test(reason)) resolve(false)
      else resolve(new Failure('not-printed', `The page was not printed: ${reason || 'the system gave no reason'}. Check the printer, or save a PDF.`))
    })
  })),
}

const footer = '<div style="font-size:7px;color:#555;width:100%;text-align:right;padding-right:13mm"><span class="pageNumber"></span> / <span class="totalPages"></span></div>'

/** Loads the page out of sight and closes it, come what may. Kinds: `no-paper`, and those of the work. */
async function onPage<T>(html: string, work: (contents: WebContents) => Promise<T | Failure>): Promise<T | Failure> {
  const bytes = Buffer.from(html)
  if (bytes.length > pageBytesMax) return new Failure('no-paper', 'The page is too long to be printed. Save it as HTML.')
  // No name beginning with persist: nothing of it touches the disk.
  const own = session.fromPartition(`paper-${randomUUID()}`)
  own.setPermissionRequestHandler((_contents, _permission, answer) => answer(false))
  own.webRequest.onBeforeRequest((details, answer) => answer({ cancel: details.url !== pageUrl && !details.url.startsWith('data:image/') }))
  own.protocol.handle(pageScheme, () => new Response(bytes, { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy } }))
  const { webContents: contents } = new WebContentsView({ webPreferences: { session: own, sandbox: true, contextIsolation: true, nodeIntegration: false, javascript: false, webviewTag: false, devTools: false, spellcheck: false } })
  let timer: NodeJS.Timeout | undefined
  try {
    const late = new Promise<Failure>((resolve) => {
      timer = setTimeout(() => resolve(new Failure('no-paper', 'Making the paper took too long. Save the page as HTML.')), printTimeoutMs)
    })
    return await Promise.race([contents.loadURL(pageUrl).then(() => work(contents)), late])
  } catch (error) {
    return new Failure('no-paper', `The page could not be made into paper: ${error instanceof Error ? error.message.slice(0, 200) : 'no reason was given'}. Save it as HTML.`)
  } finally {
    clearTimeout(timer)
    contents.close()
    own.protocol.unhandle(pageScheme)
  }
}
