// Where ports come from: the system's own, a practice folder, or a path somebody typed. Each source gives a list
// of what is there now; the watcher compares lists. On Linux the system's ports are read from /sys directly: it names the USB
// serial number and the hub path, needs no udevadm (serialport's list() does) and costs no process a second. What a
// practice process writes into its folder is read as strictly as anything else.
import { readFile, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { SerialPort } from 'serialport'
import { Failure, failed } from '../base/failure.ts'

/** A port that is there now. */
export type AttachedPort = Readonly<{
  /** What to open. */
  path: string
  /** The device behind `path` when that is a link; a board that comes back may get another. */
  device: string
  /** USB serial number, or a practice board's. */
  serial: string | null
  /** Bay number, where the source knows it (practice boards). */
  bay: number | null
  /** Place in the USB tree, `1-4.2`: bus 1, hub port 4, there port 2. Stays the same for the same socket. */
  hubPath: string | null
  /** Which of its USB device's interfaces, `1.0`; boards with several ports have several. Left out where the system tells none. */
  usbInterface?: string
  /** Four hex digits each. */
  vendorId: string | null
  productId: string | null
  manufacturer: string | null
  practice: boolean
}>

/** One place to look for ports. */
export interface PortSource {
  /** For sentences. */
  readonly name: string
  /** What is there now. Failure kinds `no-such-folder`, `bad-practice-folder`, `cannot-list`. */
  list(): Promise<readonly AttachedPort[] | Failure>
  /** Folder whose changes are worth a look at once; everything else is found by looking again every second. */
  readonly folder: string | null
}

const boardsFileBytesMax = 1 << 20
const boardsMax = 1024
const ttysMax = 1024

/** Name of the file in which a practice process says which boards it has. */
export const practiceFile = 'boards.json'

/** A folder that a practice process keeps. A process that died leaves no boards. */
export function practiceSource(folder: string): PortSource {
  return { name: `practice folder ${folder}`, folder, list: () => listPractice(folder) }
}

/**
 * One board of a practice folder, named by a port of it. The device itself tells nothing of whose it is; the folder does, also
 * when the board is behind another port after a restart.
 */
export function practicePortSource(folder: string, path: string): PortSource {
  let serial: string | null = null
  return {
    name: path,
    folder,
    list: async () => {
      const ports = await listPractice(folder)
      if (failed(ports)) return ports
      serial ??= ports.find((port) => port.path === path)?.serial ?? null
      return ports.filter((port) => (serial === null ? port.path === path : port.serial === serial))
    },
  }
}

/** The boards of a practice folder that have a port now. Failure kinds `no-such-folder`, `bad-practice-folder`. */
export async function listPractice(folder: string): Promise<readonly AttachedPort[] | Failure> {
  const file = join(folder, practiceFile)
  let text: string
  try {
    if ((await stat(file)).size > boardsFileBytesMax) return badFolder(folder, 'the file is larger than 1 MiB')
    text = await readFile(file, 'utf8')
  } catch {
    return new Failure('no-such-folder', `${folder} is no practice folder: it has no ${practiceFile}. Start one with "slotwright practice --dir ${folder}".`, { folder })
  }
  const boards = parseBoards(text)
  if (typeof boards === 'string') return badFolder(folder, boards)
  if (!isAlive(boards.pid)) return []
  const ports: AttachedPort[] = []
  for (const { bay, serial, port } of boards.list) {
    if (port === null) continue
    const path = resolve(folder, port)
    const device = await realpath(path).catch(() => null)
    if (device === null) continue // vanished between the file and the look
    ports.push({ path, device, serial, bay, hubPath: null, vendorId: null, productId: null, manufacturer: 'Slotwright practice', practice: true })
  }
  return ports
}

type Boards = { pid: number; list: { bay: number; serial: string; port: string | null }[] }

/** The boards, or what is wrong with the text. */
function parseBoards(text: string): Boards | string {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'the file is no JSON'
  }
  const { version, pid, boards } = (value ?? {}) as Record<string, unknown>
  if (version !== 1) return 'it is of another version'
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid < 1) return 'it names no process'
  if (!Array.isArray(boards) || boards.length > boardsMax) return `it lists no boards, or more than ${boardsMax}`
  const list: Boards['list'] = []
  for (const board of boards as readonly unknown[]) {
    const { bay, serial, port } = (board ?? {}) as Record<string, unknown>
    if (typeof bay !== 'number' || !Number.isInteger(bay) || bay < 1 || bay > boardsMax) return 'a bay has no number'
    if (typeof serial !== 'string' || !/^[\x21-\x7e]{1,64}$/.test(serial)) return 'a serial number is not printable'
    if (port !== null && (typeof port !== 'string' || port.length > 4096)) return 'a port is neither a path nor null'
    list.push({ bay, serial, port })
  }
  return { pid, list }
}

