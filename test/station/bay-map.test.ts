// The fixture's map: what was taught is kept over a restart, a socket is one bay only, and a board that is plugged in
// somewhere else says so.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Failure } from '../../main/base/failure.ts'
import { Failure as Refused } from '../../main/base/failure.ts'
import type { Link } from '../../main/smp/link.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station } from '../../main/station/station.ts'
import type { Port, Ports } from '../../main/station/ports.ts'
import { value } from '../scenarios/simulation.ts'

class ListedPorts implements Ports {
  #ports: readonly Port[] = []
  readonly #listeners = new Set<() => void>()

  list(): readonly Port[] {
    return this.#ports
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  now(...ports: Port[]): void {
    this.#ports = ports
    for (const listener of [...this.#listeners]) listener()
  }

  async open(path: string): Promise<Link | Failure> {
    return new Refused('no-such-port', path)
  }

  async addFolder(): Promise<Failure> {
    return new Refused('no-folder', 'none')
  }

  async close(): Promise<void> {}
}

const at = (unit: string, place: string): Port => ({ path: `/dev/tty${unit}`, unit, serial: unit, bay: null, place, maker: null, usb: null, practice: false })

let home = ''
let stations: Station[] = []
let ports = new ListedPorts()
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'slotwright-map-'))
  ports = new ListedPorts()
})
afterEach(async () => {
  for (const station of stations.splice(0)) await station.close()
  stations = []
  rmSync(home, { recursive: true, force: true })
})

async function opened(): Promise<Station> {
  const station = await value(openStation({ home, version: '0', ports, person: 'tester' }))
  stations.push(station)
  return station
}

const shown = async (station: Station) => (await value(station.bays({}))).map((bay) => bay.board)

test('taught once: after a restart each socket is its bay, whatever is plugged in and in whatever order', async () => {
  const station = await opened()
  await value(station.layBays({ rows: 2, columns: 2 }))
  expect(await shown(station)).toEqual([null, null, null, null])
  ports.now(at('A', '1-4.1'), at('B', '1-4.2'))
  expect(await shown(station)).toEqual(['A', 'B', null, null])
  await value(station.teachBay({ bay: 4, port: '/dev/ttyA' }))
  const map = await value(station.teachBay({ bay: 3, port: '/dev/ttyB' }))
  expect(map.bays.map((bay) => [bay.bay, bay.row, bay.column, bay.place])).toEqual([[1, 0, 0, null], [2, 0, 1, null], [3, 1, 0, '1-4.2'], [4, 1, 1, '1-4.1']])
  expect(await shown(station)).toEqual([null, null, 'B', 'A'])
  await station.close()
  ports.now(at('C', '1-4.2'), at('D', '1-4.1'))
  expect(await shown(await opened())).toEqual([null, null, 'C', 'D'])
})

test('a socket is one bay: taught again it is the new one alone, and a bay can forget', async () => {
  const station = await opened()
  await value(station.layBays({ rows: 1, columns: 3 }))
  ports.now(at('A', '1-1'))
  await value(station.teachBay({ bay: 1, port: '/dev/ttyA' }))
  expect((await value(station.teachBay({ bay: 2, port: '/dev/ttyA' }))).bays.map((bay) => bay.place)).toEqual([null, '1-1', null])
  expect((await value(station.teachBay({ bay: 2, port: null }))).bays.map((bay) => bay.place)).toEqual([null, null, null])
  expect(await station.teachBay({ bay: 4, port: '/dev/ttyA' })).toMatchObject({ kind: 'no-such-bay' })
  expect(await station.teachBay({ bay: 1, port: '/dev/nowhere' })).toMatchObject({ kind: 'no-such-port' })
})

test('a board in a socket that is not on the map takes no bay of the fixture and says so', async () => {
  const station = await opened()
  await value(station.layBays({ rows: 1, columns: 1 }))
  ports.now(at('A', '1-1'))
  await value(station.teachBay({ bay: 1, port: '/dev/ttyA' }))
  ports.now(at('B', '1-9'))
  const bays = await value(station.bays({}))
  expect(bays.map((bay) => [bay.bay, bay.board, bay.misplaced?.kind ?? null])).toEqual([[1, null, null], [2, 'B', 'unknown-place']])
  expect(bays[1]?.misplaced?.says).toContain('1-9')
})

test('a smaller fixture forgets the bays it no longer has, and none at all leaves the bays to the order of plugging in', async () => {
  const station = await opened()
  await value(station.layBays({ rows: 2, columns: 2 }))
  ports.now(at('A', '1-1'), at('B', '1-2'))
  await value(station.teachBay({ bay: 4, port: '/dev/ttyA' }))
  expect((await value(station.layBays({ rows: 1, columns: 2 }))).bays.map((bay) => bay.place)).toEqual([null, null])
  expect(await value(station.layBays({ rows: 0, columns: 7 }))).toEqual({ rows: 0, columns: 0, bays: [] })
  expect(await shown(station)).toEqual(['A', 'B'])
})
