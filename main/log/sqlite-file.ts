// Reads tables out of an SQLite file without SQLite (sqlite.org/fileformat2.html): table b-trees, the index b-trees of
// tables without rowid, overflow pages, records, and the write-ahead log of a database that a station has open. A verifier
// that shares no code with the program that wrote the file is worth more, runs in a browser, and cannot write a byte; an
// auditor's window reads the first rows of a large log so. What does not read is `Damage`, for who asks to catch.
import { viewOf } from '../base/bytes.ts'

export class Damage extends Error {}

/** Gives `length` bytes from `offset`; fewer where the file ends. */
export type ReadAt = (offset: number, length: number) => Uint8Array

export type Cell = number | string | Uint8Array | null
export type Row = Readonly<Record<string, Cell>>

const magic = 'SQLite format 3\u0000'
const depthMax = 20
const recordBytesMax = 10_000_000
const walPagesMax = 1_000_000

export type SqliteFile = Readonly<{
  applicationId: number
  userVersion: number
  /** Names of tables and triggers, with their SQL. */
  objects: ReadonlyMap<string, Readonly<{ type: string; root: number; sql: string }>>
  /** Rows in order of rowid (or of the primary key, for a table without rowid); the rowid stands for its INTEGER PRIMARY KEY. */
  rows(table: string): Generator<Row>
  /** One row of a table with rowids, by its rowid; null where there is none. */
  row(table: string, rowid: number): Row | null
}>

/** Opens a database of which `wal`, the file beside it, is null where there is none. Throws `Damage`. */
export function openSqlite(read: ReadAt, wal: Uint8Array | null): SqliteFile {
  const head = read(0, 100)
  if (head.length < 100 || new TextDecoder('latin1').decode(head.subarray(0, 16)) !== magic) throw new Damage('It is no SQLite database.')
  const stored = viewOf(head).getUint16(16)
  const pageBytes = stored === 1 ? 65_536 : stored
  if (pageBytes < 512 || (pageBytes & (pageBytes - 1)) !== 0) throw new Damage(`Its page size, ${pageBytes}, cannot be.`)
  const overlay = wal === null ? new Map<number, Uint8Array>() : committedPages(wal, pageBytes)
  const page = (number: number): Uint8Array => {
    const bytes = number < 1 ? null : (overlay.get(number) ?? read((number - 1) * pageBytes, pageBytes))
    if (bytes?.length !== pageBytes) throw new Damage(`Page ${number} is not there.`)
    return bytes
  }
  const first = viewOf(page(1))
  if (![0, 1].includes(first.getUint32(56))) throw new Damage('Its texts are not UTF-8.')
  const usable = pageBytes - (page(1)[20] ?? 0)
  const tree = walker(page, usable)
  const objects = new Map<string, { type: string; root: number; sql: string }>()
  for (const { values } of tree.table(1)) {
    const [type, name, , root, sql] = values
    if (typeof name !== 'string' || typeof root !== 'number') continue
    if (objects.has(name)) throw new Damage(`It describes ${name.slice(0, 60)} twice.`)
    objects.set(name, { type: String(type), root, sql: typeof sql === 'string' ? sql : '' })
  }
  const tableNamed = (name: string): { root: number; sql: string } => {
    const object = objects.get(name)
    if (object === undefined || object.type !== 'table') throw new Damage(`It has no table ${name}.`)
    return object
  }
  return {
    applicationId: first.getUint32(68),
    userVersion: first.getUint32(60),
    objects,
    *rows(table) {
      const { root, sql } = tableNamed(table)
      const columns = columnsOf(sql)
      for (const cell of /\bWITHOUT\s+ROWID\b/i.test(sql) ? tree.index(root) : tree.table(root)) yield rowOf(cell, columns)
    },
    row(table, rowid) {
      const { root, sql } = tableNamed(table)
      const cell = tree.find(root, rowid)
      return cell === null ? null : rowOf(cell, columnsOf(sql))
    },
  }
}

type Column = Readonly<{ name: string; isRowid: boolean }>

function rowOf({ rowid, values }: RecordCell, columns: readonly Column[]): Row {
  const row: Record<string, Cell> = {}
  for (const [i, { name, isRowid }] of columns.entries()) row[name] = isRowid && rowid !== null ? rowid : (values[i] ?? null)
  return row
}

