// Which runtime runs this call, for the log: Electron's own build, the development build from the package registry (set-up
// leaves a note beside it), or plain Node.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AboutView } from '../contract/views.ts'

/** Read once a call; a note that does not read means Electron's own build. */
export function runtimeHere(): AboutView['runtime'] {
  const { electron = '', chrome = '', node } = process.versions as Record<string, string> & { node: string }
  const kind = electron === '' ? 'node' : isRegistryBuild() ? 'registry' : 'electron'
  return { kind, electron, chrome, node }
}

/** `.runtime/runtime.json` lies one folder above the runtime's own (scripts/setup/electron.mjs). */
function isRegistryBuild(): boolean {
  try {
    const note = JSON.parse(readFileSync(join(dirname(process.execPath), '..', 'runtime.json'), 'utf8')) as { kind?: unknown; executable?: unknown }
    return note.kind === 'registry' && note.executable === process.execPath
  } catch {
    return false
  }
}
