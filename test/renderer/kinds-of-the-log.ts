// The log's own list of kinds, which the window may not import but its tests may.
import { kinds } from '../../main/log/kinds.ts'

export const kindNames: readonly string[] = Object.keys(kinds)

/** Names of the data that entries of this kind may have. */
export function fieldsOf(kind: string): readonly string[] {
  return Object.entries(kinds).flatMap(([name, schema]) => (name === kind ? Object.keys(schema.shape) : []))
}