/** Column names of a CREATE TABLE, in order, and which of them is the rowid. */
function columnsOf(sql: string): Column[] {
  const inside = sql.replace(/--[^\n]*/g, '').slice(sql.indexOf('(') + 1)
  const parts: string[] = ['']
  let depth = 0
  for (const letter of inside) {
    if (letter === '(') depth += 1
    if (letter === ')' && --depth < 0) break
    if (letter === ',' && depth === 0) parts.push('')
    else parts[parts.length - 1] += letter
  }
  return parts.map((part) => part.trim()).filter((part) => !/^(PRIMARY KEY|UNIQUE|CHECK|FOREIGN KEY|CONSTRAINT)\b/i.test(part))
    .map((part) => ({ name: /^"?([A-Za-z_]\w*)/.exec(part)?.[1] ?? '', isRowid: /\bINTEGER\s+PRIMARY\s+KEY\b/i.test(part) }))
}

type RecordCell = Readonly<{ rowid: number | null; values: readonly Cell[] }>

function walker(page: (number: number) => Uint8Array, usable: number): { table(root: number): Generator<RecordCell>; index(root: number): Generator<RecordCell>; find(root: number, rowid: number): RecordCell | null } {
  // No page stands in a tree twice: one that does would be walked over and over, more often at each level.
  function* walk(number: number, depth: number, kind: 'table' | 'index', seen: Set<number>): Generator<RecordCell> {
    if (depth > depthMax || seen.has(number)) throw new Damage('Its tree of pages leads round in a circle.')
    seen.add(number)
    const { bytes, view, at, isLeaf, cells, pointers } = headOf(number, kind)
    for (let i = 0; i < cells; i++) {
      let cell = view.getUint16(pointers + 2 * i)
      if (!isLeaf) {
        if (cell + 4 > bytes.length) throw new Damage(`A cell of page ${number} leads outside.`)
        yield* walk(view.getUint32(cell), depth + 1, kind, seen)
        if (kind === 'table') continue
        cell += 4
      }
      const [size, afterSize] = varint(bytes, cell)
      const [rowid, from] = kind === 'table' ? varint(bytes, afterSize) : [null, afterSize]
      yield { rowid, values: recordOf(payload(bytes, from, size, kind)) }
    }
    if (!isLeaf) yield* walk(view.getUint32(at + 8), depth + 1, kind, seen)
  }

  function headOf(number: number, kind: 'table' | 'index'): { bytes: Uint8Array; view: DataView; at: number; isLeaf: boolean; cells: number; pointers: number } {
    const bytes = page(number)
    const view = viewOf(bytes)
    const at = number === 1 ? 100 : 0
    const flags = bytes[at]
    const isLeaf = flags === (kind === 'table' ? 13 : 10)
    if (!isLeaf && flags !== (kind === 'table' ? 5 : 2)) throw new Damage(`Page ${number} is not what it should be.`)
    const cells = view.getUint16(at + 3)
    const pointers = at + (isLeaf ? 8 : 12)
    if (pointers + 2 * cells > bytes.length) throw new Damage(`Page ${number} has too many cells.`)
    return { bytes, view, at, isLeaf, cells, pointers }
  }

  /** Down the tree by halving: an inner cell's key is the largest rowid below it. */
  function find(root: number, rowid: number): RecordCell | null {
    for (let [number, depth] = [root, 0]; depth <= depthMax; depth++) {
      const { bytes, view, at, isLeaf, cells, pointers } = headOf(number, 'table')
      const keyOf = (i: number): [key: number, after: number, cell: number] => {
        const cell = view.getUint16(pointers + 2 * i)
        if (!isLeaf && cell + 4 > bytes.length) throw new Damage(`A cell of page ${number} leads outside.`)
        return [...varint(bytes, isLeaf ? varint(bytes, cell)[1] : cell + 4), cell]
      }
      let [low, high] = [0, cells]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (keyOf(middle)[0] < rowid) low = middle + 1
        else high = middle
      }
      if (!isLeaf) {
        number = low === cells ? view.getUint32(at + 8) : view.getUint32(keyOf(low)[2])
        continue
      }
      if (low === cells) return null
      const [key, after, cell] = keyOf(low)
      return key === rowid ? { rowid, values: recordOf(payload(bytes, after, varint(bytes, cell)[0], 'table')) } : null
    }
    throw new Damage('Its tree of pages leads round in a circle.')
  }

  function payload(bytes: Uint8Array, from: number, size: number, kind: 'table' | 'index'): Uint8Array {
    if (size < 0 || size > recordBytesMax) throw new Damage('A record is larger than any of ours.')
    const most = kind === 'table' ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23
    if (size <= most) {
      if (from + size > bytes.length) throw new Damage('A record leads outside its page.')
      return bytes.subarray(from, from + size)
    }
    const least = Math.floor(((usable - 12) * 32) / 255) - 23
    const wished = least + ((size - least) % (usable - 4))
    const local = wished <= most ? wished : least
    if (from + local + 4 > bytes.length) throw new Damage('A record leads outside its page.')
    const whole = new Uint8Array(size)
    whole.set(bytes.subarray(from, from + local))
    let next = viewOf(bytes).getUint32(from + local)
    for (let at = local; at < size; at += usable - 4) {
      const overflow = page(next)
      whole.set(overflow.subarray(4, 4 + Math.min(usable - 4, size - at)), at)
      next = viewOf(overflow).getUint32(0)
    }
    return whole
  }

  return { table: (root) => walk(root, 0, 'table', new Set()), index: (root) => walk(root, 0, 'index', new Set()), find }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

function recordOf(bytes: Uint8Array): Cell[] {
  const view = viewOf(bytes)
  const [headBytes, start] = varint(bytes, 0)
  if (headBytes > bytes.length) throw new Damage('A record has no sensible head.')
  const values: Cell[] = []
  let at = start
  let body = headBytes
  while (at < headBytes) {
    const [type, next] = varint(bytes, at)
    at = next
    const length = type >= 12 ? Math.floor((type - 12) / 2) : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? -1)
    if (length < 0 || body + length > bytes.length) throw new Damage('A value leads outside its record.')
    values.push(valueOf(bytes, view, type, body, length))
    body += length
  }
  return values
}

function valueOf(bytes: Uint8Array, view: DataView, type: number, at: number, length: number): Cell {
  if (type === 0) return null
  if (type === 7) return view.getFloat64(at)
  if (type === 8 || type === 9) return type - 8
  if (type >= 12) return type % 2 === 0 ? bytes.slice(at, at + length) : decoder.decode(bytes.subarray(at, at + length))
  let value = view.getInt8(at)
  for (let i = 1; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0)
  return value
}

/** Value and the place after it. Beyond 2^53 the value is not exact; nothing of ours is so large. */
function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) throw new Damage('A number leads outside its page.')
    if (i === 8) {
      const whole = value * 256 + byte
      // Nine bytes are a 64-bit two's complement: negative rowids, which nobody should have.
      return [whole >= 2 ** 63 ? whole - 2 ** 64 : whole, at + 9]
    }
    value = value * 128 + (byte & 127)
    if (byte < 128) return [value, at + i + 1]
  }
  throw new Damage('A number has no end.')
}

