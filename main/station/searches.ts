// Found sets that the window pages through: the latest few are kept, each under a name, and the same question asked again
// goes on where it ended. One search runs at a time; a newer question stops the one before, since one person asks.
import { Failure, failed } from '../base/failure.ts'
import type { EntryView } from '../contract/views.ts'
import type { FoundView } from '../contract/log-views.ts'
import type { AuditStore } from '../store/audit.ts'
import { emptyFound, entriesAt, extendFound, foundTotal, placeOf } from '../store/find.ts'
import type { FindFilter, Found } from '../store/find.ts'
import { entryView } from './views.ts'

/** Sets kept, the least lately used going first. */
const setsMax = 6

type Kept = { readonly find: string; readonly asked: string; readonly found: Found }

export class Searches {
  readonly #audit: AuditStore
  readonly #dense: boolean
  #kept: Kept[] = []
  #made: number
  #running: { asked: string; stop: AbortController } | null = null
  #turn: Promise<unknown> = Promise.resolve()

  /** `dense` as in `emptyFound`; searches are named by numbers above `namedFrom`. */
  constructor(audit: AuditStore, dense = true, namedFrom = 0) {
    this.#audit = audit
    this.#dense = dense
    this.#made = namedFrom
  }

  /** Goes on with a set of all entries up to `size` that was shown under this name before the log could be searched. */
  adopt(find: string, filter: FindFilter, size: number): void {
    this.#use({ find, asked: JSON.stringify(filter), found: { ...emptyFound(filter, this.#dense), size } })
  }

  /** Looks the log through. Kinds: `stopped` when another filter was asked for meanwhile, and those of `extendFound`. */
  async find(filter: FindFilter): Promise<FoundView | Failure> {
    const asked = JSON.stringify(filter)
    if (this.#running !== null && this.#running.asked !== asked) this.#running.stop.abort()
    const stop = new AbortController()
    const mine = { asked, stop }
    this.#running = mine
    const before = this.#turn
    const work = before.catch(() => undefined).then(async () => {
      if (stop.signal.aborted) return new Failure('stopped', 'Another search took its place.')
      const kept = this.#use(this.#kept.find((one) => one.asked === asked) ?? { find: `q${++this.#made}`, asked, found: emptyFound(filter, this.#dense) })
      const wrong = await extendFound(this.#audit, kept.found, stop.signal)
      return wrong ?? { find: kept.find, total: foundTotal(kept.found), size: kept.found.size }
    })
    this.#turn = work
    try {
      return await work
    } finally {
      if (this.#running === mine) this.#running = null
    }
  }

  /** Kinds: `no-such-find`, and the disk's. */
  entries(find: string, at: number, limit: number): EntryView[] | Failure {
    const found = this.#named(find)
    if (failed(found)) return found
    const listed = entriesAt(this.#audit, found, at, limit)
    return failed(listed) ? listed : listed.map(entryView)
  }

  place(find: string, seq: number): { at: number | null } | Failure {
    const found = this.#named(find)
    return failed(found) ? found : { at: placeOf(found, seq) }
  }

  #named(find: string): Found | Failure {
    const kept = this.#kept.find((one) => one.find === find)
    return kept === undefined ? new Failure('no-such-find', 'This search was given up for newer ones. Search again.') : this.#use(kept).found
  }

  #use(kept: Kept): Kept {
    this.#kept = [kept, ...this.#kept.filter((one) => one !== kept)].slice(0, setsMax)
    return kept
  }
}
