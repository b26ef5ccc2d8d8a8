// `serve`: the station as a program for the factory's own systems, which start and stop batches over HTTP. It listens as an
// administrator has set it, and setting it is what --port and --host do; whoever works on boards may run it then.
import { isIP } from 'node:net'
import { InvalidArgumentError, type Command } from 'commander'
import { Failure, failed } from '../../base/failure.ts'
import type { FactoryApiView } from '../../contract/factory.ts'
import { usageKind } from '../call.ts'
import type { Act, Answer, Call } from '../call.ts'
import { waitForPorts } from '../bays.ts'
import { stopped } from '../interrupt.ts'
import { wholeNumber } from '../numbers.ts'
import { withStation } from '../station-call.ts'
import type { CalledStation } from '../station-call.ts'

type Flags = Readonly<{ port?: number; host?: string; newToken?: true; off?: true; ports?: string; baud?: number }>

const waitSeconds = 30

export function declare(command: Command, act: Act): void {
  command
    .option('--port <n>', 'listen on that port from now on; turns the interface on', wholeNumber(1024, 65_535))
    .option('--host <ip>', 'listen on that address of this computer from now on (default: 127.0.0.1, this computer alone); turns the interface on', address)
    .option('--new-token', 'make the token that every request carries, print it once, and end; the one before counts no more')
    .option('--off', 'turn the interface off, and end')
    .option('--ports <dir-or-glob>', 'folder of a practice line, a port, or a pattern of ports (default: every USB serial port of this computer)')
    .option('--baud <rate>', 'line rate of real ports (default: as set)', wholeNumber(1200, 10_000_000))
    .addHelpText('after', `
Requests carry the header "Authorization: Bearer TOKEN"; GET /v1/openapi.json describes them. They start released recipes and no
others, with images out of the folder "firmware" of the home. There is no encryption: before a --host other than this computer
belongs a gateway with TLS.

Example:
  slotwright serve --new-token
  slotwright serve --port 8470 --ports "/dev/ttyACM*"`)
    .action(act<Flags>(serve))
}

function address(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It must be an IP address of this computer, such as 192.168.1.20.')
  return text
}

async function serve(call: Call, _args: readonly string[], flags: Flags): Promise<Answer | Failure> {
  const { port, host, newToken, off, ports } = flags
  if ([newToken, off, port ?? host].filter((one) => one !== undefined).length > 1) return new Failure(usageKind, '--new-token, --off and --port/--host are done one after the other: each in a call of its own.')
  if (newToken === true || off === true) return withStation(call, { ports: [], keys: [] }, (station) => (newToken === true ? makeToken(station) : turnOff(station)))
  if (ports !== undefined) await waitForPorts(call, ports, waitSeconds)
  return withStation(call, { ports: ports ?? null, usbOnly: true, keys: [], baudRate: flags.baud }, async (station) => {
    const open = port === undefined && host === undefined ? await station.openFactoryApi({}) : await station.setFactoryApi({ on: true, port: port ?? null, host: host ?? null })
    if (failed(open)) return open
    if (open.address === null) return new Failure('cannot-listen', open.problem?.says ?? 'The station does not listen.')
    return await until(call, station, open)
  })
}

async function makeToken(station: CalledStation): Promise<Answer | Failure> {
  const made = await station.newFactoryToken({})
  return failed(made) ? made : { document: made, words: `Token for the factory's system, shown this once:\n${made.token}` }
}

async function turnOff(station: CalledStation): Promise<Answer | Failure> {
  const view = await station.setFactoryApi({ on: false })
  return failed(view) ? view : { document: view, words: 'The interface is off.' }
}

/** Serves until it is stopped, with a word on each batch. */
async function until(call: Call, station: CalledStation, open: FactoryApiView): Promise<Answer> {
  call.emit({ is: 'ready', address: open.address, folder: open.folder })
  if (!call.json) call.out.words(`Listening at ${open.address ?? ''}. Images that may be started lie in ${open.folder}. Ctrl+C stops it.\n`)
  let last = ''
  const unwatch = station.watch((event) => {
    if (event.is !== 'batch' || event.batch === null || last === `${event.batch.id} ${event.batch.status}`) return
    const { id, status, recipe, counts, boards } = event.batch
    last = `${id} ${status}`
    call.emit({ is: 'batch', id, status, recipe: recipe.name, boards, counts })
    call.tell(`${new Date().toISOString()}  ${recipe.name}: ${status}${status === 'ended' ? `, ${counts.confirmed + counts.unchanged} of ${boards} boards good` : ''}\n`)
  })
  await stopped(call.signal)
  unwatch()
  call.emit({ is: 'stopped' })
  return {}
}
