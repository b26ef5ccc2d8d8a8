// The window's one door to the station. A reply is data: a value or a failure with a sentence; a call that rejects is a
// broken bridge and is turned into a failure here, so that no view can be left waiting without a word.
import type { ArgsOf, MethodName, ResultOf, WindowApi } from '../main/contract/api.ts'
import type { Reply, StationEvent } from '../main/contract/views.ts'

declare global {
  interface Window {
    slotwright: WindowApi
  }
}

/** Asks the station; never rejects. */
export async function ask<M extends MethodName>(method: M, args: ArgsOf<M>): Promise<Reply<ResultOf<M>>> {
  try {
    return await window.slotwright.call(method, args)
  } catch (error) {
    const says = error instanceof Error ? error.message : String(error)
    return { ok: false, failure: { kind: 'bridge', says: `The window lost its station: ${says}. Close the window and start again.`, facts: {} } }
  }
}

/** Hears every event of the station; the returned function stops it. */
export function listen(listener: (event: StationEvent) => void): () => void {
  return window.slotwright.subscribe(listener)
}
