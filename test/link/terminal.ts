// A real pseudo-terminal: the test holds the master, the station opens the slave as if it were a serial port.
import { execFileSync } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { ReadStream } from 'node:tty'

type Native = { open(columns: number, rows: number): { master: number; slave: number; pty: string } }

const native = createRequire(import.meta.url)(`@lydell/node-pty-${process.platform}-${process.arch}/pty.node`) as Native

export class Terminal {
  /** The slave's device, `/dev/pts/N`. */
  readonly path: string
  readonly #master: ReadStream
  readonly #fd: number
  #slave: number | null
  #heard: Buffer[] = []
  #waiters: { bytes: number; done: (heard: Buffer) => void }[] = []

  constructor() {
    const { master, slave, pty } = native.open(80, 24)
    this.path = pty
    execFileSync('stty', ['-F', pty, 'raw', '-echo'])
    // Without anybody on the slave the master would read EIO before the station comes.
    this.#slave = slave
    this.#fd = master
    this.#master = new ReadStream(master)
    this.#master.on('data', (chunk: Buffer) => {
      this.#heard.push(chunk)
      this.#tell()
    })
  }

  say(bytes: Uint8Array): void {
    writeSync(this.#fd, bytes)
  }

  /** The first `bytes` bytes the station wrote, once they are all here. */
  hear(bytes: number): Promise<Buffer> {
    return new Promise((done) => {
      this.#waiters.push({ bytes, done })
      this.#tell()
    })
  }

  /** Stops taking bytes, so that the line fills up. */
  stall(): void {
    this.#master.pause()
  }

  go(): void {
    this.#master.resume()
  }

  /** As a cable is pulled. */
  unplug(): void {
    if (this.#slave !== null) closeSync(this.#slave)
    this.#slave = null
    this.#master.destroy()
  }

  #tell(): void {
    const all = Buffer.concat(this.#heard)
    this.#heard = [all]
    this.#waiters = this.#waiters.filter(({ bytes, done }) => {
      if (all.length < bytes) return true
      done(all)
      return false
    })
  }
}
