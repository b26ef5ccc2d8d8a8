// Group 2, statistics: named groups of counters (docs.zephyrproject.org …/smp_groups/smp_group_2.html;
// subsys/mgmt/mcumgr/grp/stat_mgmt). Surprise: an unknown group may be told as an error of another group (63).
import { refuse } from '../base/failure.ts'
import { isMap, readBody } from './body.ts'
import { plainText } from './line.ts'
import { smpGroup } from './commands.ts'
import type { SmpCommand } from './commands.ts'

export const statisticsCommand = { read: 0, list: 1 } as const

const fieldsMax = 256
const nameCharsMax = 200

/** All counters of one group, by name; 64-bit ones beyond 2^53 are rounded. */
export const readStatistics: SmpCommand<{ group: string }, { fields: ReadonlyMap<string, number> }> = {
  name: 'read statistics',
  group: smpGroup.statistics,
  command: statisticsCommand.read,
  op: 'read',
  encode: ({ group }) => ({ name: group }),
  decode: (body) =>
    readBody('read statistics', () => {
      const fields = Object.hasOwn(body, 'fields') ? body['fields'] : undefined
      if (!isMap(fields)) return refuse('field', '"fields" is no map')
      const entries = Object.entries(fields)
      if (entries.length > fieldsMax) refuse('field', `more than ${fieldsMax} statistics`)
      return {
        fields: new Map(entries.map(([name, value]) => {
          if (typeof value !== 'number' && typeof value !== 'bigint') return refuse('field', `"${plainText(name.slice(0, 40))}" is no number`)
          return [plainText(name.slice(0, nameCharsMax)), Number(value)] as const
        })),
      }
    }),
}
