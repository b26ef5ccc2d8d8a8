// PDF for the command line, which runs as plain Node and has no page of its own: the same program is started once more as
// Electron, without a window and without a display (Chromium's headless platform for Ozone), for one page. Where that does
// not go, because the runtime is plain Node or a system library is missing, the person is told how to get the PDF.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Failure, failed } from '../base/failure.ts'
import type { Paper, PaperSize } from '../station/reports.ts'

const printTimeoutMs = 60_000
const wordsMax = 4_000

/** The program's folder as Electron wants it named: the one above the built command line that holds the window's program too. */
function programFolder(): string | null {
  let folder = dirname(process.argv[1] ?? '')
  for (let above = 0; above < 5; above++) {
    if (existsSync(join(folder, 'package.json')) && existsSync(join(folder, 'out', 'main', 'app.js'))) return folder
    folder = dirname(folder)
  }
  return null
}

export const headlessPaper: Paper = {
  async pdf(html, size) {
    const program = programFolder()
    if (process.versions['electron'] === undefined) return noPrinter('this is plain Node, not Electron')
    if (program === null) return noPrinter('the window\'s program is not installed beside the command line')
    const folder = await mkdtemp(join(tmpdir(), 'slotwright-print-'))
    const [from, to] = [join(folder, 'page.html'), join(folder, 'page.pdf')]
    try {
      await writeFile(from, html, { mode: 0o600 })
      const wrong = await runPrinter(program, from, to, size)
      return wrong ?? new Uint8Array(await readFile(to))
    } catch (error) {
      return noPrinter(error instanceof Error ? error.message : 'it left no file')
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    }
  },
  print: () => Promise.resolve(new Failure('no-paper', 'Printing needs the window. Save a PDF and print that.')),
}

function noPrinter(why: string): Failure {
  return new Failure('no-paper', `The PDF cannot be made here (${why.trim().slice(0, 300)}). Save the report as .html and print it from a browser, or use the window.`)
}

function runPrinter(program: string, from: string, to: string, size: PaperSize): Promise<Failure | null> {
  const { ELECTRON_RUN_AS_NODE: _, ...env } = process.env
  const root = process.platform === 'linux' && process.getuid?.() === 0
  const args = [
    // An installed program finds itself; elsewhere Electron is told the folder.
    ...(program.endsWith('.asar') ? [] : [program]),
    ...(process.platform === 'linux' ? ['--ozone-platform=headless', '--disable-gpu'] : []), ...(root ? ['--no-sandbox'] : []),
    `--print-page=${from}`, `--print-to=${to}`, ...(size === null ? [] : [`--print-mm=${size.widthMm}x${size.heightMm}`]),
  ]
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'], timeout: printTimeoutMs, killSignal: 'SIGKILL' })
    let words = ''
    child.stderr.on('data', (bytes: Buffer) => { words = `${words}${bytes.toString()}`.slice(-wordsMax) })
    child.on('error', (error) => resolve(noPrinter(error.message)))
    child.on('close', (code) => resolve(code === 0 ? null : noPrinter(lastWords(words) || `it ended with ${code ?? 'a signal'}`)))
  })
}

/** The last line that is not one of Chromium's own complaints (about D-Bus and graphics, which do no harm). */
function lastWords(words: string): string {
  return words.split('\n').filter((line) => line.trim() !== '' && !/^\[[0-9:/.]+[A-Z]+:/.test(line)).at(-1) ?? ''
}

/** For callers that make paper only where a PDF was asked for. */
export async function pdfOf(html: string | Failure, size: PaperSize): Promise<Uint8Array | Failure> {
  return failed(html) ? html : await headlessPaper.pdf(html, size)
}
