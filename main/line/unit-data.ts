// What each unit gets beside the image: settings and files whose contents come from a template or from a table by serial
// number. Values marked secret go to the board and nowhere else: a template may not contain one, and no log, view or
// sentence has more of it than its name.
import type { Failure } from '../base/failure.ts'
import { attempt, refuse } from '../base/failure.ts'

/** As the recipe has it; `value` may hold `{serial}` and `{column}` of the table. */
export type UnitTemplate = Readonly<{ what: 'setting' | 'file'; name: string; value: string; secret: boolean }>

/** As one board gets it. */
export type UnitItem = UnitTemplate

/** Rows of the table by serial number, then by column. */
export type UnitTable = ReadonlyMap<string, ReadonlyMap<string, string>>

export const tableBytesMax = 8 * 1024 * 1024
const rowsMax = 100_000
const columnsMax = 64
const cellCharsMax = 4096

/** How an item is called wherever people read. */
export function itemName(item: UnitTemplate): string {
  return `${item.what} ${item.name}`
}

/**
 * A table as comma-separated text (RFC 4180: quotes where a cell has a comma, a quote or a line break) with its columns'
 * names in the first row, one of which is `serial`. Failure kind `bad-table`; its sentence names the row, never a cell.
 */
export function parseTable(text: string): UnitTable | Failure<'bad-table'> {
  const wrong = (says: string) => refuse('bad-table', `${says} Save the table as comma-separated UTF-8 text with a first row of column names, one of them "serial".`)
  return attempt(() => {
    const [header, ...rows] = cellsOf(text.startsWith('\ufeff') ? text.slice(1) : text, wrong)
    const columns = header?.map((cell) => cell.trim()) ?? []
    const key = columns.indexOf('serial')
    if (key < 0) wrong('The table has no column "serial".')
    if (columns.length > columnsMax) wrong(`The table has more than ${columnsMax} columns.`)
    if (new Set(columns).size !== columns.length) wrong('Two columns of the table have the same name.')
    const table = new Map<string, ReadonlyMap<string, string>>()
    for (const [index, row] of rows.entries()) {
      if (row.length === 1 && row[0] === '') continue
      if (row.length !== columns.length) wrong(`Row ${index + 2} of the table has ${row.length} cells instead of ${columns.length}.`)
      const serial = (row[key] ?? '').trim()
      if (serial === '') wrong(`Row ${index + 2} of the table has no serial number.`)
      if (table.has(serial)) wrong(`Row ${index + 2} of the table has a serial number that an earlier row has too.`)
      table.set(serial, new Map(columns.map((column, at) => [column, row[at] ?? ''])))
    }
    return table
  }) as UnitTable | Failure<'bad-table'>
}

function cellsOf(text: string, wrong: (says: string) => never): string[][] {
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  const endCell = () => {
    if (cell.length > cellCharsMax) wrong(`Row ${rows.length + 1} of the table has a cell longer than ${cellCharsMax} characters.`)
    row.push(cell)
    cell = ''
  }
  const endRow = () => {
    endCell()
    rows.push(row)
    if (rows.length > rowsMax) wrong(`The table has more than ${rowsMax} rows.`)
    row = []
  }
  for (let at = 0; at < text.length; at++) {
    const letter = text.charAt(at)
    if (quoted) {
      if (letter !== '"') cell += letter
      else if (text.charAt(at + 1) === '"') cell += text.charAt(++at)
      else quoted = false
    } else if (letter === '"' && cell === '') quoted = true
    else if (letter === ',') endCell()
    else if (letter === '\n') endRow()
    else if (letter !== '\r' || text.charAt(at + 1) !== '\n') cell += letter
  }
  if (quoted) wrong(`A quote in row ${rows.length + 1} of the table is never closed.`)
  if (cell !== '' || row.length > 0) endRow()
  return rows
}

const placeholder = /\{([A-Za-z][A-Za-z0-9_ -]{0,63})\}/g

/** True when the template takes its whole value from the table, as a secret must. */
export function isPlaceholder(value: string): boolean {
  return /^\{[A-Za-z][A-Za-z0-9_ -]{0,63}\}$/.test(value)
}

/**
 * What the board with that serial number gets. `{serial}` is always known; other placeholders are columns of its row.
 * Failure kind `no-unit-data`, before anything is sent.
 */
export function unitDataFor(serial: string, templates: readonly UnitTemplate[], table: UnitTable | null): UnitItem[] | Failure<'no-unit-data'> {
  const row = table?.get(serial)
  const lacking = (says: string) => refuse('no-unit-data', `${says} Complete the table, or take the item out of the recipe.`)
  return attempt(() => templates.map((item) => ({
    ...item,
    value: item.value.replace(placeholder, (_all, column: string) => {
      const cell = column === 'serial' ? serial : row?.get(column)
      if (cell !== undefined) return cell
      return lacking(row === undefined ? `The table has no row for the serial number ${serial}, which the ${itemName(item)} needs.` : `The table has no column "${column}", which the ${itemName(item)} needs.`)
    }),
  }))) as UnitItem[] | Failure<'no-unit-data'>
}
