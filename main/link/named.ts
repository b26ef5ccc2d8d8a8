// Ports that somebody named: one, a folder of them, or a pattern. They are looked for anew at every look, since a board that is
// plugged in later counts too; and what was named is a board, not a name: one that comes back from a restart under a name that
// nobody wrote is still it. It is known by its socket (and the interface there, for boards with several ports), or by
// its serial number where the system tells no socket.
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { failed } from '../base/failure.ts'
import { listPractice, systemSource, terminalAt } from './sources.ts'
import type { AttachedPort, PortSource } from './sources.ts'

/** What the system tells of its ports; the tests have another. */
export type PortSystem = Readonly<{ about(path: string, device: string): Promise<AttachedPort | null>; all: PortSource['list'] }>

const linux: PortSystem = { about: (_path, device) => terminalAt(basename(device)), all: () => systemSource().list() }
/** Elsewhere a port's name comes from its socket and stays. */
const others: PortSystem = { about: () => Promise.resolve(null), all: () => Promise.resolve([]) }
const thisSystem = process.platform === 'linux' ? linux : others

const devicesMax = 1024
const keysMax = 4096

/** One port, while its path exists or its board is behind another. */
export function pathSource(path: string, system: PortSystem = thisSystem): PortSource {
  return namedSource(path, () => Promise.resolve([path]), true, system)
}

/** The ports in a folder whose names fit, those that are there now and those that come. */
export function folderSource(text: string, folder: string, fits: (name: string) => boolean, system: PortSystem = thisSystem): PortSource {
  return namedSource(text, () => portsIn(folder, fits), false, system)
}

function namedSource(name: string, devices: () => Promise<readonly string[]>, one: boolean, system: PortSystem): PortSource {
  const known = new Set<string>()
  const list = async () => {
    const found = new Map<string, AttachedPort>()
    for (const path of await devices()) {
      const device = await realpath(path).catch(() => null)
      if (device === null) continue
      const about = await system.about(path, device)
      const port = about === null ? bare(path, device) : { ...about, path, device }
      const key = keyOf(port)
      // Another board may have got the name meanwhile; of a pattern every name counts.
      if (one && key !== null && known.size > 0 && !known.has(key)) continue
      if (key !== null && known.size < keysMax) known.add(key)
      found.set(device, port)
    }
    const all = known.size === 0 ? [] : await system.all()
    if (failed(all)) return [...found.values()]
    for (const port of all) if (known.has(keyOf(port) ?? '') && !found.has(port.device)) found.set(port.device, port)
    return [...found.values()]
  }
  return { name, folder: null, list }
}

function keyOf({ hubPath, usbInterface = '', vendorId, productId, serial }: AttachedPort): string | null {
  if (hubPath !== null) return `at ${hubPath} ${usbInterface}`
  return serial === null ? null : `${vendorId ?? ''}:${productId ?? ''}:${serial} ${usbInterface}`
}

/** The boards of a practice folder behind ports whose names fit, wherever they go. */
export function practicePatternSource(text: string, folder: string, fits: (name: string) => boolean): PortSource {
  const serials = new Set<string>()
  return {
    name: text,
    folder,
    list: async () => {
      const ports = await listPractice(folder)
      if (failed(ports)) return ports
      for (const { path, serial } of ports) if (serial !== null && fits(basename(path)) && serials.size < keysMax) serials.add(serial)
      return ports.filter(({ serial }) => serial !== null && serials.has(serial))
    },
  }
}

/** Terminals in a folder whose names fit, in the order of their names. */
export async function portsIn(folder: string, fits: (name: string) => boolean): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  const devices: string[] = []
  for (const name of names.filter(fits).sort((a, b) => a.localeCompare(b, 'en', { numeric: true })).slice(0, devicesMax)) {
    const path = join(folder, name)
    if ((await stat(path).catch(() => null))?.isCharacterDevice()) devices.push(path)
  }
  return devices
}

function bare(path: string, device: string): AttachedPort {
  return { path, device, serial: null, bay: null, hubPath: null, vendorId: null, productId: null, manufacturer: null, practice: false }
}
