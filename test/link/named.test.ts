// Ports named on a command line, in a folder of device links and with a system that says what hangs where: the board is what
// counts, under whatever name it comes back, and boards that come later count too.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { folderSource, pathSource } from '../../main/link/named.ts'
import type { PortSystem } from '../../main/link/named.ts'
import type { AttachedPort, PortSource } from '../../main/link/sources.ts'

let folder = ''
let plugged: AttachedPort[] = []
const terminals = ['/dev/null', '/dev/zero', '/dev/full', '/dev/random']

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slotwright-named-'))
  plugged = []
})
afterEach(() => rmSync(folder, { recursive: true }))

const system: PortSystem = {
  about: (path) => Promise.resolve(plugged.find((port) => port.path === path) ?? null),
  all: () => Promise.resolve(plugged),
}

/** A board with this serial number in this socket appears as that name. */
function plug(name: string, serial: string, hubPath: string, usbInterface = '1.0'): void {
  const device = terminals[Number(name.at(-1))]!
  symlinkSync(device, join(folder, name))
  plugged.push({ path: join(folder, name), device, serial, bay: null, hubPath, usbInterface, vendorId: '2fe3', productId: '0004', manufacturer: null, practice: false })
}

function unplug(name: string): void {
  rmSync(join(folder, name))
  plugged = plugged.filter(({ path }) => basename(path) !== name)
}

async function seen(source: PortSource): Promise<string[]> {
  const ports = (await source.list()) as readonly AttachedPort[]
  return ports.map(({ path, serial }) => `${basename(path)} ${serial}`)
}

const acm = (name: string) => name.startsWith('ttyACM')

test('a board that is plugged in after the start, and fits the pattern, is there', async () => {
  plug('ttyACM0', 'A', '1-1')
  const source = folderSource('ttyACM*', folder, acm, system)
  expect(await seen(source)).toEqual(['ttyACM0 A'])
  plug('ttyACM1', 'B', '1-2')
  plug('ttyUSB2', 'C', '1-3')
  expect(await seen(source)).toEqual(['ttyACM0 A', 'ttyACM1 B'])
})

test('boards that come back from a restart under names that the pattern does not fit are still there', async () => {
  plug('ttyACM0', 'A', '1-1')
  const source = folderSource('ttyACM*', folder, acm, system)
  await source.list()
  unplug('ttyACM0')
  expect(await seen(source)).toEqual([])
  plug('ttyUSB3', 'A', '1-1')
  expect(await seen(source)).toEqual(['ttyUSB3 A'])
})

test('the one port that was named: its board is followed, and another board under its old name is not taken for it', async () => {
  plug('ttyACM0', 'A', '1-1')
  plug('ttyACM1', 'B', '1-2')
  const source = pathSource(join(folder, 'ttyACM0'), system)
  expect(await seen(source)).toEqual(['ttyACM0 A'])
  unplug('ttyACM0')
  unplug('ttyACM1')
  plug('ttyACM0', 'B', '1-2')
  expect(await seen(source)).toEqual([])
  plug('ttyACM1', 'A', '1-1')
  expect(await seen(source)).toEqual(['ttyACM1 A'])
})

test('of a board with two ports only the one that was named is followed', async () => {
  plug('ttyACM0', 'A', '1-1', '1.0')
  plug('ttyACM1', 'A', '1-1', '1.2')
  const source = pathSource(join(folder, 'ttyACM0'), system)
  expect(await seen(source)).toEqual(['ttyACM0 A'])
  unplug('ttyACM0')
  unplug('ttyACM1')
  plug('ttyACM2', 'A', '1-1', '1.2')
  plug('ttyACM3', 'A', '1-1', '1.0')
  expect(await seen(source)).toEqual(['ttyACM3 A'])
})

test('a port of which the system tells nothing is its name', async () => {
  symlinkSync('/dev/null', join(folder, 'ttyS0'))
  const source = pathSource(join(folder, 'ttyS0'), system)
  expect(await seen(source)).toEqual(['ttyS0 null'])
  rmSync(join(folder, 'ttyS0'))
  expect(await seen(source)).toEqual([])
})
