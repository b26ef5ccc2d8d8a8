// Ports that come and go: a practice folder with real pseudo-terminals behind it, a made-up /sys, several boards at once.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../main/base/clock.ts'
import { realClock } from '../../main/base/clock.ts'
import { Failure } from '../../main/base/failure.ts'
import { PortWatcher, expandPorts, portSources } from '../../main/link/ports.ts'
import type { PortChange } from '../../main/link/ports.ts'
import { practiceSource, systemSource } from '../../main/link/sources.ts'
import type { AttachedPort, PortSource } from '../../main/link/sources.ts'
import { Terminal } from './terminal.ts'

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'slotwright-ports-'))
  toClose.push(() => rmSync(made, { recursive: true, force: true }))
  return made
}

function terminal(): Terminal {
  const made = new Terminal()
  toClose.push(() => made.unplug())
  return made
}

type Board = { bay: number; serial: string; port: string | null }

function writeBoards(dir: string, boards: Board[], more: Record<string, unknown> = {}): void {
  writeFileSync(join(dir, 'boards.json.new'), JSON.stringify({ version: 1, pid: process.pid, boards, ...more }))
  renameSync(join(dir, 'boards.json.new'), join(dir, 'boards.json'))
}

function plug(dir: string, name: string, device: string): string {
  const path = join(dir, name)
  rmSync(path, { force: true })
  symlinkSync(device, path)
  return path
}

async function watching(sources: PortSource[], clock: Clock = realClock) {
  const watcher = new PortWatcher(sources, clock)
  toClose.push(() => watcher.stop())
  const changes: string[] = []
  watcher.onChange((change: PortChange) => changes.push(`${change.is} ${change.port.serial}`))
  await watcher.start()
  return { watcher, changes }
}

/** Stands for a source whose list the test sets. */
class Shelf implements PortSource {
  readonly name = 'shelf'
  readonly folder = null
  ports: (readonly AttachedPort[]) | Failure = []
  list() {
    return Promise.resolve(this.ports)
  }
}

function usb(device: string, serial: string | null, hubPath: string): AttachedPort {
  return { path: device, device, serial, bay: null, hubPath, vendorId: '1915', productId: '520f', manufacturer: 'Maker', practice: false }
}

test('whoever asked for a look has it, though others ask for more all the time', async () => {
  const shelf = new Shelf()
  const { watcher } = await watching([shelf])
  let looks = 0
  // Each look finds that something changed meanwhile, as in a folder whose boards all restart.
  shelf.list = async () => {
    await new Promise(setImmediate)
    if (++looks < 50) void watcher.look()
    return [usb('/dev/ttyACM0', 'A', '1-4')]
  }
  const first = watcher.look()
  const second = watcher.look()
  await first
  expect(looks).toBeLessThan(4)
  await second
  expect(looks).toBeLessThan(5)
  expect(watcher.ports).toHaveLength(1)
})

