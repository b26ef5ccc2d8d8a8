// Ctrl+C. The first one asks the work to stop, which ends every run as `stopped` and closes the log properly; the
// second one quits at once, because a person must always be able to leave.

const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Exit code of a process that a second Ctrl+C ended, as shells count it (128 + SIGINT). */
export const quitCode = 130

/** A signal that the first Ctrl+C (or SIGTERM, SIGHUP) aborts. `tell` gets the one sentence about it. */
export function watchInterrupts(tell: (words: string) => void): AbortSignal {
  const stopping = new AbortController()
  const onSignal = (name: NodeJS.Signals) => {
    if (stopping.signal.aborted) process.exit(quitCode)
    if (name === 'SIGINT') tell('\nStopping cleanly; press Ctrl+C once more to quit at once.\n')
    stopping.abort()
  }
  for (const name of stopSignals) process.on(name, onSignal)
  return stopping.signal
}

/** Resolves when the signal is aborted; at once when it already is. */
export function stopped(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
