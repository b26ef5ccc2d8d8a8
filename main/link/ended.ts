// Why a link carries nothing any more, in words that are the same for every kind of port.
import { Failure } from '../base/failure.ts'

export function unplugged(name: string): Failure<'unplugged'> {
  return new Failure('unplugged', `${name} vanished while it was in use. Check the cable and the board's power, and plug it in again.`, { port: name })
}

export function stopped(name: string): Failure<'stopped'> {
  return new Failure('stopped', `${name} was closed by this station.`, { port: name })
}
