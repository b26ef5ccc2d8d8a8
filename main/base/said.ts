// A sentence for a person that is no failure: a note, a warning, a step of a list. It carries a kind and the facts it is made
// of, as a Failure does, so that a window can say it in another language; the station itself, its log and the command line
// have the English one.
import type { FailureFacts } from './failure.ts'

/** `kind` is stable and names the sentence in the books of the other languages; `facts` are what stands in it, never secrets. */
export type Said = Readonly<{ kind: string; says: string; facts: FailureFacts }>

/** A test looks for the calls of this: each kind has a sentence in every language. */
export function said(kind: string, says: string, facts: FailureFacts = {}): Said {
  return { kind, says, facts }
}
