// Redaction: the text is gone from the file, the tree stands, and a verifier says "redacted", not "broken".
import Database from 'better-sqlite3'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import type { Entry } from '../../main/log/entry.ts'
import { redactionData } from '../../main/log/redact.ts'
import { openAuditStoreForReading } from '../../main/store/audit.ts'
import { databaseName } from '../../main/store/database.ts'
import { newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

afterEach(release)

const secret = 'Please ask Beatrix Kowalczyk in hall 4.'

async function redactedHome(): Promise<string> {
  const home = newHome()
  const store = storeIn(home)
  for (let i = 0; i < 40; i++) value(store.append({ ...outcomeDraft(`unit-${i}`, { says: i === 7 ? secret : 'Fine.' }), person: i === 7 ? 'Beatrix Kowalczyk' : 'Ada' }))
  value(await store.checkpoint())
  value(store.redact([7], ['says', 'person'], 'Asked for by the person named.', { person: 'Ada', role: 'engineer' }))
  value(await store.checkpoint())
  store.close()
  return home
}

test('what was struck out is in no file of the home, and the log still holds and says so', async () => {
  const home = await redactedHome()
  for (const name of readdirSync(home, { recursive: true, withFileTypes: true })) {
    if (name.isFile()) expect(readFileSync(join(name.parentPath, name.name)).includes('Kowalczyk'), name.name).toBe(false)
  }
  const store = value(openAuditStoreForReading(home))
  const verdict = value(await store.verify())
  expect(verdict).toMatchObject({ holds: true, wrongs: [], redacted: [7], redactedCount: 1, checkpointsHeld: 2 })
  expect(verdict.says).toContain('redacted')
  const entry = value(store.get(7))?.entry as Entry
  expect(entry).toMatchObject({ person: '[redacted]', data: { says: '[redacted]', unit: 'unit-7', outcome: 'confirmed' } })
  expect(store.database.sql.prepare('SELECT says FROM outcomes WHERE seq = 7').pluck().get()).toBe('[redacted]')
  expect(value(store.list({ kind: 'entry-redacted' }))[0]?.entry).toMatchObject({ person: 'Ada', data: { entry: 7, fields: 'says person' } })
  store.close()
})

test('striking out unseen, or more than was said, is tampering', async () => {
  const change = (home: string, from: string, to: string) => {
    const sql = new Database(join(home, databaseName))
    sql.exec('DROP TRIGGER entries_stay')
    sql.prepare('UPDATE entries SET bytes = CAST(replace(CAST(bytes AS TEXT), ?, ?) AS BLOB) WHERE seq IN (7, 8)').run(from, to)
    sql.close()
  }
  const home = await redactedHome()
  change(home, '"says":"Fine."', '"says":"[redacted]"')
  const store = value(openAuditStoreForReading(home))
  expect(value(await store.verify())).toMatchObject({ holds: false, firstWrong: 8, redacted: [7] })
  store.close()
  const other = await redactedHome()
  change(other, '"outcome":"confirmed"', '"outcome":"reverted"')
  const again = value(openAuditStoreForReading(other))
  expect(value(await again.verify())).toMatchObject({ holds: false, firstWrong: 7, redacted: [] })
  again.close()
})

test('an entry exchanged for another under the name of a redaction, by a station that can sign: it is called exchanged', async () => {
  const home = await redactedHome()
  const store = storeIn(home, { session: 's9' })
  const { bytes, leaf } = store.database.sql.prepare('SELECT bytes, leaf FROM entries WHERE seq = 8').get() as { bytes: Uint8Array; leaf: Uint8Array }
  const better = Buffer.from(Buffer.from(bytes).toString().replace('"outcome":"confirmed"', '"outcome":"unchanged"'))
  expect(better.equals(bytes)).toBe(false)
  value(store.append({ kind: 'entry-redacted', data: redactionData(8, leaf, better, ['says'], 'Asked for.') }))
  value(await store.checkpoint())
  store.close()
  const sql = new Database(join(home, databaseName))
  sql.exec('DROP TRIGGER entries_stay')
  sql.prepare('UPDATE entries SET bytes = ? WHERE seq = 8').run(better)
  sql.prepare("UPDATE outcomes SET outcome = 'unchanged' WHERE seq = 8").run()
  sql.close()
  const read = value(openAuditStoreForReading(home))
  const verdict = value(await read.verify())
  expect(verdict).toMatchObject({ holds: false, firstWrong: 8 })
  expect(verdict.says).toContain('was exchanged for another')
  read.close()
})

test('outcome, unit and hashes cannot be struck out, nor anything twice', async () => {
  const store = storeIn(await redactedHome(), { session: 's2' })
  for (const fields of [['outcome'], ['unit'], ['activeHash'], ['says'], []]) {
    expect(store.redact([7], fields, 'x')).toMatchObject({ kind: 'nothing-to-redact' })
  }
  expect(store.redact([4, 4_000], ['says'], 'x')).toMatchObject({ kind: 'no-such-entry' })
  expect(value(await store.verify()).holds).toBe(true)
})

test('a second redaction of one entry is told like the first', async () => {
  const home = newHome()
  const store = storeIn(home)
  value(store.append({ ...outcomeDraft('u', { says: secret }), person: 'Beatrix' }))
  value(store.redact([0], ['says'], 'first'))
  value(store.redact([0], ['person'], 'second'))
  expect(value(await store.verify())).toMatchObject({ holds: true, redacted: [0] })
  expect(() => store.database.sql.exec("UPDATE entries SET person = 'x'")).toThrow('append-only')
  const reader = value(openAuditStoreForReading(home))
  expect(reader.redact([0], ['says'], 'x')).toBeInstanceOf(Failure)
  reader.close()
})

test('a database of version 1 is read with the hashes it has, and gets the others when it is opened for writing', async () => {
  const home = newHome()
  const store = storeIn(home)
  value(store.appendAll(Array.from({ length: 600 }, (_, i) => outcomeDraft(`u${i}`))))
  value(await store.checkpoint())
  const kept = () => new Database(join(home, databaseName), { readonly: true }).prepare('SELECT level, idx, hash FROM nodes ORDER BY 1, 2').all()
  const whole = kept()
  store.close()
  const sql = new Database(join(home, databaseName))
  sql.exec('DELETE FROM nodes WHERE level NOT IN (8, 16, 24); DROP INDEX entries_by_time; DROP INDEX entries_by_person; PRAGMA user_version = 1')
  sql.close()
  const old = value(openAuditStoreForReading(home))
  expect(value(await old.verify())).toMatchObject({ holds: true })
  expect(value(old.proveInclusion(300, 600)).length).toBeGreaterThan(8)
  old.close()
  const again = storeIn(home, { session: 's2' })
  expect(kept()).toEqual(whole)
  expect(value(await again.verify())).toMatchObject({ holds: true })
})
