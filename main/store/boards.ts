// A memory of the boards this station has seen, for showing a known unit the moment it is plugged in. It proves nothing:
// what a board runs is asked of the board, and what was done to it is in the log.
import type { Failure } from '../base/failure.ts'
import { diskFailure } from './database.ts'
import type { OpenDatabase } from './database.ts'

/** Times are ISO 8601 UTC; null means never learned. */
export type KnownBoard = Readonly<{
  unit: string
  firstSeen: string
  lastSeen: string
  port: string | null
  version: string | null
  activeHash: string | null
  outcome: string | null
  outcomeAt: string | null
}>

/** What is new about a board; what is left out stays as it was. */
export type BoardNews = Readonly<{ unit: string; at: string; port?: string; version?: string; activeHash?: string; outcome?: string }>

const columns = 'unit, first_seen AS firstSeen, last_seen AS lastSeen, port, version, active_hash AS activeHash, outcome, outcome_at AS outcomeAt'

/** Remembers what was just seen of a board. */
export function rememberBoard(database: OpenDatabase, news: BoardNews): void | Failure {
  const { unit, at, port = null, version = null, activeHash = null, outcome = null } = news
  try {
    database.sql
      .prepare(
        `INSERT INTO boards (unit, first_seen, last_seen, port, version, active_hash, outcome, outcome_at)
         VALUES (@unit, @at, @at, @port, @version, @activeHash, @outcome, iif(@outcome IS NULL, NULL, @at))
         ON CONFLICT (unit) DO UPDATE SET last_seen = excluded.last_seen, port = coalesce(excluded.port, port),
           version = coalesce(excluded.version, version), active_hash = coalesce(excluded.active_hash, active_hash),
           outcome = coalesce(excluded.outcome, outcome), outcome_at = coalesce(excluded.outcome_at, outcome_at)`,
      )
      .run({ unit, at, port, version, activeHash, outcome })
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

/** The board of that identity; null when it was never seen. */
export function knownBoard(database: OpenDatabase, unit: string): KnownBoard | null | Failure {
  try {
    return (database.sql.prepare(`SELECT ${columns} FROM boards WHERE unit = ?`).get(unit) as KnownBoard | undefined) ?? null
  } catch (error) {
    return diskFailure(error, database.path)
  }
}

/** Boards seen, the latest first. */
export function knownBoards(database: OpenDatabase, limit = 1_000): KnownBoard[] | Failure {
  try {
    return database.sql.prepare(`SELECT ${columns} FROM boards ORDER BY last_seen DESC, unit LIMIT ?`).all(limit) as KnownBoard[]
  } catch (error) {
    return diskFailure(error, database.path)
  }
}
