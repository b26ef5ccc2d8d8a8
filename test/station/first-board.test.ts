// "Connect my first board" over real pseudo-terminals: a silent line, one that only talks, a practice board, and ports that
// cannot be opened. The rates themselves a pseudo-terminal does not have; a link that garbles at the wrong one stands in.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { realClock } from '../../main/base/clock.ts'
import { Failure, failed } from '../../main/base/failure.ts'
import type { DiagnosisView } from '../../main/contract/line-views.ts'
import { openSerial } from '../../main/link/serial.ts'
import type { Link } from '../../main/smp/link.ts'
import { diagnosePort, remedyFor } from '../../main/station/first-board.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import type { Port, PortHow, Ports } from '../../main/station/ports.ts'
import { Terminal } from '../link/terminal.ts'
import { value } from '../scenarios/simulation.ts'

const closing: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

function portAt(path: string, more: Partial<Port> = {}): Port {
  return { path, unit: path, serial: null, bay: null, place: null, maker: null, usb: null, practice: false, ...more }
}

function portsOf(open: (path: string, how: PortHow) => Promise<Link | Failure>): Ports {
  return { list: () => [], onChange: () => () => {}, open: (path, how = {}) => open(path, how), addFolder: async () => new Failure('no-folder', 'none'), close: async () => {} }
}

const serially = (path: string, { baudRate }: PortHow) => openSerial({ path, ...(baudRate === undefined ? {} : { baudRate }) })

async function diagnosed(port: Port, open: (path: string, how: PortHow) => Promise<Link | Failure>, rates: readonly number[], firstTurns = 1): Promise<{ found: DiagnosisView; seen: DiagnosisView[] }> {
  const seen: DiagnosisView[] = []
  return { found: await diagnosePort(port, { ports: portsOf(open), clock: realClock, onChange: (view) => seen.push(view), rates, firstTurns }), seen }
}

async function practiceStation(): Promise<Station> {
  const home = mkdtempSync(join(tmpdir(), 'slotwright-first-'))
  closing.push(() => rmSync(home, { recursive: true, force: true }))
  const station = await value(openStation({ home, version: '0.0.0-test', ports: [], person: 'tester' }))
  closing.push(() => station.close())
  await value(station.startPractice({ boards: 1, baud: 1_000_000 }))
  return station
}

test('an order of practice boards that cannot be leaves the boards there are alone', async () => {
  const station = await practiceStation()
  expect(await station.startPractice({ boards: 2, faults: 'banana' })).toMatchObject({ kind: 'bad-faults' })
  expect(await value(station.practice({}))).toMatchObject({ status: 'on', boards: 1 })
})

test('a silent board: every rate was tried in both framings, and the wiring is what to look at', async () => {
  const terminal = new Terminal()
  closing.push(() => terminal.unplug())
  const { found, seen } = await diagnosed(portAt(terminal.path), serially, [115_200, 9_600])
  expect(found).toMatchObject({ finding: 'silent', board: null, baud: null })
  expect(found.tried.map((each) => [each.baud, each.framing])).toEqual([[115_200, 'console'], [115_200, 'raw'], [9_600, 'console'], [9_600, 'raw']])
  expect(found.failure?.says).toContain('TX goes to the board\'s RX')
  expect(seen[0]?.finding).toBe('trying')
})

test('a board that only talks is told from a silent one, and its last words are shown without control characters', async () => {
  const terminal = new Terminal()
  closing.push(() => terminal.unplug())
  const finding = diagnosed(portAt(terminal.path), serially, [115_200])
  await terminal.hear(1)
  terminal.say(Buffer.from('*** Booting \u001b[1mZephyr OS ***\r\nuart:~$ \r\n'))
  const { found } = await finding
  expect(found.finding).toBe('talks')
  expect(found.heard).toContain('Zephyr OS')
  expect(found.heard).not.toContain('\u001b')
})

test('a practice board answers at once and says what it is; the station shows it while it goes on', async () => {
  const station = await practiceStation()
  const events: string[] = []
  station.subscribe((event) => event.is === 'diagnosis' && events.push(event.diagnosis.finding))
  const [port] = await value(station.listPorts({}))
  const found = await value(station.diagnosePort({ port: port!.port }))
  expect(found).toMatchObject({ finding: 'answers', baud: 115_200, framing: 'console', failure: null, board: { bootloader: 'MCUboot' } })
  expect(found.board?.slots.find((slot) => slot.active)?.version).toBe('1.0.0')
  expect(events).toEqual(['trying', 'trying', 'answers'])
  expect((await value(station.blinkBoard({ port: port!.port }))).answered).toBeGreaterThan(5)
}, 30_000)

test('a board at another rate: garbage at the usual one, an answer at its own, and that rate is named', async () => {
  const station = await practiceStation()
  const [port] = await value(station.listPorts({}))
  const atItsOwn = async (path: string, how: PortHow) => {
    const link = await openSerial({ path })
    return failed(link) || how.baudRate === 460_800 ? link : noisy(link)
  }
  const { found } = await diagnosed(portAt(port!.port), atItsOwn, [115_200, 460_800], 5)
  expect(found).toMatchObject({ finding: 'answers', baud: 460_800 })
  expect(found.tried.length).toBe(3)
}, 30_000)

/** What goes out at the wrong rate is no frame at the other end. */
function noisy(link: Link): Link {
  return { name: link.name, write: (bytes) => link.write(bytes.map((byte) => byte ^ 0x55)), onBytes: (listener) => link.onBytes(listener), onClosed: (listener) => link.onClosed(listener), close: () => link.close() }
}

test.each([['no-permission', 'no-permission'], ['port-held', 'port-held'], ['no-such-port', 'cannot-open']])('a port that cannot be opened (%s) is the finding, and nothing else is tried', async (kind, finding) => {
  let opened = 0
  const refuse = async () => {
    opened++
    return new Failure(kind, 'You may not.')
  }
  const { found } = await diagnosed(portAt('/dev/ttyACM0', { usb: '1915:520f' }), refuse, [115_200, 9_600])
  expect(found).toMatchObject({ finding, failure: { kind, says: 'You may not.' }, tried: [] })
  expect(found.remedy === null).toBe(kind !== 'no-permission' || process.platform !== 'linux')
  expect(opened).toBe(1)
})

test('a rate that the driver does not know is passed over', async () => {
  const rates: (number | undefined)[] = []
  const { found } = await diagnosed(portAt('/dev/ttyACM0'), async (_path, how) => {
    rates.push(how.baudRate)
    return new Failure(how.baudRate === 9_600 ? 'port-held' : 'bad-baud-rate', 'No.')
  }, [2_000_000, 9_600])
  expect(rates).toEqual([2_000_000, 9_600])
  expect(found.finding).toBe('port-held')
})

test('the line to copy names this device\'s maker, and nothing that a device says of itself gets into a command', () => {
  expect(remedyFor({ usb: '1915:520F' }, 'linux')).toContain('ATTRS{idVendor}=="1915"')
  expect(remedyFor({ usb: `'; rm -rf ~:1` }, 'linux')).toBe('sudo usermod -aG dialout "$USER"')
  expect(remedyFor({ usb: null }, 'linux')).toBe('sudo usermod -aG dialout "$USER"')
  expect(remedyFor({ usb: '1915:520f' }, 'win32')).toBeNull()
})