describe('a practice folder', () => {
  test('boards appear, vanish, and come back under another name as the same board', async () => {
    const dir = folder()
    const first = plug(dir, 'ttyP0', terminal().path)
    writeBoards(dir, [{ bay: 1, serial: 'PB-0001', port: first }, { bay: 2, serial: 'PB-0002', port: null }])
    const { watcher, changes } = await watching([practiceSource(dir)])
    expect(changes).toEqual(['appeared PB-0001'])
    expect(watcher.ports).toMatchObject([{ path: first, serial: 'PB-0001', bay: 1, practice: true }])
    const before = watcher.ports[0]!

    unlinkSync(first)
    writeBoards(dir, [{ bay: 1, serial: 'PB-0001', port: null }, { bay: 2, serial: 'PB-0002', port: null }])
    await watcher.look()
    expect(changes.slice(1)).toEqual(['vanished PB-0001'])

    const back = watcher.waitFor({ serial: 'PB-0001', afterAppearance: before.appearance }, { timeoutMs: 10_000 })
    const second = plug(dir, 'ttyP7', terminal().path)
    writeBoards(dir, [{ bay: 1, serial: 'PB-0001', port: second }, { bay: 2, serial: 'PB-0002', port: null }])
    expect(await back).toMatchObject({ path: second, identity: before.identity })
  })

  test('the same name with another terminal behind it is another appearance', async () => {
    const dir = folder()
    const path = plug(dir, 'ttyP0', terminal().path)
    writeBoards(dir, [{ bay: 1, serial: 'PB-0001', port: path }])
    const { watcher, changes } = await watching([practiceSource(dir)])
    const { appearance } = watcher.ports[0]!
    plug(dir, 'ttyP0', terminal().path)
    await watcher.look()
    expect(changes).toEqual(['appeared PB-0001', 'moved PB-0001'])
    expect(watcher.ports[0]!.appearance).toBeGreaterThan(appearance)
  })

  test('a practice process that died has no boards', async () => {
    const dir = folder()
    writeBoards(dir, [{ bay: 1, serial: 'PB-0001', port: plug(dir, 'ttyP0', terminal().path) }], { pid: 2 ** 22 - 1 })
    expect(await practiceSource(dir).list()).toEqual([])
  })

  test.each([
    ['no JSON', '{"version":1,'],
    ['another version', '{"version":2,"pid":1,"boards":[]}'],
    ['no process', '{"version":1,"boards":[]}'],
    ['no boards', '{"version":1,"pid":1}'],
    ['a serial number that is no text', '{"version":1,"pid":1,"boards":[{"bay":1,"serial":7,"port":null}]}'],
    ['a serial number with a line end', '{"version":1,"pid":1,"boards":[{"bay":1,"serial":"a\\nb","port":null}]}'],
    ['a port that is a number', '{"version":1,"pid":1,"boards":[{"bay":1,"serial":"a","port":3}]}'],
    ['bay minus one', '{"version":1,"pid":1,"boards":[{"bay":-1,"serial":"a","port":null}]}'],
    ['null', 'null'],
  ])('with %s is refused and said once, not at every look', async (_, text) => {
    const dir = folder()
    writeFileSync(join(dir, 'boards.json'), text)
    const watcher = new PortWatcher([practiceSource(dir)], realClock)
    toClose.push(() => watcher.stop())
    const troubles: string[] = []
    watcher.onTrouble((failure) => troubles.push(failure.kind))
    await watcher.start()
    await watcher.look()
    expect(troubles).toEqual(['bad-practice-folder'])
    expect(watcher.ports).toEqual([])
  })
})

