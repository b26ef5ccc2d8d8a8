// `history`: everything the log knows of one unit, oldest first, as one would tell it, across all batches; the signatures
// over the images it got are told with it, though they name no unit.
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { utf8 } from '../../base/bytes.ts'
import { Failure, failed } from '../../base/failure.ts'
import { historyTable } from '../../station/reports.ts'
import { entryView } from '../../station/views.ts'
import type { AuditStore } from '../../store/audit.ts'
import { signaturesBehind } from '../../store/recall.ts'
import type { Act, Answer } from '../call.ts'
import { writeOutput } from '../files.ts'
import { wholeNumber } from '../numbers.ts'
import { entriesOf, entryLines, withLog } from '../read-log.ts'

export function declare(command: Command, act: Act): void {
  command
    .argument('<unit>', 'serial number or hardware id of the board')
    .option('-n, --limit <n>', 'the newest so many entries', wholeNumber(1, 1_000_000), 500)
    .option('--csv <file>', 'also write all of it to this table')
    .action(act<{ limit: number; csv?: string }>((call, [unit = ''], flags) => withLog<Answer>(call, async (log) => {
      const found = await entriesOf(call, log, { unit }, flags.limit)
      if (failed(found)) return found
      const { entries } = found
      if (entries.length === 0) return new Failure('no-such-unit', `The log knows no unit "${unit}". ${likelyUnit(log, unit)}`, { unit })
      const table = flags.csv === undefined ? null : await historyTable(log, unit)
      if (failed(table)) return table
      const saved = table === null ? null : await writeOutput(resolve(flags.csv ?? ''), utf8(table))
      if (saved !== null) return saved
      const signed = signaturesBehind(log.database, unit)
      if (failed(signed)) return signed
      const behind = signed.map((seq) => log.get(seq)).flatMap((found) => (found === null || failed(found) ? [] : [entryView(found)]))
      const inOrder = [...entries, ...behind].sort((a, b) => a.seq - b.seq)
      const kept = flags.csv === undefined ? '' : `\n${resolve(flags.csv)} has all of it as a table.`
      return { document: { unit, entries: inOrder }, words: `${entryLines(call, inOrder)}${kept}` }
    })))
}

/** Serial numbers are typed off a label: the case is easily wrong, and so is an end or a beginning that was left out. */
function likelyUnit({ database }: AuditStore, unit: string): string {
  const known = database.sql.prepare('SELECT DISTINCT unit FROM entries WHERE unit IS NOT NULL LIMIT 100000').pluck().all() as string[]
  const near = known.filter((one) => one.toLowerCase().includes(unit.toLowerCase())).slice(0, 3)
  return near.length === 0 ? 'slotwright log list shows the units it knows.' : `It knows ${near.join(', ')}.`
}
