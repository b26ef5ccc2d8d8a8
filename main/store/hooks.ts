// Hooks, and how far each has come. The log itself is their queue: what is to be told is an entry, on disk before anybody
// could tell it, so nothing is written twice and nothing can be told that did not happen. A hook keeps a place in it only.
import { z } from 'zod'
import { Failure } from '../base/failure.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'
import { fromJson } from './settings.ts'

const bodySchema = z.strictObject({
  version: z.literal(1),
  to: z.enum(['webhook', 'folder']),
  /** An http(s) address, or a folder's full path. */
  target: z.string().min(1).max(4096),
  /** Whether its address may be one of the house's own. */
  inside: z.boolean(),
  since: z.string().max(40),
})

const placeSchema = z.strictObject({
  /** Sequence number of the first entry that is still to be looked at. */
  next: z.number().int().min(0),
  /** Size of the newest checkpoint that was told. */
  checkpoint: z.number().int().min(0),
  told: z.number().int().min(0),
  lost: z.number().int().min(0),
  lastAt: z.string().max(40).nullable(),
  /** Attempts at the present event, and when the first was (wall time, ms). */
  tries: z.number().int().min(0),
  sinceMs: z.number().nullable(),
  says: z.string().max(1000).nullable(),
  /** Kind of the failure that `says` is of; places kept before it was kept have none. */
  kind: z.string().max(64).nullable().default(null),
})

export type HookBody = Readonly<z.output<typeof bodySchema>>
export type HookPlace = Readonly<z.output<typeof placeSchema>>
export type StoredHook = Readonly<{ id: string; body: HookBody; place: HookPlace }>
export type Letter = Readonly<{ entry: number; type: string; at: string; says: string }>

export const hooksMax = 16
/** What was put aside is kept for each hook up to this many, the newest. */
export const lettersMax = 1_000

/** All hooks in the order in which they were made. Fails with `bad-hook` where one cannot be read, and as the disk does. */
export function readHooks(database: OpenDatabase): StoredHook[] | Failure {
  return onDisk(database, (sql) => {
    const rows = sql.prepare('SELECT id, body, place FROM hooks ORDER BY id LIMIT ?').all(hooksMax) as { id: string; body: string; place: string }[]
    const hooks: StoredHook[] = []
    for (const { id, body, place } of rows) {
      const [said, at] = [bodySchema.safeParse(fromJson(body)), placeSchema.safeParse(fromJson(place))]
      if (!said.success || !at.success) return new Failure('bad-hook', `The hook ${id.slice(0, 20)} in ${database.path} cannot be read. Remove it and make it again.`)
      hooks.push({ id, body: said.data, place: at.data })
    }
    return hooks.sort((a, b) => a.body.since.localeCompare(b.body.since))
  })
}

export function addHook(database: OpenDatabase, { id, body, place }: StoredHook): null | Failure {
  return onDisk(database, (sql) => {
    sql.prepare('INSERT INTO hooks (id, body, place) VALUES (?, ?, ?)').run(id, JSON.stringify(body), JSON.stringify(place))
    return null
  })
}

/** With all that it put aside. */
export function removeHook(database: OpenDatabase, id: string): null | Failure {
  return onDisk(database, (sql) => {
    sql.prepare('DELETE FROM hooks WHERE id = ?').run(id)
    return null
  })
}

/** Keeps the place, and with it, in one transaction, what had to be put aside to get there. */
export function keepPlace(database: OpenDatabase, id: string, place: HookPlace, letter: Letter | null = null): null | Failure {
  return onDisk(database, (sql) => {
    sql.transaction(() => {
      sql.prepare('UPDATE hooks SET place = ? WHERE id = ?').run(JSON.stringify(place), id)
      if (letter === null) return
      sql.prepare('INSERT INTO hook_letters (hook, entry, type, at, says) SELECT ?, ?, ?, ?, ? WHERE EXISTS (SELECT 1 FROM hooks WHERE id = ?)').run(id, letter.entry, letter.type, letter.at, letter.says, id)
      sql.prepare('DELETE FROM hook_letters WHERE hook = ? AND number <= (SELECT max(number) FROM hook_letters WHERE hook = ?) - ?').run(id, id, lettersMax)
    })()
    return null
  })
}

/** What a hook put aside, newest first. */
export function readLetters(database: OpenDatabase, id: string, limit: number): Letter[] | Failure {
  return onDisk(database, (sql) => sql.prepare('SELECT entry, type, at, says FROM hook_letters WHERE hook = ? ORDER BY number DESC LIMIT ?').all(id, limit) as Letter[])
}

export type EntryRow = Readonly<{ seq: number; bytes: Uint8Array; leaf: Uint8Array }>

/** Entries of these kinds with `from` ≤ seq < `to`, oldest first, at most `limit`. The range bounds the work. */
export function entriesBetween(database: OpenDatabase, kinds: readonly string[], from: number, to: number, limit: number): EntryRow[] | Failure {
  return onDisk(database, (sql) => {
    // By number, not by kind: SQLite would gather all entries of a kind first, and the log may have a million.
    const statement = sql.prepare(`SELECT seq, bytes, leaf FROM entries NOT INDEXED WHERE seq >= ? AND seq < ? AND kind IN (${kinds.map(() => '?').join(', ')}) ORDER BY seq LIMIT ?`)
    return statement.all(from, to, ...kinds, limit) as EntryRow[]
  })
}

/** How many entries of these kinds lie there. */
export function countBetween(database: OpenDatabase, kinds: readonly string[], from: number, to: number): number | Failure {
  return onDisk(database, (sql) => Number(sql.prepare(`SELECT count(*) FROM entries NOT INDEXED WHERE seq >= ? AND seq < ? AND kind IN (${kinds.map(() => '?').join(', ')})`).pluck().get(from, to, ...kinds)))
}

function onDisk<T>(database: OpenDatabase, work: (sql: OpenDatabase['sql']) => T | Failure): T | Failure {
  try {
    return work(database.sql)
  } catch (error) {
    return diskFailure(error, database.path)
  }
}
