// The door for the factory's own systems: whether it is open, its token, and the operator's seat behind it. The token is 128
// random bits, shown once and kept as SHA-256 only: a hash made for guessable secrets would buy nothing here. A door that
// listens for others than this computer was so set by an administrator, on the command line; the usual is this computer alone.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { StationApi } from '../contract/api.ts'
import { listeningPlace, loopback } from '../contract/factory.ts'
import type { apiSettings, FactoryApiView } from '../contract/factory.ts'
import { listen } from '../factory/server.ts'
import type { Listening } from '../factory/server.ts'
import { diskFailure } from '../store/database.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { Logbook } from './logbook.ts'
import { failureView } from './views.ts'

const settingName = 'factory-api'
const kept = z.strictObject({ ...listeningPlace.shape, tokenSha256: z.string().regex(/^[0-9a-f]{64}$/).nullable() })
type Kept = z.output<typeof kept>

export const usualPort = 8470
const tokenBytes = 16
/** Who acts in the log when the factory's system does. */
export const factoryName = 'factory interface'

/** A client of the station that acts as an operator. */
type Seat = Readonly<{ api: StationApi; close(): void }>

export type DoorNeeds = Readonly<{ home: string; log: Logbook; clock: Clock; seat(): Seat }>

export class Door {
  readonly #needs: DoorNeeds
  #settings: Kept
  #listening: Readonly<{ at: Listening; seat: Seat }> | null = null
  #problem: Failure | null = null
  #turnedAway = 0
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(needs: DoorNeeds, settings: Kept) {
    this.#needs = needs
    this.#settings = settings
  }

  /** Closed until `serve`. Fails as the disk does; settings that do not fit count as off. */
  static read(needs: DoorNeeds): Door | Failure {
    const settings = readSetting<Kept>(needs.log.audit.database, settingName, kept, { on: false, port: usualPort, host: loopback, tokenSha256: null })
    return failed(settings) ? settings : new Door(needs, settings)
  }

  get folder(): string {
    return join(this.#needs.home, 'firmware')
  }

  view(): FactoryApiView {
    const { on, port, host, tokenSha256 } = this.#settings
    return { on, port, host, hasToken: tokenSha256 !== null, address: this.#listening?.at.address ?? null, problem: this.#problem === null ? null : failureView(this.#problem), folder: this.folder, turnedAway: this.#turnedAway }
  }

  /** Opens where the settings say so; a port that is taken is shown, and no reason not to start. */
  async serveAsSet(): Promise<FactoryApiView> {
    if (this.#settings.on) await this.open()
    return this.view()
  }

  /** Opens as set, anew if it is open. Kinds: `interface-off`, `no-token-yet`, `bad-host`, `port-taken`, `cannot-listen`, the disk's. */
  async open(): Promise<FactoryApiView | Failure> {
    const opened = await this.#inTurn(() => this.#serve())
    this.#problem = failed(opened) ? opened : null
    return opened ?? this.view()
  }

  async #serve(): Promise<Failure | null> {
    const { on, host, port, tokenSha256 } = this.#settings
    if (!on) return new Failure('interface-off', 'The interface is off. An administrator turns it on in the window\'s settings, or with: slotwright serve --port 8470')
    if (tokenSha256 === null) return noTokenYet()
    await this.#shut()
    try {
      await mkdir(this.folder, { recursive: true, mode: 0o700 })
    } catch (error) {
      return diskFailure(error, this.folder)
    }
    const seat = this.#needs.seat()
    const at = await listen({
      api: seat.api, folder: this.folder, clock: this.#needs.clock,
      fits: (token) => this.#fits(token), turnedAway: () => { this.#turnedAway += 1 }, report: (error) => console.error('fault in the factory interface:', error),
    }, { host, port })
    if (failed(at)) seat.close()
    else this.#listening = { at, seat }
    return failed(at) ? at : null
  }

  /** Kinds: `no-token-yet`, the log's and the disk's. The change is in the log before it counts. */
  async set({ on, port, host }: z.output<typeof apiSettings>): Promise<FactoryApiView | Failure> {
    const before = this.#settings
    if (on && before.tokenSha256 === null) return noTokenYet()
    const after = { ...before, on, port: port ?? before.port, host: host ?? before.host }
    if (inWords(after) !== inWords(before)) {
      const written = this.#keep(after, inWords(after), inWords(before))
      if (written !== null) return written
    }
    await this.#inTurn(() => this.#shut())
    this.#problem = null
    return await this.serveAsSet()
  }

  /** In place of the one before, which counts no more. */
  newToken(): { token: string } | Failure {
    const token = randomBytes(tokenBytes).toString('base64url')
    const written = this.#keep({ ...this.#settings, tokenSha256: sha256(token).toString('hex') }, 'new token')
    return written ?? { token }
  }

  async close(): Promise<void> {
    await this.#inTurn(() => this.#shut())
  }

  #keep(settings: Kept, after: string, before?: string): Failure | null {
    const { log } = this.#needs
    const noted = log.recordAct({ kind: 'settings', data: { name: settingName, ...(before === undefined ? {} : { before }), after } }, 'administrator')
    if (failed(noted)) return noted
    const written = writeSetting(log.audit.database, settingName, settings)
    if (failed(written)) return written
    this.#settings = settings
    return null
  }

  #fits(token: string): boolean {
    const { tokenSha256 } = this.#settings
    return tokenSha256 !== null && timingSafeEqual(sha256(token), Buffer.from(tokenSha256, 'hex'))
  }

  async #shut(): Promise<void> {
    const open = this.#listening
    this.#listening = null
    await open?.at.close()
    open?.seat.close()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(work)
    this.#changing = done.catch(() => undefined)
    return done
  }
}

const inWords = ({ on, host, port }: Kept): string => `${on ? 'on' : 'off'}, ${host}, port ${port}`
const noTokenYet = (): Failure => new Failure('no-token-yet', 'The interface has no token yet, so nobody could use it. Make one first, in the window\'s settings or with: slotwright serve --new-token')
const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()
