// The only script that sees both sides. It runs in the sandbox and hands the page two functions and a list of languages;
// neither the ipcRenderer nor an event object crosses.
import { contextBridge, ipcRenderer, type IpcRendererEvent } from 'electron'
import { callChannel, eventChannel, languagesArgument } from '../contract/channels.ts'
import type { StationEvent } from '../contract/views.ts'

const languages = process.argv.find((word) => word.startsWith(languagesArgument))?.slice(languagesArgument.length) ?? ''

contextBridge.exposeInMainWorld('slotwright', {
  languages: languages.split(',').filter((tag) => tag !== ''),
  call: (method: string, args: unknown): Promise<unknown> => ipcRenderer.invoke(callChannel, method, args),
  subscribe(listener: (event: StationEvent) => void): () => void {
    const hear = (_: IpcRendererEvent, events: readonly StationEvent[]) => {
      for (const event of events) listener(event)
    }
    ipcRenderer.on(eventChannel, hear)
    return () => {
      ipcRenderer.removeListener(eventChannel, hear)
    }
  },
})
