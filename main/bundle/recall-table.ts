// A recall as a table for spreadsheets, in the manner of csv.ts: one line for each unit that ever got the image.
import { csvCell } from './csv.ts'

export type RecallLine = Readonly<{ unit: string; firstSeq: number; firstAt: string; ran: boolean; stillRuns: string; now: Readonly<{ hash: string | null; version: string | null; at: string | null; seq: number | null }> }>

const columns = ['unit', 'still_runs', 'ever_ran', 'first_written', 'first_entry', 'now_version', 'now_image_hash', 'now_said', 'now_entry']

/** Header and lines, with byte order mark. */
export function recallTable(units: readonly RecallLine[]): string {
  const lines = units.map(({ unit, stillRuns, ran, firstAt, firstSeq, now }) => [unit, stillRuns, ran ? 'yes' : 'no', firstAt, firstSeq, now.version ?? '', now.hash ?? '', now.at ?? '', now.seq ?? ''])
  return `\ufeff${[columns, ...lines].map((cells) => `${cells.map(csvCell).join(',')}\r\n`).join('')}`
}
