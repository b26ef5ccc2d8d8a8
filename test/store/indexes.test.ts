// Indexes edited by hand under tables that hold: a unit's history would leave an entry out. In a small file SQLite's own check
// finds it, in a large one ours does; both are held to the same here.
import Database from 'better-sqlite3'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { openAuditStoreForReading } from '../../main/store/audit.ts'
import { verifyDatabase } from '../../main/store/check.ts'
import { databaseName } from '../../main/store/database.ts'
import { closedHome } from '../bundle/made.ts'
import { release, value } from './fixture.ts'

afterEach(release)

/** Runs `change` while SQLite takes the index for one with another condition, so that it is filled otherwise than it says. */
function underAnother(home: string, index: string, condition: string, change = `REINDEX ${index}`): void {
  const path = join(home, databaseName)
  const work = (...statements: string[]) => {
    const sql = new Database(path)
    sql.unsafeMode(true)
    sql.pragma('writable_schema = ON')
    for (const statement of statements) sql.exec(statement)
    sql.close()
  }
  const sql = new Database(path)
  const honest = sql.prepare('SELECT sql FROM sqlite_schema WHERE name = ?').pluck().get(index) as string
  sql.close()
  const put = (text: string) => `UPDATE sqlite_schema SET sql = '${text.replaceAll("'", "''")}' WHERE name = '${index}'`
  work(put(`${honest.replace(/ WHERE .*/, '')} WHERE ${condition}`))
  work(change, put(honest))
}

async function verdictOf(home: string, wholeBytesMax: number) {
  const store = value(openAuditStoreForReading(home, 0))
  const units = store.database.sql.prepare("SELECT count(*) FROM entries WHERE unit = 'SN-b1-3'").pluck().get()
  const verdict = value(await verifyDatabase(store.database, { known: [], wrongs: [] }, undefined, undefined, wholeBytesMax))
  store.close()
  return { units, verdict }
}

test.each([[0], [1e9]])('an honest log holds (whole file up to %i bytes)', async (wholeBytesMax) => {
  const { verdict } = await verdictOf(await closedHome(), wholeBytesMax)
  expect(verdict, verdict.says).toMatchObject({ holds: true, wrongs: [] })
})

test.each([
  ['entries_by_unit', "unit IS NOT NULL AND unit <> 'SN-b1-3'"],
  ['entries_by_kind', "kind <> 'outcome' OR seq < 40"],
  ['entries_by_time', 'seq <> 17'],
  ['outcomes_by_unit', "unit <> 'SN-b1-3'"],
  ['images_by_key', 'seq < 0'],
])('%s that leaves entries out is found, whatever the file\'s size', async (index, condition) => {
  for (const wholeBytesMax of [0, 1e9]) {
    const home = await closedHome()
    underAnother(home, index, condition)
    const { units, verdict } = await verdictOf(home, wholeBytesMax)
    if (index === 'entries_by_unit') expect(units).toBe(0)
    expect(verdict.holds).toBe(false)
    if (wholeBytesMax === 0) expect(verdict.says).toContain(index)
  }
})

test('an index with rows that no table has, and one made in another way', async () => {
  const home = await closedHome()
  underAnother(home, 'outcomes_by_unit', 'seq < 0', "DELETE FROM outcomes WHERE unit = 'SN-b1-3'")
  expect((await verdictOf(home, 0)).verdict.wrongs.map(({ says }) => says).join()).toMatch(/The index outcomes_by_unit has \d+ rows where \d+ belong/)
  const other = await closedHome()
  const sql = new Database(join(other, databaseName))
  sql.exec("DROP INDEX entries_by_unit; CREATE INDEX entries_by_unit ON entries (unit, seq) WHERE unit IS NOT NULL AND unit <> 'SN-b1-3'")
  sql.close()
  expect((await verdictOf(other, 0)).verdict.says).toContain('entries_by_unit is not made as')
})
