// One pseudo-terminal: the board's end of a serial port that any program on this machine can open. The slave end is put
// into raw mode and kept open in here, so that the client may come and go without an end-of-file on our side; closing
// both ends is what pulling the cable looks like to the client. Bytes for a client that does not read are lost once the
// kernel's buffer is full, as they are on a UART.
import { execFile } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ReadStream } from 'node:tty'
import { promisify } from 'node:util'
import { Failure } from '../base/failure.ts'

type NativePty = { open(columns: number, rows: number): { master: number; slave: number; pty: string } }

function loadNative(): NativePty | Failure<'no-pty'> {
  if (process.platform === 'win32') {
    return new Failure('no-pty', 'Practice boards need pseudo-terminals, which Windows does not have. Run them on Linux or macOS.')
  }
  try {
    // The package's own class spawns a shell; only its opening of a bare pair is wanted.
    const load = createRequire(import.meta.url)('@lydell/node-pty/requireBinary.js') as { requireBinary(name: string): NativePty }
    return load.requireBinary('pty.node')
  } catch (error) {
    return new Failure('no-pty', `Pseudo-terminals are not available here: ${(error as Error).message.split('\n')[0]}`)
  }
}

const run = promisify(execFile)

const readBytesMax = 65_536

export class Pty {
  /** The device a client opens, e.g. /dev/pts/3. */
  readonly path: string
  readonly #master: number
  readonly #slave: number
  readonly #stream: ReadStream
  #open = true
  #hear: (bytes: Uint8Array) => void = () => {}

  constructor(path: string, master: number, slave: number) {
    this.path = path
    this.#master = master
    this.#slave = slave
    // Straight from the kernel into one buffer: a stream's own queue and events take longer than the board's answer.
    const buffer = new Uint8Array(readBytesMax)
    this.#stream = new ReadStream(master, {
      onread: {
        buffer,
        callback: (count) => {
          this.#hear(buffer.slice(0, count))
          return true
        },
      },
    })
    // EIO when the last slave end closes, EAGAIN at the start: neither is news to anybody.
    this.#stream.on('error', () => {})
    this.#stream.pause()
  }

  /** Bytes the client wrote, cut anywhere. */
  onBytes(listener: (bytes: Uint8Array) => void): void {
    this.#hear = listener
    this.#stream.resume()
  }

  /** Leaves what comes next in the kernel until `resume`. */
  pause(): void {
    this.#stream.pause()
  }

  resume(): void {
    if (this.#open) this.#stream.resume()
  }

  /** How many of the bytes the kernel took. */
  write(bytes: Uint8Array): number {
    if (!this.#open) return 0
    try {
      return writeSync(this.#master, bytes)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN' || code === 'EIO') return 0
      throw error
    }
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    this.#stream.destroy()
    closeSync(this.#slave)
  }
}

/** A fresh pseudo-terminal in raw mode. Failure kinds: `no-pty`. */
export async function openPty(): Promise<Pty | Failure<'no-pty'>> {
  const native = loadNative()
  if (native instanceof Failure) return native
  let opened: ReturnType<NativePty['open']>
  try {
    opened = native.open(80, 24)
  } catch (error) {
    return new Failure('no-pty', `The system gives no more pseudo-terminals (${(error as Error).message}). Use fewer boards.`)
  }
  try {
    await run('stty', [process.platform === 'linux' ? '-F' : '-f', opened.pty, 'raw', '-echo'])
  } catch (error) {
    closeSync(opened.master)
    closeSync(opened.slave)
    return new Failure('no-pty', `The pseudo-terminal ${opened.pty} cannot be set up: ${(error as Error).message.split('\n')[0]}`)
  }
  return new Pty(opened.pty, opened.master, opened.slave)
}
