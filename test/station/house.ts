// A station whose people have accounts, for the tests of who may do what.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../../main/base/failure.ts'
import type { Clock } from '../../main/base/clock.ts'
import type { PersonRole } from '../../main/contract/roles.ts'
import type { Session, SessionOptions } from '../../main/station/session.ts'
import { openStation } from '../../main/station/station.ts'
import type { Station, StationOptions } from '../../main/station/station.ts'
import { value } from '../scenarios/simulation.ts'
import { SimulatedPorts } from '../scenarios/wire.ts'

export const pinOf = (name: string): string => `pin of ${name}`

/** One station in a folder of its own, with `Root` as its first administrator. */
export class House {
  readonly home: string
  readonly options: Partial<StationOptions>
  station: Station
  /** Root's session. */
  root: Session

  private constructor(home: string, options: Partial<StationOptions>, station: Station) {
    this.home = home
    this.options = options
    this.station = station
    this.root = station.seat()
  }

  static async open(options: Partial<StationOptions> & { clock?: Clock } = {}): Promise<House> {
    const home = join(mkdtempSync(join(tmpdir(), 'slotwright-house-')), 'home')
    const house = new House(home, options, await openIn(home, options))
    await value(house.root.api.addPerson({ name: 'Root', roles: ['administrator'], pin: pinOf('Root') }))
    await value(house.root.api.signIn({ name: 'Root', pin: pinOf('Root') }))
    return house
  }

  /** The same home, opened once more. */
  async again(): Promise<void> {
    await this.station.close()
    this.station = await openIn(this.home, this.options)
    this.root = this.station.seat()
  }

  async add(name: string, roles: PersonRole[], more: { badge?: string; pseudonym?: string } = {}): Promise<string> {
    return (await value(this.root.api.addPerson({ name, roles, pin: pinOf(name), badge: null, ...more }))).account
  }

  /** A client of its own, with this person signed in. */
  async as(name: string, options: SessionOptions = {}): Promise<Session> {
    const session = this.station.seat(options)
    await value(session.api.signIn({ name, pin: pinOf(name) }))
    return session
  }

  async logged(kind: string): Promise<readonly { person: string; data: Readonly<Record<string, unknown>> }[]> {
    return (await value(this.root.api.listLog({ kind }))).entries
  }

  async close(): Promise<void> {
    await this.station.close()
    rmSync(join(this.home, '..'), { recursive: true, force: true })
  }
}

async function openIn(home: string, options: Partial<StationOptions>): Promise<Station> {
  return value(openStation({ home, version: '0.0.0-test', ports: new SimulatedPorts(), person: 'machine user', pinCost: { n: 2 ** 8, r: 8, p: 1 }, practiceHost: { start: () => Promise.resolve(new Failure('no-practice', 'There are no practice boards in this test.')) }, ...options }))
}

export const kindOf = (answer: unknown): string => (answer instanceof Failure ? answer.kind : 'done')
