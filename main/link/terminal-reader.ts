// What a terminal hears, straight from the kernel into one buffer: libuv's own reading, on Linux. The serialport package's poller tells
// that there is something by way of three system calls and an event each time, which takes longer than everything the station does
// with a board's answer. What surprised us: libuv does not read from the descriptor it is given but opens the terminal once more and
// leaves ours open, except where that fails; so it gets one of its own, and ours is closed where it is not the one it reads from.
import { closeSync, constants, openSync } from 'node:fs'
import { ReadStream } from 'node:tty'

const readBytesMax = 65_536

/**
 * Reads from the terminal until the returned function is called; `lost` is called when it is hung up. The device is open already, with its settings and
 * the lock, so that opening it again changes none of its lines. Null where the system does not do it: then it has to be polled.
 */
export function readTerminal(device: string, heard: (bytes: Uint8Array) => void, lost: () => void): (() => void) | null {
  if (process.platform !== 'linux') return null
  const buffer = new Uint8Array(readBytesMax)
  const callback = (count: number) => {
    heard(buffer.slice(0, count))
    return true
  }
  let own: number | null = null
  let stream: ReadStream & { readonly _handle?: { readonly fd?: number } | null }
  try {
    own = openSync(device, constants.O_RDONLY | constants.O_NOCTTY | constants.O_NONBLOCK)
    stream = new ReadStream(own, { onread: { buffer, callback } })
  } catch {
    if (own !== null) closeSync(own)
    return null
  }
  if (stream._handle?.fd !== own) closeSync(own)
  for (const end of ['error', 'end', 'close']) stream.on(end, lost)
  stream.resume()
  return () => {
    for (const end of ['end', 'close']) stream.off(end, lost)
    stream.destroy()
  }
}