describe('boards are told apart', () => {
  test('two that restart at once and swap their names keep their identities', async () => {
    const shelf = new Shelf()
    shelf.ports = [usb('/dev/ttyACM0', 'A', '1-1'), usb('/dev/ttyACM1', 'B', '1-2')]
    const { watcher, changes } = await watching([shelf])
    const identityOf = (serial: string) => watcher.ports.find((port) => port.serial === serial)!.identity
    const before = [identityOf('A'), identityOf('B')]
    shelf.ports = [usb('/dev/ttyACM1', 'A', '1-1'), usb('/dev/ttyACM0', 'B', '1-2')]
    await watcher.look()
    expect(changes.slice(2)).toEqual(['moved A', 'moved B'])
    expect([identityOf('A'), identityOf('B')]).toEqual(before)
  })

  test('a second board with the same serial number does not push the first one out', async () => {
    const shelf = new Shelf()
    shelf.ports = [usb('/dev/ttyACM0', 'X', '1-1')]
    const { watcher, changes } = await watching([shelf])
    shelf.ports = [usb('/dev/ttyACM1', 'X', '1-2'), usb('/dev/ttyACM0', 'X', '1-1')]
    await watcher.look()
    expect(changes).toEqual(['appeared X', 'appeared X'])
    expect(new Set(watcher.ports.map((port) => port.identity)).size).toBe(2)
    shelf.ports = [usb('/dev/ttyACM1', 'X', '1-2')]
    await watcher.look()
    expect(changes.at(-1)).toBe('vanished X')
    expect(watcher.ports).toMatchObject([{ path: '/dev/ttyACM1' }])
  })

  test('twins that restart, one after the other or together, come back as who they were', async () => {
    const shelf = new Shelf()
    const [left, right] = [usb('/dev/ttyACM0', 'X', '1-1'), usb('/dev/ttyACM1', 'X', '1-2')]
    shelf.ports = [left]
    const { watcher } = await watching([shelf])
    const seen = async (...ports: AttachedPort[]) => {
      shelf.ports = ports
      await watcher.look()
      return Object.fromEntries(watcher.ports.map((port) => [port.hubPath, port.identity]))
    }
    const who = await seen(left, right)
    expect(await seen(left)).toEqual({ '1-1': who['1-1'] })
    expect(await seen(left, { ...right, path: '/dev/ttyACM7', device: '/dev/ttyACM7' })).toEqual(who)
    expect(await seen()).toEqual({})
    expect(await seen(right)).toEqual({ '1-2': who['1-2'] })
    expect(await seen(right, left)).toEqual(who)
  })

  test('boards without a serial number are known by their socket', async () => {
    const shelf = new Shelf()
    shelf.ports = [usb('/dev/ttyUSB0', null, '1-4.1'), usb('/dev/ttyUSB1', null, '1-4.2')]
    const { watcher } = await watching([shelf])
    expect(watcher.ports.map((port) => port.identity)).toEqual(['1-4.1', '1-4.2'])
  })

  test('two ports of one USB device have two identities', async () => {
    const shelf = new Shelf()
    shelf.ports = [usb('/dev/ttyACM0', 'X', '1-1'), usb('/dev/ttyACM1', 'X', '1-1')]
    const { watcher } = await watching([shelf])
    expect(new Set(watcher.ports.map((port) => port.identity)).size).toBe(2)
  })
})

describe('waiting for a board', () => {
  test('one that is there already is found at once', async () => {
    const shelf = new Shelf()
    shelf.ports = [usb('/dev/ttyACM0', 'A', '1-1')]
    const { watcher } = await watching([shelf])
    expect(await watcher.waitFor({ serial: 'A' }, { timeoutMs: 1 })).toMatchObject({ path: '/dev/ttyACM0' })
  })

  test('one that never comes, and one that is waited for no longer', async () => {
    const { watcher } = await watching([new Shelf()])
    expect(await watcher.waitFor({ serial: 'A' }, { timeoutMs: 20 })).toMatchObject({ kind: 'no-return' })
    const stop = new AbortController()
    const waiting = watcher.waitFor({ serial: 'A' }, { timeoutMs: 60_000, signal: stop.signal })
    stop.abort()
    expect(await waiting).toMatchObject({ kind: 'stopped' })
    expect(await watcher.waitFor({ serial: 'A' }, { timeoutMs: 60_000, signal: stop.signal })).toMatchObject({ kind: 'stopped' })
  })

  test('a watcher that was stopped leaves no timer', async () => {
    const timers = new Set<object>()
    const clock: Clock = {
      ...realClock,
      after(delayMs, work) {
        const timer = {}
        timers.add(timer)
        const cancel = realClock.after(delayMs, () => (timers.delete(timer), work()))
        return () => (timers.delete(timer), cancel())
      },
    }
    const { watcher } = await watching([new Shelf()], clock)
    expect(timers.size).toBe(1)
    await watcher.stop()
    expect(timers.size).toBe(0)
  })
})

