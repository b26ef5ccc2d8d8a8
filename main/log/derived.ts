// The tables that are read out of the entries: which image, which slot write, which outcome. Every row is a pure function
// of one entry and carries its `seq`, so the tables can be thrown away and made again, and verification can compare them
// row by row while it walks the log. Reading is lenient where a later version may have written more or less.
import type { Json } from './canonical.ts'
import type { Entry } from './entry.ts'

export type ColumnValue = string | number | null
export type DerivedRow = Readonly<Record<string, ColumnValue>>

/** One column: its name in the table, the data field it is read from and the type it must have to be taken. */
type Column = Readonly<{ column: string; field: string; type: 'text' | 'whole' }>

export type DerivedTable = Readonly<{ table: string; kinds: readonly string[]; columns: readonly Column[] }>

const text = (field: string, column = snake(field)): Column => ({ column, field, type: 'text' })
const whole = (field: string, column = snake(field)): Column => ({ column, field, type: 'whole' })
const ofRun = [text('run'), text('unit'), text('batch'), whole('bay')]

function snake(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace('sha256', '_sha256').replace('__', '_')
}

/** All derived tables. Each also has `seq` (the entry's) and `kind`; the columns must match the store's schema. */
export const derivedTables: readonly DerivedTable[] = [
  {
    table: 'images',
    kinds: ['image-signed'],
    columns: [text('imageHash'), text('version'), text('key', 'key_fingerprint'), text('inputSha256'), text('outputSha256'), text('file'), whole('bytes')],
  },
  {
    table: 'slot_writes',
    kinds: ['slot-write-intended', 'slot-write-done', 'slot-write-failed'],
    columns: [...ofRun, whole('image'), whole('slot'), text('imageHash'), whole('bytes'), text('slotHash'), text('failure')],
  },
  {
    table: 'outcomes',
    kinds: ['outcome'],
    columns: [...ofRun, text('outcome'), text('failure'), text('says'), text('activeHash'), text('version'), whole('tookMs')],
  },
  {
    table: 'key_events',
    kinds: ['key-created', 'key-imported', 'key-exported', 'key-retired'],
    columns: [text('key', 'key_fingerprint'), text('algorithm'), text('class', 'key_class'), text('name'), text('home')],
  },
  {
    table: 'batch_events',
    kinds: ['batch-started', 'batch-ended'],
    columns: [text('batch'), text('recipe'), text('name'), text('mode'), text('imageHash'), text('version'), whole('target'), text('reason')],
  },
]

const tablesByKind = new Map<string, DerivedTable[]>()
for (const table of derivedTables) {
  for (const kind of table.kinds) tablesByKind.set(kind, [...(tablesByKind.get(kind) ?? []), table])
}

/** The rows this entry puts into derived tables (at most one a table). */
export function deriveRows(entry: Entry): { table: DerivedTable; row: DerivedRow }[] {
  return (tablesByKind.get(entry.kind) ?? []).map((table) => ({ table, row: rowOf(table, entry) }))
}

function rowOf(table: DerivedTable, entry: Entry): DerivedRow {
  const row: Record<string, ColumnValue> = { seq: entry.seq, kind: entry.kind }
  for (const { column, field, type } of table.columns) row[column] = type === 'text' ? textIn(entry, field) : wholeIn(entry, field)
  return row
}

/** What an entry is about, kept beside it so that lists can be narrowed without reading every entry. */
export type Subjects = Readonly<{ kind: string; time: string; person: string; unit: string | null; batch: string | null; run: string | null }>

export function subjectsOf(entry: Entry): Subjects {
  const { kind, time, person } = entry
  return { kind, time, person, unit: textIn(entry, 'unit'), batch: textIn(entry, 'batch'), run: textIn(entry, 'run') }
}

function textIn(entry: Entry, field: string): string | null {
  const value = own(entry, field)
  return typeof value === 'string' ? value : null
}

function wholeIn(entry: Entry, field: string): number | null {
  const value = own(entry, field)
  return typeof value === 'number' ? value : null
}

function own(entry: Entry, field: string): Json | undefined {
  return Object.hasOwn(entry.data, field) ? entry.data[field] : undefined
}
