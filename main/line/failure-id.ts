// Which entry of the catalogue a failure belongs to. Apart from the catalogue, since the window asks this for every bay and
// has no need of the texts, which it gets from the station.
import { smpGroup } from '../smp/commands.ts'

/** Groups of codes by the name that entries go by; plain codes, which any group may answer, are `smp`. */
export const codeGroupNames: readonly (readonly [name: string, group: number | null])[] = [
  ['smp', null], ['os', smpGroup.os], ['image', smpGroup.image], ['statistics', smpGroup.statistics], ['settings', smpGroup.settings], ['files', smpGroup.files], ['shell', smpGroup.shell],
]

/** From here on codes are the firmware's own (MGMT_ERR_EPERUSER), all of one entry. */
export const userCode = 256

/** The entry's id for a failure as it is shown: the code that the board answered where there is one, else its kind. */
export function entryIdOf({ kind, facts }: Readonly<{ kind: string; facts: Readonly<Record<string, unknown>> }>): string {
  const { rc, group } = facts
  if (typeof rc !== 'number' || !Number.isInteger(rc) || rc < 0) return kind
  const named = codeGroupNames.find(([, number]) => number === (typeof group === 'number' ? group : null))
  return named === undefined ? kind : `${named[0]}:${named[1] === null ? Math.min(rc, userCode) : rc}`
}
