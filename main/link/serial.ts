// Opens a serial port as a Link, every option that could surprise a board or a neighbour written out, and every way it
// can fail with its own sentence. Surprises of the serialport package (bindings-cpp 13): `hupcl: false` does not clear
// the flag, it only refrains from setting it, and the kernel sets it by default, so DTR would drop at every close and
// reset boards that wire it so; it has to be cleared by stty. The lock is advisory: screen and cat take none, so on
// real ports we look for other readers first.
import { execFile } from 'node:child_process'
import { realpath, stat } from 'node:fs/promises'
import { SerialPort } from 'serialport'
import { Failure, failed } from '../base/failure.ts'
import type { Link } from '../smp/link.ts'
import { DescriptorLink } from './descriptor.ts'
import { lockHolder, openHolder } from './holder.ts'
import type { Holder } from './holder.ts'
import { StreamLink } from './stream.ts'
import { readTerminal } from './terminal-reader.ts'

export type SerialOptions = Readonly<{
  /** Device, or a symbolic link to one, e.g. `/dev/ttyACM0`, `COM7`, `/dev/serial/by-id/…`. */
  path: string
  /** Symbols a second. Default 115200. */
  baudRate?: number
  /** How these lines shall stand while it is open; left out: as opening leaves them, which is asserted. */
  dtr?: boolean
  rts?: boolean
}>

export type OpenFailureKind = 'no-such-port' | 'not-a-port' | 'port-held' | 'no-permission' | 'bad-baud-rate' | 'port-failed' | 'no-lines'

/** Opens and locks a port. Failure kinds: `OpenFailureKind`; facts: `port`, for `port-held` perhaps `pid` and `command`. */
export async function openSerial(options: SerialOptions): Promise<Link | Failure<OpenFailureKind>> {
  const { path, baudRate = 115_200 } = options
  if (!Number.isInteger(baudRate) || baudRate < 50 || baudRate > 20_000_000) {
    return new Failure('bad-baud-rate', `${baudRate} is no baud rate. Usual ones are 115200, 921600 and 1000000.`, { port: path, baudRate })
  }
  const link = process.platform === 'win32' ? await openStream(path, baudRate) : await openDescriptor(path, baudRate)
  return failed(link) ? link : await withLines(link, options)
}

/** Sets what the caller wants of DTR and RTS, at once after the opening. A pseudo-terminal has neither, and nothing to reset by them. */
async function withLines(link: Link, { dtr, rts }: SerialOptions): Promise<Link | Failure<OpenFailureKind>> {
  if (dtr === undefined && rts === undefined) return link
  const set = await link.setLines?.({ dtr, rts })
  if (!failed(set) || (set.kind === 'no-lines' && link instanceof DescriptorLink && link.isPseudoTerminal)) return link
  await link.close()
  return set as Failure<OpenFailureKind>
}

/** What both ways of opening have in common; nothing is left to a default. */
function settings(path: string, baudRate: number) {
  return {
    path,
    baudRate,
    autoOpen: false,
    /** Exclusive: two programs on one port lose half of the answers each. */
    lock: true,
    dataBits: 8,
    stopBits: 1,
    parity: 'none',
    /** No flow control by wire: most boards leave RTS and CTS open, and an open CTS would stop every write. */
    rtscts: false,
    /** None by byte either: 11 and 13 hex may stand in a raw packet. */
    xon: false,
    xoff: false,
    xany: false,
    /** Do not drop DTR at close; see the head of this file. */
    hupcl: false,
    vmin: 1,
    vtime: 0,
  } as const
}