describe('the system\'s ports', () => {
  /** `/sys/class/tty` with one USB board on hub port 4.2, one empty UART, one real UART and a virtual console. */
  function sys(): string {
    const root = folder()
    const put = (path: string, text: string) => {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    const device = 'devices/pci0/usb1/1-4/1-4.2'
    for (const [name, text] of [['idVendor', '1915'], ['idProduct', '520f'], ['serial', 'E8A1\u0007'], ['manufacturer', 'Nordic']]) put(`${device}/${name}`, `${text}\n`)
    mkdirSync(join(root, device, '1-4.2:1.0/tty/ttyACM3'), { recursive: true })
    mkdirSync(join(root, 'devices/platform/serial8250'), { recursive: true })
    for (const name of ['ttyACM3', 'ttyS0', 'ttyS1', 'tty1']) mkdirSync(join(root, 'class', name), { recursive: true })
    symlinkSync(join(root, device, '1-4.2:1.0'), join(root, 'class/ttyACM3/device'))
    for (const [name, type] of [['ttyS0', '4'], ['ttyS1', '0']]) {
      symlinkSync(join(root, 'devices/platform/serial8250'), join(root, `class/${name}/device`))
      put(`class/${name}/type`, `${type}\n`)
    }
    return join(root, 'class')
  }

  test('a USB board has its serial number and hub path, an empty UART and a console are no ports', async () => {
    expect(await systemSource(sys()).list()).toEqual([
      { path: '/dev/ttyACM3', device: '/dev/ttyACM3', serial: 'E8A1·', bay: null, hubPath: '1-4.2', usbInterface: '1.0', vendorId: '1915', productId: '520f', manufacturer: 'Nordic', practice: false },
      { path: '/dev/ttyS0', device: '/dev/ttyS0', serial: null, bay: null, hubPath: null, vendorId: null, productId: null, manufacturer: null, practice: false },
    ])
  })

  test('this machine\'s own list is a list', async () => {
    expect(Array.isArray(await systemSource().list())).toBe(true)
  })

  test('a system that shows nothing says so', async () => {
    expect(await systemSource(join(folder(), 'nothing')).list()).toMatchObject({ kind: 'cannot-list' })
  })
})

describe('what somebody wrote after --ports', () => {
  test('a practice folder, a folder of ports, a pattern and a port', async () => {
    const practice = folder()
    const port = plug(practice, 'ttyP0', terminal().path)
    writeBoards(practice, [{ bay: 1, serial: 'PB-0001', port }])
    const plain = folder()
    for (const name of ['ttyB10', 'ttyB2', 'other']) plug(plain, name, terminal().path)
    writeFileSync(join(plain, 'ttyB3'), 'no port')
    const paths = async (text: string) => {
      const ports = await expandPorts(text)
      return ports instanceof Failure ? ports.kind : ports.map(({ path }) => path)
    }
    expect(await expandPorts(practice)).toMatchObject([{ serial: 'PB-0001', bay: 1, path: port }])
    expect(await paths(plain)).toEqual(['other', 'ttyB2', 'ttyB10'].map((name) => join(plain, name)))
    expect(await paths(join(plain, 'ttyB*'))).toEqual(['ttyB2', 'ttyB10'].map((name) => join(plain, name)))
    expect(await paths(join(plain, 'ttyB?'))).toEqual([join(plain, 'ttyB2')])
    expect(await paths(port)).toEqual([port])
  })

  test('a port of a practice folder, named or matched, is that practice board and no stranger, also behind another port', async () => {
    const practice = folder()
    const ports = ['ttyP0', 'ttyP1'].map((name) => plug(practice, name, terminal().path))
    const boards = (...order: number[]) => writeBoards(practice, order.map((at, bay) => ({ bay: bay + 1, serial: `PB-000${bay + 1}`, port: ports[at]! })))
    boards(0, 1)
    expect(await expandPorts(ports[1]!)).toMatchObject([{ serial: 'PB-0002', bay: 2, practice: true }])
    expect(await expandPorts(join(practice, 'ttyP*'))).toMatchObject([{ serial: 'PB-0001' }, { serial: 'PB-0002' }])
    const [source] = (await portSources(ports[1]!)) as PortSource[]
    await source!.list()
    boards(1, 0)
    expect(await source!.list()).toMatchObject([{ serial: 'PB-0002', path: ports[0] }])
  })

  test('nothing there, three ways', async () => {
    const empty = folder()
    expect(await portSources(empty)).toMatchObject({ kind: 'no-ports' })
    expect(await portSources(join(empty, 'tty*'))).toMatchObject({ kind: 'no-ports' })
    expect(await portSources(join(empty, 'ttyX'))).toMatchObject({ kind: 'no-such-port' })
  })
})
