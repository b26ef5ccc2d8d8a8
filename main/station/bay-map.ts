// The fixture as it was taught: how the bays are laid out, and which socket (USB hub path) each of them is. Kept as one
// setting. A practice board, or a port that tells no hub path, has its place by its own name instead.
import { z } from 'zod'
import { Failure, failed } from '../base/failure.ts'
import type { BayMapView } from '../contract/line-views.ts'
import type { OpenDatabase } from '../store/database.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { Port } from './ports.ts'

export const rowsMax = 32
export const columnsMax = 32

const schema = z.strictObject({
  rows: z.int().min(0).max(rowsMax),
  columns: z.int().min(0).max(columnsMax),
  /** Homes by bay number. */
  homes: z.array(z.strictObject({ bay: z.int().min(1).max(1024), home: z.string().min(1).max(300) })).max(1024),
})
type Kept = z.infer<typeof schema>

const settingName = 'bay-map'

/** Names the socket of a port for as long as the fixture stays as it is. */
export function homeOf(port: Pick<Port, 'place' | 'unit'>): string {
  return port.place === null ? `unit ${port.unit}` : `place ${port.place}`
}

/** What of the map the fleet goes by. */
export type TaughtBays = Readonly<{
  /** Numbers of all bays of the fixture. */
  bays(): readonly number[]
  bayAt(home: string): number | null
  isTaught(bay: number): boolean
}>

export class BayMap implements TaughtBays {
  readonly #database: OpenDatabase
  #kept: Kept

  private constructor(database: OpenDatabase, kept: Kept) {
    this.#database = database
    this.#kept = kept
  }

  /** Fails as the disk does. */
  static open(database: OpenDatabase): BayMap | Failure {
    const kept = readSetting<Kept>(database, settingName, schema, { rows: 0, columns: 0, homes: [] })
    return failed(kept) ? kept : new BayMap(database, kept)
  }

  bays(): readonly number[] {
    return Array.from({ length: this.#kept.rows * this.#kept.columns }, (_, at) => at + 1)
  }

  bayAt(home: string): number | null {
    return this.#kept.homes.find((each) => each.home === home)?.bay ?? null
  }

  isTaught(bay: number): boolean {
    return this.#kept.homes.some((each) => each.bay === bay)
  }

  view(): BayMapView {
    const { rows, columns, homes } = this.#kept
    return {
      rows, columns,
      bays: this.bays().map((bay) => ({
        bay, row: Math.floor((bay - 1) / columns), column: (bay - 1) % columns,
        place: homes.find((each) => each.bay === bay)?.home.replace(/^(place|unit) /, '') ?? null,
      })),
    }
  }

  /** Lays the bays out anew, numbered row by row; what was taught of bays that remain is kept. 0 and 0: no map. */
  lay(rows: number, columns: number): void | Failure {
    const most = rows * columns
    return this.#keep({ rows: most === 0 ? 0 : rows, columns: most === 0 ? 0 : columns, homes: this.#kept.homes.filter((each) => each.bay <= most) })
  }

  /** This socket is that bay from now on, and no other; null forgets the bay's socket. Failure kind `no-such-bay`. */
  teach(bay: number, port: Pick<Port, 'place' | 'unit'> | null): void | Failure {
    if (!this.bays().includes(bay)) return new Failure('no-such-bay', `The fixture has no bay ${bay}. Lay the bays out first.`)
    const home = port === null ? null : homeOf(port)
    const homes = this.#kept.homes.filter((each) => each.bay !== bay && each.home !== home)
    return this.#keep({ ...this.#kept, homes: home === null ? homes : [...homes, { bay, home: home.slice(0, 300) }] })
  }

  #keep(kept: Kept): void | Failure {
    const written = writeSetting(this.#database, settingName, kept)
    if (failed(written)) return written
    this.#kept = kept
  }
}