async function openDescriptor(path: string, baudRate: number): Promise<Link | Failure<OpenFailureKind>> {
  let device: string
  try {
    device = await realpath(path)
    if (!(await stat(device)).isCharacterDevice()) return notAPort(path)
  } catch (error) {
    return await explain(path, path, error as NodeJS.ErrnoException)
  }
  const isPseudoTerminal = device.startsWith('/dev/pts/')
  // Everybody has /dev/null open; and a practice board keeps its own end of a pseudo-terminal.
  if (/^\/dev\/(tty|cu|rfcomm)/.test(device)) {
    const holder = await openHolder(device)
    if (holder) return held(path, holder)
  }
  try {
    // Neither RTS nor DTR is set here: opening raises both, as every terminal program does.
    const port = await SerialPort.binding.open(settings(device, baudRate))
    if (!isPseudoTerminal) await keepLinesAtClose(device)
    return new DescriptorLink(path, port, isPseudoTerminal, (heard, lost) => readTerminal(device, heard, lost))
  } catch (error) {
    return await explain(path, device, error as NodeJS.ErrnoException)
  }
}

function openStream(path: string, baudRate: number): Promise<Link | Failure<OpenFailureKind>> {
  // rtsMode: Windows would otherwise let the driver toggle RTS as it likes.
  const port = new SerialPort({ ...settings(path, baudRate), rtsMode: 'enable' } as ConstructorParameters<typeof SerialPort>[0])
  return new Promise((resolve) => {
    port.open((error) => {
      if (!error) resolve(new StreamLink(path, port))
      else void explain(path, path, error).then(resolve)
    })
  })
}

/** Best effort: without stty (or on a driver that refuses) boards with DTR wired to reset restart at close. */
function keepLinesAtClose(device: string): Promise<void> {
  const fileFlag = process.platform === 'darwin' ? '-f' : '-F'
  return new Promise((resolve) => execFile('stty', [fileFlag, device, '-hupcl'], { timeout: 2000 }, () => resolve()))
}

async function explain(path: string, device: string, error: NodeJS.ErrnoException): Promise<Failure<OpenFailureKind>> {
  // bindings-cpp throws plain errors whose text holds strerror(3), or on Windows the message of the call.
  const text = `${error.code ?? ''} ${error.message}`
  if (/ENOENT|ENXIO|ENODEV|No such (file|device)|File not found/i.test(text)) return noSuchPort(path)
  if (/ENOTDIR|EISDIR|Is a directory|Inappropriate ioctl|Not a (directory|typewriter)/i.test(text)) return notAPort(path)
  if (/EACCES|EPERM|Permission denied|Operation not permitted/i.test(text)) return noPermission(path)
  if (/Cannot lock|EBUSY|Device or resource busy|Access denied/i.test(text)) return held(path, (await lockHolder(device)) ?? (await openHolder(device)))
  if (/custom baud|baud/i.test(text)) {
    return new Failure('bad-baud-rate', `${path} does not take this baud rate. Choose the one the board's firmware was built with.`, { port: path })
  }
  if (/Input\/output error|EIO/i.test(text)) return noSuchPort(path)
  return new Failure('port-failed', `${path} cannot be opened: ${error.message.replace(/^Error:? */, '')}. Unplug the board, plug it in again and try once more.`, { port: path })
}

function noSuchPort(path: string): Failure<'no-such-port'> {
  return new Failure('no-such-port', `There is no port ${path}. Check that the board is plugged in and has power; "slotwright ports" lists what is attached.`, { port: path })
}

function notAPort(path: string): Failure<'not-a-port'> {
  return new Failure('not-a-port', `${path} is not a serial port. "slotwright ports" lists what is attached.`, { port: path })
}

function noPermission(path: string): Failure<'no-permission'> {
  const remedy =
    process.platform === 'linux'
      ? 'Run: sudo usermod -aG dialout "$USER" — then sign out and in again'
      : 'Ask your administrator for access to serial ports'
  return new Failure('no-permission', `You may not open ${path}. ${remedy}.`, { port: path })
}

function held(path: string, holder: Holder | null): Failure<'port-held'> {
  if (!holder) return new Failure('port-held', `${path} is in use by another program. Close that program (a terminal, a debugger, another station) and try again.`, { port: path })
  const { pid, command } = holder
  const remedy =
    command === 'ModemManager'
      ? 'Install the udev rule that comes with Slotwright, so that ModemManager leaves boards alone, or wait half a minute'
      : 'Close it and try again'
  return new Failure('port-held', `${path} is in use by ${command} (process ${pid}). ${remedy}.`, { port: path, pid, command })
}
