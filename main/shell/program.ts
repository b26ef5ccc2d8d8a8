// What every program with a window does alike, the station's and the one that only looks at a log: it ends by signals and
// by bugs with a sentence, runs its pages in the sandbox, and gives them their own scheme, their own files and nothing else
// (Electron security checklist).
import { app, dialog, protocol } from 'electron'
import { join } from 'node:path'
import type { SettingsView } from '../contract/views.ts'
import { shellWords } from './language.ts'
import { makePage, pageScheme } from './page.ts'
import { lockContents, lockSession, setMenu } from './window.ts'

export type Program = Readonly<{
  /** Chromium's own files. */
  windowFolder: string
  /** Ends the program; a terminal or a system that ends it is not asked back. */
  leave(): void
  /** Whose fault's last words are said: what it leaves behind differs. */
  of: 'station' | 'auditor'
}>

/** To be called once, before the runtime is ready. */
export function beginProgram({ windowFolder, leave, of }: Program): void {
  const stopAtBug = (error: unknown) => {
    console.error(error)
    const { title, says, more, [of]: after } = shellWords().fault
    if (app.isReady()) dialog.showErrorBox(title, [says, after, more].join('\n'))
    app.exit(1)
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave)
  process.on('uncaughtException', stopAtBug)
  process.on('unhandledRejection', stopAtBug)

  app.setPath('userData', windowFolder)
  // As root Chromium runs without its sandbox or not at all (start.mjs gives the switch then, and only then).
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
  else if (process.getuid?.() !== 0) console.error('slotwright: Chromium\'s sandbox is off (--no-sandbox). A page that was taken over could do whatever this user can; start without the switch.')
  protocol.registerSchemesAsPrivileged([{ scheme: pageScheme, privileges: { standard: true, secure: true } }])
  app.on('web-contents-created', (_event, contents) => lockContents(contents))
}

/** To be called once, when the runtime is ready and before the first window: the page's files, and what it may not do. */
export function beginPages(built: string): void {
  protocol.handle(pageScheme, makePage(join(built, 'renderer')))
  lockSession()
  setMenu()
}

/** High contrast is a page's own set of colours on the dark theme: Electron cannot ask the system for one. */
export function themeSourceOf(theme: SettingsView['theme']): 'system' | 'light' | 'dark' {
  return theme === 'contrast' ? 'dark' : theme
}
