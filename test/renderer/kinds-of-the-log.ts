// The log's own list of kinds, which the window may not import but its test may.
import { kinds } from '../../main/log/kinds.ts'

export const kindNames = Object.keys(kinds)
