// The door for the factory's own systems: whether it is open, its token, and the operator's seat behind it. The token is 128
// random bits, shown once and kept as SHA-256 only: a hash made for guessable secrets would buy nothing here. A door that
// was opened for others than this computer was so by the command line; the window opens it for this computer alone.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../base/clock.ts'
import { Failure, failed } from '../base/failure.ts'
import type { StationApi } from '../contract/api.ts'
import { apiSettings } from '../contract/factory.ts'
import type { FactoryApiView } from '../contract/factory.ts'
import { listen } from '../factory/server.ts'
import type { Listening } from '../factory/server.ts'
import { readSetting, writeSetting } from '../store/settings.ts'
import type { Logbook } from './logbook.ts'

const settingName = 'factory-api'
const kept = z.strictObject({ ...apiSettings.shape, tokenSha256: z.string().regex(/^[0-9a-f]{64}$/).nullable() })
type Kept = z.output<typeof kept>

export const usualPort = 8470
export const loopback = '127.0.0.1'
const tokenBytes = 16
/** Who acts in the log when the factory's system does. */
export const factoryName = 'factory interface'

export type DoorNeeds = Readonly<{ home: string; log: Logbook; clock: Clock; seat(): StationApi }>

export class Door {
  readonly #needs: DoorNeeds
  #settings: Kept
  #listening: Listening | null = null
  #problem: string | null = null
  #turnedAway = 0
  #changing: Promise<unknown> = Promise.resolve()

  private constructor(needs: DoorNeeds, settings: Kept) {
    this.#needs = needs
    this.#settings = settings
  }

  /** Closed until `serve`. Fails as the disk does; settings that do not fit count as off. */
  static read(needs: DoorNeeds): Door | Failure {
    const settings = readSetting<Kept>(needs.log.audit.database, settingName, kept, { on: false, port: usualPort, tokenSha256: null })
    return failed(settings) ? settings : new Door(needs, settings)
  }

  get folder(): string {
    return join(this.#needs.home, 'firmware')
  }

  view(): FactoryApiView {
    const { on, port, tokenSha256 } = this.#settings
    return { on, port, hasToken: tokenSha256 !== null, address: this.#listening?.address ?? null, problem: this.#problem, folder: this.folder, turnedAway: this.#turnedAway }
  }

  /** Opens where the settings say so; a port that is taken is shown, and no reason not to start. */
  async serveAsSet(): Promise<FactoryApiView> {
    const { on, port } = this.#settings
    const opened = on ? await this.serve({ host: loopback, port }) : null
    this.#problem = failed(opened) ? opened.says : null
    return this.view()
  }

  /** Kinds: `no-token-yet`, `bad-host`, `port-taken`, `cannot-listen`. */
  serve(where: Readonly<{ host: string; port: number }>): Promise<Listening | Failure> {
    return this.#inTurn(async () => {
      if (this.#settings.tokenSha256 === null) return new Failure('no-token-yet', 'The interface has no token yet, so nobody could use it. Make one first: slotwright serve --new-token')
      await this.#shut()
      const opened = await listen({
        api: this.#needs.seat(), folder: this.folder, clock: this.#needs.clock,
        fits: (token) => this.#fits(token), turnedAway: () => { this.#turnedAway += 1 }, report: (error) => console.error('fault in the factory interface:', error),
      }, where)
      if (!failed(opened)) this.#listening = opened
      return opened
    })
  }

  /** Kinds: `no-token-yet`, the log's and the disk's. The change is in the log before it counts. */
  async set({ on, port }: z.output<typeof apiSettings>): Promise<FactoryApiView | Failure> {
    const before = this.#settings
    if (on && before.tokenSha256 === null) return new Failure('no-token-yet', 'The interface has no token yet, so nobody could use it. Make one first.')
    if (on !== before.on || port !== before.port) {
      const written = this.#keep({ ...before, on, port }, `${on ? 'on' : 'off'}, port ${port}`, `${before.on ? 'on' : 'off'}, port ${before.port}`)
      if (written !== null) return written
    }
    await this.#inTurn(() => this.#shut())
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
    await open?.close()
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#changing.then(work)
    this.#changing = done.catch(() => undefined)
    return done
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest()
