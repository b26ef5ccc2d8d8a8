// Opening the station for the window: once when it works, again whenever it is asked while it does not (a home made
// writable, a disk given back). Who asks while an attempt is under way shares it.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { realClock } from '../base/clock.ts'
import { failed, type Failure } from '../base/failure.ts'
import type { AboutView } from '../contract/views.ts'
import { watchPorts } from '../station/attached.ts'
import { installedHere } from '../station/installation.ts'
import { childProcessHost } from '../station/practice.ts'
import { openStation, type Station } from '../station/station.ts'
import { usbOnly } from '../station/usb-only.ts'
import { paper } from './paper.ts'

export type Opening = Readonly<{
  /** The station, opened on first use; a failure is not kept. */
  station(): Promise<Station | Failure>
  /** The station if it is open. */
  now(): Station | null
  /** Stops runs and gives everything back. */
  close(): Promise<void>
}>

/** `opened` is awaited when the station has just been opened, before anyone gets it. */
export function makeOpening(options: { home: string; version: string; practiceEntry: string; tokenEntry: string; noticesFile: string }, opened: (station: Station) => Promise<void>): Opening {
  let attempt: Promise<Station | Failure> | null = null
  let open: Station | null = null
  let closed = false

  async function tryToOpen(): Promise<Station | Failure> {
    const ports = await watchPorts({ from: 'system', clock: realClock })
    if (failed(ports)) return ports
    const station = await openStation({ ...options, installed: installedHere(), looksForUpdates: true, opensDoor: true, runtime: runtimeHere(), ports: usbOnly(ports), practiceHost: childProcessHost(options.practiceEntry), tokenEntry: options.tokenEntry, paper })
    if (failed(station)) {
      await ports.close()
      return station
    }
    open = station
    if (!closed) await opened(station)
    return station
  }

  /** One attempt at a time; a failed one is forgotten, so that the next question tries again. */
  function attemptOnce(): Promise<Station | Failure> {
    attempt ??= tryToOpen().then((station) => {
      if (failed(station)) attempt = null
      return station
    })
    return attempt
  }

  return {
    station: attemptOnce,
    now: () => open,
    async close() {
      closed = true
      await attempt
      await open?.close()
    },
  }
}

/** Which runtime this is; the development runtime out of the package registry carries a marker in its folder. */
export function runtimeHere(): AboutView['runtime'] {
  const { electron = '', chrome = '', node = '' } = process.versions as Readonly<Record<string, string | undefined>>
  const registry = existsSync(join(dirname(process.execPath), 'REGISTRY-RUNTIME.txt'))
  return { kind: electron === '' ? 'node' : registry ? 'registry' : 'electron', electron, chrome, node }
}
