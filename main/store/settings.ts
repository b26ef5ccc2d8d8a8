// What people set, kept by name as JSON and read through the caller's own schema: a value that an older or a newer version
// wrote, or that someone edited, falls back to the default instead of reaching the station. Never for secrets.
import type { z } from 'zod'
import type { Failure } from '../base/failure.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'

/** The stored value if it fits the schema, else `fallback`. Fails with the disk's failures only. */
export function readSetting<T>(database: OpenDatabase, name: string, schema: z.ZodType<T>, fallback: T): T | Failure {
  try {
    const text = database.sql.prepare('SELECT value FROM settings WHERE name = ?').pluck().get(name)
    if (typeof text !== 'string') return fallback
    const parsed = schema.safeParse(fromJson(text))
    return parsed.success ? parsed.data : fallback
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

/** Keeps a JSON value under a name; it is on disk when this returns. */
export function writeSetting(database: OpenDatabase, name: string, value: unknown): void | Failure {
  try {
    database.sql.prepare('INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value').run(name, JSON.stringify(value))
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

/** The JSON value of a text, undefined when it is none (which no schema takes for a value). */
export function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
