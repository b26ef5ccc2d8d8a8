// Who stands in which bay: boards keep their bays however their ports are called, and places on the fixture keep theirs.
import { expect, test } from 'vitest'
import type { Failure } from '../../main/base/failure.ts'
import { Failure as Refused } from '../../main/base/failure.ts'
import type { Link } from '../../main/smp/link.ts'
import { Fleet } from '../../main/station/fleet.ts'
import type { Port, Ports } from '../../main/station/ports.ts'
import { WoundClock } from '../smp/wound-clock.ts'

class ListedPorts implements Ports {
  ports: Port[] = []
  readonly listeners = new Set<() => void>()

  list(): readonly Port[] {
    return this.ports
  }

  onChange(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  now(...ports: Port[]): void {
    this.ports = ports
    for (const listener of this.listeners) listener()
  }

  async open(path: string): Promise<Link | Failure> {
    return new Refused('no-such-port', path)
  }

  async addFolder(): Promise<Failure> {
    return new Refused('no-folder', 'none')
  }

  async close(): Promise<void> {}
}

function port(unit: string, path: string, more: Partial<Port> = {}): Port {
  return { path, unit, serial: unit, bay: null, place: null, maker: null, usb: null, practice: false, ...more }
}

function fleetOf(): { ports: ListedPorts; fleet: Fleet; attached: string[]; shown: () => (string | null)[] } {
  const ports = new ListedPorts()
  const attached: string[] = []
  const fleet = new Fleet(ports, new WoundClock(), { row: () => {}, rows: () => {}, attached: ({ unit, bay, port: at }) => attached.push(`${unit} in ${bay} at ${at.path}`) })
  return { ports, fleet, attached, shown: () => fleet.rows().map((row) => (row.board === null ? null : `${row.board} ${row.port ?? 'gone'}`)) }
}

test('a board that comes back under another port name is in its old bay, and its neighbour stays where he was', () => {
  const { ports, shown } = fleetOf()
  ports.now(port('A', '/dev/ttyACM0'), port('B', '/dev/ttyACM1'))
  ports.now(port('B', '/dev/ttyACM1'))
  // The name of the one that left is given to nobody else's board.
  ports.now(port('B', '/dev/ttyACM0'), port('A', '/dev/ttyACM1'))
  expect(shown()).toEqual(['A /dev/ttyACM1', 'B /dev/ttyACM0'])
})

test('a place on the fixture keeps its bay whatever board is put there', () => {
  const { ports, shown } = fleetOf()
  ports.now(port('A', '/dev/ttyACM0', { place: '1-1.1' }), port('B', '/dev/ttyACM1', { place: '1-1.2' }))
  ports.now(port('A', '/dev/ttyACM0', { place: '1-1.1' }))
  ports.now(port('A', '/dev/ttyACM0', { place: '1-1.1' }), port('C', '/dev/ttyACM9', { place: '1-1.2' }))
  expect(shown()).toEqual(['A /dev/ttyACM0', 'C /dev/ttyACM9'])
})

test('a bay number that a port brings is taken; one that is taken already gives way to the first free one', () => {
  const { ports, fleet } = fleetOf()
  ports.now(port('A', '/p/1', { bay: 5 }), port('B', '/p/2', { bay: 5 }), port('C', '/p/3', { bay: 2 }))
  expect(fleet.occupied().map(({ bay, unit }) => [bay, unit])).toEqual([[1, 'B'], [2, 'C'], [5, 'A']])
})

test('two boards with one name do not take turns in one bay', () => {
  const { ports, attached } = fleetOf()
  ports.now(port('A', '/dev/ttyACM0'), port('A', '/dev/ttyACM1'))
  ports.now(port('A', '/dev/ttyACM0'), port('A', '/dev/ttyACM1'))
  expect(attached).toEqual(['A in 1 at /dev/ttyACM0'])
})

test('closing leaves no listener', () => {
  const { ports, fleet } = fleetOf()
  fleet.close()
  expect(ports.listeners.size).toBe(0)
})

test('a board that is waited for says how long still, and one that failed what to do about it', async () => {
  const clock = new WoundClock()
  const ports = new ListedPorts()
  const fleet = new Fleet(ports, clock, { row: () => {}, rows: () => {}, attached: () => {} })
  ports.now(port('A', '/p/1'))
  const show = {
    run: 'r', unit: 'A', phase: 'waiting', says: 'Waiting.', note: null, bytesDone: 1, bytesTotal: 1, bytesPerSecond: 0, runningVersion: null, targetVersion: '1.1.0', outcome: null, failure: null, activeHash: null,
    startedMs: clock.monotonicMs(), endedMs: null, waitsUntilMs: clock.monotonicMs() + 32_000,
  } as const
  fleet.show(1, show)
  expect(fleet.rows()[0]).toMatchObject({ waitsUntil: new Date(clock.wallMs() + 32_000).toISOString(), todo: null })
  // The same moment, however late the row is looked at.
  const until = fleet.rows()[0]?.waitsUntil
  await clock.wind(10_000)
  expect(fleet.rows()[0]?.waitsUntil).toBe(until)
  fleet.show(1, { ...show, phase: 'ended', outcome: 'failed', failure: { kind: 'no-return', says: 'It has not answered for 32 s.', facts: {} }, waitsUntilMs: null })
  expect(fleet.rows()[0]).toMatchObject({ waitsUntil: null, todo: expect.stringContaining('Switch the board off and on') as string })
})