/** Pages that the write-ahead log holds, up to its last whole commit. A log of another database's life is passed over. */
function committedPages(wal: Uint8Array, pageBytes: number): Map<number, Uint8Array> {
  const committed = new Map<number, Uint8Array>()
  if (wal.length < 32) return committed
  const view = viewOf(wal)
  const kind = view.getUint32(0)
  if ((kind & 0xffff_fffe) >>> 0 !== 0x377f_0682 || view.getUint32(8) !== pageBytes) return committed
  const little = (kind & 1) === 0
  let sum = checksum(view, 0, 24, [0, 0], little)
  if (sum[0] !== view.getUint32(24) || sum[1] !== view.getUint32(28)) return committed
  const open = new Map<number, Uint8Array>()
  for (let at = 32; at + 24 + pageBytes <= wal.length && committed.size < walPagesMax; at += 24 + pageBytes) {
    if (view.getUint32(at + 8) !== view.getUint32(16) || view.getUint32(at + 12) !== view.getUint32(20)) break
    sum = checksum(view, at + 24, pageBytes, checksum(view, at, 8, sum, little), little)
    if (sum[0] !== view.getUint32(at + 16) || sum[1] !== view.getUint32(at + 20)) break
    open.set(view.getUint32(at), wal.subarray(at + 24, at + 24 + pageBytes))
    if (view.getUint32(at + 4) === 0) continue
    for (const [number, page] of open) committed.set(number, page)
    open.clear()
  }
  return committed
}

function checksum(view: DataView, from: number, length: number, [a, b]: readonly [number, number], little: boolean): [number, number] {
  let [first, second] = [a, b]
  for (let at = from; at < from + length; at += 8) {
    first = (first + view.getUint32(at, little) + second) >>> 0
    second = (second + view.getUint32(at + 4, little) + first) >>> 0
  }
  return [first, second]
}
