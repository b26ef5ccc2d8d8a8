// One channel for calls, one for events. A call is heard only from the main frame of our own window while it shows our
// own page (Electron security checklist, item 17); the rest of the checking is in answer.ts.
import { ipcMain, type BrowserWindow, type IpcMainInvokeEvent } from 'electron'
import { realClock } from '../base/clock.ts'
import { callChannel, eventChannel } from '../contract/channels.ts'
import type { Reply, StationEvent } from '../contract/views.ts'
import { gatherEvents } from './gathering.ts'
import { pageUrl } from './page.ts'

export type Bridge = Readonly<{ tell(event: StationEvent): void; close(): void }>

/** Listens for the calls of the window that `window()` gives (null while there is none). */
export function openBridge(window: () => BrowserWindow | null, answer: (method: unknown, args: unknown) => Promise<Reply<unknown>>): Bridge {
  const trusted = (event: IpcMainInvokeEvent) => {
    const ours = window()
    const frame = event.senderFrame
    if (ours === null || ours.isDestroyed() || event.sender !== ours.webContents || frame === null) return false
    return frame === ours.webContents.mainFrame && withoutFragment(frame.url) === pageUrl
  }
  ipcMain.handle(callChannel, (event, method: unknown, args: unknown): Promise<Reply<unknown>> => {
    if (!trusted(event)) return Promise.resolve({ ok: false, failure: { kind: 'refused-sender', says: 'This call did not come from the station window.', facts: {} } })
    return answer(method, args)
  })
  const gathering = gatherEvents((events) => {
    const ours = window()
    if (ours !== null && !ours.isDestroyed() && !ours.webContents.isCrashed()) ours.webContents.send(eventChannel, events)
  }, (delayMs, work) => realClock.after(delayMs, work))
  return {
    tell: (event) => gathering.tell(event),
    close() {
      gathering.close()
      ipcMain.removeHandler(callChannel)
    },
  }
}

function withoutFragment(url: string): string {
  return url.replace(/#.*$/, '')
}
