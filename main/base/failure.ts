// What went wrong when nothing is broken: a value, not an exception. A Failure carries a kind to branch on and a
// sentence for the person at the station that says what is wrong and what to do. Exceptions are left for bugs.

/** Small facts beside the sentence: offsets, sizes, codes. Never secrets, never image bytes. */
export type FailureFacts = Readonly<Record<string, string | number | boolean>>

/**
 * An expected wrong. `kind` is stable and meant for code (`wrong-passphrase`), `says` is one or two sentences for a
 * person, `facts` are the numbers behind it (`offset` in bytes where a file or packet was at fault).
 */
export class Failure<K extends string = string> {
  readonly kind: K
  readonly says: string
  readonly facts: FailureFacts

  constructor(kind: K, says: string, facts: FailureFacts = {}) {
    this.kind = kind
    this.says = says
    this.facts = facts
  }
}

/** True when a `T | Failure` is the failure. */
export function failed<T>(value: T | Failure): value is Failure {
  return value instanceof Failure
}

/** Thrown by `refuse`, caught by `attempt`; never seen outside the file that parses. */
class Refusal extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(failure.says)
    this.failure = failure
  }
}

/** Leaves a deep parser with a failure; only valid below `attempt` or `attemptAsync`. */
export function refuse(kind: string, says: string, facts: FailureFacts = {}): never {
  throw new Refusal(new Failure(kind, says, facts))
}

/** Passes a value on, or leaves the parser when it is a failure; only valid below `attempt`. */
export function must<T>(value: T | Failure): T {
  if (value instanceof Failure) throw new Refusal(value)
  return value
}

/** Runs a parser that may `refuse`; gives its value or the failure. Any other exception is a bug and passes through. */
export function attempt<T>(work: () => T): T | Failure {
  try {
    return work()
  } catch (error) {
    if (error instanceof Refusal) return error.failure
    throw error
  }
}

/** `attempt` for work that waits. */
export async function attemptAsync<T>(work: () => Promise<T>): Promise<T | Failure> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Refusal) return error.failure
    throw error
  }
}

/** Stops at a bug: something this program promised itself does not hold. */
export function assert(holds: unknown, promise: string): asserts holds {
  if (!holds) throw new Error(`broken promise: ${promise}`)
}
