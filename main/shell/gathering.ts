// Events on their way to the window, gathered for a moment and sent as one message: sixty-four bays tell ten rows a second
// each, and a page that draws itself anew for every one of them has no time left for its frames. Of one bay the newest row
// is enough; everything else keeps its order and waits for nobody.
import type { StationEvent } from '../contract/views.ts'

/** Twice a frame of 60 a second: what is shown is that old at most. */
export const gatherMs = 33
const gatheredMax = 4096

export type Gathering = Readonly<{ tell(event: StationEvent): void; close(): void }>

/** `after` is the clock's; the function it gives back takes the wish back. */
export function gatherEvents(send: (events: readonly StationEvent[]) => void, after: (delayMs: number, work: () => void) => () => void): Gathering {
  const rows = new Map<number, StationEvent>()
  let cancel: (() => void) | null = null
  const flush = (...last: StationEvent[]) => {
    cancel?.()
    cancel = null
    const events = [...rows.values(), ...last]
    rows.clear()
    if (events.length > 0) send(events)
  }
  return {
    tell(event) {
      if (event.is !== 'bay' || rows.size >= gatheredMax) return flush(event)
      rows.delete(event.bay.bay)
      rows.set(event.bay.bay, event)
      cancel ??= after(gatherMs, () => {
        cancel = null
        flush()
      })
    },
    close() {
      cancel?.()
      cancel = null
      rows.clear()
    },
  }
}
