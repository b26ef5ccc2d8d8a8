// Looks whether SQLite's indexes say what the tables say. A unit's history is read by an index, and a page of one edited by
// hand would leave an entry out of it while the entry itself holds. SQLite's own integrity check finds that, but holds
// everything up for seconds over a large file; here rows are looked up in every index as the walk comes by, and at the end an
// index must have no more of them than were found.
import { derivedTables } from '../log/derived.ts'
import type { LogWrong } from '../log/verify.ts'
import type { Sql } from './database.ts'

type IndexCheck = { readonly index: string; readonly counted: string; many: number; told: boolean; readonly look: (after: number, to: number) => { many: number; missing: number | null } }

export type IndexChecker = Readonly<{
  /** Rows after `after`, up to and with `to`. */
  rows(after: number, to: number): LogWrong[]
  /** When all rows up to `last` were looked at. */
  end(last: number): LogWrong[]
}>

/** Checks every index over the log's tables. Throws SQLite's errors. */
export function checkIndexes(sql: Sql): IndexChecker {
  const strange: LogWrong[] = []
  const checks = ['entries', ...derivedTables.map(({ table }) => table)].flatMap((table) => indexesOf(sql, table).flatMap((index) => {
    try {
      return [checkOf(sql, table, index)]
    } catch {
      strange.push(wrong(null, `The index ${index.name} is not made as any Slotwright makes it: somebody changed the database's own description.`))
      return []
    }
  }))
  return {
    rows(after, to) {
      return checks.flatMap((check) => {
        const { many, missing } = check.look(after, to)
        check.many += many
        if (missing === null || check.told) return []
        check.told = true
        return [wrong(missing, `Entry ${missing} is not where the index ${check.index} should lead to it: a history or a search would leave it out. Make the tables anew, or restore the log from a backup.`)]
      })
    },
    end(last) {
      return [...strange, ...checks.flatMap(({ index, counted, many, told }) => {
        const there = sql.prepare(counted).pluck().get(last) as number
        return told || there === many ? [] : [wrong(null, `The index ${index} has ${there} rows where ${many} belong.`)]
      })]
    },
  }
}

function wrong(seq: number | null, says: string): LogWrong {
  return { seq, kind: 'index', says }
}

/** Indexes that SQL made, with their columns; names are SQLite's own answers and are quoted all the same. */
function indexesOf(sql: Sql, table: string): { name: string; columns: string[]; partial: boolean }[] {
  const list = sql.prepare('SELECT name, partial FROM pragma_index_list(?) WHERE origin = \'c\'').all(table) as { name: string; partial: number }[]
  return list.map(({ name, partial }) => ({ name, partial: partial === 1, columns: sql.prepare('SELECT name FROM pragma_index_info(?) ORDER BY seqno').pluck().all(name) as string[] }))
}

function checkOf(sql: Sql, table: string, { name, columns, partial }: { name: string; columns: string[]; partial: boolean }): IndexCheck {
  const quoted = (word: string) => `"${word.replaceAll('"', '""')}"`
  const first = quoted(columns[0] ?? 'seq')
  // Ours leave out only rows whose first column is null, and a search for a value needs no more.
  const within = (row: string) => (partial ? ` AND ${row}.${first} IS NOT NULL` : '')
  const same = columns.filter((column) => column !== 'seq').map((column) => `i.${quoted(column)} ${partial ? '=' : 'IS'} e.${quoted(column)}`).join(' AND ')
  const there = `EXISTS (SELECT 1 FROM ${table} i INDEXED BY ${quoted(name)} WHERE ${same}${within('i')} AND i.seq = e.seq)`
  const look = sql.prepare(`SELECT count(*) AS many, min(CASE WHEN ${there} THEN NULL ELSE e.seq END) AS missing FROM ${table} e NOT INDEXED WHERE e.seq > ? AND e.seq <= ?${within('e')}`)
  return {
    index: name, many: 0, told: false,
    counted: `SELECT count(*) FROM ${table} i INDEXED BY ${quoted(name)} WHERE i.seq <= ?${within('i')}`,
    look: (after, to) => look.get(after, to) as { many: number; missing: number | null },
  }
}
