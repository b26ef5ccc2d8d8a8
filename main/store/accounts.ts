// Accounts of the people at the station, one row each. A row that cannot be read is never passed over: without it the
// station might stand open. What opens an account is kept as scrypt hashes only (RFC 7914); the parameters lie beside each
// hash, so that they can be raised later without anybody having to change a PIN.
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import { Failure } from '../base/failure.ts'
import { databaseName, diskFailure, foreignIn } from './database.ts'
import type { OpenDatabase } from './database.ts'
import { fromJson } from './settings.ts'

/** Made on first use: most calls of the command line only ask whether anybody has an account. */
function makeSchemas() {
  const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
  const time = z.string().max(40)
  /** scrypt's answer with its salt and cost; `n`, `r`, `p` as in RFC 7914. */
  const hash = z.strictObject({ salt: hex(16), hash: hex(32), n: z.number().int().min(2).max(2 ** 20), r: z.number().int().min(1).max(32), p: z.number().int().min(1).max(16) })
  const account = z.strictObject({
    version: z.literal(1),
    name: z.string().min(1).max(200),
    pseudonym: z.string().max(200).nullable(),
    roles: z.array(z.enum(['operator', 'engineer', 'auditor', 'administrator'])).max(8),
    pin: hash.nullable(),
    /** Over the home's own badge salt, so that a badge can be found without a name. */
    badge: hex(32).nullable(),
    createdAt: time,
    retiredAt: time.nullable(),
    lockedAt: time.nullable(),
    wrongTries: z.number().int().min(0).max(1_000_000),
    lastWrongMs: z.number().nullable(),
  })
  return { hash, account }
}
type Schemas = ReturnType<typeof makeSchemas>
let made: Schemas | undefined
const schemas = (): Schemas => (made ??= makeSchemas())

export type SecretHash = z.output<Schemas['hash']>
export type Account = Readonly<z.output<Schemas['account']> & { id: string }>

/** More people than this do not work at one station. */
export const accountsMax = 1_000

/** All accounts by name. Fails with `bad-account` where one cannot be read, and as the disk does. */
export function readAccounts(database: OpenDatabase): Account[] | Failure {
  try {
    const rows = database.sql.prepare('SELECT id, body FROM accounts ORDER BY id LIMIT ?').all(accountsMax + 1) as { id: string; body: string }[]
    const accounts: Account[] = []
    for (const { id, body } of rows) {
      const parsed = schemas().account.safeParse(fromJson(body))
      if (!parsed.success) return new Failure('bad-account', `An account in ${database.path} cannot be read, and the station does not open without knowing who may do what. Restore the database from a backup.`, { account: id.slice(0, 40) })
      accounts.push({ id, ...parsed.data })
    }
    return accounts.sort((a, b) => a.name.localeCompare(b.name))
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

/** Whether people have accounts in this home, by its database alone; quick, for a command line. Fails as the disk does. */
export function hasAccounts(folder: string): boolean | Failure {
  const path = join(folder, databaseName)
  let sql: Database.Database | undefined
  try {
    sql = new Database(path, { readonly: true, fileMustExist: true, timeout: 5_000 })
    const foreign = foreignIn(sql, path)
    if (foreign !== null) return foreign
    const there = sql.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'accounts'").pluck().get()
    // Where the log knows of accounts that are gone, opening the people says so.
    return there === 1 && sql.prepare("SELECT EXISTS (SELECT 1 FROM accounts) OR EXISTS (SELECT 1 FROM entries WHERE kind = 'person-added')").pluck().get() === 1
  } catch (error) {
    return diskFailure(error, path)
  } finally {
    sql?.close()
  }
}

/** Writes an account, over the one with its id; it is on disk when this returns. */
export function writeAccount(database: OpenDatabase, { id, ...body }: Account): void | Failure {
  try {
    database.sql.prepare('INSERT INTO accounts (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body').run(id, JSON.stringify(schemas().account.parse(body)))
  } catch (error) {
    return diskFailure(error, database.path)
  }
}
