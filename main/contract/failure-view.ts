// What went wrong, as the outside sees it.

/** A Failure on its way out: data that survives structured cloning and JSON. */
export type FailureView = Readonly<{ kind: string; says: string; facts: Readonly<Record<string, string | number | boolean>> }>

/** A sentence that is no failure, with what it is made of: data like the above. */
export type SaidView = FailureView

export type Reply<T> = Readonly<{ ok: true; value: T } | { ok: false; failure: FailureView }>
