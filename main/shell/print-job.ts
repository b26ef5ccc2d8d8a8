// The command line's printer: the program started without a window to make one page into PDF, and ended. The command line
// itself runs as plain Node and has no page; it starts this (main/cli/print.ts) with Chromium's own headless platform, so
// that no display is needed. The page comes from a file and goes to a file, both in a folder of the caller's own.
import { app, protocol } from 'electron'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { failed } from '../base/failure.ts'
import type { PaperSize } from '../station/reports.ts'
import { pageScheme } from './page.ts'
import { paper } from './paper.ts'

export type PrintJob = Readonly<{ from: string; to: string; size: PaperSize }>

/** `--print-page=IN --print-to=OUT [--print-mm=WxH]`; null when this start is none. */
export function printJobIn(args: readonly string[]): PrintJob | null {
  const value = (name: string) => args.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? null
  const [from, to, mm] = [value('print-page'), value('print-to'), /^([0-9.]{1,8})x([0-9.]{1,8})$/.exec(value('print-mm') ?? '')]
  if (from === null || to === null) return null
  return { from, to, size: mm === null ? null : { widthMm: Number(mm[1]), heightMm: Number(mm[2]) } }
}

/** Does the job and ends the program: 0 done, 1 with a sentence on stderr. */
export async function runPrintJob({ from, to, size }: PrintJob): Promise<void> {
  app.setPath('userData', join(dirname(to), 'profile'))
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
  protocol.registerSchemesAsPrivileged([{ scheme: pageScheme, privileges: { standard: true, secure: true } }])
  // The hidden page's end is not the program's: its bytes are still to be written.
  app.on('window-all-closed', () => undefined)
  await app.whenReady()
  const bytes = await paper.pdf(readFileSync(from, 'utf8'), size)
  if (failed(bytes)) console.error(bytes.says)
  else writeFileSync(to, bytes, { flag: 'wx' })
  app.exit(failed(bytes) ? 1 : 0)
}