function badFolder(folder: string, what: string): Failure<'bad-practice-folder'> {
  return new Failure('bad-practice-folder', `${join(folder, practiceFile)} cannot be used: ${what}. Stop the practice process and start it again.`, { folder })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A terminal of this Linux by its name, `ttyACM0`; null where nothing is behind it. */
export function terminalAt(name: string): Promise<AttachedPort | null> {
  return readTty(name, '/sys/class/tty')
}

function bare(path: string, device: string): AttachedPort {
  return { path, device, serial: null, bay: null, hubPath: null, vendorId: null, productId: null, manufacturer: null, practice: false }
}

/** The system's own serial ports. `sysTtys` is for tests. */
export function systemSource(sysTtys = '/sys/class/tty'): PortSource {
  const list = process.platform === 'linux' || sysTtys !== '/sys/class/tty' ? () => listSys(sysTtys) : listBySerialport
  return { name: 'serial ports', folder: null, list }
}

async function listSys(sysTtys: string): Promise<readonly AttachedPort[] | Failure> {
  let names: string[]
  try {
    names = (await readdir(sysTtys)).slice(0, ttysMax)
  } catch (error) {
    return new Failure('cannot-list', `This system does not show its serial ports (${(error as Error).message}). Name them instead, for example /dev/ttyACM0.`)
  }
  const ports = await Promise.all(names.filter((name) => /^tty[A-Za-z]+\d+$/.test(name)).map((name) => readTty(name, sysTtys)))
  return ports.filter((port) => port !== null).sort((a, b) => a.path.localeCompare(b.path, 'en', { numeric: true }))
}

/** A terminal that has hardware behind it, or null. */
async function readTty(name: string, sysTtys: string): Promise<AttachedPort | null> {
  const device = await realpath(join(sysTtys, name, 'device')).catch(() => null)
  if (device === null) return null // a virtual console
  const path = `/dev/${name}`
  // ttyS0..3 exist whether or not a UART does; type 0 means that none answered.
  if (name.startsWith('ttyS') && (await readWord(join(sysTtys, name, 'type'))) === '0') return null
  // The terminal hangs below a USB interface, that below the USB device, which has the names.
  let folder = device
  let below = ''
  for (let depth = 0; depth < 6 && folder !== '/'; depth++, below = folder, folder = dirname(folder)) {
    const vendorId = await readWord(join(folder, 'idVendor'))
    if (vendorId === null) continue
    return {
      ...bare(path, path),
      vendorId,
      productId: await readWord(join(folder, 'idProduct')),
      serial: await readWord(join(folder, 'serial')),
      manufacturer: await readWord(join(folder, 'manufacturer')),
      hubPath: basename(folder),
      ...(below.includes(':') ? { usbInterface: basename(below).replace(/^.*:/, '') } : {}),
    }
  }
  return bare(path, path)
}

async function readWord(file: string): Promise<string | null> {
  const text = await readFile(file, 'latin1').catch(() => null)
  return wordOf(text)
}

/** What a device says of itself, fit to be shown; null when it says nothing. */
function wordOf(text: string | null | undefined): string | null {
  const word = text?.trim().slice(0, 256).replace(/[^\x20-\x7e]/g, '·')
  return word ? word : null
}

async function listBySerialport(): Promise<readonly AttachedPort[] | Failure> {
  try {
    return (await SerialPort.list()).slice(0, ttysMax).map((port) => ({
      ...bare(port.path, port.path),
      serial: wordOf(port.serialNumber),
      hubPath: wordOf(port.locationId),
      vendorId: wordOf(port.vendorId)?.toLowerCase() ?? null,
      productId: wordOf(port.productId)?.toLowerCase() ?? null,
      manufacturer: wordOf(port.manufacturer),
    }))
  } catch (error) {
    return new Failure('cannot-list', `This system does not list its serial ports (${(error as Error).message}). Name them instead.`)
  }
}
