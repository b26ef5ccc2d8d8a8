// The audit store: what was appended is on disk, in the tree and in the derived tables, and stays.
import { afterEach, describe, expect, test } from 'vitest'
import { Failure } from '../../main/base/failure.ts'
import { toHex } from '../../main/base/bytes.ts'
import { parseEntry } from '../../main/log/entry.ts'
import { appendLeaf, emptyEdge, leafHash, rootOf } from '../../main/log/tree.ts'
import { openAuditStore, openAuditStoreForReading } from '../../main/store/audit.ts'
import { handClock, hashOf, newHome, outcomeDraft, release, storeIn, value } from './fixture.ts'

afterEach(release)

describe('append', () => {
  test('an entry comes back as written and is numbered from 0 without gaps', () => {
    const store = storeIn(newHome())
    const first = value(store.append({ kind: 'station-stopped', data: {} }))
    const second = value(store.append({ ...outcomeDraft('unit-1'), person: 'Ada', role: 'operator' }))
    expect([first.seq, second.seq]).toEqual([0, 1])
    expect(second).toMatchObject({ v: 1, station: 'line 1', session: 's1', person: 'Ada', role: 'operator', kind: 'outcome' })
    expect(second.time).toBe('2026-03-01T08:00:00.000Z')
    const listed = value(store.list())
    expect(listed.map(({ seq }) => seq)).toEqual([1, 0])
    expect(listed[0]?.entry).toEqual(second)
  })

  test('the head is the root of the leaves of the stored bytes', () => {
    const store = storeIn(newHome())
    for (let i = 0; i < 300; i++) value(store.append(outcomeDraft(`unit-${i}`)))
    const rows = store.database.sql.prepare('SELECT bytes FROM entries ORDER BY seq').pluck().all() as Uint8Array[]
    const edge = rows.reduce((grown, bytes) => appendLeaf(grown, leafHash(bytes)), emptyEdge)
    expect(value(store.head())).toEqual({ size: 300, root: Buffer.from(rootOf(edge)) })
  })

  test('a log closed and opened again goes on in the same tree', () => {
    const home = newHome()
    const before = storeIn(home)
    for (let i = 0; i < 5; i++) value(before.append(outcomeDraft(`unit-${i}`)))
    const head = value(before.head())
    before.close()
    const after = storeIn(home, { session: 's2' })
    expect(value(after.head())).toEqual(head)
    expect(value(after.append(outcomeDraft('unit-6'))).seq).toBe(5)
  })

  test('one bad draft among many writes none of them', () => {
    const store = storeIn(newHome())
    const answer = store.appendAll([outcomeDraft('unit-1'), { kind: 'outcome', data: { run: 'r', unit: 'u', outcome: 'confirmed', says: 'ok', pin: '1234' } as never }])
    expect(answer).toBeInstanceOf(Failure)
    expect((answer as Failure).kind).toBe('entry-refused')
    expect((answer as Failure).says).toContain('pin')
    expect(value(store.count())).toBe(0)
    expect(value(store.append(outcomeDraft('unit-1'))).seq).toBe(0)
  })

  test('a wall clock stepped back is logged as such and the order stays', () => {
    const clock = handClock()
    const store = storeIn(newHome(), { clock })
    value(store.append(outcomeDraft('unit-1')))
    clock.wall -= 3_600_000
    clock.mono += 10
    const entry = value(store.append(outcomeDraft('unit-2')))
    expect(entry.seq).toBe(2)
    const [, stepped] = value(store.list())
    expect(stepped?.entry).toMatchObject({ kind: 'clock-stepped', data: { byMs: -3_600_010 } })
  })

  test('a wall clock set back while the station was closed is logged at the next start, once', () => {
    const home = newHome()
    const clock = handClock()
    const before = storeIn(home, { clock })
    value(before.append(outcomeDraft('unit-1')))
    before.close()
    clock.wall -= 86_400_000
    clock.mono = 5
    const after = storeIn(home, { clock, session: 's2' })
    value(after.append(outcomeDraft('unit-2')))
    value(after.append(outcomeDraft('unit-3')))
    const kinds = value(after.list()).map(({ entry }) => value(entry)).reverse()
    expect(kinds.map(({ kind }) => kind)).toEqual(['outcome', 'clock-stepped', 'outcome', 'outcome'])
    expect(kinds[1]?.data).toEqual({ byMs: -86_400_000 })
  })

  test('drafts of one turn are written together, and a bad one among them fails alone', async () => {
    const store = storeIn(newHome())
    let flushes = 0
    store.onAppended(() => (flushes += 1))
    const good = await Promise.all(Array.from({ length: 50 }, (_, i) => store.appendTogether(outcomeDraft(`unit-${i}`))))
    expect(good.map((entry) => value(entry).seq)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(flushes).toBe(1)
    const bad = { ...outcomeDraft('x'), data: { run: '' } } as never
    const [first, second, third] = await Promise.all([store.appendTogether(outcomeDraft('a')), store.appendTogether(bad), store.appendTogether(outcomeDraft('b'))])
    expect([first, second, third]).toMatchObject([{ seq: 50 }, { kind: 'entry-refused' }, { seq: 51 }])
  })

  test('what waits is written when the store is closed', async () => {
    const home = newHome()
    const store = storeIn(home)
    const waiting = store.appendTogether(outcomeDraft('last'))
    store.close()
    expect(value(await waiting).seq).toBe(0)
    expect(value(storeIn(home).count())).toBe(1)
  })

  test('listeners hear of an entry after it is on disk', () => {
    const store = storeIn(newHome())
    const heard: number[] = []
    const stop = store.onAppended((entries) => heard.push(...entries.map(({ seq }) => seq), value(store.count())))
    value(store.append(outcomeDraft('unit-1')))
    stop()
    value(store.append(outcomeDraft('unit-2')))
    expect(heard).toEqual([0, 1])
  })

  test('a store opened for reading refuses to write', () => {
    const home = newHome()
    storeIn(home).close()
    const reader = value(openAuditStoreForReading(home))
    expect(reader.append(outcomeDraft('u'))).toMatchObject({ kind: 'read-only' })
    expect(reader.rebuildDerived()).toMatchObject({ kind: 'read-only' })
    reader.close()
  })

  test('update and delete of an entry are refused by the database itself', () => {
    const store = storeIn(newHome())
    value(store.append(outcomeDraft('unit-1')))
    expect(() => store.database.sql.exec("UPDATE entries SET person = 'x'")).toThrow('append-only')
    expect(() => store.database.sql.exec('DELETE FROM entries')).toThrow('append-only')
  })
})

describe('reading', () => {
  test('list narrows by kind, unit, batch, run and text, and goes on before an entry', () => {
    const store = storeIn(newHome())
    for (const unit of ['a', 'b', 'a', 'c']) value(store.append(outcomeDraft(unit, { says: `unit ${unit} Ümläut ended` })))
    value(store.append({ kind: 'station-stopped', data: { reason: 'Feierabend' } }))
    const seqs = (filter: Parameters<typeof store.list>[0]) => value(store.list(filter)).map(({ seq }) => seq)
    expect(seqs({ kind: 'outcome' })).toEqual([3, 2, 1, 0])
    expect(seqs({ unit: 'a' })).toEqual([2, 0])
    expect(seqs({ unit: 'a', before: 2 })).toEqual([0])
    expect(seqs({ run: 'run-b' })).toEqual([1])
    expect(seqs({ batch: 'batch-1', limit: 2 })).toEqual([3, 2])
    expect(seqs({ text: 'FEIERabend' })).toEqual([4])
    expect(seqs({ text: 'Ümläut', limit: 1 })).toEqual([3])
    expect(seqs({ text: "'; DROP TABLE entries; --" })).toEqual([])
    // Signs that a search in SQL takes for more than themselves.
    value(store.append({ kind: 'station-stopped', data: { reason: '100% of a_b, now!' } }))
    for (const text of ['100%', 'A_B', 'now!']) expect(seqs({ text }), text).toEqual([5])
    for (const text of ['1%', 'a__', 'a!_b', '\\', 'F%d']) expect(seqs({ text }), text).toEqual([])
    expect(value(store.count({ kind: 'outcome' }))).toBe(4)
  })

  test('a reader beside the running station sees each new entry', () => {
    const home = newHome()
    const store = storeIn(home)
    value(store.append(outcomeDraft('unit-1')))
    const reader = value(openAuditStoreForReading(home))
    expect(value(reader.count())).toBe(1)
    value(store.append(outcomeDraft('unit-2')))
    expect(value(reader.count())).toBe(2)
    expect(toHex(value(reader.head()).root)).toBe(toHex(value(store.head()).root))
    reader.close()
    value(store.append(outcomeDraft('unit-3')))
  })

  test('an entry of a kind from a later version is listed as it is', () => {
    const store = storeIn(newHome())
    value(store.append(outcomeDraft('unit-1')))
    const known = store.database.sql.prepare('SELECT bytes FROM entries').pluck().get() as Uint8Array
    const later = new TextDecoder().decode(known).replace('"kind":"outcome"', '"kind":"teleported"')
    expect(parseEntry(new TextEncoder().encode(later))).toMatchObject({ kind: 'teleported' })
  })
})

describe('derived tables', () => {
  test('images, slot writes and outcomes hold what their entries say', () => {
    const store = storeIn(newHome())
    const of = { run: 'r1', unit: 'u1', batch: 'b1', bay: 3 }
    value(store.appendAll([
      { kind: 'image-signed', data: { key: hashOf('k'), algorithm: 'ed25519', inputSha256: hashOf('in'), outputSha256: hashOf('out'), imageHash: hashOf('i'), version: '1.2.3', file: 'app.bin', bytes: 4711 } },
      { kind: 'slot-write-intended', data: { ...of, image: 0, slot: 1, imageHash: hashOf('i'), bytes: 4711 } },
      { kind: 'slot-write-done', data: { ...of, image: 0, slot: 1, imageHash: hashOf('i'), bytes: 4711, slotHash: hashOf('i') } },
      { kind: 'outcome', data: { ...of, outcome: 'confirmed', says: 'Runs 1.2.3.', activeHash: hashOf('i'), version: '1.2.3' } },
    ]))
    const all = (table: string) => store.database.sql.prepare(`SELECT * FROM ${table} ORDER BY seq`).all()
    expect(all('images')).toEqual([{ seq: 0, kind: 'image-signed', image_hash: hashOf('i'), version: '1.2.3', key_fingerprint: hashOf('k'), input_sha256: hashOf('in'), output_sha256: hashOf('out'), file: 'app.bin', bytes: 4711 }])
    expect(all('slot_writes')).toMatchObject([{ seq: 1, bay: 3, slot: 1, slot_hash: null }, { seq: 2, unit: 'u1', slot_hash: hashOf('i') }])
    expect(all('outcomes')).toMatchObject([{ seq: 3, outcome: 'confirmed', unit: 'u1', active_hash: hashOf('i'), failure: null }])
  })

  test('rebuilding brings back what was deleted and removes what was invented', () => {
    const store = storeIn(newHome())
    for (let i = 0; i < 20; i++) value(store.append(outcomeDraft(`unit-${i}`)))
    const all = () => store.database.sql.prepare('SELECT * FROM outcomes ORDER BY seq').all()
    const before = all()
    store.database.sql.exec("DELETE FROM outcomes WHERE seq < 5; INSERT INTO outcomes (seq, kind, unit) VALUES (99, 'outcome', 'ghost')")
    expect(value(store.rebuildDerived())).toBe(20)
    expect(all()).toEqual(before)
  })
})

test('a second writer is turned away, and let in once the first has closed', () => {
  const home = newHome()
  const first = storeIn(home)
  const second = openAuditStore(home, { station: 'line 1', session: 's2', clock: handClock() })
  expect(second).toMatchObject({ kind: 'database-locked' })
  first.close()
  storeIn(home).close()
})
